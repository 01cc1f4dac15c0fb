/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other nodes are asked.  First how many there are: as many as have
 * subscribed the channel that requests go to.  Then they are asked, and each of
 * them answers once; of clients it says how many it has asked, and what each of
 * those has answered follows.
 */
#include <stdlib.h>
#include <string.h>
#include "asking.h"
#include "pack.h"

enum question { ALL_ROOMS = 1, REMOTE_FETCH = 5, SERVER_SIDE_EMIT = 6,
	BROADCAST = 7 };

/* -- who asks -- */

/* The caller's ids differ, so these do. */
static void
rid_of(const struct hostd_inst *in, uint64_t id, char rid[RID_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t v = id + in->seed;
	int i;

	for (i = 0; i < RID_LEN; i++, v >>= 6)
		rid[i] = digits[v & 63];
	rid[RID_LEN] = '\0';
}

struct asking *
asking_find(const struct hostd_inst *in, hostd_buf rid)
{
	struct table_entry *e = table_find(&in->asking, rid);

	return e == NULL ? NULL : TABLE_OF(e, struct asking, entry);
}

struct asking *
asking_by_id(const struct hostd_inst *in, uint64_t id)
{
	char rid[RID_LEN + 1];
	hostd_buf name = { rid, RID_LEN };

	rid_of(in, id, rid);
	return asking_find(in, name);
}

int
ask_is_own(const struct hostd_inst *in, hostd_buf rid)
{
	return asking_find(in, rid) != NULL;
}

static void
asking_free(struct hostd_inst *in, struct asking *a)
{
	table_remove(&in->asking, &a->entry);
	if (a->timer.id != 0)
		(void)in->redis.timers->stop(in->host, a->timer);
	free(a);
}

void
asking_ends(struct hostd_inst *in, struct asking *a, int32_t status)
{
	uint64_t id = a->id;

	asking_free(in, a);
	in->api->done(in->api, id, status);
}

static void
asking_late(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct asking *a = arg;

	(void)t;
	a->timer.id = 0;
	asking_ends(in, a, HOSTD_E_TIMEOUT);
}

/* -- how many there are, and asking them -- */

/* Where all nodes listen, each once. */
static hostd_buf
channel_of(const struct asking *a)
{
	enum role role = a->space->in->sharded ? BROADCASTS : REQUESTS;

	return a->space->channels[role].entry.name;
}

static int32_t
asking_send(struct hostd_inst *in, struct asking *a)
{
	hostd_buf message = { a->message, a->n };

	a->state = ASKED;
	return link_publish(in, channel_of(a), message);
}

/* The answer to PUBSUB NUMSUB, of each that was asked: channel, number. */
static void
servers_counted(struct redis_client *c, void *arg, const redisReply *r)
{
	struct node *n = redis_client_arg(c);
	struct hostd_inst *in = n->in;
	struct asking *a = asking_by_id(in, (uint64_t)(uintptr_t)arg);

	if (r == NULL || a == NULL || a->state != COUNTING)
		return;
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
	    r->element[1]->type != REDIS_REPLY_INTEGER) {
		link_refused(in, "PUBSUB NUMSUB", r);
		asking_ends(in, a, HOSTD_E_GONE);
		return;
	}
	a->servers += r->element[1]->integer;
	if (--a->counts > 0)
		return;
	if (--a->servers <= 0)
		asking_ends(in, a, HOSTD_OK);
	else if (asking_send(in, a) < 0)
		asking_ends(in, a, HOSTD_E_GONE);
}

static int32_t
count_at(struct asking *a, const struct node *n)
{
	hostd_buf channel = channel_of(a);
	const char *argv[3] = { "PUBSUB", n->in->sharded ? "SHARDNUMSUB" :
		"NUMSUB", channel.p };
	const size_t lens[3] = { 6, strlen(argv[1]), channel.n };

	a->counts++;
	return redis_command(n->pub, servers_counted,
	    (void *)(uintptr_t)a->id, 3, argv, lens);
}

