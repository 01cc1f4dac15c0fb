/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids of sessions: where they live, and 108 bits that nobody can guess.
 */
#ifndef SOCKETIO_EIO_ID_H
#define SOCKETIO_EIO_ID_H

#include <stdint.h>
#include <hostd/abi.h>
#include "eio.h"

/* That an id can name; and nodes by 24 bits. */
#define EIO_SLOTS	(1u << 12)

/* Random bytes, got many at a time. */
struct eio_id_source {
	unsigned char bytes[256];
	uint32_t left;
	uint32_t node, slot;		/* this worker's */
};

/* EIO_ID_LEN characters and a NUL.  -1: there are no random numbers. */
int	eio_id_make(struct eio_id_source *, char *out);
/* Whose it is.  -1: it is none. */
int	eio_id_read(hostd_buf id, uint32_t *node, uint32_t *slot);

#endif
