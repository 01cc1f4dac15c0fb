/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "upstream/tcp.h"
#include "upstream/tcp_log.h"

#define COMPLAIN_MS	5000

static struct loop *
loop_of(const struct tcp_conn *c)
{
	return c->server->http->loop;
}

/* -- all of them -- */

static void
tcp_reap(struct loop_task *t)
{
	struct tcp_server *ts = (struct tcp_server *)(void *)((char *)t -
	    offsetof(struct tcp_server, reap));
	struct tcp_conn *c;
	struct tcp_dial *d;

	while ((c = TAILQ_FIRST(&ts->dead)) != NULL) {
		TAILQ_REMOVE(&ts->dead, c, link);
		free(c->tries);
		free(c->sni);
		free(c);
	}
	while ((d = SLIST_FIRST(&ts->dials)) != NULL) {
		SLIST_REMOVE_HEAD(&ts->dials, dead);
		free(d);
	}
}

void
tcp_server_init(struct tcp_server *ts, struct http_server *http,
    struct upstreams *upstreams)
{
	memset(ts, 0, sizeof(*ts));
	ts->http = http;
	ts->upstreams = upstreams;
	TAILQ_INIT(&ts->conns);
	TAILQ_INIT(&ts->dead);
	SLIST_INIT(&ts->dials);
	ts->reap.run = tcp_reap;
}

void
tcp_server_close(struct tcp_server *ts)
{
	struct tcp_conn *c;

	if (ts->nconns > 0)
		log_warnx("%zu TCP connections are cut", ts->nconns);
	while ((c = TAILQ_FIRST(&ts->conns)) != NULL)
		tcp_end(c);
	loop_undefer(ts->http->loop, &ts->reap);
	tcp_reap(&ts->reap);
}

/* -- one of them -- */

void
tcp_open(struct tcp_server *ts, const struct conf_listen *listen, int fd,
    const struct sockaddr *sa, struct http_lease *lease)
{
	struct tcp_conn *c = xcalloc(1, sizeof(*c));

	c->server = ts;
	c->listen = listen;
	c->began_ms = ts->http->loop->now_ms;
	c->search.flags = HOSTD_PICK_STREAM;
	c->status = TCP_OK;
	c->leases = lease;
	if (access_logs_want(&ts->http->logs, &tcp_log_kind))
		c->tries = xcalloc(1, sizeof(*c->tries));
	if (tcp_dial_open(c, fd, sa) == -1) {
		log_warn("listen %s: taking a connection", listen->name);
		(void)close(fd);
		leases_end(&c->leases);
		free(c->tries);
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&ts->conns, c, link);
	ts->nconns++;
	http_server_began(ts->http);
	board_add(&ts->http->cell->counters.accepted, 1);
	tcp_dial_begin(c);
}

void
tcp_end(struct tcp_conn *c)
{
	struct tcp_server *ts = c->server;

	/* How much was sent is known then. */
	if (c->dial == NULL)
		relay_close(&c->relay);
	if (c->tries != NULL)
		tcp_log(c);
	if (c->peer != NULL)
		tcp_report(c, HOSTD_E_GONE, UP_WHY_NONE, 0);
	if (c->dial != NULL)
		tcp_dial_close(c);
	leases_end(&c->leases);
	TAILQ_REMOVE(&ts->conns, c, link);
	ts->nconns--;
	TAILQ_INSERT_TAIL(&ts->dead, c, link);
	loop_defer(ts->http->loop, &ts->reap);
	http_server_ended(ts->http);
}

void
tcp_turn_away(struct tcp_conn *c, int status, const char *why)
{
	struct tcp_server *ts = c->server;
	uint64_t now = ts->http->loop->now_ms;

	if (ts->told_ms != 0 && now - ts->told_ms < COMPLAIN_MS) {
		ts->untold++;
	} else {
		ts->told_ms = now;
		if (ts->untold > 0)
			log_warnx("%" PRIu64 " more TCP connections were "
			    "turned away", ts->untold);
		ts->untold = 0;
		log_warnx("listen %s: %s is turned away: %s", c->listen->name,
		    c->client, why);
	}
	c->status = status;
	tcp_end(c);
}

/* -- with a server -- */

static void
count_relay(struct up_count *n, uint32_t by)
{
	/* Only we write it. */
	atomic_store_explicit(&n->upgraded, atomic_load_explicit(&n->upgraded,
	    memory_order_relaxed) + by, memory_order_relaxed);
}

void
tcp_report(struct tcp_conn *c, int32_t rc, uint32_t why, uint32_t what)
{
	struct up_peer *p = c->peer;
	struct hostd_report r = { .struct_size = sizeof(r), .rc = rc };
	struct up_count *n = peer_count(p);

	r.connect_us = c->connect_us;
	r.total_us = (loop_clock_ms() - c->picked_ms) * 1000;
	if (c->dial == NULL) {
		count_relay(n, (uint32_t)-1);
		board_add(&n->bytes_in, c->relay.right.bytes);
		board_add(&n->bytes_out, tcp_received(c));
	}
	c->peer = NULL;
	group_report(p, &c->search, &r, why, what);
}

static const char *
end_text(enum relay_end why)
{
	static const char *const texts[] = {
		[RELAY_CLOSED] = "both sides have ended",
		[RELAY_LEFT] = "the client failed: ",
		[RELAY_RIGHT] = "the server failed: ",
		[RELAY_IDLE] = "nothing came for idle_timeout",
	};

	return texts[why];
}

static void
tcp_relay_ended(struct relay *r, enum relay_end why, int error)
{
	struct tcp_conn *c = (struct tcp_conn *)(void *)r;

	/* How connections end is the protocol's matter, and not the server's
	 * health: that it could be connected to is all we know. */
	log_debug("listen %s: %s to %s: %" PRIu64 " bytes to the server, %"
	    PRIu64 " from it, %" PRIu64 " ms: %s%s", c->listen->name,
	    c->client, c->peer->text, tcp_received(c), r->right.bytes,
	    loop_of(c)->now_ms - c->began_ms, end_text(why),
	    why == RELAY_LEFT || why == RELAY_RIGHT ? strerror(error) : "");
	tcp_report(c, HOSTD_OK, UP_WHY_NONE, 0);
	tcp_end(c);
}

/* What is only for the log shall not be more than is needed. */
static void
shrink_tries(struct tcp_conn *c)
{
	if (c->tries != NULL)
		c->tries = xrealloc(c->tries, offsetof(struct http_tries, v) +
		    c->tries->n * sizeof(c->tries->v[0]));
}

void
tcp_relay(struct tcp_conn *c, const char *first, size_t n)
{
	struct tcp_dial *d = c->dial;
	struct loop *l = loop_of(c);

	c->relay.idle_ms = (uint32_t)c->listen->idle_timeout;
	c->relay.ended = tcp_relay_ended;
	relay_start(&c->relay, &d->client, first, n, &d->server, NULL, 0);
	tcp_dial_close(c);
	shrink_tries(c);
	count_relay(peer_count(c->peer), 1);
	/* It serves; nobody has to wait until this connection ends. */
	peer_served(c->peer, c->picked_ms, l->now_ms);
}
