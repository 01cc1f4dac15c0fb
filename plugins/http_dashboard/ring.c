/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ring.h"

/* -- reading the state -- */

static double
number(const json_t *o, const char *a, const char *b)
{
	return json_number_value(json_object_get(json_object_get(o, a), b));
}

static int
bound_compare(const void *pa, const void *pb)
{
	const double *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

static void
counters_read(struct counters *c, const json_t *status)
{
	const json_t *requests = json_object_get(status, "requests");
	const json_t *buckets = json_object_get(json_object_get(requests,
	    "latency_ms"), "buckets");
	const json_t *n;
	const char *bound;

	memset(c, 0, sizeof(*c));
	c->requests = number(status, "requests", "total");
	c->bytes = number(status, "requests", "bytes_out");
	c->errors = number(requests, "status", "5xx");
	c->messages = number(status, "websockets", "messages_in") +
	    number(status, "websockets", "messages_out");
	json_object_foreach((json_t *)(uintptr_t)buckets, bound, n) {
		if (c->nbuckets == RING_BUCKETS)
			break;
		c->buckets[c->nbuckets].bound = strtod(bound, NULL);
		c->buckets[c->nbuckets++].n = json_number_value(n);
	}
	qsort(c->buckets, c->nbuckets, sizeof(c->buckets[0]), bound_compare);
}

/* -- what has happened since -- */

/* Counters never go down, but for a node that has started anew. */
static double
rate(double now, double before, double seconds)
{
	return now > before ? (now - before) / seconds : 0;
}

static double
bucket_before(const struct counters *c, double bound)
{
	size_t i;

	for (i = 0; i < c->nbuckets; i++)
		if (c->buckets[i].bound >= bound)
			return c->buckets[i].bound > bound ? 0 :
			    c->buckets[i].n;
	return 0;
}

/* The bound that so many of those since then are not above; -1: there was
 * none. */
static double
quantile(const struct counters *now, const struct counters *before, double q)
{
	double all = 0, seen = 0, since[RING_BUCKETS];
	size_t i;

	for (i = 0; i < now->nbuckets; i++) {
		since[i] = now->buckets[i].n - bucket_before(before,
		    now->buckets[i].bound);
		if (since[i] < 0)
			since[i] = 0;
		all += since[i];
	}
	for (i = 0; i < now->nbuckets; i++)
		if ((seen += since[i]) >= all * q && all > 0)
			return now->buckets[i].bound;
	return -1;
}

int
sample_take(struct counters *c, const json_t *status, uint64_t time_ms,
    struct sample *s)
{
	struct counters before = *c;
	double seconds;

	counters_read(c, status);
	c->time_ms = time_ms;
	memset(s, 0, sizeof(*s));
	if (before.time_ms == 0 || time_ms <= before.time_ms)
		return 0;
	seconds = (double)(time_ms - before.time_ms) / 1000;
	s->time_ms = time_ms;
	s->requests = rate(c->requests, before.requests, seconds);
	s->errors = rate(c->errors, before.errors, seconds);
	s->messages = rate(c->messages, before.messages, seconds);
	s->bytes = rate(c->bytes, before.bytes, seconds);
	s->p50 = quantile(c, &before, .5);
	s->p90 = quantile(c, &before, .9);
	s->p99 = quantile(c, &before, .99);
	s->connections = number(status, "connections", "active");
	s->websockets = number(status, "websockets", "active");
	return 1;
}

static void
append(json_t *list, double x)
{
	(void)json_array_append_new(list, x < 0 ? json_null() :
	    x == floor(x) ? json_integer((json_int_t)x) :
	    json_real(round(x * 100) / 100));
}

json_t *
sample_json(const struct sample *s)
{
	const double all[] = { s->requests, s->errors, s->p50, s->p90, s->p99,
		s->connections, s->websockets, s->messages, s->bytes };
	json_t *list = json_array();
	size_t i;

	(void)json_array_append_new(list,
	    json_integer((json_int_t)s->time_ms));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		append(list, all[i]);
	return list;
}

/* -- the ring -- */

void
ring_add(struct ring *r, const struct sample *s)
{
	r->samples[r->next] = *s;
	r->next = (r->next + 1) % RING_SAMPLES;
	if (r->n < RING_SAMPLES)
		r->n++;
}

json_t *
ring_json(const struct ring *r)
{
	json_t *list = json_array();
	uint32_t i, at = (r->next + RING_SAMPLES - r->n) % RING_SAMPLES;

	for (i = 0; i < r->n; i++)
		(void)json_array_append_new(list,
		    sample_json(&r->samples[(at + i) % RING_SAMPLES]));
	return list;
}

int
ring_is_sound(const struct ring *r)
{
	const double *x;
	uint32_t i;
	size_t k;

	if (r->n > RING_SAMPLES || r->next >= RING_SAMPLES)
		return 0;
	for (i = 0; i < r->n; i++) {
		x = &r->samples[i].requests;
		for (k = 0; k < 9; k++)
			if (!isfinite(x[k]) || fabs(x[k]) > 1e15)
				return 0;
	}
	return 1;
}
