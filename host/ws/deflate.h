/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compression of messages (RFC 7692 section 7.2), with zlib.
 *
 * zlib's states are large (a deflater is up to 256 KiB), so a worker has a pool
 * of them: without context takeover one is borrowed for a message; with it,
 * for the life of the connection.
 */
#ifndef WS_DEFLATE_H
#define WS_DEFLATE_H

#include <stddef.h>
#include <hostd/abi.h>
#include "base/buf.h"

struct ws_zpool;
struct ws_inflater;
struct ws_deflater;

/* level 1-9 and mem_level 1-9 as zlib's, for all deflaters. */
struct ws_zpool *ws_zpool_new(int level, int mem_level);
/* All that was borrowed must be back. */
void	ws_zpool_free(struct ws_zpool *);

/* bits 9-15.  A fresh window.  NULL when memory is lacking. */
struct ws_inflater *ws_inflater_get(struct ws_zpool *, int bits);
void	ws_inflater_put(struct ws_zpool *, struct ws_inflater *);
struct ws_deflater *ws_deflater_get(struct ws_zpool *, int bits);
void	ws_deflater_put(struct ws_zpool *, struct ws_deflater *);

/* Append what a successor has to know of the bytes so far: the window. */
void	ws_inflater_window(struct ws_inflater *, struct buf *);
void	ws_deflater_window(struct ws_deflater *, struct buf *);
/* As get, with a window of before.  NULL also when it is none. */
struct ws_inflater *ws_inflater_resume(struct ws_zpool *, int bits,
	    hostd_buf window);
struct ws_deflater *ws_deflater_resume(struct ws_zpool *, int bits,
	    hostd_buf window);

enum { WS_INFLATE_OK = 0, WS_INFLATE_BAD = -1, WS_INFLATE_TOO_BIG = -2 };

/*
 * Decompress n bytes of a message's payload and append what comes out; fin: it
 * ends here (the four bytes that the sender took off are put back).  TOO_BIG
 * as soon as out would be longer than max: no more than that is ever made.
 * After BAD or TOO_BIG the inflater is good for nothing but put.
 */
int	ws_inflate(struct ws_inflater *, const void *, size_t n, int fin,
	    struct buf *out, size_t max);

/* Compress a whole message and append the result.  0, or -1 (memory). */
int	ws_deflate(struct ws_deflater *, const void *, size_t n,
	    struct buf *out);

#endif
