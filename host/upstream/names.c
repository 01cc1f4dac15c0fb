/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "upstream/names.h"
#include "upstream/resolve.h"

#define RETRY_MAX_MS	30000
#define BUSY_MS		100	/* others are being asked for */

struct name_set {
	size_t n;
	struct addr addrs[RESOLVE_ADDRS];
};

struct name {
	TAILQ_ENTRY(name) entry;
	struct names *all;
	const struct conf_upstream *conf;
	char group[UP_GROUP_MAX];
	char server[UP_SERVER_MAX];
	struct conf_server to;		/* host and port of it */
	struct wheel_timer due;
	struct resolve ask;
	int asking;
	struct name_set v4, v6;		/* the last that were known */
	int known;			/* by us; else as the table says */
	struct name_set both;		/* of these, what the master is told */
	int untold;			/* it does not know them yet */
	int seen;			/* in the table, when we looked last */
	unsigned failures;		/* in a row */
	char why[128];			/* of the last, as logged; "": it went
					   well */
};

/* -- telling -- */

static void
name_tell(struct name *n)
{
	struct chan_resolved m;

	memset(&m, 0, sizeof(m));
	memcpy(m.group, n->group, sizeof(m.group));
	memcpy(m.server, n->server, sizeof(m.server));
	m.n = (uint32_t)n->both.n;
	memcpy(m.addrs, n->both.addrs, n->both.n * sizeof(*m.addrs));
	n->untold = n->all->tell(n->all->arg, &m) == -1;
	if (n->untold)
		n->all->again = 1;
}

/* The entry stands for what the name leads to, until that is known. */
static void
entry_failed(struct names *all, unsigned i, const struct up_entry *e,
    uint32_t status)
{
	struct up_health *h = &all->all->table->health[i];

	if (atomic_load_explicit(&h->id, memory_order_relaxed) != e->id)
		return;
	atomic_store_explicit(&h->what, status, memory_order_relaxed);
	atomic_store_explicit(&h->why_ms, board_clock_ms(),
	    memory_order_relaxed);
	atomic_store_explicit(&h->why, UP_WHY_NAME, memory_order_release);
	up_changed(all->all->table);
}

/* Whoever waits for it need not any more. */
static void
name_mark(struct name *n, int status)
{
	const struct up_table *t = n->all->all->table;
	struct up_entry e;
	unsigned i;

	for (i = 0; i < up_entries(t); i++)
		if (up_entry_read(t, i, &e) == 0 && e.addr.len == 0 &&
		    strncmp(e.group, n->group, sizeof(e.group)) == 0 &&
		    strncmp(e.server, n->server, sizeof(e.server)) == 0)
			entry_failed(n->all, i, &e, (uint32_t)status);
}

/* -- sets -- */

/* Packets find a way there.  Nothing is sent. */
static int
is_reachable(const struct addr *a)
{
	int fd, rc;

	fd = socket(a->ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return errno != EAFNOSUPPORT;
	rc = connect(fd, (const struct sockaddr *)&a->ss, a->len);
	if (rc == -1 && errno != ENETUNREACH && errno != EADDRNOTAVAIL &&
	    errno != EAFNOSUPPORT)
		rc = 0;
	(void)close(fd);
	return rc == 0;
}

static void
set_drop_unreachable(struct name_set *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n; i++)
		if (is_reachable(&s->addrs[i]))
			s->addrs[n++] = s->addrs[i];
	s->n = n;
}

/* Families in turn, so that both are there when there are too many. */
static void
set_merge(struct name_set *out, const struct name_set *a,
    const struct name_set *b)
{
	size_t i;

	out->n = 0;
	for (i = 0; i < RESOLVE_ADDRS; i++) {
		if (i < a->n && out->n < RESOLVE_ADDRS)
			out->addrs[out->n++] = a->addrs[i];
		if (i < b->n && out->n < RESOLVE_ADDRS)
			out->addrs[out->n++] = b->addrs[i];
	}
}

