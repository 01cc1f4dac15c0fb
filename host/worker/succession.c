/* SPDX-License-Identifier: BSD-2-Clause */
/* What plugins remember: from the worker before us, and to the one behind. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "plugin/state_file.h"
#include "worker/state.h"

/* -- from the one before -- */

static void
load_states(struct worker *w, int fd)
{
	struct state_map map;

	if (state_map_open(&map, fd) == -1) {
		log_warn("the states of our predecessor can't be read; all "
		    "plugins start cold");
		return;
	}
	plugins_load_state(&w->plugins, &map);
	state_map_close(&map);
}

int
worker_inherit(struct worker *w)
{
	int fd = -1;

	if (!plugins_have_state(&w->plugins))
		return 0;
	if (chan_send(CHAN_FD, CHAN_CREATED, NULL, 0, NULL, 0) == -1)
		fatal("telling the master that plugins are created");
	if (worker_await_state(w, &fd) == -1)
		return -1;
	if (fd != -1) {
		load_states(w, fd);
		(void)close(fd);
	}
	return 0;
}

/* -- to the one behind -- */

/* The file goes first: what is in it counts, even if a plugin does not come
 * back from its save. */
static void
save_states(struct worker *w, uint64_t max)
{
	struct state_file file;

	if (state_file_open(&file) == -1) {
		log_warn("making a file for the states of plugins; all of "
		    "them start cold");
		return;
	}
	if (chan_send(CHAN_FD, CHAN_STATE, NULL, 0, &file.fd, 1) == -1)
		log_warn("sending the states of plugins; all of them start "
		    "cold");
	else
		plugins_save(&w->plugins, &file, max);
	state_file_close(&file);
	(void)close(file.fd);
}

/* Whoever connects from now on belongs to the successor, which listens to the
 * same sockets. */
void
worker_bequeath(struct worker *w, uint64_t max)
{
	if (!w->draining && plugins_have_state(&w->plugins)) {
		worker_hold(w, 1);
		save_states(w, max);
	}
	(void)chan_send(CHAN_FD, CHAN_SAVED, NULL, 0, NULL, 0);
}

void
worker_go_on(struct worker *w)
{
	if (!w->held || w->draining)
		return;
	log_info("accepting again: our successor came to nothing");
	worker_hold(w, 0);
}
