/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "master/asked.h"
#include "master/control.h"
#include "master/daemon.h"
#include "master/drain.h"
#include "master/generations.h"
#include "master/guard.h"
#include "master/notify.h"
#include "master/rollout.h"
#include "master/store.h"
#include "master/upgrade.h"
#include "master/watch.h"

/* ---- what slots tell ---- */

struct master *
pools_master(struct pools *all)
{
	return (struct master *)(void *)((char *)all -
	    offsetof(struct master, pools));
}

struct master *
children_master(struct children *all)
{
	return (struct master *)(void *)((char *)all -
	    offsetof(struct master, children));
}

static void
master_slot_ready(struct pools *all, struct slot *s)
{
	struct master *m = pools_master(all);

	if (m->rollout != NULL)
		rollout_slot_ready(m->rollout, s);
}

static void
master_slot_failed(struct pools *all, struct slot *s, const char *cause)
{
	struct master *m = pools_master(all);

	if (m->rollout != NULL)
		rollout_slot_failed(m->rollout, s, cause);
}

static void
master_slot_crashed(struct pools *all, struct slot *s, const char *cause)
{
	struct master *m = pools_master(all);

	if (m->gen != NULL && s->gen == m->gen)
		guard_crashed(m, s, cause);
	else if (m->rollout != NULL)
		rollout_slot_crashed(m->rollout, s, cause);
}

static void
master_worker_ended(struct pools *all)
{
	generations_prune(pools_master(all));
}

static const struct pools_ops pools_ops = {master_slot_ready,
    master_slot_failed, master_slot_crashed, master_worker_ended};

/* ---- stopping ---- */

void
master_slots(struct master *m, void (*fn)(struct slot *))
{
	struct pool *p, *next_pool;
	struct slot *s, *next;

	for (p = TAILQ_FIRST(&m->pools.list); p != NULL; p = next_pool) {
		next_pool = TAILQ_NEXT(p, link);
		for (s = TAILQ_FIRST(&p->slots); s != NULL; s = next) {
			next = TAILQ_NEXT(s, link);
			fn(s);
		}
	}
}

static void
master_ended(struct children *all)
{
	uv_stop(&children_master(all)->loop);
}

static void
master_stop_serving(struct master *m)
{
	struct pool *p;

	(void)uv_timer_stop(&m->delay);
	m->pools.stopping = 1;
	rollout_cancel(m);
	TAILQ_FOREACH (p, &m->pools.list, link)
		p->target = 0;
	master_slots(m, slot_retire);
	m->children.empty = master_ended;
	if (LIST_EMPTY(&m->children.list))
		uv_stop(&m->loop);
}

static void
master_delayed(uv_timer_t *t)
{
	master_stop_serving(t->data);
}

/* Load balancers look whether we are ready now and then; until they have, they
 * send us clients. */
void
master_stop(struct master *m)
{
	int64_t delay = m->gen != NULL ? m->gen->conf->drain_delay : 0;

	if (m->stopping++ > 0) {
		log_warnx("stopping at once");
		if (!m->pools.stopping)
			master_stop_serving(m);
		master_slots(m, slot_stop);
		return;
	}
	event_add(m, EVENT_NODE_STOPPING, "stopping");
	upgrade_cancel(m);
	notify("STOPPING=1\nSTATUS=draining");
	atomic_store(&m->board.node->unready, 1);
	if (delay == 0) {
		master_stop_serving(m);
		return;
	}
	drain_begin(m, delay);
	(void)uv_timer_start(&m->delay, master_delayed, (uint64_t)delay, 0);
}

/* Nothing was served yet, so there is nothing to wait for. */
static void
master_abort(struct master *m)
{
	struct child *c;

	m->status = 1;
	master_stop(m);
	LIST_FOREACH (c, &m->children.list, link)
		child_kill(c, "the start has failed");
}

/* ---- reloading ---- */

