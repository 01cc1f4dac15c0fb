/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <hostd/json_write.h>
#include "ack.h"
#include "app.h"
#include "away.h"
#include "cluster.h"
#include "event.h"
#include "handshake.h"
#include "metrics.h"
#include "old_packet.h"
#include "partial.h"
#include "recover.h"
#include "reply.h"
#include "user.h"

#define VALUES_KEPT	4096
#define VALUES_KNOWN	8

struct clients {
	TAILQ_HEAD(, client) fresh;	/* they all wait equally long */
	uint32_t nfresh;
	TAILQ_HEAD(, sio_socket) ending;
	struct sio_values values;	/* of the packet that is at hand */
	int is_telling;			/* handlers of it */
	hostd_timer timer;
	int is_armed, is_posted;
	uint32_t turn;			/* those in which a socket was accepted
					   or has ended are counted */
};

int32_t
clients_create(struct hostd_inst *in)
{
	if ((in->clients = calloc(1, sizeof(*in->clients))) == NULL)
		return HOSTD_E_NOMEM;
	TAILQ_INIT(&in->clients->fresh);
	TAILQ_INIT(&in->clients->ending);
	in->clients->turn = 1;
	return HOSTD_OK;
}

void
clients_destroy(struct hostd_inst *in)
{
	if (in->clients == NULL)
		return;
	sio_values_free(&in->clients->values);
	free(in->clients);
	in->clients = NULL;
}

/* -- sockets go -- */

/* Its handlers are told, then there is nothing of it any more. */
static void
socket_end(struct sio_socket *s)
{
	if (s->was_connected) {
		metrics_disconnected(s->space->in, s->space->metrics,
		    s->reason);
		recover_keep(s, s->reason);
	}
	away_ended(s);
	apps_disconnecting(s, s->reason);
	socket_leave_all(s);
	acks_gone(s);
	apps_disconnected(s, s->reason);
	socket_free(s);
}

static void
end_of_turn(struct hostd_inst *in, void *arg)
{
	struct clients *all = in->clients;
	struct sio_socket *s;

	(void)arg;
	all->turn++;
	all->is_posted = 0;
	while ((s = TAILQ_FIRST(&all->ending)) != NULL) {
		TAILQ_REMOVE(&all->ending, s, ending);
		socket_end(s);
	}
}

static void
post(struct hostd_inst *in)
{
	const struct hostd_host *h = in->easy.host;

	if (!in->clients->is_posted)
		in->clients->is_posted = h->post(h, end_of_turn, NULL) ==
		    HOSTD_OK;
}

/* It ends with this turn. */
static void
socket_go(struct sio_socket *s, int32_t reason)
{
	struct hostd_inst *in = s->space->in;

	if (s->state == SOCKET_GONE)
		return;
	s->state = SOCKET_GONE;
	s->reason = (uint8_t)reason;
	TAILQ_INSERT_TAIL(&in->clients->ending, s, ending);
	post(in);
}

/* -- come and go -- */

static void	arm(struct hostd_inst *);

static void
client_is_old(struct client *c)
{
	struct clients *all = c->in->clients;

	if (!c->is_fresh)
		return;
	TAILQ_REMOVE(&all->fresh, c, fresh);
	all->nfresh--;
	c->is_fresh = 0;
}

/* It has waited for a namespace for as long as it may. */
static void
send_away(struct client *c, const char *why)
{
	eio_log(c->eio, "it is closed: no namespace has accepted it, ", why);
	client_is_old(c);
	eio_end(c->eio, HOSTD_SIO_FORCED_CLOSE);
}

/* Milliseconds until its time is up; below 1: it is. */
static int32_t
time_left(const struct client *c)
{
	const struct hostd_host *h = c->in->easy.host;

	return (int32_t)(c->connect_by - (uint32_t)h->now_ms(h));
}

static void
on_time(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct clients *all = in->clients;
	struct client *c;

	(void)t;
	(void)arg;
	all->is_armed = 0;
	while ((c = TAILQ_FIRST(&all->fresh)) != NULL && time_left(c) <= 0)
		send_away(c, "in connect_timeout");
	arm(in);
}

