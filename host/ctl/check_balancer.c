/* SPDX-License-Identifier: BSD-2-Clause */
/* A balancer whose servers come, go, fail and fill up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_usage.h"
#include "ctl/fake_group.h"

#define PICKS 1000
#define CHANGES 200
#define OPEN 64 /* requests under way at a time */

/* One request, from its pick to its end; 0: there was no server. */
static int
request(struct fake_group *g, const char *cookies, uint32_t flags)
{
	struct fake_search *s = xcalloc(1, sizeof(*s));
	int found;

	fake_search_start(s, g, cookies, flags);
	if ((found = fake_search_pick(s)))
		fake_search_report(s, HOSTD_OK,
		    (flags & HOSTD_PICK_STREAM) != 0 ? 0 : 200);
	free(s);
	return found;
}

static void
set_some(struct fake_group *g, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		fake_group_set(g, i, 0, i % 5 + 1, 256);
	fake_group_update(g);
}

/* From no server to as many as there may be. */
static void
case_spread(const struct check *c, const void *arg)
{
	static const unsigned counts[] = {0, 1, 2, 3, 10, FAKE_SERVERS};
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_group *g = fake_group_open(f);
	size_t i;
	int n;

	(void)arg;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		check_where("picking of %u servers", counts[i]);
		set_some(g, counts[i]);
		for (n = 0; n < PICKS; n++) {
			if (request(g, NULL, n % 2 ? HOSTD_PICK_STREAM : 0) !=
			    (counts[i] > 0))
				check_fail("pick chose a server though there "
					   "is none");
		}
	}
	fake_group_close(g);
	fake_destroy(f);
}

/* None that was tried, until there is none. */
static void
case_tried(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_group *g = fake_group_open(f);
	struct fake_search *s = xcalloc(1, sizeof(*s));
	unsigned n = 0;

	(void)arg;
	set_some(g, 100);
	check_where("retrying");
	fake_search_start(s, g, NULL, 0);
	while (fake_search_pick(s)) {
		fake_search_report(s, n % 2 ? HOSTD_E_IO : HOSTD_E_TIMEOUT, 0);
		n++;
	}
	if (n != 100)
		check_fail("of 100 servers it tries %u", n);
	free(s);
	fake_group_close(g);
	fake_destroy(f);
}

static void
case_down(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_group *g = fake_group_open(f);
	unsigned i;

	(void)arg;
	check_where("picking when all are down");
	for (i = 0; i < 5; i++)
		fake_group_set(g, i, HOSTD_PEER_DOWN, 1, 256);
	fake_group_update(g);
	if (request(g, NULL, 0))
		check_fail("pick chose a server though all are down");
	fake_group_set(g, 3, HOSTD_PEER_BACKUP, 1, 1);
	fake_group_update(g);
	for (i = 0; i < PICKS; i++)
		if (!request(g, NULL, 0))
			check_fail("pick does not choose the only one that is "
				   "up");
	fake_group_set(g, 3, HOSTD_PEER_DRAINING, 1, 256);
	fake_group_update(g);
	if (request(g, NULL, HOSTD_PICK_STREAM))
		check_fail("pick chose a server though all are down or "
			   "draining");
	fake_group_close(g);
	fake_destroy(f);
}

/* Requests end when their server has long left. */
static void
case_changes(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_group *g = fake_group_open(f);
	struct fake_search *s = xcalloc(OPEN, sizeof(*s));
	unsigned i, r = 12345;

	(void)arg;
	check_where("picking while servers come and go");
	for (i = 0; i < CHANGES; i++) {
		r = r * 1103515245 + 12345;
		if (r >> 16 & 1)
			fake_group_set(g, r >> 18 & 31, r >> 24 & 7,
			    (r >> 20 & 255) + 1, (r >> 8 & 255) + 1);
		else
			fake_group_unset(g, r >> 18 & 31);
		fake_group_update(g);
		if (s[i % OPEN].last != 0)
			fake_search_report(&s[i % OPEN],
			    i % 3 ? HOSTD_OK : HOSTD_E_GONE, i % 3 ? 200 : 0);
		fake_search_start(&s[i % OPEN], g, NULL, 0);
		(void)fake_search_pick(&s[i % OPEN]);
	}
	for (i = 0; i < OPEN; i++)
		if (s[i].last != 0)
			fake_search_report(&s[i], HOSTD_E_FULL, 0);
	free(s);
	fake_group_close(g);
	fake_destroy(f);
}

