/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "base/decimal.h"
#include "base/put.h"
#include "http/plain.h"
#include "http/response.h"
#include "http/server.h"

static char *
put_status(char *p, int status)
{
	const char *reason;

	if (status == 200)
		return TEXT_PUT(p, "HTTP/1.1 200 OK\r\n");
	reason = status_reason(status);
	p = TEXT_PUT(p, "HTTP/1.1 ");
	p = decimal_put(p, (unsigned)status);
	*p++ = ' ';
	p = bytes_put(p, reason, strlen(reason));
	return TEXT_PUT(p, "\r\n");
}

static char *
put_headers(char *p, const hostd_hdr *h, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		p = bytes_put(p, h[i].name.p, h[i].name.n);
		p = TEXT_PUT(p, ": ");
		if (h[i].value.n > 0)
			p = bytes_put(p, h[i].value.p, h[i].value.n);
		p = TEXT_PUT(p, "\r\n");
	}
	return p;
}

/* 426 says what to upgrade to (RFC 9110 section 15.5.22), 101 to what. */
static int
names_protocol(const struct http_req *r)
{
	return r->upgrade_to != NULL &&
	    (r->status == 101 || r->status == 426);
}

static char *
put_connection(char *p, const struct http_req *r)
{
	if (names_protocol(r)) {
		p = TEXT_PUT(p, "Upgrade: ");
		p = bytes_put(p, r->upgrade_to, strlen(r->upgrade_to));
		p = TEXT_PUT(p, "\r\nConnection: Upgrade");
		if (!r->keepalive && r->status != 101)
			p = TEXT_PUT(p, ", close");
		return TEXT_PUT(p, "\r\n");
	}
	if (!r->keepalive)
		return TEXT_PUT(p, "Connection: close\r\n");
	if (r->minor == 0)
		return TEXT_PUT(p, "Connection: keep-alive\r\n");
	return p;
}

static char *
put_framing(char *p, const struct http_req *r)
{
	if (r->chunked_out)
		p = TEXT_PUT(p, "Transfer-Encoding: chunked\r\n");
	else if (r->status == 205)
		/* It has no body, and says so (RFC 9110 section 15.3.6). */
		p = TEXT_PUT(p, "Content-Length: 0\r\n");
	else if (r->length >= 0 && !has_no_body(r->status)) {
		p = TEXT_PUT(p, "Content-Length: ");
		p = decimal_put(p, (uint64_t)r->length);
		p = TEXT_PUT(p, "\r\n");
	}
	p = put_connection(p, r);
	return TEXT_PUT(p, "\r\n");
}

char *
plain_answer(char *p, const struct http_req *r, const hostd_hdr *h, uint32_t n,
    const hostd_hdr *more, uint32_t nmore)
{
	p = put_status(p, r->status);
	p = bytes_put(p, r->server->stamp, r->server->stamp_len);
	p = put_headers(p, h, n);
	p = put_headers(p, more, nmore);
	return put_framing(p, r);
}

char *
plain_head(char *p, int status, const hostd_hdr *h, uint32_t n)
{
	p = put_headers(put_status(p, status), h, n);
	return TEXT_PUT(p, "\r\n");
}

char *
plain_trailers(char *p, const hostd_hdr *h, uint32_t n)
{
	p = TEXT_PUT(p, "0\r\n");
	p = put_headers(p, h, n);
	return TEXT_PUT(p, "\r\n");
}
