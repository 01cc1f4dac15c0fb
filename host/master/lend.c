/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of a slot whose worker is not there, or does not move: those who
 * connect meanwhile must not wait for it. */
#include "master/slot.h"

static int
slot_can_borrow(const struct slot *s)
{
	const struct child *c = s->current != NULL ? s->current->child : NULL;

	return c != NULL && c->ready && !c->ending && !c->silent;
}

void
slot_lend(struct slot *s)
{
	struct slot *o;

	TAILQ_FOREACH (o, &s->pool->slots, link) {
		if (o == s || !slot_can_borrow(o))
			continue;
		slot_sockets_lend(s, o->current);
		s->borrower = o->current;
		return;
	}
}

void
slot_take_back(struct slot *s)
{
	struct chan_return r = {.slot = s->index};

	if (s->borrower != NULL)
		child_send(s->borrower->child, CHAN_RETURN, &r, sizeof(r), -1);
	s->borrower = NULL;
}

void
slots_lend_anew(struct pool *p, const struct worker *w)
{
	struct slot *s;

	TAILQ_FOREACH (s, &p->slots, link) {
		if (s->borrower != w)
			continue;
		slot_take_back(s);
		slot_lend(s);
	}
}

void
slots_lend_waiting(struct pool *p)
{
	struct slot *s;

	TAILQ_FOREACH (s, &p->slots, link)
		if (s->borrower == NULL && (s->respawn_at != 0 ||
		    (s->current != NULL && s->current->child->silent)))
			slot_lend(s);
}
