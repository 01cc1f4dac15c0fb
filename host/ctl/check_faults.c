/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients that leave or do not read, time that runs out, a worker that ends. */
#include <string.h>

#include "ctl/check_usage.h"
#include "ctl/fake_request.h"

#define BODY "0123456789abcdefghijklmnopqrstuvwxyz"

struct fault {
	const struct check *c;
	struct module *m;
	struct fake *f;
	struct fake_spec spec;
	int why;
};

static void
round_gone(void *arg)
{
	struct fault *k = arg;
	struct fake_spec spec = k->spec;
	struct fake_req *next;

	fake_request(k->f, &spec, NULL);
	/* The next client gets the same slot, but not the same handle. */
	spec.gone = GONE_NEVER;
	spec.room = ROOM_ENOUGH;
	next = fake_req_start(k->f, &spec);
	fake_settle();
	fake_req_run(next);
	fake_req_free(next);
}

static void
case_gone(const struct check *c, const void *arg)
{
	static const char *const methods[] = {"GET", "POST"};
	struct fault k = {.c = c};
	unsigned i;

	k.f = fake_serve(fake_load(c), c);
	for (i = 0; i < 12; i++) {
		memset(&k.spec, 0, sizeof(k.spec));
		k.spec.method = methods[i % 2];
		k.spec.body = BODY;
		k.spec.nbody = i % 2 == 0 ? 0 : sizeof(BODY) - 1;
		k.spec.part = 9;
		k.spec.room = (enum fake_room)(i / 2 % 3);
		k.spec.late_release = i >= 6;
		k.spec.gone = *(const enum fake_gone *)arg;
		round_gone(&k);
	}
	check_rounds(round_gone, &k, "a client that leaves");
	fake_destroy(k.f);
}

static void
check_gone(struct check *c)
{
	static const struct {
		const char *test;
		enum fake_gone gone;
	} points[] = {
	    {"gone at head", GONE_HEAD},
	    {"gone in body", GONE_BODY},
	    {"gone waiting", GONE_WAIT},
	    {"gone in answer", GONE_BEGUN},
	};
	size_t i;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		check_simple(c, points[i].test, case_gone, &points[i].gone);
}

/* A client that reads slowly gets the same bytes as one that reads at once. */
static void
case_slow(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = {.method = "GET"};
	struct fake_req once, again, slow;

	fake_request(f, &spec, &once);
	fake_request(f, &spec, &again);
	spec.room = *(const enum fake_room *)arg;
	fake_request(f, &spec, &slow);
	fake_destroy(f);
	if (once.hash != again.hash || once.why != HOSTD_END_DONE)
		check_skip("two answers to one GET are not the same anyway");
	if (slow.why == HOSTD_END_ERROR)
		return; /* it gave up, which a client can see */
	if (slow.why != once.why || slow.hash != once.hash)
		check_fail("a slow client gets %llu bytes, a fast one %llu%s",
		    (unsigned long long)slow.sent,
		    (unsigned long long)once.sent,
		    slow.why == HOSTD_END_TIMEOUT ? "; it waits for ever" : "");
}

/* Ends a request in each way, when it waits and when it does not. */
static void
case_ends(const struct check *c, const void *arg)
{
	struct fake_spec spec = {.method = "POST",
	    .body = BODY,
	    .nbody = sizeof(BODY) - 1,
	    .part = 5};
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_req *r;
	int steps, i;

	for (steps = 0; steps < 9; steps++) {
		r = fake_req_start(f, &spec);
		for (i = 0; i < steps; i++)
			if (fake_req_step(r) == 0)
				(void)fake_turn();
		fake_req_end(r, *(const int *)arg);
		fake_req_free(r);
		fake_settle();
	}
	fake_destroy(f);
}

static void
check_ends(struct check *c)
{
	static const struct {
		const char *test;
		int why;
	} ends[] = {
	    {"timeout", HOSTD_END_TIMEOUT},
	    {"shutdown", HOSTD_END_SHUTDOWN},
	};
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		check_simple(c, ends[i].test, case_ends, &ends[i].why);
}

static void
start_some(struct fake *f, struct fake_req **r, int n)
{
	struct fake_spec spec = {.method = "GET"};
	int i, k;

	for (i = 0; i < n; i++) {
		spec.method = i % 2 == 0 ? "GET" : "POST";
		spec.body = BODY;
		spec.nbody = i % 2 == 0 ? 0 : sizeof(BODY) - 1;
		spec.part = 4;
		spec.room = (enum fake_room)(i % 3);
		r[i] = fake_req_start(f, &spec);
		for (k = 0; k < i; k++)
			(void)fake_req_step(r[i]);
	}
}

/* Drained with requests in flight: those go on; then it ends with some left. */
static void
case_drain(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake_req *r[6];
	struct fake *f;
	int i;

	(void)arg;
	f = fake_serve(m, c);
	start_some(f, r, 6);
	fake_drain(f, 5000);
	for (i = 0; i < 6; i++) {
		fake_req_run(r[i]);
		fake_req_free(r[i]);
	}
	fake_destroy(f);

	f = fake_serve(m, c);
	start_some(f, r, 6);
	fake_drain(f, 0);
	fake_destroy(f);
	for (i = 0; i < 6; i++)
		fake_req_free(r[i]);
	fake_settle();
}

void
check_faults(struct check *c)
{
	static const enum fake_room little = ROOM_LITTLE, none = ROOM_NONE;

	if ((c->kinds & CHECK_HTTP) == 0)
		return;
	check_gone(c);
	check_simple(c, "slow client", case_slow, &little);
	check_simple(c, "full buffer", case_slow, &none);
	check_ends(c);
	check_simple(c, "drain", case_drain, NULL);
}