static int
is_other(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static void
master_warn_fixed(const struct master *m)
{
	const struct conf *c = m->gen->conf;

	if (is_other(c->run_dir, m->run_dir))
		log_warnx("run_dir stays %s until a restart", m->run_dir);
	if (is_other(c->control, m->control->path))
		log_warnx("control stays %s until a restart", m->control->path);
	if (is_other(c->pid_file, m->pid_file))
		log_warnx("pid_file stays %s until a restart",
		    m->pid_file != NULL ? m->pid_file : "unset");
}

void
master_committed(struct master *m)
{
	const struct conf *c = m->gen->conf;

	log_set_level((enum log_level)c->log_level);
	watch_follow(m, c->watch);
	master_warn_fixed(m);
	if (is_other(c->error_log, m->error_log))
		master_switch_error_log(m, c->error_log);
}

/* One that comes during a reload may be about what that has read already. */
static void
master_hang_up(struct master *m)
{
	static const struct rollout_opts opts = {.parallel = 1};
	static const struct watcher nobody;

	if (rollout_reload(m, &opts, &nobody) == 0 || m->stopping)
		return;
	if (!m->reload_again)
		log_info("SIGHUP: the next reload follows the one under way");
	m->reload_again = 1;
}

void
master_settled(struct master *m)
{
	int again = m->reload_again;

	generations_prune(m);
	if (m->rollout != NULL)
		return;
	guard_settled(m);
	if (m->rollout == NULL && again) {
		m->reload_again = 0;
		master_hang_up(m);
	}
	if (m->rollout == NULL && m->control != NULL)
		command_next(m->control);
}

void
master_mishap(struct master *m, uint32_t from, uint32_t to, const char *why)
{
	free(m->mishap.why);
	m->mishap.why = why != NULL ? xstrdup(why) : NULL;
	m->mishap.from = from;
	m->mishap.to = to;
	m->mishap.at_ms = board_clock_ms();
}

const char *
master_busy(const struct master *m)
{
	if (m->stopping)
		return "hostd is stopping";
	if (m->rollout != NULL)
		return "a reload or a change of scale is under way; try again "
		       "when it has ended";
	return upgrade_blocks(m);
}

const char *
master_state(const struct master *m)
{
	return m->stopping ? "stopping" :
	    drain_is_on(m) ? "draining" :
	    m->rollout != NULL ? "changing" : "serving";
}

static void
master_signalled(uv_signal_t *h, int sig)
{
	struct master *m = h->data;
	char why[512];

	if (sig == SIGHUP) {
		master_hang_up(m);
	} else if (sig == SIGUSR2) {
		if (upgrade_start(m, NULL, 0, why, sizeof(why)) == -1)
			log_errorx("SIGUSR2: no upgrade: %s", why);
	} else if (sig == SIGUSR1) {
		if (master_reopen_logs(m, why, sizeof(why)) == -1)
			log_errorx("%s", why);
	} else {
		if (sig == SIGQUIT && !m->stopping)
			master_stop(m);
		master_stop(m);
	}
}

/* ---- starting ---- */

/* On stderr, where whoever starts us looks, and in the log if that is
 * elsewhere. */
static void
start_error(const struct master *m, const char *text)
{
	daemon_complain(text);
	if (!log_is_std(m->error_log))
		log_errorx("%s", text);
}

static void
start_done(void *arg, enum rollout_outcome outcome,
    const struct conf_errors *errors)
{
	struct master *m = arg;
	const struct conf_error *e;
	char why[512];

	TAILQ_FOREACH (e, errors, entry)
		start_error(m, e->text);
	if (outcome != ROLLOUT_DONE) {
		if (!m->stopping)
			master_abort(m);
		return;
	}
	if (m->pid_file != NULL &&
	    pid_file_write(m->pid_file, why, sizeof(why)) == -1) {
		start_error(m, why);
		master_abort(m);
		return;
	}
	notify("READY=1\nSTATUS=serving generation %u", m->gen->n);
	daemon_detach(&m->parent);
}

static void
master_watch_signals(struct master *m)
{
	static const int numbers[MASTER_SIGNALS] = {
	    SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
	int i;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* it is an error of the write, too */
	for (i = 0; i < MASTER_SIGNALS; i++) {
		(void)uv_signal_init(&m->loop, &m->signals[i]);
		m->signals[i].data = m;
		(void)uv_signal_start(
		    &m->signals[i], master_signalled, numbers[i]);
	}
}

/*
 * The few things that have to be known before there is a generation.  Other
 * mistakes are for the first rollout to find.
 */
static void
master_peek(struct master *m, char **control)
{
	struct conf_sources sources = {0};
	struct conf_errors ignored;
	struct conf *c;

	conf_errors_init(&ignored);
	conf_sources_find(&sources, m->conf_file, &ignored);
	if (sources.n == 0)
		conf_sources_add(&sources, m->conf_file, "/dev/null", 0);
	c = conf_load(&sources, NULL, &ignored);
	m->run_dir = xstrdup(c->run_dir);
	m->error_log = xstrdup(c->error_log);
	m->pid_file = c->pid_file != NULL ? xstrdup(c->pid_file) : NULL;
	*control = xstrdup(c->control);
	conf_free(c);
	conf_sources_free(&sources);
	conf_errors_free(&ignored);
}

static int
master_open(struct master *m, const char *control, char *why, size_t size)
{
	if (master_open_log(m, why, size) == -1)
		return -1;
	m->lock = store_open(m->run_dir, why, size);
	if (m->lock == -1)
		return -1;
	if (board_create(&m->board) == -1 ||
	    up_table_create(&m->servers) == -1 ||
	    tls_tickets_create(&m->tickets) == -1 ||
	    limit_table_create(&m->limits) == -1) {
		(void)snprintf(why, size, "shared memory: %s", strerror(errno));
		goto close_board;
	}
	(void)snprintf(m->board.node->hostd_version,
	    sizeof(m->board.node->hostd_version), "%s", version_text);
	m->control = control_open(m, control, why, size);
	if (m->control == NULL)
		goto close_board;
	return 0;
close_board:
	tls_tickets_close(&m->tickets);
	limit_table_close(&m->limits);
	up_table_close(&m->servers);
	board_close(&m->board);
	store_close(m->run_dir, m->lock);
	return -1;
}

/* When whoever has asked us to stop hears that we have, nothing of us is left
 * in the way of a successor. */
static void
master_close(struct master *m)
{
	struct generation *g;
	sigset_t every;
	int i;

	/* Who tells us to end now shall not make it an end by a signal. */
	(void)sigfillset(&every);
	(void)sigprocmask(SIG_BLOCK, &every, NULL);
	children_close(&m->children);
	pools_forget_stopped(&m->pools);
	upkeep_stop(m);
	uv_close((uv_handle_t *)&m->delay, NULL);
	watch_stop(m);
	for (i = 0; i < MASTER_SIGNALS; i++)
		uv_close((uv_handle_t *)&m->signals[i], NULL);
	if (m->pid_file != NULL)
		pid_file_remove(m->pid_file);
	store_close(m->run_dir, m->lock);
	control_close(m->control);
	(void)uv_run(&m->loop, UV_RUN_DEFAULT);
	control_free(m->control);
	while ((g = TAILQ_FIRST(&m->generations)) != NULL) {
		TAILQ_REMOVE(&m->generations, g, link);
		generation_free(g);
	}
	tls_tickets_close(&m->tickets);
	limit_table_close(&m->limits);
	up_table_close(&m->servers);
	board_close(&m->board);
}

/* Until it has ended. */
static void
master_loop(struct master *m)
{
	do
		(void)uv_run(&m->loop, UV_RUN_DEFAULT);
	while (upgrade_go(m));
	log_info("stopped");
	master_close(m);
}

static void
master_serve(struct master *m)
{
	const struct watcher w = {NULL, start_done, m};

	upkeep_start(m);
	master_watch_signals(m);
	event_add(m, EVENT_NODE_STARTED, "hostd %s starting, configuration %s",
	    version_text, m->conf_file);
	(void)rollout_start(m, &w);
	master_loop(m);
}

struct master *
master_new(char **argv)
{
	struct master *m = xcalloc(1, sizeof(*m));

	m->argv = argv;
	m->parent = -1;
	TAILQ_INIT(&m->generations);
	(void)uv_loop_init(&m->loop);
	(void)uv_timer_init(&m->loop, &m->delay);
	m->delay.data = m;
	log_set_context("master pid %d", (int)getpid());
	children_init(&m->children, &m->loop, &m->board, &m->servers,
	    &m->limits);
	m->children.tickets = &m->tickets;
	m->children.resolved = upstreams_resolved;
	calls_init(m);
	LIST_INIT(&m->asked);
	m->children.asked = asked_heard;
	pools_init(&m->pools, &m->children, &pools_ops);
	return m;
}

static int
master_free(struct master *m)
{
	int status = m->status;

	(void)uv_loop_close(&m->loop);
	log_close(m->children.error_log);
	events_free(&m->events);
	free(m->verdict);
	free(m->mishap.why);
	free(m->conf_file);
	free(m->exe);
	free(m->run_dir);
	free(m->pid_file);
	free(m->error_log);
	free(m);
	return status;
}

int
master_run(char **argv, const char *conf_file, const char *exe, int parent)
{
	struct master *m = master_new(argv);
	char why[512], *control;

	m->conf_file = xstrdup(conf_file);
	m->exe = xstrdup(exe);
	m->children.exe = m->exe;
	m->parent = parent;
	notify_init();
	master_peek(m, &control);
	if (master_open(m, control, why, sizeof(why)) == 0) {
		master_serve(m);
	} else {
		daemon_complain(why);
		m->status = 1;
		uv_close((uv_handle_t *)&m->delay, NULL);
		children_close(&m->children);
		(void)uv_run(&m->loop, UV_RUN_DEFAULT);
	}
	free(control);
	return master_free(m);
}

/* Signals have waited since the one before us had its last look at them. */
int
master_resume(struct master *m, const char *back)
{
	sigset_t none;

	log_use(m->error_log, m->children.error_log);
	m->children.error_log_is = m->error_log;
	log_set_level((enum log_level)m->gen->conf->log_level);
	(void)snprintf(m->board.node->hostd_version,
	    sizeof(m->board.node->hostd_version), "%s", version_text);
	atomic_store(&m->board.node->generation, m->gen->n);
	atomic_store(&m->board.node->coming, m->gen->n);
	upkeep_start(m);
	master_watch_signals(m);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	control_resume(m->control);
	notify("READY=1\nSTATUS=serving generation %u", m->gen->n);
	children_reap(&m->children);
	watch_follow(m, m->gen->conf->watch);
	upgrade_finish(m, back);
	master_loop(m);
	return master_free(m);
}
