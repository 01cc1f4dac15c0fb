/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "http/conn.h"
#include "http/redirect.h"
#include "http/response.h"
#include "http/server.h"
#include "net/listener.h"

/* What authorities of certificates ask for (RFC 8555 section 8.3). */
#define CHALLENGE "/.well-known/acme-challenge/"

int
redirect_is_wanted(const struct conf *c)
{
	const struct conf_listen *l;

	TAILQ_FOREACH(l, &c->listens, entry)
		if (l->redirect_https != NULL)
			return 1;
	return 0;
}

/* Of a target that has a scheme and an authority, what is behind them. */
static hostd_buf
path_of(hostd_buf target)
{
	const char *p = target.p, *end = p + target.n, *slashes;

	if (p[0] == '/' || (slashes = memmem(p, target.n, "://", 3)) == NULL)
		return target;
	for (p = slashes + 3; p < end && *p != '/' && *p != '?'; p++)
		;
	return (hostd_buf){ p, (size_t)(end - p) };
}

static void
put_location(struct buf *b, const struct http_req *r, const char *to)
{
	hostd_buf path = path_of(r->view.target);

	buf_puts(b, "https://");
	if (to[0] == ':' || to[0] == '\0')
		buf_append(b, r->view.host.p, r->view.host.n);
	buf_puts(b, to);
	if (path.n == 0 || *(const char *)path.p != '/')
		buf_puts(b, "/");
	buf_append(b, path.p, path.n);
}

static int
is_challenge(const struct http_req *r)
{
	size_t n = sizeof(CHALLENGE) - 1;

	return r->view.path.n > n && memcmp(r->view.path.p, CHALLENGE, n) == 0;
}

int
redirect_request(struct http_req *r)
{
	const struct conf_listen *l;
	struct buf location = { NULL, 0, 0 };
	hostd_buf none = { NULL, 0 };
	hostd_hdr h;

	if (request_is_secure(r) || is_challenge(r) ||
	    (l = listener_block(r->server->conf,
	    r->conn->stream.io.fd)) == NULL || l->redirect_https == NULL)
		return 0;
	request_drop_body(r);
	if (r->view.host.n == 0 && strchr(":", l->redirect_https[0]) != NULL) {
		/* HTTP/1.0 need not say whom it asks. */
		response_error(r, 400, NULL);
		return 1;
	}
	put_location(&location, r, l->redirect_https);
	h = (hostd_hdr){ { "Location", 8 }, { location.p, location.len } };
	/* 301 lets clients make a GET of anything (RFC 9110 section
	 * 15.4.2). */
	(void)response_whole(r, r->view.method == HOSTD_METHOD_GET ||
	    r->view.method == HOSTD_METHOD_HEAD ? 301 : 308, &h, 1, none);
	buf_free(&location);
	return 1;
}
