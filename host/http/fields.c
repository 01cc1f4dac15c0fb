/* SPDX-License-Identifier: BSD-2-Clause */
/* Heads that came as fields (RFC 9113 section 8.3). */
#include <string.h>
#include <strings.h>
#include "http/field.h"
#include "http/fields.h"
#include "http/framed.h"
#include "http/guard.h"
#include "http/head.h"

static hostd_buf
pseudo_of(const struct http_framed *f, enum framed_pseudo k)
{
	const struct framed_field *at = &f->pseudo[k];

	if (at->name_len == 0)
		return (hostd_buf){ NULL, 0 };
	return (hostd_buf){ f->text.p + at->at + at->name_len,
		at->value_len };
}

/* As a header that was sent; 0, or -1: it may not be there again. */
static int
add_field(struct http_req *r, hostd_buf name, hostd_buf value)
{
	hostd_hdr *h = &r->headers[r->view.nheaders];

	*h = (hostd_hdr){ name, value };
	if (head_note(r, h) == -1)
		return -1;
	r->view.nheaders++;
	return 0;
}

/* Host, for those who look there; a second one may only say the same. */
static int
add_authority(struct http_req *r, const struct http_framed *f)
{
	hostd_buf v = pseudo_of(f, PSEUDO_AUTHORITY);

	return v.n == 0 ? 0 : add_field(r, (hostd_buf){ "host", 4 }, v);
}

static int
is_same_host(const struct http_req *r, const struct framed_field *at,
    const char *p)
{
	hostd_buf host = request_known(r, KNOWN_HOST);

	return at->name_len == 4 && memcmp(p + at->at, "host", 4) == 0 &&
	    host.p != NULL && host.n == at->value_len &&
	    strncasecmp(host.p, p + at->at + 4, host.n) == 0;
}

static int
add_fields(struct http_req *r, const struct http_framed *f, size_t room)
{
	const char *p = f->text.p;
	const struct framed_field *at;
	uint32_t i;

	if (add_authority(r, f) == -1)
		return 400;
	for (i = 0; i < f->nfields; i++) {
		at = &f->fields[i];
		if (is_same_host(r, at, p))
			continue;
		if (r->view.nheaders == room)
			return 431;
		if (add_field(r, (hostd_buf){ p + at->at, at->name_len },
		    (hostd_buf){ p + at->at + at->name_len,
		    at->value_len }) == -1)
			return 400;
	}
	return 0;
}

/* A client has no say in how a stream ends, and asks for no other protocol by
 * fields (RFC 9113 section 8.2.2). */
static int
has_connection_fields(const struct http_req *r)
{
	const hostd_hdr *te = request_header(r, "te", 2);

	return r->known[KNOWN_CONNECTION] != 0 ||
	    r->known[KNOWN_TRANSFER_ENCODING] != 0 ||
	    r->known[KNOWN_UPGRADE] != 0 ||
	    request_header(r, "keep-alive", 10) != NULL ||
	    request_header(r, "proxy-connection", 16) != NULL ||
	    (te != NULL && (te->value.n != 8 ||
	    strncasecmp(te->value.p, "trailers", 8) != 0));
}

static int
is_visible(hostd_buf v)
{
	const unsigned char *p = v.p;
	size_t i;

	for (i = 0; i < v.n; i++)
		if (p[i] < 0x21 || p[i] > 0x7e)
			return 0;
	return v.n > 0;
}

static int
is_scheme(hostd_buf v)
{
	return (v.n == 4 && strncasecmp(v.p, "http", 4) == 0) ||
	    (v.n == 5 && strncasecmp(v.p, "https", 5) == 0);
}

static int
check_length(struct http_req *r, const struct http_framed *f)
{
	r->body = f->no_body ? BODY_NONE : BODY_STREAM;
	r->body_done = f->no_body;
	r->view.content_length = f->no_body ? 0 : -1;
	if (r->known[KNOWN_CONTENT_LENGTH] == 0)
		return 0;
	if (field_length(request_known(r, KNOWN_CONTENT_LENGTH),
	    &r->view.content_length) == -1 ||
	    (f->no_body && r->view.content_length != 0))
		return 400;
	return 0;
}

