/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "plugin/plugins.h"
#include "plugin/scrape.h"

static void
put_requests(const struct traffic *t, struct exposition *x)
{
	char route[TRAFFIC_NAME], status[8];
	uint32_t key;
	unsigned i;

	exposition_family(x, "http_requests", EXPOSITION_COUNTER, "Requests "
	    "that have ended, by method, status and pattern of the route; "
	    "status 499: the client left before there was an answer.");
	for (i = 0; i < TRAFFIC_TALLIES; i++) {
		if ((key = t->tallies[i].key) == 0)
			continue;
		traffic_name(t, traffic_route_of(key), route);
		(void)snprintf(status, sizeof(status), "%u",
		    traffic_status(key));
		exposition_value(x, (int64_t)t->tallies[i].n, 1, "method",
		    traffic_method(key), "status", status, "route", route,
		    NULL);
	}
}

/* 0: nothing was counted. */
static int
time_buckets(const struct traffic_time *m, struct exposition_bucket *b)
{
	uint64_t any = m->buckets[TRAFFIC_BOUNDS];
	unsigned i;

	for (i = 0; i < TRAFFIC_BOUNDS; i++) {
		b[i] = (struct exposition_bucket){ traffic_bounds[i],
			m->buckets[i] };
		any |= m->buckets[i];
	}
	return any != 0;
}

static void
put_times(const struct traffic *t, struct exposition *x)
{
	struct exposition_bucket b[TRAFFIC_BOUNDS];
	const struct traffic_time *m;
	char route[TRAFFIC_NAME];
	unsigned i;

	exposition_family(x, "http_request_duration_seconds",
	    EXPOSITION_HISTOGRAM, "From a request's first byte to the last of "
	    "its answer, by the clock of the event loop, which is right to "
	    "some milliseconds; upgrades are left out.");
	for (i = 0; i < TRAFFIC_ROUTES; i++) {
		m = &t->times[i];
		if (!time_buckets(m, b))
			continue;
		traffic_name(t, i, route);
		exposition_histogram(x, b, TRAFFIC_BOUNDS,
		    m->buckets[TRAFFIC_BOUNDS], (int64_t)m->sum_ms, 1000,
		    exposition_labels(x, "route", route, NULL));
	}
}

static void
put_connections(const struct board_sums *s, struct exposition *x)
{
	const struct board_counters *n = &s->n;

	scrape_one(x, "http_active_connections", EXPOSITION_GAUGE, s->active,
	    "Connections of clients, those included that have become "
	    "WebSockets or streams.");
	scrape_one(x, "http_idle_connections", EXPOSITION_GAUGE, s->idle,
	    "Of these, the ones that are between two requests.");
	scrape_one(x, "hostd_connections_accepted", EXPOSITION_COUNTER,
	    n->accepted, "Connections that were accepted.");
	scrape_one(x, "hostd_connections_refused", EXPOSITION_COUNTER,
	    n->refused, "Connections over a limit.");
	scrape_one(x, "hostd_connections_closed", EXPOSITION_COUNTER,
	    n->closed, "Connections that have ended.");
	scrape_one(x, "hostd_received_bytes", EXPOSITION_COUNTER, n->bytes_in,
	    "Bytes of requests, WebSockets and streams.");
	scrape_one(x, "hostd_sent_bytes", EXPOSITION_COUNTER, n->bytes_out,
	    "Bytes of answers, WebSockets and streams.");
	scrape_one(x, "http_bad_requests", EXPOSITION_COUNTER,
	    n->bad_requests, "Requests that are none, by HTTP's rules.");
}

static void
put_handshakes(const struct board_counters *n, struct exposition *x)
{
	exposition_family(x, "hostd_tls_handshakes", EXPOSITION_COUNTER,
	    "Handshakes of clients: of new sessions, of ones that were there, "
	    "and those that came to nothing.");
	exposition_value(x, (int64_t)n->tls_full, 1, "kind", "full", NULL);
	exposition_value(x, (int64_t)n->tls_resumed, 1, "kind", "resumed",
	    NULL);
	exposition_value(x, (int64_t)n->tls_failed, 1, "kind", "failed",
	    NULL);
	scrape_one(x, "hostd_tls_broken_connections", EXPOSITION_COUNTER,
	    n->tls_broken, "Connections that ended by what came behind their "
	    "handshake.");
}

static void
put_sockets(const struct board_sums *s, struct exposition *x)
{
	const struct board_counters *n = &s->n;

	scrape_one(x, "websocket_connections", EXPOSITION_GAUGE,
	    s->websockets, "WebSockets that are open.");
	scrape_one(x, "websocket_connections_opened", EXPOSITION_COUNTER,
	    n->ws_opened, "WebSockets that were opened.");
	scrape_one(x, "websocket_messages_received", EXPOSITION_COUNTER,
	    n->ws_in, "Messages from clients.");
	scrape_one(x, "websocket_messages_sent", EXPOSITION_COUNTER,
	    n->ws_out, "Messages to clients, taken to be sent.");
	scrape_one(x, "websocket_messages_dropped", EXPOSITION_COUNTER,
	    n->ws_dropped, "Messages for clients that did not read.");
	scrape_one(x, "websocket_received_bytes", EXPOSITION_COUNTER,
	    n->ws_bytes_in, "Bytes from WebSockets, heads of frames "
	    "included.");
	scrape_one(x, "websocket_sent_bytes", EXPOSITION_COUNTER,
	    n->ws_bytes_out, "Bytes to WebSockets, the same.");
}

void
scrape_traffic(const struct plugins *all, struct exposition *x)
{
	struct traffic *t = xmalloc(sizeof(*t));
	struct board_sums sums;

	board_traffic_sum(all->board, t);
	board_sum(all->board, &sums);
	put_requests(t, x);
	put_times(t, x);
	put_connections(&sums, x);
	put_handshakes(&sums.n, x);
	put_sockets(&sums, x);
	free(t);
}
