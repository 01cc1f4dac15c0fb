/* SPDX-License-Identifier: BSD-2-Clause */
/* How WebSockets end, and what comes after; slow ones; many of them. */
#include <string.h>

#include "ctl/check_sockets.h"
#include "ctl/check_usage.h"

#define MANY 32

static struct fake_sock *
open_plain(struct fake *f)
{
	struct fake_spec spec = sockets_plain();

	return sockets_open(f, &spec);
}

/* -- the end -- */

/* Its first n words, in one turn. */
static void
talk(struct fake_sock *s, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		sockets_say(s, i, HOSTD_WS_TEXT);
}

static void
case_closes(const struct check *c, const void *arg)
{
	static const int32_t codes[] = {0, 1000, 1001, 1002, 1003, 1007, 1008,
	    1009, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
	struct fake *f = fake_serve(fake_load(c), c);
	char reason[FAKE_REASON + 1];
	struct fake_sock *s;
	unsigned i;

	(void)arg;
	memset(reason, 'r', FAKE_REASON);
	reason[FAKE_REASON] = '\0';
	for (i = 0; i < 4 * sizeof(codes) / sizeof(codes[0]); i++) {
		s = open_plain(f);
		talk(s, i % 5);
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
	unsigned i;

	(void)arg;
	for (i = 0; i < 12; i++) {
		s = open_plain(f);
		talk(s, i % 3 * 2);
		if (i % 3 == 2 && fake_sock_is_open(s) &&
		    (s->ops->flags & HOSTD_WS_FRAGMENTS) != 0)
			fake_sock_part(
			    s, "hel", 3, HOSTD_WS_TEXT | HOSTD_WS_FIRST);
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
	unsigned i;

	(void)arg;
	for (i = 0; i < 6; i++) {
		s = open_plain(f);
		talk(s, i);
		fake_sock_dismiss(s, HOSTD_WS_TRY_LATER);
		sockets_say(s, i, HOSTD_WS_TEXT);
		sockets_say(s, i + 1, HOSTD_WS_TEXT);
		sockets_say(s, 0, HOSTD_WS_BINARY);
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
	struct fake_spec plain = sockets_plain(), slow = plain;
	struct fake_sock *s[4];
	unsigned i, round;

	for (round = 0; round < 4; round++) {
		slow.room = *(const enum fake_room *)arg;
		slow.slow_close = round % 2;
		for (i = 0; i < 4; i++)
			s[i] = sockets_open(f, i == 0 ? &plain : &slow);
		for (i = 0; i < 24; i++) {
			sockets_say(s[i % 4], i / 4, HOSTD_WS_TEXT);
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
	unsigned i;

	(void)arg;
	for (i = 0; i < MANY; i++)
		s[i] = open_plain(f);
	for (i = 0; i < 4 * MANY; i++) {
		sockets_say(s[i * 7 % MANY], i / MANY, HOSTD_WS_TEXT);
		if (i % 5 == 0)
			(void)fake_turn();
		/* Some leave while others' words are on their way. */
		if (i % 8 == 7)
			fake_sock_cut(s[i / 8]);
	}
	for (i = MANY; i > 0; i -= 2)
		fake_sock_close(s[i - 1], 0, "");
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
	struct fake_spec spec = sockets_plain();
	int i;

	(void)arg;
	spec.no_rooms = 1;
	for (i = 0; i < 4; i++)
		sockets_live(f, &spec);
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
			s[i] = open_plain(f);
		talk(s[0], 3);
		talk(s[1], 1);
		fake_drain(f, round == 0 ? 5000 : 0);
		for (i = 0; i < 6 && round == 0; i++) {
			sockets_say(s[i], 0, HOSTD_WS_TEXT);
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
	struct fake_spec plain = sockets_plain();

	sockets_live(arg, &plain);
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
check_closes(struct check *c)
{
	static const enum fake_room little = ROOM_LITTLE, none = ROOM_NONE;

	if ((c->kinds & CHECK_WS) == 0)
		return;
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
