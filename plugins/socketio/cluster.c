/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Orders: carried out here, told to the others, and kept in the log for sockets
 * that come later but should have had them.
 */
#include <sys/random.h>
#include <stddef.h>
#include "app.h"
#include "away.h"
#include "cluster_inside.h"
#include "event.h"
#include "kept.h"
#include "metrics.h"
#include "recover.h"

#define LOG_MS	30000		/* without recovery: who comes from the worker
				   before us has come by then, or it is there */
#define LOG_AGE_MS 10000
#define SLOTS	0xfffu

static uint64_t
now_of(const struct cluster *c)
{
	return c->in->easy.host->now_ms(c->in->easy.host);
}

/* -- the log -- */

int
cluster_is_logging(const struct cluster *c)
{
	return c->in->opt.max_disconnection > 0 || now_of(c) < c->log_until ||
	    !TAILQ_EMPTY(&c->held) || peer_elder(c) != NULL;
}

void
cluster_log(struct cluster *c, uint64_t process, uint64_t seq, hostd_buf head,
    struct eio_message *m)
{
	uint64_t now = now_of(c), age = c->in->opt.max_disconnection;

	if (!cluster_is_logging(c)) {
		log_trim(&c->log, now);
		(void)marks_raise(&c->log.dropped, process, seq, now);
		return;
	}
	if (age < LOG_AGE_MS)
		age = LOG_AGE_MS;
	if (now > age)
		log_trim(&c->log, now - age);
	(void)log_add(&c->log, process, seq, head, m, now);
}

/* -- carrying out -- */

int
order_means(const struct hostd_sio_to *to, const struct sio_socket *s)
{
	uint32_t i;

	if (to->nsp.n != space_name(s->space).n ||
	    memcmp(to->nsp.p, space_name(s->space).p, to->nsp.n) != 0)
		return 0;
	for (i = 0; i < to->nexcept; i++)
		if (socket_is_in(s, to->except[i]))
			return 0;
	for (i = 0; i < to->nrooms; i++)
		if (socket_is_in(s, to->rooms[i]))
			return 1;
	return to->nrooms == 0;
}

static void
do_socket(const struct hostd_sio_order *o, struct sio_socket *s,
    struct eio_message *m)
{
	uint32_t i;

	if (s->state != SOCKET_CONNECTED || s->client == NULL)
		return;
	switch (o->type) {
	case HOSTD_SIO_BROADCAST:
		(void)eio_send(s->client->eio, m, EIO_BROADCAST |
		    (o->to->flags & (HOSTD_SIO_VOLATILE | HOSTD_SIO_PLAIN)));
		metrics_count(s->space->in, s->space->metrics, METRICS_SENT, 1);
		break;
	case HOSTD_SIO_JOIN:
		for (i = 0; i < o->nrooms; i++)
			(void)socket_join(s, o->rooms[i]);
		break;
	case HOSTD_SIO_LEAVE:
		for (i = 0; i < o->nrooms; i++)
			socket_leave(s, o->rooms[i]);
		break;
	case HOSTD_SIO_DISCONNECT:
		client_disconnect(s, o->close);
		break;
	default:
		break;
	}
}

static void
do_each(struct space *sp, const struct hostd_sio_order *o,
    struct eio_message *m, uint64_t process, uint64_t seq)
{
	struct sio_socket **v;
	int64_t n = space_select(sp, o->to, &v), i;

	for (i = 0; i < n; i++)
		if (!held_excludes(v[i], process, seq))
			do_socket(o, v[i], m);
}

static void
order_do(struct cluster *c, const struct hostd_sio_order *o,
    struct eio_message *m, uint64_t process, uint64_t seq)
{
	hostd_sio_ack nobody = { 0 };
	struct space *sp;

	if (o->type == HOSTD_SIO_SERVER_EVENT) {
		apps_server_event(c->in, o->to->nsp, o->name, o->args, nobody);
		return;
	}
	if ((sp = space_find(c->in, o->to->nsp)) == NULL)
		return;
	if (o->type == HOSTD_SIO_BROADCAST && TAILQ_EMPTY(&c->held))
		(void)space_send(sp, o->to, m);
	else
		do_each(sp, o, m, process, seq);
}

struct eio_message *
cluster_message(struct cluster *c, const struct hostd_sio_order *o,
    uint64_t process, uint64_t seq)
{
	char room[RECOVER_OFFSET];
	hostd_buf offset;

	if (c->in->opt.max_disconnection == 0 ||
	    (o->to->flags & HOSTD_SIO_VOLATILE) != 0)
		return event_message(o->to->nsp, NULL, o->name, o->args, NULL);
	offset = recover_offset(room, process, seq);
	return event_message(o->to->nsp, NULL, o->name, o->args, &offset);
}

