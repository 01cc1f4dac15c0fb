/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <hostd/json.h>

#include "base/mem.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_sio.h"

#define ROOMS_MAX 1000
#define EVENT_ARGS 16

enum sio_state {
	SIO_CONNECTING,
	SIO_OPEN,
	SIO_GOING, /* on_disconnecting and what is behind it */
	SIO_GONE
};

struct fake_sio {
	LIST_ENTRY(fake_sio) entry;
	struct fake *f;
	uint64_t handle;
	char *nsp, *auth;
	char id[24];
	enum sio_state state;
	int verdict; /* 1: accepted, -1: refused */
	int deferred;
	unsigned rooms;
	uint64_t ack; /* that is owed to it; 0: none */
	void *d;
	char *data;
};

static LIST_HEAD(, fake_sio) sockets = LIST_HEAD_INITIALIZER(sockets);
static uint64_t last_handle;

/* -- who calls -- */

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

static struct fake *
caller(const struct hostd_sio_api *api, const char *function)
{
	return fake_sio_caller(api, HOSTD_EXT_SOCKETIO, function);
}

/* The socket, if it is the caller's and is there. */
static struct fake_sio *
find(const struct hostd_sio_api *api, hostd_sio h, const char *function)
{
	struct fake *f = caller(api, function);
	struct fake_sio *s;

	LIST_FOREACH(s, &sockets, entry)
	if (s->handle == h.id && s->f == f && s->state != SIO_GONE)
		return s;
	return NULL;
}

static int
args_ok(const struct hostd_sio_args *a)
{
	uint32_t i;

	for (i = 0; a != NULL && i < a->n; i++)
		if (!hostd_json_ok(a->v[i]))
			return 0;
	return 1;
}

static int
is_reserved(hostd_buf name)
{
	static const char *const names[] = {"connect", "connect_error",
	    "disconnect", "disconnecting", "newListener", "removeListener"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name.n == strlen(names[i]) &&
		    memcmp(name.p, names[i], name.n) == 0)
			return 1;
	return 0;
}

static int32_t
judge_event(hostd_buf name, const struct hostd_sio_args *a)
{
	return is_reserved(name) || !args_ok(a) ? HOSTD_E_INVAL : HOSTD_OK;
}

static int32_t
judge_rooms(const hostd_buf *rooms, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (rooms[i].n == 0 || rooms[i].n > HOSTD_SIO_ROOM_MAX)
			return HOSTD_E_INVAL;
	return HOSTD_OK;
}

