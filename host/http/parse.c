/* SPDX-License-Identifier: BSD-2-Clause */
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/field.h"
#include "http/guard.h"
#include "http/parse.h"
#include "http/path.h"

struct parser {
	llhttp_t ll;
	llhttp_settings_t settings;
	size_t max_headers;
	struct http_req *req;
	int too_many;
};

static struct http_req *
parser_req(llhttp_t *ll)
{
	return ((struct parser *)ll->data)->req;
}

static int
on_url(llhttp_t *ll, const char *p, size_t n)
{
	parser_req(ll)->view.target = (hostd_buf){ p, n };
	return 0;
}

static int
on_field(llhttp_t *ll, const char *p, size_t n)
{
	struct parser *ps = ll->data;
	struct http_req *r = ps->req;

	if (r->view.nheaders == ps->max_headers) {
		ps->too_many = 1;
		return -1;
	}
	r->headers[r->view.nheaders].name = (hostd_buf){ p, n };
	r->headers[r->view.nheaders].value = (hostd_buf){ p, 0 };
	return 0;
}

static int
on_value(llhttp_t *ll, const char *p, size_t n)
{
	struct http_req *r = parser_req(ll);

	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	r->headers[r->view.nheaders].value = (hostd_buf){ p, n };
	return 0;
}

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

static int
note_known(struct http_req *r, const hostd_hdr *h)
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

static int
on_value_complete(llhttp_t *ll)
{
	struct http_req *r = parser_req(ll);

	if (note_known(r, &r->headers[r->view.nheaders]) == -1)
		return -1;
	r->view.nheaders++;
	return 0;
}

/* The body is ours to read. */
static int
on_headers_complete(llhttp_t *ll)
{
	(void)ll;
	return 1;
}

struct parser *
parser_new(size_t max_headers)
{
	struct parser *ps = xcalloc(1, sizeof(*ps));

	llhttp_settings_init(&ps->settings);
	ps->settings.on_url = on_url;
	ps->settings.on_header_field = on_field;
	ps->settings.on_header_value = on_value;
	ps->settings.on_header_value_complete = on_value_complete;
	ps->settings.on_headers_complete = on_headers_complete;
	llhttp_init(&ps->ll, HTTP_REQUEST, &ps->settings);
	ps->ll.data = ps;
	ps->max_headers = max_headers;
	return ps;
}

void
parser_free(struct parser *ps)
{
	free(ps);
}

static const struct {
	const char *name;
	uint32_t method;
} methods[] = {
	{ "GET", HOSTD_METHOD_GET }, { "HEAD", HOSTD_METHOD_HEAD },
	{ "POST", HOSTD_METHOD_POST }, { "PUT", HOSTD_METHOD_PUT },
	{ "DELETE", HOSTD_METHOD_DELETE }, { "OPTIONS", HOSTD_METHOD_OPTIONS },
	{ "PATCH", HOSTD_METHOD_PATCH }, { "TRACE", HOSTD_METHOD_TRACE },
	{ "CONNECT", HOSTD_METHOD_CONNECT },
};

static void
set_method(struct http_req *r, const char *p)
{
	size_t i, n = (size_t)((const char *)memchr(p, ' ', r->head_len) - p);

	r->view.method_name = (hostd_buf){ p, n };
	r->view.method = HOSTD_METHOD_OTHER;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strncmp(methods[i].name, p, n) == 0 &&
		    methods[i].name[n] == '\0') {
			r->view.method = methods[i].method;
			return;
		}
}

/* Host without port into host; 0 or -1 (RFC 3986 section 3.2.2). */
static int
parse_authority(const char *p, size_t n, hostd_buf *host)
{
	size_t i, end = n;
	unsigned char c;

	if (n > 0 && p[0] == '[') {
		const char *close = memchr(p, ']', n);

		if (close == NULL)
			return -1;
		end = (size_t)(close - p) + 1;
		if (end < 4 || strspn(p + 1, "0123456789abcdefABCDEF:.") <
		    end - 2)
			return -1;
	} else {
		for (i = 0; i < n && p[i] != ':'; i++) {
			c = (unsigned char)p[i];
			if (!is_tchar(c) || c == '^' || c == '`' || c == '|' ||
			    c == '#' || c == '%')
				return -1;
		}
		end = i;
	}
	for (i = end; i < n; i++)
		if (!(i == end ? p[i] == ':' : p[i] >= '0' && p[i] <= '9') ||
		    i > end + 5)
			return -1;
	*host = (hostd_buf){ p, end };
	return end == 0 && n > 0 ? -1 : 0;
}

static int
check_host(struct http_req *r)
{
	hostd_buf h = request_known(r, KNOWN_HOST);

	if (r->known[KNOWN_HOST] == 0)
		return r->minor >= 1 ? 400 : 0;
	return h.n == 0 || parse_authority(h.p, h.n, &r->host_as_sent) == -1 ?
	    400 : 0;
}

