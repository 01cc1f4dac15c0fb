/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include "base/decimal.h"
#include "http/packed.h"
#include "http/request.h"
#include "http/server.h"

#define DATE_LEN	29	/* IMF-fixdate, at the end of the stamp */

static char *
put_u32(char *p, size_t n)
{
	uint32_t u = (uint32_t)n;

	memcpy(p, &u, sizeof(u));
	return p + sizeof(u);
}

static uint32_t
get_u32(const char *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static char *
head_begin(char *p, int status)
{
	return put_u32(p, (size_t)status) + sizeof(uint32_t);
}

static void
head_end(char *begin, uint32_t n)
{
	(void)put_u32(begin + sizeof(uint32_t), n);
}

static char *
put_field(char *p, const char *name, size_t name_len, const char *value,
    size_t value_len)
{
	size_t i;

	p = put_u32(put_u32(p, name_len), value_len);
	for (i = 0; i < name_len; i++)
		p[i] = name[i] >= 'A' && name[i] <= 'Z' ?
		    (char)(name[i] | 0x20) : name[i];
	p += name_len;
	if (value_len > 0)
		memcpy(p, value, value_len);
	return p + value_len;
}

static char *
put_fields(char *p, const hostd_hdr *h, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		p = put_field(p, h[i].name.p, h[i].name.n, h[i].value.p,
		    h[i].value.n);
	return p;
}

#define FIELD(p, name, value, n) put_field(p, name, sizeof(name) - 1, value, n)

static char *
put_length(char *p, uint64_t length)
{
	char text[24];

	return FIELD(p, "content-length", text,
	    (size_t)(decimal_put(text, length) - text));
}

/* What only the host sets; how many fields it is. */
static char *
put_own(char *p, const struct http_req *r, uint32_t *n)
{
	const struct http_server *srv = r->server;
	const char *name = srv->limits->server;

	*n = 1;
	if (name != NULL && name[0] != '\0') {
		p = FIELD(p, "server", name, strlen(name));
		++*n;
	}
	p = FIELD(p, "date", srv->stamp + srv->stamp_len - DATE_LEN - 2,
	    DATE_LEN);
	if (r->length >= 0 && r->status >= 200 && r->status != 204 &&
	    r->status != 304) {
		p = put_length(p, r->status == 205 ? 0 : (uint64_t)r->length);
		++*n;
	}
	return p;
}

/* A stream becomes another protocol's by 200, and nobody asks for the answer to
 * a key that was ours (RFC 8441 section 5). */
static char *
put_upgrade(char *p, const hostd_hdr *h, uint32_t *n)
{
	uint32_t i, skipped = 0;

	for (i = 0; i < *n; i++) {
		if (h[i].name.n == 20 && strncasecmp(h[i].name.p,
		    "sec-websocket-accept", 20) == 0)
			skipped++;
		else
			p = put_fields(p, &h[i], 1);
	}
	*n -= skipped;
	return p;
}

char *
packed_answer(char *begin, const struct http_req *r, const hostd_hdr *h,
    uint32_t n, const hostd_hdr *more, uint32_t nmore)
{
	int upgrade = r->status == 101;
	char *p = head_begin(begin, upgrade ? 200 : r->status);
	uint32_t own;

	p = put_own(p, r, &own);
	p = upgrade ? put_upgrade(p, h, &n) : put_fields(p, h, n);
	p = put_fields(p, more, nmore);
	head_end(begin, own + n + nmore);
	return p;
}

char *
packed_head(char *begin, int status, const hostd_hdr *h, uint32_t n)
{
	char *p = put_fields(head_begin(begin, status), h, n);

	head_end(begin, n);
	return p;
}

const char *
packed_read(const char *p, int *status, uint32_t *n)
{
	*status = (int)get_u32(p);
	*n = get_u32(p + sizeof(uint32_t));
	return p + 2 * sizeof(uint32_t);
}

const char *
packed_next(const char *p, hostd_buf *name, hostd_buf *value)
{
	*name = (hostd_buf){ p + 2 * sizeof(uint32_t), get_u32(p) };
	*value = (hostd_buf){ (const char *)name->p + name->n,
		get_u32(p + sizeof(uint32_t)) };
	return (const char *)value->p + value->n;
}

int
packed_fits(const char *p, size_t n)
{
	uint64_t len;
	uint32_t i, nfields;

	if (n < 2 * sizeof(uint32_t))
		return 0;
	nfields = get_u32(p + sizeof(uint32_t));
	for (i = 0; i <= nfields; i++) {
		len = 2 * sizeof(uint32_t);
		if (n < len)
			return 0;
		if (i > 0)
			len += (uint64_t)get_u32(p) +
			    get_u32(p + sizeof(uint32_t));
		if (len > n)
			return 0;
		p += len;
		n -= (size_t)len;
	}
	return n == 0;
}
