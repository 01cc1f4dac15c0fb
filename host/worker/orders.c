/* SPDX-License-Identifier: BSD-2-Clause */
/* What the master says. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "config/syslog.h"
#include "plugin/control_service.h"
#include "worker/output.h"
#include "worker/state.h"

/* -- what the master says before START -- */

static void
take_init(struct worker *w, struct chan_msg *m)
{
	if (m->nfds != 5)
		fatalx("the master's first message lacks descriptors");
	memcpy(&w->init, m->data, sizeof(w->init));
	w->error_log = m->fds[1];
	log_set_fd(w->error_log);
	if (w->init.role == CHAN_ROLE_PROBE)
		log_set_context("probe gen %u", w->init.generation);
	else
		log_set_context("%s.%u gen %u pid %d", w->init.pool,
		    w->init.slot, w->init.generation, (int)getpid());
	if (board_attach(&w->board, m->fds[0]) == -1)
		fatal("mapping the board");
	if (up_table_attach(&w->servers, m->fds[2], m->fds[3]) == -1)
		fatal("mapping the table of servers");
	if (limit_table_attach(&w->limits, m->fds[4]) == -1)
		fatal("mapping the table of limits");
	if (w->init.cell >= BOARD_CELLS)
		fatalx("the master gave a cell that does not exist");
	w->cell = &w->board.cells[w->init.cell];
	worker_output_init(w->cell);
	m->nfds = 0;
}

static void
take_tickets(struct worker *w, struct chan_msg *m)
{
	if (m->nfds != 1 || w->tickets.page != NULL)
		return;
	m->nfds = 0;	/* it is closed in any case */
	if (tls_tickets_attach(&w->tickets, m->fds[0]) == -1)
		fatal("mapping the keys of tickets");
}

static struct acceptor *
take_listen(struct worker *w, struct chan_msg *m)
{
	const struct chan_listen *cl = (const void *)m->data;
	struct acceptor *a;

	if (m->nfds != 1)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	acceptor_init(a, &w->loop, m->fds[0], cl->shared != 0);
	a->arg = w;
	a->slot = cl->slot;
	(void)snprintf(a->name, sizeof(a->name), "%.*s",
	    (int)sizeof(a->name) - 1, cl->name);
	TAILQ_INSERT_TAIL(&w->acceptors, a, link);
	m->nfds = 0;
	return a;
}

/* Another worker. */
static void
take_peer(struct worker *w, struct chan_msg *m)
{
	const struct chan_peer *who = (const void *)m->data;
	struct worker_peer *p;

	if (m->nfds != 2)
		return;
	if (w->server.loop != NULL) {
		worker_meet(w, who, m->fds);
	} else {
		w->peers = xrealloc(w->peers, (w->npeers + 1) *
		    sizeof(*w->peers));
		p = &w->peers[w->npeers++];
		p->who = *who;
		memcpy(p->fds, m->fds, sizeof(p->fds));
	}
	m->nfds = 0;
}

static void
take_log(struct worker *w, struct chan_msg *m)
{
	const struct chan_log *cl = (const void *)m->data;

	if (m->nfds != 1)
		return;
	if (w->server.loop != NULL)
		access_logs_set_fd(&w->server.logs, cl->index, m->fds[0]);
	else if (cl->index < CHAN_MAX_FDS)
		w->log_fds[cl->index] = m->fds[0];
	else
		return;
	m->nfds = 0;
}

static void
take_error_log(struct worker *w, struct chan_msg *m)
{
	struct syslog form;

	if (m->nfds != 1)
		return;
	log_flush();
	log_set_sink(m->fds[0], syslog_of_errors(m->data, &form) ? &form :
	    NULL);
	close(w->error_log);
	w->error_log = m->fds[0];
	m->nfds = 0;
}

/* The next message, into w->msg.  0, or -1 when the master has gone. */
static int
next_message(struct worker *w)
{
	struct pollfd p = { .fd = CHAN_FD, .events = POLLIN };
	int rc;

	do {
		if (poll(&p, 1, -1) == -1 && errno != EINTR)
			fatal("waiting for the master");
		rc = chan_recv(CHAN_FD, &w->msg);
		if (rc == -1 && errno != EAGAIN && errno != EINTR)
			fatal("reading from the master");
	} while (rc == -1);
	return rc == 1 ? 0 : -1;
}

