/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat.h"

#define NEXT_MS		1	/* other work comes between two turns */
#define TURN_BYTES	(256u << 10)
#define SEND_COST	4096	/* of any send, in bytes */

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

static struct mail *
mail_new(const struct hostd_inst *in, const struct room *room)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char text[CHANNEL_MAX];
	hostd_buf name = room_channel(in, ROOM_TALK, room->name, text);
	struct mail *m = calloc(1, sizeof(*m) + room->name.n);
	uint32_t total = 0;

	if (m == NULL)
		return NULL;
	memcpy(m + 1, room->name.p, room->name.n);
	m->room = (hostd_buf){ m + 1, room->name.n };
	if (e->ws->members(e->host, name, NULL, 0, &total) == HOSTD_OK &&
	    (m->to = calloc(total + 1, sizeof(*m->to))) != NULL &&
	    e->ws->members(e->host, name, m->to, total, &m->n) == HOSTD_OK)
		return m;
	free(m->to);
	free(m);
	return NULL;
}

void
mail_room(struct hostd_inst *in, const struct room *room, char *text, size_t n)
{
	struct mail *m = text == NULL ? NULL : mail_new(in, room);

	if (m == NULL) {
		free(text);
		return;
	}
	m->bytes = text;
	m->text = (hostd_buf){ text, n };
	STAILQ_INSERT_TAIL(&in->mails, m, link);
	mails_go_on(in);
}
