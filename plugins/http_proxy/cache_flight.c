/* SPDX-License-Identifier: BSD-2-Clause */
/* One request to a server for each key; the others wait for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cache_inside.h"

static unsigned
bucket_of(const struct cache_name *n)
{
	return (unsigned)((n->a ^ n->variant) % FLIGHT_BUCKETS);
}

struct cache_flight *
flight_find(struct cache *c, const struct cache_name *name)
{
	struct cache_flight *f;

	LIST_FOREACH(f, &c->flights[bucket_of(name)], entry)
		if (memcmp(&f->name, name, sizeof(*name)) == 0)
			return f;
	return NULL;
}

static void	on_tick(struct hostd_inst *, hostd_timer, void *arg);

static void
tick_start(struct cache *c)
{
	if (c->tick.id == 0)
		(void)c->timer->start(c->easy->host, TICK_MS, TICK_MS,
		    on_tick, c, &c->tick);
}

int
flight_start(struct cache *c, const struct cache_name *name,
    struct cache_flight **out)
{
	struct cache_flight *f;
	int rc = 0;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return DISK_ERROR;
	f->name = *name;
	f->part.fd = -1;
	TAILQ_INIT(&f->waiters);
	if (c->disk.dir != -1)
		rc = disk_lock(&c->disk, name, &f->part);
	if (rc == DISK_ERROR) {
		store_complain(c, strerror(errno));
		free(f);
		return rc;
	}
	f->foreign = rc == DISK_BUSY;
	if (f->foreign) {
		c->nforeign++;
		tick_start(c);
	}
	LIST_INSERT_HEAD(&c->flights[bucket_of(name)], f, entry);
	*out = f;
	return rc;
}

/* -- waiting -- */

static void
go_on(struct cache *c, struct cache_use *use)
{
	const struct hostd_request *r = c->easy->http->request(c->easy->host,
	    use->req);
	hostd_buf key = { use->key, use->nkey };
	enum cache_verdict v = CACHE_OFF;

	if (r != NULL)
		v = cache_decide(use, r, key);
	if (v != CACHE_WAIT)
		c->ready(c->inst, use, v);
}

void
flight_leave(struct cache_use *use)
{
	TAILQ_REMOVE(&use->flight->waiters, use, entry);
	use->flags &= ~USE_WAITING;
	use->flight = NULL;
	use->cache->nwaiting--;
}

/* Has the other worker ended with it?  If nobody here waits for that, whoever
 * comes next finds out. */
static void
look_after_foreign(struct cache *c, struct cache_flight *f)
{
	if (!f->foreign || (!TAILQ_EMPTY(&f->waiters) &&
	    disk_lock(&c->disk, &f->name, &f->part) != 0))
		return;
	disk_abort(&c->disk, &f->part);
	flight_end(c, f);
}

static void
end_waits(struct cache *c, struct cache_flight *f, uint64_t now)
{
	struct cache_use *use;

	/* In order of their time; going on may end f. */
	while ((use = TAILQ_FIRST(&f->waiters)) != NULL &&
	    use->until_ms <= now) {
		use->flags |= USE_WAITED;
		flight_leave(use);
		go_on(c, use);
	}
}

static void
on_tick(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct cache *c = arg;
	struct cache_flight *f, *next;
	uint64_t now = c->easy->host->now_ms(c->easy->host);
	unsigned i;

	(void)in;
	for (i = 0; i < FLIGHT_BUCKETS; i++)
		for (f = LIST_FIRST(&c->flights[i]); f != NULL; f = next) {
			next = LIST_NEXT(f, entry);
			end_waits(c, f, now);
			look_after_foreign(c, f);
		}
	if (c->nwaiting + c->nforeign > 0)
		return;
	(void)c->timer->stop(c->easy->host, t);
	c->tick.id = 0;
}

void
flight_wait(struct cache_use *use, struct cache_flight *f)
{
	struct cache *c = use->cache;

	if (use->until_ms == 0)
		use->until_ms = c->easy->host->now_ms(c->easy->host) +
		    c->lock_ms;
	use->flight = f;
	use->flags |= USE_WAITING;
	TAILQ_INSERT_TAIL(&f->waiters, use, entry);
	c->nwaiting++;
	tick_start(c);
}

/* Of a prefix all: they do not know their keys, and it is seldom. */
void
flights_spoil(struct cache *c, hostd_buf key, int prefix)
{
	struct cache_flight *f;
	struct cache_name name;
	unsigned i;

	object_name(key, 0, &name);
	for (i = 0; i < FLIGHT_BUCKETS; i++)
		LIST_FOREACH(f, &c->flights[i], entry)
			if (prefix || (f->name.a == name.a &&
			    f->name.b == name.b))
				f->spoilt = 1;
}

void
flight_end(struct cache *c, struct cache_flight *f)
{
	struct cache_use *use;
	TAILQ_HEAD(, cache_use) all = TAILQ_HEAD_INITIALIZER(all);

	LIST_REMOVE(f, entry);
	c->nforeign -= f->foreign != 0;
	disk_abort(&c->disk, &f->part);
	/* Those who go on may wait again, but for another one. */
	while ((use = TAILQ_FIRST(&f->waiters)) != NULL) {
		flight_leave(use);
		TAILQ_INSERT_TAIL(&all, use, entry);
	}
	free(f);
	while ((use = TAILQ_FIRST(&all)) != NULL) {
		TAILQ_REMOVE(&all, use, entry);
		go_on(c, use);
	}
}
