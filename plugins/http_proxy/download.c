/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer's body, from the server to the client. */
#include "exchange.h"
#include "text.h"

static void
server_wait(struct exchange *x, int on)
{
	if (x->down_paused == on || x->fetch.id == 0)
		return;
	x->down_paused = (uint8_t)on;
	(void)x->in->fetch->body_pause(x->in->easy.host, x->fetch, on);
}

/* What can't be told to the client.  One who has left may be found out here,
 * before its request's end is told, and the server is to finish all the
 * same. */
static void
download_failed(struct exchange *x, int32_t rc)
{
	if (rc == HOSTD_E_GONE && exchange_outlives(x))
		x->unwanted = x->finished = 1;
	else
		exchange_cut(x);
}

static int32_t
download_keep(struct exchange *x, hostd_buf part)
{
	const struct spool_limits none = { NULL, 0, 0 };
	int32_t rc;
	int error;

	rc = spool_put(&x->down, x->buffering ? &x->in->settings.spool : &none,
	    part, &error);
	if (rc == HOSTD_AGAIN)
		server_wait(x, 1);
	return rc < 0 ? rc : HOSTD_OK;
}

/* A part as it is sent: to the client, or behind what waits for it. */
static int32_t
download_put(void *arg, hostd_buf part)
{
	struct exchange *x = arg;
	int32_t rc;

	if (x->down_blocked)
		return download_keep(x, part);
	rc = x->in->easy.http->write(x->in->easy.host, x->req, part);
	if (rc == HOSTD_OK)
		return rc;
	if (rc != HOSTD_AGAIN && rc != HOSTD_E_FULL)
		return rc;
	x->down_blocked = 1;
	if (!x->buffering)
		server_wait(x, 1);
	return rc == HOSTD_E_FULL ? download_keep(x, part) : HOSTD_OK;
}

/* The answer is complete, and the client has been given all of it. */
static void
download_finish(struct exchange *x)
{
	const struct hostd_http_api *http = x->in->easy.http;
	int32_t rc = HOSTD_E_INVAL;

	if (!x->complete || x->finished || x->down.size > 0)
		return;
	x->finished = 1;
	if (x->ntrailers > 0)
		rc = http->finish_trailers(x->in->easy.host, x->req,
		    x->trailers, x->ntrailers);
	if (rc == HOSTD_E_INVAL)
		(void)http->finish(x->in->easy.host, x->req);
}

/* Trailers outlive the call: the body may still wait for the client. */
static void
keep_trailers(struct exchange *x)
{
	const hostd_hdr *t = NULL;
	hostd_hdr *h;
	size_t size = 0;
	uint32_t i, n = 0;
	char *p;

	/* What is kept comes from no server, and without any. */
	if (x->fetch.id == 0 || x->in->fetch->trailers(x->in->easy.host,
	    x->fetch, &t, &n) != HOSTD_OK || n == 0)
		return;
	for (i = 0; i < n; i++)
		size += t[i].name.n + t[i].value.n;
	if ((x->trailers = malloc(n * sizeof(*t) + size)) == NULL)
		return;
	p = (char *)(x->trailers + n);
	for (i = 0; i < n; i++) {
		/* Not in this way, either. */
		if (rules_have(&x->in->settings.hide, t[i].name))
			continue;
		h = &x->trailers[x->ntrailers++];
		h->name = text_of(p, t[i].name.n);
		memcpy(p, t[i].name.p, t[i].name.n);
		p += t[i].name.n;
		h->value = text_of(p, t[i].value.n);
		if (t[i].value.n > 0)
			memcpy(p, t[i].value.p, t[i].value.n);
		p += t[i].value.n;
	}
}

void
download_part(struct exchange *x, hostd_buf part, int fin)
{
	uint64_t most = x->in->settings.max_response;
	int32_t rc;

	if (x->finished)
		return;
	x->seen += part.n;
	if (most > 0 && x->seen > most) {
		(void)exchange_fail(x, 502,
		    hostd_str("the answer is larger than max_response"));
		return;
	}
	if (x->gzip != NULL)
		rc = gzip_part(x->gzip, part, fin, download_put, x);
	else
		rc = part.n > 0 ? download_put(x, part) : HOSTD_OK;
	if (rc < 0) {
		download_failed(x, rc);
		return;
	}
	if (!fin)
		return;
	keep_trailers(x);
	x->complete = 1;
	download_finish(x);
}

void
download_more(struct exchange *x)
{
	hostd_buf b;
	int32_t rc = HOSTD_OK;

	x->down_blocked = 0;
	while (rc == HOSTD_OK && x->down.size > 0) {
		if (spool_peek(&x->down, x->in->piece, PROXY_PIECE, &b) !=
		    HOSTD_OK) {
			exchange_cut(x);
			return;
		}
		rc = x->in->easy.http->write(x->in->easy.host, x->req, b);
		if (rc >= 0)
			spool_drop(&x->down, b.n);
		else if (rc != HOSTD_E_FULL) {
			download_failed(x, rc);
			return;
		}
	}
	download_finish(x);
	x->down_blocked = rc != HOSTD_OK;
	if (x->down_blocked)
		return;
	if (x->from_cache)
		download_cached(x);
	else
		server_wait(x, 0);
}

void
download_cached(struct exchange *x)
{
	struct hostd_inst *in = x->in;
	uint64_t all = (uint64_t)x->cache.answer.content_length;
	hostd_buf b = { NULL, 0 };

	x->from_cache = 1;
	/* Nobody gets to see it. */
	if (hostd_request_of(in, x->req)->method == HOSTD_METHOD_HEAD)
		x->seen = all;
	do {
		if (x->seen < all) {
			b = cache_read(&x->cache, x->seen, in->piece,
			    PROXY_PIECE);
			if (b.p == NULL) {
				exchange_cut(x);
				return;
			}
		}
		download_part(x, b, x->seen + b.n == all);
	} while (!x->complete && !x->finished && !x->down_blocked);
}

void
download_forget(struct exchange *x)
{
	x->down_blocked = 0;
	server_wait(x, 0);
}
