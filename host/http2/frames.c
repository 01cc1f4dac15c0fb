/* SPDX-License-Identifier: BSD-2-Clause */
/* What nghttp2 tells of frames that come, and asks for those that go. */
#include <string.h>
#include "http2/conn.h"
#include "http2/server.h"
#include "http2/stream.h"

#define FRAME_HEADER	9
#define HEAD_FACTOR	8	/* of max_head: more is an attack */

static struct h2_stream *
stream_at(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

/* Who does not stop is not listened to any more. */
static int
spend(struct h2_conn *h, int64_t cost)
{
	return h2_conn_spend(h, cost) == -1 ? NGHTTP2_ERR_CALLBACK_FAILURE :
	    0;
}

static int
cost_of(const nghttp2_frame_hd *hd)
{
	switch (hd->type) {
	case NGHTTP2_DATA:
	case NGHTTP2_HEADERS:
		return hd->length == 0 && !(hd->flags &
		    NGHTTP2_FLAG_END_STREAM) ? COST_EMPTY : 0;
	case NGHTTP2_CONTINUATION:
		return COST_EMPTY;
	case NGHTTP2_RST_STREAM:
		return COST_RESET;
	case NGHTTP2_SETTINGS:
		return hd->flags & NGHTTP2_FLAG_ACK ? COST_OTHER :
		    COST_SETTINGS;
	case NGHTTP2_PING:
		return COST_PING;
	default:
		return COST_OTHER;
	}
}

/* Trailers may be on their way when we reset a stream; but nghttp2 takes any
 * number of heads, without a word. */
static int
is_head_of_nobody(nghttp2_session *session, const nghttp2_frame_hd *hd)
{
	return hd->type == NGHTTP2_HEADERS && hd->stream_id <=
	    nghttp2_session_get_last_proc_stream_id(session) &&
	    stream_at(session, hd->stream_id) == NULL;
}

static int
on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd,
    void *arg)
{
	struct h2_conn *h = arg;
	int cost = is_head_of_nobody(session, hd) ? COST_RESET : cost_of(hd);

	/* nghttp2 does not look at those (RFC 9113 section 6.3). */
	if (hd->type == NGHTTP2_PRIORITY && hd->stream_id == 0) {
		h2_conn_break(h, NGHTTP2_PROTOCOL_ERROR);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	return cost > 0 ? spend(h, cost) : 0;
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
    void *arg)
{
	struct h2_conn *h = arg;
	struct h2_stream *st;

	h->head_ms = h->server->http->loop->now_ms;
	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	st = h2_stream_new(h, frame->hd.stream_id);
	h->nopen++;
	(void)nghttp2_session_set_stream_user_data(session,
	    frame->hd.stream_id, st);
	return 0;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame,
    const uint8_t *name, size_t namelen, const uint8_t *value,
    size_t valuelen, uint8_t flags, void *arg)
{
	struct h2_conn *h = arg;
	const struct guard_limits *lim = &h->server->http->guard;
	struct h2_stream *st = stream_at(session, frame->hd.stream_id);
	hostd_buf n = { (const char *)name, namelen };
	hostd_buf v = { (const char *)value, valuelen };

	(void)flags;
	if (st == NULL)
		return 0;
	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		framed_add(&st->framed, lim, n, v);
	else
		framed_add_trailer(&st->framed, n, v);
	if (st->framed.size > lim->head * HEAD_FACTOR) {
		h2_conn_break(h, NGHTTP2_ENHANCE_YOUR_CALM);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

/* It would be left out, and the rest taken. */
static int
on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
    const uint8_t *name, size_t namelen, const uint8_t *value,
    size_t valuelen, uint8_t flags, void *arg)
{
	struct h2_conn *h = arg;
	struct h2_stream *st = stream_at(session, frame->hd.stream_id);

	(void)name;
	(void)value;
	(void)flags;
	if (st == NULL)
		return 0;
	st->framed.size += namelen + valuelen;
	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		framed_refuse(&st->framed, 400);
	return spend(h, COST_OTHER);
}

static void
head_received(struct h2_conn *h, struct h2_stream *st,
    const nghttp2_frame *frame)
{
	int end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		framed_complete(&st->framed, &h->server->http->guard);
		st->framed.no_body = end != 0;
		st->has_head = 1;
	}
	st->ended = end != 0;
	h2_stream_wake(st);
}

static int
on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2_conn *h = arg;
	struct h2_stream *st;

	if (frame->hd.type == NGHTTP2_HEADERS)
		h->head_ms = 0;
	if (frame->hd.type == NGHTTP2_PING &&
	    frame->hd.flags & NGHTTP2_FLAG_ACK) {
		if (h->state == H2_LEAVING)
			h2_conn_say_last(h);
		return 0;
	}
	if ((st = stream_at(session, frame->hd.stream_id)) == NULL)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS)
		head_received(h, st, frame);
	else if (frame->hd.type == NGHTTP2_DATA &&
	    frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
		st->ended = 1;
		h2_stream_wake(st);
	}
	return 0;
}

