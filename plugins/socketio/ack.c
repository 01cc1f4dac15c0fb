/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "ack.h"
#include "away.h"
#include "metrics.h"

/* What a client owes us. */
struct ack {
	struct ack *next;		/* of the socket, by id */
	struct sio_socket *socket;
	uint64_t id;
	uint64_t due;
	uint32_t at;			/* in the heap, + 1; 0: no time limit */
	ack_fn fn;
	void *arg;
};

/* What we owe: a slot of a table, in a ring of those of its socket. */
struct owed {
	struct owed_to to;		/* fn NULL and socket NULL: unused */
	uint32_t generation;
	uint32_t older, newer;		/* slots + 1; unused: older is the next
					   free one */
};

struct acks {
	struct ack **heap;		/* the least due first */
	uint32_t n, size;
	hostd_timer timer;
	int is_armed;
	uint64_t armed_for;
	struct owed *owed;
	uint32_t nowed, free_owed;
};

int32_t
acks_create(struct hostd_inst *in)
{
	in->acks = calloc(1, sizeof(*in->acks));
	return in->acks == NULL ? HOSTD_E_NOMEM : HOSTD_OK;
}

void
acks_destroy(struct hostd_inst *in)
{
	if (in->acks == NULL)
		return;
	free(in->acks->heap);
	free(in->acks->owed);
	free(in->acks);
	in->acks = NULL;
}

/* -- the heap -- */

static void
heap_put(struct acks *all, uint32_t i, struct ack *a)
{
	all->heap[i] = a;
	a->at = i + 1;
}

static void
heap_up(struct acks *all, uint32_t i, struct ack *a)
{
	for (; i > 0 && all->heap[(i - 1) / 2]->due > a->due; i = (i - 1) / 2)
		heap_put(all, i, all->heap[(i - 1) / 2]);
	heap_put(all, i, a);
}

static void
heap_down(struct acks *all, uint32_t i, struct ack *a)
{
	uint32_t child;

	while ((child = 2 * i + 1) < all->n) {
		if (child + 1 < all->n && all->heap[child + 1]->due <
		    all->heap[child]->due)
			child++;
		if (all->heap[child]->due >= a->due)
			break;
		heap_put(all, i, all->heap[child]);
		i = child;
	}
	heap_put(all, i, a);
}

static int
heap_add(struct acks *all, struct ack *a)
{
	uint32_t size = all->size == 0 ? 16 : all->size * 2;
	struct ack **p;

	if (all->n == all->size) {
		if ((p = realloc(all->heap, size * sizeof(struct ack *))) ==
		    NULL)
			return -1;
		all->heap = p;
		all->size = size;
	}
	heap_up(all, all->n++, a);
	return 0;
}

static void
heap_remove(struct acks *all, struct ack *a)
{
	uint32_t i = a->at - 1;
	struct ack *last = all->heap[--all->n];

	a->at = 0;
	if (last == a)
		return;
	if (i > 0 && all->heap[(i - 1) / 2]->due > last->due)
		heap_up(all, i, last);
	else
		heap_down(all, i, last);
}

/* -- what clients owe -- */

static void	arm(struct hostd_inst *);

/* Out of all, but not freed; at points to the link to it. */
static struct ack *
ack_unlink(struct ack **at)
{
	struct ack *a = *at;
	struct sio_socket *s = a->socket;

	if ((*at = a->next) == NULL)
		s->last_ack = at;
	s->nacks--;
	if (a->at != 0)
		heap_remove(s->space->in->acks, a);
	return a;
}

