/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.tls/1: how a request's connection is secured. */
#include <stddef.h>
#include <string.h>
#include <hostd/tls.h>
#include "http/conn.h"
#include "net/tls.h"
#include "plugin/instance.h"

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static void
fill_peer(struct hostd_tls *out, const struct tls_peer *p)
{
	out->flags |= HOSTD_TLS_CLIENT;
	if (strcmp(p->verify, "SUCCESS") == 0)
		out->flags |= HOSTD_TLS_VERIFIED;
	out->verify = text(p->verify);
	out->subject = text(p->subject);
	out->issuer = text(p->issuer);
	out->serial = text(p->serial);
	out->fingerprint = text(p->fingerprint);
}

static int32_t
api_get(const struct hostd_host *host, hostd_req id, struct hostd_tls *out)
{
	const struct tls_info *t;
	struct hostd_tls full;
	struct http_req *r;
	int32_t rc = http_look(host, id, "get of " HOSTD_EXT_TLS, &r);

	if (rc != HOSTD_OK)
		return rc;
	if (out == NULL ||
	    out->struct_size < offsetof(struct hostd_tls, subject))
		return HOSTD_E_INVAL;
	if ((t = stream_tls(&r->conn->stream)) == NULL)
		return HOSTD_E_NOTSUP;
	memset(&full, 0, sizeof(full));
	full.struct_size = out->struct_size;
	full.flags = t->resumed ? HOSTD_TLS_RESUMED : 0;
	full.protocol = text(t->protocol);
	full.cipher = text(t->cipher);
	full.server_name = text(t->server_name);
	full.alpn = text(t->alpn);
	full.verify = text("NONE");
	if (t->has_peer)
		fill_peer(&full, &t->peer);
	memcpy(out, &full, out->struct_size < sizeof(full) ?
	    out->struct_size : sizeof(full));
	return HOSTD_OK;
}

const struct hostd_tls_api *
tls_service(void)
{
	static const struct hostd_tls_api api = {
		.struct_size = sizeof(api),
		.get = api_get,
	};

	return &api;
}
