/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "master/control.h"
#include "master/generations.h"
#include "master/master_save.h"
#include "master/notify.h"
#include "master/upgrade.h"
#include "master/zones.h"

/* ---- saving ---- */

static json_t *
generations_save(const struct master *m, struct record *r)
{
	const struct generation *g;
	json_t *list = json_array();

	TAILQ_FOREACH (g, &m->generations, link)
		(void)json_array_append_new(list, generation_save(g, r));
	return list;
}

/* What was found out of a generation that has failed. */
static json_t *
verdicts_save(const struct master *m)
{
	const char *why = m->mishap.why;
	json_t *o = json_pack("{s:I,s:I,s:I}", "from",
	    (json_int_t)m->mishap.from, "to", (json_int_t)m->mishap.to,
	    "at_ms", (json_int_t)m->mishap.at_ms);

	if (why != NULL)
		(void)json_object_set_new(
		    o, "why", record_bytes(why, strlen(why)));
	if (m->verdict != NULL)
		(void)json_object_set_new(o, "pending",
		    record_bytes(m->verdict, strlen(m->verdict)));
	return o;
}

static json_t *
board_save(const struct board *b, struct record *r)
{
	return json_pack("{s:o,s:I,s:I,s:I,s:I}", "file", record_fd(r, b->fd),
	    "node", (json_int_t)b->node->id, "started_ms",
	    (json_int_t)b->node->started_ms, "processes",
	    (json_int_t)b->node->processes, "unready",
	    (json_int_t)b->node->unready);
}

int
master_save(const struct master *m, struct record *r, char *why, size_t size)
{
	json_t *o, *rest;
	int rc;

	o = json_pack("{s:s,s:i,s:s,s:s,s:s,s:s*,s:s,s:s*,s:o,s:o,s:o,s:o}",
	    "hostd", version_text, "channel_version", CHAN_VERSION,
	    "conf_file", m->conf_file, "program", m->exe, "run_dir", m->run_dir,
	    "pid_file", m->pid_file, "error_log", m->error_log, "notify",
	    notify_socket(), "error_log_file",
	    record_fd(r, m->children.error_log), "lock", record_fd(r, m->lock),
	    "board", board_save(&m->board, r), "control",
	    control_save(m->control, r));
	rest = json_pack("{s:o,s:I,s:I,s:I,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
	    "s:o}", "generations",
	    generations_save(m, r), "serving", (json_int_t)m->gen->n,
	    "last_generation", (json_int_t)m->last_generation, "rollouts",
	    (json_int_t)m->rollouts, "reload_again", m->reload_again,
	    "verdicts", verdicts_save(m), "events", events_save(&m->events),
	    "pools", pools_save(&m->pools, r), "upgrade", upgrade_save(m),
	    "servers", record_fd(r, m->servers.fd), "servers_live",
	    record_fd(r, m->servers.live_fd), "tickets",
	    record_fd(r, m->tickets.fd), "limits",
	    record_fd(r, m->limits.fd));
	rc = json_object_update(o, rest);
	json_decref(rest);
	if (rc == -1) {
		json_decref(o);
		(void)snprintf(why, size,
		    "the state can't be put in words: is a name not UTF-8?");
		return -1;
	}
	json_decref(r->root);
	r->root = o;
	return 0;
}

/* ---- restoring ---- */

static int
is_missing(const char *what, char *why, size_t size)
{
	(void)snprintf(why, size, "the state has no %s", what);
	return -1;
}

static char *
copy_of(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static int
names_restore(struct master *m, const json_t *o, char *why, size_t size)
{
	m->conf_file = copy_of(record_text(o, "conf_file", NULL));
	m->exe = copy_of(record_text(o, "program", NULL));
	m->children.exe = m->exe;
	m->run_dir = copy_of(record_text(o, "run_dir", NULL));
	m->pid_file = copy_of(record_text(o, "pid_file", NULL));
	m->error_log = xstrdup(record_text(o, "error_log", "stderr"));
	if (m->conf_file == NULL || m->exe == NULL || m->run_dir == NULL)
		return is_missing("names of files", why, size);
	/* Workers of the other version would not understand us. */
	if (record_int(o, "channel_version", 0) == CHAN_VERSION)
		return 0;
	(void)snprintf(why, size, "the workers of hostd %s are talked to in "
	    "another way; a restart is needed", record_text(o, "hostd", "?"));
	return -1;
}

/*
 * Another version may lay it out otherwise.  Then there is a new one: counters
 * begin anew, and nothing is seen of what workers do on the old one, nor do
 * they give connections to those on the new one.  The node stays who it is.
 */
static int
board_restore(struct master *m, const json_t *o, char *why, size_t size)
{
	int fd;

	/* A duplicate: what was given is kept for giving it back. */
	fd = fcntl((int)record_int(o, "file", -1), F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		return is_missing("board", why, size);
	if (board_attach(&m->board, fd) == 0)
		return 0;
	if (errno != EPROTO || board_create(&m->board) == -1) {
		(void)snprintf(
		    why, size, "shared memory: %s", strerror(errno));
		return -1;
	}
	m->children.board_is_new = 1;
	m->board.node->id = (uint64_t)record_int(o, "node", 0);
	m->board.node->started_ms = (uint64_t)record_int(o, "started_ms", 0);
	m->board.node->processes = (uint32_t)record_int(o, "processes", 0);
	m->board.node->unready = (uint32_t)record_int(o, "unready", 0);
	m->board.node->started = 1;
	m->board.node->reloaded_ms = board_clock_ms();
	return 0;
}

/* Likewise: workers on the old one go on with the servers that are there, and
 * see no change. */
static int
servers_restore(struct master *m, const json_t *root, char *why, size_t size)
{
	int fd = (int)record_int(root, "servers", -1);
	int live = (int)record_int(root, "servers_live", -1);

	if (fd != -1 && live != -1) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		live = fcntl(live, F_DUPFD_CLOEXEC, 0);
		if (up_table_restore(&m->servers, fd, live) == 0)
			return 0;
	}
	m->servers_are_new = 1;
	if (up_table_create(&m->servers) == 0)
		return 0;
	(void)snprintf(why, size, "shared memory: %s", strerror(errno));
	return -1;
}

/* Without them, sessions begin with a whole handshake again. */
static int
tickets_restore(struct master *m, const json_t *root, char *why, size_t size)
{
	int fd = (int)record_int(root, "tickets", -1);

	if (fd != -1) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (tls_tickets_restore(&m->tickets, fd) == 0)
			return 0;
	}
	if (tls_tickets_create(&m->tickets) == 0)
		return 0;
	(void)snprintf(why, size, "shared memory: %s", strerror(errno));
	return -1;
}

