/* SPDX-License-Identifier: BSD-2-Clause */
/* WebSockets as all sorts of clients open, use and leave them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_sockets.h"
#include "ctl/check_usage.h"

#define MESSAGE_MAX (1u << 20)
#define SMALL 300u /* bytes that are said one by one */
#define WORDS 8	   /* said one after the other */

struct fake_spec
sockets_plain(void)
{
	struct fake_spec spec = {.protocols = fake_offer()};

	return spec;
}

struct fake_sock *
sockets_open(struct fake *f, const struct fake_spec *spec)
{
	struct fake_sock *s = fake_sock_open(f, spec);

	if (!fake_sock_is_open(s) && s->status != 101)
		check_skip("its upgrade gets no WebSocket (--path PATH?)");
	return s;
}

void
sockets_say(struct fake_sock *s, unsigned i, uint32_t type)
{
	hostd_buf word = fake_word(i);

	if (fake_sock_is_open(s))
		fake_sock_say(s, word.p, word.n, type, 3);
}

void
sockets_live(struct fake *f, const struct fake_spec *spec)
{
	struct fake_sock *s = fake_sock_open(f, spec);
	unsigned i;

	for (i = 0; i < 3; i++) {
		sockets_say(s, i, i == 2 ? HOSTD_WS_BINARY : HOSTD_WS_TEXT);
		(void)fake_turn();
	}
	fake_sock_close(s, HOSTD_WS_NORMAL, "");
	fake_settle();
	fake_sock_free(s);
}

static struct fake_sock *
open_plain(struct fake *f)
{
	struct fake_spec spec = sockets_plain();

	return sockets_open(f, &spec);
}

/* -- upgrades -- */

static void
case_upgrade(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = sockets_plain();
	struct fake_sock *s = fake_sock_open(f, &spec);

	(void)arg;
	if (s->status == 101)
		check_note("accepted%s%s",
		    s->protocol == NULL ? "" : ", subprotocol ",
		    s->protocol == NULL ? "" : s->protocol);
	else if (s->status != 0)
		check_note("refused with %d", s->status);
	else
		check_note("passed on, failed, or never decided");
	fake_sock_close(s, 0, "");
	fake_sock_free(s);
	fake_destroy(f);
}

static void
case_odd_upgrades(const struct check *c, const void *arg)
{
	static const char *const values[] = {"", ",", "*", "\"", "\200\377",
	    "a=b; a; =; ;;", "check,chat", " check ", "null", "%00", "[1]"};
	static const char *const names[] = {"Cookie", "Authorization",
	    "Sec-WebSocket-Protocol", "X-Forwarded-For", "Accept-Language"};
	static const char *const queries[] = {
	    "", "a", "token=&token=", "room=%00%ff", "a=b&c", "%"};
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = {.method = "GET"};
	const char *headers[3] = {NULL, NULL, NULL};
	size_t i, k;

	(void)arg;
	sockets_live(f, &spec);
	spec.headers = headers;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			headers[0] = names[k];
			headers[1] = values[i];
			sockets_live(f, &spec);
		}
	spec.headers = NULL;
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		spec.query = queries[i];
		sockets_live(f, &spec);
	}
	fake_destroy(f);
}

/* Paths behind a route that is a prefix. */
static void
case_odd_paths(const struct check *c, const void *arg)
{
	static const char *const tails[] = {"", "a", "a/b/c", "caf\303\251",
	    "\001\002\177", "a?b#c", "\377\376", " ", "a//b", "..."};
	struct module *m = fake_load(c);
	struct fake *f = fake_serve(m, c);
	struct fake_spec spec = sockets_plain();
	char path[6000];
	size_t i, n;

	(void)arg;
	n = (size_t)snprintf(path, sizeof(path), "%s", fake_route(m, 1));
	if (path[n - 1] != '/')
		check_skip("its route is one path");
	spec.path = path;
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(path + n, sizeof(path) - n, "%s", tails[i]);
		sockets_live(f, &spec);
	}
	memset(path + n, 'x', 4096);
	path[n + 4096] = '\0';
	sockets_live(f, &spec);
	fake_destroy(f);
}

struct fault {
	struct fake *f;
	struct fake_spec spec;
};

static void
round_gone(void *arg)
{
	struct fault *k = arg;
	struct fake_spec plain = sockets_plain();
	struct fake_sock *s = fake_sock_open(k->f, &k->spec);

	fake_sock_close(s, 0, "");
	fake_sock_free(s);
	fake_settle();
	sockets_live(k->f, &plain);
}

/* The client leaves before it is decided, or before on_open. */
static void
case_gone(const struct check *c, const void *arg)
{
	struct fault k = {.spec = sockets_plain()};

	k.f = fake_serve(fake_load(c), c);
	k.spec.gone = *(const enum fake_gone *)arg;
	check_rounds(round_gone, &k, "a client that leaves");
	fake_destroy(k.f);
}

