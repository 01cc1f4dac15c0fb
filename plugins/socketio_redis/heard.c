/* SPDX-License-Identifier: BSD-2-Clause */
/* What other nodes tell and ask: read, and handed on to socketio. */
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "adapter.h"

enum request {
	SOCKETS = 0,
	ALL_ROOMS = 1,
	REMOTE_JOIN = 2,
	REMOTE_LEAVE = 3,
	REMOTE_DISCONNECT = 4,
	REMOTE_FETCH = 5,
	SERVER_SIDE_EMIT = 6,
	BROADCAST = 7
};

#define EVENT 2		/* the only type of a packet */
#define MOVING_MS 30000	/* after a reload sockets bring rooms until then */

/* -- a message -- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t
hash_of(uint64_t h, hostd_buf b)
{
	const char *p = b.p;
	uint64_t v;
	size_t i;

	for (i = 0; i + sizeof(v) <= b.n; i += sizeof(v)) {
		memcpy(&v, p + i, sizeof(v));
		h = mix(h, v);
	}
	v = 0;
	if (i < b.n)
		memcpy(&v, p + i, b.n - i);
	return mix(mix(h, v), b.n);
}

int
heard_begin(struct heard *h, hostd_buf channel, hostd_buf message)
{
	char *p;

	h->id = hash_of(hash_of(1, channel), message);
	h->used = 0;
	hostd_json_reset(&h->mended);
	h->json = message;
	h->unpacked.nbins = 0;
	if (hostd_json_is_object(message)) {
		if (!hostd_json_ok(message))
			return -1;
	} else {
		if (unpack_json(&h->unpacked, message) == -1)
			return -1;
		h->json = hostd_json_done(&h->unpacked.json);
	}
	if (h->json.n < h->size)
		return 0;
	if ((p = realloc(h->texts, h->json.n + 1)) == NULL)
		return -1;
	h->texts = p;
	h->size = h->json.n + 1;
	return 0;
}

void
heard_free(struct heard *h)
{
	unpacked_free(&h->unpacked);
	hostd_json_free(&h->mended);
	free(h->texts);
	free(h->rooms.v);
	free(h->except.v);
	free(h->list.v);
	free(h->args.v);
	free(h->sockets);
}

/* What a string says is no longer than how it is written, and each is asked for
 * once, so there is room. */
int
heard_text(struct heard *h, hostd_buf json, hostd_buf *out)
{
	int64_t n;

	if (hostd_json_is_number(json)) {
		*out = json;
		return 1;
	}
	if (hostd_json_plain(json, out))
		return 1;
	if (out->p == NULL || (n = hostd_json_text(json, h->texts + h->used,
	    h->size - h->used)) == -1)
		return 0;
	out->p = h->texts + h->used;
	out->n = (size_t)n;
	h->used += out->n;
	return 1;
}

static int
names_grow(struct names *list)
{
	uint32_t size = list->size == 0 ? 16 : list->size * 2;
	hostd_buf *v;

	if (list->n < list->size)
		return 0;
	if ((v = realloc(list->v, size * sizeof(*v))) == NULL)
		return -1;
	list->v = v;
	list->size = size;
	return 0;
}

int
heard_values(struct names *list, hostd_buf json)
{
	struct hostd_json_walk w;
	hostd_buf value;

	list->n = 0;
	if (!hostd_json_is_array(json))
		return -1;
	w = hostd_json_walk(json);
	while (hostd_json_next(&w, &value)) {
		if (names_grow(list) == -1)
			return -1;
		list->v[list->n++] = value;
	}
	return 0;
}

int
heard_names(struct heard *h, hostd_buf json, struct names *list)
{
	uint32_t i;

	list->n = 0;
	if (json.p == NULL || hostd_json_is(json, "null"))
		return 0;
	if (heard_values(list, json) == -1)
		return -1;
	for (i = 0; i < list->n; i++)
		if (!heard_text(h, list->v[i], &list->v[i]))
			return -1;
	return 0;
}

static int
has_numbers(hostd_buf list)
{
	struct hostd_json_walk w = hostd_json_walk(list);
	hostd_buf value;

	while (hostd_json_next(&w, &value))
		if (!hostd_json_is_string(value))
			return 1;
	return 0;
}

/* Room for all lists of the message, so that none of them moves; p NULL: there
 * is no memory, or it is no list. */
