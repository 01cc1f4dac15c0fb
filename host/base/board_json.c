/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/board_json.h"

/* Steps of the clock must not show as an age of centuries. */
static json_t *
json_age(uint64_t since, uint64_t now)
{
	return json_integer(now > since ? (json_int_t)(now - since) : 0);
}

/* Text from shared memory: bounded, and only ASCII, as JSON needs UTF-8. */
static json_t *
json_text(const char *s, size_t size)
{
	char copy[256];
	size_t i;

	for (i = 0; i < size && i < sizeof(copy) - 1 && s[i] != '\0'; i++)
		copy[i] = (s[i] >= ' ' && s[i] <= '~') ? s[i] : '?';
	copy[i] = '\0';
	return json_string(copy);
}

static void
set_number(json_t *o, const char *key, uint64_t n)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

/* Pool, slot, age. */
static int
cell_compare(const void *pa, const void *pb)
{
	const struct board_cell *a = *(struct board_cell *const *)pa;
	const struct board_cell *b = *(struct board_cell *const *)pb;
	int d = strncmp(a->pool, b->pool, sizeof(a->pool));

	if (d != 0)
		return d;
	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return a->started_ms < b->started_ms ? -1
					     : a->started_ms > b->started_ms;
}

static void
worker_sandbox_json(json_t *o, const struct board_cell *c)
{
	static const char *const names[] = { NULL, "off", "log", "on" };
	uint32_t n = c->sandbox;

	if (n > 0 && n < sizeof(names) / sizeof(names[0]))
		(void)json_object_set_new(o, "sandbox", json_string(names[n]));
}

/* A callback that takes so long keeps all others waiting. */
static void
worker_stuck_json(json_t *o, const struct board_cell *c)
{
	uint64_t ms = board_running_ms(c);
	char plugin[64], text[160];
	const char *cb = board_running(c, plugin, sizeof(plugin));

	if (c->state == CELL_READY && board_silent_ms(c) >= BOARD_SILENT_MS)
		set_number(o, "silent_ms", board_silent_ms(c));
	if (ms < BOARD_STUCK_MS || cb == NULL)
		return;
	(void)snprintf(text, sizeof(text), "%s, %s", plugin, cb);
	(void)json_object_set_new(o, "stuck_in", json_text(text, sizeof(text)));
	set_number(o, "stuck_ms", ms);
}

/* By their bounds: {"1": n, "2": n, "48": n}, those that are not 0; and what
 * follows from them. */
static json_t *
latency_json(const struct board_counters *c)
{
	uint64_t counts[LATENCY_BUCKETS];
	json_t *o = json_object(), *buckets = json_object();
	char bound[24];
	unsigned i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		counts[i] = c->latency[i];
		(void)snprintf(bound, sizeof(bound), "%llu",
		    (unsigned long long)latency_bound(i));
		if (counts[i] > 0)
			set_number(buckets, bound, counts[i]);
	}
	set_number(o, "p50", latency_quantile(counts, 500));
	set_number(o, "p99", latency_quantile(counts, 990));
	(void)json_object_set_new(o, "buckets", buckets);
	return o;
}

static json_t *
worker_plugins_json(const struct board_cell *c)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < BOARD_PLUGINS && c->plugins[i][0] != '\0'; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:o,s:o}", "name",
			json_text(c->plugins[i], sizeof(c->plugins[i])),
			"module",
			json_text(c->modules[i], sizeof(c->modules[i]))));
	return list;
}

static json_t *
worker_json(const struct board_cell *c, uint64_t now)
{
	json_t *o = json_object();

	set_number(o, "slot", c->slot);
	set_number(o, "pid", c->pid);
	set_number(o, "generation", c->generation);
	(void)json_object_set_new(
	    o, "state", json_string(board_state_name(c->state)));
	set_number(o, "started_ms", c->started_ms);
	(void)json_object_set_new(o, "uptime_ms", json_age(c->started_ms, now));
	set_number(o, "restarts", c->restarts);
	set_number(o, "active", c->active);
	set_number(o, "idle", c->idle);
	set_number(o, "websockets", c->websockets);
	set_number(o, "accepted", c->counters.accepted);
	set_number(o, "requests", c->counters.requests);
	(void)json_object_set_new(o, "latency_ms", latency_json(&c->counters));
	(void)json_object_set_new(o, "plugins", worker_plugins_json(c));
	worker_sandbox_json(o, c);
	worker_stuck_json(o, c);
	if (board_is_starved(c))
		(void)json_object_set_new(o, "out_of_descriptors", json_true());
	return o;
}