/*
 * Another protocol on the stream (RFC 8441).  Who answers it sees what a
 * client of HTTP/1.1 would have sent: the key is nobody's question here, but a
 * server behind us wants one.
 */
static int
ask_upgrade(struct http_req *r, const struct http_framed *f, size_t room)
{
	hostd_buf protocol = pseudo_of(f, PSEUDO_PROTOCOL);

	if (!is_token(protocol.p, protocol.n) || f->no_body ||
	    r->known[KNOWN_CONTENT_LENGTH] != 0 ||
	    request_header(r, "sec-websocket-key", 17) != NULL)
		return 400;
	if (r->view.nheaders + 3 > room)
		return 431;
	head_set_method(r, "GET", 3);
	(void)add_field(r, (hostd_buf){ "connection", 10 },
	    (hostd_buf){ "Upgrade", 7 });
	(void)add_field(r, (hostd_buf){ "upgrade", 7 }, protocol);
	(void)add_field(r, (hostd_buf){ "sec-websocket-key", 17 },
	    (hostd_buf){ f->key, FRAMED_KEY });
	r->view.flags |= HOSTD_REQ_UPGRADE;
	r->body = BODY_NONE;
	r->body_done = 1;
	r->view.content_length = 0;
	return 0;
}

/* The first line, if there were one; it is what logs tell. */
static int
parse_pseudo(struct http_req *r, const struct http_framed *f, size_t longest)
{
	hostd_buf method = pseudo_of(f, PSEUDO_METHOD);
	hostd_buf scheme = pseudo_of(f, PSEUDO_SCHEME);

	r->view.target = pseudo_of(f, PSEUDO_PATH);
	if (!is_token(method.p, method.n))
		return 400;
	head_set_method(r, method.p, method.n);
	if (method.n + r->view.target.n + 10 > longest)
		return 414;
	if (r->view.method == HOSTD_METHOD_CONNECT &&
	    f->pseudo[PSEUDO_PROTOCOL].name_len == 0)
		return 501;
	if (f->pseudo[PSEUDO_PROTOCOL].name_len != 0 &&
	    r->view.method != HOSTD_METHOD_CONNECT)
		return 400;
	return is_scheme(scheme) && is_visible(r->view.target) ? 0 : 400;
}

/* Only these two forms are there (RFC 9113 section 8.3.1). */
static int
parse_path(struct http_req *r)
{
	const char *p = r->view.target.p;

	return p[0] == '/' || (p[0] == '*' && r->view.target.n == 1) ?
	    head_parse_target(r) : 400;
}

int
parse_fields(struct http_req *r,
    const struct http_framed *f, const struct guard_limits *lim)
{
	int status;

	r->head = r->own_head = f->text.p;
	r->head_len = f->size;
	r->view.headers = r->headers;
	r->view.flags = HOSTD_REQ_HTTP2;
	r->minor = 1;
	r->keepalive = 1;
	if ((status = parse_pseudo(r, f, lim->request_line)) != 0 ||
	    f->refuse != 0)
		return f->refuse != 0 ? f->refuse : status;
	if ((status = add_fields(r, f, lim->headers)) != 0)
		return status;
	if (has_connection_fields(r))
		return 400;
	if ((status = check_length(r, f)) != 0 ||
	    (status = head_check_host(r)) != 0)
		return status;
	if (f->pseudo[PSEUDO_PROTOCOL].name_len != 0 &&
	    (status = ask_upgrade(r, f, lim->headers)) != 0)
		return status;
	if ((status = parse_path(r)) != 0 ||
	    (status = head_check_expect(r)) != 0)
		return status;
	head_set_host(r);
	return 0;
}