hostd_buf
heard_strings(struct heard *h, hostd_buf json)
{
	struct hostd_json *j = &h->mended;
	hostd_buf none = { NULL, 0 }, value;
	struct hostd_json_walk w;
	size_t from = j->n;

	if (!hostd_json_is_array(json))
		return none;
	if (!has_numbers(json))
		return json;
	if (from == 0 && hostd_json_room(j, 3 * h->json.n + 2) ==
	    NULL)
		return none;
	hostd_json_bytes(j, "[", 1);
	w = hostd_json_walk(json);
	while (hostd_json_next(&w, &value))
		if (hostd_json_is_string(value))
			hostd_json_raw(j, value);
		else
			hostd_json_strn(j, value);
	hostd_json_end(j, ']');
	return hostd_json_slice(j->p + from, j->p + j->n);
}

/* -- what all of them have -- */

static uint32_t
flags_of(hostd_buf flags)
{
	uint32_t all = 0;

	if (hostd_json_is(hostd_json_get(flags, "volatile"), "true"))
		all |= HOSTD_SIO_VOLATILE;
	if (hostd_json_is(hostd_json_get(flags, "compress"), "false"))
		all |= HOSTD_SIO_PLAIN;
	return all;
}

int
heard_opts(struct space *s, hostd_buf opts, struct hostd_sio_to *to)
{
	struct heard *h = &s->in->heard;

	if (!hostd_json_is_object(opts) ||
	    heard_names(h, hostd_json_get(opts, "rooms"), &h->rooms) == -1 ||
	    heard_names(h, hostd_json_get(opts, "except"), &h->except) == -1)
		return -1;
	memset(to, 0, sizeof(*to));
	to->struct_size = sizeof(*to);
	to->flags = flags_of(hostd_json_get(opts, "flags"));
	to->nsp = s->name;
	to->rooms = h->rooms.v;
	to->nrooms = h->rooms.n;
	to->except = h->except.v;
	to->nexcept = h->except.n;
	return 0;
}

int
heard_event_of(struct heard *h, hostd_buf data, hostd_buf *name,
    struct hostd_sio_args *args)
{
	if (heard_values(&h->args, data) == -1 || h->args.n == 0 ||
	    !heard_text(h, h->args.v[0], name))
		return -1;
	memset(args, 0, sizeof(*args));
	args->struct_size = sizeof(*args);
	args->n = h->args.n - 1;
	args->v = h->args.v + 1;
	args->bins = h->unpacked.bins;
	args->nbins = h->unpacked.nbins;
	return 0;
}

/* A packet: 1; 0: it is for another namespace; -1: it is none. */
static int
take_packet(struct space *s, hostd_buf packet, hostd_buf *name,
    struct hostd_sio_args *args)
{
	static const hostd_buf root = { "/", 1 };
	hostd_buf nsp = hostd_json_get(packet, "nsp"), text = root;
	int64_t type;

	if (!hostd_json_int(hostd_json_get(packet, "type"), &type) ||
	    type != EVENT ||
	    (nsp.p != NULL && !heard_text(&s->in->heard, nsp, &text)))
		return -1;
	if (text.n != s->name.n || memcmp(text.p, s->name.p, text.n) != 0)
		return 0;
	return heard_event_of(&s->in->heard, hostd_json_get(packet, "data"),
	    name, args) == -1 ? -1 : 1;
}

hostd_buf
heard_member(struct heard *h, hostd_buf object, const char *name)
{
	hostd_buf text = hostd_json_get(object, name), none = { NULL, 0 };

	return text.p != NULL && heard_text(h, text, &text) ? text : none;
}

static hostd_buf
text_member(struct heard *h, const char *name)
{
	return heard_member(h, h->json, name);
}

/* -- broadcasts -- */

/* Is it for a room that nobody is in here, or will be in a moment? */
static int
is_elsewhere(const struct space *s, hostd_buf channel)
{
	const struct hostd_host *host = s->in->host;
	size_t n = s->channels[BROADCASTS].entry.name.n - 1;
	hostd_buf room;

	if (host->now_ms(host) - s->in->started_ms < MOVING_MS)
		return 0;
	room.p = (const char *)channel.p + n;
	room.n = channel.n - n;
	if (room.n < 2)
		return 0;
	room.n--;
	return !space_has(s, room);
}