/* Classic channels are counted by each of a cluster. */
static int32_t
asking_count(struct hostd_inst *in, struct asking *a)
{
	const struct node *n;
	int32_t rc = HOSTD_E_STATE;

	a->state = COUNTING;
	a->servers = 0;
	a->counts = 0;
	if (in->sharded)
		return (n = node_of(in, channel_of(a))) == NULL ? rc :
		    count_at(a, n);
	for (n = node_next(in, NULL); n != NULL; n = node_next(in, n))
		if ((rc = count_at(a, n)) < 0)
			break;
	return rc;
}

void
ask_space_ready(struct space *s)
{
	struct table_entry *e;
	struct asking *a;

	for (e = table_next(&s->in->asking, NULL); e != NULL;
	    e = table_next(&s->in->asking, e)) {
		a = TABLE_OF(e, struct asking, entry);
		if (a->space == s && a->state == WAITING &&
		    asking_count(s->in, a) < 0)
			a->state = WAITING;
	}
}

/* -- the question -- */

static int
write_clients(struct hostd_inst *in, const struct hostd_sio_question *q,
    hostd_buf rid)
{
	msgpack_sbuffer *b = &in->out;
	hostd_buf uid = { in->uid, UID_LEN };

	return pack_map(b, 5) == -1 || pack_word(b, "uid") == -1 ||
	    pack_text(b, uid) == -1 || pack_word(b, "requestId") == -1 ||
	    pack_text(b, rid) == -1 || pack_word(b, "type") == -1 ||
	    pack_number(b, BROADCAST) == -1 || pack_word(b, "packet") == -1 ||
	    write_packet(in, q->to->nsp, q->name, q->args) == -1 ||
	    pack_word(b, "opts") == -1 ||
	    write_opts(in, q->to, q->timeout_ms) == -1 ? -1 : 0;
}

static void
write_servers(struct hostd_json *j, const struct hostd_sio_question *q)
{
	uint32_t i;

	hostd_json_key(j, "data");
	hostd_json_begin(j, '[');
	hostd_json_strn(j, q->name);
	for (i = 0; q->args != NULL && i < q->args->n; i++)
		write_json_arg(j, q->args->v[i], q->args);
	hostd_json_end(j, ']');
}

static void
write_question(struct hostd_inst *in, const struct hostd_sio_question *q,
    hostd_buf rid)
{
	struct hostd_json *j = &in->json;

	hostd_json_reset(j);
	hostd_json_begin(j, '{');
	hostd_json_key(j, "uid");
	hostd_json_str(j, in->uid);
	hostd_json_key(j, "requestId");
	hostd_json_strn(j, rid);
	hostd_json_key(j, "type");
	hostd_json_int64(j, q->type == HOSTD_SIO_ASK_SOCKETS ? REMOTE_FETCH :
	    q->type == HOSTD_SIO_ASK_ROOMS ? ALL_ROOMS : SERVER_SIDE_EMIT);
	if (q->type == HOSTD_SIO_ASK_SOCKETS)
		write_json_opts(j, q->to);
	else if (q->type == HOSTD_SIO_ASK_SERVERS)
		write_servers(j, q);
	hostd_json_end(j, '}');
}

/* The text of the question; p NULL: out of memory. */
static hostd_buf
question_text(struct hostd_inst *in, const struct hostd_sio_question *q,
    hostd_buf rid)
{
	hostd_buf text = { NULL, 0 };

	if (in->sharded)
		return sharded_question(in, q, rid);
	if (q->type != HOSTD_SIO_ASK_CLIENTS) {
		write_question(in, q, rid);
		return hostd_json_done(&in->json);
	}
	msgpack_sbuffer_clear(&in->out);
	if (write_clients(in, q, rid) == 0) {
		text.p = in->out.data;
		text.n = in->out.size;
	}
	return text;
}

