/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>
#include "chat.h"

/* One room that a connection is in. */
struct seat {
	LIST_ENTRY(seat) link;
	struct room *room;
};

static int32_t
refuse(struct hostd_inst *in, hostd_ws ws, const char *code, const char *what,
    const char *why)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s %s", what, why);
	return reply_error(in, ws, code, text);
}

/* -- reading a request -- */

/* p NULL: it is not there, or no string. */
static hostd_buf
get_text(const json_t *o, const char *key)
{
	const json_t *s = json_object_get(o, key);
	hostd_buf b = { json_string_value(s), json_string_length(s) };

	return b;
}

/* NULL, or what is wrong with it. */
static const char *
get_room(const struct hostd_inst *in, const json_t *o, hostd_buf *room)
{
	char text[CHANNEL_MAX];
	const char *why;

	*room = get_text(o, "room");
	if (room->p == NULL)
		return "is missing";
	if ((why = words_check_name(*room, in->max_name)) != NULL)
		return why;
	if (*(const char *)room->p == '/')
		return "starts with a slash";
	return room_channel(in, ROOM_DOOR, *room, text).n == 0 ?
	    "is too long" : NULL;
}

static struct seat *
find_seat(const struct member *m, hostd_buf room)
{
	struct seat *s;

	LIST_FOREACH(s, &m->seats, link)
		if (s->room->name.n == room.n &&
		    memcmp(s->room->name.p, room.p, room.n) == 0)
			return s;
	return NULL;
}

int
member_is_in(const struct member *m, hostd_buf room)
{
	return find_seat(m, room) != NULL;
}

/* -- the name -- */

static hostd_buf
name_of(const struct member *m)
{
	hostd_buf b = { m->name, m->name_len };

	return b;
}

static int
is_named(const struct member *m, hostd_buf name)
{
	return m->name != NULL && m->name_len == name.n &&
	    memcmp(m->name, name.p, name.n) == 0;
}

static int32_t
set_name(struct hostd_inst *in, hostd_ws ws, struct member *m, hostd_buf name)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char *copy;

	if (name.p == NULL || is_named(m, name))
		return HOSTD_OK;
	if ((copy = malloc(name.n)) == NULL)
		return HOSTD_E_NOMEM;
	memcpy(copy, name.p, name.n);
	free(m->name);
	m->name = copy;
	m->name_len = name.n;
	return e->ws->set_label(e->host, ws, name);
}

void
member_log_in(const struct hostd_inst *in, struct member *m, hostd_buf name)
{
	if (words_check_name(name, in->max_name) != NULL ||
	    (m->name = malloc(name.n)) == NULL)
		return;
	memcpy(m->name, name.p, name.n);
	m->name_len = name.n;
	m->login = 1;
}

/* What it does, for all to see. */
static json_t *
news_of(struct hostd_inst *in, const struct member *m, const char *type,
    hostd_buf room)
{
	json_t *o = reply_news(in, type, room, name_of(m));

	if (m->login)
		(void)json_object_set_new(o, "login", json_true());
	return o;
}

/* One name for a connection: it is its label in all its rooms.  NULL, or what
 * is wrong with the one in o; *name is what is to be set, p NULL: nothing. */
static const char *
get_name(const struct hostd_inst *in, const struct member *m, const json_t *o,
    hostd_buf *name)
{
	const char *why;

	*name = get_text(o, "name");
	if (name->p == NULL)
		return m->name != NULL && json_object_get(o, "name") == NULL ?
		    NULL : "is missing";
	if ((why = words_check_name(*name, in->max_name)) != NULL)
		return why;
	if (m->login && !is_named(m, *name))
		return "is the one that you have logged in by, and no other";
	if (m->nseats > 0 && !is_named(m, *name))
		return "is another one in a room that you are in";
	return NULL;
}

/* -- joining and leaving -- */

/* Both channels, or none. */
static int32_t
subscribe(struct hostd_inst *in, hostd_ws ws, hostd_buf room)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char talk[CHANNEL_MAX], door[CHANNEL_MAX];
	hostd_buf t = room_channel(in, ROOM_TALK, room, talk);
	int32_t rc;

	if ((rc = e->ws->subscribe(e->host, ws, t)) != HOSTD_OK)
		return rc;
	rc = e->ws->subscribe(e->host, ws,
	    room_channel(in, ROOM_DOOR, room, door));
	if (rc != HOSTD_OK)
		(void)e->ws->unsubscribe(e->host, ws, t);
	return rc;
}

