/* SPDX-License-Identifier: BSD-2-Clause */
/* Which plugins may do what hostctl can, and where. */
#include <string.h>
#include "config/builder.h"
#include "config/model.h"

void
finish_controllers(struct builder *b)
{
	const struct conf *c = b->conf;
	size_t i;

	for (i = 0; i < c->ncontrollers; i++)
		(void)find_plugin(b, c->controllers[i], &c->controllers_pos);
}

static int
is_named(const struct conf *c, const char *instance)
{
	size_t i;

	for (i = 0; i < c->ncontrollers; i++)
		if (strcmp(c->controllers[i], instance) == 0)
			return 1;
	return 0;
}

static int
pool_listens(const struct conf *c, const char *pool)
{
	const struct conf_listen *l;

	TAILQ_FOREACH(l, &c->listens, entry)
		if (strcmp(l->pool->name, pool) == 0)
			return 1;
	return 0;
}

int
conf_is_controller(const struct conf *c, const char *instance,
    const char *pool)
{
	const struct conf_route *r;
	int routes = 0;

	if (!is_named(c, instance))
		return 0;
	TAILQ_FOREACH(r, &c->routes, entry) {
		if (strcmp(r->plugin->name, instance) != 0)
			continue;
		if (r->pool == NULL ? pool_listens(c, pool) :
		    strcmp(r->pool->name, pool) == 0)
			return 1;
		routes++;
	}
	return routes == 0;
}
