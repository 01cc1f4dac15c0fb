/* SPDX-License-Identifier: BSD-2-Clause */
/* Frame headers (RFC 6455 section 5.2). */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define WS_HEAD_MAX	14	/* bytes of a masked header */
#define WS_HEAD_OUT	10	/* of one without a mask */

enum ws_opcode {
	WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9,
	WS_PONG = 10
};

#define WS_FIN	0x80u
#define WS_RSV1	0x40u

struct ws_head {
	uint8_t first;		/* FIN, RSV1-3 and opcode, as on the wire */
	uint8_t size;		/* of the header */
	uint8_t key[4];
	uint64_t len;		/* of the payload */
};

static inline unsigned
ws_head_opcode(const struct ws_head *h)
{
	return h->first & 0x0fu;
}

static inline int
ws_head_is_control(const struct ws_head *h)
{
	return (h->first & 0x08u) != 0;
}

/*
 * Parse a client's frame header from the n bytes at p.  Its size; 0 when more
 * bytes are needed; -1 when it is not masked, its length is not written in the
 * shortest way or has the highest bit set, or a control frame is longer than
 * 125 bytes.  Opcode, RSV and FIN are the sequence's to judge.
 */
int	ws_head_parse(struct ws_head *, const void *p, size_t n);

/* Write a server's header to out (WS_HEAD_OUT bytes); returns its size. */
size_t	ws_head_put(void *out, unsigned first, uint64_t len);

/*
 * Is this close code one that a peer may send (RFC 6455 section 7.4 and IANA's
 * registry: 1000-1003, 1007-1014, 3000-4999)?
 */
int	ws_close_code_ok(unsigned code);

#endif
