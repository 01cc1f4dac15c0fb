/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a file, and what is added to it, line by line: also when it is
 * renamed and made anew, or emptied.
 */
#ifndef CTL_TAIL_H
#define CTL_TAIL_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct tail;

/* A line without its newline. */
typedef void (*tail_line)(void *arg, const char *line, size_t n);
/* Is it one that counts? */
typedef int (*tail_pred)(void *arg, const char *line, size_t n);

/* NULL with errno; path must outlive it. */
struct tail *tail_open(const char *path, tail_pred, tail_line, void *arg);
void	tail_close(struct tail *);

/* Tell the last n lines of those that count, as far as they are in the last
 * TAIL_BACK bytes. */
#define TAIL_BACK (16 * 1024 * 1024)
void	tail_last(struct tail *, size_t n);
/* Tell what has been added. */
void	tail_more(struct tail *);

/* Call tail_more of each when there may be something new; ends only when it
 * fails, with -1 and errno. */
int	tail_follow(struct tail *const *, size_t n);

#endif
