/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/request_log.h"
#include "http/router.h"
#include "sandbox/caps.h"
#include "upstream/tcp_log.h"
#include "worker/output.h"
#include "worker/privilege.h"
#include "worker/sandbox.h"
#include "worker/state.h"
#include "worker/worker.h"

#define BACKEND_MS	1000	/* that a start waits for it */
#define PROBE_NICE	10

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
limit_core(struct worker *w)
{
	int64_t core = w->conf->sandbox.core;
	struct rlimit rl = { (rlim_t)core, (rlim_t)core };

	if (core == CONF_CORE_INHERITED)
		return;
	if (core == CONF_CORE_ANY)
		rl.rlim_cur = rl.rlim_max = RLIM_INFINITY;
	if (setrlimit(RLIMIT_CORE, &rl) == -1)
		conf_error(&w->errs, NULL, "\"core\": %s; hostd was started "
		    "with a lower limit (ulimit -H -c)", strerror(errno));
}

static void
become_unprivileged(struct worker *w)
{
	const struct conf_sandbox *s = &w->conf->sandbox;
	struct rlimit rl;
	char why[256];

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	chan_reserve();
	limit_core(w);
	if (s->mode == SANDBOX_ON && caps_bound_none() == -1)
		conf_error(&w->errs, NULL, "dropping capabilities: %s",
		    strerror(errno));
	if (s->chroot != NULL && geteuid() != 0)
		conf_error(&w->errs, &s->chroot_pos, "\"chroot\" needs hostd "
		    "to be started as root");
	else if (privilege_drop(w->conf->user, w->conf->group, s->chroot, why,
	    sizeof(why)) == -1)
		conf_error(&w->errs, NULL, "%s", why);
	else if (s->chroot != NULL && access(w->conf->run_dir, F_OK) == -1)
		conf_error(&w->errs, &s->chroot_pos, "\"chroot\": %s in %s: "
		    "%s; bind-mount the run_dir there",
		    w->conf->run_dir, s->chroot, strerror(errno));
}

static const struct access_kind *
log_kind(const struct conf_access_log *al)
{
	return al->kind == CONF_LOG_STREAM ? &tcp_log_kind : &request_log_kind;
}

static void
check_log_formats(struct worker *w)
{
	struct conf_access_log *al;
	char bad[64];

	TAILQ_FOREACH(al, &w->conf->access_logs, entry) {
		if (access_format_check(log_kind(al), al->format, bad,
		    sizeof(bad)) == -1)
			conf_error(&w->errs, &al->pos, "access_log format: "
			    "\"%s\" is not a variable of kind = %s", bad,
			    al->kind == CONF_LOG_STREAM ? "stream" : "http");
		if (al->when.var != NULL && access_format_check(log_kind(al),
		    al->when.var, bad, sizeof(bad)) == -1)
			conf_error(&w->errs, &al->pos, "access_log if: "
			    "\"%s\" is not a variable of kind = %s", bad,
			    al->kind == CONF_LOG_STREAM ? "stream" : "http");
	}
}

/* libuv asks when the first work is queued. */
static void
size_thread_pool(const struct worker *w)
{
	char n[16];

	(void)snprintf(n, sizeof(n), "%d", w->conf->work_threads);
	(void)setenv("UV_THREADPOOL_SIZE", n, 1);
}

/* NULL: of a probe, which stands for all. */
static const struct conf_pool *
own_pool(const struct worker *w)
{
	const struct conf_pool *p;

	if (w->init.role == CHAN_ROLE_PROBE)
		return NULL;
	TAILQ_FOREACH(p, &w->conf->pools, entry)
		if (strcmp(p->name, w->init.pool) == 0)
			return p;
	fatalx("pool \"%s\" is not in the configuration of this generation",
	    w->init.pool);
}

static void
prepare(struct worker *w)
{
	load_configuration(w);
	check_log_formats(w);
	become_unprivileged(w);
	worker_confine(w);
	size_thread_pool(w);
	if (loop_init(&w->loop) == -1)
		fatal("making an event loop");
	worker_secure(w);
	plugins_load(&w->plugins, &w->loop, w->conf, own_pool(w), &w->snap,
	    &w->board, w->cell, w->init.role == CHAN_ROLE_PROBE ? NULL :
	    &w->servers, w->init.role == CHAN_ROLE_PROBE ? NULL :
	    &w->limits, &w->errs);
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
	lead_close(&w->lead);
	if (w->server.loop != NULL) {
		moves_close(w);
		passing_close(w);
		tcp_server_close(&w->streams);
		ws_server_close(&w->sockets);
		http_server_close(&w->server);
		http2_server_free(&w->http2);
	}
	free(w->peers);
	plugins_destroy(&w->plugins);
	worker_calls_close(w);
	router_free(w->router);
	loop_close(&w->loop);
	conf_free(w->conf);
	snapshot_free(&w->snap);
	conf_errors_free(&w->errs);
	log_flush();
	worker_output_end();
	worker_secure_close(w);
	limit_table_close(&w->limits);
	up_table_close(&w->servers);
	board_close(&w->board);
}