/* Time runs out, or the worker ends, at any step of the decision. */
static void
case_undecided(const struct check *c, const void *arg)
{
	static const int whys[] = {HOSTD_END_TIMEOUT, HOSTD_END_SHUTDOWN};
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = sockets_plain();
	struct fake_sock *s;
	struct fake_req *r;
	int i, k;

	(void)arg;
	spec.method = "GET";
	spec.upgrade = 1;
	for (i = 0; i < 8; i++) {
		r = fake_req_start(f, &spec);
		s = r->sock;
		for (k = 0; k < i / 2; k++)
			(void)fake_turn();
		fake_req_end(r, whys[i % 2]);
		fake_req_free(r);
		fake_sock_cut(s);
		fake_sock_free(s);
		fake_settle();
	}
	fake_destroy(f);
}

static void
check_upgrades(struct check *c)
{
	static const enum fake_gone head = GONE_HEAD, wait = GONE_WAIT,
				    begun = GONE_BEGUN;

	check_simple(c, "upgrade", case_upgrade, NULL);
	check_simple(c, "odd upgrades", case_odd_upgrades, NULL);
	check_simple(c, "odd ws paths", case_odd_paths, NULL);
	check_simple(c, "gone asked", case_gone, &head);
	check_simple(c, "gone undecided", case_gone, &wait);
	check_simple(c, "gone at open", case_gone, &begun);
	check_simple(c, "undecided", case_undecided, NULL);
}

/* -- messages -- */

/* n bytes of a text: all characters have two, but for the last of an odd n. */
static char *
long_text(size_t n)
{
	char *s = xmalloc(n + 1);
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		memcpy(s + i, "\303\251", 2);
	if (i < n)
		s[i] = 'x';
	return s;
}

/* In all parts in which it can come. */
static void
say_parts(struct fake_sock *s, const void *p, size_t n, uint32_t type)
{
	static const size_t parts[] = {0, 1, 7, 4096};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((parts[i] > 0 && parts[i] < 4096 && n > SMALL) ||
		    parts[i] > n + 1 || !fake_sock_is_open(s))
			continue;
		fake_sock_say(s, p, n, type, parts[i]);
		(void)fake_turn();
	}
}

/* Some plugins close at what they do not like: then with the next one. */
static void
say_to_one(struct fake *f, const void *p, size_t n, uint32_t type)
{
	struct fake_sock *s = open_plain(f);

	say_parts(s, p, n, type);
	fake_sock_close(s, HOSTD_WS_NORMAL, "");
	fake_sock_free(s);
}

static void
case_messages(const struct check *c, const void *arg)
{
	static const char *const texts[] = {"hello", "x",
	    "caf\303\251 \342\202\254 \360\237\230\200",
	    "{\"type\":\"join\",\"room\":\"check\",\"text\":\"hi\"}",
	    "{\"a\":[1,2,{\"b\":null}]", "[]", "0", "/join check",
	    "42[\"e\",1]", "", "\001\n\r\t\177", "{\"\\u0000\":\"\\ud800\"}",
	    "null"};
	static const char bytes[] = "\000\377\200\177\303(\355\240\200";
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sock *s = open_plain(f);
	unsigned w;
	size_t i;

	(void)arg;
	/* Words that it knows, in all parts and out of order. */
	for (w = 0; w < 3 * WORDS; w++)
		say_parts(s, fake_word(w * 5).p, fake_word(w * 5).n,
		    w % 4 == 3 ? HOSTD_WS_BINARY : HOSTD_WS_TEXT);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		say_parts(s, texts[i], strlen(texts[i]), HOSTD_WS_TEXT);
		say_to_one(f, texts[i], strlen(texts[i]), HOSTD_WS_TEXT);
		say_parts(s, texts[i], strlen(texts[i]), HOSTD_WS_BINARY);
	}
	say_to_one(f, bytes, sizeof(bytes), HOSTD_WS_BINARY);
	say_to_one(f, bytes, 1, HOSTD_WS_TEXT);
	fake_sock_close(s, 0, "");
	fake_sock_free(s);
	fake_settle();
	fake_destroy(f);
}

static void
case_sizes(const struct check *c, const void *arg)
{
	static const size_t sizes[] = {
	    125, 126, 127, 65535, 65536, MESSAGE_MAX - 1, MESSAGE_MAX};
	struct fake *f = fake_serve(fake_load(c), c);
	char *text;
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		text = long_text(sizes[i]);
		say_to_one(f, text, sizes[i], HOSTD_WS_TEXT);
		say_to_one(f, text, sizes[i], HOSTD_WS_BINARY);
		free(text);
	}
	fake_destroy(f);
}

void
check_sockets(struct check *c)
{
	if ((c->kinds & CHECK_WS) == 0)
		return;
	check_upgrades(c);
	check_simple(c, "messages", case_messages, NULL);
	check_simple(c, "message sizes", case_sizes, NULL);
}
