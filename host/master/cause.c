/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a process has ended, or has to, in words. */
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
	else if (cb != NULL)
		(void)snprintf(
		    buf, size, "%s in plugin %s, %s", how, plugin, cb);
	else
		(void)snprintf(buf, size, "%s", how);
}
