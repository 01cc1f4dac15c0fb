/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What travels between workers and nodes: a header, perhaps the channel's name,
 * and a payload.  Little-endian.
 *
 *	0  'H' 'E'	magic
 *	2  version	1
 *	3  type		enum envelope_type
 *	4  flags	of the type
 *	5  0
 *	6  name		bytes of the channel's name; 0 between nodes, where
 *			the backend knows the channel
 *	8  size		bytes of payload
 *	12 0
 *	16 node		of the sender: random, one for all workers of a machine
 *	24 seq		process << 40 | count
 *	32 time		when it was sent; microseconds since 1970
 *	40 name, payload
 */
#ifndef PUBSUB_ENVELOPE_H
#define PUBSUB_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>

#define ENVELOPE_HEAD	40
#define ENVELOPE_NAME_MAX	255
#define ENVELOPE_MAX	(16u << 20)	/* bytes of payload */

enum envelope_type {
	ENV_MESSAGE = 1,	/* flags: HOSTD_WS_*; of a channel */
	ENV_INTEREST,		/* flags 1: has subscribers; 0: has not */
	ENV_READY,		/* bus: all channels of interest are told;
				   node and seq name the process */
	ENV_GAP,		/* bus: messages were lost on the way to you */
	ENV_HELLO,		/* nodes: I am here; flags: HELLO_* */
	ENV_BYE,		/* nodes: I end */
	ENV_QUERY,		/* of a channel; payload: see query.h */
	ENV_REPLY,
	ENV_KEEP,		/* bus: see bequest.h */
	ENV_PAST,
	ENV_HOLD,		/* bus: see hold.h */
	ENV_HELD,
	ENV_MARK,		/* nodes: our own, to ourselves */
	ENV_NTYPES
};

struct envelope {
	uint8_t type, flags;
	uint64_t node, seq, time;
	hostd_buf name, payload;
};

/* The header to out (ENVELOPE_HEAD bytes); name and payload follow it. */
void	envelope_put(void *out, const struct envelope *);
/*
 * Read one from n bytes: its size; 0 when there is more to come; -1 when it is
 * none.  Name and payload point into the bytes.
 */
int64_t	envelope_parse(struct envelope *, const void *, size_t n);

#endif
