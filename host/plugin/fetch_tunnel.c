/* SPDX-License-Identifier: BSD-2-Clause */
/* An upgraded connection and its server: from the 101 on they are a relay. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "http/conn.h"
#include "http/response.h"
#include "http/server.h"
#include "net/relay.h"
#include "plugin/fetch.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

struct fetch_tunnel {
	struct http_upgrade upgrade;	/* first */
	struct fetch_tunnel *next_closed;
	struct fetch *fetch;		/* NULL: it has ended */
	struct plugins *all;
	struct relay relay;
	struct up_peer *peer;	/* held, once it has begun */
	int begun;			/* the client's connection was taken */
	int lost;			/* or will never be */
};

/* The loop may know something of its sockets still. */
static void
tunnel_free(struct fetch_tunnel *t)
{
	leases_end(&t->upgrade.leases);
	t->next_closed = t->all->closed_tunnels;
	t->all->closed_tunnels = t;
	loop_defer(t->all->loop, &t->all->reap_tunnels);
}

void
tunnels_reap(struct loop_task *task)
{
	struct plugins *all = (struct plugins *)(void *)((char *)task -
	    offsetof(struct plugins, reap_tunnels));
	struct fetch_tunnel *t;

	while ((t = all->closed_tunnels) != NULL) {
		all->closed_tunnels = t->next_closed;
		free(t);
	}
}

/* The server's part of what there was, however it ends. */
static void
count_bytes(struct fetch_tunnel *t)
{
	struct up_count *c = peer_count(t->peer);

	board_add(&c->bytes_in, t->relay.right.bytes);
	board_add(&c->bytes_out, t->relay.left.bytes);
	peer_release(t->peer);
}

int
tunnel_is_open(const struct fetch_tunnel *t)
{
	return t->begun;
}

/* The client's connection is over. */
static void
count_ended(struct plugins *all)
{
	if (all->server != NULL)
		http_server_ended(all->server);
}

void
tunnel_close(struct fetch_tunnel *t)
{
	t->fetch = NULL;
	/* It will be told of the client's connection. */
	if (!t->begun && !t->lost)
		return;
	if (t->begun) {
		relay_close(&t->relay);
		count_bytes(t);
		count_ended(t->all);
	}
	tunnel_free(t);
}

static void
tunnel_ended(struct relay *r, enum relay_end how, int error)
{
	struct fetch_tunnel *t = (struct fetch_tunnel *)(void *)((char *)r -
	    offsetof(struct fetch_tunnel, relay));
	struct fetch *f = t->fetch;

	switch (how) {
	case RELAY_CLOSED:
		exchange_over(&f->x, HOSTD_OK, "");
		break;
	case RELAY_LEFT:
		exchange_over(&f->x, HOSTD_E_GONE, "the client has left");
		break;
	case RELAY_RIGHT:
		exchange_over(&f->x, HOSTD_E_IO, strerror(error));
		break;
	case RELAY_IDLE:
		exchange_over(&f->x, HOSTD_E_TIMEOUT,
		    "nothing has come for too long");
		break;
	}
}

static void
tunnel_taken(struct http_upgrade *u, struct stream *from, const char *p,
    size_t n)
{
	struct fetch_tunnel *t = (struct fetch_tunnel *)(void *)u;
	struct up_exchange *x;

	/* Whoever gives it closes what is not taken. */
	if (t->fetch == NULL) {
		count_ended(t->all);
		tunnel_free(t);
		return;
	}
	x = &t->fetch->x;
	t->begun = 1;
	t->peer = x->peer;
	peer_hold(t->peer);
	relay_start(&t->relay, from, p, n, &x->link->stream, x->in.p,
	    x->in.len);
	exchange_switched(x);
}

static void
tunnel_lost(struct http_upgrade *u, int why)
{
	struct fetch_tunnel *t = (struct fetch_tunnel *)(void *)u;

	(void)why;
	t->lost = 1;
	if (t->fetch == NULL)
		tunnel_free(t);
	else
		exchange_over(&t->fetch->x, HOSTD_E_GONE,
		    "the client has left");
}

int32_t
tunnel_open(struct fetch *f, const hostd_hdr *h, uint32_t n, uint32_t idle_ms)
{
	struct fetch_tunnel *t;
	int32_t rc;

	/* What is left of the request would come behind the relay's bytes. */
	if (f->tunnel != NULL || f->x.state != UP_SWITCHED ||
	    f->x.cancelled || stream_pending(&f->x.link->stream) != 0)
		return HOSTD_E_STATE;
	if (f->req == NULL || f->detached)
		return HOSTD_E_INVAL;
	t = xcalloc(1, sizeof(*t));
	t->upgrade.taken = tunnel_taken;
	t->upgrade.lost = tunnel_lost;
	t->fetch = f;
	t->all = f->in->all;
	t->relay.idle_ms = idle_ms;
	t->relay.ended = tunnel_ended;
	rc = response_upgrade(f->req, f->protocol, h, n, &t->upgrade);
	if (rc == HOSTD_OK)
		f->tunnel = t;
	else
		free(t);
	return rc;
}
