/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of ours that go on in other workers, and theirs in us. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include "http/conn.h"
#include "net/addr.h"
#include "worker/state.h"

/* -- coming -- */

/* Was it accepted at an address that is ours?  One that is configured no more
 * should go. */
static int
moves_is_for_us(const struct worker *w, int fd)
{
	struct sockaddr_storage local = { 0 }, at = { 0 };
	socklen_t n = sizeof(local);
	const struct acceptor *a;

	if (getsockname(fd, (struct sockaddr *)&local, &n) == -1)
		return 0;
	TAILQ_FOREACH(a, &w->acceptors, link) {
		n = sizeof(at);
		if (getsockname(a->io.fd, (struct sockaddr *)&at, &n) == 0 &&
		    addr_covers(&at, &local))
			return 1;
	}
	return 0;
}

static enum handover_answer
moves_take(struct handover *h, unsigned kind, int fd, hostd_buf record)
{
	struct worker *w = (struct worker *)(void *)((char *)h -
	    offsetof(struct worker, handover));

	/* It would have to leave again. */
	if (w->draining)
		return HANDOVER_ELSEWHERE;
	if (!moves_is_for_us(w, fd))
		return HANDOVER_REFUSED;
	if (kind == HANDOVER_HTTP && conn_take(&w->server, fd, record) == 0)
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

	return w->heir == NULL ? -1 : conn_give(c, w->heir);
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
