/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection between two requests goes on in another worker. */
#include <stddef.h>
#include <string.h>
#include "base/pack.h"
#include "http/conn.h"
#include "http/server.h"
#include "net/handover.h"

#define RECORD_VERSION	1

int
conn_can_move(const struct http_conn *c)
{
	return c->state == CONN_HEAD && !c->stays && !c->cut && !c->gone &&
	    !c->stream.eof && c->stream.error == 0 && c->req == NULL &&
	    TAILQ_EMPTY(&c->unsent) && stream_pending(&c->stream) == 0;
}

static void
conn_record(const struct http_conn *c, struct buf *b)
{
	pack_u32(b, RECORD_VERSION);
	pack_bytes(b, c->peer, c->peer_len);
	pack_u32(b, c->nreqs);
	pack_u32(b, c->skipped_line);
	pack_u32(b, c->timer_kind);
	pack_u64(b, c->timer.deadline);
	pack_bytes(b, c->in.p, c->in.len);
}

static void
conn_given(struct handover_item *item, enum handover_answer answer)
{
	struct http_conn *c = (struct http_conn *)(void *)((char *)item -
	    offsetof(struct http_conn, move));

	c->state = CONN_HEAD;
	if (answer == HANDOVER_TAKEN) {
		conn_leave(c);
		return;
	}
	c->stays = answer == HANDOVER_REFUSED;
	if (stream_resume(&c->stream) == -1)
		conn_close(c, HOSTD_END_ERROR);
	else
		conn_wake(c);
}

int
conn_give(struct http_conn *c, struct handover_peer *to)
{
	struct loop *l = c->server->loop;
	struct buf b = { NULL, 0, 0 };
	int rc;

	conn_record(c, &b);
	c->move.done = conn_given;
	rc = handover_give(to, HANDOVER_HTTP, c->stream.io.fd,
	    (hostd_buf){ b.p, b.len }, &c->move);
	buf_free(&b);
	if (rc == -1)
		return -1;
	c->state = CONN_MOVING;
	c->timer_kind = TIMER_NONE;
	wheel_clear(&c->timer);
	loop_undefer(l, &c->task);
	stream_rest(&c->stream);
	return 0;
}

int
conn_take(struct http_server *srv, int fd, hostd_buf record)
{
	struct unpack u = { record.p, record.n, 0 };
	uint32_t version = unpack_u32(&u);
	hostd_buf peer = unpack_bytes(&u), in;
	uint32_t nreqs = unpack_u32(&u), skipped = unpack_u32(&u);
	uint32_t kind = unpack_u32(&u);
	uint64_t deadline = unpack_u64(&u);
	struct http_conn *c;

	in = unpack_bytes(&u);
	if (version != RECORD_VERSION || !unpack_ok(&u) ||
	    peer.n >= sizeof(c->peer) ||
	    (c = conn_attach(srv, fd)) == NULL)
		return -1;
	memcpy(c->peer, peer.p, peer.n);
	c->peer_len = (uint8_t)peer.n;
	c->nreqs = nreqs;
	c->skipped_line = skipped != 0;
	if (in.n > 0) {
		buf_append(&c->in, in.p, in.n);
		conn_wake(c);
	}
	conn_arm(c);
	/* Its time goes on, by a clock that is the machine's. */
	if (c->timer_kind == kind && deadline < c->timer.deadline)
		wheel_set(&srv->loop->wheel, &c->timer, deadline);
	return 0;
}
