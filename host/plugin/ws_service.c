/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.ws/1, and the plugin's ws_handler/1 table as the handler of upgrades
 * and of the WebSockets that they become. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "http/blame.h"
#include "http/identity.h"
#include "http/response.h"
#include "http/router.h"
#include "net/tls.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/room_service.h"
#include "session/socket.h"
#include "ws/conn.h"
#include "ws/handshake.h"
#include "ws/message.h"

/* -- the host calls the plugin -- */

struct instance *
ws_instance(struct ws_handler *h)
{
	return (struct instance *)(void *)((char *)h -
	    offsetof(struct instance, ws_handler));
}

static void
handler_open(struct ws_handler *h, struct ws_conn *c)
{
	struct instance *in = ws_instance(h);
	hostd_ws id = { c->id };
	uint64_t entered;

	if (in->ws->on_open == NULL)
		return;
	entered = instance_enter(in, BOARD_CB_OPEN);
	in->ws->on_open(in->inst, id, c->data);
	instance_leave(in, entered);
}

static int32_t
handler_message(struct ws_handler *h, struct ws_conn *c, hostd_buf msg,
    uint32_t flags)
{
	struct instance *in = ws_instance(h);
	hostd_ws id = { c->id };
	uint64_t entered = instance_enter(in, BOARD_CB_MESSAGE);
	int32_t rc = in->ws->on_message(in->inst, id, c->data, msg, flags);

	instance_leave(in, entered);
	return rc;
}

static void
handler_writable(struct ws_handler *h, struct ws_conn *c)
{
	struct instance *in = ws_instance(h);
	hostd_ws id = { c->id };
	uint64_t entered;

	if (in->ws->on_writable == NULL)
		return;
	entered = instance_enter(in, BOARD_CB_WRITABLE);
	in->ws->on_writable(in->inst, id, c->data);
	instance_leave(in, entered);
}

static void
handler_close(struct ws_handler *h, struct ws_conn *c, int32_t code,
    hostd_buf reason)
{
	struct instance *in = ws_instance(h);
	hostd_ws id = { c->id };
	uint64_t entered;

	room_service_leave_all(in, c);
	if (in->ws->on_close != NULL) {
		entered = instance_enter(in, BOARD_CB_CLOSE);
		in->ws->on_close(in->inst, id, c->data, code, reason);
		instance_leave(in, entered);
	}
	session_socket_end(c);
}

static void
handler_moved(struct ws_handler *h, struct ws_conn *c)
{
	struct instance *in = ws_instance(h);
	hostd_ws id = { c->id };
	uint64_t entered;

	room_service_leave_all(in, c);
	session_socket_end(c);
	if (in->ws_state->moved == NULL)
		return;
	entered = instance_enter(in, BOARD_CB_MOVED);
	in->ws_state->moved(in->inst, id, c->data);
	instance_leave(in, entered);
}

static void
handler_lost(struct ws_handler *h, struct ws_conn *c, int why)
{
	struct instance *in = ws_instance(h);
	hostd_req id = { c->req_id };
	uint64_t entered;

	if (in->ws->on_refused == NULL)
		return;
	entered = instance_enter(in, BOARD_CB_REFUSED);
	in->ws->on_refused(in->inst, id, c->data, why);
	instance_leave(in, entered);
}

void
ws_binding_init(struct instance *in)
{
	struct ws_handler *h = &in->ws_handler;

	if (in->ws == NULL)
		return;
	h->name = in->conf->name;
	h->data_size = in->ws->data_size;
	h->fragments = (in->ws->flags & HOSTD_WS_FRAGMENTS) != 0;
	h->open = handler_open;
	h->message = handler_message;
	h->writable = handler_writable;
	h->lost = handler_lost;
	h->close = handler_close;
	h->moved = handler_moved;
	h->moves = in->ws_state != NULL;
}

/* -- upgrades: requests that this instance's routes get -- */

/* A candidate hangs on its request, in the place of the handler's data. */
static struct ws_conn **
candidate(struct http_req *r)
{
	return r->data;
}

static int32_t
upgrade_refuse(struct http_req *r, int status)
{
	static const hostd_hdr version = { { "Sec-WebSocket-Version", 21 },
		{ "13", 2 } };

	r->upgrade_to = "websocket";
	return response_page(r, status, &version, status == 426);
}

