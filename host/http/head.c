/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/head.h"
#include "http/path.h"

static const struct {
	const char *name;
	uint8_t len;
	uint8_t once;		/* a second one is an attack or a bug */
} known_headers[KNOWN_N] = {
	[KNOWN_HOST] = { "host", 4, 1 },
	[KNOWN_CONNECTION] = { "connection", 10, 0 },
	[KNOWN_CONTENT_LENGTH] = { "content-length", 14, 1 },
	[KNOWN_TRANSFER_ENCODING] = { "transfer-encoding", 17, 1 },
	[KNOWN_EXPECT] = { "expect", 6, 1 },
	[KNOWN_UPGRADE] = { "upgrade", 7, 0 },
	[KNOWN_USER_AGENT] = { "user-agent", 10, 0 },
	[KNOWN_REFERER] = { "referer", 7, 0 },
};

int
head_note(struct http_req *r, const hostd_hdr *h)
{
	int k;

	for (k = 0; k < KNOWN_N; k++) {
		if (known_headers[k].len != h->name.n ||
		    strncasecmp(known_headers[k].name, h->name.p,
		    h->name.n) != 0)
			continue;
		if (r->known[k] == 0)
			r->known[k] = (uint8_t)(r->view.nheaders + 1);
		else if (known_headers[k].once)
			return -1;
		return 0;
	}
	return 0;
}

static const struct {
	const char *name;
	uint32_t method;
} methods[] = {
	{ "HEAD", HOSTD_METHOD_HEAD },
	{ "POST", HOSTD_METHOD_POST }, { "PUT", HOSTD_METHOD_PUT },
	{ "DELETE", HOSTD_METHOD_DELETE }, { "OPTIONS", HOSTD_METHOD_OPTIONS },
	{ "PATCH", HOSTD_METHOD_PATCH }, { "TRACE", HOSTD_METHOD_TRACE },
	{ "CONNECT", HOSTD_METHOD_CONNECT },
};

void
head_set_method(struct http_req *r, const char *p, size_t n)
{
	size_t i;

	r->view.method_name = (hostd_buf){ p, n };
	/* As most are. */
	if (n == 3 && memcmp(p, "GET", 3) == 0) {
		r->view.method = HOSTD_METHOD_GET;
		return;
	}
	r->view.method = HOSTD_METHOD_OTHER;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strncmp(methods[i].name, p, n) == 0 &&
		    methods[i].name[n] == '\0') {
			r->view.method = methods[i].method;
			return;
		}
}

/* What a host's name is of: ! $ & ' * + - . 0-9 A-Z _ a-z ~ */
enum { IN_NAME = 1, IN_UPPER_CASE };

static const uint8_t name_bytes[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
	0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 1,
	0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0
};

