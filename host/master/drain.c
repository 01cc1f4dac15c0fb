/* SPDX-License-Identifier: BSD-2-Clause */
#include "master/drain.h"
#include "master/master.h"
#include "master/notify.h"

static void
child_tell(struct child *c, int on, int64_t window)
{
	struct chan_leave l = {
	    .on = on != 0, .window_ms = (uint32_t)window};

	if (c->role == CHAN_ROLE_WORKER && c->ready)
		child_send(c, CHAN_LEAVE, &l, sizeof(l), -1);
}

static void
drain_tell_all(struct master *m, int on, int64_t window)
{
	struct child *c;

	atomic_store(&m->board.node->unready, (uint32_t)on);
	LIST_FOREACH (c, &m->children.list, link)
		child_tell(c, on, window);
}

int
drain_is_on(const struct master *m)
{
	return atomic_load(&m->board.node->unready) != 0;
}

void
drain_begin(struct master *m, int64_t window)
{
	event_add(m, EVENT_NODE_DRAINING,
	    "not ready any more; clients are sent away within %lld ms",
	    (long long)window);
	if (!m->stopping)
		notify("STATUS=draining, generation %u", m->gen->n);
	drain_tell_all(m, 1, window);
}

void
drain_end(struct master *m)
{
	drain_tell_all(m, 0, 0);
	notify("STATUS=serving generation %u", m->gen->n);
	event_add(m, EVENT_NODE_RESUMED, "ready again");
}

void
drain_tell(struct master *m, struct child *c)
{
	if (drain_is_on(m))
		child_tell(c, 1, m->gen != NULL ? m->gen->conf->drain_timeout
						: 0);
}
