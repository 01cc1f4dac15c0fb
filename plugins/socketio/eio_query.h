/* SPDX-License-Identifier: BSD-2-Clause */
/* What the query of a request says to the engine. */
#ifndef SOCKETIO_EIO_QUERY_H
#define SOCKETIO_EIO_QUERY_H

#include <hostd/abi.h>
#include "eio.h"

enum eio_transport {
	EIO_TRANSPORT_NONE,
	EIO_TRANSPORT_POLLING = HOSTD_SIO_POLLING,
	EIO_TRANSPORT_WEBSOCKET = HOSTD_SIO_WEBSOCKET
};

struct eio_query {
	enum eio_transport transport;
	int is_revision_4;		/* else it is 3 */
	int wants_base64;		/* where there could be bytes */
	size_t nid;			/* 0: a new session; more than
					   EIO_ID_LEN: nobody's */
	char id[EIO_ID_LEN + 1];
};

void	eio_query_parse(hostd_buf query, struct eio_query *);

#endif
