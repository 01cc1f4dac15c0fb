/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <hostd/ws.h>
#include "base/buf.h"
#include "base/mem.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/message.h"

#define BITS_MIN	9
#define BITS_N		7	/* 9 to 15 */

struct ws_message *
ws_message_new(hostd_buf payload, uint32_t flags)
{
	struct ws_message *m = xmalloc(sizeof(*m) + WS_HEAD_OUT + payload.n);
	unsigned opcode = flags & HOSTD_WS_TEXT ? WS_TEXT : WS_BINARY;

	m->refs = 1;
	m->flags = flags;
	m->packed = NULL;
	m->head = ws_head_put(m->frame, WS_FIN | opcode, payload.n);
	m->n = m->head + payload.n;
	if (payload.n > 0)
		memcpy(m->frame + m->head, payload.p, payload.n);
	return m;
}

void
ws_message_unref(struct ws_message *m)
{
	int i;

	if (--m->refs > 0)
		return;
	for (i = 0; m->packed != NULL && i < BITS_N; i++)
		free(m->packed[i].p);
	free(m->packed);
	free(m);
}

static void
message_pack(struct ws_message *m, struct ws_zpool *pool, int bits,
    struct ws_packed *out)
{
	struct ws_deflater *d = ws_deflater_get(pool, bits);
	hostd_buf in = ws_message_payload(m);
	struct buf b = { NULL, 0, 0 };
	char head[WS_HEAD_OUT];
	size_t n;

	if (d == NULL)
		return;
	if (ws_deflate(d, in.p, in.n, &b) == 0) {
		n = ws_head_put(head, (uint8_t)m->frame[0] | WS_RSV1, b.len);
		out->p = xmalloc(n + b.len);
		memcpy(out->p, head, n);
		memcpy(out->p + n, b.p, b.len);
		out->n = n + b.len;
	}
	buf_free(&b);
	ws_deflater_put(pool, d);
}

hostd_buf
ws_message_packed(struct ws_message *m, struct ws_zpool *pool, int bits)
{
	struct ws_packed *out;

	if (m->packed == NULL)
		m->packed = xcalloc(BITS_N, sizeof(*m->packed));
	out = &m->packed[bits - BITS_MIN];
	if (out->n == 0)
		message_pack(m, pool, bits, out);
	return (hostd_buf){ out->p, out->n };
}