/* Before it is read: most that comes is what this machine has told. */
static int
is_told_by_us(const struct hostd_inst *in, hostd_buf message)
{
	const unsigned char *p = message.p;
	hostd_buf uid;

	if (message.n < 2 + UID_LEN || p[0] != 0x93 ||
	    p[1] != (0xa0 | UID_LEN))
		return 0;
	uid.p = p + 2;
	uid.n = UID_LEN;
	return uid_is_ours(in, uid);
}

/* [uid, packet, opts]: 1; 0: not for us; -1: it is none. */
static int
take_broadcast(struct space *s, hostd_buf channel, hostd_buf message,
    struct hostd_sio_order *o, struct hostd_sio_to *to,
    struct hostd_sio_args *args)
{
	struct heard *h = &s->in->heard;
	hostd_buf uid;
	int rc;

	if (heard_begin(h, channel, message) == -1 ||
	    heard_values(&h->list, h->json) == -1 || h->list.n < 3)
		return -1;
	if (heard_text(h, h->list.v[0], &uid) && uid_is_ours(s->in, uid))
		return 0;
	if ((rc = take_packet(s, h->list.v[1], &o->name, args)) != 1)
		return rc;
	return heard_opts(s, h->list.v[2], to) == -1 ? -1 : 1;
}

void
heard_broadcast(struct space *s, hostd_buf channel, hostd_buf message)
{
	const struct hostd_sio_adapter_api *api = s->in->api;
	hostd_buf pattern = s->channels[BROADCASTS].entry.name;
	struct hostd_sio_args args;
	struct hostd_sio_to to;
	struct hostd_sio_order o = { .struct_size = sizeof(o),
		.type = HOSTD_SIO_BROADCAST, .to = &to, .args = &args };
	int rc;

	/* A pattern says less than its namespace. */
	if (channel.n < pattern.n - 1 ||
	    memcmp(channel.p, pattern.p, pattern.n - 1) != 0 ||
	    is_elsewhere(s, channel) || is_told_by_us(s->in, message))
		return;
	rc = take_broadcast(s, channel, message, &o, &to, &args);
	o.id = s->in->heard.id;
	if (rc == 1)
		api->told(api, &o);
	else if (rc == -1)
		link_ignore(s->in, channel, "it is no broadcast");
}

/* -- requests -- */

/* Of one socket, by its id, as older nodes ask; who has it answers. */
static void
do_legacy(struct space *s, struct hostd_sio_order *o, hostd_buf sid)
{
	const struct hostd_sio_adapter_api *api = s->in->api;
	struct hostd_inst *in = s->in;
	hostd_buf rid = text_member(&in->heard, "requestId");
	hostd_buf room = text_member(&in->heard, "room");
	struct hostd_sio_to to = { .struct_size = sizeof(to), .nsp = s->name,
		.rooms = &sid, .nrooms = 1 };

	if (!space_has(s, sid) || (room.p == NULL &&
	    o->type != HOSTD_SIO_DISCONNECT))
		return;
	hostd_json_reset(&in->json);
	hostd_json_begin(&in->json, '{');
	hostd_json_key(&in->json, "requestId");
	hostd_json_strn(&in->json, rid);
	hostd_json_end(&in->json, '}');
	if (!in->json.failed)
		(void)link_publish(in, s->channels[RESPONSES].entry.name,
		    hostd_json_done(&in->json));
	o->to = &to;
	o->rooms = &room;
	o->nrooms = room.p != NULL;
	api->told(api, o);
}

/* 0, or -1: it is none. */
static int
heard_order(struct space *s, uint32_t type)
{
	const struct hostd_sio_adapter_api *api = s->in->api;
	struct heard *h = &s->in->heard;
	struct hostd_sio_to to;
	struct hostd_sio_order o = { .struct_size = sizeof(o), .type = type,
		.to = &to, .id = h->id };
	hostd_buf sid = text_member(h, "sid");

	o.close = hostd_json_is(hostd_json_get(h->json, "close"), "true");
	if (sid.p != NULL) {
		do_legacy(s, &o, sid);
		return 0;
	}
	if (heard_opts(s, hostd_json_get(h->json, "opts"), &to) == -1 ||
	    heard_names(h, hostd_json_get(h->json, "rooms"), &h->list) == -1)
		return -1;
	o.rooms = h->list.v;
	o.nrooms = h->list.n;
	if (!uid_is_ours(s->in, text_member(h, "uid")))
		api->told(api, &o);
	return 0;
}

