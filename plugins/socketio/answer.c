/* SPDX-License-Identifier: BSD-2-Clause */
/* What this worker answers to questions, its own and others'. */
#include "ack.h"
#include "app.h"
#include "away.h"
#include "cluster_inside.h"
#include "event.h"
#include "handshake.h"
#include "metrics.h"

#define ROOMS_FEW 64

typedef void (*reply_fn)(struct hostd_inst *, void *,
    const struct hostd_sio_reply *);

static void
say(struct hostd_inst *in, reply_fn fn, void *arg, struct hostd_sio_reply r)
{
	r.struct_size = sizeof(r);
	fn(in, arg, &r);
}

static void
say_last(struct hostd_inst *in, reply_fn fn, void *arg)
{
	say(in, fn, arg, (struct hostd_sio_reply){ .flags = HOSTD_SIO_LAST });
}

/* -- sockets -- */

/* Where the texts of one socket end in the JSON of all. */
struct ends {
	size_t rooms, handshake;
};

static void
write_rooms(struct hostd_json *j, const struct sio_socket *s)
{
	hostd_buf few[ROOMS_FEW], *v = few;
	uint32_t n = socket_rooms(s, few, ROOMS_FEW), i;

	if (n > ROOMS_FEW && (v = calloc(n, sizeof(*v))) == NULL) {
		j->failed = 1;
		return;
	}
	if (n > ROOMS_FEW)
		n = socket_rooms(s, v, n);
	hostd_json_begin(j, '[');
	for (i = 0; i < n; i++)
		hostd_json_strn(j, v[i]);
	hostd_json_end(j, ']');
	if (v != few)
		free(v);
}

static void
say_sockets(struct hostd_inst *in, struct sio_socket **v, uint32_t n,
    struct hostd_sio_remote *r, struct ends *ends, reply_fn fn, void *arg)
{
	struct hostd_json j = { NULL, 0, 0, 0 };
	size_t at = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		write_rooms(&j, v[i]);
		ends[i].rooms = j.n;
		handshake_write(&j, eio_handshake(v[i]->client->eio),
		    v[i]->auth);
		ends[i].handshake = j.n;
	}
	for (i = 0; i < n && !j.failed; i++) {
		r[i].struct_size = sizeof(r[i]);
		r[i].id = hostd_str(v[i]->id);
		r[i].data = v[i]->data.n > 0 ? v[i]->data : hostd_str("{}");
		/* What is behind a value has a comma before it. */
		at += j.p[at] == ',';
		r[i].rooms = (hostd_buf){ j.p + at, ends[i].rooms - at };
		at = ends[i].rooms;
		at += j.p[at] == ',';
		r[i].handshake = (hostd_buf){ j.p + at,
		    ends[i].handshake - at };
		at = ends[i].handshake;
	}
	say(in, fn, arg, (struct hostd_sio_reply){ .flags = HOSTD_SIO_LAST,
	    .sockets = r, .nsockets = j.failed ? 0 : n });
	hostd_json_free(&j);
}

static void
answer_sockets(struct hostd_inst *in, struct space *sp,
    const struct hostd_sio_to *to, reply_fn fn, void *arg)
{
	struct sio_socket **v;
	int64_t n = space_select(sp, to, &v);
	struct hostd_sio_remote *r;
	struct ends *ends;

	if (n <= 0) {
		say_last(in, fn, arg);
		return;
	}
	r = calloc((size_t)n, sizeof(*r));
	ends = calloc((size_t)n, sizeof(*ends));
	if (r == NULL || ends == NULL)
		say_last(in, fn, arg);
	else
		say_sockets(in, v, (uint32_t)n, r, ends, fn, arg);
	free(r);
	free(ends);
}

/* -- rooms -- */

static void
answer_rooms(struct hostd_inst *in, const struct space *sp, reply_fn fn,
    void *arg)
{
	struct hostd_json j = { NULL, 0, 0, 0 };
	struct room *r;
	uint32_t i;

	hostd_json_begin(&j, '[');
	for (r = room_next(sp, NULL); r != NULL; r = room_next(sp, r))
		hostd_json_strn(&j, r->entry.name);
	/* Those of ids, of which few have a struct room. */
	for (i = 0; i < sp->n; i++)
		if (sp->sockets[i]->is_in_own && table_find(&sp->rooms,
		    hostd_str(sp->sockets[i]->id)) == NULL)
			hostd_json_str(&j, sp->sockets[i]->id);
	hostd_json_end(&j, ']');
	say(in, fn, arg, (struct hostd_sio_reply){ .flags = HOSTD_SIO_LAST,
	    .rooms = hostd_json_done(&j) });
	hostd_json_free(&j);
}

/* -- handlers and clients: they answer later -- */

struct answering {
	LIST_ENTRY(answering) link;
	reply_fn fn;
	void *arg;
	uint32_t left;			/* clients that have not */
	hostd_sio_ack ack;		/* of the handler */
	hostd_timer late;
};

static struct answering *
answering_new(struct cluster *c, reply_fn fn, void *arg)
{
	struct answering *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->fn = fn;
	a->arg = arg;
	LIST_INSERT_HEAD(&c->answering, a, link);
	return a;
}

