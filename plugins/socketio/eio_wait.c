/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine.h"

typedef void wait_fn(struct hostd_inst *, struct eio_wait *);

/* One lingers no more. */
static void
linger_late(struct hostd_inst *in, struct eio_wait *w)
{
	(void)in;
	eio_free(TABLE_OF(w, struct eio, beat));
}

static wait_fn *const due[EIO_WAIT_MOVED + 1] = {
	[EIO_WAIT_PING] = eio_beat_ping,
	[EIO_WAIT_PONG] = eio_beat_late,
	[EIO_WAIT_PINGED] = eio_beat_late,
	[EIO_WAIT_LINGER] = linger_late,
	[EIO_WAIT_PROBE] = eio_probe_late,
	[EIO_WAIT_POLL] = eio_poll_late,
	[EIO_WAIT_HELD] = eio_hold_late,
	[EIO_WAIT_MOVING] = eio_move_look,
	[EIO_WAIT_MOVED] = eio_beat_ping,
};

void
eio_waits_init(struct eio_waits *all)
{
	int i;

	for (i = 0; i < EIO_WAIT_KINDS; i++)
		TAILQ_INIT(&all->lists[i]);
}

static uint64_t
earliest(const struct eio_waits *all)
{
	uint64_t at = UINT64_MAX;
	const struct eio_wait *w;
	int i;

	for (i = 0; i < EIO_WAIT_KINDS; i++) {
		w = TAILQ_FIRST(&all->lists[i]);
		if (w != NULL && w->due < at)
			at = w->due;
	}
	return at;
}

static void	timer_fired(struct hostd_inst *, hostd_timer, void *);

static void
timer_set(struct hostd_inst *in, uint64_t at)
{
	const struct hostd_host *host = in->easy.host;
	struct eio_waits *all = &in->engine->waits;
	uint64_t now = host->now_ms(host);

	if (all->at != 0)
		(void)in->timer->stop(host, all->timer);
	all->at = in->timer->start(host, at > now ? at - now : 0, 0,
	    timer_fired, NULL, &all->timer) == HOSTD_OK ? at : 0;
}

static void
timer_fired(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct eio_waits *all = &in->engine->waits;
	uint64_t now = in->easy.host->now_ms(in->easy.host), next;
	struct eio_wait *w;
	int i;

	(void)t;
	(void)arg;
	all->at = 0;
	for (i = 0; i < EIO_WAIT_KINDS; i++)
		while ((w = TAILQ_FIRST(&all->lists[i])) != NULL &&
		    w->due <= now) {
			eio_wait_end(in, w);
			due[i < EIO_WAIT_MOVED ? i : EIO_WAIT_MOVED](in, w);
		}
	next = earliest(all);
	if (next != UINT64_MAX && (all->at == 0 || next < all->at))
		timer_set(in, next);
}

void
eio_wait_begin(struct hostd_inst *in, struct eio_wait *w,
    enum eio_wait_kind kind, uint64_t ms)
{
	struct eio_waits *all = &in->engine->waits;
	struct eio_wait_list *list = &all->lists[kind];
	struct eio_wait *before = TAILQ_LAST(list, eio_wait_list);

	w->due = in->easy.host->now_ms(in->easy.host) + ms;
	w->kind = kind;
	while (before != NULL && before->due > w->due)
		before = TAILQ_PREV(before, eio_wait_list, link);
	if (before == NULL)
		TAILQ_INSERT_HEAD(list, w, link);
	else
		TAILQ_INSERT_AFTER(list, before, w, link);
	if (all->at == 0 || w->due < all->at)
		timer_set(in, w->due);
}

void
eio_wait_end(struct hostd_inst *in, struct eio_wait *w)
{
	if (w->kind == EIO_WAIT_NONE)
		return;
	TAILQ_REMOVE(&in->engine->waits.lists[w->kind], w, link);
	w->kind = EIO_WAIT_NONE;
}
