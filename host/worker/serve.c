/* SPDX-License-Identifier: BSD-2-Clause */
/* Serving: connections come, are lent and returned, and drain away. */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "http/conn.h"
#include "limit/access.h"
#include "limit/budget.h"
#include "worker/state.h"

/* Connections above the limit that are told so properly. */
#define REFUSED_MAX	64

static int
worker_accepts(const struct worker *w)
{
	return !w->full && !w->held;
}

static void
worker_set_acceptors(struct worker *w)
{
	struct acceptor *a;

	TAILQ_FOREACH(a, &w->acceptors, link) {
		if (!worker_accepts(w))
			acceptor_stop(a);
		else if (acceptor_start(a) == -1)
			log_warn("listening again after a pause");
	}
}

static void
worker_set_full(struct worker *w, int full)
{
	w->full = full;
	worker_set_acceptors(w);
}

void
worker_hold(struct worker *w, int on)
{
	w->held = on;
	worker_set_acceptors(w);
}

static int
is_stream(const struct acceptor *a)
{
	return a->listen != NULL && a->listen->mode == CONF_MODE_STREAM;
}

static int
has_tls(const struct acceptor *a)
{
	return a->listen != NULL && a->listen->tls != NULL;
}

/* A refusal takes a connection, too, until the client has read it.  When there
 * are many of them, the next are told in passing. */
