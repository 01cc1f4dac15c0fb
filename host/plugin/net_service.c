/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.net/1 over connect.h and stream.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/net.h>
#include "base/mem.h"
#include "net/connect.h"
#include "net/stream.h"
#include "plugin/instance.h"
#include "plugin/net_service.h"
#include "plugin/plugins.h"

#define CONNS_MAX	1024	/* of an instance */
#define HOST_MAX	255
#define TIMEOUT_MS	5000
#define HIGH_WATER	262144
#define FULL_FACTOR	4	/* of high water: nothing is taken beyond */
#define READS		4	/* in a row: others want a turn */

#define FLAGS	(HOSTD_NET_TLS | HOSTD_NET_TLS_UNCHECKED | HOSTD_NET_DELAY)

struct net_conn {
	struct stream s;		/* first */
	struct connect connect;
	LIST_ENTRY(net_conn) link;
	struct instance *in;
	struct hostd_net_ops ops;
	void *arg;
	uint64_t id;
	uint64_t high_water;
	enum { NET_CONNECTING, NET_OPEN, NET_CLOSED } state;
	int paused;
	int owed;			/* on_writable */
	int shut;			/* no more from us */
	int eof;			/* no more from the peer; it was said */
	struct loop_task end;		/* on_close, then free */
	int32_t status;			/* of on_close */
	char *text;
	char *where;			/* for messages */
};

/* -- the host calls the plugin -- */

static void
net_data(struct net_conn *n, const void *p, size_t len)
{
	hostd_buf b = { p, len };
	hostd_conn id = { n->id };
	uint64_t entered = instance_enter(n->in, BOARD_CB_NET);

	n->ops.on_data(n->in->inst, id, n->arg, b);
	instance_leave(n->in, entered);
}

static void
net_writable(struct net_conn *n)
{
	hostd_conn id = { n->id };
	uint64_t entered;

	n->owed = 0;
	if (n->ops.on_writable == NULL)
		return;
	entered = instance_enter(n->in, BOARD_CB_NET);
	n->ops.on_writable(n->in->inst, id, n->arg);
	instance_leave(n->in, entered);
}

/* A create that failed has left no instance to tell. */
static void
net_end(struct net_conn *n)
{
	struct instance *in = n->in;
	hostd_buf text = { n->text, strlen(n->text) };
	hostd_conn id = { n->id };
	uint64_t entered;

	if (in->created) {
		entered = instance_enter(in, BOARD_CB_NET);
		n->ops.on_close(in->inst, id, n->arg, n->status, text);
		instance_leave(in, entered);
	}
	handle_free(&in->all->conns, n->id);
	LIST_REMOVE(n, link);
	in->nconns--;
	free(n->text);
	free(n->where);
	free(n);
}

static void
net_end_run(struct loop_task *t)
{
	net_end((struct net_conn *)(void *)((char *)t -
	    offsetof(struct net_conn, end)));
}

/* It is over; on_close comes later.  Takes text. */
static void
net_close(struct net_conn *n, int32_t status, char *text)
{
	connect_cancel(&n->connect);
	if (n->state == NET_OPEN)
		stream_close(&n->s);
	n->state = NET_CLOSED;
	n->status = status;
	n->text = text;
	loop_defer(n->in->all->loop, &n->end);
}

/* Has everything been said from both sides? */
static void
net_settle(struct net_conn *n)
{
	if (n->state != NET_OPEN || !n->shut || stream_pending(&n->s) != 0)
		return;
	if (n->eof)
		net_close(n, HOSTD_OK, xstrdup("both sides have ended"));
	else
		stream_shutdown(&n->s);
}

/* -- the stream -- */

static struct net_conn *
conn_of(struct stream *s)
{
	return (struct net_conn *)(void *)s;
}

static void
net_error(struct net_conn *n, int error)
{
	net_close(n, HOSTD_E_IO, xasprintf("%s: %s", n->where,
	    strerror(error)));
}

/* 1: there may be more. */
static int
net_read(struct net_conn *n)
{
	char *buf = n->s.sio->rbuf;
	ssize_t r;

	if (n->state != NET_OPEN || n->paused || n->eof || !n->s.can_read)
		return 0;
	r = stream_read(&n->s, buf, STREAM_RBUF);
	if (r > 0) {
		net_data(n, buf, (size_t)r);
		return 1;
	}
	if (r == 0) {
		n->eof = 1;
		net_data(n, "", 0);
		net_settle(n);
	} else if (errno != EAGAIN) {
		net_error(n, errno);
	}
	return 0;
}

static void
net_readable(struct stream *s)
{
	struct net_conn *n = conn_of(s);
	int i;

	for (i = 0; i < READS; i++)
		if (!net_read(n))
			return;
	if (n->state == NET_OPEN)
		stream_read_again(s);
}

