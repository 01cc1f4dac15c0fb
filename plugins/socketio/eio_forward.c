/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests whose session another machine has: they are asked there, and what it
 * answers is the answer.  An upgrade becomes a tunnel.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cluster.h"
#include "engine.h"

#define HOP		"X-Hostd-Socketio-Hop"
#define TYPE_MAX_LEN	80
#define MORE		3	/* headers that are added */

struct eio_forward {
	struct hostd_inst *in;
	hostd_req req;
	struct eio_poll *poll;		/* NULL: an upgrade, or it has ended */
	int is_upgrade, is_answered;
	hostd_fetch fetch;		/* id 0: its address is looked up */
	int32_t status;
	char type[TYPE_MAX_LEN];
};

static void
forward_free(struct eio_forward *f)
{
	if (f->poll != NULL)
		f->poll->forward = NULL;
	free(f);
}

/* Nobody has such a session: the client begins anew. */
static void
give_up(struct eio_forward *f)
{
	if (!f->is_answered)
		(void)eio_refuse(f->in, f->req, EIO_UNKNOWN_ID, f->is_upgrade);
	f->is_answered = 1;
}

/* -- the answer -- */

static void
keep_type(struct eio_forward *f, const struct hostd_fetch_response *r)
{
	uint32_t i;

	for (i = 0; i < r->nheaders; i++)
		if (r->headers[i].name.n == 12 && r->headers[i].value.n <
		    sizeof(f->type) && strncasecmp(r->headers[i].name.p,
		    "Content-Type", 12) == 0) {
			memcpy(f->type, r->headers[i].value.p,
			    r->headers[i].value.n);
			f->type[r->headers[i].value.n] = '\0';
		}
}

static void
tunnel(struct eio_forward *f, const struct hostd_fetch_response *r)
{
	const struct hostd_fetch_api *fetch = f->in->fetch;
	hostd_hdr *h = calloc(r->nheaders + 1, sizeof(*h));
	uint32_t i, n = 0;

	for (i = 0; h != NULL && i < r->nheaders; i++)
		if (r->headers[i].name.n > 14 && strncasecmp(
		    r->headers[i].name.p, "Sec-WebSocket-", 14) == 0)
			h[n++] = r->headers[i];
	if (h != NULL && fetch->tunnel(f->in->easy.host, f->fetch, h, n, 0) ==
	    HOSTD_OK)
		f->is_answered = 1;
	else
		(void)fetch->cancel(f->in->easy.host, f->fetch);
	free(h);
}

static void
on_response(struct hostd_inst *in, hostd_fetch fetch, void *arg,
    const struct hostd_fetch_response *r)
{
	struct eio_forward *f = arg;

	(void)in;
	(void)fetch;
	f->status = r->status;
	keep_type(f, r);
	if (r->status == 101)
		tunnel(f, r);
}

static void
on_body(struct hostd_inst *in, hostd_fetch fetch, void *arg, hostd_buf part,
    int32_t fin)
{
	struct eio_forward *f = arg;

	(void)fetch;
	if (!fin || f->is_answered)
		return;
	f->is_answered = 1;
	(void)eio_relay(in, f->req, f->status, f->type, part);
}

static void
on_writable(struct hostd_inst *in, hostd_fetch fetch, void *arg)
{
	const struct eio_forward *f = arg;

	(void)fetch;
	(void)in->easy.http->body_pause(in->easy.host, f->req, 0);
}

static void
on_end(struct hostd_inst *in, hostd_fetch fetch, void *arg, int32_t status,
    hostd_buf text)
{
	struct eio_forward *f = arg;

	(void)fetch;
	if (status != HOSTD_OK && status != HOSTD_E_GONE && !f->is_answered)
		hostd_logf(in->easy.host, HOSTD_LOG_WARN, "another machine's "
		    "session: its internal_address does not answer: %.*s",
		    (int)text.n, (const char *)text.p);
	give_up(f);
	forward_free(f);
}

static const struct hostd_fetch_ops ops = {
	.struct_size = sizeof(ops), .on_response = on_response,
	.on_body = on_body, .on_writable = on_writable, .on_end = on_end
};

/* -- the question -- */

