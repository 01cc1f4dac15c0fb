/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of Socket.IO that come, say whatever there is, and leave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hostd/json.h>

#include "ctl/check_state.h"
#include "ctl/check_usage.h"
#include "ctl/check_use.h"
#include "ctl/fake_sio.h"
#include "ctl/fake_sock.h"

#define CROWD 32
#define MOVING 6
#define STATE_MAX 32768 /* of one socket */

/* The first namespace that it has, with something for each "*". */
static const char *
some_space(const struct fake *f)
{
	static char name[256];
	const char *const *all = fake_sio_ops(f)->namespaces;
	const char *p = all == NULL || all[0] == NULL ? "/" : all[0];
	size_t n;

	for (n = 0; *p != '\0' && n < sizeof(name) - 1; p++)
		name[n++] = *p == '*' ? 'x' : *p;
	name[n] = '\0';
	return name;
}

/* What --message says, when that is an event. */
static void
say_words(struct fake_sio *s)
{
	const char *last = NULL, *word;
	unsigned i;

	for (i = 0; i < 32; i++) {
		hostd_buf b = fake_word(i);

		word = b.p;
		if (word == last)
			return;
		last = word;
		if (hostd_json_is_array(b) && hostd_json_ok(b))
			fake_sio_say(s, word, NULL, i % 2);
	}
}

static void
say_all(struct fake_sio *s)
{
	static const char *const events[] = {
	    "[\"message\"]",
	    "[\"message\",\"hello\"]",
	    "[\"message\",null,true,-1.5e300,{},[]]",
	    "[\"message\",{\"a\":{\"b\":[1,2,{\"c\":\"\\ud800\\u0000\"}]}}]",
	    "[\"\"]",
	    "[7,7]",
	    "[\"join\",\"room\"]",
	    "[\"join\",\"\"]",
	    "[\"join\",[\"a\",\"b\"]]",
	    "[\"joinRoom\",\"room\"]",
	    "[\"w\xc3\xb6rld\",\"\xf0\x9f\x98\x80\"]",
	};
	size_t i;

	for (i = 0; i < 2 * sizeof(events) / sizeof(events[0]); i++)
		fake_sio_say(s, events[i / 2], NULL, i % 2);
	fake_sio_say(s, "[\"message\",{\"_placeholder\":true,\"num\":0}]",
	    "\x01\x02", 1);
	fake_sio_say(s, "[\"message\",{\"_placeholder\":true,\"num\":9}]",
	    NULL, 1);
	say_words(s);
}

/* A name and a text that are long. */
static void
say_long(struct fake_sio *s)
{
	size_t n = 100000;
	char *text = malloc(n + 40);

	if (text == NULL)
		return;
	memcpy(text, "[\"message\",\"", 12);
	memset(text + 12, 'x', n);
	memcpy(text + 12 + n, "\"]", 3);
	fake_sio_say(s, text, NULL, 1);
	memcpy(text, "[\"xxxxxxxxxx", 12);
	fake_sio_say(s, text, NULL, 1);
	free(text);
}

void
sio_use(struct fake *f)
{
	struct fake_sio *s = fake_sio_open(f, some_space(f), "{}");

	say_all(s);
	fake_sio_leave(s, HOSTD_SIO_CLIENT_DISCONNECT);
}

static void
case_events(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sio *s = fake_sio_open(f, some_space(f), "{}");

	(void)arg;
	say_all(s);
	say_long(s);
	fake_sio_leave(s, HOSTD_SIO_PING_TIMEOUT);
	fake_destroy(f);
}

static void
case_crowd(const struct check *c, const void *arg)
{
	static const char *const auths[] = {"{}", "{\"token\":null}",
	    "{\"token\":\"abc\",\"name\":{\"a\":[]}}",
	    "{\"token\":\"\\u0000\"}"};
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_sio *s[CROWD];
	unsigned i;

	(void)arg;
	for (i = 0; i < CROWD; i++)
		s[i] = fake_sio_open(f, some_space(f), auths[i % 4]);
	for (i = 0; i < CROWD; i++)
		say_all(s[i]);
	for (i = 0; i < CROWD; i += 2)
		fake_sio_leave(s[i], HOSTD_SIO_TRANSPORT_CLOSE);
	for (i = 1; i < CROWD; i += 2)
		say_all(s[i]);
	fake_destroy(f);
}

static void
case_others(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);

	(void)arg;
	fake_sio_cluster(f, 1);
	fake_sio_server(f, some_space(f), "[\"message\",\"hello\",{}]");
	fake_sio_server(f, some_space(f), "[\"\"]");
	sio_use(f);
	fake_sio_cluster(f, 0);
	fake_destroy(f);
}

