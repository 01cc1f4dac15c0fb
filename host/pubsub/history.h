/* SPDX-License-Identifier: BSD-2-Clause */
/* The last messages of a channel, for those who come later. */
#ifndef PUBSUB_HISTORY_H
#define PUBSUB_HISTORY_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct delivery;
struct envelope;
struct history;

#define HISTORY_MAX	1000
#define HISTORY_BYTES	(4u << 20)	/* of all of them, as envelopes */

struct history *history_new(void);
void	history_free(struct history *);
/* What one owner wants kept; max 0: nothing any more. */
void	history_want(struct history *, const void *owner, uint32_t max,
	    uint32_t age_ms);
/* Does anybody want anything? */
int	history_is_wanted(const struct history *);
/* A message, or a gap: whatever comes before it, some may be missing here. */
void	history_add(struct history *, struct delivery *);
/* Append what is not older than its owners want, each as an envelope; a gap as
 * an ENV_GAP. */
void	history_write(struct history *, uint64_t now, struct buf *out);

#endif
