/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets as members of channels: the part of hostd.ws/1 that is about
 * rooms. */
#ifndef PLUGIN_ROOM_SERVICE_H
#define PLUGIN_ROOM_SERVICE_H

#include <stdint.h>
#include <hostd/ws.h>
#include "base/buf.h"

struct hub;
struct instance;
struct subscriber;
struct ws_conn;

#define ROOM_LABEL_MAX	255
#define ROOM_LIST_MAX	1000	/* labels that a list tells */

int32_t	room_service_join(const struct hostd_host *, hostd_ws, hostd_buf);
int32_t	room_service_leave(const struct hostd_host *, hostd_ws, hostd_buf);
int32_t	room_service_members(const struct hostd_host *, hostd_buf channel,
	    hostd_ws *out, uint32_t max, uint32_t *total);

/* The socket ends. */
void	room_service_leave_all(struct instance *, struct ws_conn *);
/* Its side of subscriptions; NULL while it has none. */
struct subscriber *room_service_subscriber(const struct ws_conn *);
/* The same, made when there is none. */
struct subscriber *room_service_enter(struct ws_conn *);
/* Append the labels of a channel's sockets; for the hub. */
void	room_service_labels(struct hub *, hostd_buf channel, struct buf *out);

/* May a plugin use this name? */
int	room_name_ok(hostd_buf);

#endif
