/* SPDX-License-Identifier: BSD-2-Clause */
/* What is sent to clients, as messages.  NULL: out of memory. */
#ifndef SOCKETIO_EVENT_H
#define SOCKETIO_EVENT_H

#include "eio.h"
#include "packet.h"

/*
 * An event: name as hostd_sio_event has it.  id NULL: nobody waits for an
 * answer; args NULL: none.  offset is of connection state recovery, an argument
 * behind the others; NULL: none.
 */
struct eio_message *event_message(hostd_buf nsp, const uint64_t *id,
	    hostd_buf name, const struct hostd_sio_args *,
	    const hostd_buf *offset);
/* What a client's event is acknowledged with. */
struct eio_message *ack_message(hostd_buf nsp, uint64_t id,
	    const struct hostd_sio_args *);
/* A packet of any other type; json n 0: none. */
struct eio_message *packet_message(enum sio_type, hostd_buf nsp,
	    hostd_buf json);

#endif
