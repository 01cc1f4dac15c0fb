/* SPDX-License-Identifier: BSD-2-Clause */
/* The error log of the master and its children, and opening all logs anew. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/events.h"
#include "master/logs.h"
#include "master/master.h"
#include "master/slot.h"

/* It is what m->error_log says. */
static void
master_take_error_log(struct master *m, int fd)
{
	int before = m->children.error_log;

	log_use(m->error_log, fd);
	m->children.error_log = fd;
	m->children.error_log_is = m->error_log;
	log_close(before);
}

int
master_open_log(struct master *m, char *why, size_t size)
{
	int fd;

	if (m->parent != -1 && log_is_std(m->error_log)) {
		(void)snprintf(why, size,
		    "--daemon leaves no terminal to log to: "
		    "set error_log to a file, or to syslog");
		return -1;
	}
	fd = log_open(m->error_log);
	if (fd == -1) {
		(void)snprintf(why, size, "error_log %s: %s", m->error_log,
		    strerror(errno));
		return -1;
	}
	master_take_error_log(m, fd);
	return 0;
}

static int
master_reopen_access(struct generation *g, struct conf_errors *errors)
{
	struct logs fresh;

	if (logs_open(&fresh, g->conf, errors) > 0) {
		logs_close(&fresh);
		return -1;
	}
	logs_close(&g->logs);
	g->logs = fresh;
	return 0;
}

int
master_reopen_logs(struct master *m, char *why, size_t size)
{
	struct conf_errors errors;
	struct generation *g;
	int fd, rc = 0;

	fd = log_open(m->error_log);
	if (fd == -1) {
		(void)snprintf(why, size, "error_log %s: %s", m->error_log,
		    strerror(errno));
		return -1;
	}
	master_take_error_log(m, fd);
	conf_errors_init(&errors);
	TAILQ_FOREACH (g, &m->generations, link)
		if ((g->users > 0 || g == m->gen) &&
		    master_reopen_access(g, &errors) == -1)
			rc = -1;
	if (rc == -1)
		(void)snprintf(why, size, "%s", TAILQ_FIRST(&errors)->text);
	conf_errors_free(&errors);
	master_slots(m, slot_send_logs);
	event_add(m, EVENT_LOGS_REOPENED, "log files reopened");
	return rc;
}

void
master_switch_error_log(struct master *m, const char *path)
{
	int fd = log_open(path);

	if (fd == -1) {
		log_error("error_log %s stays, opening %s", m->error_log, path);
		return;
	}
	free(m->error_log);
	m->error_log = xstrdup(path);
	master_take_error_log(m, fd);
	master_slots(m, slot_send_logs);
}