/* An error behind a whole answer: that stands, and so does an upgrade. */
static int32_t
upgrade_failed(struct http_req *r, int32_t code)
{
	const char *stands = r->upgrade != NULL ?
	    "the upgrade was accepted before, and goes on" :
	    "it was answered before, and the answer stands";
	char text[CODE_TEXT];

	blame(r, "the plugin returned %s; %s", code_text(text, code), stands);
	board_add(&r->server->cell->counters.plugin_errors, 1);
	return HOSTD_OK;
}

/* The answer's head is made, and with it what its session is called. */
static int32_t
upgrade_accept(struct ws_conn *c, struct http_req *r, hostd_buf protocol,
    const hostd_hdr *h, uint32_t n)
{
	int32_t rc = ws_conn_accept(c, r, protocol, h, n);

	if (rc >= HOSTD_OK && r->route->sessions != NULL)
		session_socket_begin(r->route->sessions, r, c);
	return rc;
}

static int32_t
upgrade_ask(struct instance *in, struct http_req *r, struct ws_conn *c)
{
	hostd_buf none = { NULL, 0 };
	hostd_req id = { r->id };
	int32_t rc = HOSTD_OK;
	struct request_call call;

	if (in->ws->on_upgrade != NULL) {
		request_enter(in, r, BOARD_CB_UPGRADE, &call);
		rc = in->ws->on_upgrade(in->inst, id, c->data);
		request_leave(in, &call);
	}
	if (rc == HOSTD_OK && r->phase == RESP_NONE && r->give == 0)
		rc = upgrade_accept(c, r, none, NULL, 0);
	if (rc == HOSTD_PASS && r->phase == RESP_NONE) {
		ws_conn_discard(c);
		*candidate(r) = NULL;
	}
	if (rc != HOSTD_OK && rc != HOSTD_AGAIN && rc != HOSTD_DEFER &&
	    r->phase == RESP_FINISHED && !r->cut)
		rc = upgrade_failed(r, rc);
	return rc;
}

int32_t
ws_upgrade_headers(struct instance *in, struct http_req *r)
{
	const struct conf_websocket *conf = r->route->websocket;
	struct ws_conn *c;
	int status = 426;

	if (ws_handshake_is_upgrade(r))
		status = ws_upgrade_check(r, conf);
	if (status != 0)
		return upgrade_refuse(r, status);
	c = ws_conn_new(in->all->sockets, &in->ws_handler, conf);
	c->req_id = r->id;
	c->who = identity_ref(r->who);
	*candidate(r) = c;
	return upgrade_ask(in, r, c);
}

void
ws_upgrade_end(struct instance *in, struct http_req *r, int why)
{
	struct ws_conn *c = *candidate(r);

	/* Accepted, it is the connection's, which goes on or is lost.  Another
	 * upgrade than this one is a tunnel. */
	if (c == NULL || r->upgrade == &c->upgrade)
		return;
	handler_lost(&in->ws_handler, c, why);
	ws_conn_discard(c);
	*candidate(r) = NULL;
}

int
ws_is_upgrade(const struct instance *in, const struct http_req *r)
{
	/* All other requests are the same instance's http_route/1, if it has
	 * one. */
	return in->ws != NULL && (in->route == NULL ||
	    ws_handshake_is_upgrade(r));
}

/* -- the plugin calls the host -- */

int32_t
ws_find(const struct hostd_host *host, hostd_ws id, const char *function,
    struct ws_conn **out)
{
	struct instance *in = host->ctx;
	struct ws_conn *c;
	int32_t rc;

	if ((rc = instance_check_thread(in, function)) != 0)
		return rc;
	if (in->all->sockets == NULL)
		return HOSTD_E_GONE;
	c = handle_get(&in->all->sockets->handles, id.id);
	if (c == NULL || c->handler != &in->ws_handler) {
		board_add(&in->all->cell->counters.stale_handles, 1);
		return HOSTD_E_GONE;
	}
	*out = c;
	return HOSTD_OK;
}

static int32_t
api_accept(const struct hostd_host *host, hostd_req id, hostd_buf protocol,
    const hostd_hdr *h, uint32_t n)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "accept", &r)) != HOSTD_OK)
		return rc;
	if (!ws_is_upgrade(host->ctx, r) || *candidate(r) == NULL)
		return HOSTD_E_INVAL;
	return upgrade_accept(*candidate(r), r, protocol, h, n);
}

static int32_t
api_send(const struct hostd_host *host, hostd_ws id, hostd_buf msg,
    uint32_t flags)
{
	struct ws_conn *c;
	int32_t rc;

	if ((rc = ws_find(host, id, "send", &c)) != HOSTD_OK ||
	    (rc = ws_check_message(msg, flags, c->server->text)) != HOSTD_OK)
		return rc;
	return ws_conn_send(c, msg, flags);
}

