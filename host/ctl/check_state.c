/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of instances goes to others, or does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_state.h"
#include "ctl/check_usage.h"
#include "ctl/check_use.h"

#define STEPS 40u   /* places at which a state is broken */
#define WAYS 4u	    /* to break it there */
#define LONGER 4096u

/* -- states that are wrong -- */

static void
make_noise(char *p, size_t n, unsigned seed)
{
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 1103515245u + 12345u;
		p[i] = (char)(seed >> 16);
	}
}

static void
break_length(struct fake_state *bad, unsigned k)
{
	size_t n = bad->n;

	if (k == 0)
		bad->n = n + 1;
	else if (k == 1)
		bad->n = n + LONGER;
	else if (k > 3)
		bad->n = k * k < n + LONGER ? k * k : n + LONGER;
	if (k == 2)
		memset(bad->p, 0, n);
	else if (k == 3)
		memset(bad->p, 0xff, n);
	else if (k > 3)
		make_noise(bad->p, bad->n, k);
}

int
state_break(const struct fake_state *good, unsigned i, struct fake_state *bad)
{
	static const uint32_t others[WAYS] = {1, 2, UINT32_MAX - 1, UINT32_MAX};
	unsigned k = i / WAYS;
	size_t at;

	if (k > STEPS)
		return -1;
	*bad = *good;
	bad->p = xcalloc(1, good->n + LONGER);
	if (good->n > 0)
		memcpy(bad->p, good->p, good->n);
	at = good->n * k / STEPS;
	if (k == STEPS)
		bad->version += others[i % WAYS];
	else if (i % WAYS == 0)
		bad->n = at;
	else if (i % WAYS == 1 && good->n > 0)
		bad->p[at] = (char)(bad->p[at] ^ (k % 2 ? 0xff : 1));
	else if (i % WAYS == 2)
		memset(bad->p + at, 0xff, good->n - at < 8 ? good->n - at : 8);
	else
		break_length(bad, k);
	return 0;
}

int
state_refuse(size_t n, unsigned i, struct fake_put *limit)
{
	static const struct fake_put ways[] = {
	    {0, HOSTD_E_FULL},
	    {0, HOSTD_E_NOMEM},
	    {1, HOSTD_E_FULL},
	    {16, HOSTD_E_NOMEM},
	};

	if (i >= sizeof(ways) / sizeof(ways[0]) + 2)
		return -1;
	if (i < sizeof(ways) / sizeof(ways[0]))
		*limit = ways[i];
	else
		limit->code = i % 2 ? HOSTD_E_FULL : HOSTD_E_NOMEM;
	if (i == sizeof(ways) / sizeof(ways[0]))
		limit->max = n / 2;
	else if (i > sizeof(ways) / sizeof(ways[0]))
		limit->max = n == 0 ? 0 : n - 1;
	return 0;
}

/* -- cases -- */

static void
end(struct fake *f)
{
	fake_drain(f, 1000);
	fake_settle();
	fake_destroy(f);
}

static struct fake *
create(const struct check *c, struct module *m)
{
	struct fake *f = fake_create(m, c->sets, NULL);

	if (!fake_alive(f))
		check_fail("create failed: %s", f->err);
	return f;
}

/* One that goes on with that state, or without. */
static struct fake *
follow(const struct check *c, struct module *m, const struct fake_state *s,
    int32_t *rc)
{
	struct fake *f = create(c, m);

	*rc = fake_state_load(f, s);
	fake_start(f);
	return f;
}

static struct module *
load_module(const struct check *c)
{
	struct module *m = fake_load(c);

	if (m->state == NULL)
		check_skip("it has no " HOSTD_P_STATE);
	return m;
}

/* Used, or as it is when it has just started. */
static int32_t
save_one(const struct check *c, struct module *m, int used,
    struct fake_state *s)
{
	struct fake *f = fake_serve(m, c);
	int32_t rc;

	if (used) {
		check_use(f);
		fake_settle();
	}
	rc = fake_state_save(f, &fake_put_all, s);
	end(f);
	return rc;
}

/* From one to the next, several times; each goes on a while when it has
 * saved. */
