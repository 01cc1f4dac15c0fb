/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <unistd.h>
#include "base/log.h"
#include "master/slot.h"
#include "master/succession.h"

static void succession_late(uv_timer_t *);

void
succession_init(struct slot *s, uv_loop_t *loop)
{
	s->succession.file = -1;
	(void)uv_timer_init(loop, &s->succession.late);
	s->succession.late.data = s;
}

static void
drop_file(struct succession *su)
{
	if (su->file != -1)
		(void)close(su->file);
	su->file = -1;
}

void
succession_close(struct slot *s, uv_close_cb closed)
{
	drop_file(&s->succession);
	uv_close((uv_handle_t *)&s->succession.late, closed);
}

static void
wait_for(struct succession *su)
{
	(void)uv_timer_start(&su->late, succession_late,
	    (uint64_t)su->to->gen->conf->state_timeout, 0);
}

static void
end(struct succession *su)
{
	(void)uv_timer_stop(&su->late);
	drop_file(su);
	su->from = su->to = NULL;
	su->saving = 0;
}

static int
may_save(const struct worker *w)
{
	return w != NULL && w->child->ready && !w->child->ending;
}

void
succession_created(struct slot *s, struct worker *w)
{
	struct succession *su = &s->succession;
	struct chan_save save;

	if (w != s->next || su->to != NULL || !may_save(s->current)) {
		child_send(w->child, CHAN_COLD, NULL, 0, -1);
		return;
	}
	su->from = s->current;
	su->to = w;
	su->saving = 1;
	save.max = (uint64_t)w->gen->conf->max_state;
	child_send(su->from->child, CHAN_SAVE, &save, sizeof(save), -1);
	wait_for(su);
}

void
succession_state(struct slot *s, struct worker *w, int fd)
{
	struct succession *su = &s->succession;

	if (w == su->from && su->saving && su->file == -1)
		su->file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* To the heir, and now it has to get ready. */
static void
pass_on(struct succession *su)
{
	su->saving = 0;
	child_send(su->to->child, su->file == -1 ? CHAN_COLD : CHAN_STATE,
	    NULL, 0, su->file);
	drop_file(su);
	if (su->from == NULL)
		end(su);
	else
		wait_for(su);
}

void
succession_saved(struct slot *s, struct worker *w)
{
	if (w == s->succession.from && s->succession.saving)
		pass_on(&s->succession);
}

/* -- when it takes too long, or comes to nothing -- */

static void
tell_unsaved(const struct child *c)
{
	char plugin[64];
	const char *cb;

	cb = board_running(&c->all->board->cells[c->cell], plugin,
	    sizeof(plugin));
	if (cb != NULL)
		log_warnx("worker %s (pid %d): plugin %s is still in %s after "
		    "state_timeout; its successor starts cold", c->name,
		    (int)c->pid, plugin, cb);
	else
		log_warnx("worker %s (pid %d) has not saved all of its "
		    "plugins' state within state_timeout; the rest starts cold",
		    c->name, (int)c->pid);
}

static void
accept_again(struct succession *su)
{
	child_send(su->from->child, CHAN_ACCEPT, NULL, 0, -1);
	end(su);
}

static void
succession_late(uv_timer_t *t)
{
	struct slot *s = t->data;
	struct succession *su = &s->succession;

	if (su->saving) {
		tell_unsaved(su->from->child);
		pass_on(su);
		return;
	}
	log_warnx("worker %s of generation %u, which has its predecessor's "
	    "state, is not ready after state_timeout; until it is, the one "
	    "before accepts, and what plugins learn there is lost",
	    su->to->child->name, su->to->gen->n);
	accept_again(su);
}

void
succession_done(struct slot *s)
{
	end(&s->succession);
}

void
succession_forget(struct slot *s, const struct worker *w)
{
	struct succession *su = &s->succession;

	if (w == su->to) {
		if (su->from != NULL)
			accept_again(su);
		end(su);
	} else if (w == su->from) {
		su->from = NULL;
		if (su->saving)
			pass_on(su);
		else
			end(su);
	}
}
