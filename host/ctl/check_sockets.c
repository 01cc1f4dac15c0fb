/* SPDX-License-Identifier: BSD-2-Clause */
/* WebSockets as all sorts of clients open, use and leave them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_usage.h"
#include "ctl/fake_sock.h"

#define MESSAGE_MAX (1u << 20)
#define SMALL 300u /* bytes that are said one by one */
#define MANY 32

static const struct fake_spec plain = {.protocols = FAKE_PROTOCOLS};

/* Most cases are about sockets that are open. */
static struct fake_sock *
must_open(struct fake *f, const struct fake_spec *spec)
{
	struct fake_sock *s = fake_sock_open(f, spec);

	if (!fake_sock_is_open(s) && s->status != 101)
		check_skip("its upgrade gets no WebSocket (--path PATH?)");
	return s;
}

static void
say(struct fake_sock *s, const char *text, uint32_t type)
{
	if (fake_sock_is_open(s))
		fake_sock_say(s, text, strlen(text), type, 3);
}

/* A short life: what is left of it is looked at by fake_settle. */
static void
live(struct fake *f, const struct fake_spec *spec)
{
	struct fake_sock *s = fake_sock_open(f, spec);

	say(s, "hello", HOSTD_WS_TEXT);
	(void)fake_turn();
	say(s, "there", HOSTD_WS_BINARY);
	fake_sock_close(s, HOSTD_WS_NORMAL, "");
	fake_settle();
	fake_sock_free(s);
}

/* -- upgrades -- */

static void
case_upgrade(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sock *s = fake_sock_open(f, &plain);

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
	live(f, &spec);
	spec.headers = headers;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			headers[0] = names[k];
			headers[1] = values[i];
			live(f, &spec);
		}
	spec.headers = NULL;
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		spec.query = queries[i];
		live(f, &spec);
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
	struct fake_spec spec = plain;
	char path[6000];
	size_t i, n;

	(void)arg;
	n = (size_t)snprintf(path, sizeof(path), "%s", fake_route(m, 1));
	if (path[n - 1] != '/')
		check_skip("its route is one path");
	spec.path = path;
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(path + n, sizeof(path) - n, "%s", tails[i]);
		live(f, &spec);
	}
	memset(path + n, 'x', 4096);
	path[n + 4096] = '\0';
	live(f, &spec);
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
	struct fake_sock *s = fake_sock_open(k->f, &k->spec);

	fake_sock_close(s, 0, "");
	fake_sock_free(s);
	fake_settle();
	live(k->f, &plain);
}

/* The client leaves before it is decided, or before on_open. */
static void
case_gone(const struct check *c, const void *arg)
{
	struct fault k = {.spec = plain};

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
	struct fake_spec spec = plain;
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
	struct fake_sock *s = must_open(f, &plain);

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
	    "{\"a\":[1,2,{\"b\":null}]", "[]", "0", "/join check", "42[\"e\",1]",
	    "", "\001\n\r\t\177", "{\"\\u0000\":\"\\ud800\"}", "null"};
	static const char bytes[] = "\000\377\200\177\303(\355\240\200";
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sock *s = must_open(f, &plain);
	size_t i;

	(void)arg;
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

/* -- the end -- */

