/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session's record is the engine's part of it and the client's.  Messages:
 *
 *	BUS_SESSION	u32 VERSION, the record
 *	BUS_SAY		bytes id of a session, what was said to it while it went
 *
 * The state of an instance: u64 its process and when it started, marks of those
 * who have ended, namespaces and rooms (coming.c; not in version 1), u32 does
 * it recover, and that (bequest.c).
 */
#include <hostd/state.h>
#include "client_move.h"
#include "engine.h"
#include "move.h"
#include "recover.h"

#define VERSION	1
#define STATE_VERSION	2

static int32_t
session_pack(struct eio *eio, struct pack *b)
{
	if (eio_pack(eio, b) == -1)
		return HOSTD_E_NOTSUP;
	return client_pack(eio_client(eio), b);
}

/* It did not go after all.  What a WebSocket was sent meanwhile can't be sent
 * yet, see eio_move_look. */
static void
session_stays(struct eio *eio)
{
	if (eio->is_moving && (eio->ws == NULL || eio->queue.n == 0))
		eio_send_kept(eio);
}

static struct eio *
session_unpack(struct hostd_inst *in, hostd_ws ws, void *d, struct unpack *u)
{
	struct eio *eio = eio_unpack(in, ws, d, u);

	if (eio == NULL)
		return NULL;
	if (client_unpack(eio_client(eio), u) == 0)
		return eio;
	client_moved(eio_client(eio));
	eio_drop(eio);
	return NULL;
}

/* It is the successor's.  What was sent meanwhile follows it. */
static void
session_went(struct eio *eio)
{
	struct client *client = eio_client(eio);
	struct cluster *c = client->in->cluster;
	struct pack *b = bus_begin(c, BUS_SAY, c->seq);

	pack_bytes(b, hostd_str(eio_id(eio)));
	if (eio_pack_late(eio, b) > 0)
		(void)bus_send_heir(c);
	client_moved(client);
	eio_drop(eio);
	cluster_leave(c->in);
}

void
move_said(struct cluster *c, struct bus_message *m)
{
	struct eio *eio = eio_find(c->in, unpack_bytes(&m->body));

	if (eio != NULL && !c->in->draining)
		(void)eio_unpack_late(eio, &m->body);
}

/* -- over WebSocket -- */

static int32_t
ws_save(struct hostd_inst *in, hostd_ws ws, void *d,
    int32_t (*put)(void *, hostd_buf), void *arg)
{
	struct eio *eio = eio_of_ws(d);
	struct pack b = { NULL, 0, 0, 0 };
	int32_t rc;

	(void)in;
	(void)ws;
	if (eio == NULL)
		return HOSTD_E_NOTSUP;
	/* The client, once it is allowed to upgrade, says so on this WebSocket
	 * when its POST is answered, or never is heard of again. */
	if (eio->post != NULL)
		return HOSTD_DEFER;
	rc = session_pack(eio, &b);
	if (rc == HOSTD_OK)
		rc = put(arg, pack_buf(&b));
	pack_free(&b);
	if (rc != HOSTD_OK)
		session_stays(eio);
	return rc;
}

static int32_t
ws_load(struct hostd_inst *in, hostd_ws ws, void *d, uint32_t from_version,
    hostd_buf state)
{
	struct unpack u = { state.p, state.n, 0 };

	if (from_version != VERSION)
		return HOSTD_E_NOTSUP;
	return session_unpack(in, ws, d, &u) == NULL ? HOSTD_E_INVAL :
	    HOSTD_OK;
}

static void
ws_moved(struct hostd_inst *in, hostd_ws ws, void *d)
{
	struct eio *eio = eio_of_ws(d);

	(void)in;
	(void)ws;
	if (eio != NULL)
		session_went(eio);
}

const struct hostd_p_ws_state move_ws_state = {
	.struct_size = sizeof(move_ws_state), .version = VERSION,
	.save = ws_save, .load = ws_load, .moved = ws_moved
};

/* -- on polling -- */

