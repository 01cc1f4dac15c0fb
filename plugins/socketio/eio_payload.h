/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies of polling: packets with a byte 0x1e between them; binary data is "b"
 * and base64.  Pure.
 */
#ifndef SOCKETIO_EIO_PAYLOAD_H
#define SOCKETIO_EIO_PAYLOAD_H

#include <hostd/abi.h>
#include "eio.h"

#define PAYLOAD_BETWEEN	'\x1e'

/* Takes the next packet off the body.  There always is a first one, which may
 * be empty.  0: there is no more; zeroed *state is the begin. */
int	payload_next(hostd_buf *body, int *state, hostd_buf *packet);

/* Bytes of n messages in a body; 0 of none. */
size_t	payload_size(struct eio_message *const *, size_t n);
/* Writes them; returns the end. */
char	*payload_write(struct eio_message *const *, size_t n, char *out);

#endif
