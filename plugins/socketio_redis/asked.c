/* SPDX-License-Identifier: BSD-2-Clause */
/* What other nodes ask, until it is answered. */
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "adapter.h"
#include "pack.h"

#define ASKED_MAX	10000

enum answer { NO_TYPE = 0, SERVER_SIDE_EMIT = 6, CLIENT_COUNT = 8,
	CLIENT_ANSWER = 9 };

/* What the sharded one calls them. */
enum sharded_answer { SHARDED_SOCKETS = 8, SHARDED_SERVER = 10,
	SHARDED_COUNT = 11, SHARDED_CLIENT = 12 };

struct asked {
	struct table_entry entry;	/* of asked; its name is ref */
	uint64_t ref;
	uint32_t type;
	int only_ids;			/* of sockets */
	int counted;			/* it was said how many clients */
	hostd_buf channel;		/* where it is answered; malloc'ed */
	size_t nnsp;			/* of the namespace's name in it */
	struct hostd_json parts;	/* answers until now */
	size_t nrid;
	char rid[];
};

static struct asked *
asked_find(const struct hostd_inst *in, uint64_t ref)
{
	hostd_buf name = { &ref, sizeof(ref) };
	struct table_entry *e = table_find(&in->asked, name);

	return e == NULL ? NULL : TABLE_OF(e, struct asked, entry);
}

static void
asked_end(struct hostd_inst *in, struct asked *k)
{
	table_remove(&in->asked, &k->entry);
	free((char *)(uintptr_t)k->channel.p);
	hostd_json_free(&k->parts);
	free(k);
}

void
asked_free(struct hostd_inst *in)
{
	struct table_entry *e;

	while ((e = table_next(&in->asked, NULL)) != NULL)
		asked_end(in, TABLE_OF(e, struct asked, entry));
	table_free(&in->asked);
}

static struct asked *
asked_new(struct hostd_inst *in, hostd_buf rid)
{
	struct asked *k = calloc(1, sizeof(*k) + rid.n);

	if (k == NULL)
		return NULL;
	memcpy(k->rid, rid.p, rid.n);
	k->nrid = rid.n;
	k->ref = ++in->last_ref;
	k->entry.name.p = &k->ref;
	k->entry.name.n = sizeof(k->ref);
	if (table_add(&in->asked, &k->entry) == 0)
		return k;
	free(k);
	return NULL;
}

void
asked(struct space *s, hostd_buf rid, hostd_buf uid, int only_ids,
    const struct hostd_sio_question *q)
{
	static const hostd_buf common = { NULL, 0 };
	struct hostd_inst *in = s->in;
	struct asked *k;

	if (in->asked.n >= ASKED_MAX) {
		link_ignore(in, s->channels[REQUESTS].entry.name,
		    "too many questions wait for an answer");
		return;
	}
	if ((k = asked_new(in, rid)) == NULL)
		return;
	k->type = q->type;
	k->only_ids = only_ids;
	k->nnsp = s->name.n;
	if (in->sharded)
		k->channel = channel_name(in, "", s->name, uid);
	else
		k->channel = channel_name(in, "-response", s->name,
		    in->on_own_channel && q->type != HOSTD_SIO_ASK_SERVERS ?
		    uid : common);
	if (k->channel.p == NULL) {
		asked_end(in, k);
		return;
	}
	in->api->asked(in->api, k->ref, q);
}

/* -- answers -- */

static void
begin(struct hostd_inst *in, const struct asked *k, enum answer type,
    enum sharded_answer sharded)
{
	struct hostd_json *j = &in->json;
	hostd_buf rid = { k->rid, k->nrid };

	if (in->sharded) {
		sharded_begin(in, (int)sharded, rid);
		return;
	}
	hostd_json_reset(j);
	hostd_json_begin(j, '{');
	if (type != NO_TYPE) {
		hostd_json_key(j, "type");
		hostd_json_int64(j, (int64_t)type);
	}
	hostd_json_key(j, "requestId");
	hostd_json_strn(j, rid);
}

/* args: of what is in it; NULL: there are none. */
static void
finish(struct hostd_inst *in, const struct asked *k,
    const struct hostd_sio_args *args)
{
	hostd_buf nsp = { (const char *)k->channel.p + in->key.n + 1, k->nnsp };
	hostd_buf message;

	if (in->sharded) {
		message = sharded_end(in, nsp, args);
	} else {
		hostd_json_end(&in->json, '}');
		message = hostd_json_done(&in->json);
	}
	if (message.p != NULL)
		(void)link_publish(in, k->channel, message);
}

static void
put_socket(struct asked *k, const struct hostd_sio_remote *s)
{
	struct hostd_json *j = &k->parts;

	if (k->only_ids) {
		hostd_json_strn(j, s->id);
		return;
	}
	hostd_json_begin(j, '{');
	hostd_json_key(j, "id");
	hostd_json_strn(j, s->id);
	hostd_json_key(j, "handshake");
	hostd_json_raw(j, s->handshake.n > 0 ? s->handshake : hostd_str("{}"));
	hostd_json_key(j, "rooms");
	hostd_json_raw(j, s->rooms.n > 0 ? s->rooms : hostd_str("[]"));
	hostd_json_key(j, "data");
	hostd_json_raw(j, s->data.n > 0 ? s->data : hostd_str("{}"));
	hostd_json_end(j, '}');
}