/* A machine without IPv6 can do nothing with such addresses, unless there are
 * no others: the error is told then, at least. */
static void
set_usable(struct name_set *out, const struct name_set *v4,
    const struct name_set *v6)
{
	struct name_set near4 = *v4, near6 = *v6;

	set_drop_unreachable(&near4);
	set_drop_unreachable(&near6);
	if (near4.n + near6.n > 0)
		set_merge(out, &near4, &near6);
	else
		set_merge(out, v4, v6);
}

static int
set_same(const struct name_set *a, const struct name_set *b)
{
	return a->n == b->n &&
	    memcmp(a->addrs, b->addrs, a->n * sizeof(*a->addrs)) == 0;
}

/* -- answers -- */

static int
is_none(const struct resolve_found *f)
{
	return f->status == ARES_ENODATA || f->status == ARES_ENOTFOUND;
}

/* What one family's answer says; one that failed says nothing. */
static void
set_take(struct name_set *s, const struct resolve_found *f)
{
	if (f->status == ARES_SUCCESS) {
		s->n = f->n;
		memcpy(s->addrs, f->addrs, f->n * sizeof(*f->addrs));
	} else if (is_none(f)) {
		s->n = 0;
	}
}

static void
name_due(struct name *n, uint64_t ms)
{
	wheel_set(&n->all->all->loop->wheel, &n->due, loop_clock_ms() + ms);
}

static uint64_t
within(uint64_t ms, const struct conf_upstream *conf)
{
	if (ms > (uint64_t)conf->resolve_max)
		ms = (uint64_t)conf->resolve_max;
	if (ms < (uint64_t)conf->resolve_min)
		ms = (uint64_t)conf->resolve_min;
	return ms;
}

static uint64_t
ttl_ms(const struct name *n)
{
	const struct resolve_found *v4 = &n->ask.v4, *v6 = &n->ask.v6;
	uint64_t ttl = UINT64_MAX;

	if (v4->status == ARES_SUCCESS)
		ttl = v4->ttl;
	if (v6->status == ARES_SUCCESS && v6->ttl < ttl)
		ttl = v6->ttl;
	return within(ttl * 1000, n->conf);
}

uint64_t
names_retry_ms(uint64_t least, unsigned failures, uint32_t random)
{
	uint64_t ms = least < RETRY_MAX_MS ? least : RETRY_MAX_MS;

	while (--failures > 0 && ms < RETRY_MAX_MS)
		ms *= 2;
	if (ms > RETRY_MAX_MS)
		ms = RETRY_MAX_MS;
	/* Between three quarters and five of it. */
	return ms - ms / 4 + ms / 2 * (random >> 16) / 65536;
}

static void
name_say(const struct name *n)
{
	if (n->ask.v4.left_out + n->ask.v6.left_out > 0 ||
	    n->v4.n + n->v6.n > CHAN_ADDRS)
		log_warnx("upstream %s: %s has more than %d addresses: the "
		    "others are not used", n->group, n->server, CHAN_ADDRS);
	else if (n->why[0] != '\0')
		log_info("upstream %s: %s resolves again", n->group,
		    n->server);
}

static void
name_known(struct name *n)
{
	struct name_set was = n->both;

	n->known = 1;
	set_take(&n->v4, &n->ask.v4);
	set_take(&n->v6, &n->ask.v6);
	set_usable(&n->both, &n->v4, &n->v6);
	if (!set_same(&was, &n->both))
		n->untold = 1;
	if (n->untold || n->why[0] != '\0')
		name_say(n);
	n->why[0] = '\0';
	n->failures = 0;
	if (n->untold)
		name_tell(n);
	name_due(n, ttl_ms(n));
}