static int32_t
send_to(const struct hostd_host *host, hostd_ws id, struct ws_message *m)
{
	struct ws_conn *c;
	int32_t rc;

	if ((rc = ws_find(host, id, "send_many", &c)) != HOSTD_OK)
		return rc;
	/* Rooms' messages wait for where it goes; one for this socket only
	 * is its plugin's to keep. */
	if (ws_conn_is_on_its_way(c))
		return HOSTD_E_STATE;
	return ws_conn_send_message(c, m);
}

static int32_t
api_send_many(const struct hostd_host *host, const hostd_ws *ids, uint32_t n,
    hostd_buf msg, uint32_t flags, int32_t *results)
{
	struct instance *in = host->ctx;
	hostd_buf known = { NULL, 0 };
	struct ws_message *m;
	int32_t rc;
	uint32_t i;

	if ((rc = instance_check_thread(in, "send_many")) != 0)
		return rc;
	if (in->all->sockets != NULL)
		known = in->all->sockets->text;
	if (n > 0 && ids == NULL)
		return HOSTD_E_INVAL;
	if ((rc = ws_check_message(msg, flags, known)) != HOSTD_OK || n == 0)
		return rc;
	m = ws_message_new(msg, flags);
	for (i = 0; i < n; i++) {
		rc = send_to(host, ids[i], m);
		if (results != NULL)
			results[i] = rc;
	}
	ws_message_unref(m);
	return HOSTD_OK;
}

static int32_t
api_close(const struct hostd_host *host, hostd_ws id, int32_t code,
    hostd_buf reason)
{
	struct ws_conn *c;
	int32_t rc;

	if ((rc = ws_find(host, id, "close", &c)) != HOSTD_OK)
		return rc;
	return ws_conn_close(c, code, reason);
}

static int32_t
api_pause(const struct hostd_host *host, hostd_ws id, int32_t on)
{
	struct ws_conn *c;
	int32_t rc;

	if ((rc = ws_find(host, id, "pause", &c)) != HOSTD_OK)
		return rc;
	if (ws_conn_is_on_its_way(c))
		return HOSTD_E_STATE;
	ws_conn_pause(c, on);
	return HOSTD_OK;
}

static const struct hostd_ws_info *
api_info(const struct hostd_host *host, hostd_ws id)
{
	struct instance *in = host->ctx;
	struct hostd_ws_info *info = &in->all->ws_info;
	struct ws_conn *c;

	if (ws_find(host, id, "info", &c) != HOSTD_OK)
		return NULL;
	info->struct_size = sizeof(*info);
	info->flags = stream_tls(&c->stream) != NULL ? HOSTD_REQ_TLS : 0;
	info->peer = ws_conn_peer(c);
	info->path = ws_conn_path(c);
	info->subprotocol = ws_conn_protocol(c);
	info->opened_ms = c->opened_ms;
	info->pending = stream_pending(&c->stream);
	return info;
}

static void *
api_data(const struct hostd_host *host, hostd_ws id)
{
	struct ws_conn *c;

	return ws_find(host, id, "data", &c) == HOSTD_OK ? c->data : NULL;
}

static int32_t
api_set_label(const struct hostd_host *host, hostd_ws id, hostd_buf label)
{
	struct ws_conn *c;
	int32_t rc;

	if ((rc = ws_find(host, id, "set_label", &c)) != HOSTD_OK)
		return rc;
	if (label.n > ROOM_LABEL_MAX || (label.n > 0 && label.p == NULL))
		return HOSTD_E_INVAL;
	if (c->state == WS_MOVING)
		return HOSTD_E_STATE;
	free(c->label);
	c->label = label.n > 0 ? xmalloc(label.n) : NULL;
	c->label_len = (uint32_t)label.n;
	if (label.n > 0)
		memcpy(c->label, label.p, label.n);
	return HOSTD_OK;
}

static const struct hostd_ws_api ws_api = {
	.struct_size = sizeof(struct hostd_ws_api),
	.accept = api_accept,
	.send = api_send,
	.close = api_close,
	.pause = api_pause,
	.info = api_info,
	.data = api_data,
	.subscribe = room_service_join,
	.unsubscribe = room_service_leave,
	.set_label = api_set_label,
	.members = room_service_members,
	.send_many = api_send_many,
};

const struct hostd_ws_api *
ws_service(void)
{
	return &ws_api;
}
