/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consistent hashing: each server has many places on a ring, by its weight, and
 * a key belongs to the next place behind it.  When one of n servers goes, only
 * its own keys move, about one of n.
 */
#ifndef HASH_RING_H
#define HASH_RING_H

#include <balance/servers.h>

struct place {
	uint64_t at;
	uint32_t index;		/* of the server */
};

struct ring {
	struct servers servers;
	struct place *places;
	uint32_t n;
};

/* HOSTD_OK or E_NOMEM.  Nothing is made anew when only states have changed. */
int32_t	ring_set(struct ring *, const struct hostd_peer *const *);
void	ring_free(struct ring *);
/* The first place at or behind hash. */
uint32_t ring_find(const struct ring *, uint64_t hash);

#endif