/* All that has come, as a list. */
static void
answer_parts(struct hostd_inst *in, struct asked *k, const char *key)
{
	begin(in, k, NO_TYPE, SHARDED_SOCKETS);
	hostd_json_key(&in->json, key);
	hostd_json_begin(&in->json, '[');
	hostd_json_bytes(&in->json, k->parts.p, k->parts.n);
	hostd_json_end(&in->json, ']');
	if (!k->parts.failed)
		finish(in, k, NULL);
}

static void
answer_sockets(struct hostd_inst *in, struct asked *k,
    const struct hostd_sio_reply *r)
{
	uint32_t i;

	for (i = 0; i < r->nsockets; i++)
		put_socket(k, &r->sockets[i]);
	if (r->flags & HOSTD_SIO_LAST)
		answer_parts(in, k, "sockets");
}

static void
answer_rooms(struct hostd_inst *in, struct asked *k,
    const struct hostd_sio_reply *r)
{
	struct hostd_json_walk w;
	hostd_buf room;

	w = hostd_json_walk(r->rooms);
	while (hostd_json_next(&w, &room))
		hostd_json_raw(&k->parts, room);
	if (r->flags & HOSTD_SIO_LAST)
		answer_parts(in, k, "rooms");
}

/* A node that has nobody to answer keeps silent, as Node's does. */
static void
answer_server(struct hostd_inst *in, const struct asked *k,
    const struct hostd_sio_args *args)
{
	if (args == NULL || args_check(args, SHARDED_AROUND) != HOSTD_OK)
		return;
	begin(in, k, SERVER_SIDE_EMIT, SHARDED_SERVER);
	if (args->n > 0 && in->sharded) {
		hostd_json_key(&in->json, "packet");
		hostd_json_raw(&in->json, args->v[0]);
	} else if (args->n > 0) {
		hostd_json_key(&in->json, "data");
		write_json_arg(&in->json, args->v[0], args);
	}
	finish(in, k, args);
}

static void
answer_count(struct hostd_inst *in, struct asked *k, uint32_t n)
{
	k->counted = 1;
	begin(in, k, CLIENT_COUNT, SHARDED_COUNT);
	hostd_json_key(&in->json, "clientCount");
	hostd_json_int64(&in->json, n);
	finish(in, k, NULL);
}

/* What one client has said: its first argument. */
static void
answer_client_sharded(struct hostd_inst *in, const struct asked *k,
    const struct hostd_sio_args *args)
{
	if (args_check(args, SHARDED_AROUND) != HOSTD_OK)
		return;
	begin(in, k, CLIENT_ANSWER, SHARDED_CLIENT);
	if (args->n > 0) {
		hostd_json_key(&in->json, "packet");
		hostd_json_raw(&in->json, args->v[0]);
	}
	finish(in, k, args);
}

static void
answer_client(struct hostd_inst *in, const struct asked *k,
    const struct hostd_sio_args *args)
{
	msgpack_sbuffer *b = &in->out;
	hostd_buf rid = { k->rid, k->nrid }, message;

	msgpack_sbuffer_clear(b);
	if (args_check(args, 0) != HOSTD_OK ||
	    pack_map(b, args->n > 0 ? 3 : 2) == -1 ||
	    pack_word(b, "type") == -1 ||
	    pack_number(b, CLIENT_ANSWER) == -1 ||
	    pack_word(b, "requestId") == -1 || pack_text(b, rid) == -1)
		return;
	if (args->n > 0 && (pack_word(b, "packet") == -1 || pack_json(b,
	    args->v[0], args->bins, args->nbins) == -1))
		return;
	message.p = b->data;
	message.n = b->size;
	(void)link_publish(in, k->channel, message);
}

void
answer(struct hostd_inst *in, uint64_t ref, const struct hostd_sio_reply *r)
{
	struct asked *k = asked_find(in, ref);

	if (k == NULL)
		return;
	switch (k->type) {
	case HOSTD_SIO_ASK_SOCKETS:
		answer_sockets(in, k, r);
		break;
	case HOSTD_SIO_ASK_ROOMS:
		answer_rooms(in, k, r);
		break;
	case HOSTD_SIO_ASK_SERVERS:
		answer_server(in, k, r->args);
		break;
	default:
		if (!k->counted)
			answer_count(in, k, r->clients);
		if (r->args != NULL && in->sharded)
			answer_client_sharded(in, k, r->args);
		else if (r->args != NULL)
			answer_client(in, k, r->args);
	}
	if (r->flags & HOSTD_SIO_LAST)
		asked_end(in, k);
}
