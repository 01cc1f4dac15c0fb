/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is in a room, as its people here were told, is compared now and then with
 * what all workers and nodes say.  While they are asked somebody may come or
 * go, and word of it and the answers come by different ways.  So a difference
 * counts only when it is still there later, and only of names that have not
 * stirred since we first asked.
 */
#include "chat.h"

#define FIRST_MS	100	/* after somebody has come; up to twice that */
#define GAP_MS		3000	/* after a gap; up to twice that */
#define AGAIN_MS	2000	/* after a difference */

static uint64_t
now_ms(const struct hostd_inst *in)
{
	return in->easy.host->now_ms(in->easy.host);
}

static void
roll_due(struct hostd_inst *in, struct room *room, uint64_t ms)
{
	room->roll.at = now_ms(in) + ms;
	if (room->roll.at < in->next_call)
		in->next_call = room->roll.at;
}

/* Within a quarter of what is configured. */
static void
roll_due_later(struct hostd_inst *in, struct room *room)
{
	roll_due(in, room, in->roll_call - in->roll_call / 4 +
	    watch_jitter(in, in->roll_call / 2));
}

void
roll_begin(struct hostd_inst *in, struct room *room)
{
	memset(&room->roll, 0, sizeof(room->roll));
	if (in->roll_call == 0)
		return;
	room->roll.people = json_object();
	room->roll.stirred = json_object();
	roll_due(in, room, FIRST_MS + watch_jitter(in, FIRST_MS));
}

void
roll_end(struct room *room)
{
	json_decref(room->roll.people);
	json_decref(room->roll.stirred);
	memset(&room->roll, 0, sizeof(room->roll));
}

void
roll_gap(struct hostd_inst *in, struct room *room)
{
	uint64_t ms = GAP_MS + watch_jitter(in, GAP_MS);

	if (in->roll_call > 0 && room->roll.at > now_ms(in) + ms)
		roll_due(in, room, ms);
}

/* -- who is there -- */

/* n more, or fewer. */
static void
count(json_t *people, const char *name, json_int_t n)
{
	n += json_integer_value(json_object_get(people, name));
	if (n > 0)
		(void)json_object_set_new(people, name, json_integer(n));
	else
		(void)json_object_del(people, name);
}

void
roll_heard(struct room *room, const struct hostd_channel_event *ev)
{
	json_t *o = json_loadb(ev->msg.p, ev->msg.n, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "type"));
	const char *name = json_string_value(json_object_get(o, "name"));

	if (type != NULL && name != NULL && room->roll.people != NULL) {
		if (strcmp(type, "joined") == 0)
			count(room->roll.people, name, 1);
		else if (strcmp(type, "left") == 0)
			count(room->roll.people, name, -1);
		(void)json_object_set_new(room->roll.stirred, name,
		    json_true());
	}
	json_decref(o);
}

/* Who is there by the answer; of those who have stirred we know better. */
static json_t *
read_answer(const struct room *room, const hostd_buf *labels, uint32_t n)
{
	json_t *people = json_object(), *value;
	char name[CHANNEL_MAX + 1];
	const char *key;
	uint32_t i;

	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)labels[i].n,
		    (const char *)labels[i].p);
		count(people, name, 1);
	}
	json_object_foreach(room->roll.stirred, key, value) {
		(void)json_object_del(people, key);
		count(people, key, json_integer_value(json_object_get(
		    room->roll.people, key)));
	}
	return people;
}

/* The same names, of however many connections. */
static int
is_same(json_t *a, const json_t *b)
{
	json_t *value;
	const char *name;

	json_object_foreach(a, name, value)
		if (json_object_get(b, name) == NULL)
			return 0;
	return json_object_size(a) == json_object_size(b);
}

/* Those who are in one and not in the other. */
static void
tell(struct hostd_inst *in, const struct room *room, const char *type,
    json_t *those, const json_t *others)
{
	const char *name;
	json_t *value, *news;
	char *text;

	json_object_foreach(those, name, value) {
		if (json_object_get(others, name) != NULL)
			continue;
		news = reply_news(in, type, room->name, hostd_str(name));
		text = json_dumps(news, JSON_COMPACT);
		mail_room(in, room, text, text == NULL ? 0 : strlen(text));
		json_decref(news);
	}
}

/* -- calling -- */

/* NULL: none. */
static struct room *
find_due(struct hostd_inst *in)
{
	uint64_t now = now_ms(in);
	struct room *room;

	if (now < in->next_call)
		return NULL;
	in->next_call = UINT64_MAX;
	TAILQ_FOREACH(room, &in->open, link) {
		if (room->roll.at <= now) {
			in->next_call = now;
			return room;
		}
		if (room->roll.at < in->next_call)
			in->next_call = room->roll.at;
	}
	return NULL;
}

/* One room at a time; whose turn it was is last in line. */
void
roll_next(struct hostd_inst *in)
{
	struct room *room;

	if (in->roll_call == 0 || in->calling ||
	    (room = find_due(in)) == NULL)
		return;
	TAILQ_REMOVE(&in->open, room, link);
	TAILQ_INSERT_TAIL(&in->open, room, link);
	roll_due_later(in, room);
	if (room->roll.known && !room->roll.doubt)
		(void)json_object_clear(room->roll.stirred);
	in->calling = question_roll(in, room) == HOSTD_OK;
}

static void
roll_take(struct hostd_inst *in, struct room *room, json_t *people)
{
	if (room->roll.known) {
		tell(in, room, "left", room->roll.people, people);
		tell(in, room, "joined", people, room->roll.people);
	}
	json_decref(room->roll.people);
	room->roll.people = json_incref(people);
	room->roll.known = 1;
	room->roll.doubt = 0;
	(void)json_object_clear(room->roll.stirred);
}

void
roll_answer(struct hostd_inst *in, hostd_buf name, int32_t status,
    const hostd_buf *labels, uint32_t n)
{
	struct room *room = room_find(in, name);
	json_t *people;

	in->calling = 0;
	if (room == NULL || room->roll.people == NULL)
		return;
	/* Not all have answered, or not all of it is here. */
	if (status != HOSTD_OK || n >= LIST_MAX) {
		room->roll.doubt = 0;
		return;
	}
	people = read_answer(room, labels, n);
	if (!room->roll.known || room->roll.doubt ||
	    is_same(room->roll.people, people)) {
		roll_take(in, room, people);
	} else {
		room->roll.doubt = 1;
		roll_due(in, room, AGAIN_MS);
	}
	json_decref(people);
}
