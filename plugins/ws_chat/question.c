/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat.h"

#define HISTORY_BYTES	(1u << 20)	/* of messages in one answer */

struct question {
	TAILQ_ENTRY(question) link;
	hostd_ws ws;			/* id 0: the worker asks for itself */
	json_t *room;			/* its name */
	char *text;			/* messages, each with a "," behind
					   it */
	size_t len, size;
	uint32_t *ends;			/* of the messages in it */
	uint32_t n, room_for;
	int members;			/* who is there, not what was said */
};

/* -- life -- */

/* The member that asks; NULL when it has gone, or none has asked. */
static struct member *
member_of(const struct hostd_inst *in, hostd_ws ws)
{
	return ws.id == 0 ? NULL : in->easy.ws->data(in->easy.host, ws);
}

static struct question *
question_new(struct hostd_inst *in, hostd_ws ws, hostd_buf room)
{
	struct member *m = member_of(in, ws);
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL || (q->room = json_stringn(room.p, room.n)) == NULL) {
		free(q);
		return NULL;
	}
	q->ws = ws;
	if (m != NULL)
		m->nquestions++;
	TAILQ_INSERT_TAIL(&in->questions, q, link);
	return q;
}

static void
question_end(struct hostd_inst *in, struct question *q)
{
	struct member *m = member_of(in, q->ws);

	if (m != NULL)
		m->nquestions--;
	TAILQ_REMOVE(&in->questions, q, link);
	json_decref(q->room);
	free(q->text);
	free(q->ends);
	free(q);
}

static hostd_buf
room_of(const struct question *q)
{
	hostd_buf b = { json_string_value(q->room),
		json_string_length(q->room) };

	return b;
}

void
questions_free(struct hostd_inst *in)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&in->questions)) != NULL)
		question_end(in, q);
}

/* -- history -- */

/* Room for one more message of n bytes. */
static int
make_room(struct question *q, size_t n)
{
	size_t size = q->size < 1024 ? 1024 : q->size;
	uint32_t room_for = q->room_for == 0 ? 64 : 2 * q->room_for, *ends;
	char *text;

	while (size - q->len < n)
		size *= 2;
	if (size > q->size) {
		if ((text = realloc(q->text, size)) == NULL)
			return -1;
		q->text = text;
		q->size = size;
	}
	if (q->n == q->room_for) {
		ends = reallocarray(q->ends, room_for, sizeof(*ends));
		if (ends == NULL)
			return -1;
		q->ends = ends;
		q->room_for = room_for;
	}
	return 0;
}

/* Others may publish here as well.  What has no id can't be told from what a
 * client has heard already. */
static int
is_message(hostd_buf msg)
{
	json_t *o = json_loadb(msg.p, msg.n, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "type"));
	int is = type != NULL && strcmp(type, "message") == 0 &&
	    json_is_string(json_object_get(o, "id"));

	json_decref(o);
	return is;
}

static void
add_message(struct question *q, const struct hostd_channel_event *ev)
{
	if (!(ev->flags & HOSTD_WS_TEXT) || ev->msg.n >= HISTORY_BYTES ||
	    !is_message(ev->msg) || make_room(q, ev->msg.n + 1) == -1)
		return;
	memcpy(q->text + q->len, ev->msg.p, ev->msg.n);
	q->len += ev->msg.n;
	q->text[q->len++] = ',';
	q->ends[q->n++] = (uint32_t)q->len;
}

/* The answer as text; the newest messages if they are too many: each worker
 * may have kept others. */
static char *
make_history(const struct hostd_inst *in, const struct question *q, size_t *n)
{
	char *room = json_dumps(q->room, JSON_ENCODE_ANY), *text = NULL;
	size_t from = 0;
	uint32_t i = 0;
	int len;

	while (q->len - from > HISTORY_BYTES || q->n - i > in->history)
		from = q->ends[i++];
	if (room != NULL && (len = asprintf(&text,
	    "{\"type\":\"history\",\"room\":%s,\"messages\":[%.*s]}", room,
	    q->len > from ? (int)(q->len - from - 1) : 0,
	    q->text == NULL ? "" : q->text + from)) >= 0)
		*n = (size_t)len;
	else
		text = NULL;
	free(room);
	return text;
}

static void
send_history(struct hostd_inst *in, const struct question *q)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	hostd_buf msg = { NULL, 0 };
	char *text;

	if (q->ws.id == 0 && q->n == 0) {
		refresh_answer(in, room_of(q), NULL, 0);
		return;
	}
	msg.p = text = make_history(in, q, &msg.n);
	if (q->ws.id == 0) {
		refresh_answer(in, room_of(q), text, msg.n);
		return;
	}
	if (text != NULL)
		(void)e->ws->send(e->host, q->ws, msg, HOSTD_WS_TEXT);
	free(text);
}