/* The timer is for the first; it may come too early, but not too late. */
static void
arm(struct hostd_inst *in)
{
	const struct hostd_host *h = in->easy.host;
	struct clients *all = in->clients;
	struct client *c = TAILQ_FIRST(&all->fresh);
	int32_t left;

	if (c == NULL || all->is_armed)
		return;
	left = time_left(c);
	all->is_armed = in->timer->start(h, left > 0 ? (uint64_t)left : 0, 0,
	    on_time, NULL, &all->timer) == HOSTD_OK;
}

struct client *
client_new(struct hostd_inst *in, struct eio *eio)
{
	struct client *c = calloc(1, sizeof(*c));
	struct clients *all = in->clients;

	if (c == NULL)
		return NULL;
	/* Who means it is faster than a flood. */
	if (all->nfresh >= in->opt.max_handshakes)
		send_away(TAILQ_FIRST(&all->fresh), "and there are more of "
		    "those than max_handshakes");
	c->in = in;
	c->eio = eio;
	c->revision = (uint8_t)eio_revision(eio);
	TAILQ_INIT(&c->sockets);
	c->connect_by = (uint32_t)in->easy.host->now_ms(in->easy.host) +
	    in->opt.connect_timeout;
	TAILQ_INSERT_TAIL(&all->fresh, c, fresh);
	all->nfresh++;
	c->is_fresh = 1;
	arm(in);
	return c;
}

void
client_gone(struct client *c, int32_t reason)
{
	struct hostd_inst *in = c->in;
	struct sio_socket *s;

	client_is_old(c);
	partial_free(c->partial);
	while ((s = TAILQ_FIRST(&c->sockets)) != NULL) {
		if (s->state == SOCKET_GONE)
			TAILQ_REMOVE(&c->in->clients->ending, s, ending);
		else {
			s->state = SOCKET_GONE;
			s->reason = (uint8_t)reason;
		}
		socket_end(s);
	}
	free(c);
	cluster_leave(in);
}

void
client_was_accepted(struct client *c)
{
	c->was_accepted = 1;
	client_is_old(c);
}

void
client_moved(struct client *c)
{
	struct sio_socket *s;

	client_is_old(c);
	partial_free(c->partial);
	while ((s = TAILQ_FIRST(&c->sockets)) != NULL) {
		if (s->state == SOCKET_GONE) {
			TAILQ_REMOVE(&c->in->clients->ending, s, ending);
			socket_end(s);
			continue;
		}
		if (s->state == SOCKET_CONNECTING)
			apps_disconnected(s, HOSTD_SIO_TRANSPORT_CLOSE);
		/* Who is told that an answer will not come can't ask again. */
		s->state = SOCKET_GONE;
		if (away_begin(s) == -1)
			socket_free(s);
	}
	free(c);
}

/* -- connecting -- */

struct sio_socket *
client_socket(const struct client *c, hostd_buf nsp)
{
	struct sio_socket *s;
	hostd_buf name;

	TAILQ_FOREACH(s, &c->sockets, of_client) {
		name = space_name(s->space);
		if (s->state == SOCKET_CONNECTED && name.n == nsp.n &&
		    memcmp(name.p, nsp.p, nsp.n) == 0)
			return s;
	}
	return NULL;
}

void
client_accepted(struct sio_socket *s)
{
	static const hostd_buf none = { NULL, 0 };
	struct client *c = s->client;

	if (s->state != SOCKET_CONNECTING)
		return;
	/* Asked for twice before it was accepted: the first one is it. */
	if (client_socket(c, space_name(s->space)) != NULL) {
		socket_go(s, HOSTD_SIO_SERVER_DISCONNECT);
		return;
	}
	if (socket_enter(s) == -1) {
		client_refused(s, hostd_str("Internal error"), none);
		return;
	}
	metrics_count(c->in, s->space->metrics, METRICS_CONNECTED, 1);
	client_was_accepted(c);
	c->turn = c->in->clients->turn;
	post(c->in);
	recover_enter(s);
	reply_accepted(s);
	apps_connected(s, s->recovered);
}

