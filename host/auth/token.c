/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include "auth/token.h"
#include "session/cookie.h"

static int
is_named(const hostd_hdr *h, const char *name)
{
	size_t n = strlen(name);

	return h->name.n == n && strncasecmp(h->name.p, name, n) == 0;
}

static hostd_buf
trim(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (hostd_buf){ p, (size_t)(end - p) };
}

enum token_found
token_authorization(const struct http_req *r, const char *scheme,
    hostd_buf *out)
{
	const hostd_hdr *h = NULL;
	size_t n = strlen(scheme);
	const char *p;
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++) {
		if (!is_named(&r->headers[i], "Authorization"))
			continue;
		if (h != NULL)
			return TOKEN_TWICE;
		h = &r->headers[i];
	}
	if (h == NULL || h->value.n <= n)
		return TOKEN_NONE;
	p = h->value.p;
	if (strncasecmp(p, scheme, n) != 0 || p[n] != ' ')
		return TOKEN_NONE;
	*out = trim(p + n, p + h->value.n);
	return TOKEN_FOUND;
}

/* The value of "name=value" in a query, the first of that name. */
static int
find_pair(hostd_buf all, const char *name, hostd_buf *out)
{
	const char *p = all.p, *end = p + all.n, *next;
	size_t n = strlen(name);
	hostd_buf pair;

	for (; p < end; p = next + 1) {
		next = memchr(p, '&', (size_t)(end - p));
		if (next == NULL)
			next = end;
		pair = (hostd_buf){ p, (size_t)(next - p) };
		if (pair.n <= n || p[n] != '=' || memcmp(p, name, n) != 0)
			continue;
		*out = (hostd_buf){ p + n + 1, pair.n - n - 1 };
		return 1;
	}
	return 0;
}

static int
find_cookie(const struct http_req *r, const char *name, hostd_buf *out)
{
	hostd_buf v = cookie_find(r->headers, r->view.nheaders, name);
	const char *p = v.p;

	if (p == NULL)
		return 0;
	if (v.n >= 2 && *p == '"' && p[v.n - 1] == '"')
		v = (hostd_buf){ p + 1, v.n - 2 };
	*out = v;
	return 1;
}

/* The rest of the first protocol that begins so. */
static int
find_offer(hostd_buf all, const char *prefix, hostd_buf *out)
{
	const char *p = all.p, *end = p + all.n, *next;
	size_t n = strlen(prefix);
	hostd_buf offer;

	for (; p < end; p = next + 1) {
		next = memchr(p, ',', (size_t)(end - p));
		if (next == NULL)
			next = end;
		offer = trim(p, next);
		p = offer.p;
		if (offer.n <= n || memcmp(p, prefix, n) != 0)
			continue;
		*out = (hostd_buf){ p + n, offer.n - n };
		return 1;
	}
	return 0;
}

static int
find_subprotocol(const struct http_req *r, const char *prefix, hostd_buf *out)
{
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++)
		if (is_named(&r->headers[i], "Sec-WebSocket-Protocol") &&
		    find_offer(r->headers[i].value, prefix, out))
			return 1;
	return 0;
}

static enum token_found
find_in(const struct http_req *r, const struct conf_token *where,
    hostd_buf *out)
{
	int found = 0;

	switch (where->where) {
	case CONF_TOKEN_HEADER:
		return token_authorization(r, "Bearer", out);
	case CONF_TOKEN_COOKIE:
		found = find_cookie(r, where->name, out);
		break;
	case CONF_TOKEN_QUERY:
		found = find_pair(r->view.query, where->name, out);
		break;
	case CONF_TOKEN_SUBPROTOCOL:
		found = find_subprotocol(r, where->name, out);
		break;
	}
	return found ? TOKEN_FOUND : TOKEN_NONE;
}

enum token_found
token_find(const struct http_req *r, const struct conf_token *from, size_t n,
    hostd_buf *out)
{
	enum token_found found = TOKEN_NONE;
	size_t i;

	for (i = 0; i < n && found == TOKEN_NONE; i++)
		found = find_in(r, &from[i], out);
	return found;
}
