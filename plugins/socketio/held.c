/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster_inside.h"

#define LINE_MS	5000	/* Redis has brought it to us by then, too */

/* A socket whose session was another worker's a moment ago. */
struct held {
	TAILQ_ENTRY(held) link;
	struct sio_socket *socket;
	struct marks marks;		/* how far it was told there */
	uint64_t line;			/* the same by the adapter, of whom; 0:
					   not known */
	uint64_t line_until;		/* that is not waited for longer */
	int is_new;			/* it is not all there yet */
	int is_pending;			/* it has not been told of the log */
};

static uint64_t
now_of(const struct cluster *c)
{
	return c->in->easy.host->now_ms(c->in->easy.host);
}

static void
held_free(struct cluster *c, struct held *h)
{
	TAILQ_REMOVE(&c->held, h, link);
	h->socket->held = NULL;
	marks_free(&h->marks);
	free(h);
}

/* -- by the adapter -- */

/* Do we know all that its worker had heard when it went? */
static int
is_line_known(const struct cluster *c, const struct held *h)
{
	uint64_t process = h->line - 1;

	return h->line == 0 || now_of(c) >= h->line_until ||
	    marks_get(&c->heard, process) >= marks_get(&h->marks, h->line) ||
	    peer_find(c, process) == NULL;
}

/* And has it come to us? */
static int
is_behind_line(const struct cluster *c, const struct held *h)
{
	const struct line *l = lines_find(c, h->line);

	return l == NULL || now_of(c) >= h->line_until ||
	    line_open(l) > marks_get(&h->marks, h->line);
}

/* One that we have heard by the adapter. */
static int
had_foreign(const struct cluster *c, const struct held *h, uint64_t seq)
{
	const struct line *l = lines_find(c, h->line);
	uint64_t there = l == NULL ? 0 : line_seq(l, &c->line, seq);

	return there != 0 && there <= marks_get(&h->marks, h->line);
}

/* -- by anybody -- */

/* Have we heard all that it was told? */
static int
is_behind(const struct cluster *c, const struct held *h)
{
	uint64_t process;
	uint32_t i;

	for (i = 0; i < h->marks.n; i++) {
		process = h->marks.v[i].process;
		if (!mark_is_foreign(process) && process != c->process &&
		    h->marks.v[i].seq > marks_get(&c->heard, process))
			return 0;
	}
	return is_behind_line(c, h);
}

static int
is_missed(const struct cluster *c, const struct held *h,
    const struct log_entry *e)
{
	if (e->process == c->foreign)
		return h->line != 0 && line_has(&c->line, e->seq) &&
		    !had_foreign(c, h, e->seq);
	return !mark_is_foreign(e->process) &&
	    e->seq > marks_get(&h->marks, e->process);
}

static void
catch_up(struct cluster *c, struct held *h)
{
	struct log_entry *e;

	h->is_pending = 0;
	STAILQ_FOREACH(e, &c->log.all, link)
		if (is_missed(c, h, e))
			cluster_repeat(e, h->socket);
}

void
held_look(struct cluster *c)
{
	struct held *h, *next;

	for (h = TAILQ_FIRST(&c->held); h != NULL; h = next) {
		next = TAILQ_NEXT(h, link);
		if (h->is_new)
			continue;
		if (h->is_pending && is_line_known(c, h))
			catch_up(c, h);
		if (!h->is_pending && is_behind(c, h))
			held_free(c, h);
	}
}

static void
held_run(struct hostd_inst *in, void *arg)
{
	struct cluster *c = arg;
	struct held *h;

	(void)in;
	TAILQ_FOREACH(h, &c->held, link)
		h->is_new = 0;
	held_look(c);
}

static struct held *
held_new(struct cluster *c, struct sio_socket *s, const struct marks *m)
{
	struct held *h = calloc(1, sizeof(*h));
	uint32_t i;

	if (h == NULL)
		return NULL;
	for (i = 0; i < m->n; i++)
		if (marks_raise(&h->marks, m->v[i].process, m->v[i].seq, 0) ==
		    -1) {
			marks_free(&h->marks);
			free(h);
			return NULL;
		}
	h->socket = s;
	s->held = h;
	TAILQ_INSERT_TAIL(&c->held, h, link);
	return h;
}

/* Whose successor it has come to. */
static void
set_line(struct cluster *c, struct held *h)
{
	uint32_t i;

	for (i = 0; i < h->marks.n; i++)
		if (mark_is_foreign(h->marks.v[i].process))
			h->line = h->marks.v[i].process;
	h->line_until = now_of(c) + LINE_MS;
}

int
held_add(struct cluster *c, struct sio_socket *s, const struct marks *m)
{
	const struct hostd_host *host = c->in->easy.host;
	struct held *h;

	if (!log_covers(&c->log, m) || (h = held_new(c, s, m)) == NULL)
		return -1;
	h->is_new = h->is_pending = 1;
	set_line(c, h);
	if (host->post(host, held_run, c) == HOSTD_OK)
		return 0;
	held_free(c, h);
	return -1;
}

void
held_catch_up(struct cluster *c, struct sio_socket *s, const struct marks *m)
{
	struct held *h = held_new(c, s, m);

	if (h == NULL)
		return;
	catch_up(c, h);
	if (is_behind(c, h))
		held_free(c, h);
}

int
held_excludes(const struct sio_socket *s, uint64_t process, uint64_t seq)
{
	const struct cluster *c = s->space->in->cluster;
	const struct held *h = s->held;

	if (h == NULL || h->is_pending)
		return h != NULL;
	return process == c->foreign ? had_foreign(c, h, seq) :
	    seq <= marks_get(&h->marks, process);
}

void
held_forget(struct sio_socket *s)
{
	if (s->held != NULL)
		held_free(s->space->in->cluster, s->held);
}

void
held_destroy(struct cluster *c)
{
	struct held *h;

	while ((h = TAILQ_FIRST(&c->held)) != NULL)
		held_free(c, h);
}
