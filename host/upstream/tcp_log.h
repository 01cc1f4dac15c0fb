/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access logs of TCP connections: one line for each when it has ended, as text,
 * as JSON, or in a format with
 *
 *	$remote_addr $remote_port $protocol $status $bytes_sent $bytes_received
 *	$session_time $upstream_addr $upstream_bytes_sent
 *	$upstream_bytes_received $upstream_connect_time
 *	$ssl_preread_server_name
 *
 * which mean what they do in nginx's stream module.
 */
#ifndef UPSTREAM_TCP_LOG_H
#define UPSTREAM_TCP_LOG_H

#include <stdint.h>
#include "base/accesslog.h"

struct tcp_conn;

/* $status, as nginx has it; what becomes of a connection that has a server is
 * the protocol's matter. */
enum tcp_status {
	TCP_OK = 200,
	TCP_BAD = 400,		/* not what it has to begin with */
	TCP_FORBIDDEN = 403,	/* for a name that nothing is configured for */
	TCP_OURS = 500,		/* no descriptors, for instance */
	TCP_NO_SERVER = 502,	/* none is up, or can be connected to */
	TCP_FULL = 503		/* none takes more */
};

extern const struct access_kind tcp_log_kind;

/* It ends. */
void	tcp_log(const struct tcp_conn *);
/* Bytes of the client that have come, those of a PROXY header not counted. */
uint64_t tcp_received(const struct tcp_conn *);

#endif