/* What is behind a host: nothing, or a colon and up to five digits. */
static int
is_port(const char *p, size_t n)
{
	size_t i;

	if (n == 0)
		return 1;
	if (p[0] != ':' || n > 6)
		return 0;
	for (i = 1; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return 0;
	return 1;
}

/* Host without port into r (RFC 3986 section 3.2.2); 0 or -1. */
static int
parse_authority(struct http_req *r, const char *p, size_t n)
{
	size_t end = 0;
	int seen = 0;

	if (n > 0 && p[0] == '[') {
		const char *close = memchr(p, ']', n);

		if (close == NULL)
			return -1;
		end = (size_t)(close - p) + 1;
		seen = IN_UPPER_CASE;
		if (end < 4 || strspn(p + 1, "0123456789abcdefABCDEF:.") <
		    end - 2)
			return -1;
	} else {
		for (; end < n && name_bytes[(unsigned char)p[end]] != 0; end++)
			seen |= name_bytes[(unsigned char)p[end]];
	}
	if (!is_port(p + end, n - end))
		return -1;
	r->host_as_sent = (hostd_buf){ p, end };
	r->host_has_upper = (seen & IN_UPPER_CASE) != 0;
	return end == 0 && n > 0 ? -1 : 0;
}

int
head_check_host(struct http_req *r)
{
	hostd_buf h = request_known(r, KNOWN_HOST);

	if (r->known[KNOWN_HOST] == 0)
		return r->minor >= 1 ? 400 : 0;
	return h.n == 0 || parse_authority(r, h.p, h.n) == -1 ?
	    400 : 0;
}

/* Path and query of an absolute or origin form target. */
static int
split_path(struct http_req *r, const char *p, size_t n)
{
	size_t plain = path_plain(p, n);
	const char *q;

	if (plain < n && memchr(p + plain, '#', n - plain) != NULL)
		return 400;
	if (plain < n && (q = memchr(p + plain, '?', n - plain)) != NULL) {
		r->view.query = (hostd_buf){ q + 1, n - (size_t)(q - p) - 1 };
		n = (size_t)(q - p);
	}
	if (plain == n) {
		r->view.path = (hostd_buf){ p, n };
	} else {
		int len;

		r->own_path = xmalloc(n + 1);
		if ((len = path_decode(p, n, r->own_path)) < 0)
			return 400;
		r->view.path = (hostd_buf){ r->own_path, (size_t)len };
	}
	return 0;
}

static int
parse_absolute(struct http_req *r, const char *p, size_t n)
{
	size_t skip, end;

	if (n > 7 && strncasecmp(p, "http://", 7) == 0)
		skip = 7;
	else if (n > 8 && strncasecmp(p, "https://", 8) == 0)
		skip = 8;
	else
		return 400;
	for (end = skip; end < n && p[end] != '/' && p[end] != '?' &&
	    p[end] != '#'; end++)
		;
	/* The target's authority wins over Host (RFC 9112 section 3.2.2). */
	if (end == skip || memchr(p + skip, '@', end - skip) != NULL ||
	    parse_authority(r, p + skip, end - skip) == -1)
		return 400;
	if (end < n && p[end] == '/')
		return split_path(r, p + end, n - end);
	/* No path at all is "*" for OPTIONS (RFC 9110 section 4.2.3). */
	r->view.path = (hostd_buf){ end == n &&
	    r->view.method == HOSTD_METHOD_OPTIONS ? "*" : "/", 1 };
	if (end < n && p[end] == '#')
		return 400;
	if (end < n)
		r->view.query = (hostd_buf){ p + end + 1, n - end - 1 };
	return memchr(p + end, '#', n - end) != NULL ? 400 : 0;
}

int
head_parse_target(struct http_req *r)
{
	const char *p = r->view.target.p;
	size_t n = r->view.target.n;

	if (r->view.method == HOSTD_METHOD_CONNECT)
		return 501;
	if (n == 1 && p[0] == '*') {
		r->view.path = (hostd_buf){ "*", 1 };
		return r->view.method == HOSTD_METHOD_OPTIONS ? 0 : 400;
	}
	if (n > 0 && p[0] == '/')
		return split_path(r, p, n);
	return parse_absolute(r, p, n);
}

int
head_check_expect(struct http_req *r)
{
	hostd_buf v = request_known(r, KNOWN_EXPECT);

	r->continue_sent = 1;
	if (v.p == NULL || r->minor == 0)
		return 0;
	if (v.n != 12 || strncasecmp(v.p, "100-continue", 12) != 0)
		return 417;
	r->continue_sent = r->body == BODY_NONE;
	return 0;
}

void
head_set_host(struct http_req *r)
{
	const char *p = r->host_as_sent.p;
	size_t i, n = r->host_as_sent.n;

	r->view.host = r->host_as_sent;
	if (!r->host_has_upper)
		return;
	r->own_host = xmalloc(n);
	for (i = 0; i < n; i++)
		r->own_host[i] = p[i] >= 'A' && p[i] <= 'Z' ?
		    (char)(p[i] | 0x20) : p[i];
	r->view.host.p = r->own_host;
}
