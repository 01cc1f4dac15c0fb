/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do the workers live?  Each writes the time onto the board when its loop has
 * turned.  One that has not since the last look is sent a PING: it need not
 * answer, for hearing it is a turn.  So a busy worker is never asked, and an
 * idle one is woken twice a second.
 *
 * A worker that stays silent is lent a hand first (child_ops.silent), so that
 * those who connect are served, and is killed when it has been so for as long
 * as its watchdog says.  What counts is the time we have looked at it: when we
 * were stopped ourselves, everybody else may have been, too.
 */
#ifndef MASTER_PULSE_H
#define MASTER_PULSE_H

#include "master/child.h"

#define PULSE_MS	500	/* between two looks */

/* Look at all of them; ms since the last time. */
void	children_look(struct children *, uint64_t ms);

#endif
