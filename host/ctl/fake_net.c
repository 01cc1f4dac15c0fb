/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.net/1 as it is on a bad day: the first connection is refused, the next
 * one talks nonsense and is reset, the third gets no answer, and so on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake.h"

#define MAX_CONNS 1024u
#define HIGH_WATER 65536u
#define FULL (4 * HIGH_WATER)
#define TIMEOUT_MS 5000u

enum fate { REFUSED, RESET, SILENT, FATES };

struct net_conn {
	TAILQ_ENTRY(net_conn) entry;
	struct fake *fake;
	struct hostd_net_ops ops;
	void *arg;
	uint64_t id, deadline;
	enum fate fate;
	int step;      /* what is next */
	int connected; /* and not ended */
	int paused, shut, closed;
	size_t pending;
};

TAILQ_HEAD(conn_list, net_conn);
static struct conn_list conns = TAILQ_HEAD_INITIALIZER(conns);
static uint64_t last_conn;
static unsigned nconns;

static void
conn_end(struct net_conn *c, int32_t status, const char *text)
{
	hostd_conn id = {c->id};

	c->closed = 1;
	fake_enter(c->fake, "on_close of a connection", NULL);
	c->ops.on_close(c->fake->inst, id, c->arg, status,
	    fake_lend_text(text));
	fake_leave(c->fake);
	TAILQ_REMOVE(&conns, c, entry);
	nconns--;
	free(c);
}

static void
conn_connect(struct net_conn *c)
{
	hostd_conn id = {c->id};

	c->connected = 1;
	fake_enter(c->fake, "on_connect of a connection", NULL);
	c->ops.on_connect(c->fake->inst, id, c->arg);
	fake_leave(c->fake);
}

static void
conn_data(struct net_conn *c, const char *text)
{
	hostd_conn id = {c->id};

	if (c->paused)
		return;
	fake_enter(c->fake, "on_data of a connection", NULL);
	c->ops.on_data(c->fake->inst, id, c->arg,
	    fake_lend_text(text));
	fake_leave(c->fake);
}

static void
conn_room(struct net_conn *c)
{
	hostd_conn id = {c->id};
	int owed = c->pending > HIGH_WATER;

	c->pending = 0;
	if (!owed || c->ops.on_writable == NULL)
		return;
	fake_enter(c->fake, "on_writable of a connection", NULL);
	c->ops.on_writable(c->fake->inst, id, c->arg);
	fake_leave(c->fake);
}

/* Connected, it is told things, and then cut off. */
static void
conn_talk(struct net_conn *c)
{
	switch (c->step++) {
	case 0:
		conn_connect(c);
		break;
	case 1:
		conn_data(c, "+what?\r\n\377$-7\r\n*");
		break;
	case 2:
		conn_room(c);
		break;
	case 3:
		conn_data(c, "");
		break;
	default:
		conn_end(c, HOSTD_E_IO, "Connection reset by peer");
	}
}

/* The next thing that happens to it: 0 when it only waits. */
static int
conn_step(struct net_conn *c)
{
	if (c->closed)
		conn_end(c, HOSTD_OK, "closed by the plugin");
	else if (c->fate == RESET)
		conn_talk(c);
	else if (c->fate == REFUSED)
		conn_end(c, HOSTD_E_IO, "connecting: Connection refused");
	else if (fake_now() >= c->deadline)
		conn_end(c, HOSTD_E_TIMEOUT, "connecting: no answer");
	else
		return 0;
	return 1;
}

unsigned
fake_net_turn(void)
{
	struct net_conn *c, *next;
	uint64_t last = last_conn;
	unsigned n = 0;

	/* Those that are made meanwhile wait for the next turn. */
	for (c = TAILQ_FIRST(&conns); c != NULL && c->id <= last; c = next) {
		next = TAILQ_NEXT(c, entry);
		n += (unsigned)conn_step(c);
	}
	return n;
}

void
fake_net_end(struct fake *f)
{
	struct net_conn *c, *next;

	for (c = TAILQ_FIRST(&conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->fake != f)
			continue;
		if (f->inst != NULL) {
			conn_end(c, HOSTD_OK, "the instance ends");
		} else {
			/* Nobody is there to be told. */
			TAILQ_REMOVE(&conns, c, entry);
			nconns--;
			free(c);
		}
	}
}