static void
case_closes(const struct check *c, const void *arg)
{
	static const int32_t codes[] = {0, 1000, 1001, 1002, 1003, 1007, 1008,
	    1009, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
	struct fake *f = fake_serve(fake_load(c), c);
	char reason[FAKE_REASON + 1];
	struct fake_sock *s;
	size_t i;

	(void)arg;
	memset(reason, 'r', FAKE_REASON);
	reason[FAKE_REASON] = '\0';
	for (i = 0; i < 4 * sizeof(codes) / sizeof(codes[0]); i++) {
		s = must_open(f, &plain);
		if (i % 2 != 0)
			say(s, "hello", HOSTD_WS_TEXT);
		if (i % 4 == 2)
			fake_sock_dismiss(s, HOSTD_WS_GOING_AWAY);
		fake_sock_close(s, codes[i / 4],
		    i % 4 < 2 || codes[i / 4] == 0 ? "" : reason);
		fake_sock_free(s);
		if (i % 8 == 0)
			fake_settle();
	}
	fake_settle();
	fake_destroy(f);
}

/* Cut without a close: idle, spoken to, in the middle of a message. */
static void
case_cuts(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sock *s;
	int i;

	(void)arg;
	for (i = 0; i < 12; i++) {
		s = must_open(f, &plain);
		if (i % 3 > 0)
			say(s, "hello", HOSTD_WS_BINARY);
		if (i % 3 == 2 && fake_sock_is_open(s) &&
		    (s->ops->flags & HOSTD_WS_FRAGMENTS) != 0)
			fake_sock_part(s, "hel", 3,
			    HOSTD_WS_TEXT | HOSTD_WS_FIRST);
		if (i % 4 == 3)
			fake_sock_dismiss(s, HOSTD_WS_RESTART);
		fake_sock_cut(s);
		fake_sock_free(s);
		if (i % 2 == 0)
			fake_settle();
	}
	fake_settle();
	fake_destroy(f);
}

/* The host closes it, and what it has read before still comes. */
static void
case_dismissed(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sock *s;
	int i;

	(void)arg;
	for (i = 0; i < 6; i++) {
		s = must_open(f, &plain);
		say(s, "before", HOSTD_WS_TEXT);
		fake_sock_dismiss(s, HOSTD_WS_TRY_LATER);
		say(s, "after", HOSTD_WS_TEXT);
		say(s, "after", HOSTD_WS_BINARY);
		(void)fake_turn();
		fake_sock_free(s);
		fake_settle();
	}
	fake_destroy(f);
}

/* -- slow clients, many clients -- */

static void
case_slow(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec slow = plain;
	struct fake_sock *s[4];
	int i, round;

	for (round = 0; round < 4; round++) {
		slow.room = *(const enum fake_room *)arg;
		slow.slow_close = round % 2;
		for (i = 0; i < 4; i++)
			s[i] = must_open(f, i == 0 ? &plain : &slow);
		for (i = 0; i < 24; i++) {
			say(s[i % 4], "hello", HOSTD_WS_TEXT);
			if (i % (round + 2) == 0)
				(void)fake_turn();
		}
		for (i = 0; i < 4; i++) {
			fake_sock_close(s[i], HOSTD_WS_NORMAL, "");
			fake_sock_free(s[i]);
		}
		fake_settle();
	}
	fake_destroy(f);
}

static void
case_many(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sock *s[MANY];
	int i;

	(void)arg;
	for (i = 0; i < MANY; i++)
		s[i] = must_open(f, &plain);
	for (i = 0; i < 2 * MANY; i++) {
		say(s[i * 7 % MANY], "hello", HOSTD_WS_TEXT);
		if (i % 5 == 0)
			(void)fake_turn();
		/* Some leave while others' words are on their way. */
		if (i % 4 == 3)
			fake_sock_cut(s[i / 4]);
	}
	for (i = MANY - 1; i >= 0; i -= 2)
		fake_sock_close(s[i], 0, "");
	(void)fake_turn();
	for (i = 0; i < MANY; i++) {
		fake_sock_close(s[i], 4000, "last");
		fake_sock_free(s[i]);
	}
	fake_settle();
	fake_destroy(f);
}

/* No socket may join a room: the route's max_channels is reached. */
static void
case_no_rooms(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = plain;
	int i;

	(void)arg;
	spec.no_rooms = 1;
	for (i = 0; i < 4; i++)
		live(f, &spec);
	fake_destroy(f);
}

/* -- the worker ends -- */

static void
case_drain(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake_sock *s[6];
	struct fake *f;
	int i, round;

	(void)arg;
	for (round = 0; round < 2; round++) {
		f = fake_serve(m, c);
		for (i = 0; i < 6; i++)
			s[i] = must_open(f, &plain);
		say(s[0], "hello", HOSTD_WS_TEXT);
		fake_drain(f, round == 0 ? 5000 : 0);
		for (i = 0; i < 6 && round == 0; i++) {
			say(s[i], "hello", HOSTD_WS_TEXT);
			if (i % 2 == 0)
				fake_sock_dismiss(s[i], HOSTD_WS_GOING_AWAY);
		}
		if (round == 0)
			(void)fake_turn();
		fake_destroy(f);
		for (i = 0; i < 6; i++)
			fake_sock_free(s[i]);
		fake_settle();
	}
}

static void
round_live(void *arg)
{
	live(arg, &plain);
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);

	(void)arg;
	check_rounds(round_live, f, "a WebSocket");
	fake_destroy(f);
}

void
check_sockets(struct check *c)
{
	static const enum fake_room little = ROOM_LITTLE, none = ROOM_NONE;

	if ((c->kinds & CHECK_WS) == 0)
		return;
	check_upgrades(c);
	check_simple(c, "messages", case_messages, NULL);
	check_simple(c, "message sizes", case_sizes, NULL);
	check_simple(c, "closes", case_closes, NULL);
	check_simple(c, "cuts", case_cuts, NULL);
	check_simple(c, "dismissed", case_dismissed, NULL);
	check_simple(c, "slow sockets", case_slow, &little);
	check_simple(c, "full sockets", case_slow, &none);
	check_simple(c, "many sockets", case_many, NULL);
	check_simple(c, "no rooms", case_no_rooms, NULL);
	check_simple(c, "ws drain", case_drain, NULL);
	check_simple(c, "ws leaks", case_leaks, NULL);
}
