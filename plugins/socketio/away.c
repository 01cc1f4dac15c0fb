/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages, each with the namespace and the id of a socket first:
 *
 *	BUS_ACK		the packet: to its client, by who has it
 *	BUS_ANSWER	u64 id of an acknowledgement, reply_pack: to its elders
 *	BUS_ENDED	to them, too
 */
#include "ack.h"
#include "app.h"
#include "away.h"
#include "cluster_inside.h"
#include "engine.h"

/* -- away -- */

int
away_begin(struct sio_socket *s)
{
	struct cluster *c = s->space->in->cluster;

	if (s->acks == NULL && s->owed == 0)
		return -1;
	socket_leave_all(s);
	s->by_id.name = hostd_str(s->id);
	if (table_add(&c->away, &s->by_id) == -1) {
		s->by_id.name.p = NULL;
		return -1;
	}
	held_forget(s);
	app_data_free(s);
	TAILQ_REMOVE(&s->client->sockets, s, of_client);
	s->client->nsockets--;
	s->client = NULL;
	away_look(c->in);
	return 0;
}

static struct sio_socket *
away_find(const struct cluster *c, hostd_buf id)
{
	struct table_entry *e = table_find(&c->away, id);

	return e == NULL ? NULL : TABLE_OF(e, struct sio_socket, by_id);
}

static struct sio_socket *
away_next(const struct cluster *c, const struct sio_socket *s)
{
	struct table_entry *e = table_next(&c->away, s == NULL ? NULL :
	    &s->by_id);

	return e == NULL ? NULL : TABLE_OF(e, struct sio_socket, by_id);
}

static void
away_end(struct cluster *c, struct sio_socket *s)
{
	table_remove(&c->away, &s->by_id);
	s->by_id.name.p = NULL;
	socket_free(s);
}

/* Who has called may be in the middle of its acknowledgements. */
static void
end_later(struct hostd_inst *in, void *arg)
{
	away_end(in->cluster, arg);
	away_look(in);
}

void
away_settle(struct sio_socket *s)
{
	const struct hostd_host *host = s->space->in->easy.host;

	if (!is_away(s) || s->is_settled || s->acks != NULL || s->owed != 0)
		return;
	s->is_settled = host->post(host, end_later, s) == HOSTD_OK;
}

int
away_is_owing(const struct cluster *c)
{
	return c->away.n > 0 || c->asks.n > 0 || !LIST_EMPTY(&c->answering);
}

void
away_look(struct hostd_inst *in)
{
	struct cluster *c = in->cluster;

	if (!in->draining || in->is_ending)
		return;
	cluster_leave(in);
	if (in->worker != NULL && HOSTD_HAS(in->worker, stay))
		(void)in->worker->stay(in->easy.host, away_is_owing(c));
}

static void
on_deadline(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct sio_socket *s = NULL;

	(void)t;
	(void)arg;
	while ((s = away_next(in->cluster, s)) != NULL) {
		acks_gone(s);
		away_settle(s);
	}
}

/* Some handlers never acknowledge: a worker does not stay for them as long as
 * it may.  A little before the end, so that handlers hear of it. */
void
away_drain(struct hostd_inst *in, uint32_t deadline_ms)
{
	uint32_t ms = in->opt.requests_timeout, most = deadline_ms -
	    deadline_ms / 8;
	hostd_timer timer;

	if (deadline_ms > 0 && ms > most)
		ms = most;
	(void)in->timer->start(in->easy.host, ms, 0, on_deadline, NULL,
	    &timer);
	away_look(in);
}

void
away_destroy(struct cluster *c)
{
	struct sio_socket *s, *next;

	for (s = away_next(c, NULL); s != NULL; s = next) {
		next = away_next(c, s);
		away_end(c, s);
	}
	table_free(&c->away);
}

/* -- elders -- */

static void
add_elder(struct cluster *c, uint64_t process)
{
	uint32_t i;

	for (i = 0; i < c->nelders; i++)
		if (c->elders[i] == process)
			return;
	if (process == c->process)
		return;
	/* The oldest has ended most likely. */
	if (c->nelders == ELDERS_MAX)
		memmove(c->elders, c->elders + 1, --c->nelders *
		    sizeof(c->elders[0]));
	c->elders[c->nelders++] = process;
}

