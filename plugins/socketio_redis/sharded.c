/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nodes say that have createShardedAdapter: one form for all, JSON, or
 * MessagePack where there is binary data in it.  A namespace has one channel, a
 * node one of its own for answers, and a room may have one.
 */
#include <string.h>
#include <hostd/json.h>
#include "adapter.h"
#include "pack.h"

#define EVENT		2	/* the only type of a packet */
#define SOCKET_ID_LEN	20	/* a room whose name is that long is taken for
				   that of a socket */

enum type {
	INITIAL_HEARTBEAT = 1,
	HEARTBEAT = 2,
	BROADCAST = 3,
	JOIN = 4,
	LEAVE = 5,
	DISCONNECT = 6,
	FETCH = 7,
	FETCHED = 8,
	SERVER_SIDE_EMIT = 9,
	SERVER_ANSWER = 10,
	CLIENT_COUNT = 11,
	CLIENT_ANSWER = 12,
	ADAPTER_CLOSE = 13
};

/* -- channels -- */

/* As JavaScript counts: characters beyond the first 65536 are two. */
static size_t
js_length(hostd_buf text)
{
	const unsigned char *p = text.p;
	size_t i, n = 0;

	for (i = 0; i < text.n; i++)
		n += (p[i] & 0xc0) != 0x80 ? 1 + (p[i] >= 0xf0) : 0;
	return n;
}

int
sharded_has_channel(const struct hostd_inst *in, hostd_buf room)
{
	return in->sharded == DYNAMIC_PRIVATE ||
	    (in->sharded == DYNAMIC && js_length(room) != SOCKET_ID_LEN);
}

/* -- what is sent -- */

static void
begin(struct hostd_inst *in, enum type type)
{
	struct hostd_json *j = &in->json;

	hostd_json_reset(j);
	hostd_json_begin(j, '{');
	hostd_json_key(j, "type");
	hostd_json_int64(j, (int64_t)type);
	hostd_json_key(j, "data");
	hostd_json_begin(j, '{');
}

void
sharded_begin(struct hostd_inst *in, int type, hostd_buf rid)
{
	begin(in, (enum type)type);
	hostd_json_key(&in->json, "requestId");
	hostd_json_strn(&in->json, rid);
}

hostd_buf
sharded_end(struct hostd_inst *in, hostd_buf nsp,
    const struct hostd_sio_args *args)
{
	struct hostd_json *j = &in->json;
	hostd_buf text, none = { NULL, 0 };

	hostd_json_end(j, '}');
	hostd_json_key(j, "uid");
	hostd_json_str(j, in->uid);
	hostd_json_key(j, "nsp");
	hostd_json_strn(j, nsp);
	hostd_json_end(j, '}');
	text = hostd_json_done(j);
	if (text.p == NULL || args == NULL || args->nbins == 0)
		return text;
	msgpack_sbuffer_clear(&in->out);
	if (pack_json(&in->out, text, args->bins, args->nbins) == -1)
		return none;
	text.p = in->out.data;
	text.n = in->out.size;
	return text;
}

static void
write_event(struct hostd_json *j, hostd_buf name,
    const struct hostd_sio_args *args)
{
	uint32_t i;

	hostd_json_begin(j, '[');
	hostd_json_strn(j, name);
	for (i = 0; args != NULL && i < args->n; i++)
		hostd_json_raw(j, args->v[i]);
	hostd_json_end(j, ']');
}

static void
write_packet_of(struct hostd_json *j, hostd_buf name,
    const struct hostd_sio_args *args)
{
	hostd_json_key(j, "packet");
	hostd_json_begin(j, '{');
	hostd_json_key(j, "type");
	hostd_json_int64(j, EVENT);
	hostd_json_key(j, "data");
	write_event(j, name, args);
	hostd_json_end(j, '}');
}

static void
write_flag(struct hostd_json *j, const char *name, const char *value)
{
	hostd_json_key(j, name);
	hostd_json_raw(j, hostd_str(value));
}

