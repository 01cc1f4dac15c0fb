/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>
#include <hostd/state.h>
#include "base/log.h"
#include "base/pack.h"
#include "http/blame.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/room_service.h"
#include "plugin/ws_move.h"
#include "ws/conn.h"

/*
 * The record:
 *	u32	RECORD_VERSION
 *	text	instance, id of its plugin, pattern of the route
 *	u32	version of the plugin's state
 *	bytes	the plugin's state
 *	bytes	the connection's (ws/conn_move.c)
 *	...	its channels (pubsub/hold.h)
 */
#define RECORD_VERSION	2

static int
is_text(hostd_buf b, const char *s)
{
	return b.n == strlen(s) && memcmp(b.p, s, b.n) == 0;
}

/* -- going -- */

struct saving {
	struct instance *in;
	struct buf state;
	struct buf channels;
	int full;
};

static int32_t
saving_put(void *arg, hostd_buf part)
{
	struct saving *s = arg;
	int32_t rc = instance_check_thread(s->in, "put");

	if (rc != HOSTD_OK)
		return rc;
	if (part.n > 0 && part.p == NULL)
		return HOSTD_E_INVAL;
	if (s->full || part.n > HOSTD_WS_STATE_MAX - s->state.len) {
		s->full = 1;
		return HOSTD_E_FULL;
	}
	buf_append(&s->state, part.p, part.n);
	return HOSTD_OK;
}

/* The plugin's word on it. */
static int32_t
save(struct instance *in, struct ws_conn *c, struct saving *s)
{
	hostd_ws id = { c->id };
	uint64_t entered;
	int32_t rc;
	char code[CODE_TEXT];

	s->in = in;
	entered = instance_enter(in, BOARD_CB_SAVE);
	rc = in->ws_state->save(in->inst, id, c->data, saving_put, s);
	instance_leave(in, entered);
	if (rc >= 0 && s->full)
		rc = HOSTD_E_FULL;
	if (rc < 0 && rc != HOSTD_E_NOTSUP)
		log_warnx("plugin %s: a socket of %.*s can't move: its save "
		    "returned %s", in->conf->name, (int)ws_conn_path(c).n,
		    (const char *)ws_conn_path(c).p, code_text(code, rc));
	return rc;
}

/* Its route, as it is configured. */
static const char *
route_of(const struct instance *in, const struct conf_websocket *conf)
{
	const struct conf_route *r;

	TAILQ_FOREACH(r, &in->all->conf->routes, entry)
		if (r->plugin == in->conf && r->websocket == conf)
			return r->path;
	return "";
}

static void
pack_record(const struct instance *in, const struct ws_conn *c,
    const struct saving *s, struct buf *b)
{
	struct buf conn = { NULL, 0, 0 };

	pack_u32(b, RECORD_VERSION);
	pack_text(b, in->conf->name);
	pack_text(b, in->module->desc.id);
	pack_text(b, route_of(in, c->conf));
	pack_u32(b, in->ws_state->version);
	pack_bytes(b, s->state.p, s->state.len);
	ws_conn_pack(c, &conn);
	pack_bytes(b, conn.p, conn.len);
	buf_wipe(&conn);
	buf_append(b, s->channels.p, s->channels.len);
}

int
ws_move_is_ready(const struct plugins *all, const struct ws_conn *c,
    const struct handover_peer *to)
{
	return hub_is_held(&all->hub, to->who.cell,
	    room_service_subscriber(c));
}

static int
give(struct instance *in, struct ws_conn *c, const struct saving *s,
    struct handover_peer *to)
{
	struct buf b = { NULL, 0, 0 };
	int rc;

	pack_record(in, c, s, &b);
	/* What its client has said here arrives before what it says there. */
	bus_flush(&in->all->hub.bus);
	rc = ws_conn_give(c, to, (hostd_buf){ b.p, b.len });
	buf_wipe(&b);
	return rc;
}