static int32_t
judge_to(const struct hostd_sio_to *to)
{
	if (to->struct_size == 0)
		check_fail("gave a hostd_sio_to whose struct_size is 0");
	if (judge_rooms(to->rooms, to->nrooms) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return judge_rooms(to->except, to->nexcept);
}

/* -- answers, which come later -- */

struct later {
	int32_t status;
	void *arg;
	void (*answer)(struct hostd_inst *, void *, int32_t,
	    const struct hostd_sio_args *);
	void (*counted)(
	    struct hostd_inst *, void *, int32_t, uint32_t, uint32_t);
	void (*fetched)(struct hostd_inst *, void *, int32_t,
	    const struct hostd_sio_remote *, uint32_t);
	void (*listed)(struct hostd_inst *, void *, int32_t, hostd_buf);
};

static void
on_later(struct hostd_inst *inst, void *arg)
{
	struct later l = *(struct later *)arg;
	static const hostd_buf none = {"[]", 2};

	free(arg);
	if (l.answer != NULL)
		l.answer(inst, l.arg, l.status, NULL);
	if (l.counted != NULL)
		l.counted(inst, l.arg, l.status, 1, 0);
	if (l.fetched != NULL)
		l.fetched(inst, l.arg, l.status, NULL, 0);
	if (l.listed != NULL)
		l.listed(inst, l.arg, l.status,
		    fake_lend_copy(none.p, none.n));
}

static int32_t
later(struct fake *f, struct later l)
{
	struct later *p = xmalloc(sizeof(*p));

	*p = l;
	p->status = HOSTD_E_TIMEOUT;
	return fake_post(f->host, on_later, p);
}

/* -- the table -- */

static int32_t
decide(const struct hostd_sio_api *api, hostd_sio h, int verdict,
    const char *function)
{
	struct fake_sio *s = find(api, h, function);

	if (s == NULL)
		return HOSTD_E_GONE;
	if (s->state != SIO_CONNECTING || s->verdict != 0)
		return HOSTD_E_STATE;
	s->verdict = verdict;
	return HOSTD_OK;
}

static int32_t
sio_accept(const struct hostd_sio_api *api, hostd_sio h)
{
	return decide(api, h, 1, "accept");
}

static int32_t
sio_refuse(const struct hostd_sio_api *api, hostd_sio h, hostd_buf message,
    hostd_buf data)
{
	(void)message;
	if (data.n > 0 && !hostd_json_ok(data))
		return HOSTD_E_INVAL;
	return decide(api, h, -1, "refuse");
}

static hostd_buf
lent_text(const char *s)
{
	return fake_lend_copy(s, strlen(s));
}

static const struct hostd_sio_info *
sio_info(const struct hostd_sio_api *api, hostd_sio h)
{
	struct fake_sio *s = find(api, h, "info");
	struct hostd_sio_info *info;
	hostd_hdr *headers;

	if (s == NULL)
		return NULL;
	info = fake_lend(sizeof(*info));
	memset(info, 0, sizeof(*info));
	headers = fake_lend(sizeof(*headers));
	headers->name = lent_text("host");
	headers->value = lent_text("localhost");
	info->struct_size = sizeof(*info);
	info->id = lent_text(s->id);
	info->nsp = lent_text(s->nsp);
	info->auth = lent_text(s->auth);
	info->headers = headers;
	info->nheaders = 1;
	info->transport = HOSTD_SIO_WEBSOCKET;
	info->url = lent_text("/socket.io/?EIO=4");
	info->query = lent_text("EIO=4");
	info->peer = lent_text("127.0.0.1:1");
	info->data = lent_text(s->data == NULL ? "{}" : s->data);
	return info;
}

static void *
sio_data(const struct hostd_sio_api *api, hostd_sio h)
{
	struct fake_sio *s = find(api, h, "data");

	return s == NULL ? NULL : s->d;
}

static int32_t
sio_set_data(const struct hostd_sio_api *api, hostd_sio h, hostd_buf json)
{
	struct fake_sio *s = find(api, h, "set_data");

	if (s == NULL)
		return HOSTD_E_GONE;
	if (json.n > 32768)
		return HOSTD_E_FULL;
	if (json.n > 0 && !hostd_json_ok(json))
		return HOSTD_E_INVAL;
	free(s->data);
	s->data = json.n == 0 ? NULL : xstrndup(json.p, json.n);
	return HOSTD_OK;
}

/* Now and then a client is slow, or takes no more. */
static int32_t
mood(void)
{
	static const int32_t moods[] = {HOSTD_OK, HOSTD_OK, HOSTD_AGAIN,
	    HOSTD_OK, HOSTD_E_FULL};
	static unsigned n;

	return moods[n++ % (sizeof(moods) / sizeof(moods[0]))];
}

static int32_t
sio_emit(const struct hostd_sio_api *api, hostd_sio h, uint32_t flags,
    hostd_buf name, const struct hostd_sio_args *args)
{
	struct fake_sio *s = find(api, h, "emit");

	(void)flags;
	if (s == NULL)
		return HOSTD_E_GONE;
	if (s->state != SIO_OPEN)
		return HOSTD_E_STATE;
	if (judge_event(name, args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return mood();
}

static int32_t
sio_ask(const struct hostd_sio_api *api, hostd_sio h, uint32_t flags,
    hostd_buf name, const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*answer)(struct hostd_inst *, void *, int32_t,
	const struct hostd_sio_args *),
    void *arg)
{
	struct fake_sio *s = find(api, h, "ask");
	int32_t rc;

	(void)timeout_ms;
	if (answer == NULL)
		return HOSTD_E_INVAL;
	rc = sio_emit(api, h, flags, name, args);
	if (rc < 0)
		return rc;
	return later(s->f, (struct later){.arg = arg, .answer = answer});
}

static int32_t
sio_ack(const struct hostd_sio_api *api, hostd_sio_ack ack,
    const struct hostd_sio_args *args)
{
	struct fake *f = caller(api, "ack");
	struct fake_sio *s;

	if (!args_ok(args))
		return HOSTD_E_INVAL;
	LIST_FOREACH(s, &sockets, entry)
	if (s->f == f && s->state == SIO_OPEN && s->ack != 0 &&
	    s->ack == ack.id) {
		s->ack = 0;
		return HOSTD_OK;
	}
	return HOSTD_E_GONE;
}

static int32_t
sio_broadcast(const struct hostd_sio_api *api, const struct hostd_sio_to *to,
    hostd_buf name, const struct hostd_sio_args *args)
{
	(void)caller(api, "broadcast");
	if (judge_to(to) != HOSTD_OK || judge_event(name, args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return mood() == HOSTD_AGAIN ? HOSTD_AGAIN : HOSTD_OK;
}

static int32_t
sio_ask_all(const struct hostd_sio_api *api, const struct hostd_sio_to *to,
    hostd_buf name, const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*each)(
	struct hostd_inst *, void *, const struct hostd_sio_args *),
    void (*done)(struct hostd_inst *, void *, int32_t, uint32_t, uint32_t),
    void *arg)
{
	struct fake *f = caller(api, "ask_all");

	(void)timeout_ms;
	(void)each;
	if (done == NULL || judge_to(to) != HOSTD_OK ||
	    judge_event(name, args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return later(f, (struct later){.arg = arg, .counted = done});
}

static int32_t
sio_join(const struct hostd_sio_api *api, hostd_sio h, hostd_buf room)
{
	struct fake_sio *s = find(api, h, "join");

	if (s == NULL)
		return HOSTD_E_GONE;
	if (judge_rooms(&room, 1) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return s->rooms++ < ROOMS_MAX ? HOSTD_OK : HOSTD_E_FULL;
}

static int32_t
sio_leave(const struct hostd_sio_api *api, hostd_sio h, hostd_buf room)
{
	if (find(api, h, "leave") == NULL)
		return HOSTD_E_GONE;
	return judge_rooms(&room, 1);
}

static int32_t
sio_rooms(const struct hostd_sio_api *api, hostd_sio h, hostd_buf *out)
{
	struct fake_sio *s = find(api, h, "rooms");
	char text[40];

	if (s == NULL)
		return HOSTD_E_GONE;
	(void)snprintf(text, sizeof(text), "[\"%s\"]", s->id);
	*out = lent_text(text);
	return HOSTD_OK;
}

static int32_t
sio_disconnect(const struct hostd_sio_api *api, hostd_sio h, int32_t close)
{
	struct fake_sio *s = find(api, h, "disconnect");

	(void)close;
	if (s == NULL)
		return HOSTD_E_GONE;
	if (s->state == SIO_CONNECTING)
		return HOSTD_E_STATE;
	if (s->state == SIO_OPEN)
		s->state = SIO_GOING;
	return HOSTD_OK;
}

static int32_t
sio_sockets_move(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to, const hostd_buf *rooms, uint32_t n)
{
	(void)caller(api, "sockets_join or sockets_leave");
	return n == 0 || judge_rooms(rooms, n) != HOSTD_OK ? HOSTD_E_INVAL :
							     judge_to(to);
}

static int32_t
sio_disconnect_sockets(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to, int32_t close)
{
	(void)caller(api, "disconnect_sockets");
	(void)close;
	return judge_to(to);
}

static int32_t
sio_fetch_sockets(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to,
    void (*done)(struct hostd_inst *, void *, int32_t,
	const struct hostd_sio_remote *, uint32_t),
    void *arg)
{
	struct fake *f = caller(api, "fetch_sockets");

	if (done == NULL || judge_to(to) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return later(f, (struct later){.arg = arg, .fetched = done});
}

static int32_t
sio_all_rooms(const struct hostd_sio_api *api, hostd_buf nsp,
    void (*done)(struct hostd_inst *, void *, int32_t, hostd_buf), void *arg)
{
	struct fake *f = caller(api, "all_rooms");

	(void)nsp;
	if (done == NULL)
		return HOSTD_E_INVAL;
	return later(f, (struct later){.arg = arg, .listed = done});
}

static int32_t
sio_server_emit(const struct hostd_sio_api *api, hostd_buf nsp,
    hostd_buf name, const struct hostd_sio_args *args)
{
	(void)caller(api, "server_emit");
	(void)nsp;
	return judge_event(name, args);
}

static int32_t
sio_server_ask(const struct hostd_sio_api *api, hostd_buf nsp,
    hostd_buf name, const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*each)(
	struct hostd_inst *, void *, const struct hostd_sio_args *),
    void (*done)(struct hostd_inst *, void *, int32_t, uint32_t, uint32_t),
    void *arg)
{
	struct fake *f = caller(api, "server_ask");

	(void)nsp;
	(void)timeout_ms;
	(void)each;
	if (done == NULL || judge_event(name, args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return later(f, (struct later){.arg = arg, .counted = done});
}

static int32_t
sio_serve(const struct hostd_sio_api *api, const char *const *namespaces)
{
	struct fake *f = caller(api, "serve");

	if (!f->creating)
		check_fail("called serve behind create");
	for (; namespaces != NULL && *namespaces != NULL; namespaces++)
		if (**namespaces != '/')
			return HOSTD_E_INVAL;
	return HOSTD_OK;
}

const struct hostd_sio_api fake_sio_api = {
    .struct_size = sizeof(struct hostd_sio_api),
    .accept = sio_accept,
    .refuse = sio_refuse,
    .info = sio_info,
    .data = sio_data,
    .set_data = sio_set_data,
    .emit = sio_emit,
    .ask = sio_ask,
    .ack = sio_ack,
    .broadcast = sio_broadcast,
    .ask_all = sio_ask_all,
    .join = sio_join,
    .leave = sio_leave,
    .rooms = sio_rooms,
    .disconnect = sio_disconnect,
    .sockets_join = sio_sockets_move,
    .sockets_leave = sio_sockets_move,
    .disconnect_sockets = sio_disconnect_sockets,
    .fetch_sockets = sio_fetch_sockets,
    .all_rooms = sio_all_rooms,
    .server_emit = sio_server_emit,
    .server_ask = sio_server_ask,
    .serve = sio_serve,
};

/* -- clients -- */

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

static void
sio_free(struct fake_sio *s)
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
fake_sio_open(struct fake *f, const char *nsp, const char *auth)
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
		bins[args->nbins++] = lent_text(data);
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
	sio_free(s);
}

void
fake_sio_server(struct fake *f, const char *nsp, const char *array)
{
	const struct hostd_sio_ops *ops = fake_sio_ops(f);

	if (!HOSTD_HAS(ops, on_server_event))
		return;
	fake_enter(f, "on_server_event", NULL);
	(void)ops->on_server_event(
	    f->inst, lent_text(nsp), lend_event(array, NULL, 0));
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
