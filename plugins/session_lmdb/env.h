/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment: a file of LMDB's, and two beside it.
 *
 *	PATH		sessions
 *	PATH-lock	LMDB's: readers, and the lock of who writes
 *	PATH-sweep	ours: claim.h
 *
 * One process must not open PATH twice, and must not open and close PATH-lock:
 * its locks would go.
 */
#ifndef SESSION_LMDB_ENV_H
#define SESSION_LMDB_ENV_H

#include <stddef.h>
#include <stdint.h>
#include <lmdb.h>
#include "claim.h"
#include "record.h"

enum env_sync { ENV_SYNC_ON, ENV_SYNC_DATA, ENV_SYNC_OFF };

struct env {
	/* What it is to be, set by whoever opens it. */
	const char *path;
	uint64_t max_size;
	int sync;		/* enum env_sync */

	MDB_env *mdb;		/* NULL: not open */
	MDB_dbi sessions, expiry;
	MDB_txn *reader;	/* the loop's; reset when it reads nothing */
	unsigned page_size;
	int was_empty;		/* a file of no bytes was there */
	struct claim claim;
	struct identity identity;
};

/* Open or make it.  0, or -1 and a reason that names no path. */
int	env_open(struct env *, char *why, size_t size);
/* Nothing may be under way. */
void	env_close(struct env *);

/*
 * The loop's reading.  Between the two, what is got may be used.  0, or a code
 * of LMDB's or errno's: MDB_MAP_RESIZED asks for env_resize.
 */
int	env_read(struct env *);
void	env_read_end(struct env *);
/* To the size that another process has given it, which is max_size from then
 * on: a reload has made it larger.  Nothing may be under way. */
int	env_resize(struct env *);

#define ENV_BAD_RECORD	MDB_BAD_VALSIZE	/* there is something else */

/* The record of a key, in any transaction.  0, MDB_NOTFOUND, ENV_BAD_RECORD
 * ... */
int	env_get(const struct env *, MDB_txn *, hostd_buf key, struct record *);

/* Bytes that are in use, of at most env_room. */
uint64_t env_used(const struct env *, MDB_txn *);
uint64_t env_room(const struct env *);
/* Sessions, expired ones included. */
uint64_t env_count(const struct env *, MDB_txn *);

/* PATH, or PATH-lock, is not this file any more. */
int	env_is_replaced(const struct env *);

/* What a code means, and what to do about it. */
const char *env_say(int rc);

#endif
