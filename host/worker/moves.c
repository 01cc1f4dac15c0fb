/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of ours that go on in other workers, and theirs in us. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include "http/conn.h"
#include "net/addr.h"
#include "worker/state.h"

/* -- coming -- */

/* How well a listening address fits a connection to local. */
static int
fitness(const struct addr *at, const struct sockaddr_storage *local)
{
	if (!addr_covers(&at->ss, local))
		return 0;
	return memcmp(&at->ss, local, at->len) == 0 ? 2 : 1;
}

/* The pool in whose listen block it was accepted; NULL: its address is
 * configured no more, so it should go. */
static const struct conf_pool *
moves_home(const struct worker *w, int fd)
{
	struct sockaddr_storage local = { 0 };
	const struct conf_pool *home = NULL;
	socklen_t n = sizeof(local);
	const struct conf_listen *l;
	int fit, best = 0;

	if (getsockname(fd, (struct sockaddr *)&local, &n) == -1)
		return NULL;
	TAILQ_FOREACH(l, &w->conf->listens, entry) {
		if ((fit = fitness(&l->addr, &local)) <= best)
			continue;
		best = fit;
		home = l->pool;
	}
	return home;
}

static enum handover_answer
moves_take(struct handover *h, unsigned kind, int fd, hostd_buf record)
{
	struct worker *w = (struct worker *)(void *)((char *)h -
	    offsetof(struct worker, handover));
	const struct conf_pool *home;

	/* It would have to leave again. */
	if (w->draining)
		return HANDOVER_ELSEWHERE;
	if ((home = moves_home(w, fd)) == NULL)
		return HANDOVER_REFUSED;
	if (kind == HANDOVER_HTTP &&
	    conn_take(&w->server, fd, home, record) == 0)
		return HANDOVER_TAKEN;
	return HANDOVER_REFUSED;
}

/* -- going -- */

/* Whoever follows in our place; else the worker of our pool that has the fewest
 * connections. */
struct handover_peer *
moves_heir(struct worker *w)
{
	struct handover_peer *p, *best = NULL;
	const struct board_cell *cell;
	uint64_t active, least = UINT64_MAX;

	TAILQ_FOREACH(p, &w->handover.peers, link) {
		cell = &w->board.cells[p->who.cell];
		if (strcmp(p->who.pool, w->init.pool) != 0 ||
		    atomic_load(&cell->state) != CELL_READY)
			continue;
		active = p->who.slot == w->init.slot ? 0 : 1 +
		    atomic_load_explicit(&cell->active, memory_order_relaxed);
		if (active < least) {
			least = active;
			best = p;
		}
	}
	return best;
}

static int
moves_give(struct http_server *srv, struct http_conn *c)
{
	struct worker *w = (struct worker *)(void *)((char *)srv -
	    offsetof(struct worker, server));

	return w->heir == NULL ? -1 : conn_give(c, w->heir, 0);
}

void
moves_begin(struct worker *w)
{
	if ((w->heir = moves_heir(w)) != NULL)
		w->server.give = moves_give;
}

/* The heir has taken some, or has gone. */
static void
moves_room(struct handover *h)
{
	struct worker *w = (struct worker *)(void *)((char *)h -
	    offsetof(struct worker, handover));

	passing_room(w);
	if (!w->draining || w->server.give == NULL)
		return;
	w->heir = moves_heir(w);
	if (w->heir != NULL) {
		http_server_give(&w->server);
		return;
	}
	/* Nobody takes them any more. */
	w->server.give = NULL;
	http_server_drain(&w->server, 0);
}

/* -- life -- */

void
worker_meet(struct worker *w, const struct chan_peer *who, const int fds[2])
{
	bus_add(&w->plugins.hub.bus, fds[0], who->cell);
	if (who->cell < BOARD_CELLS)
		handover_add(&w->handover, fds[1], who);
	else
		(void)close(fds[1]);
}

void
moves_init(struct worker *w)
{
	w->handover.take = moves_take;
	w->handover.room = moves_room;
	handover_init(&w->handover, &w->loop, &w->moved);
}

void
moves_close(struct worker *w)
{
	w->server.give = NULL;
	handover_close(&w->handover);
}
