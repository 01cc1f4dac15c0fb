/* SPDX-License-Identifier: BSD-2-Clause */
/* What other nodes are told: broadcasts in MessagePack, the rest in JSON. */
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "adapter.h"
#include "pack.h"

#define EVENT		2	/* the type of a packet, with binary data too */
#define REMOTE_JOIN	2	/* types of requests */
#define REMOTE_LEAVE	3
#define REMOTE_DISCONNECT 4
#define SERVER_SIDE_EMIT 6

int
uid_is_ours(const struct hostd_inst *in, hostd_buf uid)
{
	return uid.n == UID_LEN && memcmp(uid.p, in->uid, UID_MACHINE) == 0;
}

int32_t
args_check(const struct hostd_sio_args *args, unsigned depth)
{
	const char *end;
	uint32_t i;

	for (i = 0; args != NULL && i < args->n; i++) {
		end = hostd_json_end_of(args->v[i]);
		if (hostd_json_scan(args->v[i].p, end, depth) == NULL)
			return HOSTD_E_INVAL;
	}
	return HOSTD_OK;
}

/* -- MessagePack -- */

static int
write_names(msgpack_sbuffer *b, const char *name, const hostd_buf *v,
    uint32_t n)
{
	uint32_t i;

	if (pack_word(b, name) == -1 || pack_list(b, n) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (pack_text(b, v[i]) == -1)
			return -1;
	return 0;
}

static int
write_data(msgpack_sbuffer *b, hostd_buf name,
    const struct hostd_sio_args *args)
{
	uint32_t n = args != NULL ? args->n : 0, i;

	if (pack_word(b, "data") == -1 || pack_list(b, n + 1) == -1 ||
	    pack_text(b, name) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (pack_json(b, args->v[i], args->bins, args->nbins) == -1)
			return -1;
	return 0;
}

int
write_packet(struct hostd_inst *in, hostd_buf nsp, hostd_buf name,
    const struct hostd_sio_args *args)
{
	msgpack_sbuffer *b = &in->out;

	return pack_map(b, 3) == -1 || pack_word(b, "type") == -1 ||
	    pack_number(b, EVENT) == -1 || write_data(b, name, args) == -1 ||
	    pack_word(b, "nsp") == -1 || pack_text(b, nsp) == -1 ? -1 : 0;
}

/* timeout_ms 0: there is none. */
static int
write_flags(msgpack_sbuffer *b, uint32_t flags, uint32_t timeout_ms)
{
	int is_volatile = (flags & HOSTD_SIO_VOLATILE) != 0;
	int is_plain = (flags & HOSTD_SIO_PLAIN) != 0;

	if (pack_word(b, "flags") == -1 || pack_map(b, (uint32_t)(is_volatile +
	    is_plain + (timeout_ms != 0))) == -1)
		return -1;
	if (is_volatile && (pack_word(b, "volatile") == -1 ||
	    pack_bool(b, 1) == -1))
		return -1;
	if (is_plain && (pack_word(b, "compress") == -1 ||
	    pack_bool(b, 0) == -1))
		return -1;
	return timeout_ms != 0 && (pack_word(b, "timeout") == -1 ||
	    pack_number(b, timeout_ms) == -1) ? -1 : 0;
}

int
write_opts(struct hostd_inst *in, const struct hostd_sio_to *to,
    uint32_t timeout_ms)
{
	msgpack_sbuffer *b = &in->out;

	return pack_map(b, 3) == -1 ||
	    write_names(b, "rooms", to->rooms, to->nrooms) == -1 ||
	    write_names(b, "except", to->except, to->nexcept) == -1 ||
	    write_flags(b, to->flags, timeout_ms) == -1 ? -1 : 0;
}

/* -- JSON -- */

void
write_json_names(struct hostd_json *j, const char *name, const hostd_buf *v,
    uint32_t n)
{
	uint32_t i;

	hostd_json_key(j, name);
	hostd_json_begin(j, '[');
	for (i = 0; i < n; i++)
		hostd_json_strn(j, v[i]);
	hostd_json_end(j, ']');
}

void
write_json_opts(struct hostd_json *j, const struct hostd_sio_to *to)
{
	hostd_json_key(j, "opts");
	hostd_json_begin(j, '{');
	write_json_names(j, "rooms", to->rooms, to->nrooms);
	write_json_names(j, "except", to->except, to->nexcept);
	hostd_json_end(j, '}');
}

static void
write_json_bin(struct hostd_json *j, hostd_buf bin)
{
	const unsigned char *p = bin.p;
	size_t i;

	hostd_json_begin(j, '{');
	hostd_json_key(j, "type");
	hostd_json_str(j, "Buffer");
	hostd_json_key(j, "data");
	hostd_json_begin(j, '[');
	for (i = 0; i < bin.n; i++)
		hostd_json_int64(j, p[i]);
	hostd_json_end(j, ']');
	hostd_json_end(j, '}');
}

static const hostd_buf *
placeholder_of(hostd_buf object, const struct hostd_sio_args *args)
{
	int64_t i;

	if (!hostd_json_is(hostd_json_get(object, "_placeholder"), "true") ||
	    !hostd_json_int(hostd_json_get(object, "num"), &i) || i < 0 ||
	    i >= args->nbins)
		return NULL;
	return &args->bins[i];
}

void
write_json_arg(struct hostd_json *j, hostd_buf json,
    const struct hostd_sio_args *args)
{
	int is_object = hostd_json_is_object(json);
	struct hostd_json_walk w;
	hostd_buf key, value;
	const hostd_buf *bin;

	if (args->nbins == 0 || (!is_object && !hostd_json_is_array(json))) {
		hostd_json_raw(j, json);
		return;
	}
	if (is_object && (bin = placeholder_of(json, args)) != NULL) {
		write_json_bin(j, *bin);
		return;
	}
	hostd_json_begin(j, is_object ? '{' : '[');
	w = hostd_json_walk(json);
	while (is_object ? hostd_json_next_member(&w, &key, &value) :
	    hostd_json_next(&w, &value)) {
		if (is_object) {
			hostd_json_raw(j, key);
			hostd_json_bytes(j, ":", 1);
		}
		write_json_arg(j, value, args);
	}
	hostd_json_end(j, is_object ? '}' : ']');
}

static void
write_json_type(struct hostd_json *j, int type)
{
	hostd_json_key(j, "type");
	hostd_json_int64(j, type);
}

static void
write_event(struct hostd_json *j, const struct hostd_sio_order *o)
{
	uint32_t i;

	write_json_type(j, SERVER_SIDE_EMIT);
	hostd_json_key(j, "data");
	hostd_json_begin(j, '[');
	hostd_json_strn(j, o->name);
	for (i = 0; o->args != NULL && i < o->args->n; i++)
		write_json_arg(j, o->args->v[i], o->args);
	hostd_json_end(j, ']');
}

static void
write_request(struct hostd_json *j, const struct hostd_sio_order *o)
{
	if (o->type == HOSTD_SIO_SERVER_EVENT) {
		write_event(j, o);
		return;
	}
	write_json_type(j, o->type == HOSTD_SIO_JOIN ? REMOTE_JOIN :
	    o->type == HOSTD_SIO_LEAVE ? REMOTE_LEAVE : REMOTE_DISCONNECT);
	write_json_opts(j, o->to);
	if (o->type != HOSTD_SIO_DISCONNECT) {
		write_json_names(j, "rooms", o->rooms, o->nrooms);
		return;
	}
	hostd_json_key(j, "close");
	hostd_json_raw(j, hostd_str(o->close ? "true" : "false"));
}

/* -- both -- */

static int32_t
publish_to(struct hostd_inst *in, const char *kind, hostd_buf nsp,
    hostd_buf room, hostd_buf message)
{
	hostd_buf channel = channel_name(in, kind, nsp, room);
	int32_t rc;

	if (channel.p == NULL)
		return HOSTD_E_NOMEM;
	rc = link_publish(in, channel, message);
	free((char *)(uintptr_t)channel.p);
	return rc;
}

static int32_t
tell_broadcast(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	static const hostd_buf none = { NULL, 0 };
	const struct hostd_sio_to *to = o->to;
	hostd_buf uid = { in->uid, UID_LEN }, message;

	msgpack_sbuffer_clear(&in->out);
	if (pack_list(&in->out, 3) == -1 || pack_text(&in->out, uid) == -1 ||
	    write_packet(in, to->nsp, o->name, o->args) == -1 ||
	    write_opts(in, to, 0) == -1)
		return HOSTD_E_NOMEM;
	message.p = in->out.data;
	message.n = in->out.size;
	return publish_to(in, "", to->nsp, to->nrooms == 1 ? to->rooms[0] :
	    none, message);
}

static int32_t
tell_request(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	static const hostd_buf none = { NULL, 0 };
	struct hostd_json *j = &in->json;

	hostd_json_reset(j);
	hostd_json_begin(j, '{');
	hostd_json_key(j, "uid");
	hostd_json_str(j, in->uid);
	write_request(j, o);
	hostd_json_end(j, '}');
	if (j->failed)
		return HOSTD_E_NOMEM;
	return publish_to(in, "-request", o->to->nsp, none,
	    hostd_json_done(j));
}

int32_t
tell(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	if (!in->up)
		return HOSTD_E_STATE;
	if (in->sharded)
		return sharded_tell(in, o);
	switch (o->type) {
	case HOSTD_SIO_BROADCAST:
		return args_check(o->args, 0) != HOSTD_OK ? HOSTD_E_INVAL :
		    tell_broadcast(in, o);
	case HOSTD_SIO_SERVER_EVENT:
		if (args_check(o->args, 2) != HOSTD_OK)
			return HOSTD_E_INVAL;
		/* FALLTHROUGH */
	case HOSTD_SIO_JOIN:
	case HOSTD_SIO_LEAVE:
	case HOSTD_SIO_DISCONNECT:
		return tell_request(in, o);
	default:
		return HOSTD_E_NOTSUP;
	}
}