/* If it makes us reset a stream, on_frame_send has the price. */
static int
on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame,
    int error, void *arg)
{
	struct h2_conn *h = arg;

	(void)session;
	(void)error;
	if (frame->hd.type == NGHTTP2_HEADERS)
		h->head_ms = 0;
	return spend(h, COST_OTHER);
}

static int
on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id,
    const uint8_t *p, size_t n, void *arg)
{
	struct h2_stream *st = stream_at(session, id);
	struct h2_conn *h = arg;

	(void)flags;
	if (st == NULL) {
		(void)nghttp2_session_consume(session, id, n);
		return 0;
	}
	budget_earn(&h->budget, n / WORTH_BYTES < WORTH_FRAME ?
	    (int64_t)(n / WORTH_BYTES) : WORTH_FRAME);
	h2_stream_feed(st, p, n);
	return 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t code,
    void *arg)
{
	struct h2_conn *h = arg;
	struct h2_stream *st = stream_at(session, id);

	(void)code;
	if (st == NULL)
		return 0;
	h->nopen--;
	h2_stream_closed(st);
	return 0;
}

/* -- frames that go -- */

/* A client that has us reset a stream pays for it as if it had.  Codes of ours
 * are for what is not its fault. */
static int
is_its_fault(uint32_t code)
{
	return code != NGHTTP2_NO_ERROR && code != NGHTTP2_CANCEL &&
	    code != NGHTTP2_INTERNAL_ERROR;
}

static int
on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2_conn *h = arg;
	struct h2_stream *st;

	if (frame->hd.type == NGHTTP2_RST_STREAM &&
	    is_its_fault(frame->rst_stream.error_code))
		h2_conn_charge(h, COST_RESET);
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type !=
	    NGHTTP2_DATA)
		return 0;
	budget_earn(&h->budget, frame->hd.type == NGHTTP2_DATA ?
	    WORTH_FRAME : WORTH_ANSWER);
	st = stream_at(session, frame->hd.stream_id);
	if (st == NULL || st->owner == NULL || st->noted == st->taken)
		return 0;
	h2_conn_note(h, st, st->taken - st->noted);
	st->noted = st->taken;
	return 0;
}

/* A head that can't be sent: its answer never will. */
static int
on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame,
    int error, void *arg)
{
	(void)error;
	(void)arg;
	if (frame->hd.type == NGHTTP2_HEADERS &&
	    stream_at(session, frame->hd.stream_id) != NULL)
		(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
		    frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
	return 0;
}

static int
send_data(nghttp2_session *session, nghttp2_frame *frame,
    const uint8_t *header, size_t n, nghttp2_data_source *source, void *arg)
{
	struct h2_conn *h = arg;
	struct http2_server *srv = h->server;
	size_t from;

	(void)session;
	(void)frame;
	/* nghttp2 goes on with the next frame by itself. */
	if (!h2_conn_has_room(h))
		return NGHTTP2_ERR_WOULDBLOCK;
	from = srv->out_len;
	memcpy(srv->out + srv->out_len, header, FRAME_HEADER);
	srv->out_len += FRAME_HEADER;
	if (h2_stream_copy(source->ptr, srv->out + srv->out_len, n) == -1) {
		srv->out_len = from;
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	srv->out_len += n;
	return 0;
}

void
http2_callbacks(nghttp2_session_callbacks *cb)
{
	nghttp2_session_callbacks_set_on_begin_frame_callback(cb,
	    on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb,
	    on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(cb,
	    on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb,
	    on_frame_recv);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(cb,
	    on_invalid_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb,
	    on_data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb,
	    on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb,
	    on_frame_send);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(cb,
	    on_frame_not_send);
	nghttp2_session_callbacks_set_send_data_callback(cb, send_data);
}
