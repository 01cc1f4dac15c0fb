/* SPDX-License-Identifier: BSD-2-Clause */
#include "order.h"

static const struct hostd_sio_args no_args = { .struct_size = sizeof(no_args) };

/* -- writing -- */

static void
to_pack(struct pack *b, const struct hostd_sio_to *to)
{
	pack_u32(b, to->flags);
	pack_bytes(b, to->nsp);
	pack_list(b, to->rooms, to->nrooms);
	pack_list(b, to->except, to->nexcept);
}

static void
args_pack(struct pack *b, const struct hostd_sio_args *args)
{
	if (args == NULL)
		args = &no_args;
	pack_list(b, args->v, args->n);
	pack_list(b, args->bins, args->nbins);
}

void
order_pack_head(struct pack *b, const struct hostd_sio_order *o)
{
	pack_u32(b, o->type);
	pack_u32(b, (uint32_t)o->close);
	to_pack(b, o->to);
	pack_list(b, o->rooms, o->nrooms);
}

void
order_pack_packet(struct pack *b, hostd_buf text, const hostd_buf *bins,
    uint32_t nbins)
{
	pack_bytes(b, text);
	pack_list(b, bins, nbins);
}

void
order_pack_event(struct pack *b, hostd_buf name,
    const struct hostd_sio_args *args)
{
	pack_bytes(b, name);
	args_pack(b, args);
}

void
question_pack(struct pack *b, const struct hostd_sio_question *q)
{
	pack_u32(b, q->type);
	pack_u32(b, q->timeout_ms);
	to_pack(b, q->to);
	pack_bytes(b, q->name);
	args_pack(b, q->args);
}

void
reply_pack(struct pack *b, const struct hostd_sio_reply *r)
{
	const struct hostd_sio_remote *s;
	uint32_t i;

	pack_u32(b, r->flags);
	pack_u32(b, r->clients);
	pack_bytes(b, r->rooms);
	pack_u32(b, r->nsockets);
	for (i = 0; i < r->nsockets; i++) {
		s = &r->sockets[i];
		pack_bytes(b, s->id);
		pack_bytes(b, s->rooms);
		pack_bytes(b, s->data);
		pack_bytes(b, s->handshake);
	}
	pack_u32(b, r->args != NULL);
	if (r->args != NULL)
		args_pack(b, r->args);
}

/* -- reading -- */

/* An order's own room for a list; NULL: no memory. */
static hostd_buf *
list_room(struct order *o, uint32_t n)
{
	hostd_buf *v;

	if (n <= ORDER_FEW - o->nfew) {
		v = o->few + o->nfew;
		o->nfew += n;
		return v;
	}
	if (o->nlists == sizeof(o->lists) / sizeof(o->lists[0]) ||
	    (v = malloc(n * sizeof(*v))) == NULL)
		return NULL;
	o->lists[o->nlists++] = v;
	return v;
}

static uint32_t
list_read(struct order *o, struct unpack *u, const hostd_buf **out)
{
	uint32_t n = unpack_count(u), i;
	hostd_buf *v;

	*out = NULL;
	if (n == 0)
		return 0;
	if ((v = list_room(o, n)) == NULL) {
		u->bad = 1;
		return 0;
	}
	for (i = 0; i < n; i++)
		v[i] = unpack_bytes(u);
	*out = v;
	return n;
}

static void
to_read(struct order *o, struct unpack *u)
{
	o->to.struct_size = sizeof(o->to);
	o->to.flags = unpack_u32(u);
	o->to.nsp = unpack_bytes(u);
	o->to.nrooms = list_read(o, u, &o->to.rooms);
	o->to.nexcept = list_read(o, u, &o->to.except);
	if (o->to.nsp.n == 0)
		u->bad = 1;
}

static void
args_read(struct order *o, struct unpack *u)
{
	o->args.struct_size = sizeof(o->args);
	o->args.n = list_read(o, u, &o->args.v);
	o->args.nbins = list_read(o, u, &o->args.bins);
}

int
order_read_head(struct order *o, struct unpack *u)
{
	memset(o, 0, sizeof(*o));
	o->o.struct_size = sizeof(o->o);
	o->o.type = unpack_u32(u);
	o->o.close = (int32_t)unpack_u32(u);
	o->o.to = &o->to;
	o->o.args = &o->args;
	to_read(o, u);
	o->o.nrooms = list_read(o, u, &o->o.rooms);
	return u->bad || o->o.type < HOSTD_SIO_BROADCAST ||
	    o->o.type > HOSTD_SIO_SERVER_EVENT ? -1 : 0;
}

int
order_read_packet(struct order *o, struct unpack *u)
{
	o->text = unpack_bytes(u);
	o->nbins = list_read(o, u, &o->bins);
	return o->text.n == 0 || u->bad ? -1 : 0;
}

void
order_list_read(struct order *o, struct unpack *u)
{
	o->to.nrooms = list_read(o, u, &o->to.rooms);
}

int
order_read(struct order *o, struct unpack *u)
{
	if (order_read_head(o, u) == -1)
		return -1;
	if (o->o.type == HOSTD_SIO_BROADCAST) {
		if (order_read_packet(o, u) == -1)
			return -1;
	} else if (o->o.type == HOSTD_SIO_SERVER_EVENT) {
		o->o.name = unpack_bytes(u);
		args_read(o, u);
	}
	return unpack_ok(u) ? 0 : -1;
}

void
order_free(struct order *o)
{
	while (o->nlists > 0)
		free(o->lists[--o->nlists]);
}

int
question_read(struct hostd_sio_question *q, struct order *o, struct unpack *u)
{
	memset(o, 0, sizeof(*o));
	memset(q, 0, sizeof(*q));
	q->struct_size = sizeof(*q);
	q->type = unpack_u32(u);
	q->timeout_ms = unpack_u32(u);
	to_read(o, u);
	q->to = &o->to;
	q->name = unpack_bytes(u);
	args_read(o, u);
	q->args = &o->args;
	return unpack_ok(u) && q->type >= HOSTD_SIO_ASK_SOCKETS &&
	    q->type <= HOSTD_SIO_ASK_CLIENTS ? 0 : -1;
}

static int
remotes_read(struct reply *p, struct unpack *u)
{
	uint32_t n = unpack_count(u), i;
	struct hostd_sio_remote *s;

	if (n == 0)
		return 0;
	if ((p->remotes = calloc(n, sizeof(*p->remotes))) == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		s = &p->remotes[i];
		s->struct_size = sizeof(*s);
		s->id = unpack_bytes(u);
		s->rooms = unpack_bytes(u);
		s->data = unpack_bytes(u);
		s->handshake = unpack_bytes(u);
	}
	p->r.sockets = p->remotes;
	p->r.nsockets = n;
	return 0;
}

int
reply_read(struct reply *p, struct unpack *u)
{
	memset(p, 0, sizeof(*p));
	p->r.struct_size = sizeof(p->r);
	p->r.flags = unpack_u32(u) & HOSTD_SIO_LAST;
	p->r.clients = unpack_u32(u);
	p->r.rooms = unpack_bytes(u);
	if (remotes_read(p, u) == -1)
		return -1;
	if (unpack_u32(u) != 0) {
		args_read(&p->lists, u);
		p->r.args = &p->lists.args;
	}
	return unpack_ok(u) ? 0 : -1;
}

void
reply_free(struct reply *p)
{
	order_free(&p->lists);
	free(p->remotes);
}
