/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of its block, and what they say. */
#ifndef SOCKETIO_SETTINGS_H
#define SOCKETIO_SETTINGS_H

#include "sio.h"

extern const struct hostd_key *const sio_keys[];

int32_t	settings_read(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);

#endif
