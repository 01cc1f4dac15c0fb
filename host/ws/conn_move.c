/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection between two messages goes on in another worker. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/pack.h"
#include "http/identity.h"
#include "net/tls.h"
#include "ws/conn.h"
#include "ws/deflate.h"
#include "ws/message.h"

/* So many workers that end over it are no accident. */
#define FATAL_MAX	2

#define PAUSED		0x01u
#define HIGH		0x02u
#define DEFLATE		0x04u
#define SERVER_TAKEOVER	0x08u
#define CLIENT_TAKEOVER	0x10u
#define SECURE		0x20u

/* While it is between the workers; what is to be sent waits. */
struct ws_move {
	struct handover_item item;	/* first */
	struct ws_conn *conn;
	STAILQ_HEAD(, ws_waiting) waiting;
};

struct ws_waiting {
	STAILQ_ENTRY(ws_waiting) link;
	struct ws_message *message;
};

int
ws_conn_can_move(const struct ws_conn *c)
{
	const struct ws_reader *r = &c->reader;

	return c->state == WS_OPEN && ws_conn_may_move(c) && !c->busy &&
	    !r->in_frame && !r->in_message && r->error == 0 &&
	    !c->got_fin && !c->stream.eof && c->stream.error == 0 &&
	    stream_pending(&c->stream) == 0 &&
	    stream_save(&c->stream, NULL) == 0;
}

/* -- the record -- */

static uint32_t
conn_flags(const struct ws_conn *c)
{
	return (c->paused ? PAUSED : 0) | (c->high ? HIGH : 0) |
	    (c->deflate ? DEFLATE : 0) |
	    (c->params.server_takeover ? SERVER_TAKEOVER : 0) |
	    (c->params.client_takeover ? CLIENT_TAKEOVER : 0) |
	    (c->secure ? SECURE : 0);
}

static void
pack_windows(const struct ws_conn *c, struct buf *b)
{
	struct buf window = { NULL, 0, 0 };

	if (c->deflater != NULL)
		ws_deflater_window(c->deflater, &window);
	pack_bytes(b, window.p, window.len);
	window.len = 0;
	if (c->reader.takeover && c->reader.inflater != NULL)
		ws_inflater_window(c->reader.inflater, &window);
	pack_bytes(b, window.p, window.len);
	buf_free(&window);
}

/* A header that is there in part goes before what has come behind it. */
static void
pack_input(const struct ws_conn *c, struct buf *b)
{
	pack_u32(b, (uint32_t)(c->reader.nhead + c->in.len));
	buf_append(b, c->reader.head, c->reader.nhead);
	if (c->in.len > 0)
		buf_append(b, c->in.p, c->in.len);
}

static void
pack_identity(const struct identity *who, struct buf *b)
{
	pack_u32(b, who != NULL);
	pack_bytes(b, who == NULL ? NULL : who->user.p,
	    who == NULL ? 0 : who->user.n);
	pack_bytes(b, who == NULL ? NULL : who->claims.p,
	    who == NULL ? 0 : who->claims.n);
}

void
ws_conn_pack(const struct ws_conn *c, struct buf *b)
{
	struct buf layer = { NULL, 0, 0 };

	pack_bytes(b, c->text, c->peer_len);
	pack_bytes(b, c->text + c->peer_len, c->path_len);
	pack_bytes(b, c->text + c->peer_len + c->path_len, c->protocol_len);
	pack_bytes(b, c->label, c->label_len);
	pack_identity(c->who, b);
	pack_bytes(b, c->session_id, c->session_id_len);
	pack_u32(b, conn_flags(c));
	pack_u32(b, c->params.server_bits);
	pack_u32(b, c->params.client_bits);
	pack_u64(b, c->opened_ms);
	pack_u64(b, c->heard_ms);
	pack_u64(b, c->asked_ms);
	pack_u64(b, c->rate_ms);
	pack_u64(b, (uint64_t)c->tokens);
	pack_windows(c, b);
	pack_input(c, b);
	/* Who does not know of what is behind here can't take it. */
	if (c->stream.layer != NULL)
		(void)stream_save(&c->stream, &layer);
	if (layer.len > 0 || c->upgrade.leases != NULL)
		pack_bytes(b, layer.p, layer.len);
	buf_wipe(&layer);
	if (c->upgrade.leases != NULL)
		leases_pack(c->upgrade.leases, b);
}

