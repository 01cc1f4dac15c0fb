/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "config/snapshot.h"
#include "http/conn.h"
#include "http/router.h"
#include "http/server.h"
#include "net/acceptor.h"
#include "net/chan.h"
#include "plugin/plugins.h"
#include "worker/privilege.h"
#include "worker/worker.h"

#define REFUSED_MAX 64

struct worker {
	struct loop loop;
	struct loop_fd chan;
	struct loop_fd signals;
	struct loop_hook hook;
	struct wheel_timer deadline;
	struct chan_init init;
	struct board board;
	struct board_cell *cell;
	struct snapshot snap;
	struct conf *conf;
	struct conf_errors errs;
	struct plugins plugins;
	struct router *router;
	struct http_server server;
	TAILQ_HEAD(acceptors, acceptor) acceptors;
	struct acceptors returned;	/* closed; events may still name them */
	int log_fds[CHAN_MAX_FDS];	/* until the server takes them */
	int error_log;
	int master_gone;
	int draining;
	int full;			/* at max_connections: not accepting */
	struct chan_msg msg;
};

/* -- what the master says before START -- */

static void
take_init(struct worker *w, struct chan_msg *m)
{
	if (m->nfds != 2)
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
	if (w->init.cell >= BOARD_CELLS)
		fatalx("the master gave a cell that does not exist");
	w->cell = &w->board.cells[w->init.cell];
	m->nfds = 0;
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
	TAILQ_INSERT_TAIL(&w->acceptors, a, link);
	m->nfds = 0;
	return a;
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

/* Read messages until START; -1 when the master has gone. */
static int
receive_orders(struct worker *w)
{
	struct pollfd p = { .fd = CHAN_FD, .events = POLLIN };
	struct chan_msg *m = &w->msg;
	int rc;

	for (;;) {
		if (poll(&p, 1, -1) == -1 && errno != EINTR)
			fatal("waiting for the master");
		if ((rc = chan_recv(CHAN_FD, m)) == 0)
			return -1;
		if (rc == -1) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			fatal("reading from the master");
		}
		if (m->type == CHAN_START)
			return 0;
		if (m->type == CHAN_INIT)
			take_init(w, m);
		else if (m->type == CHAN_LISTEN)
			(void)take_listen(w, m);
		else if (m->type == CHAN_LOG)
			take_log(w, m);
		chan_close_fds(m);
	}
}

/* -- getting ready -- */

static void
load_configuration(struct worker *w)
{
	char why[512];

	if (snapshot_read(&w->snap, w->init.snapshot, why, sizeof(why)) == -1) {
		conf_error(&w->errs, NULL, "%s", why);
		w->conf = conf_load(&w->snap.sources, NULL, &w->errs);
		return;
	}
	w->conf = conf_load(&w->snap.sources, &w->snap.files, &w->errs);
	/* A probe's mistakes are reports; what goes well is not news yet. */
	log_set_level(w->init.role == CHAN_ROLE_PROBE &&
	    w->conf->log_level == LOG_LVL_INFO ? LOG_LVL_WARN :
	    (enum log_level)w->conf->log_level);
}

static void
become_unprivileged(struct worker *w)
{
	struct rlimit rl;
	char why[256];

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (privilege_drop(w->conf->user, w->conf->group, why,
	    sizeof(why)) == -1)
		conf_error(&w->errs, NULL, "%s", why);
}

static void
check_log_formats(struct worker *w)
{
	struct conf_access_log *al;
	char bad[64];

	TAILQ_FOREACH(al, &w->conf->access_logs, entry)
		if (access_format_check(al->format, bad, sizeof(bad)) == -1)
			conf_error(&w->errs, &al->pos, "access_log format: "
			    "\"%s\" is not a variable", bad);
}

/* libuv asks when the first work is queued. */
static void
size_thread_pool(const struct worker *w)
{
	char n[16];

	(void)snprintf(n, sizeof(n), "%d", w->conf->work_threads);
	(void)setenv("UV_THREADPOOL_SIZE", n, 1);
}

static void
prepare(struct worker *w)
{
	load_configuration(w);
	check_log_formats(w);
	become_unprivileged(w);
	size_thread_pool(w);
	if (loop_init(&w->loop) == -1)
		fatal("making an event loop");
	plugins_load(&w->plugins, &w->loop, w->conf, &w->snap, &w->board,
	    w->cell, &w->errs);
	w->router = plugins_route(&w->plugins, &w->errs);
}

