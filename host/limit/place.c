/* SPDX-License-Identifier: BSD-2-Clause */
/* limit_conn: so many requests of a key at the same time. */
#include "base/board.h"
#include "limit/limits.h"

/* One more request of that zone; HOSTD_OK, or it was answered. */
static int32_t
zone_enter(struct limits *all, struct zone *z, struct http_req *r)
{
	uint64_t key = zone_key(z, r);
	struct http_lease *l;
	int32_t place;

	if (key == 0)
		return HOSTD_OK;
	l = limits_lease(all, z->count, key, (uint32_t)z->conf->max, &place);
	if (l != NULL)
		lease_add(&r->leases, l);
	if (place != LIMIT_FULL) {
		board_add(&z->count->passed, 1);
		if (r->limited_places == LIMITED_NONE)
			r->limited_places = LIMITED_PASSED;
		return HOSTD_OK;
	}
	zone_tell(z, r, all->loop->now_ms);
	if (z->conf->dry_run) {
		board_add(&z->count->dry_refused, 1);
		r->limited_places = LIMITED_REJECTED_DRY;
		return HOSTD_OK;
	}
	board_add(&z->count->refused, 1);
	r->limited_places = LIMITED_REJECTED;
	return limits_refuse(r, z->conf->status, 0);
}

int32_t
place_enter(struct http_gate *gate, struct http_req *r)
{
	struct limit_gate *g = (struct limit_gate *)(void *)gate;
	int32_t rc = HOSTD_OK;
	size_t i;

	if (r->limits_passed & g->bit)
		return HOSTD_OK;
	r->limits_passed |= g->bit;
	for (i = 0; i < g->n && rc == HOSTD_OK; i++)
		rc = zone_enter(g->all, g->zones[i], r);
	return rc;
}
