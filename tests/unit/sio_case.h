/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance of socketio without a host: namespaces and sockets are real, the
 * engine, the cluster and handlers are here.
 */
#ifndef SIO_CASE_H
#define SIO_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "socketio/ack.h"
#include "socketio/away.h"
#include "socketio/app.h"
#include "socketio/cluster.h"
#include "socketio/recover.h"

struct eio {
	unsigned sent;
	char id[EIO_ID_LEN + 1];
};

static struct hostd_inst *in;
static struct client client;
static uint64_t now;
static char told[512];		/* of cluster_room and so on */
static struct eio session;

/* -- the host -- */

static uint64_t
case_now(const struct hostd_host *h)
{
	(void)h;
	return now;
}

static struct {
	uint64_t due;
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	unsigned started;
} timer;

static int32_t
case_timer_start(const struct hostd_host *h, uint64_t delay, uint64_t repeat,
    void (*fn)(struct hostd_inst *, hostd_timer, void *), void *arg,
    hostd_timer *out)
{
	(void)h;
	(void)arg;
	assert_int_equal(repeat, 0);
	timer.due = now + delay;
	timer.fn = fn;
	out->id = ++timer.started;
	return HOSTD_OK;
}

static int32_t
case_timer_stop(const struct hostd_host *h, hostd_timer t)
{
	(void)h;
	assert_int_equal(t.id, timer.started);
	timer.fn = NULL;
	return HOSTD_OK;
}

/* -- what lies below and above -- */

static void
tell(const char *what, hostd_buf nsp, hostd_buf room)
{
	size_t n = strlen(told);

	(void)snprintf(told + n, sizeof(told) - n, "%s %.*s%s%.*s;", what,
	    (int)nsp.n, (const char *)nsp.p, room.n > 0 ? " " : "",
	    (int)room.n, room.p == NULL ? "" : (const char *)room.p);
}

void
cluster_open(struct hostd_inst *i, hostd_buf nsp)
{
	(void)i;
	tell("open", nsp, hostd_str(""));
}

void
cluster_close(struct hostd_inst *i, hostd_buf nsp)
{
	(void)i;
	tell("close", nsp, hostd_str(""));
}

void
cluster_room(struct hostd_inst *i, hostd_buf nsp, hostd_buf room, int on)
{
	(void)i;
	if (room.n < SOCKET_ID_LEN)
		tell(on ? "on" : "off", nsp, room);
}

void
away_settle(struct sio_socket *s)
{
	(void)s;
}

void
held_forget(struct sio_socket *s)
{
	assert_null(s->held);
}

void
recover_forget(struct sio_socket *s)
{
	assert_null(s->back);
}

const char *
eio_id(const struct eio *e)
{
	return e->id;
}

int32_t
eio_send(struct eio *e, struct eio_message *m, uint32_t flags)
{
	(void)m;
	(void)flags;
	e->sent++;
	return HOSTD_OK;
}

void
eio_send_many(struct hostd_inst *i, struct eio *const *to, size_t n,
    struct eio_message *m, uint32_t flags)
{
	size_t k;

	(void)i;
	for (k = 0; k < n; k++)
		(void)eio_send(to[k], m, flags);
}

/* Handlers have "/" and "/room-*". */
uint32_t
apps_of(struct hostd_inst *i, hostd_buf nsp, struct app **out, uint32_t max,
    int *by_pattern)
{
	(void)i;
	(void)out;
	(void)max;
	*by_pattern = nsp.n > 6 && memcmp(nsp.p, "/room-", 6) == 0;
	out[0] = NULL;
	return *by_pattern || nsp.n == 1;
}

hostd_buf
apps_pattern(const struct hostd_inst *i, hostd_buf nsp)
{
	(void)i;
	(void)nsp;
	return hostd_str("/room-*");
}

int
app_data_new(struct sio_socket *s)
{
	(void)s;
	return 0;
}

void
app_data_free(struct sio_socket *s)
{
	(void)s;
}

/* -- a case -- */

static int
set_up(void **state)
{
	static const struct hostd_timer_api timers = {
		.struct_size = sizeof(timers),
		.start = case_timer_start,
		.stop = case_timer_stop,
	};
	static struct hostd_host host = {
		.struct_size = sizeof(host),
		.now_ms = case_now,
	};
	static struct apps apps;
	struct hostd_err err;

	(void)state;
	in = calloc(1, sizeof(*in));
	in->easy.host = &host;
	in->timer = &timers;
	in->opt.max_rooms = 8;
	in->opt.max_acks = 3;
	STAILQ_INIT(&apps.all);
	in->apps = &apps;
	memset(&timer, 0, sizeof(timer));
	memset(&client, 0, sizeof(client));
	session.sent = 0;
	now = 1000;
	told[0] = '\0';
	client.in = in;
	client.eio = &session;
	TAILQ_INIT(&client.sockets);
	return spaces_create(in, NULL, &err) != HOSTD_OK ||
	    acks_create(in) != HOSTD_OK;
}

static int
tear_down(void **state)
{
	struct sio_socket *s;

	(void)state;
	while ((s = TAILQ_FIRST(&client.sockets)) != NULL)
		socket_free(s);
	spaces_destroy(in);
	acks_destroy(in);
	free(in);
	return 0;
}

static inline struct sio_socket *
enter(const char *nsp)
{
	struct sio_socket *s = socket_new(&client, space_get(in,
	    hostd_str(nsp)), hostd_str(NULL));

	assert_non_null(s);
	assert_int_equal(socket_enter(s), 0);
	return s;
}

#endif