/* Tell the master what is wrong; returns how many errors there were. */
static int
report_errors(struct worker *w)
{
	struct conf_error *e;
	int n = 0;

	TAILQ_FOREACH(e, &w->errs, entry) {
		(void)chan_send_text(CHAN_FD, CHAN_REPORT, e->text);
		n++;
	}
	return n;
}

static void
release_all(struct worker *w)
{
	struct acceptor *a;

	TAILQ_CONCAT(&w->acceptors, &w->returned, link);
	while ((a = TAILQ_FIRST(&w->acceptors)) != NULL) {
		TAILQ_REMOVE(&w->acceptors, a, link);
		acceptor_close(a);
		free(a);
	}
	if (w->server.loop != NULL)
		http_server_close(&w->server);
	plugins_destroy(&w->plugins);
	router_free(w->router);
	loop_close(&w->loop);
	conf_free(w->conf);
	snapshot_free(&w->snap);
	conf_errors_free(&w->errs);
	log_flush();
	board_close(&w->board);
}

static int
run_probe(struct worker *w)
{
	int n;

	prepare(w);
	n = report_errors(w);
	release_all(w);
	if (n == 0)
		(void)chan_send(CHAN_FD, CHAN_READY, NULL, 0, NULL, 0);
	else
		(void)chan_send_text(CHAN_FD, CHAN_FAILED,
		    "the configuration has errors");
	return n == 0 ? 0 : 1;
}

/* -- serving -- */

static void
worker_pause_accepting(struct worker *w, int pause)
{
	struct acceptor *a;

	w->full = pause;
	TAILQ_FOREACH(a, &w->acceptors, link) {
		if (pause)
			acceptor_stop(a);
		else if (acceptor_start(a) == -1)
			log_warn("listening again after being full");
	}
}

/* A refusal takes a connection, too, until the client has read it.  When there
 * are many of them, the next are told in passing. */
static void
worker_refuse(struct worker *w, int fd, const struct sockaddr *sa)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n";

	if (w->server.nconns < (size_t)w->server.limits->max_connections +
	    REFUSED_MAX) {
		conn_open_refused(&w->server, fd, sa);
		return;
	}
	(void)send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

static int
worker_accepted(struct acceptor *a, int fd, const struct sockaddr *sa)
{
	struct worker *w = a->arg;
	const struct conf_http *lim = w->server.limits;

	if (w->server.nconns >= (size_t)lim->max_connections) {
		board_add(&w->cell->counters.refused, 1);
		if (lim->over_limit_503) {
			worker_refuse(w, fd, sa);
			return 0;
		}
	}
	conn_open(&w->server, fd, sa);
	if (!lim->over_limit_503 && !w->draining &&
	    w->server.nconns >= (size_t)lim->max_connections) {
		worker_pause_accepting(w, 1);
		return -1;
	}
	return 0;
}

static void
worker_conn_ended(struct http_server *srv)
{
	struct worker *w = (struct worker *)(void *)((char *)srv -
	    offsetof(struct worker, server));

	if (w->full && !w->draining)
		worker_pause_accepting(w, 0);
	if (w->draining && srv->nconns == 0)
		loop_stop(&w->loop);
}

/* Another slot's socket, whose own worker is not there. */
static void
worker_borrow(struct worker *w, struct chan_msg *m)
{
	struct acceptor *a;

	if (w->draining || (a = take_listen(w, m)) == NULL)
		return;
	a->accepted = worker_accepted;
	if (!w->full && acceptor_start(a) == -1)
		log_warn("watching a borrowed socket");
}

static void
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

	log_warnx("%zu connections were still open at the drain deadline",
	    w->server.nconns);
	loop_stop(&w->loop);
}

/*
 * No new connections but those that wait in the queue; what is open ends as
 * its requests end.  The sockets are closed now: if no successor has them, the
 * kernel must not queue anybody on them any more.
 */
static void
worker_drain(struct worker *w, uint64_t deadline_ms, int last)
{
	struct acceptor *a;

	if (w->draining) {
		if (last)
			http_server_drain(&w->server, 1);
		return;
	}
	w->draining = 1;
	log_info("draining, %zu connections open", w->server.nconns);
	TAILQ_FOREACH(a, &w->acceptors, link) {
		acceptor_empty(a);
		acceptor_close(a);
	}
	if (!w->master_gone)
		(void)chan_send(CHAN_FD, CHAN_CLOSED, NULL, 0, NULL, 0);
	plugins_drain(&w->plugins, (uint32_t)deadline_ms);
	http_server_drain(&w->server, last);
	if (deadline_ms > 0)
		wheel_set(&w->loop.wheel, &w->deadline,
		    w->loop.now_ms + deadline_ms);
	if (w->server.nconns == 0)
		loop_stop(&w->loop);
}