static void
history_answer(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_channel_event *ev)
{
	struct question *q = arg;

	(void)status;	/* some of it is better than none */
	if (ev != NULL) {
		if (ev->type == HOSTD_CHANNEL_MESSAGE)
			add_message(q, ev);
		return;
	}
	send_history(in, q);
	question_end(in, q);
}

static int32_t
ask_history(struct hostd_inst *in, struct question *q, const struct mark *since)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char name[CHANNEL_MAX];
	int32_t rc;

	if (q == NULL)
		return HOSTD_E_NOMEM;
	rc = e->channel->replay(e->host, room_channel(in, ROOM_TALK,
	    room_of(q), name), since->node, since->seq, history_answer, q);
	if (rc != HOSTD_OK)
		question_end(in, q);
	return rc;
}

int32_t
question_history(struct hostd_inst *in, hostd_ws ws, const struct room *room)
{
	struct question *q = question_new(in, ws, room->name);
	struct mark all = { 0, 0, 0 };

	if (q == NULL || in->history > 0)
		return ask_history(in, q, &all);
	send_history(in, q);
	question_end(in, q);
	return HOSTD_OK;
}

int32_t
question_refresh(struct hostd_inst *in, const struct room *room,
    const struct mark *since)
{
	hostd_ws nobody = { 0 };

	return ask_history(in, question_new(in, nobody, room->name), since);
}

/* -- who is there -- */

static void
send_members(struct hostd_inst *in, const struct question *q,
    const hostd_buf *labels, uint32_t n)
{
	json_t *names = json_array();
	uint32_t i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(names,
		    json_stringn(labels[i].p, labels[i].n));
	(void)reply_send(in, q->ws, json_pack("{s:s,s:O,s:o}", "type",
	    "members", "room", q->room, "names", names));
}

static void
members_answer(struct hostd_inst *in, void *arg, int32_t status,
    const hostd_buf *labels, uint32_t n)
{
	struct question *q = arg;

	if (q->ws.id == 0)
		roll_answer(in, room_of(q), status, labels, n);
	else
		send_members(in, q, labels, n);
	question_end(in, q);
}

int32_t
question_members(struct hostd_inst *in, hostd_ws ws, hostd_buf room)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	struct question *q = question_new(in, ws, room);
	char name[CHANNEL_MAX];
	int32_t rc;

	if (q == NULL)
		return HOSTD_E_NOMEM;
	q->members = 1;
	rc = e->channel->list(e->host, room_channel(in, ROOM_DOOR, room, name),
	    members_answer, q);
	if (rc != HOSTD_OK)
		question_end(in, q);
	return rc;
}

int32_t
question_roll(struct hostd_inst *in, const struct room *room)
{
	hostd_ws nobody = { 0 };

	return question_members(in, nobody, room->name);
}

/* -- from worker to worker -- */

int
questions_pack(const struct hostd_inst *in, hostd_ws ws, json_t *o)
{
	json_t *history = json_array(), *members = json_array();
	const struct question *q;
	int rc = 0;

	TAILQ_FOREACH(q, &in->questions, link)
		if (q->ws.id == ws.id)
			rc |= json_array_append(q->members ? members : history,
			    q->room);
	rc |= json_object_set_new(o, "history", history);
	return rc | json_object_set_new(o, "members", members);
}

static int32_t
ask_again(struct hostd_inst *in, hostd_ws ws, int members, const json_t *room)
{
	hostd_buf name = { json_string_value(room),
		json_string_length(room) };
	const struct room *r = name.p == NULL ? NULL : room_find(in, name);
	const struct member *m = member_of(in, ws);

	/* It has left it meanwhile, or nothing is kept any more. */
	if (r == NULL || m == NULL || !member_is_in(m, name) ||
	    (!members && in->history == 0))
		return HOSTD_OK;
	return members ? question_members(in, ws, name) :
	    question_history(in, ws, r);
}

int32_t
questions_unpack(struct hostd_inst *in, hostd_ws ws, const json_t *o)
{
	const json_t *history = json_object_get(o, "history"),
	    *members = json_object_get(o, "members"), *room;
	int32_t rc = HOSTD_OK;
	size_t i;

	json_array_foreach(history, i, room)
		if (rc == HOSTD_OK)
			rc = ask_again(in, ws, 0, room);
	json_array_foreach(members, i, room)
		if (rc == HOSTD_OK)
			rc = ask_again(in, ws, 1, room);
	return rc;
}
