/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets to a client that are no events: each gets there, or the session
 * ends. */
#ifndef SOCKETIO_REPLY_H
#define SOCKETIO_REPLY_H

#include "space.h"

/* json n 0: none. */
void	reply_packet(struct client *, enum sio_type, hostd_buf nsp,
	    hostd_buf json);
/* is_of_server: no handler, nor what stands for one, has refused it. */
void	reply_refused(struct client *, hostd_buf nsp, hostd_buf message,
	    hostd_buf data, int is_of_server);
void	reply_accepted(struct sio_socket *);

#endif
