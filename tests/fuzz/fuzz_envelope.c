/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes from other nodes and workers.  The first byte says to which
 * channel and how often it comes, the rest is the envelope.
 *
 * What must hold: an envelope is read as it was written; what is none is
 * refused and counted; a subscriber gets a message of ours never back, one of
 * another node once, and text only as UTF-8.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/ws.h>
#include "base/utf8.h"
#include "net/loop.h"
#include "pubsub/hub.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct loop loop;
static struct board board;
static struct board_cell cell;
static struct conf_pubsub conf = { .queue = 1 << 20, .query_timeout = 1000 };
static struct hub hub;
static unsigned heard;

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
listen_to(struct subscriber *s, struct delivery *d)
{
	(void)s;
	heard++;
	must(d->node != hub.node && !d->gap);
	must(d->flags == HOSTD_WS_TEXT || d->flags == HOSTD_WS_BINARY ||
	    (d->flags & ~0x3fu) == 0);
	if (d->flags & HOSTD_WS_TEXT)
		must(utf8_is_valid(d->payload.p, d->payload.n));
}

static int32_t
swallow(struct hub_backend *b, hostd_buf channel, hostd_buf envelope)
{
	struct envelope e;

	(void)b;
	(void)channel;
	must(envelope_parse(&e, envelope.p, envelope.n) ==
	    (int64_t)envelope.n);
	return HOSTD_OK;
}

static int32_t
agree(struct hub_backend *b, hostd_buf channel, int on)
{
	(void)b;
	(void)channel;
	(void)on;
	return HOSTD_OK;
}

static struct hub_backend backend = { "fuzz", 0, swallow, agree };
static struct subscriber subscriber = { .deliver = listen_to };

static void
no_labels(struct hub *h, hostd_buf channel, struct buf *out)
{
	(void)h;
	(void)channel;
	buf_append(out, "\1a", 2);
}

static void
set_up(void)
{
	hostd_buf room = { "room", 4 };

	must(loop_init(&loop) == 0 && board_create(&board) == 0);
	hub_init(&hub, &loop, &board, &cell, &conf);
	hub.queries.list_here = no_labels;
	hub.backend = &backend;
	must(hub_up(&hub) == HOSTD_OK);
	(void)channel_subscribe(&hub.channels, &subscriber, room);
	hub_keep(&hub, room, &hub, 10, 1000000);
}

/* Envelopes one behind the other, as on the bus: each written is as it was. */
static void
read_stream(const uint8_t *p, size_t n)
{
	char head[ENVELOPE_HEAD];
	struct envelope e;
	int64_t k;

	while ((k = envelope_parse(&e, p, n)) > 0) {
		must((size_t)k <= n && k >= ENVELOPE_HEAD &&
		    (size_t)k == ENVELOPE_HEAD + e.name.n + e.payload.n);
		envelope_put(head, &e);
		must(memcmp(head, p, sizeof(head)) == 0);
		p += k;
		n -= (size_t)k;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const names[] = { "room", "hostd/nodes",
		"hostd/node/x", "other" };
	hostd_buf name, bytes;
	uint64_t bad;
	unsigned i;
	int32_t rc;

	if (n < 1)
		return 0;
	if (hub.loop == NULL)
		set_up();
	name.p = names[p[0] & 3];
	name.n = strlen(names[p[0] & 3]);
	bytes = (hostd_buf){ p + 1, n - 1 };
	heard = 0;
	for (i = 0; i < 1u + (p[0] >> 2) % 3; i++) {
		bad = cell.counters.backend_bad;
		rc = hub_deliver(&hub, name, bytes);
		must(rc == HOSTD_OK || rc == HOSTD_E_INVAL);
		must(rc == HOSTD_OK ||
		    cell.counters.backend_bad == bad + 1);
	}
	must(heard <= 1);
	read_stream(p + 1, n - 1);
	/* Answers are sent at the end of a turn. */
	hub.post.run(&hub.post);
	return 0;
}