static json_t *
pools_json(struct board_cell *const *cells, size_t n, uint64_t now)
{
	json_t *pools = json_array(), *pool = NULL, *workers = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i == 0 ||
		    strncmp(cells[i]->pool, cells[i - 1]->pool,
			sizeof(cells[i]->pool)) != 0) {
			pool = json_object();
			workers = json_array();
			(void)json_object_set_new(pool, "name",
			    json_text(cells[i]->pool, sizeof(cells[i]->pool)));
			(void)json_object_set_new(pool, "workers", workers);
			(void)json_array_append_new(pools, pool);
		}
		(void)json_array_append_new(
		    workers, worker_json(cells[i], now));
	}
	return pools;
}

static int
list_has(const json_t *list, const json_t *item)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), item))
			return 1;
	return 0;
}

/* The instances that any process has, each once. */
static json_t *
plugins_json(struct board_cell *const *cells, size_t n)
{
	json_t *list = json_array(), *name;
	const char *p;
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < BOARD_PLUGINS; j++) {
			p = cells[i]->plugins[j];
			if (p[0] == '\0')
				break;
			name = json_text(p, sizeof(cells[i]->plugins[j]));
			if (!list_has(list, name))
				(void)json_array_append(list, name);
			json_decref(name);
		}
	}
	return list;
}

static void
sockets_json(json_t *o, const struct board_sums *s)
{
	json_t *ws = json_object(), *bus = json_object();
	json_t *backend = json_object(), *tls = json_object();

	set_number(ws, "active", s->websockets);
	set_number(ws, "opened", s->n.ws_opened);
	set_number(ws, "messages_in", s->n.ws_in);
	set_number(ws, "messages_out", s->n.ws_out);
	set_number(ws, "messages_dropped", s->n.ws_dropped);
	(void)json_object_set_new(o, "websockets", ws);
	set_number(bus, "out", s->n.bus_out);
	set_number(bus, "in", s->n.bus_in);
	set_number(bus, "dropped", s->n.bus_dropped);
	(void)json_object_set_new(o, "bus", bus);
	set_number(backend, "out", s->n.backend_out);
	set_number(backend, "in", s->n.backend_in);
	set_number(backend, "dropped", s->n.backend_dropped);
	set_number(backend, "bad", s->n.backend_bad);
	(void)json_object_set_new(o, "backend", backend);
	set_number(tls, "full", s->n.tls_full);
	set_number(tls, "resumed", s->n.tls_resumed);
	set_number(tls, "failed", s->n.tls_failed);
	set_number(tls, "broken", s->n.tls_broken);
	(void)json_object_set_new(o, "tls", tls);
}

