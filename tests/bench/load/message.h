/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as bytes on the wire: RFC 6455 section 5.2. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum { OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8 };
enum { FRAME_FIN = 0x80, FRAME_RSV1 = 0x40 };

#define FRAME_HEAD_MAX 14

/*
 * One message.  A server sends it as it got it: the load is made of messages
 * of which that is true.
 */
struct message {
	uint8_t *out;		/* `copies` frames, masked */
	size_t nout;		/* bytes of one of them */
	unsigned copies;
	uint8_t *in;		/* one frame as a server sends it */
	size_t nin, nhead;	/* its bytes, and those before the payload */
};

/* A client's frame; to has room for n + FRAME_HEAD_MAX.  Its size. */
size_t	frame_put(uint8_t *to, unsigned first, const void *payload, size_t n);

void	message_make(struct message *, unsigned opcode, const void *payload,
	    size_t n, unsigned copies);

/* The same of an event of Socket.IO, with a text of n bytes. */
void	message_event(struct message *, const char *name, size_t n,
	    unsigned copies);

/* A payload of n bytes: text, or bytes of any value. */
char	*payload_make(size_t n, int text);

#endif
