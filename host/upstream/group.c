/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/log.h"
#include "base/mem.h"
#include "net/tls_client.h"
#include "upstream/direct.h"
#include "upstream/group.h"

#define WEIGHT_MAX	65535u

/* -- peers -- */

void
peer_hold(struct up_peer *p)
{
	p->refs++;
}

void
peer_release(struct up_peer *p)
{
	if (--p->refs > 0)
		return;
	if (p->own != NULL)
		direct_free(p);
	else if (p->gone)
		free(p);
}

static void
peer_leave(struct up_peer *p)
{
	struct up_group *g = p->group;

	TAILQ_REMOVE(&g->peers, p, entry);
	g->npeers--;
	p->gone = 1;
	peer_hold(p);
	if (g->all->peer_gone != NULL)
		g->all->peer_gone(p);
	peer_release(p);
}

/* The server of the configuration that an entry is of; its rules, when it was
 * added by hand; NULL: it is none of ours. */
static const struct conf_server *
server_of(const struct up_group *g, const struct up_entry *e, unsigned *order)
{
	const struct conf_server *s;

	*order = 0;
	TAILQ_FOREACH(s, &g->conf->servers, entry) {
		if (strcmp(s->name, e->server) == 0)
			return s;
		++*order;
	}
	return (e->flags & UP_ADDED) != 0 ? &g->conf->rules : NULL;
}

static struct up_peer *
peer_new(struct up_group *g, unsigned index, uint32_t id)
{
	struct up_peer *p = xcalloc(1, sizeof(*p));

	p->group = g;
	p->id = id;
	p->index = index;
	TAILQ_INIT(&p->idle);
	p->view.struct_size = sizeof(p->view);
	p->view.id = id;
	TAILQ_INSERT_TAIL(&g->peers, p, entry);
	g->npeers++;
	return p;
}

static void
peer_set(struct up_peer *p, const struct up_entry *e,
    const struct conf_server *conf, unsigned order)
{
	p->is = *e;
	p->conf = conf;
	p->order = order;
	p->seen = 1;
	(void)addr_format(&p->is.addr, p->text, sizeof(p->text));
	p->view.name.p = p->is.server;
	p->view.name.n = strlen(p->is.server);
	p->view.addr.p = p->text;
	p->view.addr.n = strlen(p->text);
}

