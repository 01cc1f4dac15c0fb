/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers: instances of other plugins that provide sio_handler/1.  Calls to them
 * are between enter and leave of hostd.offer/1, and never nested.
 */
#ifndef SOCKETIO_APP_H
#define SOCKETIO_APP_H

#include "space.h"

struct app {
	STAILQ_ENTRY(app) link;
	struct hostd_inst *in;		/* socketio's */
	hostd_user user;
	const char *name;		/* of the instance, for the log */
	const struct hostd_sio_ops *ops;
	struct hostd_sio_api api;	/* what it was given; ctx: this */
};

struct apps {
	STAILQ_HEAD(, app) all;
};

/* hostd.p.offer/1's row for HOSTD_KIND_SIO_HANDLER; the adapter's is in
 * cluster.h. */
extern const struct hostd_offer app_offer;

int32_t	apps_create(struct hostd_inst *);
void	apps_destroy(struct hostd_inst *);

/* Does any handler have this namespace?  Stores them, in order: at most max;
 * returns how many. */
uint32_t apps_of(struct hostd_inst *, hostd_buf nsp, struct app **out,
	    uint32_t max, int *by_pattern);

/* A client has asked to connect: ask the handlers in turn.  What comes of it is
 * told by client_accepted or client_refused (client.c). */
void	apps_connect(struct sio_socket *);
/* It is connected; packet and all were sent. */
void	apps_connected(struct sio_socket *, int recovered);
void	apps_event(struct sio_socket *, hostd_buf name_raw,
	    const struct hostd_sio_args *, hostd_sio_ack);
/* It goes, with its rooms; then without. */
void	apps_disconnecting(struct sio_socket *, int32_t reason);
void	apps_disconnected(struct sio_socket *, int32_t reason);
/* Others' server_emit.  ack id 0: nobody waits. */
void	apps_server_event(struct hostd_inst *, hostd_buf nsp, hostd_buf name,
	    const struct hostd_sio_args *, hostd_sio_ack);

/* Fill the table that a handler is given (api.c). */
void	api_fill(struct hostd_sio_api *, struct app *);

#endif