static void
worker_message(struct worker *w, struct chan_msg *m)
{
	const struct chan_drain *d = (const void *)m->data;
	const struct chan_return *r = (const void *)m->data;

	switch (m->type) {
	case CHAN_DRAIN:
		worker_drain(w, d->deadline_ms, d->last != 0);
		break;
	case CHAN_STOP:
		loop_stop(&w->loop);
		break;
	case CHAN_LISTEN:
		worker_borrow(w, m);
		break;
	case CHAN_RETURN:
		worker_return(w, r->slot);
		break;
	case CHAN_LOG:
		take_log(w, m);
		break;
	case CHAN_ERROR_LOG:
		if (m->nfds != 1)
			break;
		log_flush();
		log_set_fd(m->fds[0]);
		close(w->error_log);
		w->error_log = m->fds[0];
		m->nfds = 0;
		break;
	default:
		log_warnx("unexpected message %u from the master", m->type);
	}
	chan_close_fds(m);
}

static void
worker_chan_ready(struct loop_fd *fd, uint32_t events)
{
	struct worker *w = (struct worker *)(void *)((char *)fd -
	    offsetof(struct worker, chan));
	int rc;

	(void)events;
	while ((rc = chan_recv(CHAN_FD, &w->msg)) == 1)
		worker_message(w, &w->msg);
	if (rc == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_del(&w->loop, fd);
	w->master_gone = 1;
	log_errorx("the master has gone: serving what is open, then ending");
	worker_drain(w, (uint64_t)w->conf->drain_timeout, 1);
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
static void
hold_signals(void)
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

static void
worker_turn_ended(struct loop_hook *hook)
{
	struct worker *w = (struct worker *)(void *)((char *)hook -
	    offsetof(struct worker, hook));
	struct board_counters *n = &w->cell->counters;

	access_logs_flush(&w->server.logs);
	log_flush();
	atomic_store_explicit(&n->log_dropped,
	    w->server.logs.dropped + log_dropped(), memory_order_relaxed);
}

static void
open_server(struct worker *w)
{
	struct conf_access_log *al;
	size_t i = 0;

	http_server_init(&w->server, &w->loop, w->conf, w->router, w->cell);
	w->server.conn_ended = worker_conn_ended;
	TAILQ_FOREACH(al, &w->conf->access_logs, entry) {
		access_logs_add(&w->server.logs, al->format);
		if (i < CHAN_MAX_FDS && w->log_fds[i] != -1)
			access_logs_set_fd(&w->server.logs, i, w->log_fds[i]);
		i++;
	}
}

static void
start_serving(struct worker *w)
{
	struct acceptor *a;

	w->chan.fd = CHAN_FD;
	w->chan.ready = worker_chan_ready;
	w->hook.run = worker_turn_ended;
	w->deadline.fire = worker_deadline;
	loop_hook_add(&w->loop, &w->hook);
	worker_signals(w);
	if (loop_add(&w->loop, &w->chan, EPOLLIN) == -1)
		fatal("watching the channel");
	TAILQ_FOREACH(a, &w->acceptors, link) {
		a->accepted = worker_accepted;
		if (acceptor_start(a) == -1)
			fatal("watching a listening socket");
	}
}

static int
run_worker(struct worker *w)
{
	hold_signals();
	prepare(w);
	if (TAILQ_EMPTY(&w->errs)) {
		open_server(w);
		(void)plugins_start(&w->plugins, &w->server, &w->errs);
	}
	if (report_errors(w) > 0) {
		(void)chan_send_text(CHAN_FD, CHAN_FAILED,
		    "it can't serve its generation");
		release_all(w);
		return 1;
	}
	start_serving(w);
	if (chan_send(CHAN_FD, CHAN_READY, NULL, 0, NULL, 0) == -1)
		fatal("telling the master that we are ready");
	log_set_buffered(1);
	loop_run(&w->loop);
	log_info("ending");
	release_all(w);
	return 0;
}

int
worker_main(void)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	int i, rc;

	TAILQ_INIT(&w->acceptors);
	TAILQ_INIT(&w->returned);
	conf_errors_init(&w->errs);
	for (i = 0; i < CHAN_MAX_FDS; i++)
		w->log_fds[i] = -1;
	if (receive_orders(w) == -1) {
		free(w);
		return 1;
	}
	if (w->cell == NULL)
		fatalx("the master did not say who we are");
	rc = w->init.role == CHAN_ROLE_PROBE ? run_probe(w) : run_worker(w);
	free(w);
	return rc;
}
