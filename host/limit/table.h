/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of limits: memory that the master and all workers of a machine
 * share, beside the board, so that a limit holds for all of them together, over
 * reloads and whatever becomes of a worker.
 *
 * Keys are hashes, and of two kinds.  A rate's has a time: when what has come
 * so far will have drained.  A place's has nothing but the key; how many of it
 * are taken is in rows, one for each worker, that are summed when one more
 * comes.  So what a worker holds is gone with its row when it ends, and nothing
 * has to be repaired after it.
 *
 * Both are sets of a few entries, of which a key may be in any of one set.
 * When there is no free one, the entry goes that has drained, or, of rates,
 * that drains first; places that are taken never go, and whoever finds no entry
 * is let in uncounted: a limit must not keep out those who are below it.
 *
 * Nobody locks anything: of those who come at the same time one wins, and the
 * others look again.  What a worker that has gone bad writes here may let
 * others in or keep them out, and nothing else.
 */
#ifndef LIMIT_TABLE_H
#define LIMIT_TABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define LIMIT_VERSION	2
#define LIMIT_ZONES	128
#define LIMIT_NAME_MAX	64	/* bytes of a zone's name, NUL included */
#define LIMIT_WAYS	8	/* entries of a set */
#define LIMIT_SETS	16384	/* of rates, and of places; a power of two */
#define LIMIT_ENTRIES	(LIMIT_SETS * LIMIT_WAYS)
#define LIMIT_PLACES	60000	/* of one key in one worker */

enum limit_kind { LIMIT_REQ = 1, LIMIT_CONN, LIMIT_ADDRESS };

#define LIMIT_ADDRESS_NAME "connections"	/* the only one of its kind */

struct limit_zone {			/* [master] */
	uint32_t kind;			/* enum limit_kind; 0: free */
	char name[LIMIT_NAME_MAX];
};

/* What became of those that came there; one worker's, or of all that ended. */
struct limit_count {
	_Alignas(64) _Atomic uint64_t passed;
	_Atomic uint64_t delayed;
	_Atomic uint64_t refused;
	_Atomic uint64_t dry_delayed;	/* would have been, but for dry_run */
	_Atomic uint64_t dry_refused;
	_Atomic uint64_t evicted;	/* keys that went before their time */
	_Atomic uint64_t uncounted;	/* there was no room for their key */
};

/* Why new requests are turned away, see budget.h. */
#define LIMIT_SHED_CONNECTIONS	0x1u
#define LIMIT_SHED_MEMORY	0x2u

struct limit_head {
	uint64_t magic;
	uint32_t version;		/* LIMIT_VERSION */
	uint32_t layout;		/* sizes of what is here */
	uint64_t seed[2];		/* of all hashes */
	_Atomic uint32_t ncells;	/* no row behind it was ever used */
	_Atomic uint32_t shed;		/* LIMIT_SHED_* */
	_Atomic uint32_t folding;	/* odd while counts become retired */
	uint32_t reserved;
	_Atomic uint64_t memory;	/* of all workers, as the master saw it
					   last */
	_Atomic uint64_t shed_reqs;	/* requests turned away */
	struct limit_zone zones[LIMIT_ZONES];
};

struct limit_rates {
	_Alignas(64) _Atomic uint64_t key[LIMIT_WAYS];	/* 0: free */
	_Atomic uint64_t until[LIMIT_WAYS];	/* us: drained */
};

struct limit_places {
	_Alignas(64) _Atomic uint64_t key[LIMIT_WAYS];	/* 0: free */
};

struct limit_table {
	struct limit_head *head;
	struct limit_rates *rates;	/* LIMIT_SETS */
	struct limit_places *places;	/* LIMIT_SETS */
	struct limit_count *retired;	/* LIMIT_ZONES: of ended workers */
	struct limit_count *counts;	/* by cell of the board, then zone */
	_Atomic uint16_t *rows;		/* by cell, then place */
	size_t size;
	int fd;
};

/* Master: make one.  0 or -1 with errno. */
int	limit_table_create(struct limit_table *);
/* Map the one behind fd, which it takes.  0, or -1 with errno (EPROTO: another
 * version's). */
int	limit_table_attach(struct limit_table *, int fd);
void	limit_table_close(struct limit_table *);

/* -- the master's -- */

/* Before a process has that cell: its row counts from now on. */
void	limit_table_join(struct limit_table *, unsigned cell);
/* Its process has ended: what it held is free, what it counted is kept. */
void	limit_table_retire(struct limit_table *, unsigned cell);

/* -- zones -- */

/* Its number, or -1: there is none. */
int	limit_zone_find(const struct limit_table *, enum limit_kind,
	    const char *name);
/* Master: a free number for it, whose counters begin anew, or -1. */
int	limit_zone_add(struct limit_table *, enum limit_kind,
	    const char *name);
/* Master: it is nobody's any more. */
void	limit_zone_free(struct limit_table *, unsigned zone);

static inline struct limit_count *
limit_count_of(const struct limit_table *t, unsigned cell, unsigned zone)
{
	return &t->counts[(size_t)cell * LIMIT_ZONES + zone];
}

/* Of all workers, ended ones included. */
void	limit_sum(const struct limit_table *, unsigned zone,
	    struct limit_count *);

/* -- keys -- */

/* salt: of a zone, or what a part of the key before has come to. */
uint64_t limit_hash(const struct limit_table *, uint64_t salt, const void *,
	    size_t);

#define LIMIT_HASH_BITS 56	/* of a key; above them is whose it is */

/* zone: -1: of none.  Never 0. */
static inline uint64_t
limit_key(int zone, uint64_t hash)
{
	uint64_t key = (uint64_t)(zone + 1) << LIMIT_HASH_BITS |
	    (hash & (((uint64_t)1 << LIMIT_HASH_BITS) - 1));

	return key != 0 ? key : 1;
}

/* -1: no zone's. */
static inline int
limit_key_zone(uint64_t key)
{
	uint64_t zone = key >> LIMIT_HASH_BITS;

	return zone <= LIMIT_ZONES ? (int)zone - 1 : -1;
}

/*
 * One more of key, which takes cost_us to drain, where room_us may be full
 * before it.  Returns how many us too early it comes, 0: not at all; or less
 * than 0: there is no room for it for so many us, and it is not counted.
 */
int64_t	limit_rate_take(struct limit_table *, struct limit_count *,
	    uint64_t key, uint64_t cost_us, uint64_t room_us, uint64_t now_us);
/* It was not one of them after all. */
void	limit_rate_give(struct limit_table *, uint64_t key, uint64_t cost_us);

#define LIMIT_FULL	(-1)
#define LIMIT_UNCOUNTED	(-2)

/*
 * One more of key in cell, where all may have max.  A place for
 * limit_place_give, LIMIT_FULL, or LIMIT_UNCOUNTED.  Never one too many; of
 * those who come for the last one at the same time, all may be refused.
 */
int32_t	limit_place_take(struct limit_table *, struct limit_count *,
	    unsigned cell, uint64_t key, uint32_t max);
void	limit_place_give(struct limit_table *, unsigned cell, int32_t place);
/* By all workers. */
uint32_t limit_places_taken(const struct limit_table *, size_t place);

#endif