/* As the board: workers on the old one count for themselves until they end. */
static int
limits_restore(struct master *m, const json_t *root, char *why, size_t size)
{
	int fd = (int)record_int(root, "limits", -1);

	if (fd != -1 && (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1 &&
	    limit_table_attach(&m->limits, fd) == 0)
		return 0;
	m->limits_are_new = 1;
	if (limit_table_create(&m->limits) == 0)
		return 0;
	(void)snprintf(why, size, "shared memory: %s", strerror(errno));
	return -1;
}

static int
files_restore(struct master *m, struct record *r, char *why, size_t size)
{
	m->children.error_log =
	    record_take_fd(r, r->root, "error_log_file");
	m->lock = record_take_fd(r, r->root, "lock");
	if (m->children.error_log == -1 || m->lock == -1)
		return is_missing("lock or log", why, size);
	if (board_restore(m, json_object_get(r->root, "board"), why, size) ==
	    -1)
		return -1;
	if (tickets_restore(m, r->root, why, size) == -1)
		return -1;
	if (servers_restore(m, r->root, why, size) == -1)
		return -1;
	return limits_restore(m, r->root, why, size);
}

static int
generations_restore(
    struct master *m, struct record *r, char *why, size_t size)
{
	struct generation *g;
	const json_t *j;
	char reason[512];
	size_t i;

	json_array_foreach(json_object_get(r->root, "generations"), i, j) {
		g = generation_restore(
		    m->run_dir, j, r, reason, sizeof(reason));
		if (g == NULL) {
			(void)snprintf(why, size, "generation %d: %s",
			    (int)record_int(j, "number", 0), reason);
			return -1;
		}
		TAILQ_INSERT_TAIL(&m->generations, g, link);
	}
	m->gen = generations_find(m,
	    (uint32_t)record_int(r->root, "serving", 0));
	if (m->gen == NULL)
		return is_missing("generation that is served", why, size);
	m->last_generation =
	    (uint32_t)record_int(r->root, "last_generation", m->gen->n);
	return 0;
}

static void
tables_refill(struct master *m)
{
	struct conf_errors ignored;

	conf_errors_init(&ignored);
	if (m->servers_are_new)
		upstreams_stage(m, m->gen->conf, &ignored);
	if (m->limits_are_new)
		zones_stage(m, m->gen->conf, &ignored);
	conf_errors_free(&ignored);
}

static void
verdicts_restore(struct master *m, const json_t *j)
{
	m->mishap.from = (uint32_t)record_int(j, "from", 0);
	m->mishap.to = (uint32_t)record_int(j, "to", 0);
	m->mishap.at_ms = (uint64_t)record_int(j, "at_ms", 0);
	m->mishap.why = record_get_text(j, "why");
	m->verdict = record_get_text(j, "pending");
}

int
master_restore(struct master *m, struct record *r, char *why, size_t size)
{
	const json_t *o = r->root;

	m->children.restoring = 1;
	if (names_restore(m, o, why, size) == -1 ||
	    files_restore(m, r, why, size) == -1 ||
	    generations_restore(m, r, why, size) == -1)
		return -1;
	notify_use(record_text(o, "notify", NULL));
	events_restore(&m->events, json_object_get(o, "events"));
	upgrade_restore(m, json_object_get(o, "upgrade"));
	tables_refill(m);
	m->rollouts = (uint64_t)record_int(o, "rollouts", 0);
	m->reload_again = record_flag(o, "reload_again");
	verdicts_restore(m, json_object_get(o, "verdicts"));
	if (pools_restore(&m->pools, json_object_get(o, "pools"), r, why,
		size) == -1)
		return -1;
	m->control = control_restore(m, json_object_get(o, "control"), r);
	m->children.restoring = 0;
	return m->control != NULL ? 0
				  : is_missing("control socket", why, size);
}
