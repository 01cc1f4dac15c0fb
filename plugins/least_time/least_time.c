/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server that will answer first: the moving average of its time to headers,
 * times the requests that it will then have, for its weight.  One whose time is
 * not known is taken for the fastest.  A few requests go in turn to all, so
 * that a server which was slow once is found out to be fast again.
 */
#include <hostd/easy.h>
#include <balance/servers.h>

#define EXPLORE	64	/* one of so many */

static int32_t
update(struct hostd_inst *in, void *d, const struct hostd_peer *const *peers)
{
	(void)in;
	return servers_set(d, peers);
}

static void
close_group(struct hostd_inst *in, void *d)
{
	(void)in;
	servers_free(d);
}

static uint64_t
fastest(const struct servers *s)
{
	uint64_t us, best = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		us = s->loads[i].latency_us;
		if (s->v[i].chosen && us != 0 && (best == 0 || us < best))
			best = us;
	}
	return best == 0 ? 1 : best;
}

static double
score(const struct servers *s, uint32_t i, uint64_t unknown)
{
	uint64_t us = s->loads[i].latency_us;

	return (double)(us == 0 ? unknown : us) *
	    ((double)s->loads[i].inflight + 1) / (double)s->v[i].takes;
}

/* Leave of the chosen those with the least score. */
static void
choose_least(struct servers *s)
{
	uint64_t unknown = fastest(s);
	double least = 0, x;
	int any = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		if (!s->v[i].chosen)
			continue;
		x = score(s, i, unknown);
		if (!any || x < least)
			least = x;
		any = 1;
	}
	for (i = 0; i < s->n; i++)
		if (s->v[i].chosen && score(s, i, unknown) > least)
			s->v[i].chosen = 0;
}

static int32_t
pick(struct hostd_inst *in, void *d, const struct hostd_pick *k, uint32_t *id)
{
	struct servers *s = d;

	if (servers_choose(s, k) > 1 && k->random % EXPLORE != 0) {
		hostd_peer_loads(in, d, s->ids, s->n, s->loads);
		choose_least(s);
	}
	return servers_turn(s, id);
}

HOSTD_EASY_BALANCER("least_time", HOSTD_SDK_VERSION, sizeof(struct servers),
    update, close_group, pick)
