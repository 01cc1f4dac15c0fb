/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a connection of HTTP/2 may take for what, and how it leaves. */
#include <stddef.h>
#include <stdlib.h>
#include "http2/conn.h"
#include "http2/stream.h"

#define LEAVE_MS	1000	/* for a client to hear that it shall leave */

static void
take_first(uint64_t *due, uint64_t since, int64_t ms)
{
	if (since != 0 && since + (uint64_t)ms < *due)
		*due = since + (uint64_t)ms;
}

/* Without streams: for the first of them, or the next. */
static int64_t
conn_quiet_ms(const struct h2_conn *h)
{
	const struct conf_http *lim = h->server->http->limits;

	return h->nrequests == 0 ? lim->head_timeout : lim->idle_timeout;
}

static uint64_t
conn_due(const struct h2_conn *h)
{
	const struct conf_http *lim = h->server->http->limits;
	uint64_t due = UINT64_MAX;

	if (h->state == H2_LINGER)
		take_first(&due, h->linger_ms, lim->lingering_timeout);
	else {
		take_first(&due, h->stuck_ms, lim->send_timeout);
		take_first(&due, h->head_ms, lim->head_timeout);
		take_first(&due, h->quiet_ms, conn_quiet_ms(h));
		take_first(&due, h->leave_ms, 0);
		if (!h->said_last)
			take_first(&due, h->asked_ms, LEAVE_MS);
	}
	return due;
}

void
h2_conn_arm(struct h2_conn *h)
{
	struct loop *l = h->server->http->loop;
	uint64_t due;

	if (stream_pending(&h->stream) == 0)
		h->stuck_ms = 0;
	else if (h->stuck_ms == 0 || h->seen_sent != h->stream.sent)
		h->stuck_ms = l->now_ms;
	h->seen_sent = h->stream.sent;
	due = conn_due(h);
	if (due == UINT64_MAX)
		wheel_clear(&h->timer);
	else
		wheel_set(&l->wheel, &h->timer, due);
}

void
h2_conn_say_leave(struct h2_conn *h)
{
	h->state = H2_LEAVING;
	h->leave_ms = 0;
	h->asked_ms = h->server->http->loop->now_ms;
	(void)nghttp2_submit_shutdown_notice(h->session);
	(void)nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, NULL);
	h2_conn_wake(h);
}

void
h2_conn_say_last(struct h2_conn *h)
{
	if (h->said_last)
		return;
	h->said_last = 1;
	(void)nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
	    nghttp2_session_get_last_proc_stream_id(h->session),
	    NGHTTP2_NO_ERROR, NULL, 0);
	h2_conn_wake(h);
}

void
h2_conn_timeout(struct wheel_timer *t)
{
	struct h2_conn *h = (struct h2_conn *)(void *)((char *)t -
	    offsetof(struct h2_conn, timer));
	const struct conf_http *lim = h->server->http->limits;
	uint64_t now = h->server->http->loop->now_ms;

	if (h->state == H2_LINGER || (h->stuck_ms != 0 &&
	    now >= h->stuck_ms + (uint64_t)lim->send_timeout)) {
		h2_conn_close(h);
		return;
	}
	if (h->leave_ms != 0 && now >= h->leave_ms)
		h2_conn_say_leave(h);
	if (h->asked_ms != 0 && now >= h->asked_ms + LEAVE_MS)
		h2_conn_say_last(h);
	if ((h->head_ms != 0 &&
	    now >= h->head_ms + (uint64_t)lim->head_timeout) ||
	    (h->quiet_ms != 0 &&
	    now >= h->quiet_ms + (uint64_t)conn_quiet_ms(h)))
		h2_conn_break(h, NGHTTP2_NO_ERROR);
	h2_conn_wake(h);
}
