/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server for a request: the balancer is asked, what it says is checked, and
 * when it finds none, a backup serves.
 */
#include <string.h>
#include "base/log.h"
#include "upstream/group.h"

/* splitmix64: fast, and nobody's secret depends on it. */
static uint64_t
next_random(struct upstreams *all)
{
	uint64_t z = all->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void
find_key(struct up_group *g, struct up_search *s)
{
	struct up_balancer *b = g->balancer;

	s->has_key = 1;
	s->key.p = NULL;
	s->key.n = 0;
	if (b->key == NULL || s->request == NULL ||
	    (s->flags & HOSTD_PICK_STREAM) != 0)
		return;
	if (b->key(b, g->data, s->request, s->room, &s->key) != HOSTD_OK) {
		s->key.p = NULL;
		s->key.n = 0;
	}
}

static int
is_tried(const struct hostd_pick *k, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < k->ntried; i++)
		if (k->tried[i] == id)
			return 1;
	return 0;
}

static int
is_full(const struct up_peer *p)
{
	return p->is.max_conns != 0 && up_inflight(p->group->all->table,
	    p->index) >= p->is.max_conns;
}

/* What has failed this request, and what is full. */
static uint32_t
list_tried(struct up_group *g, const struct up_search *s, int *full)
{
	const struct up_peer *p;
	uint32_t n = s->ntried;

	memcpy(g->tried, s->tried, n * sizeof(*g->tried));
	if (!g->limited)
		return n;
	TAILQ_FOREACH(p, &g->peers, entry)
		if ((p->view.flags & HOSTD_PEER_DOWN) == 0 && is_full(p)) {
			g->tried[n++] = p->id;
			*full = 1;
		}
	return n;
}

static void
make_pick(struct up_group *g, struct up_search *s, struct hostd_pick *k)
{
	memset(k, 0, sizeof(*k));
	k->struct_size = sizeof(*k);
	k->flags = s->flags;
	k->tried = s->tried;
	k->ntried = s->ntried;
	k->random = next_random(g->all);
	k->key = s->key;
	k->client = s->client;
}

/* May the balancer have picked that? */
static int
is_sane(const struct up_peer *p, const struct hostd_pick *k)
{
	if (p == NULL || (p->view.flags & HOSTD_PEER_DOWN) != 0 ||
	    is_tried(k, p->id))
		return 0;
	return (p->view.flags & HOSTD_PEER_DRAINING) == 0 || k->key.p != NULL;
}

static void
blame(struct up_group *g, uint32_t id, const struct up_peer *p)
{
	if (g->blamed || (g->refused && p == NULL))
		return;
	g->blamed = 1;
	log_errorx("upstream %s: balancer %s picks server %u, which %s; the "
	    "next one that may is taken instead, and this is not said again",
	    g->conf->name, g->balancer->name, id, p == NULL ?
	    "is not in the group" : (p->view.flags & HOSTD_PEER_DOWN) != 0 ?
	    "is down" : (p->view.flags & HOSTD_PEER_DRAINING) != 0 ?
	    "is draining" : "was tried, or is full");
}

/* The one with the fewest for its weight that may serve; backups, too, when
 * the others are full or have failed this request. */
static struct up_peer *
choose(struct up_group *g, const struct hostd_pick *k, int backups)
{
	struct up_peer *p, *best = NULL;
	uint64_t load, least = 0;

	TAILQ_FOREACH(p, &g->peers, entry) {
		if (!peer_is_up(p, g->all->loop->now_ms) ||
		    (p->is.flags & UP_DRAINING) != 0 || is_tried(k, p->id) ||
		    ((p->is.flags & UP_BACKUP) != 0) != backups ||
		    (backups && is_full(p)))
			continue;
		load = ((uint64_t)up_inflight(g->all->table, p->index) << 16) /
		    p->view.weight;
		if (best == NULL || load < least) {
			best = p;
			least = load;
		}
	}
	return best;
}

/* The balancer's choice, or what is to be done without it; NULL: none. */
static struct up_peer *
ask(struct up_group *g, const struct hostd_pick *k, int *asked)
{
	struct up_balancer *b = g->balancer;
	struct up_peer *p;
	uint32_t id = 0;

	*asked = 0;
	if (b->pick(b, g->data, k, &id) == HOSTD_OK) {
		p = group_peer(g, id);
		if (is_sane(p, k)) {
			*asked = 1;
			return p;
		}
		blame(g, id, p);
		if ((p = choose(g, k, 0)) != NULL)
			return p;
	}
	return choose(g, k, 1);
}

static void
count_in(struct up_peer *p, int by)
{
	struct up_count *c = peer_count(p);

	/* Only we write it. */
	atomic_store_explicit(&c->inflight, atomic_load_explicit(&c->inflight,
	    memory_order_relaxed) + (uint32_t)by, memory_order_release);
}

