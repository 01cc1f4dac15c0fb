/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of ours that go on in other workers, and theirs in us. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include "http/conn.h"
#include "net/listener.h"
#include "plugin/ws_move.h"
#include "worker/state.h"

#define ALONE_MS	30000	/* without a limit of time */

static void	moves_held(struct hub *);

/* -- coming -- */

/* The pool in whose listen block it was accepted; NULL: its address is
 * configured no more, so it should go. */
static const struct conf_pool *
moves_home(const struct worker *w, int fd)
{
	const struct conf_listen *l = listener_block(w->conf, fd);

	return l != NULL ? l->pool : NULL;
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
	if (kind == HANDOVER_STREAM)
		return w->http2.hooks.take(&w->http2.hooks, fd, record) == 0 ?
		    HANDOVER_TAKEN : HANDOVER_REFUSED;
	if ((home = moves_home(w, fd)) == NULL)
		return HANDOVER_REFUSED;
	if (kind == HANDOVER_WEBSOCKET)
		return ws_move_take(&w->plugins, fd, record);
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
		    atomic_load(&cell->state) != CELL_READY ||
		    board_silent_ms(cell) >= BOARD_SILENT_MS)
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

/* Sockets go to one and the same worker while it is there: it holds messages of
 * their channels. */
static struct handover_peer *
moves_socket_heir(struct worker *w)
{
	struct handover_peer *p;

	TAILQ_FOREACH(p, &w->handover.peers, link)
		if (p == w->socket_heir &&
		    atomic_load(&w->board.cells[p->who.cell].state) ==
		    CELL_READY)
			return p;
	return moves_heir(w);
}

/* It asks for channels that the heir does not hold yet to be held. */
static enum ws_given
moves_give_socket(struct ws_server *srv, struct ws_conn *c)
{
	struct worker *w = (struct worker *)(void *)((char *)srv -
	    offsetof(struct worker, sockets));

	if ((w->socket_heir = moves_socket_heir(w)) == NULL)
		return WS_NOT_NOW;
	if (ws_move_is_ready(&w->plugins, c, w->socket_heir))
		return ws_move_give(c, w->socket_heir);
	hub_hold(&w->plugins.hub, w->socket_heir->who.cell, moves_held);
	return WS_NOT_THIS;
}

/* Is anything on its way?  Perhaps to one that was the heir before. */
static int
moves_are_under_way(const struct worker *w)
{
	const struct handover_peer *p;

	TAILQ_FOREACH(p, &w->handover.peers, link)
		if (p->ngiven > 0)
			return 1;
	return 0;
}

/* What is held grows, so that is not for those who can't go yet. */
static void
moves_give_sockets(struct worker *w)
{
	size_t waiting = ws_server_give(&w->sockets);

	w->socket_heir = moves_socket_heir(w);
	if (waiting == 0 && !moves_are_under_way(w))
		hub_hold_end(&w->plugins.hub);
}

static void
moves_held(struct hub *hub)
{
	struct worker *w = (struct worker *)(void *)((char *)hub -
	    offsetof(struct worker, plugins.hub));

	if (w->sockets.give != NULL)
		moves_give_sockets(w);
}

/* Nobody takes them any more. */
static void
moves_end(struct worker *w, uint32_t deadline_ms)
{
	w->server.give = NULL;
	w->sockets.give = NULL;
	http_server_drain(&w->server, 0);
	ws_server_drain(&w->sockets, deadline_ms, 0);
}

static uint32_t
moves_time_left(const struct worker *w)
{
	uint64_t until = w->deadline.deadline;

	if (until == 0)
		return ALONE_MS;
	return until > w->loop.now_ms ? (uint32_t)(until - w->loop.now_ms) : 1;
}

static void
moves_alone(struct wheel_timer *t)
{
	struct worker *w = (struct worker *)(void *)((char *)t -
	    offsetof(struct worker, alone));

	if (w->server.give == NULL)
		return;
	/* Nobody tells of one that was stuck, and is not any more. */
	if (moves_heir(w) != NULL)
		moves_followed(w);
	else
		moves_end(w, moves_time_left(w));
}

/* One that has ended is replaced soon; until then what is here is served here,
 * for half of the time. */
static void
moves_wait(struct worker *w)
{
	if (w->unfollowed)
		moves_end(w, moves_time_left(w));
	else if (w->alone.deadline == 0)
		wheel_set(&w->loop.wheel, &w->alone,
		    w->loop.now_ms + moves_time_left(w) / 2);
}

void
moves_begin(struct worker *w, uint32_t deadline_ms)
{
	w->heir = moves_heir(w);
	w->server.give = moves_give;
	w->sockets.give = moves_give_socket;
	http_server_drain(&w->server, 0);
	ws_server_drain(&w->sockets, deadline_ms, 0);
	if (w->heir != NULL)
		moves_give_sockets(w);
	else
		moves_wait(w);
}

void
moves_followed(struct worker *w)
{
	if (!w->draining || w->server.give == NULL)
		return;
	if ((w->heir = moves_heir(w)) != NULL) {
		wheel_clear(&w->alone);
		http_server_give(&w->server);
		moves_give_sockets(w);
	} else {
		moves_wait(w);
	}
}

/* The heir has taken some, or has gone. */
static void
moves_room(struct handover *h)
{
	struct worker *w = (struct worker *)(void *)((char *)h -
	    offsetof(struct worker, handover));

	passing_room(w);
	moves_followed(w);
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
	w->alone.fire = moves_alone;
	handover_init(&w->handover, &w->loop, &w->moved);
}

void
moves_close(struct worker *w)
{
	w->server.give = NULL;
	w->sockets.give = NULL;
	handover_close(&w->handover);
}
