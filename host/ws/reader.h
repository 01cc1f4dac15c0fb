/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client sends: bytes in, messages and control frames out.  Owns no
 * socket; all checks of RFC 6455 and RFC 7692 on input are here or below.
 */
#ifndef WS_READER_H
#define WS_READER_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/ws.h>
#include "base/buf.h"
#include "base/utf8.h"
#include "ws/frame.h"
#include "ws/sequence.h"

struct ws_inflater;
struct ws_reader;
struct ws_zpool;

/* What all readers of a worker share. */
struct ws_reader_pool {
	struct ws_sequences sequences;
	struct ws_zpool *zpool;
};

struct ws_reader_ops {
	/*
	 * A message, or a part of one; flags: HOSTD_WS_TEXT or BINARY, FIRST,
	 * FIN.  The bytes are good until it returns.  Not 0: feed no more.
	 */
	int (*message)(struct ws_reader *, hostd_buf, uint32_t flags);
	/* A whole control frame, checked.  Not 0: feed no more. */
	int (*control)(struct ws_reader *, unsigned opcode, hostd_buf);
};

struct ws_reader {
	const struct ws_reader_ops *ops;
	struct ws_reader_pool *pool;
	struct ws_sequence *sequence;	/* borrowed for a message */
	struct ws_inflater *inflater;	/* for one, or kept: takeover */
	struct ws_head frame;		/* the present one */
	uint64_t done;			/* bytes of its payload so far */
	struct buf msg;			/* of a message that came in pieces */
	uint64_t max;			/* bytes in a message */
	uint64_t total;			/* of this one, decompressed */
	char *control;			/* 125 bytes: one that came in pieces */
	uint16_t error;			/* close code: the client broke a
					   rule */
	struct utf8 utf8;
	uint8_t head[WS_HEAD_MAX];	/* a header that came in pieces */
	uint8_t nhead;
	uint8_t in_frame;
	uint8_t in_message;
	uint8_t flags;			/* HOSTD_WS_*: type, and FIRST until it
					   was told */
	uint8_t packed;			/* the message is compressed */
	uint8_t fragments;		/* parts are told as they come */
	uint8_t deflate;		/* negotiated */
	uint8_t takeover;		/* the client keeps its window */
	uint8_t bits;			/* of its window */
};

/* Zeroed memory, then ops, pool, max, fragments and what was negotiated set. */
void	ws_reader_close(struct ws_reader *);

/*
 * Take n bytes, which are changed.  Returns how many were used: all, unless an
 * op wanted no more, or error was set.
 */
size_t	ws_reader_feed(struct ws_reader *, char *p, size_t n);

/*
 * In the middle of a long payload: where its next bytes can be read to at once,
 * *room at most; NULL: feed.  Then ws_reader_got says how many were.
 */
char	*ws_reader_direct(struct ws_reader *, size_t *room);
void	ws_reader_got(struct ws_reader *, size_t n);

/* Is there a part of a message or frame, which must go on? */
static inline int
ws_reader_is_busy(const struct ws_reader *r)
{
	return r->nhead > 0 || r->in_frame || r->in_message;
}

#endif
