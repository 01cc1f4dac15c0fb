/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instance of socketio, and how its parts fit together, lower ones first:
 *
 *   table, packet       pure
 *   eio_*               Engine.IO: sessions, and how bytes come and go
 *   client              Socket.IO over one session: its sockets
 *   space, room, socket namespaces, rooms and who is in them
 *   cluster, bus        other workers and nodes
 *   app, api            handlers of other plugins, and what they call
 *
 * Nothing calls up before its caller has returned to the loop, but for what
 * came from outside: bytes of clients go up by client.h, messages of others by
 * cluster.h, and from there to app.h.
 */
#ifndef SOCKETIO_SIO_H
#define SOCKETIO_SIO_H

#include <stdint.h>
#include <sys/queue.h>
#include <hostd/easy.h>
#include <hostd/fetch.h>
#include <hostd/metrics.h>
#include <hostd/offer.h>
#include <hostd/socketio.h>
#include <hostd/socketio_adapter.h>
#include <hostd/timer.h>
#include <hostd/worker.h>
#include "table.h"

struct acks;
struct apps;
struct clients;
struct cluster;
struct engine;
struct sio_files;
struct sio_metrics;
struct spaces;

/* The configuration, as the keys of its block say. */
struct sio_options {
	uint32_t ping_interval, ping_timeout, upgrade_timeout, connect_timeout;
	uint32_t max_disconnection;	/* ms; 0: no recovery */
	uint64_t max_payload;		/* max_http_buffer_size */
	uint64_t max_packet;		/* with its attachments; 0: any */
	uint64_t max_output;		/* bytes that wait for one session */
	uint32_t max_attachments, max_acks, max_rooms, max_namespaces;
	uint32_t max_handshakes;
	int polling, websocket, allow_upgrades, allow_eio3;
	int skip_middlewares;		/* of who is recovered */
	hostd_buf upstream;		/* group for other machines; n 0:
					   none */
	uint32_t requests_timeout;	/* of questions to other nodes */
	hostd_buf user_key;		/* NUL-ended; n 0: do not look */
	hostd_buf token_auth;		/* the same */
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timer;
	const struct hostd_offer_api *offer;
	const struct hostd_worker_api *worker;
	const struct hostd_fetch_api *fetch;	/* NULL: not served */
	const struct hostd_metrics_api *metrics;	/* the same */
	struct sio_options opt;
	struct engine *engine;
	struct clients *clients;
	struct spaces *spaces;
	struct cluster *cluster;
	struct apps *apps;
	struct acks *acks;
	struct sio_files *files;		/* NULL: none are served */
	struct sio_metrics *counted;
	int draining;
	int is_ending;		/* in destroy: nothing is told any more */
};

#endif
