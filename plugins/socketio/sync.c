/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was said before our adapter could hear it, the worker before us has
 * heard, or will in a moment.  Its sockets must not come before: so it is asked
 * whether it has, and this worker is not ready until it says so.
 *
 *	BUS_SYNC	is asked of those before us
 *	BUS_SYNCED	they have
 */
#include "cluster_inside.h"

#define SYNC_MS	2000	/* then it has crashed, or its adapter is not up */

static void
sync_end(struct cluster *c)
{
	if (!c->is_syncing)
		return;
	c->is_syncing = 0;
	(void)c->in->timer->stop(c->in->easy.host, c->sync_late);
	adapters_settled(c);
}

static void
sync_ends(struct hostd_inst *in, hostd_timer t, void *arg)
{
	(void)in;
	(void)t;
	sync_end(arg);
}

void
sync_begin(struct cluster *c)
{
	c->nsyncing = peer_elders(c);
	if (c->nsyncing == 0) {
		adapters_settled(c);
		return;
	}
	if (c->is_syncing)
		return;
	c->is_syncing = c->in->timer->start(c->in->easy.host, SYNC_MS, 0,
	    sync_ends, c, &c->sync_late) == HOSTD_OK;
	(void)bus_begin(c, BUS_SYNC, c->seq);
	if (!c->is_syncing || bus_send_heir(c) < 0)
		adapters_settled(c);
}

void
sync_answered(struct cluster *c)
{
	if (c->nsyncing > 0 && --c->nsyncing == 0)
		sync_end(c);
}

/* -- by those who come after us -- */

void
sync_asked(struct cluster *c, const struct bus_message *m)
{
	if (!peer_has_heir(c))
		return;
	c->sync_for = m->process;
	if (!adapters_sync(c))
		sync_done(c);
}

void
sync_done(struct cluster *c)
{
	if (c->sync_for == 0)
		return;
	(void)bus_begin(c, BUS_SYNCED, c->seq);
	(void)bus_send(c, c->sync_for);
	c->sync_for = 0;
}