void
cluster_repeat(const struct log_entry *e, struct sio_socket *s)
{
	struct unpack u = { e->head, e->nhead, 0 };
	struct order o;

	if (order_read_head(&o, &u) == 0 && order_means(&o.to, s))
		do_socket(&o.o, s, e->message);
	order_free(&o);
}

hostd_buf
cluster_text(const struct eio_message *m)
{
	return (hostd_buf){ (const char *)m->text.p + 1, m->text.n - 1 };
}

void
cluster_pack_marks(const struct cluster *c, struct pack *b)
{
	pack_u32(b, c->heard.n + 2);
	pack_u64(b, c->process);
	pack_u64(b, c->seq);
	pack_u64(b, c->foreign);
	pack_u64(b, c->line_seq);
	marks_pack_all(b, &c->heard);
}

/* -- what we say -- */

/* Its head is in the scratch, and all of it if others are told; NULL: no
 * memory. */
static hostd_buf
order_pack(struct cluster *c, const struct hostd_sio_order *o,
    const struct eio_message *m, int is_told)
{
	struct pack *b = bus_begin(c, BUS_ORDER, c->seq);
	size_t at = b->n, n;

	order_pack_head(b, o);
	n = b->n - at;
	if (is_told && m != NULL)
		order_pack_packet(b, cluster_text(m), m->bins, m->nbins);
	else if (is_told && o->type == HOSTD_SIO_SERVER_EVENT)
		order_pack_event(b, o->name, o->args);
	return b->failed ? (hostd_buf){ NULL, 0 } :
	    (hostd_buf){ b->p + at, n };
}

static int32_t
tell_others(struct cluster *c, const struct hostd_sio_order *o, int by_bus)
{
	struct adapter *a = adapter_up(c);
	int32_t rc = by_bus ? bus_tell(c) : HOSTD_OK, by = HOSTD_OK;

	if (a != NULL)
		by = adapter_tell(a, o);
	return rc < 0 ? rc : by < 0 ? by : rc > by ? rc : by;
}

int32_t
cluster_tell(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	struct cluster *c = in->cluster;
	uint64_t seq = ++c->seq;
	int is_local = (o->to->flags & HOSTD_SIO_LOCAL) != 0;
	int by_bus = !is_local && bus_has_others(c);
	struct eio_message *m = NULL;
	int32_t rc = HOSTD_OK;
	hostd_buf head;

	if (o->type == HOSTD_SIO_BROADCAST &&
	    (m = cluster_message(c, o, c->process, seq)) == NULL)
		return HOSTD_E_NOMEM;
	head = order_pack(c, o, m, by_bus);
	if (by_bus && c->out.n > BUS_MAX) {
		c->seq--;
		if (m != NULL)
			eio_message_unref(m);
		return HOSTD_E_INVAL;
	}
	if (head.p != NULL && o->type != HOSTD_SIO_SERVER_EVENT)
		cluster_log(c, c->process, seq, head, m);
	/* The others first: what is done here may use the scratch. */
	if (!is_local)
		rc = head.p == NULL ? HOSTD_E_NOMEM : tell_others(c, o, by_bus);
	if (o->type != HOSTD_SIO_SERVER_EVENT)
		order_do(c, o, m, c->process, seq);
	if (m != NULL)
		eio_message_unref(m);
	return rc;
}

/* -- what others say -- */

int
cluster_is_here(const struct cluster *c, uint64_t node)
{
	return c->node == 0 || node == c->node;
}

/* For who comes later, and for a worker that has heard it, too. */
static void
keep_foreign(struct cluster *c, const struct hostd_sio_order *o,
    struct eio_message *m, uint64_t seq)
{
	uint64_t id = o->struct_size >= offsetof(struct hostd_sio_order, id) +
	    sizeof(o->id) ? o->id : 0;
	hostd_buf head;

	if (cluster_is_logging(c)) {
		head = order_pack(c, o, NULL, 0);
		if (head.p != NULL)
			cluster_log(c, c->foreign, seq, head, m);
	}
	if (id != 0)
		lines_heard(c, seq, id);
}

