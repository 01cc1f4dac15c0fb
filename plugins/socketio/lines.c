/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An order that the adapter brings comes to a worker and to the one that takes
 * its place, at slightly different times.  Since the successor has been told of
 * (state_save), which is before it subscribes, the older one tells it what it
 * hears: its number of the order, and the id.  So the successor knows of each
 * of its own whether a socket that comes has had it there.
 *
 *	BUS_LINE	u64 id
 */
#include "cluster_inside.h"

#define SIZE_OURS	8192u
#define SIZE_THEIRS	16384u	/* what is repeated is looked for in here */
#define AGE_OURS	8000
#define AGE_THEIRS	16000
#define LAG_MS		100	/* that what we have subscribed takes to come */

static uint64_t
now_of(const struct cluster *c)
{
	return c->in->easy.host->now_ms(c->in->easy.host);
}

struct line *
lines_find(const struct cluster *c, uint64_t process)
{
	struct line *l;

	LIST_FOREACH(l, &c->lines, link)
		if (l->process == process)
			return l;
	return NULL;
}

static struct line *
line_of(struct cluster *c, uint64_t process)
{
	struct line *l = lines_find(c, process);

	if (l != NULL || (l = calloc(1, sizeof(*l))) == NULL)
		return l;
	l->process = process;
	l->size = SIZE_THEIRS;
	LIST_INSERT_HEAD(&c->lines, l, link);
	return l;
}

void
lines_heard(struct cluster *c, uint64_t seq, uint64_t id)
{
	struct line *l;

	if (peer_has_heir(c)) {
		pack_u64(bus_begin(c, BUS_LINE, seq), id);
		if (bus_send_heir(c) >= 0)
			c->line_seq = seq;
	}
	if (!cluster_is_logging(c))
		return;
	c->line.size = SIZE_OURS;
	(void)line_add(&c->line, seq, id, now_of(c));
	LIST_FOREACH(l, &c->lines, link)
		(void)line_match(l, id, seq);
}

void
lines_came(struct cluster *c, struct bus_message *m)
{
	uint64_t id = unpack_u64(&m->body);
	struct line *l;

	if (m->body.bad || c->in->draining || !cluster_is_here(c, m->node) ||
	    (l = line_of(c, m->process + 1)) == NULL ||
	    line_add(l, m->seq, id, now_of(c)) == -1)
		return;
	line_match_last(l, &c->line, id);
}

void
lines_up(struct cluster *c)
{
	uint64_t now = now_of(c), since = line_began(&c->line);
	struct line *l;

	/* Some of it may have begun a moment before all of it. */
	LIST_FOREACH(l, &c->lines, link)
		line_trim(l, (since < now ? since : now) - LAG_MS);
}

void
lines_beat(struct cluster *c)
{
	uint64_t now = now_of(c);
	struct line *l;

	if (!TAILQ_EMPTY(&c->held))
		held_look(c);
	if (!cluster_is_logging(c)) {
		lines_destroy(c);
		return;
	}
	line_trim(&c->line, now < AGE_OURS ? 0 : now - AGE_OURS);
	LIST_FOREACH(l, &c->lines, link)
		line_trim(l, now < AGE_THEIRS ? 0 : now - AGE_THEIRS);
}

void
lines_destroy(struct cluster *c)
{
	struct line *l;

	while ((l = LIST_FIRST(&c->lines)) != NULL) {
		LIST_REMOVE(l, link);
		line_free(l);
		free(l);
	}
	line_free(&c->line);
}
