/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which worker a connection should be with: one of the pool whose route it asks
 * for, the one of ours that its plugin names, or one that has more room.
 */
#include <stddef.h>
#include <string.h>
#include "http/conn.h"
#include "worker/state.h"

/* ms after which a worker that does not say that it has a connection can have
 * it no more: it is stuck, and another one should. */
#define LEASE_MS	1000
#define LOOK_MS		100	/* a look at all of our pool holds so long, */
#define LOOK_MORE	8	/* or until we have so many and 1/8 more */
/* A connection that is on its way counts as so many: its taker is busy. */
#define UNTAKEN		8
/* So many refuse one in a moment, then it waits for the next. */
#define REFUSALS	2

static const struct board_cell *
cell_of(const struct worker *w, const struct handover_peer *p)
{
	return &w->board.cells[p->who.cell];
}

static uint64_t
active_at(const struct board_cell *cell)
{
	return atomic_load_explicit(&cell->active, memory_order_relaxed);
}

/* Does it serve, in that pool, and has room? */
static int
is_open(const struct worker *w, const struct handover_peer *p,
    const struct conf_pool *pool)
{
	const struct board_cell *cell = cell_of(w, p);

	return atomic_load(&cell->state) == CELL_READY &&
	    strcmp(p->who.pool, pool->name) == 0 &&
	    handover_has_room(p) && active_at(cell) + p->ngiven <
	    (uint64_t)w->conf->http.max_connections;
}

/* -- to another pool -- */

/*
 * The lower, the better.  Generations may disagree about whose a route is: one
 * that got the connection from another pool gives it to its own kind, for that
 * agrees with it.
 */
static uint64_t
badness(const struct worker *w, const struct handover_peer *p,
    const struct conn_away *away)
{
	uint64_t n = active_at(cell_of(w, p)) + (uint64_t)p->ngiven * UNTAKEN;

	if (n > UINT32_MAX)
		n = UINT32_MAX;
	if (board_running_ms(cell_of(w, p)) > BOARD_STUCK_MS ||
	    board_silent_ms(cell_of(w, p)) >= BOARD_SILENT_MS)
		n |= (uint64_t)1 << 32;
	if (away->hops > 0 && p->who.generation != w->init.generation)
		n |= (uint64_t)1 << 33;
	return n;
}

/* One that has been to and fro goes to those who agree with us, or else will be
 * right in the end, for which it waits. */
static int
knows_enough(const struct worker *w, const struct handover_peer *p,
    const struct conn_away *away)
{
	return away->hops < 2 || p->who.generation == w->init.generation ||
	    p->who.generation == atomic_load(&w->board.node->coming);
}

struct handover_peer *
passing_choose(struct worker *w, const struct conf_pool *pool,
    const struct conn_away *away)
{
	struct handover_peer *p, *best = NULL;
	uint64_t n, least = UINT64_MAX;

	TAILQ_FOREACH(p, &w->handover.peers, link) {
		if (p->who.cell + 1 == away->last || !is_open(w, p, pool) ||
		    !knows_enough(w, p, away))
			continue;
		if ((n = badness(w, p, away)) < least) {
			least = n;
			best = p;
		}
	}
	return best;
}

/* -- to one of ours -- */

/* Does it serve in our pool, in that slot? */
static int
is_in_slot(const struct worker *w, const struct handover_peer *p,
    uint32_t slot)
{
	return p->who.slot == slot && strcmp(p->who.pool, w->init.pool) == 0 &&
	    atomic_load(&cell_of(w, p)->state) == CELL_READY;
}

struct handover_peer *
passing_slot(const struct worker *w, uint32_t slot)
{
	uint64_t since = slot == w->init.slot ? w->cell->started_ms + 1 : 0;
	struct handover_peer *p, *last = NULL;

	TAILQ_FOREACH(p, &w->handover.peers, link)
		if (is_in_slot(w, p, slot) &&
		    cell_of(w, p)->started_ms >= since) {
			since = cell_of(w, p)->started_ms;
			last = p;
		}
	return last;
}

static struct handover_peer *
slot_choose(const struct worker *w, const struct conn_away *away)
{
	struct handover_peer *p = passing_slot(w, away->slot - 1);

	return p != NULL && p->who.cell + 1 != away->last &&
	    is_open(w, p, w->server.pool) ? p : NULL;
}

static const struct worker *
worker_of(const struct http_server *srv)
{
	return (const struct worker *)(const void *)((const char *)srv -
	    offsetof(struct worker, server));
}

static uint32_t
passing_slots(const struct http_server *srv)
{
	const struct worker *w = worker_of(srv);
	uint32_t n = (uint32_t)srv->pool->workers;
	const struct handover_peer *p;

	if (n <= w->init.slot)
		n = w->init.slot + 1;
	TAILQ_FOREACH(p, &w->handover.peers, link)
		if (p->who.slot >= n && is_in_slot(w, p, p->who.slot))
			n = p->who.slot + 1;
	return n;
}

