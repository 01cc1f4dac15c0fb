/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "config/model.h"
#include "master/control.h"
#include "master/master_save.h"
#include "master/notify.h"
#include "master/rollout.h"
#include "master/trial.h"
#include "master/upgrade.h"

struct upgrade {
	struct master *m;
	struct control_client *client;	/* NULL: nobody waits */
	int keep_workers;
	int taken;		/* we are the new master */
	int due;		/* all is tried, the loop is to stop */
	char from[64], to[64];	/* versions */
	struct stat tried;	/* the program that was */
	struct trial trial;
};

/* ---- telling ---- */

static void upgrade_say(struct upgrade *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
upgrade_say(struct upgrade *u, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (u->client != NULL)
		control_progress(u->client, text);
}

static void
upgrade_closed(uv_handle_t *h)
{
	struct trial *t = h->data;

	free(t->arg);
}

static void
upgrade_free(struct upgrade *u)
{
	u->m->upgrade = NULL;
	trial_cancel(&u->trial);
	uv_close((uv_handle_t *)&u->trial.timer, upgrade_closed);
}

/* The client hears the end, and may ask the next thing at once. */
static void
upgrade_end(struct upgrade *u, int ok)
{
	struct control_client *c = u->client;
	struct master *m = u->m;
	json_t *more;

	more = json_pack("{s:s,s:s,s:b,s:I}", "from", u->from, "to", u->to,
	    "upgraded", u->taken, "generation", (json_int_t)m->gen->n);
	upgrade_free(u);
	if (c != NULL)
		control_end(c, ok, more);
	else
		json_decref(more);
}

static void
upgrade_fail(struct upgrade *u, const char *why)
{
	struct master *m = u->m;

	log_errorx("upgrade refused: %s; hostd %s goes on", why, u->from);
	if (u->client != NULL)
		control_error(u->client, why);
	upgrade_end(u, 0);
	if (!m->stopping)
		master_settled(m);
}

int
upgrade_is_for(const struct master *m, const struct control_client *c)
{
	return m->upgrade != NULL && m->upgrade->client == c;
}

void
upgrade_watch(struct master *m, struct control_client *c)
{
	if (m->upgrade != NULL)
		m->upgrade->client = c;
}

void
upgrade_unwatch(struct master *m, const struct control_client *c)
{
	if (upgrade_is_for(m, c))
		m->upgrade->client = NULL;
}

/* ---- trying ---- */

static struct upgrade *
trial_upgrade(struct trial *t)
{
	return t->arg;
}

static void
upgrade_fail_trial(struct upgrade *u, const char *what)
{
	char why[1500], how[1200];

	trial_explain(&u->trial, how, sizeof(how));
	(void)snprintf(why, sizeof(why), "%s: %s: %s", u->m->exe, what, how);
	upgrade_fail(u, why);
}

/* Its last word is that it could; then there is nothing more to wait for. */
static void
upgrade_tried_state(struct trial *t)
{
	struct upgrade *u = trial_upgrade(t);

	if (!trial_is_fine(t)) {
		upgrade_fail_trial(u, "it can't go on in our place");
		return;
	}
	u->due = 1;
	uv_stop(&u->m->loop);
}

static int
upgrade_record(struct upgrade *u, struct record *r, char *why, size_t size)
{
	int fd;

	record_init(r);
	fd = -1;
	if (master_save(u->m, r, why, size) == 0)
		fd = record_write(r, why, size);
	if (fd == -1)
		record_free(r);
	return fd;
}

/* With the state as it is now; it will be another one later, but not of
 * another kind. */
static void
upgrade_try_state(struct upgrade *u)
{
	char number[16], why[512];
	char *argv[] = {(char *)(uintptr_t)u->m->exe,
	    (char *)(uintptr_t) "--check-upgrade-state", number, NULL};
	struct record r;
	int fd, rc;

	fd = upgrade_record(u, &r, why, sizeof(why));
	if (fd == -1) {
		upgrade_fail(u, why);
		return;
	}
	(void)snprintf(number, sizeof(number), "%d", fd);
	record_carry(&r, fd);
	u->trial.done = upgrade_tried_state;
	rc = trial_start(&u->trial, u->m->exe, argv, &r, why, sizeof(why));
	record_free(&r);
	(void)close(fd);
	if (rc == -1)
		upgrade_fail(u, why);
}

static void
upgrade_tried_version(struct trial *t)
{
	struct upgrade *u = trial_upgrade(t);

	if (!trial_is_fine(t) ||
	    sscanf(t->output, "hostd %63[!-~]", u->to) != 1) {
		upgrade_fail_trial(u, "that is no hostd that runs");
		return;
	}
	upgrade_say(u, "hostd %s -> %s", u->from, u->to);
	upgrade_try_state(u);
}

static void
upgrade_reaped(struct children *all, pid_t pid, int status)
{
	struct master *m = children_master(all);

	if (m->upgrade != NULL)
		(void)trial_reaped(&m->upgrade->trial, pid, status);
}

/* ---- beginning ---- */

static struct upgrade *
upgrade_new(struct master *m)
{
	struct upgrade *u = xcalloc(1, sizeof(*u));

	u->m = m;
	trial_init(&u->trial, &m->loop);
	u->trial.arg = u;
	m->children.other = upgrade_reaped;
	m->upgrade = u;
	return u;
}

static int
upgrade_may(const struct master *m, char *why, size_t size)
{
	const char *busy = master_busy(m);

	if (busy == NULL && m->gen == NULL)
		busy = "nothing is served yet";
	if (busy == NULL && !pools_settled(&m->pools))
		busy = "a worker is being replaced; try again when it has been";
	if (busy == NULL)
		return conf_file_trusted(m->exe, why, size);
	(void)snprintf(why, size, "%s", busy);
	return -1;
}

int
upgrade_start(struct master *m, struct control_client *c, int keep_workers,
    char *why, size_t size)
{
	char *argv[] = {(char *)(uintptr_t)m->exe,
	    (char *)(uintptr_t) "--version", NULL};
	struct upgrade *u;

	if (upgrade_may(m, why, size) == -1)
		return -1;
	u = upgrade_new(m);
	u->keep_workers = keep_workers;
	(void)snprintf(u->from, sizeof(u->from), "%s", version_text);
	u->trial.done = upgrade_tried_version;
	if (stat(m->exe, &u->tried) == -1) {
		(void)snprintf(why, size, "%s: %s", m->exe, strerror(errno));
	} else if (trial_start(&u->trial, m->exe, argv, NULL, why, size) == 0) {
		u->client = c;
		upgrade_say(u, "trying %s", m->exe);
		return 0;
	}
	upgrade_free(u);
	return -1;
}

const char *
upgrade_blocks(const struct master *m)
{
	if (m->upgrade == NULL || m->upgrade->taken)
		return NULL;
	return "an upgrade is under way; try again when it has ended";
}

void
upgrade_cancel(struct master *m)
{
	if (m->upgrade != NULL && !m->upgrade->taken)
		upgrade_fail(m->upgrade, "hostd is stopping");
}

/* ---- giving ---- */

static int
upgrade_is_same(const struct upgrade *u)
{
	struct stat st;

	return stat(u->m->exe, &st) == 0 && st.st_dev == u->tried.st_dev &&
	    st.st_ino == u->tried.st_ino && st.st_size == u->tried.st_size &&
	    st.st_mtim.tv_sec == u->tried.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == u->tried.st_mtim.tv_nsec;
}

/* Returns only when it can't be executed; then nothing has changed. */
static void
upgrade_exec(struct upgrade *u, struct record *r, int state, char *why,
    size_t size)
{
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char text[96];

	if (exe == -1) {
		(void)snprintf(why, size,
		    "opening the program that runs, to come back to: %s",
		    strerror(errno));
		return;
	}
	(void)snprintf(text, sizeof(text), "%d:%d:%d:0", (int)getpid(), state,
	    exe);
	record_carry(r, state);
	record_carry(r, exe);
	(void)setenv(UPGRADE_ENV, text, 1);
	log_info("hostd %s hands over to %s, %s", u->from, u->to, u->m->exe);
	notify_reloading();
	log_flush();
	record_pass(r, 1);
	(void)execv(u->m->exe, u->m->argv);
	(void)snprintf(why, size, "executing %s: %s", u->m->exe,
	    strerror(errno));
	record_pass(r, 0);
	(void)unsetenv(UPGRADE_ENV);
	notify("READY=1");
	(void)close(exe);
}

static void
upgrade_give(struct upgrade *u)
{
	char why[512];
	struct record r;
	int fd;

	if (!upgrade_is_same(u)) {
		(void)snprintf(why, sizeof(why),
		    "%s has changed while it was tried; try again", u->m->exe);
		upgrade_fail(u, why);
		return;
	}
	upgrade_say(u, "handing over");
	fd = upgrade_record(u, &r, why, sizeof(why));
	if (fd != -1) {
		upgrade_exec(u, &r, fd, why, sizeof(why));
		record_free(&r);
		(void)close(fd);
	}
	upgrade_fail(u, why);
}

/*
 * Signals wait for the new master from here on, except for those that had come
 * to us already: the loop looks at them once more.
 */
int
upgrade_go(struct master *m)
{
	sigset_t every, before;

	if (m->upgrade == NULL || !m->upgrade->due)
		return 0;
	(void)sigfillset(&every);
	(void)sigprocmask(SIG_SETMASK, &every, &before);
	(void)uv_run(&m->loop, UV_RUN_NOWAIT);
	if (m->upgrade != NULL && !m->stopping) {
		m->upgrade->due = 0;
		if (pools_settled(&m->pools))
			upgrade_give(m->upgrade);
		else
			upgrade_fail(m->upgrade,
			    "a worker is being replaced; try again");
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	/* That look may have been the end. */
	return !m->stopping || !LIST_EMPTY(&m->children.list);
}

/* ---- having taken over ---- */

json_t *
upgrade_save(const struct master *m)
{
	const struct upgrade *u = m->upgrade;

	return json_pack("{s:s,s:s,s:b}", "from", u->from, "to", u->to,
	    "keep_workers", u->keep_workers);
}

void
upgrade_restore(struct master *m, const json_t *j)
{
	struct upgrade *u = upgrade_new(m);

	(void)snprintf(
	    u->from, sizeof(u->from), "%s", record_text(j, "from", "?"));
	(void)snprintf(u->to, sizeof(u->to), "%s", record_text(j, "to", "?"));
	u->keep_workers = record_flag(j, "keep_workers");
	u->taken = 1;
}

static void
upgrade_rolled_on(void *arg, const json_t *step)
{
	struct upgrade *u = arg;

	if (u->client != NULL)
		control_say(u->client, json_deep_copy(step));
}

static void
upgrade_rolled(
    void *arg, enum rollout_outcome outcome, const struct conf_errors *errors)
{
	struct upgrade *u = arg;
	const struct conf_error *e;

	(void)outcome;
	TAILQ_FOREACH (e, errors, entry)
		if (u->client != NULL)
			control_error(u->client, e->text);
	upgrade_end(u, TAILQ_EMPTY(errors));
}

void
upgrade_finish(struct master *m, const char *back)
{
	struct upgrade *u = m->upgrade;
	const struct watcher w = {upgrade_rolled_on, upgrade_rolled, u};
	const struct rollout_opts opts = {.parallel = 1};

	if (back != NULL) {
		u->taken = 0;
		upgrade_fail(u, back);
		return;
	}
	(void)snprintf(u->to, sizeof(u->to), "%s", version_text);
	event_add(m, EVENT_NODE_UPGRADED, "hostd %s goes on in the place of %s",
	    u->to, u->from);
	upgrade_say(u, "hostd %s has taken over", u->to);
	if (u->keep_workers) {
		upgrade_end(u, 1);
		master_settled(m);
	} else if (rollout_reload(m, &opts, &w) == -1) {
		upgrade_end(u, 0);
	}
}
