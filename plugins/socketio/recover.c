/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket that comes back is asked for at all workers at once; the one that
 * keeps it answers with all that it knows, and forgets it.  Messages:
 *
 *	BUS_RECOVER	u64 id, bytes pid, bytes namespace, bytes offset
 *	BUS_RECOVERED	u64 id, u32 found, and when it was: a session, marks,
 *			u32 events, each as a packet
 *
 * A session: bytes pid, namespace, id, data, list of rooms.
 */
#include <sys/random.h>
#include <hostd/json.h>
#include "cluster_inside.h"
#include "event.h"
#include "recover.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789-_";

/* One that is kept; its record lies behind it. */
struct session {
	struct table_entry entry;	/* by pid, which lies in the record */
	TAILQ_ENTRY(session) link;	/* by when it ends */
	uint64_t until;
	size_t n;
	char record[];
};

/* One that is looked for. */
struct seeking {
	LIST_ENTRY(seeking) link;
	struct cluster *c;
	uint64_t id, socket;
	uint64_t *waiting;
	uint32_t nwaiting;
	hostd_timer late;
};

struct recovery {
	struct table sessions;
	TAILQ_HEAD(, session) by_age;
	size_t bytes;
	LIST_HEAD(, seeking) seeking;
	uint64_t last_id;
};

/* What is read of a session. */
struct session_view {
	hostd_buf pid, nsp, id, data;
	struct order rooms;		/* in to.rooms */
};

/* What a socket that comes back gets when it enters. */
struct recovered {
	size_t n;
	char bytes[];			/* BUS_RECOVERED's, from the session on */
};

static uint64_t
now_of(const struct cluster *c)
{
	return c->in->easy.host->now_ms(c->in->easy.host);
}

/* -- offsets -- */

#define PROCESS_DIGITS 11

hostd_buf
recover_offset(char room[RECOVER_OFFSET], uint64_t process, uint64_t seq)
{
	size_t n;

	for (n = 0; n < PROCESS_DIGITS; n++, process >>= 6)
		room[n] = digits[process & 63];
	do {
		room[n++] = digits[seq & 63];
		seq >>= 6;
	} while (seq != 0);
	return (hostd_buf){ room, n };
}

static int
read_digits(const char *p, size_t n, uint64_t *out)
{
	const char *d;
	size_t i;

	*out = 0;
	for (i = n; i-- > 0;) {
		if (p[i] == '\0' || (d = strchr(digits, p[i])) == NULL)
			return -1;
		*out = *out << 6 | (uint64_t)(d - digits);
	}
	return 0;
}

static int
offset_read(hostd_buf b, uint64_t *process, uint64_t *seq)
{
	if (b.n <= PROCESS_DIGITS || b.n > RECOVER_OFFSET)
		return -1;
	return read_digits(b.p, PROCESS_DIGITS, process) == 0 &&
	    read_digits((const char *)b.p + PROCESS_DIGITS, b.n -
	    PROCESS_DIGITS, seq) == 0 ? 0 : -1;
}

/* -- keeping -- */

static void
session_drop(struct recovery *r, struct session *s)
{
	table_remove(&r->sessions, &s->entry);
	TAILQ_REMOVE(&r->by_age, s, link);
	r->bytes -= sizeof(*s) + s->n;
	free(s);
}

static void
sessions_trim(struct cluster *c)
{
	struct recovery *r = c->recovery;
	struct session *s;

	while ((s = TAILQ_FIRST(&r->by_age)) != NULL &&
	    (s->until <= now_of(c) || r->bytes > c->log.max_bytes))
		session_drop(r, s);
}

static struct session *
session_find(struct cluster *c, hostd_buf pid)
{
	struct table_entry *e;

	sessions_trim(c);
	e = table_find(&c->recovery->sessions, pid);
	return e == NULL ? NULL : TABLE_OF(e, struct session, entry);
}

static int
session_read(struct session_view *v, struct unpack *u)
{
	memset(v, 0, sizeof(*v));
	v->pid = unpack_bytes(u);
	v->nsp = unpack_bytes(u);
	v->id = unpack_bytes(u);
	v->data = unpack_bytes(u);
	order_list_read(&v->rooms, u);
	return u->bad || v->pid.n != EIO_ID_LEN || v->id.n != SOCKET_ID_LEN ?
	    -1 : 0;
}

