/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a worker has heard each publisher, at one moment: for a socket that
 * goes on in another worker, which hears the same publishers, but not at the
 * same time.
 *
 * What one process publishes has rising numbers.  Of the processes of this
 * machine one mark each is enough; what other nodes say comes by channel.
 */
#ifndef PUBSUB_MARKS_H
#define PUBSUB_MARKS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/pack.h"

struct delivery;
struct hub;
struct subscriber;

/* Reference-counted: those who come one behind the other have the same. */
struct marks {
	uint32_t refs;
	uint32_t nchannels;
	uint64_t until_ms;	/* nothing from before comes later */
	size_t n;
	char bytes[];
};

/* Append the marks of now, and the channels that it is subscribed to; NULL:
 * none. */
void	marks_pack(const struct hub *, const struct subscriber *,
	    struct buf *);
/* Read them; like: may be the same.  NULL when they don't fit together. */
struct marks *marks_unpack(struct unpack *, struct marks *like,
	    uint64_t now_ms);
void	marks_unref(struct marks *);

/* Was it heard already?  node: our machine's. */
int	marks_cover(const struct marks *, uint64_t node,
	    const struct delivery *);
/* The name of the next channel from *at on, which starts at 0; p NULL: no
 * more. */
hostd_buf marks_channel(const struct marks *, size_t *at);

#endif
