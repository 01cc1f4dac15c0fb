/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat.h"

#define NEXT_MS		1	/* other work comes between two turns */
#define TURN_BYTES	(256u << 10)
#define SEND_COST	4096	/* of any send, in bytes */
#define PACK_BYTES	(16u << 10)	/* of what a connection takes along */

struct mail {
	STAILQ_ENTRY(mail) link;
	hostd_ws *to;
	uint32_t n, i;			/* of to; the next */
	hostd_buf text, room;
	char *bytes;			/* of the text */
};

static void
mail_end(struct hostd_inst *in)
{
	struct mail *m = STAILQ_FIRST(&in->mails);

	STAILQ_REMOVE_HEAD(&in->mails, link);
	free(m->bytes);
	free(m->to);
	free(m);
}

void
mails_free(struct hostd_inst *in)
{
	while (!STAILQ_EMPTY(&in->mails))
		mail_end(in);
}

/* Whoever has left meanwhile does not get it. */
static void
mail_send(struct hostd_inst *in, const struct mail *m, hostd_ws ws)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	const struct member *to = e->ws->data(e->host, ws);

	if (to != NULL && member_is_in(to, m->room))
		(void)e->ws->send(e->host, ws, m->text, HOSTD_WS_TEXT);
}

static void	mails_go_on(struct hostd_inst *);

static void
mails_turn(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	size_t budget = TURN_BYTES, cost;
	struct mail *m;

	(void)timer;
	(void)arg;
	in->mailing = 0;
	while (budget > 0 && (m = STAILQ_FIRST(&in->mails)) != NULL) {
		if (m->i == m->n) {
			mail_end(in);
			continue;
		}
		mail_send(in, m, m->to[m->i++]);
		cost = SEND_COST + m->text.n;
		budget -= cost < budget ? cost : budget;
	}
	mails_go_on(in);
}

static void
mails_go_on(struct hostd_inst *in)
{
	hostd_timer timer;

	if (!in->mailing && !STAILQ_EMPTY(&in->mails))
		in->mailing = in->timer->start(in->easy.host, NEXT_MS, 0,
		    mails_turn, NULL, &timer) == HOSTD_OK;
}

/* To nobody yet. */
static struct mail *
mail_new(hostd_buf room)
{
	struct mail *m = calloc(1, sizeof(*m) + room.n);

	if (m == NULL)
		return NULL;
	memcpy(m + 1, room.p, room.n);
	m->room = (hostd_buf){ m + 1, room.n };
	return m;
}

static int
address_all(const struct hostd_inst *in, struct mail *m)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char text[CHANNEL_MAX];
	hostd_buf name = room_channel(in, ROOM_TALK, m->room, text);
	uint32_t total = 0;

	if (e->ws->members(e->host, name, NULL, 0, &total) != HOSTD_OK ||
	    (m->to = calloc(total + 1, sizeof(*m->to))) == NULL ||
	    e->ws->members(e->host, name, m->to, total, &m->n) != HOSTD_OK)
		return -1;
	/* More than there is room for are only counted. */
	if (m->n > total)
		m->n = total;
	return 0;
}

static int
address_one(struct mail *m, hostd_ws ws)
{
	if ((m->to = calloc(1, sizeof(*m->to))) == NULL)
		return -1;
	m->to[0] = ws;
	m->n = 1;
	return 0;
}

/* It is addressed; the text is its own from now on. */
static void
post(struct hostd_inst *in, struct mail *m, char *text, size_t n)
{
	m->bytes = text;
	m->text = (hostd_buf){ text, n };
	STAILQ_INSERT_TAIL(&in->mails, m, link);
	mails_go_on(in);
}

static void
mail_drop(struct mail *m, char *text)
{
	if (m != NULL)
		free(m->to);
	free(m);
	free(text);
}

void
mail_room(struct hostd_inst *in, const struct room *room, char *text, size_t n)
{
	struct mail *m = text == NULL ? NULL : mail_new(room->name);

	if (m == NULL || address_all(in, m) == -1)
		mail_drop(m, text);
	else
		post(in, m, text, n);
}

/* -- from worker to worker -- */

static int
is_for(const struct mail *m, hostd_ws ws)
{
	uint32_t i;

	for (i = m->i; i < m->n; i++)
		if (m->to[i].id == ws.id)
			return 1;
	return 0;
}

int
mails_pack(const struct hostd_inst *in, hostd_ws ws, json_t *o)
{
	json_t *mails = json_array(), *room;
	size_t left = PACK_BYTES;
	const struct mail *m;
	int rc = 0;

	STAILQ_FOREACH(m, &in->mails, link) {
		if (!is_for(m, ws))
			continue;
		room = json_stringn(m->room.p, m->room.n);
		if (m->text.n > left) {
			rc |= json_array_append_new(json_object_get(o,
			    "stale"), room);
			continue;
		}
		left -= m->text.n;
		rc |= json_array_append_new(mails, json_pack("{s:o,s:o}",
		    "room", room, "text", json_stringn(m->text.p,
		    m->text.n)));
	}
	return rc | json_object_set_new(o, "mails", mails);
}

static int32_t
unpack_mail(struct hostd_inst *in, hostd_ws ws, const json_t *o)
{
	const json_t *room = json_object_get(o, "room"),
	    *text = json_object_get(o, "text");
	hostd_buf name = { json_string_value(room),
		json_string_length(room) };
	struct mail *m;
	char *copy;

	if (name.p == NULL || !json_is_string(text))
		return HOSTD_E_INVAL;
	copy = strdup(json_string_value(text));
	m = mail_new(name);
	if (m == NULL || copy == NULL || address_one(m, ws) == -1) {
		mail_drop(m, copy);
		return HOSTD_E_NOMEM;
	}
	post(in, m, copy, json_string_length(text));
	return HOSTD_OK;
}

int32_t
mails_unpack(struct hostd_inst *in, hostd_ws ws, const json_t *o)
{
	const json_t *mails = json_object_get(o, "mails"), *mail;
	int32_t rc = HOSTD_OK;
	size_t i;

	json_array_foreach(mails, i, mail)
		if (rc == HOSTD_OK)
			rc = unpack_mail(in, ws, mail);
	return rc;
}
