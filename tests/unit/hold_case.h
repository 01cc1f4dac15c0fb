/* SPDX-License-Identifier: BSD-2-Clause */
/* Three workers, and a socket that goes from the first to the second. */
#ifndef UNIT_HOLD_CASE_H
#define UNIT_HOLD_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <hostd/ws.h>
#include "base/log.h"
#include "base/mem.h"
#include "pubsub/hub.h"
#include "loop_case.h"

enum { GIVER, TAKER, OTHER, NHUBS };

/* A socket; what it hears are numbers, one behind the other. */
struct ear {
	struct subscriber subscriber;	/* first */
	char heard[1024];
};

static struct board board;
static struct conf_pubsub conf = { .queue = 1 << 16, .history = 1 << 20,
	.query_timeout = 100 };
static struct hub hubs[NHUBS];
static struct stream_io sio;
static struct ear before, after;	/* the socket, there and here */
static int done;
static struct buf said;			/* to the backends */
static struct buf mark;			/* an envelope, in the giver's inbox */

static inline hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static inline void
hear(struct subscriber *s, struct delivery *d)
{
	struct ear *e = (struct ear *)(void *)s;
	size_t n = strlen(e->heard);

	if (!d->gap)
		(void)snprintf(e->heard + n, sizeof(e->heard) - n, "%.*s ",
		    (int)d->payload.n, (const char *)d->payload.p);
}

static inline void
connect_hubs(int a, int b)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	bus_add(&hubs[a].bus, fds[0], (uint32_t)b);
	bus_add(&hubs[b].bus, fds[1], (uint32_t)a);
}

static inline int
setup(void **state)
{
	int i;

	(void)state;
	loop_open();
	stream_io_init(&sio, &loop);
	assert_int_equal(board_create(&board), 0);
	for (i = 0; i < NHUBS; i++) {
		atomic_store(&board.cells[i].state, CELL_READY);
		hub_init(&hubs[i], &loop, &board, &board.cells[i], &conf);
		hub_serve(&hubs[i], &sio);
	}
	connect_hubs(GIVER, TAKER);
	connect_hubs(GIVER, OTHER);
	connect_hubs(TAKER, OTHER);
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	before.subscriber.is_socket = after.subscriber.is_socket = 1;
	before.subscriber.deliver = after.subscriber.deliver = hear;
	done = 0;
	turn();
	return 0;
}

static inline int
teardown(void **state)
{
	int i;

	(void)state;
	subscriber_close(&hubs[GIVER].channels, &before.subscriber);
	subscriber_close(&hubs[TAKER].channels, &after.subscriber);
	for (i = 0; i < NHUBS; i++) {
		hub_stop(&hubs[i]);
		hub_close(&hubs[i]);
	}
	stream_io_free(&sio);
	loop_end();
	board_close(&board);
	buf_free(&said);
	buf_free(&mark);
	return 0;
}

static inline void
turns(int n)
{
	while (n-- > 0)
		turn();
}

static inline void
join(const char *name)
{
	(void)channel_subscribe(&hubs[GIVER].channels, &before.subscriber,
	    text(name));
}

static inline void
publish(int from, int n)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", n);
	assert_true(hub_publish(&hubs[from], text("red"), text(number),
	    HOSTD_WS_TEXT, NULL) >= 0);
}

static inline void
is_held(struct hub *hub)
{
	assert_ptr_equal(hub, &hubs[GIVER]);
	done++;
}

static inline void
hold(void)
{
	done = 0;
	hub_hold(&hubs[GIVER], TAKER, is_held);
}

/* It goes; what comes from now on is heard there. */
static inline int
move(void)
{
	struct buf b = { NULL, 0, 0 };
	struct unpack u;
	int rc;

	hub_give(&hubs[GIVER], &before.subscriber, &b);
	u = (struct unpack){ b.p, b.len, 0 };
	rc = hub_take(&hubs[TAKER], &after.subscriber, &u);
	if (rc == 0)
		assert_true(unpack_ok(&u));
	buf_free(&b);
	subscriber_close(&hubs[GIVER].channels, &before.subscriber);
	return rc;
}

/* "1 2 ... n ", over both. */
static inline void
assert_heard(int n)
{
	char all[2048], want[2048] = "";
	int i;

	(void)snprintf(all, sizeof(all), "%s%s", before.heard, after.heard);
	for (i = 1; i <= n; i++)
		(void)snprintf(want + strlen(want), 16, "%d ", i);
	assert_string_equal(all, want);
}

/* Who does not read what the other one says. */
static inline struct stream *
way(int from, int to)
{
	return &bus_find_cell(&hubs[to].bus, (uint32_t)from)->stream;
}

#endif
