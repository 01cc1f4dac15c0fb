/* SPDX-License-Identifier: BSD-2-Clause */
/* Accepting an upgrade: what the 101 says. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/response.h"
#include "ws/conn.h"
#include "ws/deflate.h"
#include "ws/handshake.h"

#define HEADERS_MAX	64	/* of a plugin */
#define OFFERS_MAX	16	/* header lines */

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

/* What is agreed on of the client's offers; as ws_extension_negotiate, and -1
 * for more than OFFERS_MAX header lines. */
static int
negotiate(const struct http_req *r, const struct conf_websocket *conf,
    struct ws_deflate_params *params, char *answer)
{
	struct ws_deflate_conf allowed = { conf->server_takeover,
		conf->client_takeover, conf->server_bits, conf->client_bits };
	static const char name[] = "Sec-WebSocket-Extensions";
	hostd_buf offers[OFFERS_MAX];
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++) {
		if (r->headers[i].name.n != sizeof(name) - 1 ||
		    strncasecmp(r->headers[i].name.p, name,
		    sizeof(name) - 1) != 0)
			continue;
		/* No client sends so many; what was not looked at could be
		 * malformed, or the offer to take. */
		if (n == OFFERS_MAX)
			return -1;
		offers[n++] = r->headers[i].value;
	}
	return n == 0 ? 0 : ws_extension_negotiate(offers, n, &allowed, params,
	    answer);
}

int
ws_upgrade_check(const struct http_req *r, const struct conf_websocket *conf)
{
	struct ws_deflate_params params;
	char answer[WS_EXTENSION_ANSWER];
	int status = ws_handshake_check(r);

	if (status != 0)
		return status;
	if (negotiate(r, conf, &params, answer) == -1)
		return 400;
	if (!ws_handshake_origin_ok(r, conf->origins, conf->norigins))
		return 403;
	if (r->server->leaving)
		return 503;
	return r->server->draining && r->server->give == NULL ? 503 : 0;
}

/* Our answer to the offers; 1 when there is one. */
static int
take_offers(struct ws_conn *c, const struct http_req *r, char *answer)
{
	if (!c->conf->deflate ||
	    negotiate(r, c->conf, &c->params, answer) != 1)
		return 0;
	c->deflate = c->reader.deflate = 1;
	c->reader.takeover = c->params.client_takeover;
	c->reader.bits = c->params.client_bits;
	return 1;
}

/* Names that only the handshake may set. */
static int
is_handshakes(const hostd_hdr *h, uint32_t n)
{
	static const char prefix[] = "Sec-WebSocket-";
	uint32_t i;

	for (i = 0; i < n; i++)
		if (h[i].name.p != NULL && h[i].name.n >= sizeof(prefix) - 1 &&
		    strncasecmp(h[i].name.p, prefix, sizeof(prefix) - 1) == 0)
			return 1;
	return 0;
}

int32_t
ws_conn_accept(struct ws_conn *c, struct http_req *r, hostd_buf protocol,
    const hostd_hdr *h, uint32_t nhdrs)
{
	hostd_hdr all[HEADERS_MAX + 3];
	char key[WS_ACCEPT_SIZE], answer[WS_EXTENSION_ANSWER];
	const hostd_hdr *sent = request_header(r, "Sec-WebSocket-Key", 17);
	uint32_t n = 0;
	int32_t rc;

	if (r->phase != RESP_NONE)
		return HOSTD_E_STATE;
	if (nhdrs > HEADERS_MAX || is_handshakes(h, nhdrs) ||
	    (protocol.p != NULL && !ws_handshake_offers(r, protocol)))
		return HOSTD_E_INVAL;
	if (nhdrs > 0)
		memcpy(all, h, nhdrs * sizeof(*h));
	n = nhdrs;
	ws_handshake_accept(sent->value, key);
	all[n++] = (hostd_hdr){ text("Sec-WebSocket-Accept"), text(key) };
	if (protocol.p != NULL)
		all[n++] = (hostd_hdr){ text("Sec-WebSocket-Protocol"),
			protocol };
	if (take_offers(c, r, answer))
		all[n++] = (hostd_hdr){ text("Sec-WebSocket-Extensions"),
			text(answer) };
	rc = response_upgrade(r, "websocket", all, n, &c->upgrade);
	if (rc == HOSTD_OK)
		ws_conn_keep_texts(c, r->view.peer, r->view.path, protocol);
	return rc;
}
