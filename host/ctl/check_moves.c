/* SPDX-License-Identifier: BSD-2-Clause */
/* WebSockets that stay open when their worker is replaced. */
#include <string.h>

#include "ctl/check_sockets.h"
#include "ctl/check_state.h"
#include "ctl/check_usage.h"

#define MANY 6u

struct moves {
	struct fake *a, *b;
	struct fake_spec spec;
};

static void
moves_begin(const struct check *c, struct moves *k)
{
	struct module *m = fake_load(c);

	if (m->ws_state == NULL)
		check_skip("it has no " HOSTD_P_WS_STATE);
	k->spec = sockets_plain();
	k->a = fake_serve(m, c);
	k->b = fake_serve(m, c);
}

static void
talk(struct fake_sock *s, unsigned from, unsigned n)
{
	unsigned i;

	for (i = from; i < from + n; i++) {
		sockets_say(s, i, i % 7 == 6 ? HOSTD_WS_BINARY : HOSTD_WS_TEXT);
		if (i % 2 == 0)
			(void)fake_turn();
	}
}

/* To f, if it is open and can go; what it is from then on. */
static struct fake_sock *
move(struct fake_sock *s, struct fake *f)
{
	static const struct fake_put limit = {HOSTD_WS_STATE_MAX,
	    HOSTD_E_FULL};
	struct fake_state state;
	struct fake_sock *to;
	int32_t rc;

	if (s->state != SOCK_OPEN)
		return s;
	if ((rc = fake_sock_save(s, &limit, &state)) != HOSTD_OK) {
		check_note("save returned %d", rc);
		return s;
	}
	check_report()->value[0] = state.n;
	(void)fake_turn();
	to = fake_sock_move(s, f, &state, &rc);
	if (to == NULL)
		check_fail("load of a socket returned %d for what save has "
			   "put, %zu bytes", rc, state.n);
	fake_state_free(&state);
	fake_sock_free(s);
	return to;
}

/* -- cases -- */

/* All that are open go, having said more or less; then the old worker ends. */
static void
case_moves(const struct check *c, const void *arg)
{
	struct fake_sock *s[MANY];
	struct moves k;
	unsigned i;

	(void)arg;
	moves_begin(c, &k);
	for (i = 0; i < MANY; i++) {
		s[i] = sockets_open(k.a, &k.spec);
		talk(s[i], 0, i * 2);
	}
	for (i = 0; i < MANY; i++) {
		s[i] = move(s[i], k.b);
		talk(s[i], i, 3);
		talk(s[MANY - 1], i, 1);
	}
	fake_drain(k.a, 1000);
	fake_settle();
	fake_destroy(k.a);
	for (i = 0; i < MANY; i++) {
		talk(s[i], i, 8);
		fake_settle();
		fake_sock_close(s[i], i % 2 ? HOSTD_WS_NORMAL : 0, "");
		fake_sock_free(s[i]);
	}
	fake_settle();
	check_note("version %u, %llu bytes", k.b->m->ws_state->version,
	    (unsigned long long)check_report()->value[0]);
	fake_destroy(k.b);
}

/* There and back, at any moment, from worker to worker. */
static void
case_often(const struct check *c, const void *arg)
{
	struct fake_sock *s;
	struct moves k;
	unsigned i;

	(void)arg;
	moves_begin(c, &k);
	k.spec.room = ROOM_LITTLE;
	s = sockets_open(k.a, &k.spec);
	for (i = 0; i < 24; i++) {
		s = move(s, i % 2 ? k.a : k.b);
		talk(s, i, i % 4);
		if (i % 5 == 4)
			fake_settle();
	}
	fake_sock_cut(s);
	fake_sock_free(s);
	fake_settle();
	fake_destroy(k.b);
	fake_destroy(k.a);
}

/* Nobody takes them: they go on, and are closed later. */
static void
case_stay(const struct check *c, const void *arg)
{
	struct fake_state state;
	struct fake_put limit;
	struct fake_sock *s;
	struct moves k;
	unsigned i;

	(void)arg;
	moves_begin(c, &k);
	for (i = 0; state_refuse(64, i, &limit) == 0; i++) {
		s = sockets_open(k.a, &k.spec);
		talk(s, 0, i);
		if (s->state == SOCK_OPEN &&
		    fake_sock_save(s, i % 2 ? &limit : &fake_put_all,
			&state) == HOSTD_OK) {
			fake_settle();
			fake_state_free(&state);
			fake_sock_stay(s);
		}
		talk(s, i, 4);
		fake_sock_dismiss(s, HOSTD_WS_RESTART);
		fake_settle();
		fake_sock_free(s);
	}
	fake_destroy(k.a);
	fake_destroy(k.b);
}

/* A state of another version, or a wrong one: refused and gone on with here, or
 * taken and gone on with there. */
static void
case_broken(const struct check *c, const void *arg)
{
	const unsigned *i = arg;
	struct fake_state state, bad;
	struct fake_sock *s, *to;
	struct moves k;
	int32_t rc;

	moves_begin(c, &k);
	s = sockets_open(k.a, &k.spec);
	talk(s, 0, *i % 6);
	if (s->state != SOCK_OPEN ||
	    fake_sock_save(s, &fake_put_all, &state) != HOSTD_OK)
		check_skip("its state is not saved");
	if (state_break(&state, *i, &bad) == -1)
		check_skip("no more");
	fake_channel_odd();
	fake_channel_spoken();
	to = fake_sock_move(s, k.b, &bad, &rc);
	check_report()->value[0] = to != NULL;
	if (to != NULL)
		fake_sock_free(s);
	else
		to = s;
	talk(to, 0, 8);
	fake_settle();
	fake_sock_close(to, HOSTD_WS_NORMAL, "");
	fake_sock_free(to);
	fake_settle();
	fake_destroy(k.a);
	fake_destroy(k.b);
}

static void
round_move(void *arg)
{
	struct moves *k = arg;
	struct fake_sock *s = sockets_open(k->a, &k->spec);

	talk(s, 0, 6);
	fake_settle();
	s = move(s, k->b);
	talk(s, 0, 3);
	fake_sock_close(s, HOSTD_WS_NORMAL, "");
	fake_sock_free(s);
	fake_settle();
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct moves k;

	(void)arg;
	moves_begin(c, &k);
	check_rounds(round_move, &k, "a socket that moves");
	fake_destroy(k.a);
	fake_destroy(k.b);
}

void
check_moves(struct check *c)
{
	if ((c->exts & CHECK_WS_STATE) == 0)
		return;
	check_simple(c, "moves", case_moves, NULL);
	check_simple(c, "many moves", case_often, NULL);
	check_simple(c, "nobody takes", case_stay, NULL);
	check_each(c, "broken moves", case_broken);
	check_simple(c, "move leaks", case_leaks, NULL);
}
