/* SPDX-License-Identifier: BSD-2-Clause */
#include <hostd/abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "master/asked.h"
#include "master/call.h"
#include "master/master.h"

void
calls_init(struct master *m)
{
	TAILQ_INIT(&m->calls.list);
	m->calls.last = (uint32_t)(uv_hrtime() >> 10);
	m->children.called = calls_heard;
	m->children.left = calls_left;
}

/* ---- life ---- */

static void
call_closed(uv_handle_t *h)
{
	free(h->data);
}

static void
call_late(uv_timer_t *t)
{
	struct call *c = t->data;
	struct call_part *p;

	TAILQ_FOREACH (p, &c->parts, link)
		if (p->state == PART_WAITING)
			p->state = PART_LATE;
	c->step(c);
}

/* It may be us who are late: what has come meanwhile is heard first. */
static void
call_overdue(uv_timer_t *t)
{
	(void)uv_timer_start(t, call_late, 1, 0);
}

struct call *
call_new(struct master *m, void *owner, void (*step)(struct call *))
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->m = m;
	c->owner = owner;
	c->step = step;
	TAILQ_INIT(&c->parts);
	(void)uv_timer_init(&m->loop, &c->timer);
	c->timer.data = c;
	TAILQ_INSERT_TAIL(&m->calls.list, c, link);
	return c;
}

void
call_drop(struct call *c, struct call_part *p)
{
	TAILQ_REMOVE(&c->parts, p, link);
	buf_free(&p->text);
	free(p);
}

void
call_free(struct call *c)
{
	while (!TAILQ_EMPTY(&c->parts))
		call_drop(c, TAILQ_FIRST(&c->parts));
	TAILQ_REMOVE(&c->m->calls.list, c, link);
	uv_close((uv_handle_t *)&c->timer, call_closed);
}

/* ---- asking ---- */

struct call_part *
call_add(struct call *c, struct child *child, const char *pool)
{
	struct call_part *p = xcalloc(1, sizeof(*p));

	p->child = child;
	p->pool = pool;
	p->pid = child->pid;
	(void)snprintf(p->worker, sizeof(p->worker), "%s", child->name);
	TAILQ_INSERT_TAIL(&c->parts, p, link);
	return p;
}

int
call_is_waiting(const struct call *c)
{
	const struct call_part *p;

	TAILQ_FOREACH (p, &c->parts, link)
		if (p->state == PART_WAITING)
			return 1;
	return 0;
}

static void
part_ask(struct call *c, struct call_part *p, struct chan_call *head,
    const struct buf *rest)
{
	char data[CHAN_DATA_MAX];
	size_t n = sizeof(*head) + rest->len;

	p->text.len = 0;
	p->id = head->id = ++c->m->calls.last;
	p->state = PART_WAITING;
	if (p->child == NULL)
		p->state = PART_GONE;
	else if (!p->child->calls)
		p->state = PART_OLDER;
	if (p->state != PART_WAITING || n > sizeof(data))
		return;
	memcpy(data, head, sizeof(*head));
	if (rest->len > 0)
		memcpy(data + sizeof(*head), rest->p, rest->len);
	if (child_try(p->child, CHAN_CALL, data, n) == -1)
		p->state = p->child == NULL || p->child->fd == -1 ? PART_GONE :
		    PART_DEAF;
}

void
call_ask(struct call *c, uint32_t what, uint32_t nargs,
    const struct buf *rest, uint32_t limit_ms, uint64_t ms)
{
	struct chan_call head = {.what = what,
	    .limit_ms = limit_ms,
	    .max = (uint32_t)c->max,
	    .nargs = nargs};
	struct call_part *p;

	TAILQ_FOREACH (p, &c->parts, link)
		if (p->state == PART_WAITING || p->state == PART_HERE)
			part_ask(c, p, &head, rest);
	if (call_is_waiting(c))
		(void)uv_timer_start(&c->timer, call_overdue, ms, 0);
	else
		(void)uv_timer_start(&c->timer, call_late, 0, 0);
}

/* ---- answers ---- */

static struct call_part *
part_find(struct master *m, const struct child *child, uint32_t id,
    struct call **out)
{
	struct call_part *p;
	struct call *c;

	TAILQ_FOREACH (c, &m->calls.list, link)
		TAILQ_FOREACH (p, &c->parts, link)
			if (p->child == child && p->id == id &&
			    p->state == PART_WAITING) {
				*out = c;
				return p;
			}
	return NULL;
}

/* In place of what is sent; a part that is no state: it goes on. */
static enum part_state
part_state(const struct chan_called *head)
{
	switch (head->how) {
	case CALLED_PART:
		return PART_WAITING;
	case CALLED_DONE:
		return PART_DONE;
	case CALLED_HERE:
		return PART_HERE;
	case CALLED_ABSENT:
		return PART_ABSENT;
	case CALLED_REFUSED:
		return PART_REFUSED;
	default:
		return PART_BAD;
	}
}

static void
part_take(struct call *c, struct call_part *p, const struct chan_called *head,
    const char *bytes, size_t n)
{
	size_t max = c->max > CALL_TEXT_MAX ? c->max : CALL_TEXT_MAX;

	p->state = part_state(head);
	p->status = head->status > HOSTD_OK ? HOSTD_E_IO : head->status;
	p->flags = head->flags;
	if (n > max - p->text.len) {
		p->state = PART_BAD;
		return;
	}
	if (n > 0)
		buf_append(&p->text, bytes, n);
}

void
calls_heard(struct child *child, const struct chan_msg *msg)
{
	struct chan_called head;
	struct call_part *p;
	struct call *c;

	memcpy(&head, msg->data, sizeof(head));
	p = part_find(children_master(child->all), child, head.id, &c);
	if (p == NULL)	/* nobody waits for it any more */
		return;
	part_take(c, p, &head, msg->data + sizeof(head),
	    msg->len - sizeof(head));
	if (p->state != PART_WAITING && (c->early || !call_is_waiting(c)))
		c->step(c);
}

void
calls_left(struct child *child)
{
	struct master *m = children_master(child->all);
	struct call *c, *next;
	struct call_part *p;
	int told;

	asked_left(child);
	for (c = TAILQ_FIRST(&m->calls.list); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		told = 0;
		TAILQ_FOREACH (p, &c->parts, link)
			if (p->child == child) {
				p->child = NULL;
				told = p->state == PART_WAITING;
				if (told)
					p->state = PART_GONE;
			}
		if (told && !call_is_waiting(c))
			c->step(c);
	}
}
