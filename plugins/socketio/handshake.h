/* SPDX-License-Identifier: BSD-2-Clause */
/* A handshake, as Node's fetchSockets shows it. */
#ifndef SOCKETIO_HANDSHAKE_H
#define SOCKETIO_HANDSHAKE_H

#include <hostd/json_write.h>
#include "eio.h"

/* auth: a JSON object; n 0: {}. */
void	handshake_write(struct hostd_json *, const struct eio_handshake *,
	    hostd_buf auth);
/* Its names and values, as an object. */
void	handshake_query(struct hostd_json *, hostd_buf query);

#endif
