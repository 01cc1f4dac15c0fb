/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pool or worker a request means: it names a "pool", or by "name" a pool
 * or a worker ("web.0", or its pid).
 */
#ifndef MASTER_PICK_H
#define MASTER_PICK_H

#include "master/control.h"

struct pick {
	const char *pool;	/* NULL: none is named */
	struct slot *slot;	/* NULL: all of it */
	struct worker *worker;	/* of the slot; NULL: whoever it is */
};

/* 0, or -1: the client has been told. */
int	pick(struct control_client *, const json_t *request, struct pick *);
/* A place for a worker, "web.0", whether it has one or not; 0, or -1: the
 * client has been told. */
int	pick_place(struct control_client *, const char *name, struct pool **,
	    uint32_t *index);
/* The answer that it can't be done. */
void	pick_refuse(struct control_client *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
