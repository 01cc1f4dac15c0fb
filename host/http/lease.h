/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Something that is taken for as long as a connection or a request lasts: a
 * place among those that one client may have.  It goes with what the request
 * becomes, to another worker as well.
 */
#ifndef HTTP_LEASE_H
#define HTTP_LEASE_H

#include <stddef.h>
#include <stdint.h>
#include "base/pack.h"

struct http_lease {
	struct http_lease *next;
	uint64_t key;		/* by which another worker takes the same */
	void (*end)(struct http_lease *);
};

/* Of a worker: who makes them.  take: NULL: there is no room, or no need. */
struct http_lessor {
	struct http_lease *(*take)(struct http_lessor *, uint64_t key);
};

static inline void
leases_end(struct http_lease **list)
{
	struct http_lease *l;

	while ((l = *list) != NULL) {
		*list = l->next;
		l->end(l);
	}
}

static inline void
lease_add(struct http_lease **list, struct http_lease *l)
{
	l->next = *list;
	*list = l;
}

/* All of from, which has none then. */
static inline void
leases_move(struct http_lease **to, struct http_lease **from)
{
	struct http_lease *l;

	while ((l = *from) != NULL) {
		*from = l->next;
		lease_add(to, l);
	}
}

#define LEASES_MAX	64	/* of one connection, that a record tells */

static inline void
leases_pack(const struct http_lease *list, struct buf *b)
{
	const struct http_lease *l;
	uint32_t n = 0;

	for (l = list; l != NULL && n < LEASES_MAX; l = l->next)
		n++;
	pack_u32(b, n);
	for (l = list; n-- > 0; l = l->next)
		pack_u64(b, l->key);
}

static inline void
leases_unpack(struct unpack *u, struct http_lessor *from,
    struct http_lease **list)
{
	uint32_t n = unpack_u32(u);
	struct http_lease *l;
	uint64_t key;

	for (; n > 0 && !u->bad; n--) {
		key = unpack_u64(u);
		if (from != NULL && !u->bad &&
		    (l = from->take(from, key)) != NULL)
			lease_add(list, l);
	}
}

#endif