static void
sums_json(json_t *o, const struct board_sums *s)
{
	static const char *const classes[] = {
	    "none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	json_t *conns = json_object(), *reqs = json_object();
	json_t *status = json_object();
	size_t i;

	sockets_json(o, s);
	set_number(conns, "active", s->active);
	set_number(conns, "idle", s->idle);
	set_number(conns, "accepted", s->n.accepted);
	set_number(conns, "refused", s->n.refused);
	set_number(conns, "closed", s->n.closed);
	(void)json_object_set_new(o, "connections", conns);
	set_number(reqs, "total", s->n.requests);
	set_number(reqs, "bad", s->n.bad_requests);
	for (i = 0; i < 6; i++)
		set_number(status, classes[i], s->n.status[i]);
	(void)json_object_set_new(reqs, "status", status);
	set_number(reqs, "bytes_in", s->n.bytes_in);
	set_number(reqs, "bytes_out", s->n.bytes_out);
	(void)json_object_set_new(reqs, "latency_ms", latency_json(&s->n));
	(void)json_object_set_new(o, "requests", reqs);
	set_number(o, "plugin_errors", s->n.plugin_errors);
	set_number(o, "stale_handles", s->n.stale_handles);
	set_number(o, "log_dropped", s->n.log_dropped);
	set_number(o, "callbacks", s->n.callbacks);
	set_number(o, "callback_ms", s->n.callback_ms);
	set_number(o, "slow_callbacks", s->n.slow_callbacks);
}

/*
 * The cells in use, sorted.  They are copies: what is sorted must not change
 * meanwhile, and the master may free one at any time.
 */
static size_t
cells_copy(
    const struct board *b, struct board_cell **copies, struct board_cell **list)
{
	struct board_cell *v = NULL, *more;
	uint32_t state;
	size_t n = 0, i;

	for (i = 0; i < BOARD_CELLS; i++) {
		state = atomic_load(&b->cells[i].state);
		if (state == CELL_FREE || b->cells[i].pool[0] == '\0')
			continue;
		if (n % 16 == 0) {
			more = aligned_alloc(64, (n + 16) * sizeof(*v));
			if (more == NULL)
				break;
			if (n > 0)
				memcpy(more, v, n * sizeof(*v));
			free(v);
			v = more;
		}
		memcpy(&v[n], &b->cells[i], sizeof(*v));
		v[n++].state = state;
	}
	*copies = v;
	for (i = 0; i < n; i++)
		list[i] = &v[i];
	if (n > 1)
		qsort(list, n, sizeof(list[0]), cell_compare);
	return n;
}

/* {"count": n, "sum": n, "buckets": {"10": n, "+Inf": n}}, not cumulative */
static json_t *
histogram_json(const struct board_metric *m)
{
	json_t *o = json_object(), *buckets = json_object();
	uint64_t n = 0;
	char le[24];
	uint32_t i;

	for (i = 0; i <= m->nbounds; i++) {
		n += m->buckets[i];
		if (i < m->nbounds)
			(void)snprintf(le, sizeof(le), "%lld",
			    (long long)m->bounds[i]);
		set_number(buckets, i < m->nbounds ? le : "+Inf",
		    m->buckets[i]);
	}
	set_number(o, "count", n);
	(void)json_object_set_new(o, "sum", json_integer(m->value));
	(void)json_object_set_new(o, "buckets", buckets);
	return o;
}

static json_t *
metrics_json(const struct board *b)
{
	struct board_metric *all = calloc(BOARD_METRICS, sizeof(*all));
	json_t *o = json_object();
	size_t i, n;

	if (all == NULL)
		return o;
	n = board_metrics_sum(b, all);
	for (i = 0; i < n; i++)
		(void)json_object_set_new(o, all[i].name,
		    all[i].type == BOARD_METRIC_HISTOGRAM ?
			histogram_json(&all[i]) :
			json_integer(all[i].value));
	free(all);
	return o;
}

json_t *
board_json(const struct board *b)
{
	const struct board_node *node = b->node;
	struct board_cell *copies, *list[BOARD_CELLS];
	struct board_sums sums;
	uint64_t now = board_clock_ms();
	json_t *o = json_object();
	size_t n;

	if (o == NULL)
		return NULL;
	(void)json_object_set_new(
	    o, "ready", json_boolean(node->unready == 0));
	(void)json_object_set_new(
	    o, "node", json_text(node->node, sizeof(node->node)));
	(void)json_object_set_new(o, "version",
	    json_text(node->hostd_version, sizeof(node->hostd_version)));
	set_number(o, "pid", node->master_pid);
	set_number(o, "generation", node->generation);
	set_number(o, "started_ms", node->started_ms);
	(void)json_object_set_new(
	    o, "uptime_ms", json_age(node->started_ms, now));
	board_sum(b, &sums);
	sums_json(o, &sums);
	n = cells_copy(b, &copies, list);
	(void)json_object_set_new(o, "plugins", plugins_json(list, n));
	(void)json_object_set_new(o, "metrics", metrics_json(b));
	(void)json_object_set_new(o, "pools", pools_json(list, n, now));
	free(copies);
	return o;
}
