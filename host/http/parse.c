/* SPDX-License-Identifier: BSD-2-Clause */
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/field.h"
#include "http/guard.h"
#include "http/head.h"
#include "http/parse.h"

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

static int
on_value_complete(llhttp_t *ll)
{
	struct http_req *r = parser_req(ll);

	if (head_note(r, &r->headers[r->view.nheaders]) == -1)
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

/* The guard has seen to it that the line is method SP target SP version. */
static int
check_line(const struct http_req *r, const char *p, size_t n)
{
	const char *end = memchr(p, '\r', n);

	if ((r->view.method == HOSTD_METHOD_OTHER &&
	    !is_token(r->view.method_name.p, r->view.method_name.n)) ||
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

int
parse_head(struct parser *ps, struct http_req *r, const char *p, size_t n)
{
	llhttp_errno_t err;
	int status;

	r->head = p;
	r->head_len = n;
	r->view.headers = r->headers;
	head_set_method(r, p, (size_t)((const char *)memchr(p, ' ', n) - p));
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
	if ((status = head_check_host(r)) != 0 ||
	    (status = check_framing(r)) != 0 ||
	    (status = head_parse_target(r)) != 0 ||
	    (status = head_check_expect(r)) != 0)
		return status;
	head_set_host(r);
	check_connection(r);
	return 0;
}
