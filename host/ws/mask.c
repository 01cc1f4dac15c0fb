/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "ws/mask.h"

#define WORDS	4
#define BLOCK	(WORDS * sizeof(uint64_t))

static void
mask_block(uint8_t *p, uint64_t k)
{
	uint64_t w[WORDS];
	int i;

	memcpy(w, p, sizeof(w));
	for (i = 0; i < WORDS; i++)
		w[i] ^= k;
	memcpy(p, w, sizeof(w));
}

void
ws_unmask(void *data, size_t n, const uint8_t key[4], size_t offset)
{
	uint8_t *p = data, turned[sizeof(uint64_t)];
	uint64_t k, w;
	size_t i;

	for (i = 0; i < sizeof(turned); i++)
		turned[i] = key[(offset + i) & 3];
	memcpy(&k, turned, sizeof(k));
	for (; n >= BLOCK; p += BLOCK, n -= BLOCK)
		mask_block(p, k);
	for (; n >= sizeof(w); p += sizeof(w), n -= sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		w ^= k;
		memcpy(p, &w, sizeof(w));
	}
	for (i = 0; i < n; i++)
		p[i] ^= turned[i];
}