/* What clients may send, and what the plugin has given them. */
static void
case_cookies(const struct check *c, const void *arg)
{
	static const char *const odd[] = {"", "=", ";", "a", "a=", "=b", ";;;",
	    "route=", "route=x", "route=\"", "a=b;route=;c", "sid=1; sid=2",
	    " = ; = ", "route=AAAAAAAAAAAAAAAAAAAAAA"};
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_group *g = fake_group_open(f);
	struct fake_search *s = xcalloc(1, sizeof(*s));
	char *mine;
	size_t i;

	(void)arg;
	set_some(g, 5);
	check_where("picking by cookies");
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (!request(g, odd[i], 0))
			check_fail("no server for the cookie \"%s\"", odd[i]);
	fake_search_start(s, g, NULL, 0);
	(void)fake_search_pick(s);
	fake_search_report(s, HOSTD_OK, 200);
	mine = xstrdup(s->cookies);
	for (i = 0; i < 5; i++) {
		fake_group_set(g, (unsigned)i, HOSTD_PEER_DOWN, 1, 256);
		fake_group_update(g);
		if (request(g, mine, 0) != (i < 4))
			check_fail("it does not go on when servers fail");
	}
	free(mine);
	free(s);
	fake_group_close(g);
	fake_destroy(f);
}

static void
case_two(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake *a = fake_serve(m, c), *b = fake_serve(m, c);
	struct fake_group *g[3];
	unsigned i;

	(void)arg;
	g[0] = fake_group_open(a);
	g[1] = fake_group_open(b);
	g[2] = fake_group_open(a);
	set_some(g[0], 3);
	set_some(g[1], 5);
	fake_group_set(g[2], 900, 0, 1, 256);
	fake_group_update(g[2]);
	for (i = 0; i < PICKS; i++)
		if (!request(g[i % 3], NULL, 0))
			check_fail("no server in one of three groups");
	fake_group_close(g[0]);
	(void)request(g[2], NULL, 0);
	fake_group_close(g[2]);
	fake_destroy(a);
	(void)request(g[1], NULL, 0);
	fake_group_close(g[1]);
	fake_destroy(b);
}

static void
round_group(void *arg)
{
	struct fake_group *g = fake_group_open(arg);

	set_some(g, 20);
	(void)request(g, NULL, 0);
	fake_group_unset(g, 3);
	fake_group_update(g);
	(void)request(g, NULL, 0);
	(void)fake_turn();
	fake_group_close(g);
}

static void
round_request(void *arg)
{
	(void)request(arg, "a=b", 0);
	(void)fake_turn();
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_group *g;

	(void)arg;
	check_rounds(round_group, f, "a group");
	g = fake_group_open(f);
	set_some(g, 5);
	check_rounds(round_request, g, "a request");
	fake_group_close(g);
	fake_destroy(f);
}

void
check_balancer(struct check *c)
{
	if ((c->kinds & CHECK_BALANCER) == 0)
		return;
	check_simple(c, "spread", case_spread, NULL);
	check_simple(c, "tried servers", case_tried, NULL);
	check_simple(c, "servers down", case_down, NULL);
	check_simple(c, "servers change", case_changes, NULL);
	check_simple(c, "cookies", case_cookies, NULL);
	check_simple(c, "groups", case_two, NULL);
	check_simple(c, "balancer leaks", case_leaks, NULL);
}
