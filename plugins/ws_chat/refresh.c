/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After a gap a worker asks for what is kept of a room, behind the last message
 * before which it has missed nothing.  A gap is told late: when a connection
 * turns out to be dead, messages by others have come since the first was lost.
 * So that message is one that was heard a good while before.
 *
 * Gaps come in bursts, to all rooms and all workers at once, and an answer may
 * be long.  So rooms take turns, and a room's come at least REFRESH_MS apart.
 */
#include "chat.h"

#define GAP_MS		250	/* it seldom comes alone */
#define JITTER_MS	250
#define REFRESH_MS	5000
#define SURE_MS		30000	/* losses are noticed within it */
#define TICK_ROOMS	2	/* asked for in one tick */
#define ROOMS_MAX	4	/* asked for and not answered */

static uint64_t
now_ms(const struct hostd_inst *in)
{
	return in->easy.host->now_ms(in->easy.host);
}

/* Two marks, SURE_MS apart: one of them is old enough, and not much older. */
void
refresh_heard(const struct hostd_inst *in, struct room *room,
    const struct hostd_channel_event *ev)
{
	struct mark *newer = &room->refresh.newer;
	uint64_t now = now_ms(in);

	if (newer->at != 0 && now - newer->at < SURE_MS)
		return;
	room->refresh.older = *newer;
	*newer = (struct mark){ ev->node, ev->seq, now };
}

void
refresh_gap(struct hostd_inst *in, struct room *room)
{
	uint64_t now = now_ms(in), at;

	/* Another one before this one was asked for: what is missing begins
	 * where it did. */
	if (room->refresh.stale)
		return;
	in->nstale++;
	room->refresh.stale = 1;
	room->refresh.since = now - room->refresh.newer.at >= SURE_MS ?
	    room->refresh.newer : room->refresh.older;
	at = now + GAP_MS + watch_jitter(in, JITTER_MS);
	if (room->refresh.at < at)
		room->refresh.at = at;
}

static void
refresh_settle(struct hostd_inst *in, struct room *room)
{
	in->nstale -= room->refresh.stale != 0;
	room->refresh.stale = 0;
}

/* NULL: none. */
static struct room *
find_due(const struct hostd_inst *in)
{
	uint64_t now = now_ms(in);
	struct room *room;

	TAILQ_FOREACH(room, &in->open, link)
		if (room->refresh.stale && !room->refresh.asked &&
		    room->refresh.at <= now)
			return room;
	return NULL;
}

static int
refresh_ask(struct hostd_inst *in, struct room *room)
{
	room->refresh.at = now_ms(in) + REFRESH_MS;
	if (question_refresh(in, room, &room->refresh.since) != HOSTD_OK)
		return -1;
	refresh_settle(in, room);
	room->refresh.asked = 1;
	in->nrefreshing++;
	return 0;
}

void
refresh_next(struct hostd_inst *in)
{
	struct room *room;
	int i;

	/* The last ones are still being sent. */
	if (in->nstale == 0 || !STAILQ_EMPTY(&in->mails))
		return;
	for (i = 0; i < TICK_ROOMS && in->nrefreshing < ROOMS_MAX; i++)
		if ((room = find_due(in)) == NULL ||
		    refresh_ask(in, room) == -1)
			return;
}

void
refresh_answer(struct hostd_inst *in, hostd_buf name, char *text, size_t n)
{
	struct room *room = room_find(in, name);

	in->nrefreshing--;
	if (room == NULL || room->seats == 0) {
		free(text);
		return;
	}
	room->refresh.asked = 0;
	if (text != NULL)
		mail_room(in, room, text, n);
}

void
refresh_end(struct hostd_inst *in, struct room *room)
{
	refresh_settle(in, room);
	memset(&room->refresh, 0, sizeof(room->refresh));
}