static void
name_failed(struct name *n, int status)
{
	const char *text = resolve_text(status);
	uint64_t least = (uint64_t)n->conf->resolve_min;
	uint32_t random = 0;

	if (strcmp(n->why, text) != 0)
		log_warnx("upstream %s: %s can't be resolved: %s%s", n->group,
		    n->server, text, n->v4.n + n->v6.n == 0 ? "" :
		    "; what it was before stays");
	(void)snprintf(n->why, sizeof(n->why), "%s", text);
	n->failures++;
	name_mark(n, status);
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) == -1)
		random = (uint32_t)loop_clock_ms() << 16;
	name_due(n, names_retry_ms(least < 1 ? 1 : least, n->failures,
	    random));
}

static void
name_answered(struct resolve *r)
{
	struct name *n = (struct name *)(void *)((char *)r -
	    offsetof(struct name, ask));

	n->asking = 0;
	n->all->nasking--;
	if (r->v4.status == ARES_SUCCESS || r->v6.status == ARES_SUCCESS)
		name_known(n);
	else if (!is_none(&r->v4))
		name_failed(n, r->v4.status);
	else if (!is_none(&r->v6))
		name_failed(n, r->v6.status);
	else
		name_failed(n, r->v4.status == ARES_ENODATA ? ARES_ENODATA :
		    r->v6.status);
}

static void
name_ask(struct wheel_timer *t)
{
	struct name *n = (struct name *)(void *)((char *)t -
	    offsetof(struct name, due));
	struct resolve_to to = {
		.host = n->to.host,
		.port = n->to.port,
		.servers = n->conf->resolvers,
		.nservers = n->conf->nresolvers,
		.timeout_ms = (uint32_t)n->conf->resolve_timeout,
	};
	int status;

	if (n->all->nasking >= NAMES_ASKED) {
		name_due(n, BUSY_MS);
		return;
	}
	n->ask.loop = n->all->all->loop;
	n->ask.done = name_answered;
	if ((status = resolve_start(&n->ask, &to)) != ARES_SUCCESS) {
		name_failed(n, status);
		return;
	}
	n->asking = 1;
	n->all->nasking++;
}

/* -- which there are -- */

static size_t
name_key(char *key, const char *group, const char *server)
{
	size_t ng = strlen(group) + 1, ns = strlen(server);

	memcpy(key, group, ng);
	memcpy(key + ng, server, ns);
	return ng + ns;
}

static struct name *
name_add(struct names *all, const struct up_group *g, const struct up_entry *e,
    const char *key, size_t nkey)
{
	struct conf_server to;
	const char *why;
	struct name *n;

	memset(&to, 0, sizeof(to));
	if (conf_server_parse(e->server, &to, &why) == -1)
		return NULL;
	if (to.addr.len > 0) {
		conf_server_free(&to);
		return NULL;
	}
	n = xcalloc(1, sizeof(*n));
	n->all = all;
	n->conf = g->conf;
	memcpy(n->group, e->group, sizeof(n->group));
	memcpy(n->server, e->server, sizeof(n->server));
	n->to = to;
	n->due.fire = name_ask;
	n->seen = 1;
	TAILQ_INSERT_TAIL(&all->list, n, entry);
	map_put(&all->by_name, key, nkey, n);
	name_ask(&n->due);
	return n;
}

/* What whoever looked after it before has found: a family that fails keeps
 * that. */
static void
name_inherit(struct name *n, const struct addr *a)
{
	struct name_set *s = a->ss.ss_family == AF_INET6 ? &n->v6 : &n->v4;

	if (!n->known && a->len > 0 && s->n < RESOLVE_ADDRS)
		s->addrs[s->n++] = *a;
}

static void
name_remove(struct names *all, struct name *n)
{
	char key[UP_GROUP_MAX + UP_SERVER_MAX];

	if (n->asking) {
		resolve_cancel(&n->ask);
		all->nasking--;
	}
	wheel_remove(&all->all->loop->wheel, &n->due);
	(void)map_del(&all->by_name, key, name_key(key, n->group, n->server));
	TAILQ_REMOVE(&all->list, n, entry);
	TAILQ_INSERT_TAIL(&all->gone, n, entry);
	loop_defer(all->all->loop, &all->reap);
}