static void
unsubscribe(struct hostd_inst *in, hostd_ws ws, hostd_buf room)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char name[CHANNEL_MAX];

	(void)e->ws->unsubscribe(e->host, ws,
	    room_channel(in, ROOM_TALK, room, name));
	(void)e->ws->unsubscribe(e->host, ws,
	    room_channel(in, ROOM_DOOR, room, name));
}

static struct seat *
new_seat(struct hostd_inst *in, struct member *m, hostd_buf room)
{
	struct seat *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->room = room_enter(in, room)) == NULL) {
		free(s);
		return NULL;
	}
	LIST_INSERT_HEAD(&m->seats, s, link);
	m->nseats++;
	return s;
}

/* A room's name may go with its last seat, so it is left last. */
static void
end_seat(struct hostd_inst *in, struct member *m, struct seat *s)
{
	LIST_REMOVE(s, link);
	m->nseats--;
	room_leave(in, s->room);
	free(s);
}

/* From now on what is said is heard, and before that is what is kept. */
static int32_t
take_seat(struct hostd_inst *in, hostd_ws ws, struct member *m, hostd_buf room)
{
	struct seat *s = new_seat(in, m, room);
	int32_t rc;

	if (s == NULL)
		return HOSTD_E_NOMEM;
	if ((rc = subscribe(in, ws, room)) != HOSTD_OK)
		end_seat(in, m, s);
	return rc;
}

int32_t
member_join(struct hostd_inst *in, hostd_ws ws, struct member *m,
    const json_t *o)
{
	hostd_buf room, name;
	struct seat *s;
	const char *why;
	int32_t rc;

	if ((why = get_room(in, o, &room)) != NULL)
		return refuse(in, ws, "bad_room", "the room's name", why);
	if ((why = get_name(in, m, o, &name)) != NULL)
		return refuse(in, ws, "bad_name", "your name", why);
	if ((rc = set_name(in, ws, m, name)) != HOSTD_OK)
		return rc;
	if ((s = find_seat(m, room)) != NULL) {
		rc = reply_send(in, ws, news_of(in, m, "joined", room));
		return rc < 0 ? rc : question_history(in, ws, s->room);
	}
	rc = m->nseats >= in->max_rooms ? HOSTD_E_FULL :
	    take_seat(in, ws, m, room);
	if (rc == HOSTD_E_FULL)
		return reply_error(in, ws, "too_many_rooms",
		    "you are in as many rooms as one may be");
	if (rc != HOSTD_OK)
		return rc;
	(void)reply_publish(in, ROOM_DOOR, room,
	    news_of(in, m, "joined", room));
	return question_history(in, ws, LIST_FIRST(&m->seats)->room);
}

int32_t
member_leave(struct hostd_inst *in, hostd_ws ws, struct member *m,
    const json_t *o)
{
	hostd_buf room = get_text(o, "room");
	struct seat *s = room.p == NULL ? NULL : find_seat(m, room);
	json_t *left;

	if (s == NULL)
		return reply_error(in, ws, "not_joined",
		    "you are not in that room");
	left = news_of(in, m, "left", room);
	unsubscribe(in, ws, room);
	(void)reply_publish(in, ROOM_DOOR, room, json_incref(left));
	end_seat(in, m, s);
	return reply_send(in, ws, left);
}

void
member_gone(struct hostd_inst *in, struct member *m)
{
	struct seat *s;

	LIST_FOREACH(s, &m->seats, link)
		(void)reply_publish(in, ROOM_DOOR, s->room->name,
		    news_of(in, m, "left", s->room->name));
	member_forget(in, m);
}

void
member_forget(struct hostd_inst *in, struct member *m)
{
	struct seat *s;

	while ((s = LIST_FIRST(&m->seats)) != NULL)
		end_seat(in, m, s);
	free(m->name);
	m->name = NULL;
	m->login = 0;
}

