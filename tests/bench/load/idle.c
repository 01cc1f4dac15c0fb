/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that have talked, and now are silent.  With compression, the
 * message of each was compressed both ways, so the server has needed whatever
 * it needs for that.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "client.h"

#define RAW_DEFLATE (-15)
#define TAIL 4		/* 00 00 ff ff: RFC 7692 section 7.2.1 */

/* One masked frame with the payload compressed. */
static size_t
compressed_frame(uint8_t **frame, char *payload, size_t n)
{
	z_stream z;
	uLong max;
	Bytef *out;
	size_t size;

	memset(&z, 0, sizeof(z));
	if (deflateInit2(&z, 1, Z_DEFLATED, RAW_DEFLATE, 8,
		Z_DEFAULT_STRATEGY) != Z_OK)
		errx(1, "deflateInit2");
	max = deflateBound(&z, n) + 16;
	out = malloc(max);
	*frame = malloc(max + FRAME_HEAD_MAX);
	if (out == NULL || *frame == NULL)
		err(1, "malloc");
	z.next_in = (Bytef *)payload;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)max;
	if (deflate(&z, Z_SYNC_FLUSH) != Z_OK || z.avail_in > 0)
		errx(1, "deflate");
	size = frame_put(*frame, FRAME_FIN | FRAME_RSV1 | OP_TEXT, out,
	    z.total_out - TAIL);
	(void)deflateEnd(&z);
	free(out);
	return size;
}

static void
talk(struct client *c, const struct message *m, const uint8_t *frame,
    size_t n)
{
	static char answer[1 << 16];
	unsigned first;

	if (frame == NULL) {
		client_send(c, m->out, m->nout);
		client_expect(c, m);
		return;
	}
	client_send(c, frame, n);
	first = client_frame(c, answer, sizeof(answer));
	if (first != (FRAME_FIN | FRAME_RSV1 | OP_TEXT))
		errx(1, "the answer is not compressed: %#x", first);
}

void
load_idle(const struct options *o)
{
	char *payload = payload_make(o->size, 1);
	uint8_t *frame = NULL;
	struct message m;
	struct client c;
	unsigned i;
	size_t n = 0;

	if (o->socketio)
		message_event(&m, "e", o->size, 1);
	else
		message_make(&m, OP_TEXT, payload, o->size, 1);
	if (o->deflate)
		n = compressed_frame(&frame, payload, o->size);
	for (i = 0; i < o->connections; i++) {
		client_open(&c, o);
		talk(&c, &m, frame, n);
	}
	say_ready();
	free(frame);
	free(m.out);
	free(m.in);
	free(payload);
}
