/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening sockets of a slot. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "master/slot.h"

#define PATIENCE 20 /* tries, 100 ms apart */

static struct listener *
slot_find(const struct slot *s, const struct addr *a)
{
	const struct slot_socket *k;

	TAILQ_FOREACH (k, &s->sockets, link)
		if (listener_is_at(k->listener, a))
			return k->listener;
	return NULL;
}

static int
listen_is_of(const struct conf_listen *c, const struct pool *p)
{
	return c->pool != NULL && strcmp(c->pool->name, p->name) == 0;
}

static in_port_t
addr_port(const struct addr *a)
{
	if (a->ss.ss_family == AF_INET)
		return ((const struct sockaddr_in *)&a->ss)->sin_port;
	if (a->ss.ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)&a->ss)->sin6_port;
	return 0;
}

/* A unix socket of another slot, for there is one per path. */
static struct listener *
pools_find(const struct pools *all, const struct addr *a)
{
	const struct pool *p;
	const struct slot *s;
	struct listener *l;

	TAILQ_FOREACH (p, &all->list, link)
		TAILQ_FOREACH (s, &p->slots, link) {
			l = slot_find(s, a);
			if (l != NULL)
				return l;
		}
	return NULL;
}

/* Is the port ours already, at this or at an overlapping address? */
static int
pools_has_port(const struct pools *all, const struct addr *a)
{
	const struct pool *p;
	const struct slot *s;
	const struct slot_socket *k;

	TAILQ_FOREACH (p, &all->list, link)
		TAILQ_FOREACH (s, &p->slots, link)
			TAILQ_FOREACH (k, &s->sockets, link)
				if (addr_port(&k->listener->addr) ==
				    addr_port(a))
					return 1;
	return 0;
}

/* At the start only, when there is nobody else to serve; nothing tells when an
 * address is free. */
static struct listener *
open_patiently(const struct listener_opts *o, int tries, char *why, size_t size)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	struct listener *l;

	for (;;) {
		l = listener_open(o, why, size);
		if (l != NULL || errno != EADDRINUSE || --tries <= 0)
			return l;
		(void)nanosleep(&pause, NULL);
	}
}

/* One that an earlier slot of this number has left to another. */
static int
slot_socket_reclaim(struct slot *s, const struct addr *a)
{
	struct slot_socket *k;
	struct slot *o;

	TAILQ_FOREACH (o, &s->pool->slots, link)
		TAILQ_FOREACH (k, &o->sockets, link) {
			if (o == s || k->origin != s->index ||
			    !listener_is_at(k->listener, a))
				continue;
			TAILQ_REMOVE(&o->sockets, k, link);
			TAILQ_INSERT_TAIL(&s->sockets, k, link);
			s->borrower = o->current;
			return 1;
		}
	return 0;
}

static int
generation_has_port(const struct generation *g, const struct pool *p,
    const struct addr *a)
{
	const struct conf_listen *c;

	TAILQ_FOREACH (c, &g->conf->listens, entry)
		if (listen_is_of(c, p) && addr_port(&c->addr) == addr_port(a))
			return 1;
	return 0;
}

/* Who was told to drain closes its sockets when it comes to that. */
static const struct worker *
pools_old_at(const struct pools *all, const struct addr *a)
{
	const struct pool *p;
	const struct slot *s;
	const struct worker *w;

	TAILQ_FOREACH (p, &all->list, link)
		TAILQ_FOREACH (s, &p->slots, link)
			TAILQ_FOREACH (w, &s->old, link)
				if (generation_has_port(w->gen, p, a))
					return w;
	return NULL;
}

static void
slot_socket_explain(const struct slot *s, const struct addr *a, int error,
    char *why, size_t size)
{
	const struct worker *w = error == EADDRINUSE && !addr_is_unix(a) ?
	    pools_old_at(s->pool->all, a) : NULL;

	if (w != NULL)
		(void)snprintf(why, size, "worker %s (pid %d), which is "
		    "ending, still has it; try again when it has closed it",
		    w->child->name, (int)w->child->pid);
}

static int
slot_socket_open(struct slot *s, const struct conf_listen *c, int patient,
    struct conf_errors *errors)
{
	struct pools *all = s->pool->all;
	struct listener_opts o = {
	    .addr = &c->addr,
	    .mode = c->permissions,
	    .v6only = c->v6only,
	    .alone = !pools_has_port(all, &c->addr),
	};
	struct slot_socket *k;
	struct listener *l = NULL;
	char why[256];

	if (addr_is_unix(&c->addr))
		l = pools_find(all, &c->addr);
	if (l != NULL)
		(void)listener_ref(l);
	else
		l = open_patiently(
		    &o, patient ? PATIENCE : 1, why, sizeof(why));
	if (l == NULL) {
		slot_socket_explain(s, &c->addr, errno, why, sizeof(why));
		conf_error(errors, &c->pos, "listen \"%s\": address %s: %s",
		    c->name, c->address, why);
		return -1;
	}
	k = xcalloc(1, sizeof(*k));
	k->listener = l;
	k->origin = s->index;
	TAILQ_INSERT_TAIL(&s->sockets, k, link);
	return 0;
}

int
slot_sockets_open(struct slot *s, const struct generation *gen, int patient,
    struct conf_errors *errors)
{
	const struct conf_listen *c;
	int failed = 0;

