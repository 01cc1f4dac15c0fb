/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last minutes in numbers: what is read off the node's state, and what
 * happened between two looks.
 */
#ifndef HTTP_DASHBOARD_RING_H
#define HTTP_DASHBOARD_RING_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SAMPLES	300
#define RING_BUCKETS	40	/* of a histogram of latencies */

/* Rates are for a second, times in ms; below 0: nothing to tell. */
struct sample {
	uint64_t time_ms;	/* since 1970 */
	double requests, errors, messages, bytes;
	double p50, p90, p99;
	double connections, websockets;
};

/* Plain data: it goes to a successor as it is. */
struct ring {
	uint32_t n, next;
	struct sample samples[RING_SAMPLES];
};

/* What counters said at the last look. */
struct counters {
	uint64_t time_ms;	/* 0: there was none */
	double requests, errors, messages, bytes;
	size_t nbuckets;
	struct {
		double bound, n;
	} buckets[RING_BUCKETS];	/* by bound */
};

/* Look at the state of hostd.status/1.  0: there was nothing before to compare
 * with; 1: s is filled in. */
int	sample_take(struct counters *, const json_t *status, uint64_t time_ms,
	    struct sample *s);
/* [time, requests, errors, p50, p90, p99, connections, websockets, messages,
 * bytes] */
json_t	*sample_json(const struct sample *);

void	ring_add(struct ring *, const struct sample *);
/* Those of the last minutes, oldest first. */
json_t	*ring_json(const struct ring *);
/* Is it one that could have been made here? */
int	ring_is_sound(const struct ring *);

#endif
