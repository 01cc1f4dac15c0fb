/* SPDX-License-Identifier: BSD-2-Clause */
/* A WebSocket that goes on with another instance. */
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_state.h"

int32_t
fake_sock_save(
    struct fake_sock *s, const struct fake_put *limit, struct fake_state *to)
{
	const struct hostd_p_ws_state *t = s->fake->m->ws_state;
	hostd_ws id = {s->id};
	struct fake_putting p;
	int32_t rc;

	fake_put_begin(&p, limit, to);
	to->version = t->version;
	s->moving = MOVE_CALLED;
	fake_enter(s->fake, "save of a socket", NULL);
	rc = t->save(s->fake->inst, id, s->d, fake_put, &p);
	/* It may go later, and what it has put is nothing. */
	rc = fake_put_end(&p, "save of a socket",
	    rc == HOSTD_DEFER ? HOSTD_E_NOTSUP : rc);
	fake_leave(s->fake);
	s->moving = rc == HOSTD_OK ? MOVE_UNDECIDED : MOVE_NOT;
	return rc;
}

void
fake_sock_stay(struct fake_sock *s)
{
	s->moving = MOVE_NOT;
}

static void
copy_rooms(struct fake_sock *to, const struct fake_sock *from)
{
	const struct fake_room_of *r;
	hostd_buf name;

	LIST_FOREACH(r, &from->rooms, entry) {
		name.p = r->name;
		name.n = r->n;
		fake_sock_join(to, name);
	}
}

/* As it is when load is called. */
static struct fake_sock *
arrive(const struct fake_sock *from, struct fake *f)
{
	struct fake_sock *s = fake_sock_make(f, &from->spec, from->path);

	s->state = SOCK_OPEN;
	s->protocol = from->protocol == NULL ? NULL : xstrdup(from->protocol);
	s->opened_ms = from->opened_ms;
	s->nlabel = from->nlabel;
	memcpy(s->label, from->label, from->nlabel);
	s->paused = from->paused;
	s->want_writable = from->want_writable;
	s->status = from->status;
	s->received = from->received;
	s->bytes = from->bytes;
	copy_rooms(s, from);
	fake_sock_name(s);
	return s;
}

static void
leave(struct fake_sock *s)
{
	const struct hostd_p_ws_state *t = s->fake->m->ws_state;
	hostd_ws id = {s->id};

	s->moving = MOVE_CALLED;
	fake_sock_leave_all(s);
	if (t->moved != NULL) {
		fake_enter(s->fake, "moved", NULL);
		t->moved(s->fake->inst, id, s->d);
		fake_leave(s->fake);
	}
	fake_sock_over(s);
}

struct fake_sock *
fake_sock_move(struct fake_sock *s, struct fake *f,
    const struct fake_state *state, int32_t *rc)
{
	const struct hostd_p_ws_state *t = f->m->ws_state;
	struct fake_sock *to = arrive(s, f);
	hostd_ws id = {to->id};

	to->moving = MOVE_LOADED;
	fake_enter(f, "load of a socket", NULL);
	*rc = t->load(f->inst, id, to->d, state->version,
	    fake_state_lend(state));
	fake_leave(f);
	to->moving = MOVE_NOT;
	if (*rc > 0)
		check_fail("load of a socket returned %d", *rc);
	if (*rc == HOSTD_OK) {
		leave(s);
		return to;
	}
	fake_sock_over(to);
	fake_sock_free(to);
	fake_sock_stay(s);
	return NULL;
}