/* With a requestId it is a question. */
static int
heard_event(struct space *s)
{
	const struct hostd_sio_adapter_api *api = s->in->api;
	struct heard *h = &s->in->heard;
	hostd_buf uid = text_member(h, "uid"), rid = text_member(h,
	    "requestId"), name;
	struct hostd_sio_args args;
	struct hostd_sio_to to = { .struct_size = sizeof(to), .nsp = s->name };
	struct hostd_sio_order o = { .struct_size = sizeof(o),
		.type = HOSTD_SIO_SERVER_EVENT, .to = &to, .args = &args };
	struct hostd_sio_question q = { .struct_size = sizeof(q),
		.type = HOSTD_SIO_ASK_SERVERS, .to = &to, .args = &args };

	if (heard_event_of(h, hostd_json_get(h->json, "data"), &name,
	    &args) == -1)
		return -1;
	o.name = q.name = name;
	q.timeout_ms = REQUEST_MS;
	if (rid.p == NULL) {
		if (!uid_is_ours(s->in, uid))
			api->told(api, &o);
	} else if (!ask_is_own(s->in, rid)) {
		asked(s, rid, uid, 0, &q);
	}
	return 0;
}

/* To clients, who are to acknowledge. */
static int
heard_clients(struct space *s)
{
	struct heard *h = &s->in->heard;
	hostd_buf uid = text_member(h, "uid"), rid = text_member(h,
	    "requestId"), opts = hostd_json_get(h->json, "opts");
	struct hostd_sio_args args;
	struct hostd_sio_to to;
	struct hostd_sio_question q = { .struct_size = sizeof(q),
		.type = HOSTD_SIO_ASK_CLIENTS, .to = &to, .args = &args,
		.timeout_ms = REQUEST_MS };
	int64_t ms;
	int rc;

	rc = take_packet(s, hostd_json_get(h->json, "packet"), &q.name, &args);
	if (rid.p == NULL || rc == -1 || heard_opts(s, opts, &to) == -1)
		return -1;
	if (hostd_json_int(hostd_json_get(hostd_json_get(opts, "flags"),
	    "timeout"), &ms) && ms > 0 && ms < UINT32_MAX)
		q.timeout_ms = (uint32_t)ms;
	if (rc == 1 && !ask_is_own(s->in, rid))
		asked(s, rid, uid, 0, &q);
	return 0;
}

static int
heard_question(struct space *s, enum request type)
{
	struct heard *h = &s->in->heard;
	hostd_buf uid = text_member(h, "uid"), rid = text_member(h,
	    "requestId"), opts = hostd_json_get(h->json, "opts");
	struct hostd_sio_to to = { .struct_size = sizeof(to), .nsp = s->name };
	struct hostd_sio_question q = { .struct_size = sizeof(q),
		.type = HOSTD_SIO_ASK_SOCKETS, .to = &to,
		.timeout_ms = REQUEST_MS };

	if (rid.p == NULL)
		return -1;
	if (type == SOCKETS)
		opts = h->json;
	if (type == ALL_ROOMS)
		q.type = HOSTD_SIO_ASK_ROOMS;
	else if (heard_opts(s, opts, &to) == -1)
		return -1;
	if (!ask_is_own(s->in, rid))
		asked(s, rid, uid, type == SOCKETS, &q);
	return 0;
}

static int
do_request(struct space *s, int64_t type)
{
	switch (type) {
	case REMOTE_JOIN:
		return heard_order(s, HOSTD_SIO_JOIN);
	case REMOTE_LEAVE:
		return heard_order(s, HOSTD_SIO_LEAVE);
	case REMOTE_DISCONNECT:
		return heard_order(s, HOSTD_SIO_DISCONNECT);
	case SERVER_SIDE_EMIT:
		return heard_event(s);
	case BROADCAST:
		return heard_clients(s);
	case SOCKETS:
	case ALL_ROOMS:
	case REMOTE_FETCH:
		return heard_question(s, (enum request)type);
	default:
		return -1;
	}
}

/* What is done may end the namespace. */
void
heard_request(struct space *s, hostd_buf channel, hostd_buf message)
{
	struct hostd_inst *in = s->in;
	struct heard *h = &in->heard;
	int64_t type;

	if (heard_begin(h, channel, message) == -1 ||
	    !hostd_json_int(hostd_json_get(h->json, "type"), &type) ||
	    do_request(s, type) == -1)
		link_ignore(in, channel, "it is no request");
}