void
client_refused(struct sio_socket *s, hostd_buf message, hostd_buf data)
{
	if (s->state == SOCKET_GONE)
		return;
	metrics_count(s->space->in, s->space->metrics, METRICS_REFUSED, 1);
	reply_refused(s->client, space_name(s->space), message, data, 0);
	socket_go(s, HOSTD_SIO_SERVER_DISCONNECT);
}

void
client_recovered(struct sio_socket *s, int found)
{
	if (found && s->space->in->opt.skip_middlewares)
		client_accepted(s);
	else
		apps_connect(s);
}

void
client_disconnect(struct sio_socket *s, int close)
{
	static const hostd_buf none = { NULL, 0 };
	struct client *c = s->client;
	struct sio_socket *next;

	for (s = close ? TAILQ_FIRST(&c->sockets) : s; s != NULL; s = next) {
		next = close ? TAILQ_NEXT(s, of_client) : NULL;
		if (s->state == SOCKET_CONNECTED) {
			reply_packet(c, SIO_DISCONNECT, space_name(s->space),
			    none);
			c->was_put_out = 1;
		}
		socket_go(s, HOSTD_SIO_SERVER_DISCONNECT);
	}
	if (close)
		eio_end(c->eio, HOSTD_SIO_SERVER_DISCONNECT);
}

/* -- packets from it -- */

static int
invalid(const struct client *c, const char *why)
{
	eio_log(c->eio, "its packet is invalid: ", why);
	return -1;
}

/* All that it has said is kept: no more than one packet may have. */
static int
says_too_much(const struct client *c, hostd_buf auth)
{
	size_t n = auth.n;
	struct sio_socket *s;

	TAILQ_FOREACH(s, &c->sockets, of_client)
		n += s->auth.n;
	return n > c->in->opt.max_payload;
}

static int
take_connect(struct client *c, const struct sio_packet *pk)
{
	static const hostd_buf none = { NULL, 0 };
	const char *why = NULL;
	struct sio_socket *s;
	struct space *sp;

	/* In one turn it may have asked twice before it could know. */
	if (client_socket(c, pk->nsp) != NULL)
		return c->turn == c->in->clients->turn ? 0 :
		    invalid(c, "it is connected to that namespace");
	if (c->nsockets >= c->in->opt.max_namespaces) {
		reply_refused(c, pk->nsp, hostd_str("Too many namespaces"),
		    none, 1);
		return 0;
	}
	if ((sp = space_get(c->in, pk->nsp)) == NULL) {
		reply_refused(c, pk->nsp, hostd_str("Invalid namespace"), none,
		    1);
		return 0;
	}
	if (says_too_much(c, pk->data))
		why = "Too much auth";
	else if (user_by_token(c->in, c->eio, pk->data) == -1)
		why = "not authorized";
	else if ((s = socket_new(c, sp, pk->data)) == NULL)
		why = "Internal error";
	if (why != NULL) {
		space_settle(sp);
		reply_refused(c, pk->nsp, hostd_str(why), none, 0);
		return 0;
	}
	if (recover_begin(s, pk->data) == 0)
		apps_connect(s);
	return 0;
}

/* Its auth is what it says in a query. */
static int
take_old_connect(struct client *c, struct sio_packet *pk, hostd_buf query)
{
	struct hostd_json j = { NULL, 0, 0, 0 };
	int rc;

	handshake_query(&j, query);
	pk->data = hostd_json_done(&j);
	rc = j.failed ? invalid(c, "no memory") : take_connect(c, pk);
	hostd_json_free(&j);
	return rc;
}

void
client_opened(struct client *c)
{
	struct sio_packet pk = { .type = SIO_CONNECT, .nsp = hostd_str("/") };

	/* Clients of Socket.IO 2 do not ask for it. */
	if (c->revision == 3)
		(void)take_connect(c, &pk);
}