static void
answering_end(struct hostd_inst *in, struct answering *a,
    const struct hostd_sio_args *args)
{
	reply_fn fn = a->fn;
	void *arg = a->arg;

	(void)in->timer->stop(in->easy.host, a->late);
	LIST_REMOVE(a, link);
	free(a);
	say(in, fn, arg, (struct hostd_sio_reply){ .flags = HOSTD_SIO_LAST,
	    .args = args });
	away_look(in);
}

static void
handler_said(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_args *args)
{
	answering_end(in, arg, status == HOSTD_OK ? args : NULL);
}

static void
handler_late(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct answering *a = arg;

	(void)t;
	ack_cancel(in, a->ack);
	answering_end(in, a, NULL);
}

static void
answer_server(struct hostd_inst *in, const struct hostd_sio_question *q,
    reply_fn fn, void *arg)
{
	struct answering *a = answering_new(in->cluster, fn, arg);

	if (a == NULL) {
		say_last(in, fn, arg);
		return;
	}
	a->ack = ack_owe_other(in, handler_said, a);
	if (a->ack.id == 0 || in->timer->start(in->easy.host, q->timeout_ms, 0,
	    handler_late, a, &a->late) != HOSTD_OK) {
		ack_cancel(in, a->ack);
		answering_end(in, a, NULL);
		return;
	}
	apps_server_event(in, q->to->nsp, q->name, q->args, a->ack);
}

static void
client_said(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_args *args)
{
	struct answering *a = arg;

	if (--a->left == 0)
		answering_end(in, a, status == HOSTD_OK ? args : NULL);
	else if (status == HOSTD_OK)
		say(in, a->fn, a->arg, (struct hostd_sio_reply){
		    .args = args });
}

static uint32_t
ask_each(struct sio_socket **v, int64_t n,
    const struct hostd_sio_question *q, struct answering *a, uint64_t id,
    struct eio_message *m)
{
	uint32_t asked = 0;
	int64_t i;

	for (i = 0; i < n; i++) {
		if (ack_expect(v[i], id, q->timeout_ms, client_said, a) !=
		    HOSTD_OK)
			continue;
		if (eio_send(v[i]->client->eio, m, q->to->flags &
		    (HOSTD_SIO_VOLATILE | HOSTD_SIO_PLAIN)) >= 0)
			asked++;
		else
			ack_unexpect(v[i], id);
	}
	if (n > 0)
		metrics_count(v[0]->space->in, v[0]->space->metrics,
		    METRICS_SENT, asked);
	return asked;
}

static void
answer_clients(struct hostd_inst *in, struct space *sp,
    const struct hostd_sio_question *q, reply_fn fn, void *arg)
{
	uint64_t id = sp->next_ack++;
	struct eio_message *m = event_message(q->to->nsp, &id, q->name,
	    q->args, NULL);
	struct answering *a = answering_new(in->cluster, fn, arg);
	struct sio_socket **v;
	int64_t n = m == NULL || a == NULL ? 0 : space_select(sp, q->to, &v);

	if (n > 0)
		a->left = ask_each(v, n, q, a, id, m);
	if (m != NULL)
		eio_message_unref(m);
	if (a == NULL)
		say_last(in, fn, arg);
	else if (a->left == 0)
		answering_end(in, a, NULL);
	else
		say(in, fn, arg, (struct hostd_sio_reply){
		    .clients = a->left });
}

void
cluster_answer_here(struct hostd_inst *in, const struct hostd_sio_question *q,
    reply_fn fn, void *arg)
{
	struct space *sp = space_find(in, q->to->nsp);

	if (sp == NULL)
		say_last(in, fn, arg);
	else if (q->type == HOSTD_SIO_ASK_SOCKETS)
		answer_sockets(in, sp, q->to, fn, arg);
	else if (q->type == HOSTD_SIO_ASK_ROOMS)
		answer_rooms(in, sp, fn, arg);
	else if (q->type == HOSTD_SIO_ASK_SERVERS)
		answer_server(in, q, fn, arg);
	else
		answer_clients(in, sp, q, fn, arg);
}

void
answers_destroy(struct cluster *c)
{
	struct answering *a;

	while ((a = LIST_FIRST(&c->answering)) != NULL)
		answering_end(c->in, a, NULL);
}

/* -- questions of other workers -- */

struct bus_asked {
	uint64_t process, id;
};

static void
on_answer(struct hostd_inst *in, void *arg, const struct hostd_sio_reply *r)
{
	struct cluster *c = in->cluster;
	struct bus_asked *to = arg;
	struct pack *b = bus_begin(c, BUS_REPLY, c->seq);

	pack_u64(b, to->id);
	reply_pack(b, r);
	(void)bus_send(c, to->process);
	if ((r->flags & HOSTD_SIO_LAST) != 0)
		free(to);
}

void
ask_came(struct cluster *c, struct bus_message *m)
{
	uint64_t id = unpack_u64(&m->body);
	struct hostd_sio_question q;
	struct bus_asked *to;
	struct order lists;

	if (question_read(&q, &lists, &m->body) == 0 &&
	    (to = malloc(sizeof(*to))) != NULL) {
		to->process = m->process;
		to->id = id;
		cluster_answer_here(c->in, &q, on_answer, to);
	}
	order_free(&lists);
}
