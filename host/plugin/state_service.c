/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.p.state/1: instances save for a successor, and load from a
 * predecessor. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "base/log.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/state_file.h"

/* One save. */
struct saving {
	struct instance *in;
	struct state_file *file;
	uint64_t max;
	int full;		/* it has put more than max */
	int error;		/* errno: it could not be kept */
};

int
plugins_have_state(const struct plugins *all)
{
	const struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		if (in->state != NULL)
			return 1;
	return 0;
}

/* -- saving -- */

static int32_t
put(void *arg, hostd_buf part)
{
	struct saving *s = arg;
	int32_t rc;

	if ((rc = instance_check_thread(s->in, "put")) != 0)
		return rc;
	if (part.p == NULL && part.n > 0)
		return HOSTD_E_INVAL;
	if (s->full || part.n > s->max - s->file->size) {
		s->full = 1;
		return HOSTD_E_FULL;
	}
	if (s->error == 0 && state_file_add(s->file, part.p, part.n) == -1)
		s->error = errno;
	return s->error != 0 ? HOSTD_E_NOMEM : HOSTD_OK;
}

/* What became of it: a line for all but success and "there is none". */
static void
tell_saved(const struct saving *s, int32_t rc)
{
	const char *name = s->in->conf->name;

	if (s->full)
		log_warnx("plugin %s: its state is larger than max_state (%"
		    PRIu64 " bytes); its successor starts cold", name, s->max);
	else if (s->error != 0)
		log_warnx("plugin %s: its state can't be kept: %s; its "
		    "successor starts cold", name, strerror(s->error));
	else if (rc < 0 && rc != HOSTD_E_NOTSUP)
		log_warnx("plugin %s: save failed with code %d; its successor "
		    "starts cold", name, rc);
	else if (rc >= 0)
		log_info("plugin %s: saved its state, version %u, %" PRIu64
		    " bytes", name, s->in->state->version, s->file->size);
}

static void
instance_save(struct instance *in, struct state_file *file, uint64_t max)
{
	struct saving s = { in, file, max, 0, 0 };
	uint64_t entered;
	int32_t rc;

	if (state_file_begin(file, in->conf->name, in->module->desc.id,
	    in->state->version) == -1) {
		s.error = errno;
		tell_saved(&s, HOSTD_E_NOMEM);
		return;
	}
	entered = instance_enter(in, BOARD_CB_SAVE);
	rc = in->state->save(in->inst, put, &s);
	instance_leave(in, entered);
	if (rc >= 0 && !s.full && s.error == 0 &&
	    state_file_commit(file) == -1)
		s.error = errno;
	tell_saved(&s, rc);
}

void
plugins_save(struct plugins *all, struct state_file *file, uint64_t max)
{
	struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		if (in->state != NULL)
			instance_save(in, file, max);
}

/* -- loading -- */

static void
instance_load(struct instance *in, const struct state_record *r)
{
	uint64_t entered;
	int32_t rc;

	entered = instance_enter(in, BOARD_CB_LOAD);
	rc = in->state->load(in->inst, r->version, r->state);
	instance_leave(in, entered);
	if (rc >= 0)
		log_info("plugin %s: goes on with the state of its "
		    "predecessor, version %u, %zu bytes", in->conf->name,
		    r->version, r->state.n);
	else
		log_warnx("plugin %s: load refused the state of its "
		    "predecessor (version %u, %zu bytes; this one saves "
		    "version %u) with code %d; it starts cold", in->conf->name,
		    r->version, r->state.n, in->state->version, rc);
}

void
plugins_load_state(struct plugins *all, const struct state_map *map)
{
	struct state_record r;
	struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		if (in->state != NULL && state_map_find(map, in->conf->name,
		    in->module->desc.id, &r))
			instance_load(in, &r);
}
