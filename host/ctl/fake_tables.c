/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/fake.h"
#include "ctl/fake_group.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_sio.h"

/*
 * Traps: functions that stand where a table has ended.  Whatever they are
 * called with, they end the case, and name the member that was meant.
 */
#define TRAPS 256
static char trap_names[TRAPS][80];
static unsigned ntraps;

#define TRAP(n)                               \
	static int32_t trap_##n(void)         \
	{                                     \
		check_trap(trap_names[0##n]); \
	}
#define TRAPS8(a)  \
	TRAP(a##0) \
	TRAP(a##1) \
	TRAP(a##2) \
	TRAP(a##3) \
	TRAP(a##4) \
	TRAP(a##5) \
	TRAP(a##6) \
	TRAP(a##7)
#define TRAPS64(a)  \
	TRAPS8(a##0) \
	TRAPS8(a##1) \
	TRAPS8(a##2) \
	TRAPS8(a##3) \
	TRAPS8(a##4) \
	TRAPS8(a##5) \
	TRAPS8(a##6) \
	TRAPS8(a##7)
TRAPS64(0)
TRAPS64(1)
TRAPS64(2)
TRAPS64(3)

#define NAMES8(a)                                                        \
	trap_##a##0, trap_##a##1, trap_##a##2, trap_##a##3, trap_##a##4, \
	    trap_##a##5, trap_##a##6, trap_##a##7
#define NAMES64(a)                                                      \
	NAMES8(a##0), NAMES8(a##1), NAMES8(a##2), NAMES8(a##3),         \
	    NAMES8(a##4), NAMES8(a##5), NAMES8(a##6), NAMES8(a##7)
static int32_t (*const traps[TRAPS])(void) = {NAMES64(0), NAMES64(1),
    NAMES64(2), NAMES64(3)};

#define MEMBER(type, m, since)                      \
	{                                           \
#m, offsetof(struct type, m), since \
	}

static const struct fake_member host_members[] = {
    MEMBER(hostd_host, get_ext, 0),
    MEMBER(hostd_host, log, 0),
    MEMBER(hostd_host, now_ms, 0),
    MEMBER(hostd_host, post, 0),
    {NULL, 0, 0},
};

static const struct fake_member http_members[] = {
    MEMBER(hostd_http_api, request, 0),
    MEMBER(hostd_http_api, header, 0),
    MEMBER(hostd_http_api, param, 0),
    MEMBER(hostd_http_api, body_pause, 0),
    MEMBER(hostd_http_api, respond, 0),
    MEMBER(hostd_http_api, begin, 0),
    MEMBER(hostd_http_api, write, 0),
    MEMBER(hostd_http_api, write_ref, 0),
    MEMBER(hostd_http_api, write_file, 0),
    MEMBER(hostd_http_api, finish, 0),
    MEMBER(hostd_http_api, abort, 0),
    MEMBER(hostd_http_api, inform, 2),
    MEMBER(hostd_http_api, finish_trailers, 2),
    MEMBER(hostd_http_api, trailers, 2),
    {NULL, 0, 0},
};

static const struct fake_member timer_members[] = {
    MEMBER(hostd_timer_api, start, 0),
    MEMBER(hostd_timer_api, stop, 0),
    {NULL, 0, 0},
};

static const struct fake_member ready_members[] = {
    MEMBER(hostd_ready_api, hold, 0),
    MEMBER(hostd_ready_api, release, 0),
    {NULL, 0, 0},
};

static const struct fake_member work_members[] = {
    MEMBER(hostd_work_api, submit, 0),
    {NULL, 0, 0},
};

static const struct fake_member worker_members[] = {
    MEMBER(hostd_worker_api, self, 5),
    MEMBER(hostd_worker_api, give, 5),
    MEMBER(hostd_worker_api, stay, 5),
    {NULL, 0, 0},
};

static const struct fake_member metrics_members[] = {
    MEMBER(hostd_metrics_api, define, 0),
    MEMBER(hostd_metrics_api, series, 0),
    MEMBER(hostd_metrics_api, add, 0),
    MEMBER(hostd_metrics_api, set, 0),
    MEMBER(hostd_metrics_api, observe, 0),
    {NULL, 0, 0},
};

static const struct fake_member fetch_members[] = {
    MEMBER(hostd_fetch_api, check, 2),
    MEMBER(hostd_fetch_api, start, 2),
    MEMBER(hostd_fetch_api, write, 2),
    MEMBER(hostd_fetch_api, finish, 2),
    MEMBER(hostd_fetch_api, body_pause, 2),
    MEMBER(hostd_fetch_api, trailers, 2),
    MEMBER(hostd_fetch_api, tunnel, 2),
    MEMBER(hostd_fetch_api, cancel, 2),
    {NULL, 0, 0},
};

static const struct fake_member net_members[] = {
    MEMBER(hostd_net_api, connect, 0),
    MEMBER(hostd_net_api, send, 0),
    MEMBER(hostd_net_api, pause, 0),
    MEMBER(hostd_net_api, shutdown, 0),
    MEMBER(hostd_net_api, close, 0),
    {NULL, 0, 0},
};

static const struct fake_member health_members[] = {
    MEMBER(hostd_health_api, declare, 4),
    MEMBER(hostd_health_api, set, 4),
    MEMBER(hostd_health_api, node, 4),
    MEMBER(hostd_health_api, dependency, 4),
    {NULL, 0, 0},
};

static const struct fake_member offer_members[] = {
    MEMBER(hostd_offer_api, enter, 5),
    MEMBER(hostd_offer_api, leave, 5),
    {NULL, 0, 0},
};

static const struct fake_member op_members[] = {
    MEMBER(hostd_op_api, put, 3),
    MEMBER(hostd_op_api, complete, 3),
    MEMBER(hostd_op_api, left_ms, 3),
    {NULL, 0, 0},
};

static const struct fake_member status_members[] = {
    MEMBER(hostd_status_api, json, 0),
    MEMBER(hostd_status_api, exposition, 4),
    {NULL, 0, 0},
};

static const struct fake_member ws_members[] = {
    MEMBER(hostd_ws_api, accept, 0),
    MEMBER(hostd_ws_api, send, 0),
    MEMBER(hostd_ws_api, close, 0),
    MEMBER(hostd_ws_api, pause, 0),
    MEMBER(hostd_ws_api, info, 0),
    MEMBER(hostd_ws_api, data, 0),
    MEMBER(hostd_ws_api, subscribe, 0),
    MEMBER(hostd_ws_api, unsubscribe, 0),
    MEMBER(hostd_ws_api, set_label, 0),
    MEMBER(hostd_ws_api, members, 0),
    MEMBER(hostd_ws_api, send_many, 5),
    {NULL, 0, 0},
};

static const struct fake_member channel_members[] = {
    MEMBER(hostd_channel_api, publish, 0),
    MEMBER(hostd_channel_api, subscribe, 0),
    MEMBER(hostd_channel_api, unsubscribe, 0),
    MEMBER(hostd_channel_api, count_here, 0),
    MEMBER(hostd_channel_api, count, 0),
    MEMBER(hostd_channel_api, list, 0),
    MEMBER(hostd_channel_api, keep, 0),
    MEMBER(hostd_channel_api, replay, 0),
    MEMBER(hostd_channel_api, largest, 4),
    {NULL, 0, 0},
};

static const struct fake_member pubsub_members[] = {
    MEMBER(hostd_pubsub_api, deliver, 0),
    MEMBER(hostd_pubsub_api, up, 0),
    MEMBER(hostd_pubsub_api, down, 0),
    MEMBER(hostd_pubsub_api, gap, 0),
    MEMBER(hostd_pubsub_api, writable, 0),
    MEMBER(hostd_pubsub_api, subscribed, 1),
    {NULL, 0, 0},
};

static const struct fake_member balancer_members[] = {
    MEMBER(hostd_balancer_api, load, 2),
    {NULL, 0, 0},
};

static const struct fake_member auth_members[] = {
    MEMBER(hostd_auth_api, user, 3),
    MEMBER(hostd_auth_api, claims, 3),
    MEMBER(hostd_auth_api, claim, 3),
    MEMBER(hostd_auth_api, ws_user, 3),
    MEMBER(hostd_auth_api, ws_claims, 3),
    MEMBER(hostd_auth_api, ws_claim, 3),
    MEMBER(hostd_auth_api, has_users, 3),
    MEMBER(hostd_auth_api, check_password, 3),
    {NULL, 0, 0},
};

static const struct fake_member session_members[] = {
    MEMBER(hostd_session_api, open, 3),
    MEMBER(hostd_session_api, open_ws, 3),
    MEMBER(hostd_session_api, get, 3),
    MEMBER(hostd_session_api, set, 3),
    MEMBER(hostd_session_api, del, 3),
    MEMBER(hostd_session_api, keys, 3),
    MEMBER(hostd_session_api, id, 3),
    MEMBER(hostd_session_api, is_new, 3),
    MEMBER(hostd_session_api, set_max_age, 3),
    MEMBER(hostd_session_api, regenerate, 3),
    MEMBER(hostd_session_api, destroy, 3),
    MEMBER(hostd_session_api, save, 3),
    {NULL, 0, 0},
};

static const struct fake_member trace_members[] = {
    MEMBER(hostd_trace_api, get, 4),
    {NULL, 0, 0},
};

static const struct fake_member control_members[] = {
    MEMBER(hostd_control_api, may, 4),
    MEMBER(hostd_control_api, ask, 4),
    {NULL, 0, 0},
};

static const struct fake_member tls_members[] = {
    MEMBER(hostd_tls_api, get, 4),
    {NULL, 0, 0},
};

static const struct fake_member sio_members[] = {
    MEMBER(hostd_sio_api, accept, 5),
    MEMBER(hostd_sio_api, refuse, 5),
    MEMBER(hostd_sio_api, info, 5),
    MEMBER(hostd_sio_api, data, 5),
    MEMBER(hostd_sio_api, set_data, 5),
    MEMBER(hostd_sio_api, emit, 5),
    MEMBER(hostd_sio_api, ask, 5),
    MEMBER(hostd_sio_api, ack, 5),
    MEMBER(hostd_sio_api, broadcast, 5),
    MEMBER(hostd_sio_api, ask_all, 5),
    MEMBER(hostd_sio_api, join, 5),
    MEMBER(hostd_sio_api, leave, 5),
    MEMBER(hostd_sio_api, rooms, 5),
    MEMBER(hostd_sio_api, disconnect, 5),
    MEMBER(hostd_sio_api, sockets_join, 5),
    MEMBER(hostd_sio_api, sockets_leave, 5),
    MEMBER(hostd_sio_api, disconnect_sockets, 5),
    MEMBER(hostd_sio_api, fetch_sockets, 5),
    MEMBER(hostd_sio_api, all_rooms, 5),
    MEMBER(hostd_sio_api, server_emit, 5),
    MEMBER(hostd_sio_api, server_ask, 5),
    MEMBER(hostd_sio_api, serve, 5),
    {NULL, 0, 0},
};

static const struct fake_member sio_adapter_members[] = {
    MEMBER(hostd_sio_adapter_api, up, 5),
    MEMBER(hostd_sio_adapter_api, told, 5),
    MEMBER(hostd_sio_adapter_api, asked, 5),
    MEMBER(hostd_sio_adapter_api, reply, 5),
    MEMBER(hostd_sio_adapter_api, done, 5),
    {NULL, 0, 0},
};

const struct fake_table fake_tables[] = {
    {"host", sizeof(struct hostd_host), &fake_host_table, host_members},
    {HOSTD_EXT_HTTP, sizeof(struct hostd_http_api), &fake_http_api,
	http_members},
    {HOSTD_EXT_TIMER, sizeof(struct hostd_timer_api), &fake_timer_api,
	timer_members},
    {HOSTD_EXT_READY, sizeof(struct hostd_ready_api), &fake_ready_api,
	ready_members},
    {HOSTD_EXT_HEALTH, sizeof(struct hostd_health_api), &fake_health_api,
	health_members},
    {HOSTD_EXT_WORK, sizeof(struct hostd_work_api), &fake_work_api,
	work_members},
    {HOSTD_EXT_WORKER, sizeof(struct hostd_worker_api), &fake_worker_api,
	worker_members},
    {HOSTD_EXT_METRICS, sizeof(struct hostd_metrics_api), &fake_metrics_api,
	metrics_members},
    {HOSTD_EXT_STATUS, sizeof(struct hostd_status_api), &fake_status_api,
	status_members},
    {HOSTD_EXT_FETCH, sizeof(struct hostd_fetch_api), &fake_fetch_api,
	fetch_members},
    {HOSTD_EXT_NET, sizeof(struct hostd_net_api), &fake_net_api, net_members},
    {HOSTD_EXT_OFFER, sizeof(struct hostd_offer_api), &fake_offer_api,
	offer_members},
    {HOSTD_EXT_OP, sizeof(struct hostd_op_api), &fake_op_api, op_members},
    {HOSTD_EXT_WS, sizeof(struct hostd_ws_api), &fake_ws_api, ws_members},
    {HOSTD_EXT_CHANNEL, sizeof(struct hostd_channel_api), &fake_channel_api,
	channel_members},
    {HOSTD_EXT_PUBSUB, sizeof(struct hostd_pubsub_api), &fake_pubsub_api,
	pubsub_members},
    {HOSTD_EXT_BALANCER, sizeof(struct hostd_balancer_api),
	&fake_balancer_api, balancer_members},
    {HOSTD_EXT_AUTH, sizeof(struct hostd_auth_api), &fake_auth_api,
	auth_members},
    {HOSTD_EXT_SESSION, sizeof(struct hostd_session_api),
	&fake_session_api, session_members},
    {HOSTD_EXT_TRACE, sizeof(struct hostd_trace_api), &fake_trace_api,
	trace_members},
    {HOSTD_EXT_CONTROL, sizeof(struct hostd_control_api),
	&fake_control_api, control_members},
    {HOSTD_EXT_TLS, sizeof(struct hostd_tls_api), &fake_tls_api,
	tls_members},
    {HOSTD_EXT_SOCKETIO, sizeof(struct hostd_sio_api), &fake_sio_api,
	sio_members},
    {HOSTD_EXT_SIO_ADAPTER, sizeof(struct hostd_sio_adapter_api),
	&fake_sio_adapter_api, sio_adapter_members},
    {NULL, 0, NULL, NULL},
};
_Static_assert(sizeof(fake_tables) / sizeof(fake_tables[0]) == FAKE_TABLES + 2,
    "host, FAKE_TABLES and the end");

static void
trap_put(char *table, size_t offset, const char *id, const char *member)
{
	unsigned i = ntraps++;

	if (i >= TRAPS)
		fatalx("more than %d traps", TRAPS);
	(void)snprintf(
	    trap_names[i], sizeof(trap_names[i]), "%s of %s", member, id);
	memcpy(table + offset, &traps[i], sizeof(traps[i]));
}

/* The minor that the table had at that size: members newer than the host's
 * minor are behind its end. */
static size_t
size_at_minor(const struct fake_table *t, uint32_t minor)
{
	const struct fake_member *m;

	for (m = t->members; m->name != NULL; m++)
		if (m->since > minor)
			return m->offset;
	return t->size;
}

void *
fake_table_make(const struct fake_table *t, const struct fake_shape *shape)
{
	const struct fake_member *m;
	char *table, name[32], what[80];
	size_t size = size_at_minor(t, shape->minor);
	uint32_t struct_size;
	unsigned i;

	if (shape->cut != NULL && strcmp(shape->cut, t->id) == 0)
		size = shape->cut_at;
	(void)snprintf(what, sizeof(what), "the table of %s", t->id);
	table = guard_alloc(t->size + shape->extra * sizeof(traps[0]), what);
	memcpy(table, t->full, size);
	struct_size = (uint32_t)(size + shape->extra * sizeof(traps[0]));
	memcpy(table, &struct_size, sizeof(struct_size));
	for (m = t->members; m->name != NULL; m++)
		if (m->offset >= size)
			trap_put(table, m->offset, t->id, m->name);
	for (i = 0; i < shape->extra; i++) {
		(void)snprintf(name, sizeof(name), "new member %u", i + 1);
		trap_put(table, t->size + i * sizeof(traps[0]), t->id, name);
	}
	return table;
}
