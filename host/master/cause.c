/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a process has ended, or has to, in words. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/signals.h"
#include "master/child.h"

void
cause_late(const struct child *c, char *why, size_t size)
{
	char plugin[64];
	const char *cb;

	cb = board_running(
	    &c->all->board->cells[c->cell], plugin, sizeof(plugin));
	if (cb != NULL)
		(void)snprintf(why, size,
		    "not ready in time: plugin %s is still in %s; "
		    "see ready_timeout",
		    plugin, cb);
	else if (c->held[0] != '\0')
		(void)snprintf(why, size,
		    "not ready in time: it still waits for %s; "
		    "see ready_timeout",
		    c->held);
	else
		(void)snprintf(why, size, "not ready in time; see "
					  "ready_timeout");
}

/* "stopped by the sandbox in plugin chat, on_headers: openat of /etc/passwd for
 * reading".  What executes programs blocks all signals, so that the process
 * could not say what it was. */
static void
cause_forbidden(const struct board_cell *cell, const char *plugin,
    const char *cb, char *buf, size_t size)
{
	char what[sizeof(cell->forbidden)];

	(void)snprintf(what, sizeof(what), "%.*s", (int)sizeof(what) - 1,
	    cell->forbidden);
	if (what[0] == '\0')
		(void)snprintf(what, sizeof(what), "a system call with SIGSYS "
		    "blocked, as for executing a program");
	if (cb != NULL)
		(void)snprintf(buf, size, "stopped by the sandbox in plugin "
		    "%s, %s: %s", plugin, cb, what);
	else
		(void)snprintf(buf, size, "stopped by the sandbox: %s", what);
}

/* "SIGSEGV in plugin chat, on_headers", "exit(3) in plugin chat, create", "exit
 * status 1" */
void
cause_ended(const struct child *c, int status, char *buf, size_t size)
{
	const struct board_cell *cell = &c->all->board->cells[c->cell];
	char plugin[64], how[64], sig[SIGNAL_NAME_MAX];
	const char *cb;

	cb = board_running(cell, plugin, sizeof(plugin));
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NO_EXEC)
		(void)snprintf(how, sizeof(how), "it could not be executed");
	else if (WIFEXITED(status) && cb != NULL)
		(void)snprintf(how, sizeof(how), "exit(%d)",
		    WEXITSTATUS(status));
	else if (WIFEXITED(status))
		(void)snprintf(
		    how, sizeof(how), "exit status %d", WEXITSTATUS(status));
	else
		(void)snprintf(how, sizeof(how), "%s",
		    signal_name(WTERMSIG(status), sig));
	if (c->why[0] != '\0')
		(void)snprintf(buf, size, "%s", c->why);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		cause_forbidden(cell, plugin, cb, buf, size);
	else if (cb != NULL)
		(void)snprintf(
		    buf, size, "%s in plugin %s, %s", how, plugin, cb);
	else
		(void)snprintf(buf, size, "%s", how);
}
