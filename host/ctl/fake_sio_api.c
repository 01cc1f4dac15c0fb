/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.socketio/1: what may be asked for is done, and many are nobody. */
#include <stdlib.h>
#include <string.h>

#include <hostd/json_scan.h>

#include "base/mem.h"
#include "ctl/fake_sio_socket.h"

#define ROOMS_MAX 1000

static struct fake *
caller(const struct hostd_sio_api *api, const char *function)
{
	return fake_sio_caller(api, HOSTD_EXT_SOCKETIO, function);
}

/* The socket, if it is the caller's and is there. */
static struct fake_sio *
find(const struct hostd_sio_api *api, hostd_sio h, const char *function)
{
	return fake_sio_find(caller(api, function), h);
}

/* An answer, which comes later. */

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
	headers->name = fake_lend_text("host");
	headers->value = fake_lend_text("localhost");
	info->struct_size = sizeof(*info);
	info->id = fake_lend_text(s->id);
	info->nsp = fake_lend_text(s->nsp);
	info->auth = fake_lend_text(s->auth);
	info->headers = headers;
	info->nheaders = 1;
	info->transport = HOSTD_SIO_WEBSOCKET;
	info->url = fake_lend_text("/socket.io/?EIO=4");
	info->query = fake_lend_text("EIO=4");
	info->peer = fake_lend_text("127.0.0.1:1");
	info->data = fake_lend_text(s->data == NULL ? "{}" : s->data);
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
	if (fake_sio_judge_event(name, args) != HOSTD_OK)
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
	struct fake_sio *s = fake_sio_owed(caller(api, "ack"), ack);

	if (!fake_sio_args_ok(args))
		return HOSTD_E_INVAL;
	if (s == NULL)
		return HOSTD_E_GONE;
	s->ack = 0;
	return HOSTD_OK;
}

static int32_t
sio_broadcast(const struct hostd_sio_api *api, const struct hostd_sio_to *to,
    hostd_buf name, const struct hostd_sio_args *args)
{
	(void)caller(api, "broadcast");
	if (fake_sio_judge_to(to) != HOSTD_OK ||
	    fake_sio_judge_event(name, args) != HOSTD_OK)
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
	if (done == NULL || fake_sio_judge_to(to) != HOSTD_OK ||
	    fake_sio_judge_event(name, args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return later(f, (struct later){.arg = arg, .counted = done});
}

static int32_t
sio_join(const struct hostd_sio_api *api, hostd_sio h, hostd_buf room)
{
	struct fake_sio *s = find(api, h, "join");

	if (s == NULL)
		return HOSTD_E_GONE;
	if (fake_sio_judge_rooms(&room, 1) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return s->rooms++ < ROOMS_MAX ? HOSTD_OK : HOSTD_E_FULL;
}

static int32_t
sio_leave(const struct hostd_sio_api *api, hostd_sio h, hostd_buf room)
{
	if (find(api, h, "leave") == NULL)
		return HOSTD_E_GONE;
	return fake_sio_judge_rooms(&room, 1);
}

static int32_t
sio_rooms(const struct hostd_sio_api *api, hostd_sio h, hostd_buf *out)
{
	struct fake_sio *s = find(api, h, "rooms");
	char text[40];

	if (s == NULL)
		return HOSTD_E_GONE;
	(void)snprintf(text, sizeof(text), "[\"%s\"]", s->id);
	*out = fake_lend_text(text);
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
	if (n == 0 || fake_sio_judge_rooms(rooms, n) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return fake_sio_judge_to(to);
}

static int32_t
sio_disconnect_sockets(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to, int32_t close)
{
	(void)caller(api, "disconnect_sockets");
	(void)close;
	return fake_sio_judge_to(to);
}

static int32_t
sio_fetch_sockets(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to,
    void (*done)(struct hostd_inst *, void *, int32_t,
	const struct hostd_sio_remote *, uint32_t),
    void *arg)
{
	struct fake *f = caller(api, "fetch_sockets");

	if (done == NULL || fake_sio_judge_to(to) != HOSTD_OK)
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
	return fake_sio_judge_event(name, args);
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
	if (done == NULL || fake_sio_judge_event(name, args) != HOSTD_OK)
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
