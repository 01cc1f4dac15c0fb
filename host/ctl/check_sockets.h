/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cases about WebSockets share. */
#ifndef CTL_CHECK_SOCKETS_H
#define CTL_CHECK_SOCKETS_H

#include "ctl/fake_sock.h"

/* What most clients ask for. */
struct fake_spec sockets_plain(void);
/* Ends the case when it gets none: it would be about those that are open. */
struct fake_sock *sockets_open(struct fake *, const struct fake_spec *);
/* The i-th word, when it is open. */
void	sockets_say(struct fake_sock *, unsigned i, uint32_t type);
/* A short life, and all that may come after it. */
void	sockets_live(struct fake *, const struct fake_spec *);

#endif