static void
worker_refuse(struct acceptor *a, int fd, const struct sockaddr *sa)
{
	struct worker *w = a->arg;
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n";

	/* A handshake costs more than an answer. */
	if (is_stream(a) || has_tls(a)) {
		(void)close(fd);
		return;
	}
	if (w->server.nconns < (size_t)w->server.limits->max_connections +
	    REFUSED_MAX) {
		conn_open_refused(&w->server, fd, sa);
		return;
	}
	(void)send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

static void
worker_take(struct acceptor *a, int fd, const struct sockaddr *sa,
    struct http_lease *lease, int shed)
{
	struct worker *w = a->arg;
	struct http_conn *c;

	if (is_stream(a)) {
		tcp_open(&w->streams, a->listen, fd, sa, lease);
		return;
	}
	if ((c = conn_open(&w->server, fd, sa)) == NULL) {
		leases_end(&lease);
		return;
	}
	c->leases = lease;
	c->shed = (uint8_t)shed;
	if (a->listen != NULL && a->listen->proxy_protocol)
		conn_expect_proxy(c, (uint32_t)a->listen->hello_timeout);
	if (has_tls(a))
		conn_expect_tls(c, worker_tls(w, a->listen->tls));
	passing_accepted(w, c);
}

/* Those that come are turned away, where their route lets them. */
static int
is_above_budget(struct worker *w)
{
	const struct conf_budget *b = &w->conf->budget;
	int changed, is;

	if (b->max_connections == 0)
		return 0;
	is = budget_connections(&w->limits, b, budget_count(&w->limits,
	    &w->board) + 1, &changed);
	if (changed && is)
		log_warnx("budget: there are more than max_connections = %lld "
		    "connections; those that come are turned away",
		    (long long)b->max_connections);
	else if (changed)
		log_info("budget: there are fewer connections again");
	return is;
}

static int
worker_accepted(struct acceptor *a, int fd, const struct sockaddr *sa)
{
	struct worker *w = a->arg;
	const struct conf_http *lim = w->server.limits;
	struct http_lease *lease = NULL;
	int shed = is_above_budget(w);

	if ((shed && is_stream(a)) || (a->listen != NULL &&
	    !limits_admit(&w->plugins.limits, lim, a->listen, sa, &lease))) {
		board_add(&w->cell->counters.refused, 1);
		(void)close(fd);
		return 0;
	}
	if (w->server.nconns >= (size_t)lim->max_connections) {
		board_add(&w->cell->counters.refused, 1);
		if (lim->over_limit_503) {
			leases_end(&lease);
			worker_refuse(a, fd, sa);
			return 0;
		}
	}
	worker_take(a, fd, sa, lease, shed);
	if (!lim->over_limit_503 && !w->draining &&
	    w->server.nconns >= (size_t)lim->max_connections) {
		worker_set_full(w, 1);
		return -1;
	}
	return 0;
}

static void
worker_starved(struct acceptor *a)
{
	struct worker *w = a->arg;

	atomic_store_explicit(&w->cell->starved_ms, w->loop.now_ms,
	    memory_order_relaxed);
}

static void
worker_bequeathed(struct hub *hub)
{
	struct worker *w = (struct worker *)(void *)((char *)hub -
	    offsetof(struct worker, plugins.hub));

	loop_stop(&w->loop);
}

/* Has the last connection gone?  What is remembered goes to whoever follows. */
static void
worker_finish(struct worker *w)
{
	struct handover_peer *heir;

	if (w->server.nconns > 0 || (w->plugins.nstays > 0 && !w->is_last))
		return;
	heir = w->master_gone ? NULL : moves_heir(w);
	hub_hold_end(&w->plugins.hub);
	if (heir != NULL)
		hub_bequeath(&w->plugins.hub, heir->who.cell,
		    worker_bequeathed);
	else
		loop_stop(&w->loop);
}

void
worker_conn_ended(struct http_server *srv)
{
	struct worker *w = (struct worker *)(void *)((char *)srv -
	    offsetof(struct worker, server));

	if (w->full && !w->draining)
		worker_set_full(w, 0);
	if (w->draining)
		worker_finish(w);
}

/* What comes there is ours now, by our own configuration. */
static int
worker_accept(struct worker *w, struct acceptor *a)
{
	const struct conf_listen *l;

	TAILQ_FOREACH(l, &w->conf->listens, entry)
		if (strncmp(l->name, a->name, sizeof(a->name) - 1) == 0)
			a->listen = l;
	a->accepted = worker_accepted;
	a->starved = worker_starved;
	return worker_accepts(w) ? acceptor_start(a) : 0;
}

/* Another slot's socket, whose own worker is not there. */
void
worker_borrow(struct worker *w, struct acceptor *a)
{
	if (worker_accept(w, a) == -1)
		log_warn("watching a borrowed socket");
}

void
worker_return(struct worker *w, uint32_t slot)
{
	struct acceptor *a, *next;

	for (a = TAILQ_FIRST(&w->acceptors); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		if (a->slot != slot || slot == w->init.slot)
			continue;
		acceptor_empty(a);
		acceptor_close(a);
		TAILQ_REMOVE(&w->acceptors, a, link);
		TAILQ_INSERT_TAIL(&w->returned, a, link);
	}
}

static void
worker_deadline(struct wheel_timer *t)
{
	struct worker *w = (struct worker *)(void *)((char *)t -
	    offsetof(struct worker, deadline));

	log_warnx("%zu connections were still open at the drain deadline%s",
	    w->server.nconns, w->plugins.nstays > 0 ? ", and a plugin had "
	    "something left to end" : "");
	loop_stop(&w->loop);
}

/* Nobody follows. */
static void
worker_send_away(struct worker *w, uint32_t deadline_ms)
{
	w->is_last = 1;
	w->server.give = NULL;
	w->sockets.give = NULL;
	http_server_drain(&w->server, 1);
	ws_server_drain(&w->sockets, deadline_ms, 1);
}

/*
 * No new connections but those that wait in the queue; what is open ends as
 * its requests end.  The sockets are closed now: if no successor has them, the
 * kernel must not queue anybody on them any more.
 */
void
worker_drain(struct worker *w, uint64_t deadline_ms, int last)
{
	struct acceptor *a;

	if (w->draining) {
		if (last) {
			worker_send_away(w, 0);
			worker_finish(w);
		}
		return;
	}
	w->draining = 1;
	w->server.give = NULL;
	lead_stop(&w->lead);
	log_info("draining, %zu connections open", w->server.nconns);
	TAILQ_FOREACH(a, &w->acceptors, link) {
		acceptor_empty(a);
		acceptor_close(a);
	}
	if (!w->master_gone)
		(void)chan_send(CHAN_FD, CHAN_CLOSED, NULL, 0, NULL, 0);
	plugins_drain(&w->plugins, (uint32_t)deadline_ms);
	if (deadline_ms > 0)
		wheel_set(&w->loop.wheel, &w->deadline,
		    w->loop.now_ms + deadline_ms);
	if (last)
		worker_send_away(w, (uint32_t)deadline_ms);
	else
		moves_begin(w, (uint32_t)deadline_ms);
	worker_finish(w);
}

void
worker_leave(struct worker *w, int on, uint32_t window_ms)
{
	if (w->draining)
		return;
	http_server_leave(&w->server, on, window_ms);
	ws_server_leave(&w->sockets, on, window_ms);
}

static void
worker_signalled(struct loop_fd *fd, uint32_t events)
{
	struct worker *w = (struct worker *)(void *)((char *)fd -
	    offsetof(struct worker, signals));
	struct signalfd_siginfo si;

	(void)events;
	while (read(fd->fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		loop_stop(&w->loop);
}

/* SIGTERM ends at once: a drain is asked for over the channel.  The terminal's
 * SIGINT goes to the master, which decides. */
static void
worker_signals(struct worker *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	w->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	w->signals.ready = worker_signalled;
	if (w->signals.fd == -1 ||
	    loop_add(&w->loop, &w->signals, EPOLLIN) == -1)
		fatal("watching signals");
}

/* Before plugins make threads, which inherit it: a signal that one of them does
 * not block would end us. */
void
worker_hold_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	work_service_watch();
}

void
worker_listen(struct worker *w)
{
	w->chan.fd = CHAN_FD;
	w->chan.ready = worker_chan_ready;
	w->deadline.fire = worker_deadline;
	worker_signals(w);
	if (loop_add(&w->loop, &w->chan, EPOLLIN) == -1)
		fatal("watching the channel");
}

void
worker_start_serving(struct worker *w)
{
	struct acceptor *a;

	w->serving = 1;
	TAILQ_FOREACH(a, &w->acceptors, link)
		if (worker_accept(w, a) == -1)
			fatal("watching a listening socket");
}