	TAILQ_FOREACH (c, &gen->conf->listens, entry) {
		if (!listen_is_of(c, s->pool) || slot_find(s, &c->addr) != NULL)
			continue;
		if (slot_socket_reclaim(s, &c->addr))
			continue;
		if (slot_socket_open(s, c, patient, errors) == -1)
			failed++;
	}
	return failed;
}

/* slot: what the worker is told to forget it by. */
static void
slot_socket_send(const struct slot_socket *k, const struct worker *w,
    const char *name, uint32_t slot)
{
	struct chan_listen m = {
	    .shared = k->listener->shared != 0, .slot = slot};

	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	child_send(w->child, CHAN_LISTEN, &m, sizeof(m), k->listener->fd);
}

/* All there are of one address: 0, or -1 with errno. */
static int
slot_sockets_start(
    struct slot *s, const struct worker *w, const struct conf_listen *c)
{
	const struct slot_socket *k;
	int n = 0;

	TAILQ_FOREACH (k, &s->sockets, link) {
		if (!listener_is_at(k->listener, &c->addr))
			continue;
		if (listener_start(k->listener, c->backlog) == -1)
			return -1;
		slot_socket_send(k, w, c->name, k->origin);
		n++;
	}
	errno = ENOENT;
	return n > 0 ? 0 : -1;
}

int
slot_sockets_pass(
    struct slot *s, const struct worker *w, char *why, size_t size)
{
	const struct conf_listen *c;

	TAILQ_FOREACH (c, &w->gen->conf->listens, entry)
		if (listen_is_of(c, s->pool) &&
		    slot_sockets_start(s, w, c) == -1) {
			(void)snprintf(why, size, "listening on %s: %s",
			    c->address, strerror(errno));
			return -1;
		}
	return 0;
}

/* What comes there in that generation; NULL: it does not listen there. */
static const struct conf_listen *
generation_listen(const struct generation *gen, const struct pool *p,
    const struct listener *l)
{
	const struct conf_listen *c;

	if (gen == NULL)
		return NULL;
	TAILQ_FOREACH (c, &gen->conf->listens, entry)
		if (listen_is_of(c, p) && listener_is_at(l, &c->addr))
			return c;
	return NULL;
}

void
slot_sockets_lend(const struct slot *s, const struct worker *w)
{
	const struct slot_socket *k;
	const struct conf_listen *c;

	/* A shared one it has itself, and of one that it has not in its own
	 * configuration it does not know what comes there. */
	TAILQ_FOREACH (k, &s->sockets, link) {
		c = generation_listen(w->gen, s->pool, k->listener);
		if (c != NULL && k->listener->listening && !k->listener->shared)
			slot_socket_send(k, w, c->name, s->index);
	}
}

static int
slot_uses(const struct slot *s, const struct listener *l)
{
	return !s->retiring &&
	    (generation_listen(s->gen, s->pool, l) != NULL ||
		generation_listen(s->staged, s->pool, l) != NULL);
}

static void
slot_socket_free(struct slot *s, struct slot_socket *k)
{
	TAILQ_REMOVE(&s->sockets, k, link);
	listener_unref(k->listener);
	free(k);
}

static int
slot_nsockets(const struct slot *s)
{
	const struct slot_socket *k;
	int n = 0;

	TAILQ_FOREACH (k, &s->sockets, link)
		n++;
	return n;
}

/* Whoever has the fewest, as each socket brings connections. */
static struct slot *
slot_heir(const struct slot *s)
{
	struct slot *o, *heir = NULL;

	TAILQ_FOREACH (o, &s->pool->slots, link)
		if (o != s && !o->retiring && o->gen != NULL &&
		    !o->unwanted &&
		    (heir == NULL || slot_nsockets(o) < slot_nsockets(heir)))
			heir = o;
	return heir;
}

void
slot_sockets_bequeath(struct slot *s)
{
	struct slot *heir = slot_heir(s);
	struct slot_socket *k, *next;
	const struct conf_listen *c;

	if (heir == NULL)
		return;
	for (k = TAILQ_FIRST(&s->sockets); k != NULL; k = next) {
		next = TAILQ_NEXT(k, link);
		c = generation_listen(heir->gen, heir->pool, k->listener);
		if (c == NULL || k->listener->shared ||
		    !k->listener->listening)
			continue;
		TAILQ_REMOVE(&s->sockets, k, link);
		TAILQ_INSERT_TAIL(&heir->sockets, k, link);
		if (heir->current != NULL)
			slot_socket_send(
			    k, heir->current, c->name, k->origin);
	}
}

void
slot_sockets_trim(struct slot *s)
{
	struct slot_socket *k, *next;

	for (k = TAILQ_FIRST(&s->sockets); k != NULL; k = next) {
		next = TAILQ_NEXT(k, link);
		if (!slot_uses(s, k->listener))
			slot_socket_free(s, k);
	}
}

void
slot_sockets_close(struct slot *s)
{
	while (!TAILQ_EMPTY(&s->sockets))
		slot_socket_free(s, TAILQ_FIRST(&s->sockets));
}

int
slot_lets_go(const struct slot *s)
{
	const struct slot_socket *k;

	TAILQ_FOREACH (k, &s->sockets, link)
		if (generation_listen(s->staged, s->pool, k->listener) ==
		    NULL)
			return 1;
	return 0;
}