/* -- from worker to worker -- */

int
member_pack(const struct member *m, json_t *o)
{
	json_t *rooms = json_array(), *stale = json_array(), *name;
	const struct seat *s;
	int rc = 0;

	LIST_FOREACH(s, &m->seats, link) {
		name = json_stringn(s->room->name.p, s->room->name.n);
		if (s->room->refresh.stale || s->room->refresh.asked)
			rc |= json_array_append(stale, name);
		rc |= json_array_append_new(rooms, name);
	}
	if (m->name != NULL)
		rc |= json_object_set_new(o, "name",
		    json_stringn(m->name, m->name_len));
	if (m->login)
		rc |= json_object_set_new(o, "login", json_true());
	rc |= json_object_set_new(o, "stale", stale);
	return rc | json_object_set_new(o, "rooms", rooms);
}

/* As much as may have been allowed by whoever has packed it. */
static int
is_name(hostd_buf s)
{
	return s.p != NULL && words_check_name(s, NAME_MAX_CHARS) == NULL;
}

static int32_t
unpack_seat(struct hostd_inst *in, struct member *m, const json_t *room)
{
	hostd_buf name = { json_string_value(room),
		json_string_length(room) };
	char text[CHANNEL_MAX];

	if (!is_name(name) || *(const char *)name.p == '/' ||
	    room_channel(in, ROOM_DOOR, name, text).n == 0 ||
	    find_seat(m, name) != NULL)
		return HOSTD_E_INVAL;
	return new_seat(in, m, name) == NULL ? HOSTD_E_NOMEM : HOSTD_OK;
}

/* What may be missing there is missing here. */
static void
unpack_stale(struct hostd_inst *in, const struct member *m, const json_t *room)
{
	hostd_buf name = { json_string_value(room),
		json_string_length(room) };
	struct seat *s = name.p == NULL ? NULL : find_seat(m, name);

	if (s != NULL && in->history > 0)
		refresh_gap(in, s->room);
}

int32_t
member_unpack(struct hostd_inst *in, struct member *m, const json_t *o)
{
	const json_t *rooms = json_object_get(o, "rooms"), *room;
	hostd_buf name = get_text(o, "name");
	int32_t rc = HOSTD_OK;
	size_t i;

	if (name.p == NULL ? json_array_size(rooms) > 0 : !is_name(name))
		return HOSTD_E_INVAL;
	if (name.p != NULL && (m->name = malloc(name.n)) == NULL)
		return HOSTD_E_NOMEM;
	if (name.p != NULL)
		memcpy(m->name, name.p, m->name_len = name.n);
	m->login = name.p != NULL && json_is_true(json_object_get(o, "login"));
	json_array_foreach(rooms, i, room)
		if (rc == HOSTD_OK)
			rc = unpack_seat(in, m, room);
	json_array_foreach(json_object_get(o, "stale"), i, room)
		unpack_stale(in, m, room);
	return rc;
}

/* -- in a room -- */

static json_int_t
unix_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (json_int_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int32_t
member_message(struct hostd_inst *in, hostd_ws ws, struct member *m,
    const json_t *o)
{
	hostd_buf room = get_text(o, "room"), text = get_text(o, "text");
	json_t *news;

	if (room.p == NULL || find_seat(m, room) == NULL)
		return reply_error(in, ws, "not_joined",
		    "you are not in that room");
	if (text.p == NULL || text.n == 0)
		return reply_error(in, ws, "bad_text", "the text is missing");
	if (words_length(text) > in->max_text)
		return reply_error(in, ws, "bad_text",
		    "the text is too long");
	news = news_of(in, m, "message", room);
	(void)json_object_set_new(news, "text",
	    json_stringn(text.p, text.n));
	(void)json_object_set_new(news, "time", json_integer(unix_ms()));
	return reply_publish(in, ROOM_TALK, room, news);
}

int32_t
member_list(struct hostd_inst *in, hostd_ws ws, struct member *m,
    const json_t *o)
{
	hostd_buf room = get_text(o, "room");

	if (room.p == NULL || find_seat(m, room) == NULL)
		return reply_error(in, ws, "not_joined",
		    "you are not in that room");
	return question_members(in, ws, room);
}
