/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that processes share through a descriptor: of a size that never
 * changes, zeroed, and of which only what was touched costs anything.
 */
#ifndef BASE_SHARED_H
#define BASE_SHARED_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* A descriptor of new memory, or -1 with errno. */
int	shared_create(const char *name, size_t size);
/* What is behind fd, which has to be of that size; it is closed on failure.
 * NULL with errno (EPROTO: another size). */
void	*shared_map(int fd, size_t size);
/* The same, but it can't be written. */
void	*shared_map_read(int fd, size_t size);
/* Another descriptor of it, through which nobody can write or map it for
 * writing but who is of our user, and could do with us what he wants anyway.
 * -1 with errno. */
int	shared_reader(int fd);
/* Zero a range of what is mapped at base, and give its whole pages back. */
void	shared_zero(int fd, void *base, void *start, size_t len);
/*
 * For sums over what the master moves from one place to another, and of which
 * sequence is odd meanwhile.  It was `before` when a sum was begun: is that to
 * be made again?  The master is given a moment, and the processor, to end; but
 * it may have been killed in the middle, so tries, 0 at first, has a bound.
 */
int	shared_is_torn(const _Atomic uint32_t *sequence, uint32_t before,
	    int *tries);
/* Where the next part goes, on a page of its own. */
size_t	shared_round(size_t);

#endif
