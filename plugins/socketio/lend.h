/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is lent to handlers until their callback returns. */
#ifndef SOCKETIO_LEND_H
#define SOCKETIO_LEND_H

#include "sio.h"

/* NULL: no memory. */
void	*lend(struct hostd_inst *, size_t n);
/* p is freed when nobody can be looking at it any more.  -1: no memory, it is
 * still the caller's. */
int	lend_last(struct hostd_inst *, void *p);
void	lend_destroy(struct hostd_inst *);

#endif