/* Events of this turn may name its sockets until now. */
static void
names_reap(struct loop_task *t)
{
	struct names *all = (struct names *)(void *)((char *)t -
	    offsetof(struct names, reap));
	struct name *n;

	while ((n = TAILQ_FIRST(&all->gone)) != NULL) {
		TAILQ_REMOVE(&all->gone, n, entry);
		conf_server_free(&n->to);
		free(n);
	}
}

/* One of the table's entries. */
static void
names_see(struct names *all, const struct up_entry *e)
{
	char key[UP_GROUP_MAX + UP_SERVER_MAX];
	struct up_group *g;
	struct name *n;
	size_t nkey;

	g = upstreams_find(all->all, e->group, strlen(e->group));
	if (g == NULL || (e->flags & UP_GONE) != 0)
		return;
	nkey = name_key(key, e->group, e->server);
	if ((n = map_get(&all->by_name, key, nkey)) == NULL &&
	    (n = name_add(all, g, e, key, nkey)) == NULL)
		return;
	n->seen = 1;
	name_inherit(n, &e->addr);
	/* It was not told, or has forgotten. */
	if (e->addr.len == 0 && n->both.n > 0)
		n->untold = 1;
}

/* 0, or -1: the master is at it, so not all of them may have been seen. */
static int
names_read(struct names *all)
{
	const struct up_table *t = all->all->table;
	uint32_t begun = atomic_load(&t->head->sequence);
	struct up_entry e;
	unsigned i;

	for (i = 0; i < up_entries(t); i++)
		if (up_entry_read(t, i, &e) == 0)
			names_see(all, &e);
	return begun % 2 == 0 && begun == atomic_load(&t->head->sequence) ?
	    0 : -1;
}

void
names_look(struct names *all)
{
	struct name *n, *next;
	int rc;

	TAILQ_FOREACH(n, &all->list, entry) {
		n->seen = 0;
		if (!n->known)
			n->v4.n = n->v6.n = 0;
	}
	rc = names_read(all);
	all->again = rc == -1;
	for (n = TAILQ_FIRST(&all->list); n != NULL; n = next) {
		next = TAILQ_NEXT(n, entry);
		if (!n->seen && rc == 0)
			name_remove(all, n);
		else if (n->untold)
			name_tell(n);
	}
}

void
names_init(struct names *all, struct upstreams *us,
    int (*tell)(void *, const struct chan_resolved *), void *arg)
{
	memset(all, 0, sizeof(*all));
	all->all = us;
	all->tell = tell;
	all->arg = arg;
	all->reap.run = names_reap;
	TAILQ_INIT(&all->list);
	TAILQ_INIT(&all->gone);
}

void
names_stop(struct names *all)
{
	struct name *n;

	while ((n = TAILQ_FIRST(&all->list)) != NULL)
		name_remove(all, n);
}

void
names_close(struct names *all)
{
	names_stop(all);
	loop_undefer(all->all->loop, &all->reap);
	names_reap(&all->reap);
	map_free(&all->by_name);
}

int
names_settled(const struct upstreams *all)
{
	const struct up_table *t = all->table;
	const struct up_health *h;
	struct up_entry e;
	unsigned i;

	for (i = 0; i < up_entries(t); i++) {
		h = &t->health[i];
		if (up_entry_read(t, i, &e) == -1 || e.addr.len > 0 ||
		    (e.flags & UP_GONE) != 0 ||
		    upstreams_find(all, e.group, strlen(e.group)) == NULL)
			continue;
		if (atomic_load(&h->id) != e.id ||
		    atomic_load(&h->why) != UP_WHY_NAME)
			return 0;
	}
	return 1;
}
