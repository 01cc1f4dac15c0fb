/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record:
 *
 *	list	u64 processes of its elders, see away.h
 *	u32	was it ever accepted
 *	u32	sockets; of each
 *	  bytes	namespace
 *	  u64	the next id of acknowledgements there
 *	  u32	is connected
 *	  bytes	id, pid, auth, data
 *	  list	rooms
 *	  u32	handlers; of each: bytes name, u32 version, bytes data
 *	...	marks
 *	u32	does a packet wait for attachments; if so
 *	  u32	which socket's, from 0
 *	  bytes	text
 *	  u32	how many were announced
 *	  list	those that are here
 */
#include <stdlib.h>
#include "app.h"
#include "away.h"
#include "client_move.h"
#include "partial.h"

/* Who is asked while the session is on its way is so by ids of its own. */
#define IDS_AHEAD 65536

/* -- going -- */

struct put_to {
	struct pack *b;
	size_t at, n;
};

static int32_t
put(void *arg, hostd_buf part)
{
	struct put_to *to = arg;

	if (part.n > 0 && part.p == NULL)
		return HOSTD_E_INVAL;
	if (part.n > HOSTD_WS_STATE_MAX - to->n)
		return HOSTD_E_FULL;
	pack_raw(to->b, part.p, part.n);
	to->n += part.n;
	return HOSTD_OK;
}

static int32_t
pack_app(struct sio_socket *s, const struct app_data *d, struct pack *b)
{
	struct put_to to = { b, 0, 0 };
	uint32_t n;
	int32_t rc;

	pack_bytes(b, hostd_str(d->app == NULL ? "" : d->app->name));
	pack_u32(b, d->app == NULL ? 0 : d->app->ops.version);
	to.at = b->n;
	pack_u32(b, 0);
	rc = d->app == NULL ? HOSTD_OK : app_pack(s, d, put, &to);
	n = htole32((uint32_t)to.n);
	if (!b->failed)
		memcpy(b->p + to.at, &n, sizeof(n));
	return rc;
}

static int32_t
pack_rooms(const struct sio_socket *s, struct pack *b)
{
	uint32_t n = socket_rooms(s, NULL, 0);
	hostd_buf *v = calloc(n + 1, sizeof(*v));

	if (v == NULL)
		return HOSTD_E_NOMEM;
	(void)socket_rooms(s, v, n);
	pack_list(b, v, n);
	free(v);
	return HOSTD_OK;
}

static int32_t
pack_socket(struct sio_socket *s, struct pack *b)
{
	uint32_t i;
	int32_t rc;

	pack_bytes(b, space_name(s->space));
	pack_u64(b, s->space->next_ack + IDS_AHEAD);
	pack_u32(b, s->state == SOCKET_CONNECTED);
	pack_bytes(b, hostd_str(s->id));
	pack_bytes(b, hostd_str(s->pid));
	pack_bytes(b, s->auth);
	pack_bytes(b, s->data);
	if ((rc = pack_rooms(s, b)) != HOSTD_OK)
		return rc;
	pack_u32(b, s->state == SOCKET_CONNECTED ? s->napps : 0);
	for (i = 0; s->state == SOCKET_CONNECTED && i < s->napps; i++)
		if ((rc = pack_app(s, &s->apps[i], b)) < 0)
			return rc;
	return HOSTD_OK;
}

static void
pack_partial(const struct client *c, struct pack *b)
{
	const struct sio_partial *p = c->partial;
	struct sio_socket *s;
	uint32_t i = 0;

	pack_u32(b, p != NULL);
	if (p == NULL)
		return;
	TAILQ_FOREACH(s, &c->sockets, of_client) {
		if (s->handle == p->handle)
			break;
		i += s->state != SOCKET_GONE;
	}
	pack_u32(b, s == NULL || s->state == SOCKET_GONE ? UINT32_MAX : i);
	pack_bytes(b, p->text);
	pack_u32(b, p->nbins);
	pack_list(b, p->bins, p->n);
}

int32_t
client_pack(const struct client *c, struct pack *b)
{
	struct sio_socket *s;
	uint32_t n = 0;
	int32_t rc;

	TAILQ_FOREACH(s, &c->sockets, of_client)
		n += s->state != SOCKET_GONE;
	away_pack_elders(c->in->cluster, b);
	pack_u32(b, c->was_accepted);
	pack_u32(b, n);
	TAILQ_FOREACH(s, &c->sockets, of_client)
		if (s->state != SOCKET_GONE &&
		    (rc = pack_socket(s, b)) != HOSTD_OK)
			return rc;
	cluster_pack_marks(c->in->cluster, b);
	pack_partial(c, b);
	return b->failed ? HOSTD_E_NOMEM : HOSTD_OK;
}

/* -- coming -- */

