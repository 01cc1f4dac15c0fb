/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ack.h"
#include "app.h"
#include "cluster.h"
#include "metrics.h"
#include "recover.h"

#define ID_BYTES (SOCKET_ID_LEN / 4 * 3)

/* -- handles: slot + 1, and how often the slot was used -- */

static int
slots_grow(struct spaces *all)
{
	uint32_t n = all->nhandles == 0 ? 64 : all->nhandles * 2, i;
	struct socket_slot *s;

	if ((s = realloc(all->handles, n * sizeof(*s))) == NULL)
		return -1;
	all->handles = s;
	/* free_handle is a slot + 1; 0: none. */
	for (i = n; i-- > all->nhandles;) {
		memset(&s[i], 0, sizeof(s[i]));
		s[i].next_free = all->free_handle;
		all->free_handle = i + 1;
	}
	all->nhandles = n;
	return 0;
}

static int
handle_new(struct sio_socket *s, struct spaces *all)
{
	struct socket_slot *slot;
	uint32_t at;

	if (all->free_handle == 0 && slots_grow(all) == -1)
		return -1;
	at = all->free_handle;
	slot = &all->handles[at - 1];
	all->free_handle = slot->next_free;
	slot->socket = s;
	slot->generation++;
	s->handle = (uint64_t)slot->generation << 32 | at;
	return 0;
}

static void
handle_free(struct sio_socket *s, struct spaces *all)
{
	uint32_t at = (uint32_t)s->handle;

	all->handles[at - 1].socket = NULL;
	all->handles[at - 1].next_free = all->free_handle;
	all->free_handle = at;
}

struct sio_socket *
socket_of(const struct hostd_inst *in, uint64_t handle)
{
	const struct spaces *all = in->spaces;
	uint32_t at = (uint32_t)handle;
	struct sio_socket *s;

	if (at == 0 || at > all->nhandles)
		return NULL;
	if (all->handles[at - 1].generation != (uint32_t)(handle >> 32))
		return NULL;
	s = all->handles[at - 1].socket;
	return s == NULL || s->client == NULL ? NULL : s;
}

struct sio_socket *
socket_next(const struct hostd_inst *in, uint32_t *at)
{
	const struct spaces *all = in->spaces;

	while (*at < all->nhandles)
		if (all->handles[(*at)++].socket != NULL)
			return all->handles[*at - 1].socket;
	return NULL;
}

/* -- ids -- */

static int
id_new(struct spaces *all, char *id)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p;
	uint32_t three;
	int i;

	if (all->nrandom < ID_BYTES) {
		if (getrandom(all->random, sizeof(all->random), 0) !=
		    (ssize_t)sizeof(all->random))
			return -1;
		all->nrandom = sizeof(all->random);
	}
	all->nrandom -= ID_BYTES;
	p = all->random + all->nrandom;
	for (i = 0; i < SOCKET_ID_LEN; i += 4, p += 3) {
		three = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		id[i] = digits[three >> 18];
		id[i + 1] = digits[three >> 12 & 63];
		id[i + 2] = digits[three >> 6 & 63];
		id[i + 3] = digits[three & 63];
	}
	id[i] = '\0';
	return 0;
}

/* As such a client itself makes it of its session's. */
static int
old_id_new(struct sio_socket *s, const struct client *c)
{
	hostd_buf nsp = space_name(s->space);
	size_t n = nsp.n + 1 + EIO_ID_LEN + 1;

	if ((s->id = malloc(n)) == NULL)
		return -1;
	(void)snprintf(s->id, n, "%.*s%s%s", nsp.n > 1 ? (int)nsp.n : 0,
	    (const char *)nsp.p, nsp.n > 1 ? "#" : "", eio_id(c->eio));
	return 0;
}

static void
id_free(struct sio_socket *s)
{
	if (s->id != s->random_id)
		free(s->id);
}

/* -- life -- */

int
socket_keep(hostd_buf *to, hostd_buf from)
{
	char *p;

	if (from.n == 0)
		return 0;
	if ((p = malloc(from.n)) == NULL)
		return -1;
	memcpy(p, from.p, from.n);
	to->p = p;
	to->n = from.n;
	return 0;
}

struct sio_socket *
socket_new(struct client *c, struct space *sp, hostd_buf auth)
{
	struct sio_socket *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->space = sp;
	s->last_ack = &s->acks;
	s->id = s->random_id;
	if ((c->revision == 3 ? old_id_new(s, c) : id_new(c->in->spaces,
	    s->id)) == -1 || socket_keep(&s->auth, auth) == -1 ||
	    app_data_new(s) == -1 || handle_new(s, c->in->spaces) == -1) {
		app_data_free(s);
		free((void *)(uintptr_t)s->auth.p);
		id_free(s);
		free(s);
		return NULL;
	}
	sp->refs++;
	s->client = c;
	TAILQ_INSERT_TAIL(&c->sockets, s, of_client);
	c->nsockets++;
	return s;
}

static int
space_reserve(struct space *sp)
{
	uint32_t size = sp->size == 0 ? 4 : sp->size * 2;
	struct sio_socket **p;

	if (sp->n < sp->size)
		return 0;
	if ((p = realloc(sp->sockets, size * sizeof(struct sio_socket *))) ==
	    NULL)
		return -1;
	sp->sockets = p;
	sp->size = size;
	return 0;
}

int
socket_enter(struct sio_socket *s)
{
	struct space *sp = s->space;

	/* One that has gone in this turn may have left its id. */
	if (s->id != s->random_id && socket_find(sp, hostd_str(s->id)) != NULL)
		return -1;
	s->by_id.name = hostd_str(s->id);
	if (space_reserve(sp) == -1 || table_add(&sp->ids, &s->by_id) == -1) {
		s->by_id.name.p = NULL;
		return -1;
	}
	s->place = sp->n;
	sp->sockets[sp->n++] = s;
	metrics_sockets(sp->in, sp->metrics, 1);
	if (room_own_enter(s) != HOSTD_OK) {
		socket_leave_all(s);
		return -1;
	}
	s->state = SOCKET_CONNECTED;
	return 0;
}

void
socket_leave_all(struct sio_socket *s)
{
	struct space *sp = s->space;

	rooms_leave(s);
	if (s->by_id.name.p == NULL)
		return;
	table_remove(&sp->ids, &s->by_id);
	s->by_id.name.p = NULL;
	metrics_sockets(sp->in, sp->metrics, -1);
	sp->sockets[s->place] = sp->sockets[--sp->n];
	sp->sockets[s->place]->place = s->place;
}

void
socket_free(struct sio_socket *s)
{
	struct hostd_inst *in = s->space->in;

	socket_leave_all(s);
	acks_gone(s);
	held_forget(s);
	recover_forget(s);
	if (s->client != NULL) {
		TAILQ_REMOVE(&s->client->sockets, s, of_client);
		s->client->nsockets--;
	}
	handle_free(s, in->spaces);
	space_release(s->space);
	app_data_free(s);
	free((void *)(uintptr_t)s->auth.p);
	free((void *)(uintptr_t)s->data.p);
	free(s->rooms);
	free(s->refusal);
	id_free(s);
	free(s);
}

struct sio_socket *
socket_find(const struct space *sp, hostd_buf id)
{
	struct table_entry *e = table_find(&sp->ids, id);

	return e == NULL ? NULL : TABLE_OF(e, struct sio_socket, by_id);
}
