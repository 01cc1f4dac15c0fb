/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channels that most sockets are subscribed to: what a worker tells of its
 * own, and what follows from what all have told.  Each is
 *
 *	8	sockets, little-endian
 *	1	bytes of the name
 *		the name
 */
#ifndef PUBSUB_LARGEST_H
#define PUBSUB_LARGEST_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/channel.h>
#include "base/buf.h"
#include "pubsub/channel.h"

#define LARGEST_MAX	1000	/* that are told */

/* Append those of this worker, without the ones that have no sockets. */
void	largest_write(const struct channels *, struct buf *out);

/*
 * Add up by name what workers have told: the largest first, of one size by
 * name; at most max, which point into told.  Returns how many.
 */
size_t	largest_sum(const struct buf *told, hostd_channel_size *out,
	    size_t max);

#endif
