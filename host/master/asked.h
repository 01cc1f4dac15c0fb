/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What instances of plugins ask for (hostd.control/1): the same commands that
 * hostctl has, or rather a few of them, for those that the configuration of
 * their worker's generation allows it.
 *
 * A worker that has been taken over can say that it is any of its instances,
 * and name any user; so what is checked here is the worker.
 */
#ifndef MASTER_ASKED_H
#define MASTER_ASKED_H

#include "net/chan.h"

struct child;

/* For struct children: a CHAN_ASK. */
void	asked_heard(struct child *, const struct chan_msg *);
/* It will not hear of it any more; what it has asked for goes on. */
void	asked_left(struct child *);

#endif