static void
write_full_opts(struct hostd_json *j, const struct hostd_sio_to *to,
    uint32_t timeout_ms)
{
	hostd_json_key(j, "opts");
	hostd_json_begin(j, '{');
	write_json_names(j, "rooms", to->rooms, to->nrooms);
	write_json_names(j, "except", to->except, to->nexcept);
	hostd_json_key(j, "flags");
	hostd_json_begin(j, '{');
	if (to->flags & HOSTD_SIO_VOLATILE)
		write_flag(j, "volatile", "true");
	if (to->flags & HOSTD_SIO_PLAIN)
		write_flag(j, "compress", "false");
	if (timeout_ms != 0) {
		hostd_json_key(j, "timeout");
		hostd_json_int64(j, timeout_ms);
	}
	hostd_json_end(j, '}');
	hostd_json_end(j, '}');
}

static int
write_order(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	static const enum type types[] = { 0, BROADCAST, JOIN, LEAVE,
		DISCONNECT, SERVER_SIDE_EMIT };
	struct hostd_json *j = &in->json;

	if (o->type < HOSTD_SIO_BROADCAST || o->type > HOSTD_SIO_SERVER_EVENT)
		return -1;
	begin(in, types[o->type]);
	if (o->type == HOSTD_SIO_SERVER_EVENT) {
		hostd_json_key(j, "packet");
		write_event(j, o->name, o->args);
		return 0;
	}
	if (o->type == HOSTD_SIO_BROADCAST)
		write_packet_of(j, o->name, o->args);
	write_full_opts(j, o->to, 0);
	if (o->type == HOSTD_SIO_JOIN || o->type == HOSTD_SIO_LEAVE)
		write_json_names(j, "rooms", o->rooms, o->nrooms);
	if (o->type == HOSTD_SIO_DISCONNECT)
		write_flag(j, "close", o->close ? "true" : "false");
	return 0;
}

