/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in the file, beside what is LMDB's.
 *
 * Database "sessions": the key, and
 *
 *	1	RECORD_VERSION
 *	8	when its time is over: ms since 1970, big end first
 *	n	the value
 *	1	RECORD_END: else pages of the value are missing
 *
 * Database "expiry": those 8 bytes and the key, in the order in which sessions
 * end; there are no values.
 *
 * In the main database, beside the two: "hostd", whose value is RECORD_FORMAT.
 */
#ifndef SESSION_LMDB_RECORD_H
#define SESSION_LMDB_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/session_store.h>

#define RECORD_FORMAT	"sessions 1"
#define RECORD_VERSION	1
#define RECORD_END	0xa5
#define EXPIRY_SIZE	8
#define EXPIRY_MAX	(EXPIRY_SIZE + HOSTD_STORE_KEY_MAX)

struct record {
	uint64_t expires_ms;
	hostd_buf value;
};

size_t	record_size(size_t nvalue);
/* to has room for record_size. */
void	record_write(void *to, const struct record *);
/* -1: it is none. */
int	record_read(const void *, size_t, struct record *);

/* to has room for EXPIRY_MAX; returns how much was written. */
size_t	expiry_write(void *to, uint64_t expires_ms, hostd_buf key);
/* -1: it is none.  key points into p. */
int	expiry_read(const void *p, size_t n, uint64_t *expires_ms,
	    hostd_buf *key);

#endif
