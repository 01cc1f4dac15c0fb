/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.socketio/1: what is of one socket. */
#include <stdlib.h>
#include <string.h>
#include "ack.h"
#include "api.h"
#include "away.h"
#include "event.h"
#include "lend.h"
#include "metrics.h"
#include "recover.h"

#define DATA_MAX 32768

/* -- connecting -- */

static int32_t
api_accept(const struct hostd_sio_api *api, hostd_sio h)
{
	struct sio_socket *s;
	int32_t rc = api_socket(api, h, &s);

	return rc != HOSTD_OK ? rc : app_decided(s, api_app(api),
	    SOCKET_ACCEPTED, NULL);
}

static int32_t
api_refuse(const struct hostd_sio_api *api, hostd_sio h, hostd_buf message,
    hostd_buf data)
{
	struct refusal *r;
	struct sio_socket *s;
	int32_t rc = api_socket(api, h, &s);

	if (rc != HOSTD_OK)
		return rc;
	if (!hostd_json_is_utf8(message) || (data.n > 0 &&
	    !hostd_json_ok(data)))
		return HOSTD_E_INVAL;
	if ((r = malloc(sizeof(*r) + message.n + data.n)) == NULL)
		return HOSTD_E_NOMEM;
	r->message.p = r->bytes;
	r->message.n = message.n;
	r->data.p = r->bytes + message.n;
	r->data.n = data.n;
	if (message.n > 0)
		memcpy(r->bytes, message.p, message.n);
	if (data.n > 0)
		memcpy(r->bytes + message.n, data.p, data.n);
	rc = app_decided(s, api_app(api), SOCKET_REFUSED, r);
	if (rc != HOSTD_OK)
		free(r);
	return rc;
}

/* -- what is known of it -- */

static const hostd_hdr *
lend_headers(struct hostd_inst *in, const struct eio_handshake *h)
{
	hostd_hdr *list = lend(in, (h->nheaders + 1) * sizeof(*list));
	const char *at = h->headers;
	uint32_t i;

	for (i = 0; list != NULL && i < h->nheaders; i++)
		list[i] = eio_header(&at);
	return list;
}

static const struct hostd_sio_info *
api_info(const struct hostd_sio_api *api, hostd_sio h)
{
	struct hostd_inst *in = api_app(api)->in;
	const struct eio_handshake *first;
	struct hostd_sio_info *info;
	struct sio_socket *s;

	if (api_socket(api, h, &s) != HOSTD_OK || s->client == NULL ||
	    (info = lend(in, sizeof(*info))) == NULL)
		return NULL;
	first = eio_handshake(s->client->eio);
	*info = (struct hostd_sio_info){
		.struct_size = sizeof(*info),
		.flags = first->flags,
		.id = hostd_str(s->id),
		.nsp = space_name(s->space),
		.auth = s->auth.n > 0 ? s->auth : hostd_str("{}"),
		.headers = lend_headers(in, first),
		.transport = eio_transport(s->client->eio),
		.url = first->url,
		.query = first->query,
		.peer = first->peer,
		.time_ms = first->time_ms,
		.data = s->data.n > 0 ? s->data : hostd_str("{}"),
		.user = first->user,
	};
	info->nheaders = info->headers == NULL ? 0 : first->nheaders;
	return info;
}

static void *
api_data(const struct hostd_sio_api *api, hostd_sio h)
{
	const struct sio_socket *s = socket_of(api_app(api)->in, h.id);
	const struct app_data *d;

	d = s == NULL ? NULL : app_data_of(s, api_app(api));
	return d == NULL ? NULL : d->d;
}

static int32_t
api_set_data(const struct hostd_sio_api *api, hostd_sio h, hostd_buf json)
{
	struct sio_socket *s;
	char *copy = NULL;
	int32_t rc = api_socket(api, h, &s);

	if (rc != HOSTD_OK)
		return rc;
	if (json.n > DATA_MAX)
		return HOSTD_E_FULL;
	if (json.n > 0 && !hostd_json_ok(json))
		return HOSTD_E_INVAL;
	if (json.n > 0) {
		if ((copy = malloc(json.n)) == NULL)
			return HOSTD_E_NOMEM;
		memcpy(copy, json.p, json.n);
	}
	/* What info has said of it stays good. */
	if (lend_last(api_app(api)->in,
	    (void *)(uintptr_t)s->data.p) == -1) {
		free(copy);
		return HOSTD_E_NOMEM;
	}
	s->data.p = copy;
	s->data.n = json.n;
	return HOSTD_OK;
}

