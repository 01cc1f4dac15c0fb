/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chat rooms.  Each WebSocket message is one JSON object, as text.
 *
 * A client sends
 *
 *	{"type":"join","room":"lobby","name":"Ada"}
 *	{"type":"message","room":"lobby","text":"Good morning!"}
 *	{"type":"list","room":"lobby"}
 *	{"type":"leave","room":"lobby"}
 *
 * and receives
 *
 *	{"type":"welcome","worker":"web.1 pid 4711","node":"alpha"}
 *		The first: who serves it; and "user":"Ada" for who has logged
 *		in.
 *	{"type":"joined","room":"lobby","name":"Ada","id":"..."}
 *	{"type":"left","room":"lobby","name":"Ada","id":"..."}
 *		Somebody has, perhaps it itself.  Whoever closes or loses the
 *		connection has left.
 *	{"type":"message","room":"lobby","name":"Ada","id":"...",
 *	 "text":"Good morning!","time":1767225600000}
 *		Also to the one who said it.  time is in ms since 1970.
 *	{"type":"history","room":"lobby","messages":[{"type":"message",...}]}
 *		What is kept, oldest first: after a join all of it; when
 *		messages may have been lost between workers or nodes those that
 *		may be new, and nothing if there are none.
 *	{"type":"members","room":"lobby","names":["Ada","Bob","Ada"]}
 *		The answer to list, in no order: one for each connection, at
 *		most 1000.
 *	{"type":"error","code":"bad_name","text":"your name is empty"}
 *		A request was not followed; the connection goes on.  Codes:
 *		not_text, bad_json, bad_type, bad_room, bad_name, bad_text,
 *		not_joined, too_many_rooms, busy (too much was asked at once).
 *
 * A worker or a node that dies says nothing of those who were with it, and word
 * may be lost.  So every roll_call, and some seconds after a loss, each worker
 * asks all others who is in a room that it has people in.  When the answer is
 * not what they were told, and still is not when it asks again, they are told
 * by "left" of each name that nobody there has any more, and by "joined" of
 * each that is new.  Of a name that several connections have nothing is said
 * while one of them is there; of rooms with 1000 connections nothing at all.  A
 * node that can't be reached is as good as dead.
 *
 * A message may be heard and be in a history: the same id says so.  Messages of
 * several people come in no certain order; time sorts them.
 *
 * A connection has one name, given with its first join; it may be another once
 * all rooms are left.  Names, of people and rooms, are at most max_name
 * characters (code points) of UTF-8, have no control characters and neither
 * start nor end with a space; a room's does not start with a slash.  A text is
 * at most max_text characters.
 *
 * Whoever had logged in when the connection was made, so that the key user_key
 * of the session is a name, has that name and no other; what "joined", "left"
 * and "message" say of him has "login":true.  Others may call themselves the
 * same, but do not have that.
 *
 * What one client may send is limited by the route, as in
 *
 *	route "/chat" {
 *		plugin = "ws_chat"
 *		websocket { message_rate = 20  message_burst = 100 }
 *	}
 *
 * A worker keeps the messages of all rooms that somebody here is in, and of the
 * idle_rooms that were left last, for history_age each.
 *
 * What is said in a room is published to the channel "<prefix><room>", where
 * others may publish, too: what they publish reaches clients as it is, and the
 * history if it is an object of type "message" with an id.  Who comes and goes
 * is published to "<prefix>/<room>".
 */
#include <sys/random.h>
#include "chat.h"

#define TIDY_MS 10000

/* -- one connection -- */

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	return login_look(in, req, d);
}

static void
on_refused(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	(void)req;
	(void)why;
	member_forget(in, d);
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	const struct member *m = d;
	hostd_buf user = { m->login ? m->name : NULL, m->name_len };

	if (m->login)
		(void)e->ws->set_label(e->host, ws, user);
	(void)reply_welcome(in, ws, user);
}

static int32_t
follow(struct hostd_inst *in, hostd_ws ws, struct member *m, const json_t *o)
{
	static const struct {
		const char *type;
		int asks;
		int32_t (*fn)(struct hostd_inst *, hostd_ws, struct member *,
		    const json_t *);
	} requests[] = {
		{ "message", 0, member_message },
		{ "join", 1, member_join },
		{ "leave", 0, member_leave },
		{ "list", 1, member_list },
	};
	const char *type = json_string_value(json_object_get(o, "type"));
	size_t i;

	for (i = 0; type != NULL && i < sizeof(requests) / sizeof(*requests);
	    i++) {
		if (strcmp(type, requests[i].type) != 0)
			continue;
		if (requests[i].asks && m->nquestions >= QUESTIONS_MAX)
			return reply_error(in, ws, "busy",
			    "wait for the answers to what you have asked");
		return requests[i].fn(in, ws, m, o);
	}
	return reply_error(in, ws, "bad_type",
	    "type is none of join, leave, message and list");
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	json_t *o;
	int32_t rc;

	if (!(flags & HOSTD_WS_TEXT))
		return reply_error(in, ws, "not_text",
		    "requests are JSON, sent as text");
	o = json_loadb(msg.p, msg.n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(o))
		rc = follow(in, ws, d, o);
	else
		rc = reply_error(in, ws, "bad_json",
		    "this is no JSON object, or has a key twice");
	json_decref(o);
	return rc;
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	(void)ws;
	(void)code;
	(void)reason;
	member_gone(in, d);
}

