/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/identity.h"
#include "http/router.h"
#include "plugin/fetch.h"
#include "plugin/instance.h"
#include "plugin/metrics_service.h"
#include "plugin/net_service.h"
#include "plugin/offers.h"
#include "plugin/plugins.h"
#include "plugin/post.h"
#include "plugin/room_service.h"

#define BEAT_MS	250	/* while it is waited for works that are on a thread */

/* A module's constructors are its code as well: note whose may run. */
static struct module *
plugins_open(struct plugins *all, const struct conf_plugin *cp,
    const char *copy, char *why, size_t size)
{
	const char *base = strrchr(cp->file, '/');
	struct board_cell *cell = all->cell;
	uint32_t i = all->ninstances;
	struct module *m;

	if (i < BOARD_PLUGINS)
		(void)snprintf(cell->plugins[i], sizeof(cell->plugins[i]),
		    "%s", cp->name);
	atomic_store(&cell->callback, BOARD_CB_DLOPEN);
	atomic_store(&cell->plugin, i + 1);
	m = module_open(copy, base == NULL ? cp->file : base + 1, why, size);
	atomic_store(&cell->plugin, 0);
	atomic_store(&cell->callback, BOARD_CB_NONE);
	/* The place is of the next that is created. */
	if (i < BOARD_PLUGINS)
		cell->plugins[i][0] = '\0';
	return m;
}

/* The module behind the generation's copy of cp's file, loaded once. */
static struct module *
plugins_module(struct plugins *all, const struct snapshot *snap,
    const struct conf_plugin *cp, struct conf_errors *errs)
{
	const char *copy;
	struct module *m;
	char why[512];

	copy = map_get(&snap->modules, cp->file, strlen(cp->file));
	if (copy == NULL)
		return NULL;	/* the master has said why */
	if ((m = map_get(&all->modules, copy, strlen(copy))) != NULL)
		return m;
	if ((m = plugins_open(all, cp, copy, why, sizeof(why))) == NULL) {
		conf_error(errs, &cp->pos, "plugin \"%s\": %s", cp->name, why);
		return NULL;
	}
	if (why[0] != '\0')
		log_warnx("plugin %s: %s", cp->name, why);
	log_info("plugin %s: %s %s, built with SDK %s for ABI %u.%u, served "
	    "ABI %u.%u", cp->name, m->desc.id, m->desc.version,
	    m->desc.built_with, m->desc.abi_major, m->desc.abi_minor_needed,
	    HOSTD_ABI_MAJOR, module_host_minor());
	map_put(&all->modules, copy, strlen(copy), m);
	return m;
}

/* -- default routes -- */

static int
has_route(const struct conf *conf, const struct conf_plugin *cp)
{
	const struct conf_route *cr;

	TAILQ_FOREACH(cr, &conf->routes, entry)
		if (cr->plugin == cp)
			return 1;
	return 0;
}

static int
answers_requests(const struct module *m)
{
	size_t i;

	for (i = 0; i < m->nprovides; i++)
		if (m->provides[i].http != NULL || m->provides[i].ws != NULL)
			return 1;
	return 0;
}

/* Both kinds of an instance that has two are served on all its routes. */
static const char *
default_route(const struct module *m)
{
	const char *path = NULL;
	size_t i;

	for (i = 0; i < m->nprovides && path == NULL; i++)
		if (m->provides[i].http != NULL || m->provides[i].ws != NULL)
			path = m->provides[i].info.route;
	return path;
}

/* A plugin that no route names gets the one of its descriptor; one dropped in
 * bare and without a wish gets its name. */
static void
add_default_route(struct conf *conf, struct conf_plugin *cp,
    const struct module *m, struct conf_errors *errs)
{
	const char *path = default_route(m);
	char *named = NULL;

	if (!answers_requests(m) || has_route(conf, cp))
		return;
	if (path == NULL) {
		if (!cp->bare)
			return;
		path = named = xasprintf("/%s", cp->name);
	}
	(void)conf_route_add(conf, path, cp, errs);
	free(named);
}

/* -- which are created -- */

static int
pool_listens(const struct conf *conf, const struct conf_pool *pool)
{
	const struct conf_listen *l;

	TAILQ_FOREACH(l, &conf->listens, entry)
		if (l->pool == pool)
			return 1;
	return 0;
}

/* Does it do more than answer requests? */
static int
serves_the_host(const struct module *m)
{
	size_t i;

	for (i = 0; i < m->nprovides; i++)
		if (m->provides[i].http == NULL && m->provides[i].ws == NULL &&
		    module_is_served(&m->provides[i]))
			return 1;
	return 0;
}

