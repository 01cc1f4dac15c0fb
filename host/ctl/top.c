/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "ctl/answer.h"
#include "ctl/table.h"
#include "ctl/top.h"
#include "ctl/usage.h"

const struct top_head top_heads[TOP_COLUMNS] = {
    [TOP_WORKER] = {"WORKER", 13, 'w'},
    [TOP_PID] = {"PID", 7, 'i'},
    [TOP_STATE] = {"STATE", 8, 's'},
    [TOP_CPU] = {"CPU%", 6, 'c'},
    [TOP_MEMORY] = {"MEM", 7, 'm'},
    [TOP_CONNECTIONS] = {"CONNS", 7, 'n'},
    [TOP_RATE] = {"REQ/S", 9, 'r'},
    [TOP_P99] = {"P99", 7, 'p'},
    [TOP_RESTARTS] = {"RESTARTS", 8, 'x'},
};

/* ---- looking ---- */

static void
row_latency(struct top_row *r, const json_t *buckets)
{
	char bound[24];
	unsigned i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		(void)snprintf(bound, sizeof(bound), "%llu",
		    (unsigned long long)latency_bound(i));
		r->latency[i] = (uint64_t)num_of(buckets, bound);
	}
}

static void
row_read(struct top_row *r, const char *pool, const json_t *w)
{
	(void)snprintf(r->worker, sizeof(r->worker), "%.60s.%lld", pool,
	    (long long)num_of(w, "slot"));
	(void)snprintf(r->state, sizeof(r->state), "%s",
	    json_object_get(w, "stuck_in") != NULL ? "stuck"
						   : text_of(w, "state", "?"));
	r->pid = num_of(w, "pid");
	r->cpu_ms = num_of(w, "cpu_ms");
	r->rss = num_of(w, "rss");
	r->connections = num_of(w, "active");
	r->websockets = num_of(w, "websockets");
	r->restarts = num_of(w, "restarts");
	r->requests = num_of(w, "requests");
	row_latency(
	    r, json_object_get(json_object_get(w, "latency_ms"), "buckets"));
}

static void
top_read(struct top *t)
{
	const json_t *pools = json_object_get(t->status, "pools"), *p, *ws;
	size_t i, j;

	for (i = 0; i < json_array_size(pools); i++) {
		p = json_array_get(pools, i);
		ws = json_object_get(p, "workers");
		for (j = 0; j < json_array_size(ws); j++) {
			t->rows =
			    xrealloc(t->rows, (t->n + 1) * sizeof(t->rows[0]));
			memset(&t->rows[t->n], 0, sizeof(t->rows[0]));
			row_read(&t->rows[t->n++], text_of(p, "name", "?"),
			    json_array_get(ws, j));
		}
	}
}

/* ---- differences ---- */

static double
per_second(int64_t now, int64_t before, int64_t ms)
{
	return now > before && ms > 0
	    ? (double)(now - before) * 1000 / (double)ms
	    : 0;
}

/* A process that was not there before has begun at nothing. */
static void
row_compare(struct top_row *r, const struct top_row *before, int64_t ms)
{
	static const struct top_row nothing;
	uint64_t counts[LATENCY_BUCKETS];
	unsigned i;

	if (before == NULL)
		before = &nothing;
	r->cpu = per_second(r->cpu_ms, before->cpu_ms, ms) / 10;
	r->rate = per_second(r->requests, before->requests, ms);
	for (i = 0; i < LATENCY_BUCKETS; i++)
		counts[i] = r->latency[i] >= before->latency[i]
		    ? r->latency[i] - before->latency[i]
		    : 0;
	r->p99 = latency_quantile(counts, 990);
}

static const struct top_row *
top_find(const struct top *t, int64_t pid)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->rows[i].pid == pid && pid != 0)
			return &t->rows[i];
	return NULL;
}

static void
row_add(struct top_row *sum, const struct top_row *r)
{
	unsigned i;

	sum->cpu_ms += r->cpu_ms;
	sum->requests += r->requests;
	sum->rss += r->rss;
	sum->connections += r->connections;
	sum->websockets += r->websockets;
	sum->restarts += r->restarts;
	sum->cpu += r->cpu;
	sum->rate += r->rate;
	for (i = 0; i < LATENCY_BUCKETS; i++)
		sum->latency[i] += r->latency[i];
}

