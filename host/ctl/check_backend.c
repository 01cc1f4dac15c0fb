/* SPDX-License-Identifier: BSD-2-Clause */
/* A pubsub_backend that is told to carry all sorts of things. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_usage.h"
#include "ctl/fake.h"

#define UP_MS 120000u /* virtual; how long it may take to come up */
#define WAITS 10      /* of real time, for backends with threads */
#define ROUNDS 100
#define STORM 1000
#define CHANNELS 300
#define LARGE (1u << 20)

static hostd_buf
text(const char *s)
{
	hostd_buf b = {s, strlen(s)};

	return b;
}

/* Wait until it is up.  Servers that are not there do not count. */
static int
comes_up(struct fake *f)
{
	uint64_t limit = fake_now() + UP_MS;
	int waits = 0;

	while (!f->backend.up) {
		if (fake_turn() > 0 || fake_tick(limit))
			continue;
		if (waits++ == WAITS)
			return 0;
		(void)fake_wait();
	}
	return 1;
}

static struct fake *
serve_up(struct module *m, const struct check *c)
{
	struct fake *f = fake_serve(m, c);

	if (!comes_up(f))
		check_skip("it does not come up with the servers that there "
			   "are here");
	return f;
}

/* After AGAIN publishers wait for writable, and the host for subscribed, down
 * or the end. */
static void
judge_full(struct fake *f)
{
	int i;

	/* It may have come up a moment ago. */
	for (i = 0; i == 0 || (i < WAITS && fake_backend_due(f)); i++) {
		fake_settle();
		while (fake_turn() > 0)
			;
	}
	if (fake_backend_due(f))
		check_fail("subscribe returned HOSTD_AGAIN, but subscribed "
			   "never came");
	if (f->backend.full)
		check_fail("publish returned HOSTD_AGAIN, but writable never "
			   "came");
}

static void
want_odd_names(int on)
{
	static const char *const names[] = {"a", "news", "*", "?", "[a-z]",
	    "a b", "\"'\\", "a/b#c", "\303\251\342\202\254", "%s%n", "-1",
	    "{x}", "a,b;c=d"};
	char longest[256];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fake_backend_want(text(names[i]), on);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	fake_backend_want(text(longest), on);
	longest[1] = '\0';
	fake_backend_say(text("*"), text("to a star"));
	fake_backend_say(text("a b"), text("to one with a space"));
	fake_backend_say(text(longest), text(""));
}

/* Envelopes of all sizes: what is too large for it is not offered. */
static void
say_sizes(void)
{
	char *p = xcalloc(1, LARGE);
	size_t n;

	for (n = 1; n <= LARGE; n *= 4) {
		hostd_buf b = {p, n};

		fake_backend_say(text("news"), b);
		if (n > 1000)
			(void)fake_turn();
	}
	free(p);
}

static void
case_carry(const struct check *c, const void *arg)
{
	struct fake *f = serve_up(fake_load(c), c);

	(void)arg;
	want_odd_names(1);
	(void)fake_turn();
	say_sizes();
	judge_full(f);
	want_odd_names(0);
	(void)fake_turn();
	fake_backend_say(text("news"), text("to nobody"));
	judge_full(f);
	fake_drain(f, 1000);
	fake_backend_say(text("news"), text("the last"));
	(void)fake_turn();
	check_note("up %llu times, took %llu envelopes, delivered %llu",
	    (unsigned long long)f->backend.ups,
	    (unsigned long long)f->backend.taken,
	    (unsigned long long)f->backend.delivered);
	fake_destroy(f);
}

static void
storm(void)
{
	char name[32];
	int i;

	for (i = 0; i < CHANNELS; i++) {
		(void)snprintf(name, sizeof(name), "channel/%d", i);
		fake_backend_want(text(name), 1);
	}
	for (i = 0; i < STORM; i++) {
		(void)snprintf(name, sizeof(name), "channel/%d", i % CHANNELS);
		fake_backend_say(text(name), text("word after word"));
		if (i % 50 == 0)
			fake_backend_want(text(name), 0);
	}
	for (i = 0; i < CHANNELS; i++) {
		(void)snprintf(name, sizeof(name), "channel/%d", i);
		fake_backend_want(text(name), i % 2);
	}
}

static void
storm_over(void)
{
	char name[32];
	int i;

	for (i = 0; i < CHANNELS; i++) {
		(void)snprintf(name, sizeof(name), "channel/%d", i);
		fake_backend_want(text(name), 0);
	}
}

/* All at once, again after it has come back, and at its end. */
static void
case_storm(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake *f = serve_up(m, c);

	(void)arg;
	storm();
	(void)fake_turn();
	storm();
	judge_full(f);
	storm();
	if (comes_up(f)) {
		storm();
		judge_full(f);
	}
	storm();
	fake_destroy(f);
	fake_settle();
	/* What was on its way is nobody's any more. */
	f = serve_up(m, c);
	storm();
	(void)fake_turn();
	fake_destroy(f);
	storm_over();
}

static void
case_two(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake *a = serve_up(m, c), *b = fake_serve(m, c);
	uint64_t limit = fake_now() + UP_MS;
	int i = 0;

	(void)arg;
	fake_backend_want(text("news"), 1);
	/* They need not be up at the same time. */
	do {
		fake_backend_say(text("news"), text("to both"));
		fake_backend_say(text("news"), text("and again"));
		if (fake_turn() == 0 && !fake_tick(limit))
			(void)fake_wait();
	} while ((b->backend.ups == 0 || a->backend.ups < 2) && i++ < ROUNDS);
	judge_full(a);
	fake_destroy(a);
	/* The other one must not have noticed. */
	(void)comes_up(b);
	fake_backend_say(text("news"), text("to one"));
	judge_full(b);
	fake_destroy(b);
	fake_backend_want(text("news"), 0);
}

struct backend {
	const struct check *c;
	struct module *m;
};

static void
round_backend(void *arg)
{
	struct backend *k = arg;
	struct fake *f = serve_up(k->m, k->c);
	int i;

	fake_backend_want(text("news"), 1);
	for (i = 0; i < ROUNDS; i++)
		fake_backend_say(text("news"), text("hello"));
	fake_settle();
	(void)comes_up(f);
	fake_backend_say(text("news"), text("hello again"));
	fake_backend_want(text("news"), 0);
	(void)fake_turn();
	fake_destroy(f);
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct backend k = {.c = c};

	(void)arg;
	k.m = fake_load(c);
	check_rounds(round_backend, &k, "a backend that comes up");
}

static void
round_say(void *arg)
{
	(void)arg;
	fake_backend_say(text("news"), text("hello"));
	(void)fake_turn();
	(void)fake_turn();
}

static void
case_say_leaks(const struct check *c, const void *arg)
{
	struct fake *f = serve_up(fake_load(c), c);

	(void)arg;
	fake_backend_want(text("news"), 1);
	check_rounds(round_say, NULL, "an envelope");
	fake_destroy(f);
}

void
check_backend(struct check *c)
{
	if ((c->kinds & CHECK_BACKEND) == 0)
		return;
	check_simple(c, "backend", case_carry, NULL);
	check_simple(c, "backend storm", case_storm, NULL);
	check_simple(c, "two backends", case_two, NULL);
	check_simple(c, "backend leaks", case_leaks, NULL);
	check_simple(c, "envelope leaks", case_say_leaks, NULL);
}