unsigned
fake_net_open(void)
{
	return nconns;
}

uint64_t
fake_net_count(void)
{
	return last_conn;
}

/* -- the table -- */

static int32_t
check_arguments(const struct hostd_connect *to,
    const struct hostd_net_ops *ops, const hostd_conn *out)
{
	if (to == NULL || ops == NULL || out == NULL)
		check_fail("called connect of hostd.net/1 with a NULL");
	if (to->struct_size < sizeof(*to) || ops->struct_size < sizeof(*ops))
		check_fail("called connect of hostd.net/1 without struct_size");
	if (ops->on_connect == NULL || ops->on_data == NULL ||
	    ops->on_close == NULL)
		check_fail("called connect of hostd.net/1 without on_connect, "
			   "on_data or on_close");
	if (to->host == NULL || to->host[0] == '\0' ||
	    (to->host[0] != '/' && (to->port == 0 || to->port > 65535)))
		return HOSTD_E_INVAL;
	return HOSTD_OK;
}

static int32_t
net_connect(const struct hostd_host *host, const struct hostd_connect *to,
    const struct hostd_net_ops *ops, void *arg, hostd_conn *out)
{
	struct fake *f = fake_called(host, "connect of hostd.net/1");
	int32_t rc = check_arguments(to, ops, out);
	struct net_conn *c;

	if (rc != HOSTD_OK)
		return rc;
	if (f->destroying)
		return HOSTD_E_STATE;
	if (nconns >= MAX_CONNS)
		return HOSTD_E_FULL;
	c = xcalloc(1, sizeof(*c));
	c->fake = f;
	c->ops = *ops;
	c->arg = arg;
	c->fate = (enum fate)(last_conn % FATES);
	c->id = ++last_conn;
	c->deadline = fake_now() +
	    (to->timeout_ms == 0 ? TIMEOUT_MS : to->timeout_ms);
	TAILQ_INSERT_TAIL(&conns, c, entry);
	nconns++;
	out->id = c->id;
	return HOSTD_OK;
}

static int32_t
conn_find(const struct hostd_host *host, hostd_conn id, const char *function,
    struct net_conn **out)
{
	struct fake *f = fake_called(host, function);
	struct net_conn *c;

	TAILQ_FOREACH(c, &conns, entry)
		if (c->id == id.id && c->fake == f)
			break;
	if ((*out = c) == NULL)
		return HOSTD_E_GONE;
	return c->closed ? HOSTD_E_STATE : HOSTD_OK;
}

static int32_t
net_send(const struct hostd_host *host, hostd_conn id, hostd_buf b)
{
	struct net_conn *c;
	int32_t rc = conn_find(host, id, "send of hostd.net/1", &c);

	if (rc != HOSTD_OK)
		return rc;
	if (b.p == NULL && b.n > 0)
		check_fail("called send of hostd.net/1 with NULL bytes");
	if (!c->connected || c->shut)
		return HOSTD_E_STATE;
	if (c->pending > FULL)
		return HOSTD_E_FULL;
	c->pending += b.n;
	return c->pending > HIGH_WATER ? HOSTD_AGAIN : HOSTD_OK;
}

static int32_t
net_pause(const struct hostd_host *host, hostd_conn id, int32_t on)
{
	struct net_conn *c;
	int32_t rc = conn_find(host, id, "pause of hostd.net/1", &c);

	if (rc == HOSTD_OK)
		c->paused = on != 0;
	return rc;
}

static int32_t
net_shutdown(const struct hostd_host *host, hostd_conn id)
{
	struct net_conn *c;
	int32_t rc = conn_find(host, id, "shutdown of hostd.net/1", &c);

	if (rc != HOSTD_OK)
		return rc;
	if (!c->connected || c->shut)
		return HOSTD_E_STATE;
	c->shut = 1;
	return HOSTD_OK;
}

static int32_t
net_close(const struct hostd_host *host, hostd_conn id)
{
	struct net_conn *c;
	int32_t rc = conn_find(host, id, "close of hostd.net/1", &c);

	if (rc == HOSTD_OK)
		c->closed = 1;
	return rc;
}

const struct hostd_net_api fake_net_api = {
    .struct_size = sizeof(struct hostd_net_api),
    .connect = net_connect,
    .send = net_send,
    .pause = net_pause,
    .shutdown = net_shutdown,
    .close = net_close,
};