/* Keep what was packed, until then.  Others' are checked by session_read. */
static int
session_keep(struct cluster *c, hostd_buf record, uint64_t until)
{
	struct recovery *r = c->recovery;
	struct session *s, *old;
	struct unpack u;

	if ((s = malloc(sizeof(*s) + record.n)) == NULL)
		return -1;
	s->n = record.n;
	s->until = until;
	memcpy(s->record, record.p, record.n);
	u = (struct unpack){ s->record, s->n, 0 };
	s->entry.name = unpack_bytes(&u);
	if ((old = session_find(c, s->entry.name)) != NULL)
		session_drop(r, old);
	if (table_add(&r->sessions, &s->entry) == -1) {
		free(s);
		return -1;
	}
	TAILQ_INSERT_TAIL(&r->by_age, s, link);
	r->bytes += sizeof(*s) + s->n;
	return 0;
}

static void
session_pack(struct pack *b, const struct sio_socket *s)
{
	uint32_t n = socket_rooms(s, NULL, 0);
	hostd_buf *v = calloc(n + 1, sizeof(*v));

	if (v == NULL) {
		b->failed = 1;
		return;
	}
	(void)socket_rooms(s, v, n);
	pack_bytes(b, hostd_str(s->pid));
	pack_bytes(b, space_name(s->space));
	pack_bytes(b, hostd_str(s->id));
	pack_bytes(b, s->data);
	pack_list(b, v, n);
	free(v);
}

static int
is_recoverable(int32_t reason)
{
	return reason == HOSTD_SIO_TRANSPORT_CLOSE ||
	    reason == HOSTD_SIO_TRANSPORT_ERROR ||
	    reason == HOSTD_SIO_PING_TIMEOUT ||
	    reason == HOSTD_SIO_FORCED_CLOSE ||
	    reason == HOSTD_SIO_SHUTTING_DOWN;
}

void
recover_keep(struct sio_socket *s, int32_t reason)
{
	struct cluster *c = s->space->in->cluster;
	const struct peer *heir = c->in->draining ? peer_of_slot(c) : NULL;
	struct pack b = { NULL, 0, 0, 0 };

	if (s->pid[0] == '\0' || !is_recoverable(reason))
		return;
	session_pack(&b, s);
	if (!b.failed)
		(void)session_keep(c, pack_buf(&b), now_of(c) +
		    c->in->opt.max_disconnection);
	if (!b.failed && heir != NULL) {
		pack_raw(bus_begin(c, BUS_KEPT, c->seq), b.p, b.n);
		(void)bus_send(c, heir->process);
	}
	pack_free(&b);
}

void
recover_kept(struct cluster *c, struct bus_message *m)
{
	hostd_buf record = { m->body.p, m->body.n };
	struct session_view v;

	if (session_read(&v, &m->body) == 0 && unpack_ok(&m->body))
		(void)session_keep(c, record, now_of(c) +
		    c->in->opt.max_disconnection);
	order_free(&v.rooms);
}

/* As a foreign order: no other worker has heard of it. */
struct eio_message *
recover_event(struct sio_socket *s, uint32_t flags, hostd_buf name,
    const struct hostd_sio_args *args)
{
	struct cluster *c = s->space->in->cluster;
	hostd_buf room = hostd_str(s->id);
	struct hostd_sio_to to = { .nsp = space_name(s->space), .rooms = &room,
		.nrooms = 1 };
	struct hostd_sio_order o = { .type = HOSTD_SIO_BROADCAST, .to = &to,
		.name = name, .args = args };
	struct eio_message *m;
	struct pack *b;
	size_t at;

	if (c->in->opt.max_disconnection == 0 ||
	    (flags & HOSTD_SIO_VOLATILE) != 0)
		return event_message(to.nsp, NULL, name, args, NULL);
	m = cluster_message(c, &o, c->foreign, ++c->seq);
	if (m == NULL)
		return NULL;
	b = bus_begin(c, BUS_ORDER, c->seq);
	at = b->n;
	order_pack_head(b, &o);
	if (!b->failed)
		cluster_log(c, c->foreign, c->seq, (hostd_buf){ b->p + at,
		    b->n - at }, m);
	return m;
}

/* -- what was missed -- */

static int
is_one_of(const struct order *rooms, const hostd_buf *v, uint32_t n)
{
	uint32_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < rooms->to.nrooms; k++)
			if (v[i].n == rooms->to.rooms[k].n &&
			    memcmp(v[i].p, rooms->to.rooms[k].p, v[i].n) == 0)
				return 1;
	return 0;
}

static int
is_missed(const struct session_view *v, const struct log_entry *e)
{
	struct unpack u = { e->head, e->nhead, 0 };
	struct order o;
	int yes;

	if (e->message == NULL)
		return 0;
	yes = order_read_head(&o, &u) == 0 &&
	    (o.to.flags & HOSTD_SIO_VOLATILE) == 0 &&
	    o.to.nsp.n == v->nsp.n &&
	    memcmp(o.to.nsp.p, v->nsp.p, v->nsp.n) == 0 &&
	    !is_one_of(&v->rooms, o.to.except, o.to.nexcept) &&
	    (o.to.nrooms == 0 ||
	    is_one_of(&v->rooms, o.to.rooms, o.to.nrooms));
	order_free(&o);
	return yes;
}