enum ws_given
ws_move_give(struct ws_conn *c, struct handover_peer *to)
{
	struct instance *in = ws_instance(c->handler);
	struct saving s = { 0 };
	int32_t may;
	int rc = -1;

	if (!handover_has_room(to))
		return WS_NOT_NOW;
	/* What the plugin tries to do with it from here on is refused; and what
	 * is said to it is not heard here any more. */
	hub_give(&in->all->hub, room_service_subscriber(c), &s.channels);
	ws_conn_hold(c);
	may = save(in, c, &s);
	if (may >= 0 && may != HOSTD_DEFER)
		rc = give(in, c, &s, to);
	buf_free(&s.state);
	buf_free(&s.channels);
	if (rc == 0)
		return WS_GIVEN;
	ws_conn_release(c);
	if (may == HOSTD_DEFER)
		return WS_NOT_THIS;
	c->stays = 1;
	ws_server_send_away(c->server, c);
	return WS_NOT_THIS;
}

/* -- coming -- */

struct coming {
	hostd_buf instance, plugin, route, state, conn;
	uint32_t version;
};

static int
coming_read(struct coming *k, struct unpack *u)
{
	uint32_t version = unpack_u32(u);

	k->instance = unpack_bytes(u);
	k->plugin = unpack_bytes(u);
	k->route = unpack_bytes(u);
	k->version = unpack_u32(u);
	k->state = unpack_bytes(u);
	k->conn = unpack_bytes(u);
	return version == RECORD_VERSION && !u->bad ? 0 : -1;
}

/* Whoever goes on with it here; NULL: nobody. */
static struct instance *
successor(struct plugins *all, const struct coming *k)
{
	struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		if (in->ws_handler.moves && !in->ending &&
		    is_text(k->instance, in->conf->name) &&
		    is_text(k->plugin, in->module->desc.id))
			return in;
	return NULL;
}

static const struct conf_websocket *
conf_of(const struct instance *in, const struct coming *k)
{
	const struct conf_route *r;

	TAILQ_FOREACH(r, &in->all->conf->routes, entry)
		if (r->plugin == in->conf && is_text(k->route, r->path))
			return r->websocket;
	return NULL;
}

static int32_t
load(struct instance *in, struct ws_conn *c, const struct coming *k)
{
	hostd_ws id = { c->id };
	uint64_t entered;
	int32_t rc;
	char code[CODE_TEXT];
	struct buf aligned = { NULL, 0, 0 };

	buf_append(&aligned, k->state.p, k->state.n);
	entered = instance_enter(in, BOARD_CB_LOAD);
	rc = in->ws_state->load(in->inst, id, c->data, k->version,
	    (hostd_buf){ aligned.p, aligned.len });
	instance_leave(in, entered);
	buf_free(&aligned);
	if (rc < 0)
		log_warnx("plugin %s: load of a socket, of state version %u, "
		    "returned %s", in->conf->name, k->version,
		    code_text(code, rc));
	return rc;
}

static int
settle(struct instance *in, struct ws_conn *c, const struct coming *k,
    struct unpack *u)
{
	struct subscriber *s = room_service_enter(c);

	if (hub_take(&in->all->hub, s, u) == -1) {
		log_warnx("plugin %s: a socket came whose channels are not "
		    "held here", in->conf->name);
		return -1;
	}
	if (!unpack_ok(u) || load(in, c, k) < 0)
		return -1;
	if (s->n == 0)
		room_service_leave_all(in, c);
	return 0;
}

enum handover_answer
ws_move_take(struct plugins *all, int fd, hostd_buf record)
{
	struct unpack u = { record.p, record.n, 0 }, of_conn;
	const struct conf_websocket *conf;
	struct instance *in;
	struct coming k;
	struct ws_conn *c;

	if (coming_read(&k, &u) == -1 || (in = successor(all, &k)) == NULL ||
	    (conf = conf_of(in, &k)) == NULL)
		return HANDOVER_REFUSED;
	of_conn = (struct unpack){ k.conn.p, k.conn.n, 0 };
	c = ws_conn_come(all->sockets, &in->ws_handler, conf, fd, &of_conn);
	if (c == NULL)
		return HANDOVER_REFUSED;
	if (settle(in, c, &k, &u) == -1) {
		room_service_leave_all(in, c);
		ws_conn_turn_back(c);
		return HANDOVER_REFUSED;
	}
	ws_conn_came(c);
	return HANDOVER_TAKEN;
}