static struct ack **
ack_find(struct sio_socket *s, uint64_t id)
{
	struct ack **at = &s->acks;

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void
ack_tell(struct ack *a, int32_t status, const struct hostd_sio_args *args)
{
	struct hostd_inst *in = a->socket->space->in;
	ack_fn fn = a->fn;
	void *arg = a->arg;

	free(a);
	fn(in, arg, status, args);
}

static void
on_due(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	struct acks *all = in->acks;
	uint64_t now = in->easy.host->now_ms(in->easy.host);
	struct sio_socket *s;
	struct ack *a;

	(void)timer;
	(void)arg;
	all->is_armed = 0;
	while (all->n > 0 && all->heap[0]->due <= now) {
		a = all->heap[0];
		s = a->socket;
		metrics_count(in, s->space->metrics, METRICS_LATE_ACKS, 1);
		ack_tell(ack_unlink(ack_find(s, a->id)), HOSTD_E_TIMEOUT,
		    NULL);
		away_settle(s);
	}
	arm(in);
}

/* One timer for the least due.  It may come too early, for one that is gone. */
static void
arm(struct hostd_inst *in)
{
	const struct hostd_host *h = in->easy.host;
	struct acks *all = in->acks;
	uint64_t now, due;

	if (all->n == 0 || (all->is_armed && all->armed_for <=
	    all->heap[0]->due))
		return;
	if (all->is_armed)
		(void)in->timer->stop(h, all->timer);
	now = h->now_ms(h);
	due = all->heap[0]->due;
	all->is_armed = in->timer->start(h, due > now ? due - now : 0, 0,
	    on_due, NULL, &all->timer) == HOSTD_OK;
	all->armed_for = due;
}

int32_t
ack_expect(struct sio_socket *s, uint64_t id, uint32_t timeout_ms, ack_fn fn,
    void *arg)
{
	struct hostd_inst *in = s->space->in;
	struct ack *a;

	if (s->nacks >= in->opt.max_acks)
		return HOSTD_E_FULL;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return HOSTD_E_NOMEM;
	a->socket = s;
	a->id = id;
	a->fn = fn;
	a->arg = arg;
	if (timeout_ms > 0) {
		a->due = in->easy.host->now_ms(in->easy.host) + timeout_ms;
		if (heap_add(in->acks, a) == -1) {
			free(a);
			return HOSTD_E_NOMEM;
		}
		arm(in);
	}
	*s->last_ack = a;
	s->last_ack = &a->next;
	s->nacks++;
	return HOSTD_OK;
}

int
ack_came(struct sio_socket *s, uint64_t id, const struct hostd_sio_args *args)
{
	struct ack **at = ack_find(s, id);

	if (*at == NULL)
		return -1;
	ack_tell(ack_unlink(at), HOSTD_OK, args);
	return 0;
}

void
ack_unexpect(struct sio_socket *s, uint64_t id)
{
	struct ack **at = ack_find(s, id);

	if (*at != NULL)
		free(ack_unlink(at));
}

static void	owed_drop(struct hostd_inst *, uint32_t slot);

void
acks_gone(struct sio_socket *s)
{
	while (s->owed != 0)
		owed_drop(s->space->in, s->owed);
	while (s->acks != NULL)
		ack_tell(ack_unlink(&s->acks), HOSTD_E_GONE, NULL);
}

void
acks_forget(struct hostd_inst *in, ack_fn fn,
    int (*is_of)(void *arg, const void *owner), const void *owner)
{
	struct sio_socket *s;
	struct ack **at;
	uint32_t i = 0;

	while ((s = socket_next(in, &i)) != NULL)
		for (at = &s->acks; *at != NULL;)
			if ((*at)->fn == fn && is_of((*at)->arg, owner))
				free(ack_unlink(at));
			else
				at = &(*at)->next;
}

/* -- what is owed to them, and to others -- */

static int
owed_grow(struct acks *all)
{
	uint32_t n = all->nowed == 0 ? 64 : all->nowed * 2, i;
	struct owed *o;

	if ((o = realloc(all->owed, n * sizeof(*o))) == NULL)
		return -1;
	all->owed = o;
	for (i = n; i-- > all->nowed;) {
		memset(&o[i], 0, sizeof(o[i]));
		o[i].older = all->free_owed;
		all->free_owed = i + 1;
	}
	all->nowed = n;
	return 0;
}

/* slot + 1; 0: no memory. */
static uint32_t
owed_new(struct acks *all, struct sio_socket *s)
{
	uint32_t at;
	struct owed *o;

	if (all->free_owed == 0 && owed_grow(all) == -1)
		return 0;
	at = all->free_owed;
	o = &all->owed[at - 1];
	all->free_owed = o->older;
	memset(&o->to, 0, sizeof(o->to));
	o->to.socket = s;
	o->generation++;
	return at;
}

static void
owed_drop(struct hostd_inst *in, uint32_t at)
{
	struct acks *all = in->acks;
	struct owed *o = &all->owed[at - 1];
	struct sio_socket *s = o->to.socket;

	if (s != NULL) {
		all->owed[o->older - 1].newer = o->newer;
		all->owed[o->newer - 1].older = o->older;
		if (s->owed == at)
			s->owed = --s->nowed == 0 ? 0 : o->older;
		else
			s->nowed--;
	}
	o->to.socket = NULL;
	o->to.fn = NULL;
	o->older = all->free_owed;
	all->free_owed = at;
}

static hostd_sio_ack
handle_of(const struct acks *all, uint32_t at)
{
	hostd_sio_ack ack = { 0 };

	if (at != 0)
		ack.id = (uint64_t)all->owed[at - 1].generation << 32 | at;
	return ack;
}

hostd_sio_ack
ack_owe(struct sio_socket *s, uint64_t id)
{
	struct hostd_inst *in = s->space->in;
	struct acks *all = in->acks;
	struct owed *o;
	uint32_t at;

	if (s->nowed >= in->opt.max_acks)
		owed_drop(in, all->owed[s->owed - 1].newer);
	if ((at = owed_new(all, s)) == 0)
		return handle_of(all, 0);
	o = &all->owed[at - 1];
	o->to.id = id;
	if (s->owed == 0)
		o->older = o->newer = at;
	else {
		/* The ring: the newest one's newer is the oldest. */
		o->older = s->owed;
		o->newer = all->owed[s->owed - 1].newer;
		all->owed[o->newer - 1].older = at;
		all->owed[s->owed - 1].newer = at;
	}
	s->owed = at;
	s->nowed++;
	return handle_of(all, at);
}

hostd_sio_ack
ack_owe_other(struct hostd_inst *in, ack_fn fn, void *arg)
{
	uint32_t at = owed_new(in->acks, NULL);

	if (at != 0) {
		in->acks->owed[at - 1].to.fn = fn;
		in->acks->owed[at - 1].to.arg = arg;
	}
	return handle_of(in->acks, at);
}

int
ack_take(struct hostd_inst *in, hostd_sio_ack ack, struct owed_to *out)
{
	struct acks *all = in->acks;
	uint32_t at = (uint32_t)ack.id;
	const struct owed *o;

	if (at == 0 || at > all->nowed)
		return -1;
	o = &all->owed[at - 1];
	if (o->generation != (uint32_t)(ack.id >> 32) ||
	    (o->to.socket == NULL && o->to.fn == NULL))
		return -1;
	*out = o->to;
	owed_drop(in, at);
	return 0;
}

void
ack_cancel(struct hostd_inst *in, hostd_sio_ack ack)
{
	struct owed_to to;

	(void)ack_take(in, ack, &to);
}
