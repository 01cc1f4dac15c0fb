/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session's record: bytes pid, namespace, id, data, list of rooms.
 */
#include "event.h"
#include "kept.h"
#include "recover.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789-_";

/* One that is kept; its record lies behind it. */
struct session {
	struct table_entry entry;	/* by pid, which lies in the record */
	TAILQ_ENTRY(session) link;
	uint64_t until;
	size_t n;
	char record[];
};

struct kept {
	struct table sessions;
	TAILQ_HEAD(sessions, session) by_end;	/* the first is the next */
	size_t bytes;
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
session_drop(struct kept *k, struct session *s)
{
	table_remove(&k->sessions, &s->entry);
	TAILQ_REMOVE(&k->by_end, s, link);
	k->bytes -= sizeof(*s) + s->n;
	free(s);
}

static void
sessions_trim(struct cluster *c)
{
	struct kept *k = c->kept;
	struct session *s;

	while ((s = TAILQ_FIRST(&k->by_end)) != NULL &&
	    (s->until <= now_of(c) || k->bytes > c->log.max_bytes))
		session_drop(k, s);
}

static struct session *
session_find(struct cluster *c, hostd_buf pid)
{
	struct table_entry *e;

	sessions_trim(c);
	e = table_find(&c->kept->sessions, pid);
	return e == NULL ? NULL : TABLE_OF(e, struct session, entry);
}

int
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

static int
is_session(hostd_buf record)
{
	struct unpack u = { record.p, record.n, 0 };
	struct session_view v;
	int yes = session_read(&v, &u) == 0 && unpack_ok(&u);

	order_free(&v.rooms);
	return yes;
}

/* Only where the time has been made shorter is it not the last. */
static void
session_queue(struct kept *k, struct session *s)
{
	struct session *before = TAILQ_LAST(&k->by_end, sessions);

	while (before != NULL && before->until > s->until)
		before = TAILQ_PREV(before, sessions, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&k->by_end, before, s, link);
	else
		TAILQ_INSERT_HEAD(&k->by_end, s, link);
}

static int
keep_until(struct cluster *c, hostd_buf record, uint64_t until)
{
	struct kept *k = c->kept;
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
		session_drop(k, old);
	if (table_add(&k->sessions, &s->entry) == -1) {
		free(s);
		return -1;
	}
	session_queue(k, s);
	k->bytes += sizeof(*s) + s->n;
	return 0;
}

int
session_keep(struct cluster *c, hostd_buf record)
{
	return keep_until(c, record, now_of(c) + c->in->opt.max_disconnection);
}

int
session_is_here(struct cluster *c, hostd_buf pid)
{
	return session_find(c, pid) != NULL;
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
	struct pack b = { NULL, 0, 0, 0 };

	if (s->pid[0] == '\0' || !is_recoverable(reason))
		return;
	session_pack(&b, s);
	if (!b.failed)
		(void)session_keep(c, pack_buf(&b));
	if (!b.failed && c->in->draining && peer_has_heir(c)) {
		pack_raw(bus_begin(c, BUS_KEPT, c->seq), b.p, b.n);
		(void)bus_send_heir(c);
	}
	pack_free(&b);
}

void
recover_kept(struct cluster *c, struct bus_message *m)
{
	hostd_buf record = { m->body.p, m->body.n };

	if (!c->in->draining && is_session(record))
		(void)session_keep(c, record);
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

int
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
	session_drop(c->kept, s);
	return found;
}

/* -- for a successor -- */

void
recover_save(struct cluster *c, struct pack *b)
{
	struct session *s;
	uint64_t now = now_of(c);
	uint32_t n = 0;

	sessions_trim(c);
	bequest_pack_log(&c->log, b, now);
	TAILQ_FOREACH(s, &c->kept->by_end, link)
		n++;
	pack_u32(b, n);
	TAILQ_FOREACH(s, &c->kept->by_end, link) {
		pack_u64(b, s->until - now);
		pack_bytes(b, (hostd_buf){ s->record, s->n });
	}
}

int
recover_load(struct cluster *c, struct unpack *u)
{
	uint64_t now = now_of(c), left;
	uint32_t n, i;
	hostd_buf record;

	if (bequest_unpack_log(&c->log, u, now) == -1)
		return -1;
	n = unpack_count(u);
	for (i = 0; i < n; i++) {
		left = unpack_u64(u);
		record = unpack_bytes(u);
		if (u->bad || !is_session(record))
			return -1;
		if (left > c->in->opt.max_disconnection)
			left = c->in->opt.max_disconnection;
		(void)keep_until(c, record, now + left);
	}
	return unpack_ok(u) ? 0 : -1;
}

/* -- life -- */

int32_t
kept_create(struct cluster *c)
{
	if ((c->kept = calloc(1, sizeof(*c->kept))) == NULL)
		return HOSTD_E_NOMEM;
	TAILQ_INIT(&c->kept->by_end);
	return HOSTD_OK;
}

void
kept_destroy(struct cluster *c)
{
	struct session *s;

	if (c->kept == NULL)
		return;
	while ((s = TAILQ_FIRST(&c->kept->by_end)) != NULL)
		session_drop(c->kept, s);
	table_free(&c->kept->sessions);
	free(c->kept);
	c->kept = NULL;
}
