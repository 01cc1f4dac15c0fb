/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash of bytes that nobody can make collide who does not know its seed, of
 * which neither half is 0.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Two rounds of multiply-and-fold per 16 bytes, keyed by the seed on both
 * sides. */
static inline uint64_t
hash_bytes(const uint64_t seed[2], const void *key, size_t len)
{
	const unsigned char *p = key;
	uint64_t a, b, h = seed[0] ^ len;

	for (; len >= 16; p += 16, len -= 16) {
		memcpy(&a, p, 8);
		memcpy(&b, p + 8, 8);
		h = hash_fold(a ^ h, b ^ seed[1]);
	}
	a = b = 0;
	if (len > 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + 8, len - 8);
	} else if (len > 0)
		memcpy(&a, p, len);
	return hash_fold(hash_fold(a ^ h, b ^ seed[1]), seed[0]);
}

#endif
