/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom a broadcast means.  Each has a number, the mark, and a socket that has
 * it was chosen already, or is not to be.
 */
#include <stdlib.h>
#include <string.h>
#include "metrics.h"
#include "space.h"

static void
next_mark(struct space *sp)
{
	uint32_t at = 0;
	struct sio_socket *s;

	if (++sp->mark != 0)
		return;
	while ((s = socket_next(sp->in, &at)) != NULL)
		if (s->space == sp)
			s->mark = 0;
	sp->mark = 1;
}

static void
mark_except(struct space *sp, const struct hostd_sio_to *to)
{
	const struct room_place *members;
	struct sio_socket *but;
	struct room_place one;
	uint32_t i, j, n;

	for (i = 0; i < to->nexcept; i++) {
		n = room_members(sp, to->except[i], &members, &one);
		for (j = 0; j < n; j++)
			members[j].socket->mark = sp->mark;
	}
	if (to->but.id != 0 && (but = socket_of(sp->in, to->but.id)) != NULL &&
	    but->space == sp)
		but->mark = sp->mark;
}

/* No more than are in the namespace are ever chosen. */
static struct sio_socket **
room_for(struct spaces *all, uint32_t n)
{
	struct sio_socket **p;

	if (n <= all->size_chosen && all->chosen != NULL)
		return all->chosen;
	n += n / 2 + 16;
	if ((p = realloc(all->chosen, n * sizeof(struct sio_socket *))) ==
	    NULL)
		return NULL;
	all->chosen = p;
	all->size_chosen = n;
	return p;
}

static uint32_t
choose_all(const struct space *sp, struct sio_socket **out)
{
	uint32_t i, n = 0;

	for (i = 0; i < sp->n; i++)
		if (sp->sockets[i]->mark != sp->mark &&
		    sp->sockets[i]->state == SOCKET_CONNECTED)
			out[n++] = sp->sockets[i];
	return n;
}

static uint32_t
choose_rooms(const struct space *sp, const struct hostd_sio_to *to,
    struct sio_socket **out)
{
	const struct room_place *members;
	struct room_place one;
	struct sio_socket *s;
	uint32_t i, j, m, n = 0;

	for (i = 0; i < to->nrooms; i++) {
		m = room_members(sp, to->rooms[i], &members, &one);
		for (j = 0; j < m; j++) {
			s = members[j].socket;
			if (s->mark == sp->mark || s->state !=
			    SOCKET_CONNECTED)
				continue;
			s->mark = sp->mark;
			out[n++] = s;
		}
	}
	return n;
}

int64_t
space_select(struct space *sp, const struct hostd_sio_to *to,
    struct sio_socket ***out)
{
	if ((*out = room_for(sp->in->spaces, sp->n)) == NULL)
		return -1;
	next_mark(sp);
	mark_except(sp, to);
	return to->nrooms == 0 ? choose_all(sp, *out) :
	    choose_rooms(sp, to, *out);
}

static struct eio **
sessions_of(struct spaces *all, struct sio_socket **chosen, uint32_t n)
{
	struct eio **p = all->sessions;
	uint32_t i;

	if (n > all->size_sessions) {
		if ((p = realloc(p, all->size_chosen *
		    sizeof(struct eio *))) == NULL)
			return NULL;
		all->sessions = p;
		all->size_sessions = all->size_chosen;
	}
	for (i = 0; i < n; i++)
		p[i] = chosen[i]->client->eio;
	return p;
}

uint32_t
space_send(struct space *sp, const struct hostd_sio_to *to,
    struct eio_message *m)
{
	struct sio_socket **chosen;
	struct eio **sessions;
	int64_t n;

	if ((n = space_select(sp, to, &chosen)) <= 0)
		return 0;
	metrics_count(sp->in, sp->metrics, METRICS_SENT, (uint32_t)n);
	if (n == 1) {
		(void)eio_send(chosen[0]->client->eio, m, to->flags |
		    EIO_BROADCAST);
		return 1;
	}
	if ((sessions = sessions_of(sp->in->spaces, chosen, (uint32_t)n)) ==
	    NULL)
		return 0;
	eio_send_many(sp->in, sessions, (size_t)n, m, to->flags);
	return (uint32_t)n;
}
