/* SPDX-License-Identifier: BSD-2-Clause */
/* What the functions of hostd.socketio/1 share: looking at arguments. */
#ifndef SOCKETIO_API_H
#define SOCKETIO_API_H

#include "app.h"

static inline struct app *
api_app(const struct hostd_sio_api *api)
{
	return (struct app *)api->ctx;
}

/* The socket, if it is the handler's: HOSTD_OK or E_GONE. */
int32_t	api_socket(const struct hostd_sio_api *, hostd_sio,
	    struct sio_socket **out);
/* HOSTD_OK or E_INVAL.  A NULL *args becomes none. */
int32_t	api_args(const struct hostd_inst *, const struct hostd_sio_args **args);
int32_t	api_event(const struct hostd_inst *, hostd_buf name,
	    const struct hostd_sio_args **args);
int32_t	api_names(const hostd_buf *names, uint32_t n);
/* The namespace as it is called. */
int32_t	api_nsp(hostd_buf *nsp);
/*
 * Look at `from`, and make *to of it: nsp as it is called, `but` among those of
 * except, in the scratch of the instance.
 */
int32_t	api_to(struct hostd_inst *, const struct hostd_sio_to *from,
	    struct hostd_sio_to *to);

/* Room for n values in the scratch of the instance; NULL: no memory. */
hostd_buf	*api_values(struct apps *, uint32_t n);

/* The rows of the other files. */
void	api_fill_many(struct hostd_sio_api *);
void	api_fill_ask(struct hostd_sio_api *);

#endif