/* -- events and acknowledgements -- */

/* One that can be sent to: HOSTD_OK, E_GONE, E_STATE, E_INVAL. */
static int32_t
sendable(const struct hostd_sio_api *api, hostd_sio h, uint32_t flags,
    struct sio_socket **out)
{
	int32_t rc = api_socket(api, h, out);

	if (rc != HOSTD_OK)
		return rc;
	if ((flags & ~(HOSTD_SIO_VOLATILE | HOSTD_SIO_LOCAL |
	    HOSTD_SIO_PLAIN)) != 0)
		return HOSTD_E_INVAL;
	return (*out)->state == SOCKET_CONNECTED ? HOSTD_OK : HOSTD_E_STATE;
}

static int32_t
send_one(struct sio_socket *s, struct eio_message *m, uint32_t flags)
{
	int32_t rc;

	if (m == NULL)
		return HOSTD_E_NOMEM;
	rc = eio_send(s->client->eio, m, flags);
	eio_message_unref(m);
	return rc;
}

static int32_t
send_event(struct sio_socket *s, struct eio_message *m, uint32_t flags)
{
	int32_t rc = send_one(s, m, flags);

	if (rc >= 0)
		metrics_count(s->space->in, s->space->metrics, METRICS_SENT, 1);
	return rc;
}

static int32_t
api_emit(const struct hostd_sio_api *api, hostd_sio h, uint32_t flags,
    hostd_buf name, const struct hostd_sio_args *args)
{
	struct sio_socket *s;
	int32_t rc = sendable(api, h, flags, &s);

	if (rc == HOSTD_OK)
		rc = api_event(api_app(api)->in, name, &args);
	if (rc != HOSTD_OK)
		return rc;
	return send_event(s, recover_event(s, flags, name, args), flags);
}

struct asked {
	struct app *app;
	void (*answer)(struct hostd_inst *, void *arg, int32_t status,
	    const struct hostd_sio_args *);
	void *arg;
};

static void
on_answer(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_args *args)
{
	struct asked a = *(struct asked *)arg;
	struct hostd_inst *user;

	(void)in;
	free(arg);
	if ((user = app_enter(a.app)) == NULL)
		return;
	a.answer(user, a.arg, status, args);
	app_leave(a.app);
}

static int32_t
ask_one(struct sio_socket *s, uint32_t flags, hostd_buf name,
    const struct hostd_sio_args *args, uint32_t timeout_ms,
    struct asked *asked)
{
	uint64_t id = s->space->next_ack++;
	int32_t rc = ack_expect(s, id, timeout_ms, on_answer, asked);

	if (rc != HOSTD_OK)
		return rc;
	rc = send_event(s, event_message(space_name(s->space), &id, name,
	    args, NULL), flags);
	if (rc < 0)
		ack_unexpect(s, id);
	return rc;
}

static int32_t
api_ask(const struct hostd_sio_api *api, hostd_sio h, uint32_t flags,
    hostd_buf name, const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*answer)(struct hostd_inst *, void *, int32_t,
    const struct hostd_sio_args *), void *arg)
{
	struct asked *asked;
	struct sio_socket *s;
	int32_t rc = sendable(api, h, flags, &s);

	if (rc == HOSTD_OK)
		rc = answer == NULL ? HOSTD_E_INVAL :
		    api_event(api_app(api)->in, name, &args);
	if (rc != HOSTD_OK)
		return rc;
	if ((asked = malloc(sizeof(*asked))) == NULL)
		return HOSTD_E_NOMEM;
	asked->app = api_app(api);
	asked->answer = answer;
	asked->arg = arg;
	rc = ask_one(s, flags, name, args, timeout_ms, asked);
	if (rc < 0)
		free(asked);
	return rc;
}

