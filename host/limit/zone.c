/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include "base/log.h"
#include "http/identity.h"
#include "http/router.h"
#include "limit/zone.h"
#include "session/cookie.h"

#define TELL_MS	5000

enum limit_kind
zone_kind(const struct conf_limit *c)
{
	return c->kind == CONF_LIMIT_REQ ? LIMIT_REQ : LIMIT_CONN;
}

uint64_t
zone_salt(const struct limit_table *t, const struct conf_limit *c)
{
	return limit_hash(t, (uint64_t)zone_kind(c), c->name, strlen(c->name));
}

int
zone_is_late(const struct conf_limit *c)
{
	size_t i;

	for (i = 0; i < c->key.n; i++)
		if (c->key.v[i].what == CONF_KEY_USER ||
		    c->key.v[i].what == CONF_KEY_CLAIM)
			return 1;
	return 0;
}

/* -- pieces of a request -- */

/* The first of that name in the query, as it is written there. */
static hostd_buf
arg_find(hostd_buf query, const char *name, size_t n)
{
	const char *p = query.p, *end = p + query.n, *next;

	for (; p != NULL && p < end; p = next + 1) {
		next = memchr(p, '&', (size_t)(end - p));
		if (next == NULL)
			next = end;
		if ((size_t)(next - p) > n && p[n] == '=' &&
		    memcmp(p, name, n) == 0)
			return (hostd_buf){ p + n + 1,
			    (size_t)(next - p) - n - 1 };
	}
	return (hostd_buf){ NULL, 0 };
}

static hostd_buf
header_find(const struct http_req *r, const char *name)
{
	const hostd_hdr *h = request_header(r, name, strlen(name));

	return h != NULL ? h->value : (hostd_buf){ NULL, 0 };
}

static hostd_buf
claim_of(const struct http_req *r, const char *name)
{
	hostd_buf json = { NULL, 0 };

	if (r->who == NULL || !claim_find(r->who->claims,
	    (hostd_buf){ name, strlen(name) }, &json))
		return (hostd_buf){ NULL, 0 };
	return json;
}

static hostd_buf
piece_of(const struct http_req *r, const struct conf_key_part *p)
{
	switch (p->what) {
	case CONF_KEY_ADDR:
		return r->view.peer;
	case CONF_KEY_USER:
		return r->who != NULL ? r->who->user : (hostd_buf){ NULL, 0 };
	case CONF_KEY_HOST:
		return r->view.host;
	case CONF_KEY_URI:
		return r->view.path;
	case CONF_KEY_METHOD:
		return r->view.method_name;
	case CONF_KEY_ROUTE:
		return (hostd_buf){ r->route->pattern,
		    strlen(r->route->pattern) };
	case CONF_KEY_HEADER:
		return header_find(r, p->text);
	case CONF_KEY_COOKIE:
		return cookie_find(r->view.headers, r->view.nheaders, p->text);
	case CONF_KEY_ARG:
		return arg_find(r->view.query, p->text, strlen(p->text));
	case CONF_KEY_CLAIM:
		return claim_of(r, p->text);
	default:
		return (hostd_buf){ p->text, strlen(p->text) };
	}
}

/* -- keys -- */

uint64_t
zone_address(const struct limit_table *t, uint64_t salt, hostd_buf text,
    int ipv6_prefix)
{
	struct in6_addr in6;
	char copy[INET6_ADDRSTRLEN];
	unsigned bits = (unsigned)ipv6_prefix;

	if (memchr(text.p, ':', text.n) == NULL || text.n >= sizeof(copy))
		return limit_hash(t, salt, text.p, text.n);
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET6, copy, &in6) != 1)
		return limit_hash(t, salt, text.p, text.n);
	if (bits % 8 != 0)
		in6.s6_addr[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
	return limit_hash(t, salt, &in6, (bits + 7) / 8);
}

static uint64_t
piece_hash(const struct limit_table *t, const struct conf_limit *c, uint64_t h,
    size_t i, hostd_buf piece)
{
	if (c->key.v[i].what == CONF_KEY_ADDR)
		return zone_address(t, h, piece, c->ipv6_prefix);
	return limit_hash(t, h, piece.p, piece.n);
}

uint64_t
zone_key(const struct zone *z, const struct http_req *r)
{
	const struct conf_key *k = &z->conf->key;
	uint64_t h = z->salt;
	hostd_buf piece;
	int has = 0;
	size_t i;

	for (i = 0; i < k->n; i++) {
		piece = piece_of(r, &k->v[i]);
		has |= k->v[i].what == CONF_KEY_ADDR ||
		    (piece.n > 0 && k->v[i].what != CONF_KEY_TEXT);
		h = piece_hash(z->table, z->conf, h, i, piece);
	}
	return has ? limit_key(z->number, h) : 0;
}

uint64_t
zone_key_of(const struct limit_table *t, const struct conf_limit *c, int zone,
    const hostd_buf *values)
{
	const struct conf_key *k = &c->key;
	uint64_t h = zone_salt(t, c);
	size_t i;

	for (i = 0; i < k->n; i++)
		h = piece_hash(t, c, h, i, k->v[i].what != CONF_KEY_TEXT ?
		    *values++ : (hostd_buf){ k->v[i].text,
		    strlen(k->v[i].text) });
	return limit_key(zone, h);
}

void
zone_tell(struct zone *z, const struct http_req *r, uint64_t now_ms)
{
	static void (*const say[])(const char *, ...) = {
		[LOG_LVL_DEBUG] = log_debug, [LOG_LVL_INFO] = log_info,
		[LOG_LVL_WARN] = log_warnx, [LOG_LVL_ERROR] = log_errorx,
	};
	hostd_buf peer = r->view.peer;

	if (z->told_ms != 0 && now_ms - z->told_ms < TELL_MS) {
		z->untold++;
		return;
	}
	say[z->conf->log_level]("%s %s: %s a request of %.*s for route %s; %"
	    PRIu64 " more since the last such line",
	    z->conf->kind == CONF_LIMIT_REQ ? "limit_req" : "limit_conn",
	    z->conf->name, z->conf->dry_run ? "would refuse" : "refused",
	    (int)peer.n, (const char *)peer.p, r->route->pattern, z->untold);
	z->told_ms = now_ms;
	z->untold = 0;
}
