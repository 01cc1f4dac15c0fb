/* SPDX-License-Identifier: BSD-2-Clause */
/* A hub, its backend, and one who listens. */
#ifndef UNIT_HUB_CASE_H
#define UNIT_HUB_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hostd/ws.h>
#include "base/mem.h"
#include "pubsub/hub.h"
#include "loop_case.h"

static struct board board;
static struct conf_pubsub conf = { .queue = 1 << 20, .history = 1 << 20,
	.query_timeout = 1000 };
static struct hub hub;
static struct buf said;		/* to the backend, a line each */
static struct envelope last;	/* that was published; its bytes are in wire */
static char wire[512];
static size_t nwire;
static int32_t publish_rc, subscribe_rc;

struct listener {
	struct subscriber subscriber;	/* first */
	int messages, gaps;
};

static struct listener ear;

static inline hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static inline int32_t
backend_publish(struct hub_backend *b, hostd_buf channel, hostd_buf envelope)
{
	(void)b;
	assert_true(envelope.n <= sizeof(wire));
	memcpy(wire, envelope.p, nwire = envelope.n);
	assert_int_equal(envelope_parse(&last, wire, nwire), nwire);
	buf_printf(&said, "%.*s %d\n", (int)channel.n,
	    (const char *)channel.p, last.type);
	return publish_rc;
}

static inline int32_t
backend_subscribe(struct hub_backend *b, hostd_buf channel, int on)
{
	(void)b;
	buf_printf(&said, "%c%.*s\n", on ? '+' : '-', (int)channel.n,
	    (const char *)channel.p);
	return subscribe_rc;
}

static struct hub_backend backend = {
	.name = "test", .publish = backend_publish,
	.subscribe = backend_subscribe,
};

static inline void
hear(struct subscriber *s, struct delivery *d)
{
	struct listener *l = (struct listener *)(void *)s;

	if (d->gap)
		l->gaps++;
	else
		l->messages++;
}

static inline int
setup(void **state)
{
	(void)state;
	loop_open();
	assert_int_equal(board_create(&board), 0);
	hub_init(&hub, &loop, &board, &board.cells[0], &conf);
	hub.backend = &backend;
	memset(&ear, 0, sizeof(ear));
	ear.subscriber.deliver = hear;
	publish_rc = subscribe_rc = HOSTD_OK;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	subscriber_close(&hub.channels, &ear.subscriber);
	hub_stop(&hub);
	hub_close(&hub);
	loop_end();
	board_close(&board);
	buf_free(&said);
	return 0;
}

/* What was said to the backend since, at the end of two turns: what one task
 * asks for another does in the next. */
static inline const char *
turns(void)
{
	static char text_of_it[4096];
	int i;

	said.len = 0;
	for (i = 0; i < 2; i++) {
		turn();
	}
	(void)snprintf(text_of_it, sizeof(text_of_it), "%.*s", (int)said.len,
	    said.len > 0 ? said.p : "");
	return text_of_it;
}

static inline void
subscribe(const char *name)
{
	(void)channel_subscribe(&hub.channels, &ear.subscriber, text(name));
}

static inline void
unsubscribe(const char *name)
{
	channel_unsubscribe(&hub.channels, channel_subscription(
	    &ear.subscriber, text(name)));
}

static inline int32_t
publish(const char *name, const char *s)
{
	return hub_publish(&hub, text(name), text(s), HOSTD_WS_TEXT, NULL);
}

/* What the backend is told when it comes up and red is wanted. */
static inline void
assert_said_all(const char *got, const char *more)
{
	char want[256];

	(void)snprintf(want, sizeof(want), "+hostd/nodes\n+%s\n%shostd/nodes "
	    "%d\n", hub.inbox, more, ENV_HELLO);
	assert_string_equal(got, want);
}

#endif