void
away_forget(struct cluster *c, uint64_t process)
{
	uint32_t i, n = 0;

	for (i = 0; i < c->nelders; i++)
		if (c->elders[i] != process)
			c->elders[n++] = c->elders[i];
	c->nelders = n;
}

void
away_pack_elders(const struct cluster *c, struct pack *b)
{
	uint32_t i;

	pack_u32(b, c->nelders + 1);
	for (i = 0; i < c->nelders; i++)
		pack_u64(b, c->elders[i]);
	pack_u64(b, c->process);
}

int
away_unpack_elders(struct cluster *c, struct unpack *u)
{
	uint32_t n = unpack_count(u);
	uint64_t process;

	while (n-- > 0) {
		process = unpack_u64(u);
		if (!u->bad)
			add_elder(c, process);
	}
	return u->bad ? -1 : 0;
}

/* -- going -- */

static struct pack *
begin(const struct sio_socket *s, enum bus_type type)
{
	struct cluster *c = s->space->in->cluster;
	struct pack *b = bus_begin(c, type, c->seq);

	pack_bytes(b, space_name(s->space));
	pack_bytes(b, hostd_str(s->id));
	return b;
}

static void
tell_elders(struct cluster *c)
{
	uint32_t i;

	for (i = 0; i < c->nelders; i++)
		(void)bus_send(c, c->elders[i]);
}

/* Who has it now may not have our place. */
int32_t
away_send(const struct sio_socket *s, struct eio_message *m)
{
	if (m == NULL)
		return HOSTD_E_NOMEM;
	order_pack_packet(begin(s, BUS_ACK), m->text, m->bins, m->nbins);
	eio_message_unref(m);
	return bus_tell(s->space->in->cluster);
}

void
away_answered(const struct sio_socket *s, uint64_t id,
    const struct hostd_sio_args *args)
{
	struct cluster *c = s->space->in->cluster;
	struct pack *b;

	if (c->nelders == 0)
		return;
	b = begin(s, BUS_ANSWER);
	pack_u64(b, id);
	reply_pack(b, &(struct hostd_sio_reply){ .struct_size =
	    sizeof(struct hostd_sio_reply), .args = args });
	tell_elders(c);
}

void
away_ended(const struct sio_socket *s)
{
	struct cluster *c = s->space->in->cluster;

	if (c->nelders == 0)
		return;
	(void)begin(s, BUS_ENDED);
	tell_elders(c);
}

/* -- coming -- */

/* The one that is here, with or without its client; NULL: none. */
static struct sio_socket *
meant(struct cluster *c, struct bus_message *m)
{
	const struct space *sp = space_find(c->in, unpack_bytes(&m->body));
	hostd_buf id = unpack_bytes(&m->body);
	struct sio_socket *s;

	if (m->body.bad || sp == NULL)
		return NULL;
	s = socket_find(sp, id);
	return s != NULL ? s : away_find(c, id);
}

void
away_send_came(struct cluster *c, struct bus_message *m)
{
	struct sio_socket *s = meant(c, m);
	struct order o = { .nlists = 0 };
	struct eio_message *msg;

	if (s == NULL || is_away(s))
		return;
	if (order_read_packet(&o, &m->body) == 0 && (msg =
	    eio_message_raw(o.text, o.bins, o.nbins)) != NULL) {
		(void)eio_send(s->client->eio, msg, 0);
		eio_message_unref(msg);
	}
	order_free(&o);
}

void
away_answer_came(struct cluster *c, struct bus_message *m)
{
	struct sio_socket *s = meant(c, m);
	uint64_t id = unpack_u64(&m->body);
	struct reply p;

	if (s == NULL)
		return;
	if (reply_read(&p, &m->body) == 0 && p.r.args != NULL) {
		(void)ack_came(s, id, p.r.args);
		away_settle(s);
	}
	reply_free(&p);
}

void
away_end_came(struct cluster *c, struct bus_message *m)
{
	struct sio_socket *s = meant(c, m);

	if (s == NULL || !is_away(s))
		return;
	acks_gone(s);
	away_settle(s);
}