/* Have workers of that pool a use for it?  What no route names at all runs by
 * itself, everywhere. */
static int
is_for_pool(const struct conf *conf, const struct conf_plugin *cp,
    const struct module *m, const struct conf_pool *pool)
{
	const struct conf_route *cr;

	if (pool == NULL || serves_the_host(m) || !has_route(conf, cp))
		return 1;
	TAILQ_FOREACH(cr, &conf->routes, entry)
		if (cr->plugin == cp && (cr->pool == pool ||
		    (cr->pool == NULL && pool_listens(conf, pool))))
			return 1;
	return 0;
}

/* -- loading -- */

static void
plugins_open_all(struct plugins *all, const struct snapshot *snap,
    struct conf_errors *errs)
{
	struct plugin_loaded *l;
	struct conf_plugin *cp;
	struct module *m;
	size_t n = 0;

	TAILQ_FOREACH(cp, &all->conf->plugins, entry)
		n++;
	all->loaded = xcalloc(n + 1, sizeof(*all->loaded));
	TAILQ_FOREACH(cp, &all->conf->plugins, entry) {
		if ((m = plugins_module(all, snap, cp, errs)) == NULL)
			continue;
		l = &all->loaded[all->nloaded++];
		l->conf = cp;
		l->module = m;
		add_default_route(all->conf, cp, m, errs);
	}
}

/* 1: it is decided now. */
static int
plugins_make(struct plugins *all, struct plugin_loaded *l,
    const struct conf_pool *pool, struct conf_errors *errs)
{
	enum offers_found found = OFFERS_READY;

	l->done = 1;
	if (!is_for_pool(all->conf, l->conf, l->module, pool))
		return 1;
	found = offers_look(all, l->conf, l->module, errs);
	l->done = found != OFFERS_WAIT;
	if (found == OFFERS_READY &&
	    (l->in = instance_new(all, l->module, l->conf, errs)) != NULL)
		TAILQ_INSERT_TAIL(&all->instances, l->in, link);
	return l->done;
}

/* In the order of the configuration, but who offers something comes before
 * those who use it. */
static void
plugins_make_all(struct plugins *all, const struct conf_pool *pool,
    struct conf_errors *errs)
{
	struct plugin_loaded *l;
	size_t i = 0;

	while (i < all->nloaded) {
		l = &all->loaded[i++];
		if (!l->done && plugins_make(all, l, pool, errs) &&
		    l->module->noffers > 0)
			i = 0;	/* who has waited for it comes now */
	}
	for (i = 0; i < all->nloaded; i++)
		if (!all->loaded[i].done)
			conf_error(errs, &all->loaded[i].conf->pos, "plugin "
			    "\"%s\" uses what a plugin offers that uses what "
			    "it offers itself", all->loaded[i].conf->name);
}

static struct instance *
plugins_find(const struct plugins *all, const struct conf_plugin *cp)
{
	struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		if (in->conf == cp)
			return in;
	return NULL;
}

/* The plugin that the configuration names, or the only one that can. */
static void
choose_backend(struct plugins *all, struct conf_errors *errs)
{
	const struct conf_pubsub *conf = &all->conf->pubsub;
	struct instance *in, *found = NULL;
	int n = 0;

	if (conf->backend != NULL && strcmp(conf->backend, "none") == 0)
		return;
	TAILQ_FOREACH(in, &all->instances, link) {
		if (in->pubsub == NULL || (conf->backend != NULL &&
		    strcmp(in->conf->name, conf->backend) != 0))
			continue;
		found = in;
		n++;
	}
	if (conf->backend != NULL && n == 0)
		conf_error(errs, &conf->pos, "there is no plugin \"%s\" that "
		    "provides %s", conf->backend, HOSTD_KIND_PUBSUB_BACKEND);
	else if (n > 1)
		conf_error(errs, &found->conf->pos, "%d plugins provide %s; "
		    "choose one: pubsub { backend = \"%s\" }", n,
		    HOSTD_KIND_PUBSUB_BACKEND, found->conf->name);
	else if (found != NULL)
		all->hub.backend = &found->backend;
}