static int
unpack_rooms(struct sio_socket *s, struct unpack *u, int enters)
{
	uint32_t n = unpack_count(u), i;
	hostd_buf room;

	for (i = 0; i < n && !u->bad; i++) {
		room = unpack_bytes(u);
		if (enters && room.n > 0 && socket_join(s, room) != HOSTD_OK)
			u->bad = 1;
	}
	return u->bad ? -1 : 0;
}

static int
unpack_apps(struct sio_socket *s, struct unpack *u)
{
	uint32_t n = unpack_count(u), i, version;
	hostd_buf name, data;

	for (i = 0; i < n && !u->bad; i++) {
		name = unpack_bytes(u);
		version = unpack_u32(u);
		data = unpack_bytes(u);
		if (name.n > 0 && app_unpack(s, name, version, data) == -1)
			return -1;
	}
	return u->bad ? -1 : 0;
}

static int
set_id(struct sio_socket *s, hostd_buf id, hostd_buf pid, hostd_buf data)
{
	if (!unpack_is_text(id, strlen(s->id)) ||
	    (pid.n != 0 && !unpack_is_text(pid, EIO_ID_LEN)) ||
	    socket_find(s->space, id) != NULL ||
	    socket_keep(&s->data, data) == -1)
		return -1;
	memcpy(s->id, id.p, id.n);
	if (pid.n > 0)
		memcpy(s->pid, pid.p, pid.n);
	return 0;
}

/* One that handlers have not decided about is asked about here, too. */
static void
ask_again(struct hostd_inst *in, void *arg)
{
	struct sio_socket *s = socket_of(in, (uint64_t)(uintptr_t)arg);

	if (s != NULL && s->state == SOCKET_CONNECTING)
		apps_connect(s);
}

static int
unpack_socket(struct client *c, struct unpack *u)
{
	hostd_buf nsp = unpack_bytes(u), id, pid, auth, data;
	uint64_t next_ack = unpack_u64(u);
	uint32_t enters = unpack_u32(u);
	const struct hostd_host *host = c->in->easy.host;
	struct space *sp = space_get(c->in, nsp);
	struct sio_socket *s;

	id = unpack_bytes(u);
	pid = unpack_bytes(u);
	auth = unpack_bytes(u);
	data = unpack_bytes(u);
	if (u->bad || sp == NULL || (s = socket_new(c, sp, auth)) == NULL)
		return -1;
	if (sp->next_ack < next_ack)
		sp->next_ack = next_ack;
	if (set_id(s, id, pid, data) == -1 ||
	    (enters && socket_enter(s) == -1) ||
	    unpack_rooms(s, u, enters != 0) == -1 || unpack_apps(s, u) == -1)
		return -1;
	s->was_connected = enters != 0;
	return enters || host->post(host, ask_again,
	    (void *)(uintptr_t)s->handle) == HOSTD_OK ? 0 : -1;
}

static int
unpack_partial(struct client *c, struct unpack *u)
{
	struct sio_socket *s;
	uint32_t at, nbins, n, i;
	hostd_buf text;

	if (unpack_u32(u) == 0)
		return 0;
	at = unpack_u32(u);
	text = unpack_bytes(u);
	nbins = unpack_u32(u);
	n = unpack_count(u);
	if (u->bad || nbins == 0 || n >= nbins ||
	    nbins > c->in->opt.max_attachments)
		return -1;
	TAILQ_FOREACH(s, &c->sockets, of_client)
		if (at-- == 0)
			break;
	c->partial = partial_new(s == NULL ? 0 : s->handle, text, nbins);
	for (i = 0; c->partial != NULL && i < n; i++)
		if (partial_add(c->partial, unpack_bytes(u)) != 0)
			return -1;
	return c->partial == NULL || u->bad ? -1 : 0;
}

static int
unpack_all(struct client *c, struct unpack *u)
{
	uint32_t was_accepted, n, i;
	struct sio_socket *s;
	struct marks marks;
	int rc;

	if (away_unpack_elders(c->in->cluster, u) == -1)
		return -1;
	was_accepted = unpack_u32(u);
	n = unpack_count(u);
	if (was_accepted)
		client_was_accepted(c);
	for (i = 0; i < n; i++)
		if (unpack_socket(c, u) == -1)
			return -1;
	rc = marks_unpack(&marks, u);
	TAILQ_FOREACH(s, &c->sockets, of_client)
		if (rc == 0 && s->state == SOCKET_CONNECTED)
			rc = held_add(c->in->cluster, s, &marks);
	marks_free(&marks);
	return rc == 0 && unpack_partial(c, u) == 0 && unpack_ok(u) ? 0 : -1;
}

int
client_unpack(struct client *c, struct unpack *u)
{
	struct sio_socket *s;

	if (unpack_all(c, u) == 0)
		return 0;
	while ((s = TAILQ_FIRST(&c->sockets)) != NULL)
		socket_free(s);
	partial_free(c->partial);
	c->partial = NULL;
	return -1;
}
