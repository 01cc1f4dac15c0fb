/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/latency.h"

uint64_t
latency_bound(unsigned bucket)
{
	if (bucket < 2)
		return bucket + 1;
	return (uint64_t)(3 + bucket % 2) << (bucket / 2 - 1);
}

uint64_t
latency_quantile(const uint64_t counts[LATENCY_BUCKETS], unsigned permille)
{
	uint64_t all = 0, seen = 0;
	unsigned i;

	for (i = 0; i < LATENCY_BUCKETS; i++)
		all += counts[i];
	if (all == 0)
		return 0;
	for (i = 0; i < LATENCY_BUCKETS - 1; i++) {
		seen += counts[i];
		if (seen * 1000 >= all * permille)
			break;
	}
	return latency_bound(i);
}
