/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.health/1: what plugins depend on lives in the workers' cells of the
 * board; upstreams are added here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/health.h>
#include "base/mem.h"
#include "plugin/health_service.h"
#include "plugin/instance.h"
#include "plugin/module_check.h"
#include "plugin/plugins.h"
#include "upstream/table_json.h"

_Static_assert(DEPENDENCY_UP == HOSTD_HEALTH_UP &&
    DEPENDENCY_DOWN == HOSTD_HEALTH_DOWN &&
    DEPENDENCY_UNUSED == HOSTD_HEALTH_UNUSED, "the board's are the SDK's");

/* -- declaring -- */

static int
is_name(const char *s)
{
	return s != NULL && *s != '\0' &&
	    strlen(s) < sizeof(((struct dependency *)NULL)->name) &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static int
is_declared(const struct instance *in, const char *name)
{
	const struct board_dependency *d = in->all->cell->dependencies;
	int i;

	for (i = 0; i < BOARD_DEPENDENCIES && d[i].flags != 0; i++)
		if (strcmp(d[i].name, name) == 0 && strncmp(d[i].plugin,
		    in->conf->name, sizeof(d[i].plugin) - 1) == 0)
			return 1;
	return 0;
}

static int32_t
health_declares(const struct hostd_host *host,
    const struct hostd_dependency *d, uint32_t *id)
{
	struct instance *in = host->ctx;
	struct board_cell *cell = in->all->cell;
	struct board_dependency *bd;
	int32_t rc = instance_check_thread(in, "declare of " HOSTD_EXT_HEALTH);

	if (rc != 0)
		return rc;
	if (!in->creating)
		return HOSTD_E_STATE;
	if (d == NULL || id == NULL || d->struct_size < MODULE_MIN_DEPENDENCY ||
	    !is_name(d->name) || is_declared(in, d->name) ||
	    (d->flags & ~HOSTD_DEPENDENCY_REQUIRED) != 0)
		return HOSTD_E_INVAL;
	bd = dependency_declare(cell, d->name, in->conf->name,
	    (d->flags & HOSTD_DEPENDENCY_REQUIRED) != 0);
	if (bd == NULL)
		return HOSTD_E_FULL;
	*id = (uint32_t)(bd - cell->dependencies) + 1;
	return HOSTD_OK;
}

static int32_t
health_says(const struct hostd_host *host, uint32_t id, uint32_t state,
    hostd_buf detail)
{
	struct instance *in = host->ctx;
	struct board_dependency *d = in->all->cell->dependencies;
	int32_t rc = instance_check_thread(in, "set of " HOSTD_EXT_HEALTH);

	if (rc != 0)
		return rc;
	if (id == 0 || id > BOARD_DEPENDENCIES || state > HOSTD_HEALTH_UNUSED ||
	    (detail.p == NULL && detail.n > 0) ||
	    strncmp(d[id - 1].plugin, in->conf->name,
		sizeof(d->plugin) - 1) != 0)
		return HOSTD_E_INVAL;
	dependency_set(&d[id - 1], state, detail.p, detail.n);
	return HOSTD_OK;
}

/* -- looking -- */

/* Those of a group that take requests, of all. */
static unsigned
count_up(const json_t *servers, size_t *all)
{
	const char *state;
	unsigned up = 0;
	json_t *s;
	size_t i;

	*all = 0;
	json_array_foreach(servers, i, s) {
		state = json_string_value(json_object_get(s, "state"));
		if (state == NULL || strcmp(state, "leaving") == 0 ||
		    strcmp(state, "removed") == 0)
			continue;
		++*all;
		up += strcmp(state, "up") == 0 ||
		    strcmp(state, "slow-starting") == 0;
	}
	return up;
}

static void
upstream_health(const struct plugins *all, const struct conf_upstream *u,
    struct dependency *h)
{
	json_t *groups = up_table_json(all->upstreams.table, all->conf,
	    u->name);
	unsigned up;
	size_t n;

	up = count_up(json_object_get(json_array_get(groups, 0), "servers"),
	    &n);
	json_decref(groups);
	memset(h, 0, sizeof(*h));
	(void)snprintf(h->name, sizeof(h->name), "upstream");
	(void)snprintf(h->plugin, sizeof(h->plugin), "%s", u->name);
	(void)snprintf(h->detail, sizeof(h->detail), "%u of %zu server%s up",
	    up, n, n == 1 ? "" : "s");
	h->flags = BOARD_DEPENDENCY_USED;
	/* Plugins have servers of their own there. */
	if (n == 0 && u->any_server)
		h->state = DEPENDENCY_UNUSED;
	else
		h->state = up > 0 ? DEPENDENCY_UP : DEPENDENCY_DOWN;
}

size_t
dependencies_look(const struct plugins *all,
    struct dependency out[DEPENDENCIES_MAX])
{
	const struct conf_upstream *u;
	size_t n = dependencies_sum(all->board, out);

	/* A probe has no table. */
	if (all->upstreams.table == NULL)
		return n;
	TAILQ_FOREACH(u, &all->conf->upstreams, entry)
		if (u->health.type != CONF_CHECK_NONE && n < DEPENDENCIES_MAX)
			upstream_health(all, u, &out[n++]);
	return n;
}

static const struct hostd_node_health *
health_node(const struct hostd_host *host)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	const struct board_node *node = all->board->node;
	struct health_view *v = all->health;
	int is_alive;

	if (instance_check_thread(in, "node of " HOSTD_EXT_HEALTH) != 0)
		return NULL;
	if (v == NULL)
		v = all->health = xcalloc(1, sizeof(*v));
	v->n = dependencies_look(all, v->all);
	v->node = (struct hostd_node_health){ .struct_size = sizeof(v->node),
		.generation = node->generation,
		.ndependencies = (uint32_t)v->n,
		.workers = board_serving(all->board, &is_alive) };
	v->node.flags = (node->unready == 0 ? HOSTD_NODE_READY : 0) |
	    (node->started != 0 ? HOSTD_NODE_STARTED : 0) |
	    (is_alive ? HOSTD_NODE_ALIVE : 0);
	return &v->node;
}

static hostd_buf
text_of(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static const struct hostd_dependency_state *
health_dependency(const struct hostd_host *host, uint32_t i)
{
	struct instance *in = host->ctx;
	struct health_view *v = in->all->health;
	struct dependency *h;

	if (instance_check_thread(in, "dependency of " HOSTD_EXT_HEALTH) != 0 ||
	    v == NULL || i >= v->n)
		return NULL;
	h = &v->all[i];
	v->one[i] = (struct hostd_dependency_state){
		.struct_size = sizeof(v->one[i]),
		.flags = (h->flags & BOARD_DEPENDENCY_REQUIRED) != 0 ?
		    HOSTD_DEPENDENCY_REQUIRED : 0,
		.state = h->state, .since_ms = h->since_ms,
		.name = text_of(h->name), .instance = text_of(h->plugin),
		.detail = text_of(h->detail) };
	return &v->one[i];
}

const struct hostd_health_api *
health_service(void)
{
	static const struct hostd_health_api api = {
		.struct_size = sizeof(api),
		.declare = health_declares,
		.set = health_says,
		.node = health_node,
		.dependency = health_dependency,
	};

	return &api;
}
