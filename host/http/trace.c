/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include "base/log.h"
#include "base/units.h"
#include "http/conn.h"
#include "http/real_ip.h"
#include "http/server.h"
#include "http/trace.h"

#define STATE_MEMBERS	32
#define FLAG_SAMPLED	0x1u
#define FLAG_RANDOM	0x2u	/* of level 2: the id's last bytes are random */

static const char hex[] = "0123456789abcdef";

/* -- making -- */

static uint64_t
rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t
random_next(struct traces *all)
{
	uint64_t *s = all->random, result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

void
traces_init(struct traces *all, const struct conf_http *conf)
{
	all->on = conf->trace == CONF_TRACE_W3C;
	if (!all->on)
		return;
	if (getrandom(all->random, sizeof(all->random), 0) !=
	    sizeof(all->random))
		fatal("getting random bytes for ids of traces");
	all->random[0] |= 1;
	all->sample = (uint32_t)conf->trace_sample;
}

static void
put_hex(char *p, uint64_t v)
{
	int i;

	for (i = TRACE_SPAN - 1; i >= 0; i--, v >>= 4)
		p[i] = hex[v & 15];
}

static void
put_span(struct traces *all, struct http_trace *t)
{
	uint64_t id;

	while ((id = random_next(all)) == 0)
		;
	put_hex(t->parent + 4 + TRACE_ID, id);
}

static void
put_flags(struct http_trace *t, unsigned flags)
{
	t->parent[TRACE_PARENT - 2] = hex[flags >> 4 & 15];
	t->parent[TRACE_PARENT - 1] = hex[flags & 15];
}

static void
trace_new(struct traces *all, struct http_trace *t)
{
	uint64_t high = random_next(all), low;

	while ((low = random_next(all)) == 0)
		;
	memset(t, 0, sizeof(*t));
	memset(t->parent, '-', sizeof(t->parent));
	memset(t->parent, '0', 2);
	put_hex(t->parent + 3, high);
	put_hex(t->parent + 3 + TRACE_SPAN, low);
	put_flags(t, (random_next(all) >> 32) % RATIO_ONE < all->sample ?
	    FLAG_SAMPLED : 0);
}

/* -- reading -- */

static int
hex_digit(char c)
{
	const char *at = c == '\0' ? NULL : strchr(hex, c);

	return at == NULL ? -1 : (int)(at - hex);
}

/* n digits, in lower case.  1: and not all of them are 0. */
static int
is_id(const char *p, size_t n)
{
	size_t i;
	int any = 0, v;

	for (i = 0; i < n; i++) {
		if ((v = hex_digit(p[i])) == -1)
			return 0;
		any |= v;
	}
	return any != 0;
}

static int
read_byte(const char *p)
{
	int high = hex_digit(p[0]), low = hex_digit(p[1]);

	return high == -1 || low == -1 ? -1 : high << 4 | low;
}

int
trace_parse(hostd_buf b, struct http_trace *t)
{
	const char *p = b.p;
	int version, flags;

	if (b.n < TRACE_PARENT || (version = read_byte(p)) == -1 ||
	    version == 0xff || (b.n > TRACE_PARENT &&
	    (version == 0 || p[TRACE_PARENT] != '-')) ||
	    p[2] != '-' || p[3 + TRACE_ID] != '-' ||
	    p[4 + TRACE_ID + TRACE_SPAN] != '-' || !is_id(p + 3, TRACE_ID) ||
	    !is_id(p + 4 + TRACE_ID, TRACE_SPAN) ||
	    (flags = read_byte(p + TRACE_PARENT - 2)) == -1)
		return -1;
	memset(t, 0, sizeof(*t));
	memcpy(t->parent, p, TRACE_PARENT);
	memset(t->parent, '0', 2);
	memcpy(t->caller, p + 4 + TRACE_ID, TRACE_SPAN);
	/* What the other bits mean nobody knows yet. */
	put_flags(t, (unsigned)flags & (FLAG_SAMPLED | FLAG_RANDOM));
	return 0;
}

static int
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Behind the first one. */
static int
is_key_rest(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_lower(p[i]) && !is_digit(p[i]) && p[i] != '_' &&
		    p[i] != '-' && p[i] != '*' && p[i] != '/')
			return 0;
	return 1;
}

