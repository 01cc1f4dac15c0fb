/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of Socket.IO that come, say whatever there is, and leave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hostd/json.h>

#include "ctl/check_usage.h"
#include "ctl/check_use.h"
#include "ctl/fake_sio.h"
#include "ctl/fake_sock.h"

#define CROWD 32

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

void
check_sio(struct check *c)
{
	if ((c->kinds & CHECK_SIO) == 0)
		return;
	check_simple(c, "sio_events", case_events, NULL);
	check_simple(c, "sio_crowd", case_crowd, NULL);
	check_simple(c, "sio_others", case_others, NULL);
}