static int32_t
passing_serves(const struct http_server *srv, uint32_t slot)
{
	const struct worker *w = worker_of(srv);

	if (slot >= passing_slots(srv))
		return HOSTD_E_INVAL;
	if (passing_slot(w, slot) != NULL)
		return HOSTD_OK;
	return slot == w->init.slot ? HOSTD_E_STATE : HOSTD_E_GONE;
}

/* -- giving -- */

/* Of those that are as good the one that has waited longest is next. */
static int
give_in_turn(struct worker *w, struct http_conn *c, struct handover_peer *p)
{
	if (conn_give(c, p, LEASE_MS) == -1)
		return -1;
	TAILQ_REMOVE(&w->handover.peers, p, link);
	TAILQ_INSERT_TAIL(&w->handover.peers, p, link);
	return 0;
}

static int
passing_away(struct http_server *srv, struct http_conn *c)
{
	struct worker *w = (struct worker *)(void *)((char *)srv -
	    offsetof(struct worker, server));
	struct handover_peer *p = NULL;

	if (c->away.refused < REFUSALS)
		p = c->away.slot != 0 ? slot_choose(w, &c->away) :
		    passing_choose(w, c->away.to, &c->away);
	if (p != NULL && give_in_turn(w, c, p) == 0)
		return 0;
	if (w->away_tick.deadline == 0)
		wheel_set(&w->loop.wheel, &w->away_tick, w->loop.now_ms +
		    WHEEL_TICK_MS);
	return -1;
}

void
passing_room(struct worker *w)
{
	if (!TAILQ_EMPTY(&w->server.away))
		http_server_pass(&w->server);
}

/* Nobody tells us when a worker gets ready; and one that had no room may have
 * some now. */
static void
passing_look(struct wheel_timer *t)
{
	struct worker *w = (struct worker *)(void *)((char *)t -
	    offsetof(struct worker, away_tick));
	struct http_conn *c;

	t->deadline = 0;
	TAILQ_FOREACH(c, &w->server.away, away_link)
		c->away.last = c->away.refused = 0;
	http_server_pass(&w->server);
}

/* -- within our own -- */

/* Connections of each worker of ours, on average. */
static uint64_t
mean_of_pool(const struct worker *w)
{
	uint64_t sum = w->server.nconns, n = 1;
	const struct handover_peer *p;

	TAILQ_FOREACH(p, &w->handover.peers, link) {
		if (atomic_load(&cell_of(w, p)->state) != CELL_READY ||
		    strcmp(p->who.pool, w->init.pool) != 0)
			continue;
		sum += active_at(cell_of(w, p));
		n++;
	}
	return sum / n;
}

/*
 * Far above the mean we begin to pass connections on, and go on until we are
 * near it.  Whoever gets one is below the mean, and as it takes much more to
 * pass one on, none comes back.
 */
static int
is_passing(struct worker *w)
{
	struct worker_balance *b = &w->balance;
	uint64_t n = w->server.nconns;

	if (w->loop.now_ms - b->looked_ms >= LOOK_MS ||
	    n >= b->had + LOOK_MORE + b->had / 8) {
		b->looked_ms = w->loop.now_ms;
		b->had = n;
		b->mean = mean_of_pool(w);
	}
	b->passing = b->passing ? 10 * n > 11 * b->mean + 40 :
	    4 * n > 5 * b->mean + 32;
	return b->passing;
}

struct handover_peer *
passing_lighter(struct worker *w)
{
	struct handover_peer *p, *best = NULL;
	uint64_t n, least;

	if (!is_passing(w))
		return NULL;
	least = w->balance.mean;
	TAILQ_FOREACH(p, &w->handover.peers, link)
		if (is_open(w, p, w->server.pool) &&
		    (n = active_at(cell_of(w, p)) + p->ngiven) < least) {
			least = n;
			best = p;
		}
	return best;
}

static int
passing_give(struct http_server *srv, struct http_conn *c)
{
	struct worker *w = (struct worker *)(void *)((char *)srv -
	    offsetof(struct worker, server));
	struct handover_peer *p;

	/* One that was not taken stays until its next request. */
	if (c->away.last != 0 || (p = passing_lighter(w)) == NULL)
		return -1;
	return give_in_turn(w, c, p);
}

void
passing_accepted(struct worker *w, struct http_conn *c)
{
	if (w->server.pool->balance && !w->draining)
		(void)passing_give(&w->server, c);
}

/* -- life -- */

void
passing_init(struct worker *w)
{
	w->server.pass = passing_away;
	w->server.slots = passing_slots;
	w->server.serves = passing_serves;
	if (w->server.pool->balance)
		w->server.give = passing_give;
	w->away_tick.fire = passing_look;
}

void
passing_close(struct worker *w)
{
	if (w->away_tick.fire != NULL)
		wheel_remove(&w->loop.wheel, &w->away_tick);
}