struct up_peer *
group_peer(const struct up_group *g, uint32_t id)
{
	size_t lo = 0, hi = g->nids, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (g->by_id[mid]->id == id)
			return g->by_id[mid];
		if (g->by_id[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* -- the table -- */

/* Entry i, when it is one of ours with an address. */
static void
entry_use(struct up_group *g, unsigned i, const struct up_entry *e)
{
	const struct conf_server *conf;
	struct up_peer *p;
	unsigned order;

	if (e->addr.len == 0 || e->addr.len > sizeof(e->addr.ss) ||
	    (e->flags & UP_GONE) != 0 ||
	    strcmp(e->group, g->conf->name) != 0 ||
	    (conf = server_of(g, e, &order)) == NULL)
		return;
	p = group_peer(g, e->id);
	if (p == NULL || p->index != i)
		p = peer_new(g, i, e->id);
	peer_set(p, e, conf, order);
}

static void
sweep_peers(struct up_group *g)
{
	struct up_peer *p, *next;

	for (p = TAILQ_FIRST(&g->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->seen)
			p->seen = 0;
		else
			peer_leave(p);
	}
}

static int
compare_places(const void *a, const void *b)
{
	const struct up_peer *const *p = a, *const *q = b;
	int rc;

	if ((*p)->order != (*q)->order)
		return (*p)->order < (*q)->order ? -1 : 1;
	if ((rc = strcmp((*p)->is.server, (*q)->is.server)) != 0)
		return rc;
	return strcmp((*p)->text, (*q)->text);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct up_peer *const *p = a, *const *q = b;

	return (*p)->id < (*q)->id ? -1 : (*p)->id > (*q)->id;
}

/* All workers have the same order: balancers count on it. */
static void
sort_peers(struct up_group *g)
{
	struct up_peer *p;
	size_t i = 0;

	g->views = xrealloc(g->views, (g->npeers + 1) * sizeof(*g->views));
	g->by_id = xrealloc(g->by_id, (g->npeers + 1) * sizeof(*g->by_id));
	g->tried = xrealloc(g->tried, (g->npeers + UP_TRIES_MAX + 1) *
	    sizeof(*g->tried));
	TAILQ_FOREACH(p, &g->peers, entry)
		g->by_id[i++] = p;
	qsort(g->by_id, g->npeers, sizeof(*g->by_id), compare_places);
	TAILQ_INIT(&g->peers);
	g->limited = 0;
	for (i = 0; i < g->npeers; i++) {
		p = g->by_id[i];
		TAILQ_INSERT_TAIL(&g->peers, p, entry);
		g->views[i] = &p->view;
		if (p->is.max_conns != 0)
			g->limited = 1;
	}
	g->views[i] = NULL;
	qsort(g->by_id, g->npeers, sizeof(*g->by_id), compare_ids);
	g->nids = g->npeers;
}

/* 0, or -1: the master is at it, all is as it was. */
static int
read_entries(struct up_group *g)
{
	const struct up_table *t = g->all->table;
	uint32_t n = up_entries(t), begun;
	struct up_entry e;
	struct up_peer *p;
	int whole;
	unsigned i;

	begun = atomic_load_explicit(&t->head->sequence, memory_order_acquire);
	for (i = 0; i < n; i++)
		if (up_entry_read(t, i, &e) == 0) {
			e.group[UP_GROUP_MAX - 1] = '\0';
			e.server[UP_SERVER_MAX - 1] = '\0';
			entry_use(g, i, &e);
		}
	whole = (begun & 1) == 0 && begun == atomic_load_explicit(
	    &t->head->sequence, memory_order_acquire);
	/* Half of a change must not look like servers that have left. */
	if (!whole)
		TAILQ_FOREACH(p, &g->peers, entry)
			p->seen = 1;
	sweep_peers(g);
	sort_peers(g);
	return whole ? 0 : -1;
}

/* -- what the balancer sees -- */

/* One that is being tried again does not send backups home yet. */
static int
has_primary(const struct up_group *g, uint64_t now)
{
	const struct up_peer *p;

	TAILQ_FOREACH(p, &g->peers, entry)
		if ((p->is.flags & (UP_BACKUP | UP_DRAINING)) == 0 &&
		    peer_is_up(p, now) && peer_down_until(p) == 0)
			return 1;
	return 0;
}

static uint32_t
view_flags(const struct up_peer *p, int primary, uint64_t now)
{
	uint32_t flags = 0;

	if ((p->is.flags & UP_BACKUP) != 0)
		flags |= HOSTD_PEER_BACKUP;
	if ((p->is.flags & UP_DRAINING) != 0)
		flags |= HOSTD_PEER_DRAINING;
	if (!peer_is_up(p, now) || ((p->is.flags & UP_BACKUP) != 0 && primary))
		flags |= HOSTD_PEER_DOWN;
	return flags;
}

static uint64_t
oldest_peer(const struct up_group *g)
{
	uint64_t oldest = UINT64_MAX;
	const struct up_peer *p;

	TAILQ_FOREACH(p, &g->peers, entry)
		if (p->is.added_ms < oldest)
			oldest = p->is.added_ms;
	return oldest;
}

static void
look_at(struct up_group *g, uint64_t when)
{
	if (g->look_ms == 0 || when < g->look_ms)
		g->look_ms = when;
}

/* Sums of them must not overflow, whatever the table says. */
static uint32_t
weight_of(const struct up_entry *e)
{
	if (e->weight == 0)
		return 1;
	return e->weight < WEIGHT_MAX ? e->weight : WEIGHT_MAX;
}

/* Returns whether anything differs from what the balancer knows. */
static int
update_views(struct up_group *g, uint64_t now)
{
	uint64_t oldest = oldest_peer(g), until;
	int primary = has_primary(g, now), differs = 0;
	struct hostd_peer was;
	struct up_peer *p;

	g->look_ms = 0;
	TAILQ_FOREACH(p, &g->peers, entry) {
		was = p->view;
		p->view.flags = view_flags(p, primary, now);
		p->view.weight = weight_of(&p->is);
		p->view.max_conns = p->is.max_conns;
		p->view.share = peer_share(p, oldest, now, &until);
		if (until != 0)
			look_at(g, until);
		if ((until = peer_down_until(p)) > now)
			look_at(g, until);
		if (memcmp(&was, &p->view, sizeof(was)) != 0)
			differs = 1;
	}
	return differs;
}

static void
tell_balancer(struct up_group *g)
{
	struct up_balancer *b = g->balancer;
	int32_t rc = b->update(b, g->data, g->views);

	if (rc < 0 && !g->refused)
		log_warnx("upstream %s: balancer %s does not take its %zu "
		    "servers (code %d); it goes on with those that it knows",
		    g->conf->name, b->name, g->npeers, rc);
	g->refused = rc < 0;
}

void
group_look(struct up_group *g)
{
	uint64_t now = g->all->loop->now_ms;
	uint32_t changes;
	int differs = 0;
	size_t had = g->npeers;
	uint32_t last;

	if (g->all->table == NULL || g->balancer == NULL)
		return;
	changes = up_changes(g->all->table);
	if (changes == g->seen && (g->look_ms == 0 || now < g->look_ms))
		return;
	last = had == 0 ? 0 : g->by_id[had - 1]->id;
	if (changes != g->seen && read_entries(g) == 0)
		g->seen = changes;
	/* Ids rise, so one that has come is the last. */
	if (g->npeers != had || (had > 0 && g->by_id[had - 1]->id != last))
		differs = 1;
	if (update_views(g, now) || differs)
		tell_balancer(g);
}

int
group_bind(struct up_group *g, struct up_balancer *b)
{
	g->balancer = b;
	g->data = xcalloc(1, b->data_size);
	if (g->all->table != NULL) {
		g->seen = up_changes(g->all->table);
		if (read_entries(g) == -1)
			g->seen--;
		(void)update_views(g, g->all->loop->now_ms);
	} else
		sort_peers(g);
	if (b->update(b, g->data, g->views) >= 0)
		return 0;
	g->balancer = NULL;
	free(g->data);
	g->data = NULL;
	return -1;
}

/* -- TLS -- */

/* Of "app.example.com:443" or "[2001:db8::1]:443". */
void
group_tls_name(const struct up_group *g, const char *server,
    char name[UP_SERVER_MAX])
{
	const char *end = strrchr(server, ':');
	size_t n;

	if (g->conf->tls.name != NULL) {
		(void)snprintf(name, UP_SERVER_MAX, "%s", g->conf->tls.name);
		return;
	}
	n = end != NULL ? (size_t)(end - server) : strlen(server);
	if (n > 2 && server[0] == '[' && server[n - 1] == ']') {
		server++;
		n -= 2;
	}
	(void)snprintf(name, UP_SERVER_MAX, "%.*s", (int)n, server);
}

/* Files have been looked at when they were read. */
static void
group_open_tls(struct up_group *g)
{
	const struct conf_upstream_tls *t = &g->conf->tls;
	struct tls_client_options o = {
		.unchecked = !t->verify,
		.reuse = t->session_reuse,
		.ca = t->ca.p,
		.ca_len = t->ca.n,
		.chain = t->chain.p,
		.chain_len = t->chain.n,
		.key = t->key.p,
		.key_len = t->key.n,
		.min_version = t->min_version,
		.max_version = t->max_version
	};
	char why[256];

	if (!t->on)
		return;
	if ((g->tls = tls_client_new(&o, why, sizeof(why))) == NULL)
		fatalx("upstream \"%s\": OpenSSL can't speak TLS with its "
		    "certificates: %s", g->conf->name, why);
}

/* -- all of them -- */

static void
group_new(struct upstreams *all, const struct conf_upstream *conf)
{
	struct up_group *g = xcalloc(1, sizeof(*g));

	g->all = all;
	g->conf = conf;
	TAILQ_INIT(&g->peers);
	TAILQ_INIT(&g->kept);
	TAILQ_INSERT_TAIL(&all->groups, g, entry);
	map_put(&all->by_name, conf->name, strlen(conf->name), g);
	group_open_tls(g);
}

void
upstreams_init(struct upstreams *all, struct loop *loop,
    const struct conf *conf, struct up_table *table, unsigned cell)
{
	const struct conf_upstream *cu;

	memset(all, 0, sizeof(*all));
	all->loop = loop;
	all->table = table;
	all->cell = cell;
	TAILQ_INIT(&all->groups);
	if (getrandom(&all->random, sizeof(all->random), 0) !=
	    (ssize_t)sizeof(all->random))
		fatal("getting random numbers");
	TAILQ_FOREACH(cu, &conf->upstreams, entry)
		group_new(all, cu);
}

static void
group_free(struct up_group *g)
{
	struct up_peer *p;

	if (g->balancer != NULL && g->balancer->close != NULL)
		g->balancer->close(g->balancer, g->data);
	while ((p = TAILQ_FIRST(&g->peers)) != NULL)
		peer_leave(p);
	directs_close(g);
	free(g->data);
	free(g->views);
	free(g->by_id);
	free(g->tried);
	tls_client_free(g->tls);
	free(g);
}

void
upstreams_close(struct upstreams *all)
{
	struct up_group *g;

	while ((g = TAILQ_FIRST(&all->groups)) != NULL) {
		TAILQ_REMOVE(&all->groups, g, entry);
		group_free(g);
	}
	map_free(&all->by_name);
}

struct up_group *
upstreams_find(const struct upstreams *all, const char *name, size_t n)
{
	return map_get(&all->by_name, name, n);
}

struct up_group *
group_of_data(const struct upstreams *all, const struct up_balancer *b,
    const void *data)
{
	struct up_group *g;

	TAILQ_FOREACH(g, &all->groups, entry)
		if (g->balancer == b && g->data == data)
			return g;
	return NULL;
}
