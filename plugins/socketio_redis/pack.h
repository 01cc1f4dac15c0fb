/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON to MessagePack, as notepack.io writes it: numbers that are integers as
 * the shortest integer, others as float64, placeholders as the binary data that
 * they stand for.
 */
#ifndef SOCKETIO_REDIS_PACK_H
#define SOCKETIO_REDIS_PACK_H

#include <msgpack/sbuffer.h>
#include <hostd/abi.h>

/* Levels of lists and objects. */
#define PACK_DEPTH	68

/* One value, which is known to be JSON.  0; -1: it is not, it is too deep, or
 * there is no memory. */
int	pack_json(msgpack_sbuffer *, hostd_buf json, const hostd_buf *bins,
	    uint32_t nbins);

/* -1: out of memory. */
int	pack_text(msgpack_sbuffer *, hostd_buf);
int	pack_word(msgpack_sbuffer *, const char *);
int	pack_number(msgpack_sbuffer *, int64_t);
int	pack_bool(msgpack_sbuffer *, int);
int	pack_list(msgpack_sbuffer *, uint32_t n);
int	pack_map(msgpack_sbuffer *, uint32_t n);

#endif