static int
is_of_hop(hostd_buf name, int is_upgrade)
{
	static const char *const names[] = { "Connection", "Keep-Alive",
		"Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
		"Content-Length", "Expect", "HTTP2-Settings", NULL };
	uint32_t i;

	for (i = 0; names[i] != NULL; i++)
		if (name.n == strlen(names[i]) &&
		    strncasecmp(name.p, names[i], name.n) == 0)
			return 1;
	return !is_upgrade && name.n == 7 &&
	    strncasecmp(name.p, "Upgrade", 7) == 0;
}

static uint32_t
headers_of(const struct eio_forward *f, const struct hostd_request *r,
    hostd_hdr *h)
{
	uint32_t i, n = 0;

	for (i = 0; i < r->nheaders; i++)
		if (!is_of_hop(r->headers[i].name, f->is_upgrade))
			h[n++] = r->headers[i];
	h[n++] = hostd_header(HOP, "1");
	h[n].name = hostd_str("X-Forwarded-For");
	h[n++].value = r->peer;
	return n;
}

static int32_t
ask(struct eio_forward *f, const struct hostd_request *r, hostd_buf address,
    const hostd_hdr *h, uint32_t nh)
{
	struct hostd_fetch_request q = {
		.struct_size = sizeof(q),
		.flags = f->is_upgrade ? HOSTD_FETCH_UPGRADE :
		    HOSTD_FETCH_BUFFER,
		.upstream = (const char *)f->in->opt.upstream.p,
		.method = r->method_name, .target = r->target,
		.headers = h, .nheaders = nh, .next = HOSTD_NEXT_OFF,
		.length = f->is_upgrade ? 0 : r->content_length,
		.on_behalf = f->req, .server = address
	};

	return f->in->fetch->start(f->in->easy.host, &q, &ops, f, &f->fetch);
}

static int32_t
start(struct eio_forward *f, hostd_buf address)
{
	const struct hostd_request *r = hostd_request_of(f->in, f->req);
	hostd_hdr *h;
	int32_t rc;

	if (r == NULL)
		return HOSTD_E_GONE;
	if ((h = calloc(r->nheaders + MORE, sizeof(*h))) == NULL)
		return HOSTD_E_NOMEM;
	rc = ask(f, r, address, h, headers_of(f, r, h));
	free(h);
	if (rc == HOSTD_OK)
		(void)f->in->easy.http->body_pause(f->in->easy.host, f->req,
		    0);
	return rc;
}

static void
is_known(void *arg, int32_t status, hostd_buf address)
{
	struct eio_forward *f = arg;

	if (status == HOSTD_OK && start(f, address) == HOSTD_OK)
		return;
	give_up(f);
	forward_free(f);
}

int32_t
eio_forward(struct hostd_inst *in, hostd_req req, uint32_t node,
    struct eio_poll *poll)
{
	struct eio_forward *f;
	hostd_buf hop;

	if (in->fetch == NULL || in->opt.upstream.n == 0 ||
	    in->easy.http->header(in->easy.host, req, HOP, &hop) == HOSTD_OK)
		return eio_refuse(in, req, EIO_UNKNOWN_ID, poll == NULL);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return HOSTD_E_NOMEM;
	f->in = in;
	f->req = req;
	f->poll = poll;
	f->is_upgrade = poll == NULL;
	if (poll != NULL)
		poll->forward = f;
	(void)in->easy.http->body_pause(in->easy.host, req, 1);
	if (cluster_node_address(in, node, is_known, f) < 0)
		is_known(f, HOSTD_E_GONE, hostd_str(NULL));
	return HOSTD_DEFER;
}

int32_t
eio_forward_body(struct hostd_inst *in, struct eio_forward *f, hostd_buf part,
    int fin)
{
	int32_t rc = HOSTD_OK;

	if (part.n > 0)
		rc = in->fetch->write(in->easy.host, f->fetch, part);
	if (rc == HOSTD_AGAIN && !fin)
		(void)in->easy.http->body_pause(in->easy.host, f->req, 1);
	if (fin)
		(void)in->fetch->finish(in->easy.host, f->fetch, NULL, 0);
	return HOSTD_DEFER;
}

void
eio_forward_end(struct eio_forward *f)
{
	f->poll->forward = NULL;
	f->poll = NULL;
}
