/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One timer for all time limits of a connection.  What happens only notes the
 * time; the timer looks at it when the first limit could have been reached, and
 * sets itself to the next.
 */
#include <stddef.h>
#include "base/log.h"
#include "ws/conn.h"

#define CLOSE_MOST	60	/* times close_timeout, however it goes on */

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Is it its own fault that nothing comes? */
static int
is_listened_to(const struct ws_conn *c)
{
	return !c->paused && stream_pending(&c->stream) <=
	    (uint64_t)c->conf->high_water;
}

static uint64_t
ping_deadline(const struct ws_conn *c)
{
	if (c->conf->ping_interval == 0)
		return UINT64_MAX;
	return c->asked_ms != 0 ?
	    c->asked_ms + (uint64_t)c->conf->pong_timeout :
	    c->heard_ms + (uint64_t)c->conf->ping_interval;
}

static uint64_t
message_deadline(const struct ws_conn *c)
{
	return c->began_ms == 0 || !is_listened_to(c) || c->deaf ? UINT64_MAX :
	    c->began_ms + (uint64_t)c->conf->message_timeout;
}

static uint64_t
output_deadline(const struct ws_conn *c)
{
	return stream_pending(&c->stream) == 0 ? UINT64_MAX : c->stuck_ms +
	    (uint64_t)c->server->http->limits->send_timeout;
}

/* A client that still takes bytes has not left; but one that takes a few now
 * and then does not stay for ever. */
static uint64_t
close_deadline(const struct ws_conn *c)
{
	uint64_t limit = (uint64_t)c->conf->close_timeout;
	uint64_t since = c->moved_ms > c->state_ms ? c->moved_ms : c->state_ms;

	return earlier(since + limit, c->state_ms + CLOSE_MOST * limit);
}

uint64_t
ws_conn_deadline(const struct ws_conn *c)
{
	uint64_t t;

	if (c->state != WS_OPEN)
		return close_deadline(c);
	t = earlier(ping_deadline(c), message_deadline(c));
	t = earlier(t, output_deadline(c));
	return c->leave_ms == 0 ? t : earlier(t, c->leave_ms);
}

void
ws_conn_arm(struct ws_conn *c)
{
	uint64_t t = ws_conn_deadline(c);

	if (t != UINT64_MAX &&
	    (c->timer.deadline == 0 || t < c->timer.deadline))
		wheel_set(&c->server->loop->wheel, &c->timer, t);
}

static void
conn_ping(struct ws_conn *c)
{
	uint64_t now = c->server->loop->now_ms;

	if (!is_listened_to(c)) {
		c->heard_ms = now;
		return;
	}
	c->asked_ms = now;
	ws_conn_control(c, WS_PING, NULL, 0);
}

/* The first limit that is reached; 1 when the connection is gone. */
static int
conn_expire(struct ws_conn *c, uint64_t now)
{
	hostd_buf none = { NULL, 0 };

	if (c->state != WS_OPEN || now >= output_deadline(c)) {
		ws_conn_cut(c, HOSTD_WS_ABNORMAL);
		return 1;
	}
	if (c->leave_ms != 0 && now >= c->leave_ms) {
		c->leave_ms = 0;
		(void)ws_conn_close(c, HOSTD_WS_RESTART, none);
	} else if (now >= message_deadline(c)) {
		ws_conn_fail(c, HOSTD_WS_POLICY);
	} else if (c->asked_ms == 0) {
		conn_ping(c);
	} else if (!is_listened_to(c)) {
		c->asked_ms = 0;
		c->heard_ms = now;
	} else {
		ws_conn_cut(c, HOSTD_WS_ABNORMAL);
		return 1;
	}
	return 0;
}

void
ws_conn_timeout(struct wheel_timer *t)
{
	struct ws_conn *c = (struct ws_conn *)(void *)((char *)t -
	    offsetof(struct ws_conn, timer));
	uint64_t now = c->server->loop->now_ms;

	if (now >= ws_conn_deadline(c) && conn_expire(c, now))
		return;
	ws_conn_arm(c);
}