static void
top_compare(struct top *t, const struct top *before)
{
	struct top_row *sum = &t->all;
	size_t i;

	for (i = 0; i < t->n; i++) {
		row_compare(&t->rows[i], top_find(before, t->rows[i].pid),
		    t->interval_ms);
		row_add(sum, &t->rows[i]);
	}
	/* Of those that have ended there is no difference. */
	sum->p99 = 0;
	for (i = 0; i < t->n; i++)
		if (t->rows[i].p99 > sum->p99)
			sum->p99 = t->rows[i].p99;
}

int
top_look(struct top *t, const struct ctl *ctl)
{
	struct ctl quiet = *ctl;
	struct top fresh = {0};
	json_t *answer = NULL;
	struct timespec ts;
	int rc;

	quiet.json = 0;
	rc = ctl_ask(&quiet, json_pack("{s:s}", "cmd", "status"), &answer);
	fresh.status = json_incref(json_object_get(answer, "status"));
	json_decref(answer);
	if (rc != CTL_OK || fresh.status == NULL) {
		json_decref(fresh.status);
		return rc != CTL_OK ? rc : CTL_FAILED;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	fresh.at_ms = ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	fresh.interval_ms = t->at_ms != 0 ? fresh.at_ms - t->at_ms : 0;
	usage_add(fresh.status);
	top_read(&fresh);
	top_compare(&fresh, t);
	top_free(t);
	*t = fresh;
	return CTL_OK;
}

void
top_free(struct top *t)
{
	json_decref(t->status);
	free(t->rows);
	memset(t, 0, sizeof(*t));
}

/* ---- columns ---- */

static double
row_value(const struct top_row *r, enum top_column c)
{
	switch (c) {
	case TOP_PID:
		return (double)r->pid;
	case TOP_CPU:
		return r->cpu;
	case TOP_MEMORY:
		return (double)r->rss;
	case TOP_CONNECTIONS:
		return (double)r->connections;
	case TOP_RATE:
		return r->rate;
	case TOP_P99:
		return (double)r->p99;
	case TOP_RESTARTS:
		return (double)r->restarts;
	default:
		return 0;
	}
}

static int
row_order(const void *pa, const void *pb, void *arg)
{
	const struct top_row *a = pa, *b = pb;
	enum top_column c = *(const enum top_column *)arg;
	double va = row_value(a, c), vb = row_value(b, c);
	int d = 0;

	if (c == TOP_STATE)
		d = strcmp(a->state, b->state);
	else if (va != vb)
		d = va > vb ? -1 : 1;
	return d != 0 ? d : strverscmp(a->worker, b->worker);
}

void
top_sort(struct top *t, enum top_column c)
{
	if (t->n > 1)
		qsort_r(t->rows, t->n, sizeof(t->rows[0]), row_order, &c);
}

const char *
top_cell(const struct top_row *r, enum top_column c, char buf[TOP_CELL])
{
	(void)snprintf(buf, TOP_CELL, "-");
	if (r->pid == 0 && c != TOP_WORKER && c != TOP_STATE &&
	    c != TOP_RESTARTS)
		return buf;
	switch (c) {
	case TOP_WORKER:
		return r->worker;
	case TOP_STATE:
		return r->state;
	case TOP_CPU:
		(void)snprintf(buf, TOP_CELL, "%.1f", r->cpu);
		break;
	case TOP_MEMORY:
		return text_bytes(buf, r->rss);
	case TOP_RATE:
		(void)snprintf(buf, TOP_CELL, "%.1f", r->rate);
		break;
	case TOP_P99:
		if (r->p99 != 0)
			(void)snprintf(buf, TOP_CELL, "<%llums",
			    (unsigned long long)r->p99);
		break;
	default:
		(void)snprintf(buf, TOP_CELL, "%.0f", row_value(r, c));
	}
	return buf;
}
