/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MessagePack to JSON: binary data become placeholders, times the texts that
 * JavaScript's JSON has for them, NaN and the infinities null.
 */
#ifndef SOCKETIO_REDIS_UNPACK_H
#define SOCKETIO_REDIS_UNPACK_H

#include <hostd/abi.h>
#include <hostd/json_write.h>

/* Levels of a message: those around arguments, and theirs. */
#define MESSAGE_DEPTH	(4 + HOSTD_JSON_DEPTH)

/* Zeroed memory is empty; it may be used again. */
struct unpacked {
	struct hostd_json json;
	hostd_buf *bins;		/* slices of the message */
	uint32_t nbins, size;
};

/* A message, which is one value and nothing behind it.  0; -1: it is none, too
 * deep, or there is no memory. */
int	unpack_json(struct unpacked *, hostd_buf message);
void	unpacked_free(struct unpacked *);

#endif
