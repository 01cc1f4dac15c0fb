/* SPDX-License-Identifier: BSD-2-Clause */
/* Between a start and the first connection: what plugins wait for. */
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "worker/state.h"

#define REASON_MAX 256

/* "" when nothing is held any more. */
static void
tell_reason(const char *reason)
{
	if (chan_send_text(CHAN_FD, CHAN_HELD, reason) == -1)
		log_warn("telling the master what is waited for");
}

int
worker_await_plugins(struct worker *w)
{
	char now[REASON_MAX], told[REASON_MAX] = "";

	while (TAILQ_EMPTY(&w->errs) && !w->loop.stopping &&
	    plugins_held(&w->plugins, now, sizeof(now))) {
		if (strcmp(now, told) != 0)
			tell_reason(now);
		(void)snprintf(told, sizeof(told), "%s", now);
		loop_turn(&w->loop);
	}
	if (told[0] != '\0')
		tell_reason("");
	return w->loop.stopping ? -1 : 0;
}