static void
pack_missed(struct pack *b, const struct session_view *v,
    const struct log_entry *e)
{
	size_t at = b->n;
	uint32_t n = 0;

	pack_u32(b, 0);
	for (; e != NULL; e = STAILQ_NEXT(e, link))
		if (is_missed(v, e)) {
			order_pack_packet(b, cluster_text(e->message),
			    e->message->bins, e->message->nbins);
			n++;
		}
	n = htole32(n);
	if (!b->failed)
		memcpy(b->p + at, &n, sizeof(n));
}

/*
 * Answer for one, and forget it.  1: it is found, and packed behind what b has.
 */
static int
session_take(struct cluster *c, hostd_buf pid, hostd_buf nsp, hostd_buf offset,
    struct pack *b)
{
	struct session *s = session_find(c, pid);
	struct log_entry *e = NULL;
	struct session_view v;
	uint64_t process, seq;
	struct unpack u;
	int found = 0;

	if (s == NULL)
		return 0;
	u = (struct unpack){ s->record, s->n, 0 };
	if (offset_read(offset, &process, &seq) == 0)
		e = log_find(&c->log, process, seq);
	if (session_read(&v, &u) == 0 && e != NULL && nsp.n == v.nsp.n &&
	    memcmp(nsp.p, v.nsp.p, nsp.n) == 0) {
		pack_raw(b, s->record, s->n);
		cluster_pack_marks(c, b);
		pack_missed(b, &v, STAILQ_NEXT(e, link));
		found = !b->failed;
	}
	order_free(&v.rooms);
	session_drop(c->recovery, s);
	return found;
}

/* -- looking for one -- */

static void
seeking_free(struct seeking *k)
{
	struct hostd_inst *in = k->c->in;

	(void)in->timer->stop(in->easy.host, k->late);
	LIST_REMOVE(k, link);
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
		    (size_t)(u.p - (const char *)bytes.p) }, now_of(c) +
		    c->in->opt.max_disconnection);
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

	for (k = LIST_FIRST(&c->recovery->seeking); k != NULL; k = next) {
		next = LIST_NEXT(k, link);
		answered(k, process);
	}
}

void
recover_replied(struct cluster *c, struct bus_message *m)
{
	uint64_t id = unpack_u64(&m->body);
	uint32_t found = unpack_u32(&m->body);
	hostd_buf bytes = { m->body.p, m->body.n };
	struct seeking *k;

	LIST_FOREACH(k, &c->recovery->seeking, link)
		if (k->id == id)
			break;
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
	k->id = ++c->recovery->last_id;
	k->socket = s->handle;
	k->waiting = calloc(n + 1, sizeof(*k->waiting));
	if (k->waiting == NULL || in->timer->start(in->easy.host,
	    in->opt.requests_timeout, 0, seeking_late, k, &k->late) !=
	    HOSTD_OK) {
		free(k->waiting);
		free(k);
		return NULL;
	}
	LIST_FOREACH(p, &c->peers, link)
		k->waiting[k->nwaiting++] = p->process;
	LIST_INSERT_HEAD(&c->recovery->seeking, k, link);
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

	if (c->in->opt.max_disconnection == 0)
		return 0;
	pid_new(s);
	if (!hostd_json_plain(hostd_json_get(auth, "pid"), &pid) ||
	    !hostd_json_plain(hostd_json_get(auth, "offset"), &offset) ||
	    pid.n != EIO_ID_LEN || offset.n > RECOVER_OFFSET)
		return 0;
	if (session_find(c, pid) == NULL)
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

int32_t
recover_create(struct cluster *c)
{
	if ((c->recovery = calloc(1, sizeof(*c->recovery))) == NULL)
		return HOSTD_E_NOMEM;
	TAILQ_INIT(&c->recovery->by_age);
	LIST_INIT(&c->recovery->seeking);
	return HOSTD_OK;
}

void
recover_destroy(struct cluster *c)
{
	struct recovery *r = c->recovery;
	struct seeking *k;
	struct session *s;

	if (r == NULL)
		return;
	while ((k = LIST_FIRST(&r->seeking)) != NULL)
		seeking_free(k);
	while ((s = TAILQ_FIRST(&r->by_age)) != NULL)
		session_drop(r, s);
	table_free(&r->sessions);
	free(r);
	c->recovery = NULL;
}