static int
is_asked_by(void *arg, const void *app)
{
	struct asked *asked = arg;

	if (asked->app != app)
		return 0;
	free(asked);
	return 1;
}

static int32_t
api_ack(const struct hostd_sio_api *api, hostd_sio_ack ack,
    const struct hostd_sio_args *args)
{
	struct hostd_inst *in = api_app(api)->in;
	struct eio_message *m;
	struct owed_to to;
	int32_t rc;

	if (api_args(in, &args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (ack_take(in, ack, &to) == -1)
		return HOSTD_E_GONE;
	if (to.socket != NULL && !is_away(to.socket) && to.socket->state !=
	    SOCKET_CONNECTED)
		return HOSTD_E_GONE;
	if (to.socket == NULL) {
		to.fn(in, to.arg, HOSTD_OK, args);
		return HOSTD_OK;
	}
	m = ack_message(space_name(to.socket->space), to.id, args);
	if (!is_away(to.socket))
		return send_one(to.socket, m, 0);
	rc = away_send(to.socket, m);
	away_settle(to.socket);
	return rc;
}

/* -- rooms -- */

static int32_t
api_join(const struct hostd_sio_api *api, hostd_sio h, hostd_buf room)
{
	struct sio_socket *s;
	int32_t rc = api_socket(api, h, &s);

	if (rc == HOSTD_OK && s->state == SOCKET_GONE)
		rc = HOSTD_E_GONE;
	if (rc == HOSTD_OK)
		rc = api_names(&room, 1);
	return rc != HOSTD_OK ? rc : socket_join(s, room);
}

static int32_t
api_leave(const struct hostd_sio_api *api, hostd_sio h, hostd_buf room)
{
	struct sio_socket *s;
	int32_t rc = api_socket(api, h, &s);

	if (rc == HOSTD_OK)
		rc = api_names(&room, 1);
	if (rc == HOSTD_OK)
		socket_leave(s, room);
	return rc;
}

static int32_t
api_rooms(const struct hostd_sio_api *api, hostd_sio h, hostd_buf *out)
{
	struct hostd_inst *in = api_app(api)->in;
	struct hostd_json *j = &in->apps->rooms;
	struct sio_socket *s;
	hostd_buf *names;
	char *text;
	uint32_t i, n;
	int32_t rc = api_socket(api, h, &s);

	if (rc != HOSTD_OK)
		return rc;
	if ((names = api_values(in->apps, s->nrooms + 1)) == NULL)
		return HOSTD_E_NOMEM;
	n = socket_rooms(s, names, s->nrooms + 1);
	hostd_json_reset(j);
	hostd_json_begin(j, '[');
	for (i = 0; i < n; i++)
		hostd_json_strn(j, names[i]);
	hostd_json_end(j, ']');
	out->n = hostd_json_done(j).n;
	if (j->failed || (text = lend(in, out->n)) == NULL)
		return HOSTD_E_NOMEM;
	memcpy(text, j->p, out->n);
	out->p = text;
	return HOSTD_OK;
}

static int32_t
api_disconnect(const struct hostd_sio_api *api, hostd_sio h, int32_t close)
{
	struct sio_socket *s;
	int32_t rc = api_socket(api, h, &s);

	if (rc != HOSTD_OK)
		return rc;
	if (s->state == SOCKET_CONNECTING)
		return HOSTD_E_STATE;
	client_disconnect(s, close != 0);
	return HOSTD_OK;
}

/* -- the table -- */

void
api_fill(struct hostd_sio_api *api, struct app *a)
{
	api->struct_size = sizeof(*api);
	api->ctx = a;
	api->accept = api_accept;
	api->refuse = api_refuse;
	api->info = api_info;
	api->data = api_data;
	api->set_data = api_set_data;
	api->emit = api_emit;
	api->ask = api_ask;
	api->ack = api_ack;
	api->join = api_join;
	api->leave = api_leave;
	api->rooms = api_rooms;
	api->disconnect = api_disconnect;
	api_fill_many(api);
	api_fill_ask(api);
}

void
api_forget(struct app *a)
{
	acks_forget(a->in, on_answer, is_asked_by, a);
	api_forget_asking(a);
}