/* An event or an acknowledgement, whole. */
static void
take(struct sio_socket *s, const struct sio_packet *pk, const hostd_buf *bins)
{
	struct hostd_inst *in = s->space->in;
	struct sio_values *vs = &in->clients->values;
	struct hostd_sio_args args = {
		.struct_size = sizeof(args),
		.n = vs->n,
		.v = vs->v,
		.bins = bins,
		.nbins = pk->nbins,
	};
	hostd_sio_ack ack = { 0 };

	in->clients->is_telling = 1;
	if (pk->type == SIO_ACK) {
		if (pk->has_id && ack_came(s, pk->id, &args) == -1)
			away_answered(s, pk->id, &args);
	} else if (vs->n > 0) {
		args.n--;
		args.v++;
		if (pk->has_id)
			ack = ack_owe(s, pk->id);
		apps_event(s, vs->v[0], &args, ack);
	}
	in->clients->is_telling = 0;
}

int
client_has_said(const struct hostd_inst *in, hostd_buf value)
{
	const struct sio_values *vs = &in->clients->values;
	uint32_t i;

	if (!in->clients->is_telling || value.n == 0)
		return 0;
	for (i = 0; i < vs->n && i < VALUES_KNOWN; i++)
		if (vs->v[i].p == value.p && vs->v[i].n == value.n)
			return 1;
	return 0;
}

static void
socket_leaves(struct sio_socket *s)
{
	s->state = SOCKET_GONE;
	s->reason = HOSTD_SIO_CLIENT_DISCONNECT;
	socket_end(s);
}

static int
take_from(struct client *c, hostd_buf text, const struct sio_packet *pk)
{
	struct sio_socket *s = client_socket(c, pk->nsp);

	if (s == NULL && !(c->was_put_out && space_find(c->in, pk->nsp) !=
	    NULL))
		return invalid(c, "it is not connected to that namespace");
	if (pk->type == SIO_DISCONNECT || pk->nbins == 0) {
		if (s != NULL && pk->type == SIO_DISCONNECT)
			socket_leaves(s);
		else if (s != NULL)
			take(s, pk, NULL);
		return 0;
	}
	if (!sio_placeholders_ok(pk->data, pk->nbins))
		return invalid(c, "a placeholder for no attachment");
	c->partial = partial_new(s == NULL ? 0 : s->handle, text, pk->nbins);
	return c->partial == NULL ? invalid(c, "no memory") : 0;
}

static int
take_text(struct client *c, hostd_buf text)
{
	hostd_buf query = { NULL, 0 };
	struct sio_packet pk;
	const char *why = "";

	if (c->partial != NULL)
		return invalid(c, "an attachment is due");
	if (sio_packet_parse(text, c->in->opt.max_attachments, &pk,
	    &c->in->clients->values, &why) == -1)
		return invalid(c, why);
	if (c->revision == 3)
		query = old_query(&pk.nsp);
	if (pk.type != SIO_CONNECT)
		return take_from(c, text, &pk);
	return c->revision == 3 ? take_old_connect(c, &pk, query) :
	    take_connect(c, &pk);
}

/* Much room for values is not kept. */
static void
shrink(struct hostd_inst *in)
{
	if (in->clients->values.size > VALUES_KEPT)
		sio_values_free(&in->clients->values);
}

int
client_text(struct client *c, hostd_buf text)
{
	struct hostd_inst *in = c->in;
	int rc = take_text(c, text);

	shrink(in);
	return rc;
}

int
client_binary(struct client *c, hostd_buf data)
{
	struct hostd_inst *in = c->in;
	struct sio_partial *p = c->partial;
	struct sio_packet pk;
	struct sio_socket *s;
	const char *why = "";
	int rc;

	if (p == NULL)
		return invalid(c, "no attachment is due");
	if (in->opt.max_packet > 0 && p->bytes + data.n > in->opt.max_packet)
		return invalid(c, "its attachments are more than max_packet");
	if ((rc = partial_add(p, data)) <= 0)
		return rc == 0 ? 0 : invalid(c, "no memory");
	c->partial = NULL;
	s = socket_of(c->in, p->handle);
	if (s == NULL || s->state != SOCKET_CONNECTED)
		rc = 0;
	else if ((rc = sio_packet_parse(p->text, p->nbins, &pk,
	    &c->in->clients->values, &why)) == -1)
		rc = invalid(c, why);
	else
		take(s, &pk, p->bins);
	partial_free(p);
	shrink(in);
	return rc;
}