static void
unpack_params(struct ws_conn *c, struct unpack *u)
{
	uint32_t flags = unpack_u32(u);
	uint32_t server = unpack_u32(u), client = unpack_u32(u);

	c->paused = (flags & PAUSED) != 0;
	c->high = (flags & HIGH) != 0;
	c->secure = (flags & SECURE) != 0;
	if (!(flags & DEFLATE))
		return;
	if (server < 9 || server > 15 || client < 9 || client > 15) {
		u->bad = 1;
		return;
	}
	c->deflate = c->reader.deflate = 1;
	c->params.server_takeover = (flags & SERVER_TAKEOVER) != 0;
	c->params.client_takeover = (flags & CLIENT_TAKEOVER) != 0;
	c->params.server_bits = (uint8_t)server;
	c->params.client_bits = (uint8_t)client;
	c->reader.takeover = c->params.client_takeover;
	c->reader.bits = (uint8_t)client;
}

static void
unpack_times(struct ws_conn *c, struct unpack *u)
{
	c->opened_ms = unpack_u64(u);
	c->heard_ms = unpack_u64(u);
	c->asked_ms = unpack_u64(u);
	c->rate_ms = unpack_u64(u);
	c->tokens = (int64_t)unpack_u64(u);
}

static void
unpack_windows(struct ws_conn *c, struct unpack *u)
{
	struct ws_zpool *pool = c->server->readers.zpool;
	hostd_buf ours = unpack_bytes(u), its = unpack_bytes(u);

	if ((ours.n > 0 && !c->params.server_takeover) ||
	    (its.n > 0 && !c->reader.takeover))
		u->bad = 1;
	if (!u->bad && ours.n > 0 && (c->deflater =
	    ws_deflater_resume(pool, c->params.server_bits, ours)) == NULL)
		u->bad = 1;
	if (!u->bad && its.n > 0 && (c->reader.inflater =
	    ws_inflater_resume(pool, c->reader.bits, its)) == NULL)
		u->bad = 1;
}

static struct identity *
unpack_identity(struct unpack *u)
{
	uint32_t known = unpack_u32(u);
	hostd_buf user = unpack_bytes(u), claims = unpack_bytes(u);

	return known && !u->bad ? identity_new(user, claims) : NULL;
}

/* A string, and what it calls its session behind that. */
static void
unpack_session(struct ws_conn *c, struct unpack *u)
{
	hostd_buf id = unpack_bytes(u);

	if (u->bad || id.n == 0)
		return;
	if (memchr(id.p, '\0', id.n) == NULL) {
		u->bad = 1;
		return;
	}
	c->session_id = xmalloc(id.n);
	memcpy(c->session_id, id.p, id.n);
	c->session_id_len = (uint32_t)id.n;
}

/* 0, or -1: it does not fit together.  *layer: of its stream, n 0: none. */
static int
conn_unpack(struct ws_conn *c, struct unpack *u, hostd_buf *layer)
{
	hostd_buf peer = unpack_bytes(u), path = unpack_bytes(u);
	hostd_buf protocol = unpack_bytes(u), label = unpack_bytes(u), in;

	if (u->bad || peer.n > UINT16_MAX || path.n > UINT16_MAX ||
	    protocol.n > UINT16_MAX)
		return -1;
	ws_conn_keep_texts(c, peer, path, protocol);
	if (label.n > 0) {
		c->label = xmalloc(label.n);
		memcpy(c->label, label.p, label.n);
		c->label_len = (uint32_t)label.n;
	}
	c->who = unpack_identity(u);
	unpack_session(c, u);
	unpack_params(c, u);
	unpack_times(c, u);
	unpack_windows(c, u);
	in = unpack_bytes(u);
	*layer = u->n > 0 ? unpack_bytes(u) : (hostd_buf){ NULL, 0 };
	if (u->n > 0)
		leases_unpack(u, c->server->http->lessor, &c->upgrade.leases);
	if (!unpack_ok(u))
		return -1;
	buf_append(&c->in, in.p, in.n);
	return 0;
}

