/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>

#include "master/master.h"
#include "master/proc.h"
#include "master/pulse.h"
#include "net/loop.h"

#define IDLE_MS 250	/* without a turn, before it is asked for one */
#define SILENT_MS 1000	/* before others accept for it */
#define STUCK_MS 3000	/* before it is logged */
#define CORE_MS 5000	/* from SIGABRT to SIGKILL */

static const struct board_cell *
child_cell(const struct child *c)
{
	return &c->all->board->cells[c->cell];
}

/* "in plugin chat, on_message", "stopped by a signal", ... */
static void
child_where(const struct child *c, char *buf, size_t size)
{
	char plugin[64];
	const char *cb = board_running(child_cell(c), plugin, sizeof(plugin));

	if (proc_is_stopped(c->pid))
		(void)snprintf(buf, size, "stopped by a signal");
	else if (cb != NULL)
		(void)snprintf(buf, size, "in plugin %s, %s", plugin, cb);
	else
		(void)snprintf(buf, size, "busy outside of any plugin");
}

/* Who does not come back from a plugin's code serves nobody; where it is known
 * on the board alone. */
static void
child_tell_stuck(struct child *c)
{
	uint64_t ms = board_running_ms(child_cell(c));
	char where[128];

	if (c->silent_ms > ms)
		ms = c->silent_ms;
	if (ms < STUCK_MS) {
		c->stuck = 0;
		return;
	}
	if (c->stuck)
		return;
	c->stuck = 1;
	child_where(c, where, sizeof(where));
	event_worker(children_master(c->all), EVENT_WORKER_STUCK, c,
	    "has been %s, for %llu ms and serves nobody meanwhile", where,
	    (unsigned long long)ms);
}

/* A core tells where it hung; who is stopped would not make one. */
static void
child_put_down(struct child *c)
{
	char where[128], why[256];
	int stopped = proc_is_stopped(c->pid);

	if (c->aborted && !stopped &&
	    c->silent_ms < (uint64_t)c->watchdog + CORE_MS)
		return;
	if (!c->aborted) {
		child_where(c, where, sizeof(where));
		(void)snprintf(why, sizeof(why), "%s, for %llu ms (watchdog)",
		    where, (unsigned long long)c->silent_ms);
		event_worker(children_master(c->all), EVENT_WORKER_KILLED, c,
		    "has been %s: killing it", why);
		child_blame(c, why);
	}
	/* Whoever has stopped it may do so again: nothing is wrong with it. */
	c->killed = stopped;
	(void)kill(c->pid, c->aborted || stopped ? SIGKILL : SIGABRT);
	c->aborted = 1;
}

static void
child_tell_owner(struct child *c, int silent)
{
	if (c->silent == silent)
		return;
	c->silent = silent;
	if (c->ops->silent != NULL)
		c->ops->silent(c, silent);
}

static void
child_beats(struct child *c, uint64_t beat)
{
	c->beat = beat;
	c->asked = 0;
	c->silent_ms = 0;
	child_tell_owner(c, 0);
}

static void
child_look(struct child *c, uint64_t ms)
{
	uint64_t beat = atomic_load(&child_cell(c)->beat_ms);

	if (c->role != CHAN_ROLE_WORKER || !c->ready || c->elsewhere)
		return;
	if (beat != c->beat)
		child_beats(c, beat);
	else if (c->asked)
		c->silent_ms += ms;
	if (!c->asked && loop_clock_ms() - beat >= IDLE_MS) {
		c->asked = 1;
		child_send(c, CHAN_PING, NULL, 0, -1);
	}
	child_tell_stuck(c);
	if (c->silent_ms >= SILENT_MS)
		child_tell_owner(c, 1);
	if (c->watchdog > 0 && c->silent_ms >= (uint64_t)c->watchdog)
		child_put_down(c);
}

void
children_look(struct children *all, uint64_t ms)
{
	struct child *c;

	LIST_FOREACH(c, &all->list, link)
		child_look(c, ms < 2 * PULSE_MS ? ms : 2 * PULSE_MS);
}
