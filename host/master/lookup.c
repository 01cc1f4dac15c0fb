/* SPDX-License-Identifier: BSD-2-Clause */
/* Where names of servers lead, as the worker that looks after them has found
 * out. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "master/master.h"

/* What a worker says is looked at: only what an address consists of. */
static int
addr_take(struct addr *to, const struct addr *from)
{
	const struct sockaddr_in *in = (const void *)&from->ss;
	const struct sockaddr_in6 *in6 = (const void *)&from->ss;
	struct sockaddr_in *to_in = (void *)&to->ss;
	struct sockaddr_in6 *to_in6 = (void *)&to->ss;

	memset(to, 0, sizeof(*to));
	to->ss.ss_family = from->ss.ss_family;
	if (from->ss.ss_family == AF_INET) {
		to_in->sin_port = in->sin_port;
		to_in->sin_addr = in->sin_addr;
		to->len = sizeof(*to_in);
	} else if (from->ss.ss_family == AF_INET6) {
		to_in6->sin6_port = in6->sin6_port;
		to_in6->sin6_addr = in6->sin6_addr;
		to->len = sizeof(*to_in6);
	}
	return to->len > 0 && to->len == from->len ? 0 : -1;
}

/* A name that is known, and leads to the addresses that are left in list. */
struct lookup {
	const char *group, *server;
	struct addr list[CHAN_ADDRS];
	size_t n;
	struct up_entry like;	/* what new ones are made as */
};

static int
lookup_has(const struct lookup *l, const struct addr *a)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (same_addr(&l->list[i], a))
			return 1;
	return 0;
}

static void
lookup_drop(struct lookup *l, const struct addr *a)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (same_addr(&l->list[i], a))
			l->list[i--] = l->list[--l->n];
}

/* What holds for all of its addresses holds for new ones, too. */
static int
lookup_like(struct lookup *l, const struct up_table *t)
{
	struct up_entry *e = NULL;
	int n = 0;

	l->like.flags = ~UP_STALE;
	while ((e = entry_next(t, e, l->group, l->server)) != NULL) {
		if ((e->flags & UP_STALE) != 0)
			continue;
		if (n++ == 0) {
			l->like.weight = e->weight;
			l->like.max_conns = e->max_conns;
		}
		l->like.flags &= e->flags;
	}
	return n > 0 ? 0 : -1;
}

/* Only names are resolved. */
static int
lookup_init(struct lookup *l, const struct up_table *t,
    const struct chan_resolved *r)
{
	struct conf_server own;
	const char *why;
	size_t i, n = r->n < CHAN_ADDRS ? r->n : CHAN_ADDRS;
	int literal;

	if (memchr(r->group, '\0', sizeof(r->group)) == NULL ||
	    memchr(r->server, '\0', sizeof(r->server)) == NULL ||
	    conf_server_parse(r->server, &own, &why) == -1)
		return -1;
	literal = own.addr.len > 0;
	conf_server_free(&own);
	l->group = r->group;
	l->server = r->server;
	for (i = l->n = 0; i < n; i++)
		if (addr_take(&l->list[l->n], &r->addrs[i]) == 0 &&
		    !lookup_has(l, &l->list[l->n]))
			l->n++;
	return literal || l->n == 0 ? -1 : lookup_like(l, t);
}

/* Does the table say anything else? */
static int
lookup_differs(const struct lookup *l, const struct up_table *t)
{
	struct up_entry *e = NULL;
	size_t n = 0;

	while ((e = entry_next(t, e, l->group, l->server)) != NULL) {
		if ((e->flags & UP_STALE) != 0)
			continue;
		if (!lookup_has(l, &e->addr))
			return 1;
		n++;
	}
	return n != l->n;
}

static void
lookup_entries(struct lookup *l, struct up_table *t)
{
	struct up_entry *e = NULL, *unknown = NULL;

	while ((e = entry_next(t, e, l->group, l->server)) != NULL) {
		if (lookup_has(l, &e->addr)) {
			if ((e->flags & UP_STALE) != 0)
				e->flags = l->like.flags;
			lookup_drop(l, &e->addr);
		} else if (e->addr.len == 0 && unknown == NULL) {
			unknown = e;
		} else {
			e->flags |= UP_STALE;
		}
	}
	while (l->n > 0) {
		e = unknown != NULL ? unknown :
		    entry_make(t, l->group, l->server);
		if (e == NULL)
			break;
		if (e == unknown)
			atomic_store(&t->health[e - t->entries].why,
			    UP_WHY_NONE);
		unknown = NULL;
		e->flags = l->like.flags;
		e->weight = l->like.weight;
		e->max_conns = l->like.max_conns;
		e->addr = l->list[--l->n];
	}
	if (unknown != NULL)
		unknown->flags |= UP_STALE;
}

static void
lookup_say(const struct lookup *l, const struct up_table *t)
{
	struct up_entry *e = NULL;
	char list[512] = "", one[ADDR_TEXT_MAX];
	size_t n = 0;

	while ((e = entry_next(t, e, l->group, l->server)) != NULL)
		if ((e->flags & UP_STALE) == 0 && n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n,
			    "%s%s", n > 0 ? ", " : "",
			    addr_format(&e->addr, one, sizeof(one)));
	log_info("upstream %s: %s leads to %s", l->group, l->server, list);
	if (l->n > 0)
		log_warnx("upstream %s: %s leads to %zu more, and there is "
		    "room for %d servers in all", l->group, l->server, l->n,
		    UP_ENTRIES);
}

void
upstreams_resolved(struct children *all, const struct chan_resolved *r)
{
	struct up_table *t = &children_master(all)->servers;
	struct lookup l;

	if (lookup_init(&l, t, r) == -1 || !lookup_differs(&l, t))
		return;
	up_table_begin(t);
	lookup_entries(&l, t);
	up_table_end(t);
	lookup_say(&l, t);
}
