/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket that comes back is asked for at all workers at once; the one that
 * keeps it answers with all that it knows, and forgets it.  Messages:
 *
 *	BUS_RECOVER	u64 id, bytes pid, bytes namespace, bytes offset
 *	BUS_RECOVERED	u64 id, u32 found, and when it was: a session, marks,
 *			u32 events, each as a packet
 */
#include <sys/random.h>
#include <hostd/json.h>
#include "kept.h"
#include "recover.h"

/* One that is looked for. */
struct seeking {
	struct table_entry entry;	/* of c->seeking: the bytes of its id */
	struct cluster *c;
	uint64_t id, socket;
	uint64_t *waiting;
	uint32_t nwaiting;
	hostd_timer late;
};

/* What a socket that comes back gets when it enters. */
struct recovered {
	size_t n;
	char bytes[];			/* BUS_RECOVERED's, from the session
					   on */
};

/* -- looking for one -- */

static struct seeking *
seeking_find(const struct cluster *c, uint64_t id)
{
	struct table_entry *e = table_find(&c->seeking,
	    (hostd_buf){ &id, sizeof(id) });

	return e == NULL ? NULL : TABLE_OF(e, struct seeking, entry);
}

/* The one behind it, which may go then; from NULL on. */
static struct seeking *
seeking_next(const struct cluster *c, const struct seeking *k)
{
	struct table_entry *e = table_next(&c->seeking, k == NULL ? NULL :
	    &k->entry);

	return e == NULL ? NULL : TABLE_OF(e, struct seeking, entry);
}

static void
seeking_free(struct seeking *k)
{
	struct hostd_inst *in = k->c->in;

	(void)in->timer->stop(in->easy.host, k->late);
	table_remove(&k->c->seeking, &k->entry);
	free(k->waiting);
	free(k);
}

/* Keep what was meant for a socket that has gone meanwhile. */
static void
give_back(struct cluster *c, hostd_buf bytes)
{
	struct unpack u = { bytes.p, bytes.n, 0 };
	struct session_view v;

	if (session_read(&v, &u) == 0)
		(void)session_keep(c, (hostd_buf){ bytes.p,
		    (size_t)(u.p - (const char *)bytes.p) });
	order_free(&v.rooms);
}

static int
set_id(struct sio_socket *s, const struct session_view *v)
{
	char *data = NULL;

	if (socket_find(s->space, v->id) != NULL)
		return -1;
	if (v->data.n > 0 && (data = malloc(v->data.n)) == NULL)
		return -1;
	if (data != NULL)
		memcpy(data, v->data.p, v->data.n);
	free((void *)(uintptr_t)s->data.p);
	s->data = (hostd_buf){ data, v->data.n };
	memcpy(s->id, v->id.p, SOCKET_ID_LEN);
	memcpy(s->pid, v->pid.p, EIO_ID_LEN);
	s->recovered = 1;
	return 0;
}

static int
session_give(struct sio_socket *s, hostd_buf bytes)
{
	struct unpack u = { bytes.p, bytes.n, 0 };
	struct recovered *r;
	struct session_view v;
	int rc = -1;

	if ((r = malloc(sizeof(*r) + bytes.n)) == NULL)
		return -1;
	r->n = bytes.n;
	memcpy(r->bytes, bytes.p, bytes.n);
	if (session_read(&v, &u) == 0)
		rc = set_id(s, &v);
	order_free(&v.rooms);
	if (rc == 0)
		s->back = r;
	else
		free(r);
	return rc;
}

/* Found, or not. */
static void
seeking_end(struct seeking *k, const hostd_buf *bytes)
{
	struct cluster *c = k->c;
	struct sio_socket *s = socket_of(c->in, k->socket);

	seeking_free(k);
	if (s == NULL || s->state != SOCKET_CONNECTING) {
		if (bytes != NULL)
			give_back(c, *bytes);
		return;
	}
	client_recovered(s, bytes != NULL && session_give(s, *bytes) == 0);
}

static void
seeking_late(struct hostd_inst *in, hostd_timer t, void *arg)
{
	(void)in;
	(void)t;
	seeking_end(arg, NULL);
}

static void
answered(struct seeking *k, uint64_t process)
{
	uint32_t i;

	for (i = 0; i < k->nwaiting; i++)
		if (k->waiting[i] == process) {
			k->waiting[i] = k->waiting[--k->nwaiting];
			break;
		}
	if (k->nwaiting == 0)
		seeking_end(k, NULL);
}

void
recover_peer_left(struct cluster *c, uint64_t process)
{
	struct seeking *k, *next;

	for (k = seeking_next(c, NULL); k != NULL; k = next) {
		next = seeking_next(c, k);
		answered(k, process);
	}
}

void
recover_replied(struct cluster *c, struct bus_message *m)
{
	uint64_t id = unpack_u64(&m->body);
	uint32_t found = unpack_u32(&m->body);
	hostd_buf bytes = { m->body.p, m->body.n };
	struct seeking *k = seeking_find(c, id);

	if (m->body.bad)
		return;
	if (k == NULL && found)
		give_back(c, bytes);
	else if (k != NULL && found)
		seeking_end(k, &bytes);
	else if (k != NULL)
		answered(k, m->process);
}