/* One that is missing was refused, which has been said. */
static void
bind_balancers(struct plugins *all, struct conf_errors *errs)
{
	const struct conf_upstream *cu;
	struct instance *in;
	struct up_group *g;

	TAILQ_FOREACH(g, &all->upstreams.groups, entry) {
		cu = g->conf;
		if (cu->balancer == NULL ||
		    (in = plugins_find(all, cu->balancer)) == NULL)
			continue;
		if (in->picks == NULL)
			conf_error(errs, &cu->balancer_pos, "upstream \"%s\": "
			    "plugin \"%s\" does not provide %s", cu->name,
			    in->conf->name, HOSTD_KIND_BALANCER);
		else if (group_bind(g, &in->balancer) == -1)
			conf_error(errs, &cu->balancer_pos, "upstream \"%s\": "
			    "its servers are refused by its balancer, plugin "
			    "\"%s\"", cu->name, in->conf->name);
	}
}

static void
bind_stores(struct plugins *all, struct conf_errors *errs)
{
	const struct conf_session *c;
	struct session_block *b;
	struct instance *in;

	TAILQ_FOREACH(b, &all->sessions.all, entry) {
		c = b->kind.conf;
		if (c->store == NULL ||
		    (in = plugins_find(all, c->store)) == NULL)
			continue;
		if (in->keeps == NULL)
			conf_error(errs, &c->store_pos, "session \"%s\": "
			    "plugin \"%s\" does not provide %s", c->name,
			    in->conf->name, HOSTD_KIND_SESSION_STORE);
		else
			b->kind.store = &in->store;
	}
}

void
plugins_load(struct plugins *all, struct loop *loop, struct conf *conf,
    const struct conf_pool *pool, const struct snapshot *snap,
    struct board *board, struct board_cell *cell, struct up_table *table,
    struct limit_table *limits, struct conf_errors *errs)
{
	memset(all, 0, sizeof(*all));
	all->loop = loop;
	all->conf = conf;
	all->errs = errs;
	all->pool = pool;
	all->board = board;
	all->cell = cell;
	all->metrics = board->metrics +
	    (size_t)(cell - board->cells) * BOARD_METRICS;
	TAILQ_INIT(&all->instances);
	post_init(all);
	channel_service_init(all);
	hub_init(&all->hub, loop, board, cell, &conf->pubsub);
	all->hub.queries.list_here = room_service_labels;
	upstreams_init(&all->upstreams, loop, conf, table,
	    (unsigned)(cell - board->cells));
	limits_open(&all->limits, loop, conf, limits,
	    (unsigned)(cell - board->cells));
	auths_open(&all->auths, loop, conf, errs);
	session_service_init(all, errs);
	fetch_service_init(all);
	plugins_open_all(all, snap, errs);
	plugins_make_all(all, pool, errs);
	choose_backend(all, errs);
	bind_balancers(all, errs);
	bind_stores(all, errs);
}

/* -- routes -- */

static int
route_is_prefix(const struct conf_route *cr)
{
	size_t n = strlen(cr->path);

	if (cr->match == CONF_MATCH_AUTO)
		return cr->path[n - 1] == '/';
	return cr->match == CONF_MATCH_PREFIX;
}

static int
can_answer(const struct instance *in, const struct conf_route *cr,
    struct conf_errors *errs)
{
	/* Without an instance it is another pool's, or refused. */
	if (in == NULL || in->route != NULL || in->ws != NULL)
		return 1;
	conf_error(errs, &cr->pos, "route \"%s\": plugin \"%s\" does not "
	    "answer requests (it provides neither %s nor %s)", cr->path,
	    cr->plugin->name, HOSTD_KIND_HTTP_ROUTE, HOSTD_KIND_WS_HANDLER);
	return 0;
}

/* Of a configuration that is refused: 0, never without its gates. */
static int
find_gates(struct plugins *all, const struct conf_route *cr,
    struct http_gate **auth, struct session_block **sessions)
{
	*auth = NULL;
	*sessions = NULL;
	if (cr->auth != NULL &&
	    (*auth = auths_gate(&all->auths, cr->auth)) == NULL)
		return 0;
	if (cr->session == CONF_SESSION_OFF || cr->sessions == NULL)
		return 1;
	*sessions = sessions_find(&all->sessions, cr->sessions->name);
	return *sessions != NULL && (*sessions)->kind.store != NULL;
}

static void
add_gates(struct http_route *rt, const struct conf_route *cr,
    struct http_gate *auth, struct session_block *sessions)
{
	if (auth != NULL)
		route_add_gate(rt, auth);
	if (sessions == NULL)
		return;
	rt->sessions = &sessions->kind;
	if (cr->session == CONF_SESSION_REQUIRED)
		route_add_gate(rt, &sessions->gate.gate);
}