/* -- between the workers -- */

static void
move_begin(struct ws_conn *c, enum ws_state state)
{
	struct ws_move *m = xcalloc(1, sizeof(*m));

	m->conn = c;
	STAILQ_INIT(&m->waiting);
	c->move = m;
	c->state = state;
}

void
ws_conn_hold_message(struct ws_conn *c, struct ws_message *message)
{
	struct ws_waiting *w = xmalloc(sizeof(*w));

	w->message = ws_message_ref(message);
	STAILQ_INSERT_TAIL(&c->move->waiting, w, link);
}

static void
move_end(struct ws_conn *c, int send)
{
	struct ws_move *m = c->move;
	struct ws_waiting *w;

	c->move = NULL;
	while ((w = STAILQ_FIRST(&m->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&m->waiting, link);
		if (send)
			(void)ws_conn_send_message(c, w->message);
		ws_message_unref(w->message);
		free(w);
	}
	free(m);
}

/* -- going -- */

static void
conn_go_on(struct ws_conn *c, enum handover_answer answer)
{
	struct ws_server *srv = c->server;

	c->state = WS_OPEN;
	c->fatal += c->move->item.next != 0;
	c->stays = answer == HANDOVER_REFUSED || c->fatal == FATAL_MAX;
	if (stream_resume(&c->stream) == -1) {
		move_end(c, 0);
		ws_conn_cut(c, HOSTD_WS_ABNORMAL);
		return;
	}
	move_end(c, 1);
	if (c->stays || srv->last)
		ws_server_send_away(srv, c);
	stream_read_again(&c->stream);
	ws_conn_arm(c);
}

static void
conn_given(struct handover_item *item, enum handover_answer answer)
{
	struct ws_conn *c = ((struct ws_move *)(void *)item)->conn;

	if (answer != HANDOVER_TAKEN) {
		conn_go_on(c, answer);
		return;
	}
	move_end(c, 0);
	c->handler->moved(c->handler, c);
	ws_conn_leave(c);
}

void
ws_conn_hold(struct ws_conn *c)
{
	move_begin(c, WS_MOVING);
}

void
ws_conn_release(struct ws_conn *c)
{
	c->state = WS_OPEN;
	move_end(c, 1);
}

int
ws_conn_give(struct ws_conn *c, struct handover_peer *to, hostd_buf record)
{
	c->move->item.done = conn_given;
	if (handover_give(to, HANDOVER_WEBSOCKET, c->stream.io.fd, record,
	    &c->move->item) == -1)
		return -1;
	wheel_clear(&c->timer);
	stream_rest(&c->stream);
	return 0;
}

/* -- coming -- */

struct ws_conn *
ws_conn_come(struct ws_server *srv, struct ws_handler *h,
    const struct conf_websocket *conf, int fd, struct unpack *u)
{
	struct ws_conn *c = ws_conn_new(srv, h, conf);
	hostd_buf layer;

	if (conn_unpack(c, u, &layer) == -1 || ws_conn_attach(c, fd) == -1) {
		ws_conn_discard(c);
		return NULL;
	}
	c->stream.lent = 1;
	/* Not a byte before the other worker knows that we have it. */
	c->stream.can_write = 0;
	move_begin(c, WS_COMING);
	if (layer.n == 0 || tls_resume(&c->stream, layer) == 0)
		return c;
	ws_conn_turn_back(c);
	return NULL;
}

void
ws_conn_came(struct ws_conn *c)
{
	c->state = WS_OPEN;
	move_end(c, 1);
	if (c->server->http->leaving)
		ws_server_send_away(c->server, c);
	stream_read_again(&c->stream);
	ws_conn_arm(c);
}

void
ws_conn_turn_back(struct ws_conn *c)
{
	move_end(c, 0);
	stream_rest(&c->stream);
	/* It is the other worker's, and closed by the handover. */
	c->stream.io.fd = -1;
	ws_conn_leave(c);
}
