/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said in another way with clients of Socket.IO 2.  Pure. */
#ifndef SOCKETIO_OLD_PACKET_H
#define SOCKETIO_OLD_PACKET_H

#include <hostd/json_write.h>

/* The query of "/chat?token=x", and the namespace without it; n 0: none. */
hostd_buf old_query(hostd_buf *nsp);

/* What a refusal is: the data that a handler gives or else its message. */
void	old_refusal(struct hostd_json *, hostd_buf message, hostd_buf data);

#endif
