/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file before LMDB maps it.  LMDB believes what it finds there: a page that
 * is missing ends the process when it is touched.  So that is looked for with
 * read(2), which only says so.
 */
#ifndef SESSION_LMDB_FILE_H
#define SESSION_LMDB_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Can path be an environment that we read and write, or be made one?  0, or -1
 * and a reason. */
int	file_check(const char *path, char *why, size_t size);

/* Is it as long as it says itself?  Free pages at its end need not be there. */
int	file_is_short(int fd, uint64_t last_page, unsigned page_size);

/*
 * Are all pages there, and what they ought to be, that can be reached in the
 * state with that id, which a transaction holds?  0 or -1.
 */
int	file_walk(int fd, uint64_t txn_id, unsigned page_size);

#endif
