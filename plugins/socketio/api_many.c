/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.socketio/1: what is told to many, and answered by nobody. */
#include "api.h"
#include "cluster.h"
#include "metrics.h"

/* Look at `to`, and tell.  The rest of the order is the caller's. */
static int32_t
tell(const struct hostd_sio_api *api, const struct hostd_sio_to *from,
    struct hostd_sio_order *order)
{
	struct hostd_inst *in = api_app(api)->in;
	const struct space *sp;
	struct hostd_sio_to to;
	int32_t rc = api_to(in, from, &to);

	if (rc != HOSTD_OK)
		return rc;
	order->struct_size = sizeof(*order);
	order->to = &to;
	if (order->type == HOSTD_SIO_BROADCAST &&
	    (sp = space_find(in, to.nsp)) != NULL)
		metrics_count(in, sp->metrics, METRICS_BROADCASTS, 1);
	rc = cluster_tell(in, order);
	/* Else the others are not reached: on_cluster has told that. */
	return rc < 0 && rc != HOSTD_E_NOMEM && rc != HOSTD_E_INVAL ?
	    HOSTD_OK : rc;
}

static int32_t
api_broadcast(const struct hostd_sio_api *api, const struct hostd_sio_to *to,
    hostd_buf name, const struct hostd_sio_args *args)
{
	struct hostd_sio_order order = {
		.type = HOSTD_SIO_BROADCAST,
		.name = name,
	};

	if (api_event(api_app(api)->in, name, &args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	order.args = args;
	return tell(api, to, &order);
}

static int32_t
move(const struct hostd_sio_api *api, uint32_t type,
    const struct hostd_sio_to *to, const hostd_buf *rooms, uint32_t n)
{
	struct hostd_sio_order order = {
		.type = type,
		.rooms = rooms,
		.nrooms = n,
	};

	return n == 0 || api_names(rooms, n) != HOSTD_OK ? HOSTD_E_INVAL :
	    tell(api, to, &order);
}

static int32_t
api_sockets_join(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to, const hostd_buf *rooms, uint32_t n)
{
	return move(api, HOSTD_SIO_JOIN, to, rooms, n);
}

static int32_t
api_sockets_leave(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to, const hostd_buf *rooms, uint32_t n)
{
	return move(api, HOSTD_SIO_LEAVE, to, rooms, n);
}

static int32_t
api_disconnect_sockets(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to, int32_t close)
{
	struct hostd_sio_order order = {
		.type = HOSTD_SIO_DISCONNECT,
		.close = close != 0,
	};

	return tell(api, to, &order);
}

static int32_t
api_server_emit(const struct hostd_sio_api *api, hostd_buf nsp,
    hostd_buf name, const struct hostd_sio_args *args)
{
	struct hostd_sio_to to = {
		.struct_size = sizeof(to),
		.nsp = nsp,
	};
	struct hostd_sio_order order = {
		.type = HOSTD_SIO_SERVER_EVENT,
		.name = name,
	};

	if (api_event(api_app(api)->in, name, &args) != HOSTD_OK)
		return HOSTD_E_INVAL;
	order.args = args;
	return tell(api, &to, &order);
}

void
api_fill_many(struct hostd_sio_api *api)
{
	api->broadcast = api_broadcast;
	api->sockets_join = api_sockets_join;
	api->sockets_leave = api_sockets_leave;
	api->disconnect_sockets = api_disconnect_sockets;
	api->server_emit = api_server_emit;
}