static void
net_sent(struct stream *s)
{
	struct net_conn *n = conn_of(s);

	if (n->owed && stream_pending(s) <= n->high_water / 2)
		net_writable(n);
	if (n->state == NET_OPEN && n->shut)
		net_settle(n);
}

/* What came before a reset can still be read. */
static void
net_failed(struct stream *s, int error)
{
	struct net_conn *n = conn_of(s);
	ssize_t r;

	while (n->state == NET_OPEN && !n->paused && !n->eof &&
	    (r = stream_read(s, s->sio->rbuf, STREAM_RBUF)) > 0)
		net_data(n, s->sio->rbuf, (size_t)r);
	if (n->state == NET_OPEN)
		net_error(n, error);
}

static void
net_half_closed(struct stream *s)
{
	(void)s;	/* reading finds it, behind what came before */
}

static const struct stream_ops net_stream_ops = {
	.readable = net_readable,
	.sent = net_sent,
	.failed = net_failed,
	.half_closed = net_half_closed,
};

static void
net_connected(struct connect *c, int error, const char *text)
{
	struct net_conn *n = (struct net_conn *)(void *)((char *)c -
	    offsetof(struct net_conn, connect));
	hostd_conn id = { n->id };
	uint64_t entered;

	if (error != 0) {
		net_close(n, error == ETIMEDOUT ? HOSTD_E_TIMEOUT : HOSTD_E_IO,
		    xstrdup(text));
		return;
	}
	n->state = NET_OPEN;
	entered = instance_enter(n->in, BOARD_CB_NET);
	n->ops.on_connect(n->in->inst, id, n->arg);
	instance_leave(n->in, entered);
}

/* -- the plugin calls the host -- */

#define HAS(p, type, member)						\
	((p)->struct_size >= offsetof(struct type, member) +		\
	sizeof((p)->member))

/* A table of the plugin's, which may be shorter or longer than ours. */
static void
copy_table(void *to, size_t size, const void *from, uint32_t have)
{
	memset(to, 0, size);
	memcpy(to, from, have < size ? have : size);
}

static int32_t
check_to(const struct hostd_connect *to)
{
	struct addr a;
	size_t len;

	if (to->flags & ~FLAGS || to->reserved != 0 || to->host == NULL)
		return HOSTD_E_INVAL;
	len = strlen(to->host);
	if (len == 0 || len > HOST_MAX)
		return HOSTD_E_INVAL;
	if (to->host[0] == '/' && connect_literal(to->host, 0, &a) == -1)
		return HOSTD_E_INVAL;
	if (to->host[0] != '/' && (to->port == 0 || to->port > UINT16_MAX))
		return HOSTD_E_INVAL;
	return HOSTD_OK;
}

/* Full-size copies of what the plugin has given. */
static int32_t
take_arguments(const struct hostd_connect *to, struct hostd_connect *full,
    const struct hostd_net_ops *ops, struct hostd_net_ops *full_ops)
{
	if (to == NULL || ops == NULL || !HAS(to, hostd_connect, port) ||
	    !HAS(ops, hostd_net_ops, on_close))
		return HOSTD_E_INVAL;
	copy_table(full, sizeof(*full), to, to->struct_size);
	copy_table(full_ops, sizeof(*full_ops), ops, ops->struct_size);
	if (full_ops->on_connect == NULL || full_ops->on_data == NULL ||
	    full_ops->on_close == NULL || full_ops->reserved != 0)
		return HOSTD_E_INVAL;
	return check_to(full);
}