/* Path and query of an absolute or origin form target. */
static int
split_path(struct http_req *r, const char *p, size_t n)
{
	const char *q = memchr(p, '?', n);

	if (memchr(p, '#', n) != NULL)
		return 400;
	if (q != NULL) {
		r->view.query = (hostd_buf){ q + 1, n - (size_t)(q - p) - 1 };
		n = (size_t)(q - p);
	}
	if (path_is_plain(p, n)) {
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
	    parse_authority(p + skip, end - skip, &r->host_as_sent) == -1)
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

static int
parse_target(struct http_req *r)
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

static void
check_connection(struct http_req *r)
{
	size_t i;
	int close = 0, keep = 0, upgrade = 0;

	for (i = 0; r->known[KNOWN_CONNECTION] != 0 && i < r->view.nheaders;
	    i++) {
		const hostd_hdr *h = &r->headers[i];

		if (h->name.n != 10 ||
		    strncasecmp(h->name.p, "connection", 10) != 0)
			continue;
		close |= field_has(h->value, "close");
		keep |= field_has(h->value, "keep-alive");
		upgrade |= field_has(h->value, "upgrade");
	}
	r->keepalive = !close && (r->minor >= 1 || keep);
	if (upgrade && r->known[KNOWN_UPGRADE] != 0 && r->minor >= 1)
		r->view.flags |= HOSTD_REQ_UPGRADE;
}

static int
check_framing(struct http_req *r)
{
	hostd_buf te = request_known(r, KNOWN_TRANSFER_ENCODING);

	r->body = BODY_NONE;
	r->view.content_length = 0;
	if (te.p != NULL) {
		if (r->known[KNOWN_CONTENT_LENGTH] != 0 || r->minor == 0 ||
		    te.n != 7 || strncasecmp(te.p, "chunked", 7) != 0)
			return 400;
		r->body = BODY_CHUNKED;
		r->view.content_length = -1;
	} else if (r->known[KNOWN_CONTENT_LENGTH] != 0) {
		if (field_length(request_known(r, KNOWN_CONTENT_LENGTH),
		    &r->view.content_length) == -1)
			return 400;
		if (r->view.content_length > 0)
			r->body = BODY_LENGTH;
	}
	r->body_done = r->body == BODY_NONE;
	return 0;
}

static int
check_expect(struct http_req *r)
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

/* The guard has seen to it that the line is method SP target SP version. */
static int
check_line(const struct http_req *r, const char *p, size_t n)
{
	const char *end = memchr(p, '\r', n);

	if (!is_token(r->view.method_name.p, r->view.method_name.n) ||
	    end - p < 9 || memcmp(end - 9, " HTTP/", 6) != 0)
		return 400;
	return 0;
}

static int
parse_error(struct parser *ps, llhttp_errno_t err)
{
	if (ps->too_many)
		return 431;
	if (err == HPE_INVALID_METHOD)
		return 501;
	if (err == HPE_INVALID_VERSION || err == HPE_PAUSED_H2_UPGRADE)
		return 505;
	return 400;
}

/* view.host is lower case and has no port. */
static void
set_host(struct http_req *r)
{
	const char *p = r->host_as_sent.p;
	size_t i, n = r->host_as_sent.n;

	r->view.host = r->host_as_sent;
	for (i = 0; i < n && !(p[i] >= 'A' && p[i] <= 'Z'); i++)
		;
	if (i == n)
		return;
	r->own_host = xmalloc(n);
	for (i = 0; i < n; i++)
		r->own_host[i] = p[i] >= 'A' && p[i] <= 'Z' ?
		    (char)(p[i] | 0x20) : p[i];
	r->view.host.p = r->own_host;
}

int
parse_head(struct parser *ps, struct http_req *r, const char *p, size_t n)
{
	llhttp_errno_t err;
	int status;

	r->head = p;
	r->head_len = n;
	r->view.headers = r->headers;
	set_method(r, p);
	if ((status = check_line(r, p, n)) != 0)
		return status;
	ps->req = r;
	ps->too_many = 0;
	llhttp_reset(&ps->ll);
	err = llhttp_execute(&ps->ll, p, n);
	if (err != HPE_OK && err != HPE_PAUSED_UPGRADE)
		return parse_error(ps, err);
	if (ps->ll.http_major != 1 || ps->ll.http_minor > 1)
		return 505;
	r->minor = ps->ll.http_minor;
	r->view.flags = r->minor == 0 ? HOSTD_REQ_HTTP10 : 0;
	if ((status = check_host(r)) != 0 ||
	    (status = check_framing(r)) != 0 ||
	    (status = parse_target(r)) != 0 ||
	    (status = check_expect(r)) != 0)
		return status;
	set_host(r);
	check_connection(r);
	return 0;
}