void
recover_asked(struct cluster *c, struct bus_message *m)
{
	uint64_t id = unpack_u64(&m->body);
	hostd_buf pid = unpack_bytes(&m->body), nsp = unpack_bytes(&m->body);
	hostd_buf offset = unpack_bytes(&m->body);
	struct pack found = { NULL, 0, 0, 0 }, *b;
	int yes;

	if (!unpack_ok(&m->body))
		return;
	yes = session_take(c, pid, nsp, offset, &found);
	b = bus_begin(c, BUS_RECOVERED, c->seq);
	pack_u64(b, id);
	pack_u32(b, (uint32_t)yes);
	if (yes)
		pack_raw(b, found.p, found.n);
	pack_free(&found);
	(void)bus_send(c, m->process);
}

static struct seeking *
seeking_new(struct cluster *c, const struct sio_socket *s)
{
	struct hostd_inst *in = c->in;
	struct seeking *k = calloc(1, sizeof(*k));
	struct peer *p;
	uint32_t n = 0;

	if (k == NULL)
		return NULL;
	LIST_FOREACH(p, &c->peers, link)
		n++;
	k->c = c;
	k->id = ++c->last_seek;
	k->socket = s->handle;
	k->entry.name = (hostd_buf){ &k->id, sizeof(k->id) };
	k->waiting = calloc(n + 1, sizeof(*k->waiting));
	if (k->waiting == NULL || table_add(&c->seeking, &k->entry) == -1) {
		free(k->waiting);
		free(k);
		return NULL;
	}
	if (in->timer->start(in->easy.host, in->opt.requests_timeout, 0,
	    seeking_late, k, &k->late) != HOSTD_OK) {
		seeking_free(k);
		return NULL;
	}
	LIST_FOREACH(p, &c->peers, link)
		k->waiting[k->nwaiting++] = p->process;
	return k;
}

/* Ask all others. */
static int
seek(struct cluster *c, const struct sio_socket *s, hostd_buf pid,
    hostd_buf offset)
{
	struct seeking *k;
	struct pack *b;

	if (LIST_EMPTY(&c->peers) || (k = seeking_new(c, s)) == NULL)
		return 0;
	b = bus_begin(c, BUS_RECOVER, c->seq);
	pack_u64(b, k->id);
	pack_bytes(b, pid);
	pack_bytes(b, space_name(s->space));
	pack_bytes(b, offset);
	if (bus_tell(c) >= 0)
		return 1;
	seeking_free(k);
	return 0;
}

static void
pid_new(struct sio_socket *s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[EIO_ID_LEN];
	size_t i;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return;
	for (i = 0; i < EIO_ID_LEN; i++)
		s->pid[i] = digits[random[i] & 63];
}

/* Ours: it need not be asked for. */
static void
found_here(struct hostd_inst *in, void *arg)
{
	struct sio_socket *s = socket_of(in, (uint64_t)(uintptr_t)arg);

	if (s != NULL && s->state == SOCKET_CONNECTING)
		client_recovered(s, 1);
}

int
recover_begin(struct sio_socket *s, hostd_buf auth)
{
	struct cluster *c = s->space->in->cluster;
	const struct hostd_host *host = c->in->easy.host;
	struct pack b = { NULL, 0, 0, 0 };
	hostd_buf pid, offset;
	int rc = 0;

	if (c->in->opt.max_disconnection == 0 || s->client->revision == 3)
		return 0;
	pid_new(s);
	if (!hostd_json_plain(hostd_json_get(auth, "pid"), &pid) ||
	    !hostd_json_plain(hostd_json_get(auth, "offset"), &offset) ||
	    pid.n != EIO_ID_LEN || offset.n > RECOVER_OFFSET)
		return 0;
	if (!session_is_here(c, pid))
		return seek(c, s, pid, offset);
	if (session_take(c, pid, space_name(s->space), offset, &b) == 1 &&
	    session_give(s, pack_buf(&b)) == 0)
		rc = host->post(host, found_here,
		    (void *)(uintptr_t)s->handle) == HOSTD_OK;
	pack_free(&b);
	return rc;
}

/* -- back -- */

static void
send_missed(struct sio_socket *s, struct unpack *u)
{
	uint32_t n = unpack_count(u), i;
	struct eio_message *m;
	struct order o;

	for (i = 0; i < n && !u->bad; i++) {
		memset(&o, 0, sizeof(o));
		if (order_read_packet(&o, u) == 0 &&
		    (m = eio_message_new(&o.text, 1, o.bins, o.nbins)) !=
		    NULL) {
			(void)eio_send(s->client->eio, m, 0);
			eio_message_unref(m);
		}
		order_free(&o);
	}
}

void
recover_enter(struct sio_socket *s)
{
	struct cluster *c = s->space->in->cluster;
	struct recovered *r = s->back;
	struct session_view v;
	struct marks marks;
	struct unpack u;
	uint32_t i;

	if (r == NULL)
		return;
	u = (struct unpack){ r->bytes, r->n, 0 };
	if (session_read(&v, &u) == 0 && marks_unpack(&marks, &u) == 0) {
		for (i = 0; i < v.rooms.to.nrooms; i++)
			(void)socket_join(s, v.rooms.to.rooms[i]);
		send_missed(s, &u);
		held_catch_up(c, s, &marks);
		marks_free(&marks);
	}
	order_free(&v.rooms);
	s->back = NULL;
	free(r);
}

void
recover_forget(struct sio_socket *s)
{
	if (s->back == NULL)
		return;
	give_back(s->space->in->cluster, (hostd_buf){ s->back->bytes,
	    s->back->n });
	free(s->back);
	s->back = NULL;
}

/* -- life -- */

void
recover_destroy(struct cluster *c)
{
	struct seeking *k, *next;

	for (k = seeking_next(c, NULL); k != NULL; k = next) {
		next = seeking_next(c, k);
		seeking_free(k);
	}
	table_free(&c->seeking);
}