static struct asking *
asking_new(struct hostd_inst *in, const struct hostd_sio_question *q,
    uint64_t id)
{
	char rid[RID_LEN + 1];
	hostd_buf name = { rid, RID_LEN }, text;
	struct asking *a;

	rid_of(in, id, rid);
	text = question_text(in, q, name);
	if (text.p == NULL || (a = calloc(1, sizeof(*a) + text.n)) == NULL)
		return NULL;
	memcpy(a->message, text.p, text.n);
	a->n = text.n;
	memcpy(a->rid, rid, sizeof(rid));
	a->entry.name.p = a->rid;
	a->entry.name.n = RID_LEN;
	a->id = id;
	a->type = q->type;
	if (table_add(&in->asking, &a->entry) == 0)
		return a;
	free(a);
	return NULL;
}

int32_t
ask(struct hostd_inst *in, const struct hostd_sio_question *q, uint64_t id)
{
	struct space *s = space_find(in, q->to->nsp);
	uint32_t ms = q->timeout_ms != 0 ? q->timeout_ms : REQUEST_MS;
	struct asking *a;
	int32_t rc;

	if (!in->up || s == NULL)
		return HOSTD_E_STATE;
	if (q->type < HOSTD_SIO_ASK_SOCKETS ||
	    q->type > HOSTD_SIO_ASK_CLIENTS ||
	    (in->sharded && q->type == HOSTD_SIO_ASK_ROOMS))
		return HOSTD_E_NOTSUP;
	if (args_check(q->args, in->sharded ? SHARDED_AROUND :
	    q->type == HOSTD_SIO_ASK_SERVERS ? 2 : 0) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (asking_by_id(in, id) != NULL)
		return HOSTD_E_STATE;
	if ((a = asking_new(in, q, id)) == NULL)
		return HOSTD_E_NOMEM;
	a->space = s;
	rc = in->redis.timers->start(in->host, ms, 0, asking_late, a,
	    &a->timer);
	if (rc == HOSTD_OK && s->waiting == 0)
		rc = asking_count(in, a);
	if (rc < 0)
		asking_free(in, a);
	return rc < 0 ? rc : HOSTD_OK;
}

void
ask_cancel(struct hostd_inst *in, uint64_t id)
{
	struct asking *a = asking_by_id(in, id);

	if (a != NULL)
		asking_free(in, a);
}

/* -- how they end before they are answered -- */

static struct asking *
asking_of(const struct hostd_inst *in, const struct space *s)
{
	struct table_entry *e;
	struct asking *a;

	for (e = table_next(&in->asking, NULL); e != NULL;
	    e = table_next(&in->asking, e)) {
		a = TABLE_OF(e, struct asking, entry);
		if (s == NULL || a->space == s)
			return a;
	}
	return NULL;
}

static void
gone_later(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct asking *a = arg;

	(void)t;
	a->timer.id = 0;
	asking_ends(in, a, HOSTD_E_GONE);
}

/* Not before the call returns that has ended the namespace. */
static void
asking_orphan(struct hostd_inst *in, struct asking *a)
{
	(void)in->redis.timers->stop(in->host, a->timer);
	a->space = NULL;
	a->state = ASKED;
	if (in->redis.timers->start(in->host, 0, 0, gone_later, a,
	    &a->timer) != HOSTD_OK)
		a->timer.id = 0;
}

void
ask_gone(struct hostd_inst *in, const struct space *s)
{
	struct asking *a;

	while ((a = asking_of(in, s)) != NULL)
		if (s != NULL)
			asking_orphan(in, a);
		else
			asking_ends(in, a, HOSTD_E_GONE);
}

void
ask_free(struct hostd_inst *in)
{
	struct asking *a;

	while ((a = asking_of(in, NULL)) != NULL)
		asking_free(in, a);
	table_free(&in->asking);
}
