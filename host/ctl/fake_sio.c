/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <hostd/json.h>

#include "base/mem.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_sio_socket.h"

#define EVENT_ARGS 16

static LIST_HEAD(, fake_sio) sockets = LIST_HEAD_INITIALIZER(sockets);
static uint64_t last_handle;

struct fake *
fake_sio_caller(const void *table, const char *id, const char *function)
{
	struct fake *f = NULL;
	size_t i;

	for (i = 1; strcmp(fake_tables[i].id, id) != 0; i++)
		;
	while ((f = fake_next(f)) != NULL)
		if (f->tables[i - 1] == table)
			return fake_called(f->host, function);
	check_fail("called %s of %s with a first argument that is not the "
		   "table",
	    function, id);
}

struct fake_sio *
fake_sio_find(const struct fake *f, hostd_sio h)
{
	struct fake_sio *s;

	LIST_FOREACH(s, &sockets, entry)
	if (s->handle == h.id && s->f == f && s->state != SIO_GONE)
		return s;
	return NULL;
}

struct fake_sio *
fake_sio_owed(const struct fake *f, hostd_sio_ack ack)
{
	struct fake_sio *s;

	LIST_FOREACH(s, &sockets, entry)
	if (s->f == f && s->state == SIO_OPEN && s->ack != 0 &&
	    s->ack == ack.id)
		return s;
	return NULL;
}

const struct hostd_sio_ops *
fake_sio_ops(const struct fake *f)
{
	const struct module_provide *p =
	    module_provides(f->m, HOSTD_KIND_SIO_HANDLER);

	return p == NULL ? NULL : p->info.ops;
}

int
fake_sio_is_open(const struct fake_sio *s)
{
	return s->state == SIO_OPEN;
}

void
fake_sio_free(struct fake_sio *s)
{
	LIST_REMOVE(s, entry);
	guard_retire(s->d);
	free(s->nsp);
	free(s->auth);
	free(s->data);
	free(s);
}

static hostd_sio
handle_of(const struct fake_sio *s)
{
	hostd_sio h = {s->handle};

	return h;
}

static void
tell_refused(struct fake_sio *s)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(s->f);

	if (HOSTD_HAS(ops, on_refused)) {
		fake_enter(s->f, "on_refused", NULL);
		ops->on_refused(s->f->inst, handle_of(s), s->d);
		fake_leave(s->f);
	}
	s->state = SIO_GONE;
}

/* What on_connecting says, or who is to say it later says. */
static void
ask(struct fake_sio *s)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(s->f);
	int32_t rc = HOSTD_OK;
	unsigned i;

	if (HOSTD_HAS(ops, on_connecting)) {
		fake_enter(s->f, "on_connecting", NULL);
		rc = ops->on_connecting(s->f->inst, handle_of(s), s->d);
		fake_leave(s->f);
	}
	if (rc > 0 && rc != HOSTD_DEFER)
		check_fail("on_connecting returned %d", rc);
	for (i = 0; rc == HOSTD_DEFER && s->verdict == 0 && i < 100; i++)
		(void)fake_turn();
	if (rc < 0 || (rc == HOSTD_DEFER && s->verdict == 0))
		s->verdict = -1;
}

struct fake_sio *
fake_sio_make(struct fake *f, const char *nsp, const char *auth)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(f);
	struct fake_sio *s = xcalloc(1, sizeof(*s));

	s->f = f;
	s->handle = ++last_handle << 8 | f->number;
	s->nsp = xstrdup(nsp);
	s->auth = xstrdup(auth);
	(void)snprintf(s->id, sizeof(s->id), "fake-%015llu",
	    (unsigned long long)s->handle);
	s->d = guard_alloc(ops->data_size + 1, "d of a socket");
	memset(s->d, 0, ops->data_size);
	LIST_INSERT_HEAD(&sockets, s, entry);
	return s;
}

