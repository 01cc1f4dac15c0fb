/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster_inside.h"

/* A socket whose session was another worker's a moment ago. */
struct held {
	TAILQ_ENTRY(held) link;
	struct sio_socket *socket;
	struct marks marks;		/* how far it was told there */
	int is_pending;			/* it has not been told of the log */
};

static void
held_free(struct cluster *c, struct held *h)
{
	TAILQ_REMOVE(&c->held, h, link);
	h->socket->held = NULL;
	marks_free(&h->marks);
	free(h);
}

/* Have we heard all that it was told? */
static int
is_behind(const struct cluster *c, const struct held *h)
{
	uint32_t i;

	for (i = 0; i < h->marks.n; i++)
		if (h->marks.v[i].process != c->process &&
		    h->marks.v[i].seq > marks_get(&c->heard,
		    h->marks.v[i].process))
			return 0;
	return 1;
}

void
held_look(struct cluster *c)
{
	struct held *h, *next;

	for (h = TAILQ_FIRST(&c->held); h != NULL; h = next) {
		next = TAILQ_NEXT(h, link);
		if (!h->is_pending && is_behind(c, h))
			held_free(c, h);
	}
}

static void
catch_up(struct cluster *c, struct held *h)
{
	struct log_entry *e;

	STAILQ_FOREACH(e, &c->log.all, link)
		if (e->process != c->foreign &&
		    e->seq > marks_get(&h->marks, e->process))
			cluster_repeat(e, h->socket);
}

static void
held_run(struct hostd_inst *in, void *arg)
{
	struct cluster *c = arg;
	struct held *h;

	(void)in;
	TAILQ_FOREACH(h, &c->held, link)
		if (h->is_pending) {
			h->is_pending = 0;
			catch_up(c, h);
		}
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

int
held_add(struct cluster *c, struct sio_socket *s, const struct marks *m)
{
	const struct hostd_host *host = c->in->easy.host;
	struct held *h;

	if (!log_covers(&c->log, m) || (h = held_new(c, s, m)) == NULL)
		return -1;
	h->is_pending = 1;
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
	const struct held *h = s->held;

	return h != NULL && (h->is_pending ||
	    seq <= marks_get(&h->marks, process));
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