/* -- to a successor -- */

struct pair {
	struct fake *a, *b;
};

static void
pair_begin(const struct check *c, struct pair *k)
{
	struct module *m = fake_load(c);

	k->a = fake_serve(m, c);
	k->b = fake_serve(m, c);
	if (!fake_sio_moves(k->a))
		check_skip("nothing of its sockets moves");
}

static void
pair_end(struct pair *k)
{
	fake_destroy(k->a);
	fake_destroy(k->b);
}

static void
sio_go(struct fake_sio **s, struct fake *f)
{
	static const struct fake_put limit = {STATE_MAX, HOSTD_E_FULL};
	struct fake_state state;
	struct fake_sio *to;
	int32_t rc;

	if (!fake_sio_is_open(*s))
		return;
	if ((rc = fake_sio_save(*s, &limit, &state)) != HOSTD_OK) {
		check_note("save returned %d", rc);
		return;
	}
	to = fake_sio_move(*s, f, &state, &rc);
	if (to == NULL)
		check_fail("load of a socket returned %d for what save has "
			   "put, %zu bytes", rc, state.n);
	*s = to;
	fake_state_free(&state);
}

/* All go, and some of them back; then the old worker ends. */
static void
case_moves(const struct check *c, const void *arg)
{
	struct fake_sio *s[MOVING];
	struct pair k;
	unsigned i;

	(void)arg;
	pair_begin(c, &k);
	for (i = 0; i < MOVING; i++) {
		s[i] = fake_sio_open(k.a, some_space(k.a), "{}");
		if (i % 2)
			say_all(s[i]);
	}
	for (i = 0; i < MOVING; i++) {
		sio_go(&s[i], k.b);
		say_all(s[i]);
		if (i % 3 == 2) {
			sio_go(&s[i], k.a);
			sio_go(&s[i], k.b);
		}
	}
	fake_drain(k.a, 1000);
	fake_settle();
	fake_destroy(k.a);
	for (i = 0; i < MOVING; i++) {
		say_all(s[i]);
		fake_sio_leave(s[i], HOSTD_SIO_TRANSPORT_CLOSE);
	}
	fake_destroy(k.b);
}

/* Nobody takes it: it goes on where it is. */
static void
case_stays(const struct check *c, const void *arg)
{
	struct fake_state state;
	struct fake_put limit;
	struct fake_sio *s;
	struct pair k;
	unsigned i;

	(void)arg;
	pair_begin(c, &k);
	for (i = 0; state_refuse(64, i, &limit) == 0; i++) {
		s = fake_sio_open(k.a, some_space(k.a), "{}");
		say_all(s);
		if (fake_sio_is_open(s) &&
		    fake_sio_save(s, &limit, &state) == HOSTD_OK)
			fake_state_free(&state);
		say_all(s);
		fake_sio_leave(s, HOSTD_SIO_SHUTTING_DOWN);
	}
	pair_end(&k);
}

/* As of WebSockets: refused and gone on with here, or taken there. */
static void
case_broken(const struct check *c, const void *arg)
{
	const unsigned *i = arg;
	struct fake_state state, bad;
	struct fake_sio *s, *to;
	struct pair k;
	int32_t rc;

	pair_begin(c, &k);
	s = fake_sio_open(k.a, some_space(k.a), "{}");
	say_all(s);
	if (!fake_sio_is_open(s) ||
	    fake_sio_save(s, &fake_put_all, &state) != HOSTD_OK)
		check_skip("its state is not saved");
	if (state_break(&state, *i, &bad) == -1)
		check_skip("no more");
	to = fake_sio_move(s, k.b, &bad, &rc);
	check_report()->value[0] = to != NULL;
	if (to == NULL)
		to = s;
	say_all(to);
	fake_sio_leave(to, HOSTD_SIO_PING_TIMEOUT);
	fake_state_free(&bad);
	fake_state_free(&state);
	pair_end(&k);
}

void
check_sio(struct check *c)
{
	if ((c->kinds & CHECK_SIO) == 0)
		return;
	check_simple(c, "sio_events", case_events, NULL);
	check_simple(c, "sio_crowd", case_crowd, NULL);
	check_simple(c, "sio_others", case_others, NULL);
	check_simple(c, "sio_moves", case_moves, NULL);
	check_simple(c, "sio_stays", case_stays, NULL);
	check_each(c, "sio_broken", case_broken);
}
