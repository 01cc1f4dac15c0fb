/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole of a master, for the one that takes its place. */
#ifndef MASTER_MASTER_SAVE_H
#define MASTER_MASTER_SAVE_H

#include "master/master.h"
#include "master/record.h"

/* 0, or -1 with a reason in why. */
int	master_save(const struct master *, struct record *, char *why,
	    size_t size);
/*
 * Fills in what is there of a master with a loop.  Nothing is sent, started or
 * closed, so that what was given can still be given back.  0, or -1 with a
 * reason in why.
 */
int	master_restore(struct master *, struct record *, char *why,
	    size_t size);

#endif