static void
add_route(struct plugins *all, struct router *ro, const struct conf_route *cr,
    struct conf_errors *errs)
{
	struct instance *in = plugins_find(all, cr->plugin);
	struct session_block *sessions;
	struct http_gate *auth;
	struct http_route *rt;

	if (!can_answer(in, cr, errs) ||
	    !find_gates(all, cr, &auth, &sessions))
		return;
	rt = route_new(cr->path, route_is_prefix(cr), cr->methods,
	    cr->nmethods);
	rt->handler = in == NULL ? NULL : &in->http;
	rt->pool = cr->pool;
	rt->max_body = (uint64_t)cr->max_body;
	rt->defer_ms = (uint32_t)cr->defer_timeout;
	rt->body_ms = (uint32_t)cr->body_timeout;
	rt->send_ms = (uint32_t)cr->send_timeout;
	rt->min_body_rate = (uint32_t)cr->min_body_rate;
	/* Who is given bytes slowly can't take them faster. */
	rt->min_send_rate = cr->limit_rate > 0 ? 0 :
	    (uint32_t)cr->min_send_rate;
	rt->rate = (uint64_t)cr->limit_rate;
	rt->rate_after = (uint64_t)cr->limit_rate_after;
	rt->websocket = cr->websocket;
	rt->counted = traffic_route(board_traffic(all->board, all->cell),
	    cr->path);
	if (cr->upstream != NULL)
		rt->upstream = upstreams_find(&all->upstreams,
		    cr->upstream->name, strlen(cr->upstream->name));
	limits_add_gates(&all->limits, rt, cr, 0);
	add_gates(rt, cr, auth, sessions);
	limits_add_gates(&all->limits, rt, cr, 1);
	router_add(ro, rt, cr->hosts, cr->nhosts);
}

struct router *
plugins_route(struct plugins *all, struct conf_errors *errs)
{
	struct router *ro = router_new();
	struct conf_route *cr;

	(void)conf_routes_conflict(all->conf, errs);
	TAILQ_FOREACH(cr, &all->conf->routes, entry)
		add_route(all, ro, cr, errs);
	return ro;
}

/* -- life -- */

int
plugins_start(struct plugins *all, struct http_server *srv,
    struct ws_server *sockets, struct conf_errors *errs)
{
	struct instance *in;
	int rc = 0;

	all->server = srv;
	all->sockets = sockets;
	hub_serve(&all->hub, &srv->sio);
	all->upstreams.sio = &srv->sio;
	TAILQ_FOREACH(in, &all->instances, link)
		if (instance_start(in, errs) == -1)
			rc = -1;
	return rc;
}

void
plugins_drain(struct plugins *all, uint32_t deadline_ms)
{
	struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		instance_drain(in, deadline_ms);
	links_drain(&all->upstreams);
	hub_drain(&all->hub);
}

static void
plugins_free_modules(struct plugins *all)
{
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(&all->modules, &it)) != NULL)
		module_free(e->value);
	map_free(&all->modules);
}

/* In reverse order of creation. */
void
plugins_destroy(struct plugins *all)
{
	struct instance *in;

	hub_stop(&all->hub);
	all->server = NULL;
	all->sockets = NULL;
	session_service_close(all);
	TAILQ_FOREACH_REVERSE(in, &all->instances, instances, link)
		(void)instance_stop(in);
	upstreams_close(&all->upstreams);
	auths_close(&all->auths);
	limits_close(&all->limits);
	fetch_service_close(all);
	while (all->nworks > 0) {
		loop_turn_uv(all->loop, BEAT_MS);
		/* Waiting for them is not hanging. */
		atomic_store(&all->cell->beat_ms, loop_clock_ms());
	}
	while ((in = TAILQ_LAST(&all->instances, instances)) != NULL) {
		TAILQ_REMOVE(&all->instances, in, link);
		instance_destroy(in);
	}
	hub_close(&all->hub);
	channel_service_close(all);
	post_close(all);
	metrics_service_close(all);
	store_service_close(all);
	handle_table_free(&all->users);
	free(all->loaded);
	handle_table_free(&all->ops);
	handle_table_free(&all->timers);
	net_service_close(all);
	buf_free(&all->status_json);
	buf_free(&all->exposition);
	free(all->health);
	buf_free(&all->claim);
	identity_unref(all->token_of);
	buf_free(&all->trace_state);
	buf_free(&all->session_text);
	plugins_free_modules(all);
}