static void
case_follow(const struct check *c, const void *arg)
{
	struct module *m = load_module(c);
	struct fake *f = fake_serve(m, c), *next;
	struct fake_state s;
	int32_t rc;
	int i;

	(void)arg;
	for (i = 0; i < 4; i++) {
		if ((rc = fake_state_save(f, &fake_put_all, &s)) < 0)
			check_note("save returned %d", rc);
		if (rc == HOSTD_OK) {
			next = follow(c, m, &s, &rc);
			if (rc < 0)
				check_fail("load returned %d for what save "
					   "has put, %zu bytes", rc, s.n);
			check_report()->value[0] = s.n;
			fake_state_free(&s);
		} else {
			next = fake_serve(m, c);
		}
		check_use_both(f, next);
		end(f);
		check_use(f = next);
		fake_settle();
	}
	end(f);
	check_note("version %u, %llu bytes", m->state->version,
	    (unsigned long long)check_report()->value[0]);
}

/* A successor that fails after load: destroyed without start. */
static void
case_failed_heir(const struct check *c, const void *arg)
{
	struct module *m = load_module(c);
	struct fake *f = fake_serve(m, c), *next;
	struct fake_state s;

	(void)arg;
	check_use(f);
	if (fake_state_save(f, &fake_put_all, &s) != HOSTD_OK)
		check_skip("it saves none");
	next = create(c, m);
	(void)fake_state_load(next, &s);
	fake_destroy(next);
	fake_state_free(&s);
	check_use(f);
	end(f);
}

static void
try_broken(const struct check *c, struct module *m, const struct fake_state *s,
    unsigned i)
{
	struct fake_state bad;
	struct fake *f;
	int32_t rc;

	if (state_break(s, i, &bad) == -1)
		check_skip("no more");
	f = follow(c, m, &bad, &rc);
	check_report()->value[0] = rc == HOSTD_OK;
	check_use(f);
	end(f);
	fake_state_free(&bad);
}

/* What was saved may be of another time, or hold what clients have said. */
static void
case_broken(const struct check *c, const void *arg)
{
	const unsigned *i = arg;
	struct module *m = load_module(c);
	struct fake_state s;

	if (save_one(c, m, *i % 2 == 0, &s) != HOSTD_OK)
		check_skip("it saves none");
	fake_channel_odd();
	fake_channel_spoken();
	try_broken(c, m, &s, *i);
	fake_state_free(&s);
}

static void
case_refused_put(const struct check *c, const void *arg)
{
	struct module *m = load_module(c);
	struct fake *f = fake_serve(m, c), *next;
	struct fake_state s;
	struct fake_put limit;
	unsigned i;
	size_t n;
	int32_t rc;

	(void)arg;
	check_use(f);
	if (fake_state_save(f, &fake_put_all, &s) != HOSTD_OK)
		check_skip("it saves none");
	n = s.n;
	fake_state_free(&s);
	for (i = 0; state_refuse(n, i, &limit) == 0; i++)
		if (fake_state_save(f, &limit, &s) == HOSTD_OK)
			fake_state_free(&s);
	check_use(f);
	if ((rc = fake_state_save(f, &fake_put_all, &s)) != HOSTD_OK)
		check_fail("save returned %d after one that was refused", rc);
	next = follow(c, m, &s, &rc);
	if (rc < 0)
		check_fail("load returned %d for what a second save has put",
		    rc);
	fake_state_free(&s);
	end(f);
	check_use(next);
	end(next);
}

struct heirs {
	const struct check *c;
	struct module *m;
	struct fake_state bad;
};

static void
round_heirs(void *arg)
{
	struct heirs *h = arg;
	struct fake_state s;
	struct fake *f;
	int32_t rc;

	if (save_one(h->c, h->m, 1, &s) != HOSTD_OK)
		check_skip("it saves none");
	f = follow(h->c, h->m, &s, &rc);
	fake_state_free(&s);
	end(f);
	f = follow(h->c, h->m, &h->bad, &rc);
	end(f);
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct heirs h = {.c = c};
	struct fake_state s;

	(void)arg;
	h.m = load_module(c);
	if (save_one(c, h.m, 1, &s) != HOSTD_OK)
		check_skip("it saves none");
	(void)state_break(&s, WAYS * (STEPS - 1), &h.bad);
	fake_state_free(&s);
	fake_channel_odd();
	fake_channel_spoken();
	check_rounds(round_heirs, &h, "a state that is saved and loaded");
	fake_state_free(&h.bad);
}

void
check_state(struct check *c)
{
	if ((c->exts & CHECK_STATE) == 0)
		return;
	check_simple(c, "state", case_follow, NULL);
	check_simple(c, "failed heir", case_failed_heir, NULL);
	check_each(c, "broken states", case_broken);
	check_simple(c, "refused put", case_refused_put, NULL);
	check_simple(c, "state leaks", case_leaks, NULL);
}
