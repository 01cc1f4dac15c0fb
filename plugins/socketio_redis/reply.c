/* SPDX-License-Identifier: BSD-2-Clause */
/* What other nodes answer to our questions. */
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "asking.h"

static void
asking_reply(struct hostd_inst *in, const struct asking *a,
    struct hostd_sio_reply *r)
{
	r->struct_size = sizeof(*r);
	in->api->reply(in->api, a->id, r);
}

/* A node has said all that it has to say. */
static void
asking_reply_last(struct hostd_inst *in, struct asking *a,
    struct hostd_sio_reply *r)
{
	uint64_t id = a->id;

	r->flags = HOSTD_SIO_LAST;
	a->servers--;
	asking_reply(in, a, r);
	/* It may have been cancelled meanwhile. */
	if ((a = asking_by_id(in, id)) != NULL && a->servers <= 0)
		asking_ends(in, a, HOSTD_OK);
}

static int
sockets_grow(struct heard *h, uint32_t n)
{
	struct hostd_sio_remote *all;

	if (n <= h->nsockets)
		return 0;
	if ((all = realloc(h->sockets, n * sizeof(*all))) == NULL)
		return -1;
	h->sockets = all;
	h->nsockets = n;
	return 0;
}

static hostd_buf
member_or(hostd_buf object, const char *name, const char *other)
{
	hostd_buf b = hostd_json_get(object, name);

	return b.p != NULL ? b : hostd_str(other);
}

static int
take_socket(struct heard *h, hostd_buf from, struct hostd_sio_remote *to)
{
	memset(to, 0, sizeof(*to));
	to->struct_size = sizeof(*to);
	to->rooms = heard_strings(h, member_or(from, "rooms", "[]"));
	to->data = member_or(from, "data", "{}");
	to->handshake = member_or(from, "handshake", "{}");
	return heard_text(h, hostd_json_get(from, "id"), &to->id) &&
	    hostd_json_is_array(to->rooms) ? 0 : -1;
}

static int
came_sockets(struct hostd_inst *in, struct asking *a, hostd_buf body)
{
	struct heard *h = &in->heard;
	struct hostd_sio_reply r = { 0 };
	uint32_t i;

	if (heard_values(&h->list, hostd_json_get(body, "sockets")) == -1 ||
	    sockets_grow(h, h->list.n) == -1)
		return -1;
	for (i = 0; i < h->list.n; i++)
		if (take_socket(h, h->list.v[i], &h->sockets[i]) == -1)
			return -1;
	r.sockets = h->sockets;
	r.nsockets = h->list.n;
	asking_reply_last(in, a, &r);
	return 0;
}

static int
came_rooms(struct hostd_inst *in, struct asking *a, hostd_buf body)
{
	struct hostd_sio_reply r = { .rooms = heard_strings(&in->heard,
		hostd_json_get(body, "rooms")) };

	if (!hostd_json_is_array(r.rooms))
		return -1;
	asking_reply_last(in, a, &r);
	return 0;
}

/* What JavaScript leaves undefined is not there. */
static struct hostd_sio_args
one_argument(const struct heard *h, const hostd_buf *value)
{
	struct hostd_sio_args args = { .struct_size = sizeof(args),
		.n = value->p != NULL, .v = value, .bins = h->unpacked.bins,
		.nbins = h->unpacked.nbins };

	return args;
}

static int
came_server(struct hostd_inst *in, struct asking *a, hostd_buf body)
{
	hostd_buf value = hostd_json_get(body, in->sharded ? "packet" :
	    "data");
	struct hostd_sio_args args = one_argument(&in->heard, &value);
	struct hostd_sio_reply r = { .args = &args };

	asking_reply_last(in, a, &r);
	return 0;
}

/* All nodes have said how many, and as many have answered. */
static void
clients_check(struct hostd_inst *in, uint64_t id)
{
	struct asking *a = asking_by_id(in, id);

	if (a != NULL && a->servers <= 0 && a->clients <= 0)
		asking_ends(in, a, HOSTD_OK);
}

static int
came_count(struct hostd_inst *in, struct asking *a, hostd_buf body)
{
	struct hostd_sio_reply r = { 0 };
	uint64_t id = a->id;
	int64_t n;

	if (!hostd_json_int(hostd_json_get(body, "clientCount"), &n) ||
	    n < 0 || n > INT32_MAX)
		return -1;
	a->servers--;
	a->clients += n;
	r.clients = (uint32_t)n;
	r.flags = n == 0 ? HOSTD_SIO_LAST : 0;
	asking_reply(in, a, &r);
	clients_check(in, id);
	return 0;
}

static int
came_client(struct hostd_inst *in, struct asking *a, hostd_buf body)
{
	hostd_buf value = hostd_json_get(body, "packet");
	struct hostd_sio_args args = one_argument(&in->heard, &value);
	struct hostd_sio_reply r = { .args = &args };
	uint64_t id = a->id;

	a->clients--;
	asking_reply(in, a, &r);
	clients_check(in, id);
	return 0;
}

static int
came_answer(struct hostd_inst *in, struct asking *a, hostd_buf body,
    int64_t type)
{
	switch (a->type) {
	case HOSTD_SIO_ASK_SOCKETS:
		return came_sockets(in, a, body);
	case HOSTD_SIO_ASK_ROOMS:
		return came_rooms(in, a, body);
	case HOSTD_SIO_ASK_SERVERS:
		return came_server(in, a, body);
	default:
		return type == HEARD_COUNT ? came_count(in, a, body) :
		    type == HEARD_CLIENT ? came_client(in, a, body) : -1;
	}
}

int
heard_answer(struct space *s, hostd_buf body, int64_t type)
{
	struct asking *a;
	hostd_buf rid;

	if (!hostd_json_plain(hostd_json_get(body, "requestId"), &rid) ||
	    (a = asking_find(s->in, rid)) == NULL)
		return 0;
	if (a->space != s || a->state != ASKED)
		return 0;
	return came_answer(s->in, a, body, type);
}

/* Most answers are for others: who asks nothing does not look, and the id says
 * whether to read the rest. */
void
heard_response(struct space *s, hostd_buf channel, hostd_buf message)
{
	struct hostd_inst *in = s->in;
	struct heard *h = &in->heard;
	int64_t type = 0;
	hostd_buf rid;

	if (in->asking.n == 0)
		return;
	if (hostd_json_is_object(message) &&
	    hostd_json_plain(hostd_json_get(message, "requestId"), &rid) &&
	    asking_find(in, rid) == NULL)
		return;
	if (heard_begin(h, channel, message) == -1) {
		link_ignore(in, channel, "it is no answer");
		return;
	}
	(void)hostd_json_int(hostd_json_get(h->json, "type"), &type);
	if (heard_answer(s, h->json, type) == -1)
		link_ignore(in, channel, "it is no answer to what was asked");
}
