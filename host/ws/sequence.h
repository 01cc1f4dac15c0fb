/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frame may follow which: opcodes, RSV bits, fragmentation, control
 * frames in between (RFC 6455 sections 5.2, 5.4, 5.5; RFC 7692 section 6).
 *
 * The judge is wslay.  It is shown every frame's first byte with an empty
 * payload; lengths, masks and the payload itself, which wslay would go through
 * byte by byte, are the reader's.  A context of wslay is about 9 KiB, so a
 * worker has a few, and a connection borrows one from the first frame of a
 * message to its last.
 */
#ifndef WS_SEQUENCE_H
#define WS_SEQUENCE_H

#include <stdint.h>

struct ws_sequence;

struct ws_sequences {
	struct ws_sequence *free;
};

/* Between two messages.  compressed: RSV1 means something. */
struct ws_sequence *ws_sequence_get(struct ws_sequences *, int compressed);
void	ws_sequence_put(struct ws_sequences *, struct ws_sequence *);
void	ws_sequences_free(struct ws_sequences *);

/* May a frame that starts with this byte come now?  After a no it is good for
 * nothing but put. */
int	ws_sequence_take(struct ws_sequence *, uint8_t first);

#endif