/* "name" or "tenant@system". */
static int
is_key(const char *p, size_t n)
{
	const char *at = memchr(p, '@', n);
	size_t tenant, system;

	if (at == NULL)
		return n > 0 && n <= 256 && is_lower(p[0]) &&
		    is_key_rest(p + 1, n - 1);
	tenant = (size_t)(at - p);
	system = n - tenant - 1;
	return tenant > 0 && tenant <= 241 && system > 0 && system <= 14 &&
	    (is_lower(p[0]) || is_digit(p[0])) &&
	    is_key_rest(p + 1, tenant - 1) && is_lower(at[1]) &&
	    is_key_rest(at + 2, system - 1);
}

static int
is_value(const char *p, size_t n)
{
	size_t i;

	if (n == 0 || n > 256 || p[n - 1] == ' ')
		return 0;
	for (i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '=')
			return 0;
	return 1;
}

static int
is_member(const char *p, size_t n)
{
	const char *eq = memchr(p, '=', n);

	return eq != NULL && is_key(p, (size_t)(eq - p)) &&
	    is_value(eq + 1, n - (size_t)(eq - p) - 1);
}

int
trace_state_members(hostd_buf line)
{
	const char *p = line.p, *end = p + line.n, *comma, *last;
	int n = 0;

	if (line.n == 0)
		return 0;
	for (;; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		last = comma == NULL ? end : comma;
		while (p < last && (*p == ' ' || *p == '\t'))
			p++;
		while (last > p && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if (last > p) {
			if (!is_member(p, (size_t)(last - p)))
				return -1;
			n++;
		}
		if (comma == NULL)
			return n;
	}
}

/* -- of requests -- */

int
trace_is_state(hostd_buf name)
{
	return name.n == 10 && strncasecmp(name.p, "tracestate", 10) == 0;
}

int
trace_is_header(hostd_buf name)
{
	return trace_is_state(name) ||
	    (name.n == 11 && strncasecmp(name.p, "traceparent", 11) == 0);
}

/* NULL: there is none, or more than one. */
static const hostd_hdr *
find_parent(const struct http_req *r)
{
	const hostd_hdr *found = NULL;
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++)
		if (trace_is_header(r->headers[i].name) &&
		    !trace_is_state(r->headers[i].name)) {
			if (found != NULL)
				return NULL;
			found = &r->headers[i];
		}
	return found;
}

static int
has_state(const struct http_req *r)
{
	int members = 0, n;
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++) {
		if (!trace_is_state(r->headers[i].name))
			continue;
		if ((n = trace_state_members(r->headers[i].value)) == -1)
			return 0;
		members += n;
	}
	return members > 0 && members <= STATE_MEMBERS;
}

/* Whoever the connection is with: what it passes on is its word. */
static int
is_trusted(const struct http_req *r)
{
	const struct cidrs *from = &r->server->limits->trace_trust;
	const struct http_conn *c = r->conn;
	struct sockaddr_storage ss;

	return from->n == 0 ||
	    (real_ip_parse((hostd_buf){ c->peer, c->peer_len }, &ss) == 0 &&
	    cidrs_have(from, (const struct sockaddr *)&ss));
}

void
trace_begin(struct http_req *r)
{
	struct http_trace *t = &r->trace;
	const hostd_hdr *parent = find_parent(r);

	if (parent != NULL && is_trusted(r) &&
	    trace_parse(parent->value, t) == 0)
		t->has_state = has_state(r);
	else
		trace_new(&r->server->traces, t);
	put_span(&r->server->traces, t);
	r->traced = 1;
}
