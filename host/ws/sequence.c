/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>
#include "base/log.h"
#include "base/mem.h"
#include "ws/frame.h"
#include "ws/sequence.h"

#define SHOWN	6	/* header of an empty, masked frame */

struct ws_sequence {
	struct ws_sequence *next;
	wslay_event_context_ptr wslay;
	uint8_t shown[SHOWN];
	uint8_t left;		/* bytes of it that wslay has not read */
	uint8_t open;		/* in the middle of a message */
};

static ssize_t
sequence_read(wslay_event_context_ptr wslay, uint8_t *buf, size_t len,
    int flags, void *arg)
{
	struct ws_sequence *q = arg;
	size_t n = q->left;

	(void)flags;
	if (n == 0 || len < n) {
		wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, q->shown, n);
	q->left = 0;
	return (ssize_t)n;
}

static struct ws_sequence *
sequence_new(void)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = sequence_read,
	};
	struct ws_sequence *q = xcalloc(1, sizeof(*q));

	if (wslay_event_context_server_init(&q->wslay, &callbacks, q) != 0)
		fatalx("out of memory for a WebSocket");
	/* What it would answer is answered by us. */
	wslay_event_shutdown_write(q->wslay);
	/* No mask: the payload is empty. */
	q->shown[1] = 0x80;
	return q;
}

static void
sequence_free(struct ws_sequence *q)
{
	wslay_event_context_free(q->wslay);
	free(q);
}

struct ws_sequence *
ws_sequence_get(struct ws_sequences *all, int compressed)
{
	struct ws_sequence *q = all->free;

	if (q != NULL)
		all->free = q->next;
	else
		q = sequence_new();
	wslay_event_config_set_allowed_rsv_bits(q->wslay,
	    compressed ? WSLAY_RSV1_BIT : WSLAY_RSV_NONE);
	return q;
}

void
ws_sequence_put(struct ws_sequences *all, struct ws_sequence *q)
{
	/* One that has stopped reading, or waits for the rest of a message, is
	 * of no use to anybody else. */
	if (q->open || !wslay_event_get_read_enabled(q->wslay)) {
		sequence_free(q);
		return;
	}
	q->next = all->free;
	all->free = q;
}

void
ws_sequences_free(struct ws_sequences *all)
{
	struct ws_sequence *q;

	while ((q = all->free) != NULL) {
		all->free = q->next;
		sequence_free(q);
	}
}

int
ws_sequence_take(struct ws_sequence *q, uint8_t first)
{
	unsigned opcode = first & 0x0fu;

	q->shown[0] = first;
	q->left = SHOWN;
	if (wslay_event_recv(q->wslay) != 0)
		return 0;
	/* A close is the last that wslay reads. */
	if (opcode == WS_CLOSE)
		return wslay_event_get_close_received(q->wslay);
	if (opcode < WS_CLOSE)
		q->open = (first & WS_FIN) == 0;
	return wslay_event_get_read_enabled(q->wslay);
}
