/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "limit/zone.h"
#include "master/master.h"
#include "master/rollout.h"
#include "master/zones.h"

static int
conf_has(const struct conf *c, const struct limit_zone *z)
{
	const struct conf_limit *l;

	TAILQ_FOREACH (l, &c->limits, entry)
		if ((uint32_t)zone_kind(l) == z->kind &&
		    strcmp(l->name, z->name) == 0)
			return 1;
	return 0;
}

static int
is_wanted(const struct master *m, const struct limit_zone *z)
{
	const struct generation *g;

	if (z->kind == LIMIT_ADDRESS)
		return 1;
	TAILQ_FOREACH (g, &m->generations, link)
		if (g->conf != NULL && conf_has(g->conf, z))
			return 1;
	return m->rollout != NULL &&
	    conf_has(rollout_generation(m->rollout)->conf, z);
}

static void
free_spare(struct master *m)
{
	const struct limit_zone *z = m->limits.head->zones;
	unsigned i;

	for (i = 0; i < LIMIT_ZONES; i++)
		if (z[i].kind != 0 && !is_wanted(m, &z[i]))
			limit_zone_free(&m->limits, i);
}

static int
zone_stage(struct master *m, enum limit_kind kind, const char *name)
{
	struct limit_table *t = &m->limits;

	if (limit_zone_find(t, kind, name) != -1 ||
	    limit_zone_add(t, kind, name) != -1)
		return 0;
	free_spare(m);
	return limit_zone_add(t, kind, name) == -1 ? -1 : 0;
}

void
zones_stage(
    struct master *m, const struct conf *c, struct conf_errors *errors)
{
	const struct conf_limit *l;

	(void)zone_stage(m, LIMIT_ADDRESS, LIMIT_ADDRESS_NAME);
	TAILQ_FOREACH (l, &c->limits, entry)
		if (zone_stage(m, zone_kind(l), l->name) == -1) {
			conf_error(errors, &l->pos, "limit \"%s\": there is "
			    "room for %d limits in all, those of former "
			    "generations that are kept included", l->name,
			    LIMIT_ZONES - 1);
			return;
		}
}
