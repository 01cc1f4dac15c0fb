/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet of a client's that waits for its attachments. */
#ifndef SOCKETIO_PARTIAL_H
#define SOCKETIO_PARTIAL_H

#include <stdint.h>
#include <hostd/abi.h>

struct sio_partial {
	uint64_t handle;		/* of the socket */
	uint32_t nbins, n;		/* announced, and here */
	size_t bytes;			/* of it and what is here */
	hostd_buf text;			/* the packet */
	hostd_buf *bins;
};

/* The text is copied.  NULL: no memory. */
struct sio_partial *partial_new(uint64_t handle, hostd_buf text,
	    uint32_t nbins);
/*
 * One more: 1, it was the last one, and is in bins as it is; 0: more are to
 * come, it was copied; -1: no memory.
 */
int	partial_add(struct sio_partial *, hostd_buf data);
/* Also NULL. */
void	partial_free(struct sio_partial *);

#endif
