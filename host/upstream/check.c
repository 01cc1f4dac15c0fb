/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "net/proxy.h"
#include "upstream/check.h"
#include "upstream/table.h"

#define READ_MAX	16384	/* at a time */
#define LATE_MS		100	/* a turn of the loop that takes longer eats
				   into our own time, not the server's */

/* -- ends -- */

void
check_cancel(struct check *c)
{
	if (c->conf == NULL)
		return;
	c->conf = NULL;
	wheel_remove(&c->sio->loop->wheel, &c->limit);
	if (c->connected)
		stream_close(&c->stream);
	else
		connect_cancel(&c->connect);
	c->connected = 0;
	expect_free(&c->expect);
	buf_free(&c->request);
}

static void
check_end(struct check *c, enum check_result result, uint32_t why,
    uint32_t what)
{
	check_cancel(c);
	c->done(c, result, why, what);
}

static void
check_failed(struct check *c, uint32_t why, int error)
{
	check_end(c, connect_is_ours(error) ? CHECK_VOID : CHECK_BAD, why,
	    (uint32_t)error);
}

/* -- the answer -- */

/* Returns whether it has ended. */
static int
check_judge(struct check *c, enum expect_verdict v)
{
	if (v == EXPECT_GOOD)
		check_end(c, CHECK_GOOD, UP_WHY_NONE, 0);
	else if (v == EXPECT_BAD)
		check_end(c, CHECK_BAD, c->expect.why, c->expect.what);
	return v != EXPECT_MORE;
}

static void
check_readable(struct stream *s)
{
	struct check *c = (struct check *)(void *)((char *)s -
	    offsetof(struct check, stream));
	ssize_t n = stream_read(s, c->sio->rbuf, READ_MAX);

	if (n > 0) {
		if (!check_judge(c, expect_feed(&c->expect, c->sio->rbuf,
		    (size_t)n)) && s->can_read)
			stream_read_again(s);
	} else if (n == 0) {
		(void)check_judge(c, expect_end(&c->expect));
	} else if (errno != EAGAIN) {
		check_failed(c, UP_WHY_IO, errno);
	}
}

static void
check_broken(struct stream *s, int error)
{
	struct check *c = (struct check *)(void *)((char *)s -
	    offsetof(struct check, stream));
	ssize_t n;

	/* It may have answered before it closed: a request that it did not
	 * read makes a reset of that. */
	while ((n = stream_read(s, c->sio->rbuf, READ_MAX)) > 0)
		if (check_judge(c, expect_feed(&c->expect, c->sio->rbuf,
		    (size_t)n)))
			return;
	check_failed(c, UP_WHY_IO, error);
}

static void
check_sent(struct stream *s)
{
	(void)s;
}

static const struct stream_ops check_stream_ops = {
	.readable = check_readable,
	.sent = check_sent,
	.failed = check_broken,
	.half_closed = check_sent,
};

/* -- the request -- */

static void
put_proxy(struct check *c)
{
	struct sockaddr_storage from, to;
	socklen_t nfrom = sizeof(from), nto = sizeof(to);
	char header[PROXY_MAKE_MAX];

	memset(&from, 0, sizeof(from));
	memset(&to, 0, sizeof(to));
	(void)getsockname(c->stream.io.fd, (struct sockaddr *)&from, &nfrom);
	(void)getpeername(c->stream.io.fd, (struct sockaddr *)&to, &nto);
	stream_write(&c->stream, header, proxy_make(c->conf->proxy_protocol,
	    (struct sockaddr *)&from, (struct sockaddr *)&to, header));
}

static void
check_connected(struct connect *connect, int error, const char *text)
{
	struct check *c = (struct check *)(void *)((char *)connect -
	    offsetof(struct check, connect));

	(void)text;
	if (error != 0) {
		check_failed(c, UP_WHY_CONNECT, error);
		return;
	}
	c->connected = 1;
	if (c->conf->proxy_protocol != 0)
		put_proxy(c);
	if (c->conf->health.type == CONF_CHECK_HTTP)
		stream_write(&c->stream, c->request.p, c->request.len);
	if (stream_flush(&c->stream) == -1)
		check_broken(&c->stream, c->stream.error);
	else if (c->conf->health.type == CONF_CHECK_TCP)
		check_end(c, CHECK_GOOD, UP_WHY_NONE, 0);
}

/* What it has sent in time was read before this is called, but for a turn that
 * took so long that there was only one. */
static void
check_late(struct wheel_timer *t)
{
	struct check *c = (struct check *)(void *)((char *)t -
	    offsetof(struct check, limit));
	uint64_t now = c->sio->loop->now_ms;
	uint64_t late = now > c->limit_ms ? now - c->limit_ms : 0;

	if (late < LATE_MS || c->extended) {
		check_end(c, CHECK_BAD, UP_WHY_TIMEOUT,
		    (uint32_t)c->conf->health.timeout);
		return;
	}
	c->extended = 1;
	wheel_set(&c->sio->loop->wheel, &c->limit, now + LATE_MS);
}

/* -- begin -- */

static void
set_port(struct addr *a, int port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a->ss;

	if (port == 0)
		return;
	if (a->ss.ss_family == AF_INET)
		in->sin_port = htons((uint16_t)port);
	else if (a->ss.ss_family == AF_INET6)
		in6->sin6_port = htons((uint16_t)port);
}

void
check_start(struct check *c, const struct check_to *to)
{
	const struct conf_health *conf = &to->conf->health;
	struct connect_to where = { .host = NULL };
	struct addr addr = *to->addr;

	set_port(&addr, conf->port);
	c->conf = to->conf;
	c->connected = c->extended = 0;
	expect_init(&c->expect, conf);
	if (conf->type == CONF_CHECK_HTTP)
		expect_request(&c->request, conf, to->server);
	c->limit_ms = loop_clock_ms() + (uint64_t)conf->timeout;
	c->limit.fire = check_late;
	wheel_set(&c->sio->loop->wheel, &c->limit, c->limit_ms);
	/* Our own limit comes first. */
	where.timeout_ms = (uint32_t)conf->timeout * 2 + 1000;
	c->connect.sio = c->sio;
	c->connect.stream = &c->stream;
	c->connect.ops = &check_stream_ops;
	c->connect.done = check_connected;
	where.tls = to->tls;
	where.tls_name = to->tls_name;
	connect_start_at(&c->connect, &where, &addr, 1);
}