/* What a worker that does not serve yet is told of its place. */
static void
take_early(struct worker *w, struct chan_msg *m)
{
	if (m->type == CHAN_INIT)
		take_init(w, m);
	else if (m->type == CHAN_TICKETS)
		take_tickets(w, m);
	else if (m->type == CHAN_LISTEN)
		(void)take_listen(w, m);
	else if (m->type == CHAN_LOG)
		take_log(w, m);
	else if (m->type == CHAN_PEER)
		take_peer(w, m);
	else if (m->type == CHAN_ERROR_LOG)
		take_error_log(w, m);
	chan_close_fds(m);
}

/* Read messages until START; -1 when the master has gone. */
int
worker_receive_orders(struct worker *w)
{
	while (next_message(w) == 0) {
		if (w->msg.type == CHAN_START)
			return 0;
		take_early(w, &w->msg);
	}
	return -1;
}

int
worker_await_state(struct worker *w, int *fd)
{
	struct chan_msg *m = &w->msg;

	while (next_message(w) == 0 && m->type != CHAN_STOP) {
		if (m->type == CHAN_COLD)
			return 0;
		if (m->type == CHAN_STATE) {
			*fd = m->fds[0];
			return 0;
		}
		take_early(w, m);
	}
	return -1;
}

/* -- and from then on -- */

static void
worker_message(struct worker *w, struct chan_msg *m)
{
	const struct chan_drain *d = (const void *)m->data;
	const struct chan_return *r = (const void *)m->data;
	const struct chan_leave *l = (const void *)m->data;
	const struct chan_save *s = (const void *)m->data;
	struct acceptor *a;

	switch (m->type) {
	case CHAN_UNKNOWN:
		break;
	case CHAN_DRAIN:
		worker_drain(w, d->deadline_ms, d->last != 0);
		break;
	case CHAN_STOP:
		loop_stop(&w->loop);
		break;
	case CHAN_LISTEN:
		if (!w->draining && (a = take_listen(w, m)) != NULL)
			worker_borrow(w, a);
		break;
	case CHAN_FOLLOWED:
		moves_followed(w);
		break;
	case CHAN_UNFOLLOWED:
		w->unfollowed = 1;
		break;
	case CHAN_RETURN:
		worker_return(w, r->slot);
		break;
	case CHAN_LOG:
		take_log(w, m);
		break;
	case CHAN_PEER:
		take_peer(w, m);
		break;
	case CHAN_LEAVE:
		worker_leave(w, l->on != 0, l->window_ms);
		break;
	case CHAN_PING:
		/* That it has woken us is the answer. */
		break;
	case CHAN_ERROR_LOG:
		take_error_log(w, m);
		break;
	case CHAN_CALL:
		worker_calls_take(w, m);
		break;
	case CHAN_TOLD:
		control_service_told(&w->plugins, m);
		break;
	case CHAN_SAVE:
		worker_bequeath(w, s->max);
		break;
	case CHAN_ACCEPT:
		worker_go_on(w);
		break;
	default:
		log_warnx("unexpected message %u from the master", m->type);
	}
	chan_close_fds(m);
}

void
worker_chan_ready(struct loop_fd *fd, uint32_t events)
{
	struct worker *w = (struct worker *)(void *)((char *)fd -
	    offsetof(struct worker, chan));
	int rc;

	if (events & EPOLLOUT)
		worker_calls_flush(w);
	while ((rc = chan_recv(CHAN_FD, &w->msg)) == 1)
		worker_message(w, &w->msg);
	if (rc == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_del(&w->loop, fd);
	w->master_gone = 1;
	control_service_orphaned(&w->plugins);
	if (!w->serving) {
		loop_stop(&w->loop);
		return;
	}
	log_errorx("the master has gone: serving what is open, then ending");
	worker_drain(w, (uint64_t)w->conf->drain_timeout, 1);
}