static char *
where_text(const struct hostd_connect *to)
{
	if (to->host[0] == '/')
		return xasprintf("unix:%s", to->host);
	return xasprintf(strchr(to->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
	    to->host, to->port);
}

static void
net_start(struct net_conn *n, const struct hostd_connect *to)
{
	struct plugins *all = n->in->all;
	struct connect_to where = {
		.host = to->host,
		.port = (uint16_t)to->port,
		.delay = (to->flags & HOSTD_NET_DELAY) != 0,
		.timeout_ms = to->timeout_ms != 0 ? to->timeout_ms : TIMEOUT_MS
	};

	char why[512];

	if (all->net_io.loop == NULL)
		stream_io_init(&all->net_io, all->loop);
	n->where = where_text(to);
	n->high_water = to->high_water != 0 ? to->high_water : HIGH_WATER;
	n->end.run = net_end_run;
	n->connect.sio = &all->net_io;
	n->connect.stream = &n->s;
	n->connect.ops = &net_stream_ops;
	n->connect.done = net_connected;
	if (to->flags & (HOSTD_NET_TLS | HOSTD_NET_TLS_UNCHECKED)) {
		where.tls_name = to->tls_name != NULL ? to->tls_name : to->host;
		where.tls = net_tls_get(&all->net_tls, to, why, sizeof(why));
		if (where.tls == NULL) {
			net_close(n, HOSTD_E_IO, xasprintf("%s: %s", n->where,
			    why));
			return;
		}
	}
	connect_start(&n->connect, &where);
}

static int32_t
api_connect(const struct hostd_host *host, const struct hostd_connect *to,
    const struct hostd_net_ops *ops, void *arg, hostd_conn *out)
{
	struct instance *in = host->ctx;
	struct hostd_net_ops full_ops;
	struct hostd_connect full;
	struct net_conn *n;
	int32_t rc;

	if ((rc = instance_check_thread(in, "net connect")) != 0)
		return rc;
	if (out == NULL)
		return HOSTD_E_INVAL;
	if ((rc = take_arguments(to, &full, ops, &full_ops)) != HOSTD_OK)
		return rc;
	if (in->ending)
		return HOSTD_E_STATE;
	if (in->nconns == CONNS_MAX)
		return HOSTD_E_FULL;
	n = xcalloc(1, sizeof(*n));
	if ((n->id = handle_new(&in->all->conns, n)) == 0) {
		free(n);
		return HOSTD_E_FULL;
	}
	n->in = in;
	n->ops = full_ops;
	n->arg = arg;
	LIST_INSERT_HEAD(&in->conns, n, link);
	in->nconns++;
	net_start(n, &full);
	out->id = n->id;
	return HOSTD_OK;
}

/* The connection behind id, if it is this instance's and not over. */
static int32_t
conn_find(const struct hostd_host *host, hostd_conn id, const char *function,
    struct net_conn **out)
{
	struct instance *in = host->ctx;
	struct net_conn *n;
	int32_t rc;

	if ((rc = instance_check_thread(in, function)) != 0)
		return rc;
	n = handle_get(&in->all->conns, id.id);
	if (n == NULL || n->in != in) {
		board_add(&in->all->cell->counters.stale_handles, 1);
		return HOSTD_E_GONE;
	}
	*out = n;
	return n->state == NET_CLOSED ? HOSTD_E_STATE : HOSTD_OK;
}

static int32_t
api_send(const struct hostd_host *host, hostd_conn id, hostd_buf b)
{
	struct net_conn *n;
	int32_t rc;

	if ((rc = conn_find(host, id, "net send", &n)) != HOSTD_OK)
		return rc;
	if (n->state != NET_OPEN || n->shut)
		return HOSTD_E_STATE;
	if (b.p == NULL && b.n > 0)
		return HOSTD_E_INVAL;
	if (stream_pending(&n->s) > n->high_water * FULL_FACTOR) {
		n->owed = 1;
		return HOSTD_E_FULL;
	}
	stream_write(&n->s, b.p, b.n);
	stream_flush_later(&n->s);
	if (stream_pending(&n->s) <= n->high_water)
		return HOSTD_OK;
	n->owed = 1;
	return HOSTD_AGAIN;
}

static int32_t
api_pause(const struct hostd_host *host, hostd_conn id, int32_t on)
{
	struct net_conn *n;
	int32_t rc;

	if ((rc = conn_find(host, id, "net pause", &n)) != HOSTD_OK)
		return rc;
	n->paused = on != 0;
	if (!n->paused && n->state == NET_OPEN)
		stream_read_again(&n->s);
	return HOSTD_OK;
}

static int32_t
api_shutdown(const struct hostd_host *host, hostd_conn id)
{
	struct net_conn *n;
	int32_t rc;

	if ((rc = conn_find(host, id, "net shutdown", &n)) != HOSTD_OK)
		return rc;
	if (n->state != NET_OPEN || n->shut)
		return HOSTD_E_STATE;
	n->shut = 1;
	stream_flush_later(&n->s);	/* and net_sent sees to it */
	return HOSTD_OK;
}

static int32_t
api_close(const struct hostd_host *host, hostd_conn id)
{
	struct net_conn *n;
	int32_t rc;

	if ((rc = conn_find(host, id, "net close", &n)) != HOSTD_OK)
		return rc;
	net_close(n, HOSTD_OK, xstrdup("closed by the plugin"));
	return HOSTD_OK;
}

static const struct hostd_net_api net_api = {
	.struct_size = sizeof(struct hostd_net_api),
	.connect = api_connect,
	.send = api_send,
	.pause = api_pause,
	.shutdown = api_shutdown,
	.close = api_close,
};

const struct hostd_net_api *
net_service(void)
{
	return &net_api;
}

/* -- life -- */

void
net_service_stop(struct instance *in)
{
	struct net_conn *n;

	while ((n = LIST_FIRST(&in->conns)) != NULL) {
		if (n->state == NET_OPEN)
			(void)stream_flush(&n->s);
		if (n->state != NET_CLOSED)
			net_close(n, HOSTD_OK, xstrdup("the instance ends"));
		loop_undefer(in->all->loop, &n->end);
		net_end(n);
	}
}

void
net_service_close(struct plugins *all)
{
	if (all->net_io.loop != NULL)
		stream_io_free(&all->net_io);
	net_tls_free(&all->net_tls);
	handle_table_free(&all->conns);
}