struct fake_sio *
fake_sio_open(struct fake *f, const char *nsp, const char *auth)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(f);
	struct fake_sio *s = fake_sio_make(f, nsp, auth);

	ask(s);
	if (s->verdict == -1) {
		tell_refused(s);
		return s;
	}
	s->state = SIO_OPEN;
	if (HOSTD_HAS(ops, on_connect)) {
		fake_enter(f, "on_connect", NULL);
		ops->on_connect(f->inst, handle_of(s), s->d, 0);
		fake_leave(f);
	}
	(void)fake_turn();
	return s;
}

/* An event of an array, lent. */
static const struct hostd_sio_event *
lend_event(const char *array, const char *data, uint64_t ack)
{
	struct hostd_sio_event *ev = fake_lend(sizeof(*ev));
	struct hostd_sio_args *args = fake_lend(sizeof(*args));
	hostd_buf *v = fake_lend(EVENT_ARGS * sizeof(*v));
	hostd_buf *bins = fake_lend(sizeof(*bins));
	struct hostd_json_walk w;
	hostd_buf all = {array, strlen(array)}, value;

	memset(ev, 0, sizeof(*ev));
	memset(args, 0, sizeof(*args));
	ev->struct_size = sizeof(*ev);
	ev->args = args;
	ev->ack.id = ack;
	args->struct_size = sizeof(*args);
	args->v = v;
	args->bins = bins;
	w = hostd_json_walk(all);
	if (hostd_json_next(&w, &value)) {
		value = hostd_json_is_string(value) ? hostd_json_inner(value) :
						      value;
		ev->name = fake_lend_copy(value.p, value.n);
	}
	while (args->n < EVENT_ARGS && hostd_json_next(&w, &value))
		v[args->n++] = fake_lend_copy(value.p, value.n);
	if (data != NULL)
		bins[args->nbins++] = fake_lend_text(data);
	return ev;
}

void
fake_sio_say(struct fake_sio *s, const char *array, const char *data,
    int with_ack)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(s->f);

	if (s->state != SIO_OPEN || !HOSTD_HAS(ops, on_event))
		return;
	s->ack = with_ack ? ++last_handle : 0;
	fake_enter(s->f, "on_event", NULL);
	(void)ops->on_event(s->f->inst, handle_of(s), s->d,
	    lend_event(array, data, s->ack));
	fake_leave(s->f);
	(void)fake_turn();
}

static void
tell_going(struct fake_sio *s, int32_t reason)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(s->f);

	s->state = SIO_GOING;
	if (HOSTD_HAS(ops, on_disconnecting)) {
		fake_enter(s->f, "on_disconnecting", NULL);
		ops->on_disconnecting(
		    s->f->inst, handle_of(s), s->d, reason);
		fake_leave(s->f);
	}
	if (HOSTD_HAS(ops, on_disconnect)) {
		fake_enter(s->f, "on_disconnect", NULL);
		ops->on_disconnect(s->f->inst, handle_of(s), s->d, reason);
		fake_leave(s->f);
	}
	s->state = SIO_GONE;
}

void
fake_sio_leave(struct fake_sio *s, int32_t reason)
{
	if (s->state == SIO_OPEN || s->state == SIO_GOING)
		tell_going(s, reason);
	(void)fake_turn();
	fake_sio_free(s);
}

void
fake_sio_server(struct fake *f, const char *nsp, const char *array)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(f);

	if (!HOSTD_HAS(ops, on_server_event))
		return;
	fake_enter(f, "on_server_event", NULL);
	(void)ops->on_server_event(
	    f->inst, fake_lend_text(nsp), lend_event(array, NULL, 0));
	fake_leave(f);
	(void)fake_turn();
}

void
fake_sio_cluster(struct fake *f, int on)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(f);

	if (!HOSTD_HAS(ops, on_cluster))
		return;
	fake_enter(f, "on_cluster", NULL);
	ops->on_cluster(f->inst, on);
	fake_leave(f);
	(void)fake_turn();
}

void
fake_sio_end(struct fake *f)
{
	struct fake_sio *s, *next;

	for (s = LIST_FIRST(&sockets); s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		if (s->f == f)
			fake_sio_leave(s, HOSTD_SIO_SHUTTING_DOWN);
	}
}