/* It is busy from now on.  0, or -1: another worker was faster. */
static int
take(struct up_peer *p)
{
	const struct upstreams *all = p->group->all;

	if (p->is.max_conns == 0)
		count_in(p, 1);
	else if (up_take(all->table, all->cell, p->index,
	    p->is.max_conns) == -1)
		return -1;
	if (peer_try(p, all->loop->now_ms) == 0)
		return 0;
	count_in(p, -1);
	return -1;
}

/* It was picked, and will not be used. */
static void
take_back(struct up_peer *p)
{
	static const struct hostd_report full = {
		.struct_size = sizeof(full), .rc = HOSTD_E_FULL,
	};
	struct up_balancer *b = p->group->balancer;

	if (b->report != NULL)
		b->report(b, p->group->data, p->id, &full);
}

int32_t
group_pick(struct up_group *g, struct up_search *s, struct up_peer **out,
    int *full)
{
	struct hostd_pick k;
	struct up_peer *p;
	int asked;

	*full = 0;
	group_look(g);
	if (g->balancer == NULL || g->npeers == 0 || s->ntried == UP_TRIES_MAX)
		return HOSTD_E_FULL;
	if (!s->has_key)
		find_key(g, s);
	make_pick(g, s, &k);
	k.tried = g->tried;
	k.ntried = list_tried(g, s, full);
	while ((p = ask(g, &k, &asked)) != NULL) {
		if (take(p) == 0)
			break;
		if (asked)
			take_back(p);
		if (p->is.max_conns != 0)
			*full = 1;
		g->tried[k.ntried++] = p->id;
	}
	if (p == NULL)
		return HOSTD_E_FULL;
	*full = 0;
	board_add(&peer_count(p)->requests, 1);
	if (!asked)
		s->ours |= 1u << s->ntried;
	s->tried[s->ntried++] = p->id;
	peer_hold(p);
	*out = p;
	return HOSTD_OK;
}

/* -- afterwards -- */

void
group_forget(struct up_search *s)
{
	s->request = NULL;
	if (s->key.p == NULL)
		return;
	if (s->key.n > sizeof(s->room)) {
		s->key = (hostd_buf){ NULL, 0 };
		return;
	}
	memmove(s->room, s->key.p, s->key.n);
	s->key.p = s->room;
}

static int
balancer_was_asked(const struct up_search *s, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < s->ntried; i++)
		if (s->tried[i] == id)
			return (s->ours & 1u << i) == 0;
	return 0;
}

static void
judge(struct up_peer *p, const struct hostd_report *r, uint32_t why,
    uint32_t what)
{
	uint64_t now = p->group->all->loop->now_ms;
	uint64_t began = now - (r->total_us / 1000 < now ? r->total_us / 1000 :
	    now);

	if (r->rc == HOSTD_E_IO || r->rc == HOSTD_E_TIMEOUT) {
		board_add(&peer_count(p)->failures, 1);
		peer_failed(p, why, what, now);
	} else if (r->rc == HOSTD_OK || r->status != 0)
		peer_served(p, began, now);
	else
		peer_untried(p, began, now);
}

void
group_report(struct up_peer *p, struct up_search *s,
    const struct hostd_report *r, uint32_t why, uint32_t what)
{
	struct up_balancer *b = p->group->balancer;

	if (p->own != NULL) {
		peer_release(p);
		return;
	}
	count_in(p, -1);
	if (r->header_us != 0) {
		board_add(&peer_count(p)->header_us, r->header_us);
		peer_latency(p, r->header_us);
	}
	judge(p, r, why, what);
	if (b != NULL && b->report != NULL && balancer_was_asked(s, p->id))
		b->report(b, p->group->data, p->id, r);
	peer_release(p);
}

void
group_answered(struct up_peer *p, struct up_search *s, int32_t status,
    const hostd_hdr *hdrs, uint32_t nhdrs)
{
	struct up_balancer *b = p->group->balancer;
	struct hostd_pick k;

	if (b == NULL || b->answered == NULL || p->own != NULL)
		return;
	make_pick(p->group, s, &k);
	b->answered(b, p->group->data, p->id, &k, status, hdrs, nhdrs);
}

int32_t
group_cookie(struct up_peer *p, struct up_search *s, char *room, size_t size,
    hostd_buf *out)
{
	struct up_balancer *b = p->group->balancer;
	struct hostd_pick k;
	int32_t rc;

	if (b == NULL || b->cookie == NULL || p->own != NULL)
		return HOSTD_PASS;
	make_pick(p->group, s, &k);
	rc = b->cookie(b, p->group->data, p->id, &k, room, size, out);
	return rc == HOSTD_OK && out->p != NULL ? HOSTD_OK : HOSTD_PASS;
}