static int
run_probe(struct worker *w)
{
	int n;

	/* Whoever serves goes first. */
	(void)setpriority(PRIO_PROCESS, 0, PROBE_NICE);
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

static void
worker_turn_ended(struct loop_hook *hook)
{
	struct worker *w = (struct worker *)(void *)((char *)hook -
	    offsetof(struct worker, hook));
	struct board_counters *n = &w->cell->counters;

	/* What a log waits for keeps clients waiting, too. */
	access_logs_flush(&w->server.logs);
	worker_output_turn();
	log_flush();
	atomic_store_explicit(&w->cell->beat_ms, w->loop.now_ms,
	    memory_order_relaxed);
	atomic_store_explicit(&n->log_dropped,
	    w->server.logs.dropped + log_dropped(), memory_order_relaxed);
	board_lag(n, loop_clock_ms() - w->loop.now_ms);
	usage_turn(&w->usage, w->cell, w->loop.now_ms);
}

static void
open_server(struct worker *w)
{
	struct conf_access_log *al;
	size_t i = 0;

	http_server_init(&w->server, &w->loop, w->conf, w->router, w->cell);
	w->server.pool = own_pool(w);
	w->server.traffic = board_traffic(&w->board, w->cell);
	w->server.lessor = &w->plugins.limits.lessor;
	w->server.conn_ended = worker_conn_ended;
	(void)snprintf(w->server.logs.worker, sizeof(w->server.logs.worker),
	    "%s.%u", w->init.pool, w->init.slot);
	http2_server_init(&w->http2, &w->server);
	ws_server_init(&w->sockets, &w->server);
	tcp_server_init(&w->streams, &w->server, &w->plugins.upstreams);
	moves_init(w);
	passing_init(w);
	w->hook.run = worker_turn_ended;
	TAILQ_FOREACH(al, &w->conf->access_logs, entry) {
		access_log_set(access_logs_add(&w->server.logs, log_kind(al),
		    al->format), al->path, &al->when, al->syslog);
		if (i < CHAN_MAX_FDS && w->log_fds[i] != -1)
			access_logs_set_fd(&w->server.logs, i, w->log_fds[i]);
		i++;
	}
	request_log_want(&w->server.logs, &w->server.sent);
}

/* The other workers that there were when we started. */
static void
meet_peers(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->npeers; i++)
		worker_meet(w, &w->peers[i].who, w->peers[i].fds);
}

static void
backend_late(struct wheel_timer *t)
{
	(void)t;
}

/*
 * What clients say before the backend is up is not heard in other nodes; so it
 * is waited for, until it is up, has failed, or takes too long.
 */
static void
await_backend(struct worker *w)
{
	struct hub *hub = &w->plugins.hub;
	struct wheel_timer late = { .fire = backend_late };
	uint64_t until = w->loop.now_ms + BACKEND_MS;

	wheel_set(&w->loop.wheel, &late, until);
	while (hub->backend != NULL && !hub->up && !hub->was_up &&
	    w->loop.now_ms < until)
		loop_turn(&w->loop);
	wheel_remove(&w->loop.wheel, &late);
}

static int
run_worker(struct worker *w)
{
	worker_hold_signals();
	usage_open(&w->usage);
	prepare(w);
	if (TAILQ_EMPTY(&w->errs) && worker_inherit(w) == -1) {
		release_all(w);
		return 1;
	}
	if (TAILQ_EMPTY(&w->errs)) {
		open_server(w);
		(void)plugins_start(&w->plugins, &w->server, &w->sockets,
		    &w->errs);
		meet_peers(w);
		worker_listen(w);
		worker_lead(w);
	}
	if (TAILQ_EMPTY(&w->errs) && worker_await_plugins(w) == -1) {
		release_all(w);
		return 1;
	}
	if (report_errors(w) > 0) {
		(void)chan_send_text(CHAN_FD, CHAN_FAILED,
		    "it can't serve its generation");
		release_all(w);
		return 1;
	}
	worker_await_names(w);
	await_backend(w);
	usage_turn(&w->usage, w->cell, w->loop.now_ms);
	loop_hook_add(&w->loop, &w->hook);
	worker_start_serving(w);
	if (chan_send(CHAN_FD, CHAN_READY, NULL, 0, NULL, 0) == -1)
		fatal("telling the master that we are ready");
	log_set_buffered(1);
	loop_run(&w->loop);
	log_info("ending");
	log_flush();	/* what follows may have to wait for threads */
	usage_last(&w->usage, w->cell);
	release_all(w);
	return 0;
}

int
worker_main(void)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	int i, rc;

	/* Else it is "exe", after what was executed. */
	(void)prctl(PR_SET_NAME, "hostd");
	TAILQ_INIT(&w->acceptors);
	TAILQ_INIT(&w->returned);
	worker_calls_init(w);
	conf_errors_init(&w->errs);
	for (i = 0; i < CHAN_MAX_FDS; i++)
		w->log_fds[i] = -1;
	if (worker_receive_orders(w) == -1) {
		free(w);
		return 1;
	}
	if (w->cell == NULL)
		fatalx("the master did not say who we are");
	rc = w->init.role == CHAN_ROLE_PROBE ? run_probe(w) : run_worker(w);
	free(w);
	return rc;
}
