/* SPDX-License-Identifier: BSD-2-Clause */
/* Two workers' ends of a bus in one loop, for the tests of it. */
#ifndef UNIT_BUS_CASE_H
#define UNIT_BUS_CASE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <hostd/ws.h>
#include "base/mem.h"
#include "pubsub/bus.h"
#include "ws/message.h"
#include "loop_case.h"

#define QUEUE		65536

static struct stream_io sio;

/* One worker. */
struct side {
	struct bus bus;			/* first */
	struct channels channels;
	struct board_cell cell;
	struct subscriber who;
	int messages, gaps, peers_left;
	size_t bytes;
	char last[64];			/* the payload's first bytes */
};

static struct board_cell cells[4];
static struct side *a, *b;
static void (*meanwhile)(const struct envelope *);	/* as it comes */
static _Atomic uint32_t interests;

static inline void
side_received(struct bus *bus, struct bus_peer *p, const struct envelope *e)
{
	struct side *s = (struct side *)(void *)bus;

	(void)p;
	if (e->type == ENV_GAP) {
		s->gaps++;
		return;
	}
	if (meanwhile != NULL)
		meanwhile(e);
	s->messages++;
	s->bytes += e->payload.n;
	memset(s->last, 0, sizeof(s->last));
	memcpy(s->last, e->payload.p, e->payload.n < sizeof(s->last) - 1 ?
	    e->payload.n : sizeof(s->last) - 1);
}

static inline void
side_room(struct bus *bus)
{
	(void)bus;
}

static inline void
side_left(struct bus *bus, struct bus_peer *p)
{
	(void)p;
	((struct side *)(void *)bus)->peers_left++;
}

static inline void
side_interest(struct channels *all, struct channel *ch, int on)
{
	struct side *s = (struct side *)(void *)((char *)all -
	    offsetof(struct side, channels));

	bus_interest(&s->bus, ch, on);
}

static inline struct side *
side_new(void)
{
	struct side *s = xcalloc(1, sizeof(*s));

	s->channels.interest = side_interest;
	s->bus.sio = &sio;
	s->bus.cell = &s->cell;
	s->bus.cells = cells;
	s->bus.channels = &s->channels;
	s->bus.interests = &interests;
	s->bus.queue = QUEUE;
	s->bus.received = side_received;
	s->bus.left = side_left;
	s->bus.room = side_room;
	bus_init(&s->bus);
	return s;
}

static inline void
side_free(struct side *s)
{
	subscriber_close(&s->channels, &s->who);
	bus_close(&s->bus);
	channels_free(&s->channels);
	free(s);
}

static inline int
setup(void **state)
{
	int fds[2];

	(void)state;
	loop_open();
	stream_io_init(&sio, &loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	a = side_new();
	b = side_new();
	bus_add(&a->bus, fds[0], 1);
	bus_add(&b->bus, fds[1], 2);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	if (a != NULL)
		side_free(a);
	if (b != NULL)
		side_free(b);
	loop_end();
	stream_io_free(&sio);
	return 0;
}

static inline hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static inline struct bus_peer *
peer(struct side *s)
{
	return TAILQ_FIRST(&s->bus.peers);
}

static inline void
until_told(struct side *s)
{
	until(&peer(s)->told, 1);
}

static inline int
publish(struct side *s, const char *name, const void *p, size_t n)
{
	struct ws_message *m = ws_message_new((hostd_buf){ p, n },
	    HOSTD_WS_BINARY);
	struct envelope e = { .type = ENV_MESSAGE, .flags = HOSTD_WS_BINARY,
		.name = text(name), .payload = ws_message_payload(m) };
	int full = bus_publish(&s->bus, channel_find(&s->channels, e.name), &e,
	    m);

	ws_message_unref(m);
	return full;
}

static inline void
subscribe(struct side *s, const char *name)
{
	(void)channel_subscribe(&s->channels, &s->who, text(name));
}

static inline void
unsubscribe(struct side *s, const char *name)
{
	channel_unsubscribe(&s->channels, channel_subscription(&s->who,
	    text(name)));
}

/* The reader of one end stops: its descriptor is watched no more. */
static inline void
stall(struct side *s)
{
	loop_del(&loop, &peer(s)->stream.io);
	loop_undefer(&loop, &peer(s)->stream.again);
}

static inline void
go_on(struct side *s)
{
	assert_int_equal(loop_add(&loop, &peer(s)->stream.io, EPOLLIN |
	    EPOLLOUT | EPOLLRDHUP | EPOLLET), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