int32_t
sharded_tell(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	const struct hostd_sio_to *to = o->to;
	hostd_buf message, channel, room = { NULL, 0 };
	int32_t rc;

	if (args_check(o->args, SHARDED_AROUND) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (write_order(in, o) == -1)
		return HOSTD_E_NOTSUP;
	message = sharded_end(in, to->nsp, o->args);
	if (o->type == HOSTD_SIO_BROADCAST && to->nrooms == 1 &&
	    sharded_has_channel(in, to->rooms[0]))
		room = to->rooms[0];
	channel = channel_name(in, "", to->nsp, room);
	rc = message.p == NULL || channel.p == NULL ? HOSTD_E_NOMEM :
	    link_publish(in, channel, message);
	free((char *)(uintptr_t)channel.p);
	return rc;
}

hostd_buf
sharded_question(struct hostd_inst *in, const struct hostd_sio_question *q,
    hostd_buf rid)
{
	struct hostd_json *j = &in->json;

	if (q->type == HOSTD_SIO_ASK_SOCKETS) {
		begin(in, FETCH);
		write_full_opts(j, q->to, 0);
		hostd_json_key(j, "requestId");
		hostd_json_strn(j, rid);
	} else if (q->type == HOSTD_SIO_ASK_SERVERS) {
		sharded_begin(in, SERVER_SIDE_EMIT, rid);
		hostd_json_key(j, "packet");
		write_event(j, q->name, q->args);
	} else {
		begin(in, BROADCAST);
		write_packet_of(j, q->name, q->args);
		hostd_json_key(j, "requestId");
		hostd_json_strn(j, rid);
		write_full_opts(j, q->to, q->timeout_ms);
	}
	return sharded_end(in, q->to->nsp, q->args);
}

/* -- what comes -- */

/* One message, as far as it was read. */
struct said {
	struct space *s;
	hostd_buf data, uid, rid;	/* rid p NULL: nobody waits */
	struct hostd_sio_to to;
	struct hostd_sio_args args;
	hostd_buf name;
};

static uint32_t
timeout_of(hostd_buf opts)
{
	int64_t ms;

	return hostd_json_int(hostd_json_get(hostd_json_get(opts, "flags"),
	    "timeout"), &ms) && ms > 0 && ms < UINT32_MAX ? (uint32_t)ms :
	    REQUEST_MS;
}

static int
do_order(struct said *m, uint32_t type)
{
	const struct hostd_sio_adapter_api *api = m->s->in->api;
	struct hostd_sio_order o = { .struct_size = sizeof(o), .type = type,
		.to = &m->to, .name = m->name, .args = &m->args,
		.id = m->s->in->heard.id };
	struct heard *h = &m->s->in->heard;

	if (heard_names(h, hostd_json_get(m->data, "rooms"), &h->list) == -1)
		return -1;
	o.rooms = h->list.v;
	o.nrooms = h->list.n;
	o.close = hostd_json_is(hostd_json_get(m->data, "close"), "true");
	if (!uid_is_ours(m->s->in, m->uid))
		api->told(api, &o);
	return 0;
}

static int
do_question(struct said *m, uint32_t type)
{
	struct hostd_sio_question q = { .struct_size = sizeof(q), .type = type,
		.to = &m->to, .name = m->name, .args = &m->args,
		.timeout_ms = timeout_of(hostd_json_get(m->data, "opts")) };

	asked(m->s, m->rid, m->uid, 0, &q);
	return 0;
}

static int
do_broadcast(struct said *m)
{
	hostd_buf packet = hostd_json_get(m->data, "packet");
	int64_t type;

	if (!hostd_json_int(hostd_json_get(packet, "type"), &type) ||
	    type != EVENT || heard_event_of(&m->s->in->heard,
	    hostd_json_get(packet, "data"), &m->name, &m->args) == -1)
		return -1;
	return m->rid.p != NULL ? do_question(m, HOSTD_SIO_ASK_CLIENTS) :
	    do_order(m, HOSTD_SIO_BROADCAST);
}

static int
do_server_event(struct said *m)
{
	m->to.struct_size = sizeof(m->to);
	m->to.nsp = m->s->name;
	if (heard_event_of(&m->s->in->heard, hostd_json_get(m->data, "packet"),
	    &m->name, &m->args) == -1)
		return -1;
	return m->rid.p != NULL ? do_question(m, HOSTD_SIO_ASK_SERVERS) :
	    do_order(m, HOSTD_SIO_SERVER_EVENT);
}

/* What is said of sockets says of which. */
static int
do_sockets(struct said *m, enum type type)
{
	if (heard_opts(m->s, hostd_json_get(m->data, "opts"), &m->to) == -1)
		return -1;
	switch (type) {
	case BROADCAST:
		return do_broadcast(m);
	case JOIN:
		return do_order(m, HOSTD_SIO_JOIN);
	case LEAVE:
		return do_order(m, HOSTD_SIO_LEAVE);
	case DISCONNECT:
		return do_order(m, HOSTD_SIO_DISCONNECT);
	default:
		return m->rid.p == NULL ? -1 :
		    do_question(m, HOSTD_SIO_ASK_SOCKETS);
	}
}

static int
do_message(struct said *m, int64_t type)
{
	switch (type) {
	case INITIAL_HEARTBEAT:
	case HEARTBEAT:
	case ADAPTER_CLOSE:
		return 0;
	case BROADCAST:
	case JOIN:
	case LEAVE:
	case DISCONNECT:
	case FETCH:
		return do_sockets(m, (enum type)type);
	case SERVER_SIDE_EMIT:
		return do_server_event(m);
	case FETCHED:
	case SERVER_ANSWER:
		return heard_answer(m->s, m->data, type);
	case CLIENT_COUNT:
		return heard_answer(m->s, m->data, HEARD_COUNT);
	case CLIENT_ANSWER:
		return heard_answer(m->s, m->data, HEARD_CLIENT);
	default:
		return -1;
	}
}

/* What is done may end the namespace. */
void
heard_sharded(struct space *s, hostd_buf channel, hostd_buf message)
{
	struct said m = { .s = s };
	struct hostd_inst *in = s->in;
	struct heard *h = &in->heard;
	hostd_buf nsp;
	int64_t type;

	if (heard_begin(h, channel, message) == -1 ||
	    !hostd_json_int(hostd_json_get(h->json, "type"), &type)) {
		link_ignore(in, channel, "it is no message");
		return;
	}
	m.uid = heard_member(h, h->json, "uid");
	nsp = heard_member(h, h->json, "nsp");
	if ((m.uid.n == UID_LEN && memcmp(m.uid.p, in->uid, UID_LEN) == 0) ||
	    nsp.n != s->name.n || memcmp(nsp.p, s->name.p, nsp.n) != 0)
		return;
	m.data = hostd_json_get(h->json, "data");
	m.rid = heard_member(h, m.data, "requestId");
	if (do_message(&m, type) == -1)
		link_ignore(in, channel, "it is not what its type says");
}
