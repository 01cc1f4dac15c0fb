/* SPDX-License-Identifier: BSD-2-Clause */
/* The command cache: what there is, and what it was good for. */
#include <inttypes.h>
#include <stdlib.h>
#include "cache_inside.h"

/* Files are counted on a pool thread. */
struct count {
	struct cache *cache;
	hostd_op op;
	uint64_t n, bytes;
};

static int32_t
stats_reply(struct cache *c, hostd_op op, uint64_t n, uint64_t bytes)
{
	const uint64_t *k = c->counts;
	const int disk = c->disk.dir != -1;

	return hostd_reply(c->inst, op, HOSTD_OK, "{\"store\":\"%s\","
	    "\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"max_bytes\":%" PRIu64 ",\"hits\":%" PRIu64
	    ",\"misses\":%" PRIu64 ",\"bypassed\":%" PRIu64
	    ",\"expired\":%" PRIu64 ",\"stale\":%" PRIu64
	    ",\"updating\":%" PRIu64 ",\"revalidated\":%" PRIu64 "}",
	    disk ? "disk" : "memory", n, bytes, disk ? c->disk.max :
	    c->memory.max, k[CACHE_IS_HIT], k[CACHE_IS_MISS],
	    k[CACHE_IS_BYPASS], k[CACHE_IS_EXPIRED], k[CACHE_IS_STALE],
	    k[CACHE_IS_UPDATING], k[CACHE_IS_REVALIDATED]);
}

static void
count_run(void *arg)
{
	struct count *u = arg;

	disk_usage(u->cache->disk.dir, &u->n, &u->bytes);
}

static void
count_done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct count *u = arg;

	if (status == HOSTD_OK)
		(void)stats_reply(u->cache, u->op, u->n, u->bytes);
	else
		(void)hostd_reply(in, u->op, status, "it ends");
	free(u);
}

int32_t
cache_stats(struct cache *c, hostd_op op)
{
	struct count *u;
	int32_t rc;

	if (c->easy->op == NULL || !HOSTD_HAS(c->easy->op, complete))
		return HOSTD_E_NOTSUP;
	if (c->disk.dir == -1)
		return stats_reply(c, op, c->memory.n, c->memory.bytes);
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return HOSTD_E_NOMEM;
	u->cache = c;
	u->op = op;
	rc = c->work->submit(c->easy->host, count_run, count_done, u);
	if (rc == HOSTD_OK)
		return HOSTD_DEFER;
	free(u);
	return rc;
}