/* -- all of them -- */

static void
on_tidy(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer;
	(void)arg;
	rooms_tidy(in);
}

static int32_t
start(struct hostd_inst *in)
{
	hostd_timer timer;

	return in->timer->start(in->easy.host, TIDY_MS, TIDY_MS, on_tidy, NULL,
	    &timer);
}

/* -- the configuration -- */

static const struct hostd_key key_history = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "history", "100",
	"Messages of a room that are kept for who joins later.", 0, 1000, NULL
};
static const struct hostd_key key_history_age = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "history_age", "15m",
	"How long they are kept.", 1000, 7 * 86400 * 1000, NULL
};
static const struct hostd_key key_max_rooms = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_rooms", "20",
	"Rooms that one connection may be in; each takes two of the route's "
	"max_channels.", 1, 500, NULL
};
static const struct hostd_key key_idle_rooms = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "idle_rooms", "100",
	"Rooms that nobody is in any more whose messages a worker keeps.",
	0, 1000000, NULL
};
static const struct hostd_key key_max_name = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_name", "32",
	"Characters of a name, of a person or a room.", 1, NAME_MAX_CHARS, NULL
};
static const struct hostd_key key_max_text = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_text", "2000",
	"Characters of a text.", 1, 100000, NULL
};
static const struct hostd_key key_prefix = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "prefix", "chat/",
	"What the names of the rooms' channels start with.", 1, PREFIX_MAX,
	NULL
};
static const struct hostd_key key_roll_call = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "roll_call", "20s",
	"How often it is looked who of a room has gone without a word; 0: "
	"never.", 0, 86400 * 1000, NULL
};
static const struct hostd_key key_user_key = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "user_key", "user",
	"The key of a session that has the name of who has logged in; \"\": "
	"all choose their names.", 0, 255, NULL
};
static const struct hostd_key *const keys[] = {
	&key_history, &key_history_age, &key_max_rooms, &key_idle_rooms,
	&key_max_name, &key_max_text, &key_prefix, &key_roll_call,
	&key_user_key, NULL
};

/* As hostd.channel/1 has it. */
static int
is_channel_start(hostd_buf s)
{
	const unsigned char *p = s.p, *end = p + s.n;

	for (; p < end; p++)
		if (*p < ' ' || *p == 0x7f)
			return 0;
	return s.n < 6 || memcmp(s.p, "hostd/", 6) != 0;
}

static int32_t
read_conf(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const struct {
		const char *key;
		uint32_t *to;
	} numbers[] = {
		{ "history", &in->history },
		{ "history_age", &in->history_age },
		{ "max_rooms", &in->max_rooms },
		{ "idle_rooms", &in->idle_rooms },
		{ "max_name", &in->max_name },
		{ "max_text", &in->max_text },
		{ "roll_call", &in->roll_call },
	};
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (conf->get_int(conf, numbers[i].key, &n) != HOSTD_OK)
			return hostd_fail(err, HOSTD_E_INVAL,
			    "the host does not know this plugin's keys");
		*numbers[i].to = (uint32_t)n;
	}
	if (conf->get_str(conf, "prefix", &in->prefix) != HOSTD_OK ||
	    conf->get_str(conf, "user_key", &in->user_key) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "the host does not know this plugin's keys");
	if (!is_channel_start(in->prefix))
		return hostd_fail(err, HOSTD_E_INVAL, "prefix: no channel's "
		    "name has control bytes, and those that start with "
		    "\"hostd/\" are the host's");
	return HOSTD_OK;
}

static int32_t
bind_tables(struct hostd_inst *in, struct hostd_err *err)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	in->timer = e->host->get_ext(e->host, HOSTD_EXT_TIMER);
	in->status = e->host->get_ext(e->host, HOSTD_EXT_STATUS);
	if (e->ws == NULL || e->channel == NULL || in->timer == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_WS ", " HOSTD_EXT_CHANNEL " or "
		    HOSTD_EXT_TIMER);
	if (getrandom(&in->origin, sizeof(in->origin), 0) !=
	    sizeof(in->origin))
		return hostd_fail(err, HOSTD_E_IO, "no random numbers");
	in->dice = in->origin;
	return HOSTD_OK;
}

/* -- life -- */

static void
destroy(struct hostd_inst *in)
{
	questions_free(in);
	mails_free(in);
	rooms_free(in);
	free(in->welcome);
	free(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	TAILQ_INIT(&in->open);
	TAILQ_INIT(&in->idle);
	TAILQ_INIT(&in->questions);
	STAILQ_INIT(&in->mails);
	if ((rc = bind_tables(in, err)) != HOSTD_OK ||
	    (rc = read_conf(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_WS_STATE) == 0 ? &move_table : NULL;
}

static const struct hostd_ws_ops ops = {
	.struct_size = sizeof(ops), .data_size = sizeof(struct member),
	.on_upgrade = on_upgrade, .on_refused = on_refused, .on_open = on_open,
	.on_message = on_message, .on_close = on_close
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ops, .route = "/chat"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "ws_chat", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
	.create = create, .start = start, .destroy = destroy,
	.get_ext = get_ext
};
