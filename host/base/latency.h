/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long requests take, counted in buckets that grow with what they count:
 * two for each power of two of milliseconds, so that a percentile is right to
 * a third, from one millisecond to two minutes.
 */
#ifndef BASE_LATENCY_H
#define BASE_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS	36	/* the last takes all above */

static inline unsigned
latency_bucket(uint64_t ms)
{
	unsigned e;

	if (ms < 2)
		return (unsigned)ms;
	e = 63 - (unsigned)__builtin_clzll(ms);
	if (e > LATENCY_BUCKETS / 2 - 1)
		return LATENCY_BUCKETS - 1;
	return 2 * e + (unsigned)(ms >> (e - 1) & 1);
}

/* All in this bucket took less. */
uint64_t latency_bound(unsigned bucket);
/* Of all that are counted, so many in a thousand took less; 0: none are
 * counted. */
uint64_t latency_quantile(const uint64_t counts[LATENCY_BUCKETS],
	    unsigned permille);

#endif
