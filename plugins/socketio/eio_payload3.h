/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies of polling in revision 3, where each packet has its length before it:
 *
 *   text    decimal digits, ":" and the packet; the length is that in UTF-16.
 *           Binary data is "b4" and base64.
 *   bytes   0 (text) or 1 (data), the digits of the length as bytes from 0 to
 *           9, 255, and the packet; that of data is the byte 4 and the data.
 *
 * Pure.
 */
#ifndef SOCKETIO_EIO_PAYLOAD3_H
#define SOCKETIO_EIO_PAYLOAD3_H

#include <hostd/abi.h>
#include "eio.h"

#define PAYLOAD3_HEAD	24	/* at most so much is before a packet */

enum payload3 {
	PAYLOAD3_END,
	PAYLOAD3_TEXT,
	PAYLOAD3_DATA,
	PAYLOAD3_BAD
};

/* Take the next packet off the body; one of text is never empty.  A body of
 * text is UTF-8. */
enum payload3 payload3_next(hostd_buf *body, hostd_buf *packet);
enum payload3 payload3_next_of_bytes(hostd_buf *body, hostd_buf *packet);

/* A packet of text, which is UTF-8, at out; returns the end. */
char	*payload3_put(char *out, hostd_buf packet, int of_bytes);
/* Bytes of n messages in a body, or a few less. */
size_t	payload3_size(struct eio_message *const *, size_t n);
/* Writes them; returns the end. */
char	*payload3_write(struct eio_message *const *, size_t n, int of_bytes,
	    char *out);

#endif
