/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions go on in the worker that takes the place of this one: those over
 * WebSocket with their connection (hostd.p.ws_state/1), those over polling by a
 * message to it.  What recovery keeps goes by hostd.p.state/1.
 */
#ifndef SOCKETIO_MOVE_H
#define SOCKETIO_MOVE_H

#include "eio.h"

struct bus_message;
struct cluster;

extern const struct hostd_p_state move_state;
extern const struct hostd_p_ws_state move_ws_state;

/* -- what the engine calls -- */

/* If this worker drains: sessions on polling that can go now go.  It ends when
 * its last connection has.  0: there is nobody to go to. */
int	move_polling(struct hostd_inst *);

/* -- what the cluster calls -- */

void	move_came(struct cluster *, struct bus_message *);
void	move_said(struct cluster *, struct bus_message *);

#endif