static void
move_one(struct cluster *c, struct eio *eio)
{
	struct pack b = { NULL, 0, 0, 0 }, *out;
	int went = 0;

	if (session_pack(eio, &b) == HOSTD_OK && !b.failed) {
		out = bus_begin(c, BUS_SESSION, c->seq);
		pack_u32(out, VERSION);
		pack_raw(out, b.p, b.n);
		went = bus_send_heir(c) >= 0;
	}
	pack_free(&b);
	if (went)
		session_went(eio);
	else
		session_stays(eio);
}

int
move_polling(struct hostd_inst *in)
{
	struct eio *eio, *next;

	if (!in->draining || !peer_has_heir(in->cluster))
		return 0;
	for (eio = eio_next(in, NULL); eio != NULL; eio = next) {
		next = eio_next(in, eio);
		if (eio->ws == NULL && eio->probe == NULL)
			move_one(in->cluster, eio);
	}
	return 1;
}

void
move_came(struct cluster *c, struct bus_message *m)
{
	hostd_ws none = { 0 };

	if (c->in->draining || !cluster_is_here(c, m->node) ||
	    unpack_u32(&m->body) != VERSION)
		return;
	(void)session_unpack(c->in, none, NULL, &m->body);
}

/* -- who we were, and what recovery keeps -- */

/* How far we have heard those who have ended: the successor never will. */
static void
pack_gone(const struct cluster *c, struct pack *b)
{
	const struct mark *k;
	uint32_t n = 0, i;

	for (i = 0; i < c->heard.n; i++)
		n += peer_find(c, c->heard.v[i].process) == NULL;
	pack_u32(b, n);
	for (i = 0; i < c->heard.n; i++) {
		k = &c->heard.v[i];
		if (peer_find(c, k->process) != NULL)
			continue;
		pack_u64(b, k->process);
		pack_u64(b, k->seq);
	}
}

static int
unpack_gone(struct cluster *c, struct unpack *u)
{
	uint64_t now = c->in->easy.host->now_ms(c->in->easy.host);
	struct marks gone;
	uint32_t i;
	int rc = marks_unpack(&gone, u);

	for (i = 0; rc == 0 && i < gone.n; i++)
		rc = marks_raise(&c->heard, gone.v[i].process, gone.v[i].seq,
		    now);
	marks_free(&gone);
	return rc;
}

static int32_t
state_save(struct hostd_inst *in, int32_t (*put)(void *, hostd_buf), void *arg)
{
	struct cluster *c = in->cluster;
	struct pack b = { NULL, 0, 0, 0 };
	int32_t rc;

	c->saved_ms = in->easy.host->now_ms(in->easy.host);
	pack_u64(&b, c->process);
	pack_u64(&b, c->started_ms);
	pack_gone(c, &b);
	coming_pack(c, &b);
	pack_u32(&b, in->opt.max_disconnection > 0);
	if (in->opt.max_disconnection > 0)
		recover_save(c, &b);
	rc = b.failed ? HOSTD_E_NOMEM : put(arg, pack_buf(&b));
	pack_free(&b);
	return rc;
}

static int32_t
state_load(struct hostd_inst *in, uint32_t from_version, hostd_buf state)
{
	struct unpack u = { state.p, state.n, 0 };
	uint64_t process, started_ms;
	int recovers;

	if (from_version < 1 || from_version > STATE_VERSION)
		return HOSTD_E_NOTSUP;
	process = unpack_u64(&u);
	started_ms = unpack_u64(&u);
	if (unpack_gone(in->cluster, &u) == -1)
		return HOSTD_E_INVAL;
	if (from_version > 1 && coming_unpack(in->cluster, &u) == -1)
		u.bad = 1;
	recovers = unpack_u32(&u) != 0;
	if (u.bad) {
		coming_destroy(in->cluster);
		return HOSTD_E_INVAL;
	}
	peer_add_elder(in->cluster, process, started_ms);
	if (!recovers || in->opt.max_disconnection == 0)
		return HOSTD_OK;
	return recover_load(in->cluster, &u) == 0 ? HOSTD_OK : HOSTD_E_INVAL;
}

const struct hostd_p_state move_state = {
	.struct_size = sizeof(move_state), .version = STATE_VERSION,
	.save = state_save, .load = state_load
};
