/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches over a generation that has just come into service: when its workers
 * die too often within min_uptime, the one before serves again.
 */
#ifndef MASTER_GUARD_H
#define MASTER_GUARD_H

struct generation;
struct master;
struct pool;
struct slot;

/* A worker of the generation that serves has died. */
void	guard_crashed(struct master *, struct slot *, const char *cause);
/* Nothing is in the way any more of what was put off. */
void	guard_settled(struct master *);
/* It ceases to serve: remember whether it has done well. */
void	guard_leave(struct master *);
/* How often workers of a pool may die; 0: any. */
int	guard_most(const struct generation *, const struct pool *);

#endif