void
cluster_do(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	struct cluster *c = in->cluster;
	struct eio_message *m = NULL;
	uint64_t seq = ++c->seq;

	if (o->type == HOSTD_SIO_BROADCAST &&
	    (m = cluster_message(c, o, c->foreign, seq)) == NULL)
		return;
	if (o->type != HOSTD_SIO_SERVER_EVENT)
		keep_foreign(c, o, m, seq);
	order_do(c, o, m, c->foreign, seq);
	if (m != NULL)
		eio_message_unref(m);
	if (!TAILQ_EMPTY(&c->held))
		held_look(c);
}

static void
order_came(struct cluster *c, struct order *o, hostd_buf head,
    const struct bus_message *from)
{
	struct eio_message *m = NULL;

	if (o->o.type == HOSTD_SIO_BROADCAST) {
		m = eio_message_new(&o->text, 1, o->bins, o->nbins);
		if (m == NULL)
			return;
	}
	if (o->o.type != HOSTD_SIO_SERVER_EVENT)
		cluster_log(c, from->process, from->seq, head, m);
	order_do(c, &o->o, m, from->process, from->seq);
	if (m != NULL)
		eio_message_unref(m);
}

void
cluster_order_came(struct cluster *c, struct bus_message *m)
{
	struct unpack whole = m->body, rest = m->body;
	struct order o, head;

	/* The adapter brings those. */
	if (!cluster_is_here(c, m->node) && adapter_up(c) != NULL)
		return;
	if (order_read_head(&head, &rest) == 0 &&
	    order_read(&o, &whole) == 0)
		order_came(c, &o, (hostd_buf){ m->body.p,
		    (size_t)(rest.p - m->body.p) }, m);
	order_free(&head);
	order_free(&o);
}

/* -- life -- */

/* A slot is of its pool. */
static uint32_t
slot_of(const struct hostd_worker_info *w)
{
	uint32_t h = 2166136261u;
	const char *p;

	for (p = w->pool; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return (h & ~SLOTS) | (w->slot & SLOTS);
}

static int32_t
fill(struct cluster *c, const struct hostd_conf *conf)
{
	const struct hostd_worker_info *w;
	int64_t size = 0;
	hostd_buf address = { NULL, 0 };

	if (getrandom(&c->process, sizeof(c->process), 0) !=
	    (ssize_t)sizeof(c->process))
		return HOSTD_E_IO;
	c->process &= ~(uint64_t)1;
	c->foreign = c->process + 1;
	c->workers = 2;
	if (c->in->worker != NULL && HOSTD_HAS(c->in->worker, self) &&
	    (w = c->in->worker->self(c->in->easy.host)) != NULL) {
		c->slot = slot_of(w);
		c->workers = w->workers;
		c->node = w->node;
	}
	(void)conf->get_int(conf, "recovery_buffer", &size);
	(void)conf->get_str(conf, "internal_address", &address);
	log_init(&c->log, (size_t)size);
	c->started_ms = now_of(c);
	c->elder_ms = c->started_ms;
	c->log_until = c->started_ms + LOG_MS;
	c->address = strdup(address.p == NULL ? "" : address.p);
	return c->address == NULL ? HOSTD_E_NOMEM : HOSTD_OK;
}

int32_t
cluster_create(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	struct cluster *c = calloc(1, sizeof(*c));
	int32_t rc;

	if (c == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	c->in = in;
	in->cluster = c;
	LIST_INIT(&c->peers);
	LIST_INIT(&c->adapters);
	LIST_INIT(&c->answering);
	LIST_INIT(&c->lines);
	TAILQ_INIT(&c->held);
	log_init(&c->log, 0);
	rc = fill(c, conf);
	if (rc == HOSTD_OK)
		rc = bus_create(c);
	if (rc == HOSTD_OK)
		rc = kept_create(c);
	return rc == HOSTD_OK ? rc : hostd_fail(err, rc,
	    "the bus to the other workers can't be had");
}

int32_t
cluster_start(struct hostd_inst *in)
{
	peers_start(in->cluster);
	adapters_start(in->cluster);
	eio_expect(in, peer_elder(in->cluster) != NULL);
	return HOSTD_OK;
}

void
cluster_destroy(struct hostd_inst *in)
{
	struct cluster *c = in->cluster;

	if (c == NULL)
		return;
	away_destroy(c);
	c->is_ending = 1;
	adapters_destroy(c);
	asks_destroy(c);
	answers_destroy(c);
	held_destroy(c);
	lines_destroy(c);
	coming_destroy(c);
	recover_destroy(c);
	kept_destroy(c);
	peers_destroy(c);
	log_free(&c->log);
	marks_free(&c->heard);
	pack_free(&c->out);
	free(c->address);
	free(c);
	in->cluster = NULL;
}
