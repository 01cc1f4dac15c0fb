/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of Socket.IO that go from one instance to another. */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_sio_socket.h"

static uint32_t
version_of(const struct hostd_sio_ops *ops)
{
	return ops->struct_size > offsetof(struct hostd_sio_ops, version) ?
	    ops->version :
	    0;
}

int
fake_sio_moves(const struct fake *f)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(f);
	int saves = HOSTD_HAS(ops, save), loads = HOSTD_HAS(ops, load);

	if (saves != loads)
		check_fail("its handler has save or load, but not both");
	return saves || (ops->flags & HOSTD_SIO_PLAIN_DATA) != 0;
}

int32_t
fake_sio_save(struct fake_sio *s, const struct fake_put *limit,
    struct fake_state *to)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(s->f);
	hostd_sio handle = {s->handle};
	struct fake_putting p;
	hostd_buf plain = {s->d, ops->data_size};
	int32_t rc;

	fake_put_begin(&p, limit, to);
	to->version = version_of(ops);
	if (HOSTD_HAS(ops, save)) {
		fake_enter(s->f, "save of a socket", NULL);
		rc = ops->save(s->f->inst, handle, s->d, fake_put, &p);
		rc = fake_put_end(&p, "save of a socket", rc);
		fake_leave(s->f);
		return rc;
	}
	return fake_put_end(&p, "put", fake_put(&p, plain));
}

/* As it is when load is called. */
static struct fake_sio *
arrive(const struct fake_sio *from, struct fake *f)
{
	struct fake_sio *s = fake_sio_make(f, from->nsp, from->auth);

	memcpy(s->id, from->id, sizeof(s->id));
	if (from->data != NULL)
		s->data = xstrdup(from->data);
	s->rooms = from->rooms;
	s->state = SIO_OPEN;
	return s;
}

static int32_t
load(struct fake_sio *s, const struct fake_state *state)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(s->f);
	hostd_sio handle = {s->handle};
	int32_t rc;

	if (!HOSTD_HAS(ops, load)) {
		if (state->n != ops->data_size ||
		    state->version != version_of(ops))
			return HOSTD_E_INVAL;
		if (state->n > 0)
			memcpy(s->d, state->p, state->n);
		return HOSTD_OK;
	}
	fake_enter(s->f, "load of a socket", NULL);
	rc = ops->load(s->f->inst, handle, s->d, state->version,
	    fake_state_lend(state));
	fake_leave(s->f);
	if (rc > 0)
		check_fail("load of a socket returned %d", rc);
	return rc;
}

/* Whose it is not hears nothing of it. */
struct fake_sio *
fake_sio_move(struct fake_sio *s, struct fake *f,
    const struct fake_state *state, int32_t *rc)
{
	struct fake_sio *to = arrive(s, f);

	*rc = load(to, state);
	fake_sio_free(*rc == HOSTD_OK ? s : to);
	return *rc == HOSTD_OK ? to : NULL;
}
