/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of Socket.IO, for plugins that provide sio_handler/1. */
#ifndef CTL_FAKE_SIO_H
#define CTL_FAKE_SIO_H

#include <hostd/socketio.h>
#include <hostd/socketio_adapter.h>

#include "ctl/fake_state.h"

struct fake_sio;

/* The handler's table. */
const struct hostd_sio_ops *fake_sio_ops(const struct fake *);
/* A client asks to connect to a namespace, says auth, and is told.  Never NULL;
 * it may have been refused. */
struct fake_sio *fake_sio_open(struct fake *, const char *nsp,
	    const char *auth);
int	fake_sio_is_open(const struct fake_sio *);
/* An event: a JSON array, its name first; data: what its placeholder 0 stands
 * for; NULL: none. */
void	fake_sio_say(struct fake_sio *, const char *array, const char *data,
	    int with_ack);
/* It leaves, if it is still there.  Then it is stale. */
void	fake_sio_leave(struct fake_sio *, int32_t reason);
/* fake_sio_move.c: as of a WebSocket (fake_state.h), of what the handler has of
 * it.  Does anything of it go along? */
int	fake_sio_moves(const struct fake *);
int32_t	fake_sio_save(struct fake_sio *, const struct fake_put *,
	    struct fake_state *);
struct fake_sio *fake_sio_move(struct fake_sio *, struct fake *to,
	    const struct fake_state *, int32_t *rc);
/* What another worker says. */
void	fake_sio_server(struct fake *, const char *nsp, const char *array);
void	fake_sio_cluster(struct fake *, int on);
/* At the instance's end. */
void	fake_sio_end(struct fake *);

/* Whose table is it?  As fake_called. */
struct fake *fake_sio_caller(const void *table, const char *id,
	    const char *function);
/* The tables. */
extern const struct hostd_sio_api fake_sio_api;
extern const struct hostd_sio_adapter_api fake_sio_adapter_api;

#endif
