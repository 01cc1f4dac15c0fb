/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has a file open, and who of them removes what has expired: locks on bytes
 * of PATH-sweep, which go with their process, however it ends.
 *
 *	byte 0		who removes
 *	byte 1 + pid	a process that has PATH open: only once
 *	CLAIM_OPENING	who opens it just now
 *
 * In it is which file PATH and PATH-lock were when somebody opened them.
 * LMDB's processes meet in PATH-lock; if one of the two was replaced while
 * others have them open, two files would have one table of writers, or one file
 * two.
 */
#ifndef SESSION_LMDB_CLAIM_H
#define SESSION_LMDB_CLAIM_H

#include <stddef.h>
#include <stdint.h>

struct identity {
	uint64_t dev, ino;		/* of PATH; 0: it is not there */
	uint64_t lock_dev, lock_ino;	/* of PATH-lock */
};

struct claim {
	int fd;			/* -1: none */
	int sweeps;
};

/* Before PATH is opened, and until claim_opened nobody else opens it.  0, or -1
 * and a reason. */
int	claim_open(struct claim *, const char *path, char *why, size_t size);
/* It has been opened. */
void	claim_opened(struct claim *, const char *path, struct identity *);
/* Is who removes, from now on, if nobody else is. */
int	claim_sweep(struct claim *);
void	claim_close(struct claim *);

void	identity_of(const char *path, struct identity *);

#endif
