/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "cache_vary.h"

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
stir(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/*
 * SipHash-2-4.  Clients choose what is hashed, and what has the hash of
 * another's headers is given that one's answer: so it is none of those that are
 * easily run backwards.
 */
uint64_t
cache_hash(uint64_t h, const void *bytes, size_t n)
{
	uint64_t v[4] = { h ^ UINT64_C(0x736f6d6570736575),
	    UINT64_C(0x646f72616e646f6d), h ^ UINT64_C(0x6c7967656e657261),
	    UINT64_C(0x7465646279746573) }, m = 0;
	const unsigned char *p = bytes;
	size_t left = n;

	for (; left >= 8; p += 8, left -= 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		stir(v, 2);
		v[0] ^= m;
	}
	m = (uint64_t)n << 56;
	while (left-- > 0)
		m |= (uint64_t)p[left] << 8 * left;
	v[3] ^= m;
	stir(v, 2);
	v[0] ^= m;
	v[2] ^= 0xff;
	stir(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static int
is_token(unsigned char c)
{
	return isalnum(c) || (c != 0 && strchr("!#$%&'+-.^_`|~", c) != NULL);
}

/* Append one value's names to the at bytes of out; the new length or -1. */
static int
add_names(hostd_buf value, char out[VARY_MAX], int at)
{
	const unsigned char *p = value.p, *end = p + value.n;

	while (p < end) {
		if (*p == ' ' || *p == '\t' || *p == ',') {
			p++;
			continue;
		}
		if (at > 0 && at < VARY_MAX)
			out[at++] = ',';
		for (; p < end && is_token(*p) && at < VARY_MAX; p++)
			out[at++] = (char)tolower(*p);
		if (at >= VARY_MAX || (p < end && *p != ',' && *p != ' ' &&
		    *p != '\t'))
			return -1;
	}
	return at;
}

int
vary_names(const hostd_hdr *h, uint32_t n, char out[VARY_MAX])
{
	uint32_t i;
	int at = 0;

	for (i = 0; i < n && at != -1; i++)
		if (h[i].name.n == 4 && h[i].value.n > 0 &&
		    strncasecmp(h[i].name.p, "Vary", 4) == 0)
			at = add_names(h[i].value, out, at);
	if (at >= 0)
		out[at] = '\0';
	return at;
}

/* All lines of one header; present and empty is another than absent. */
static uint64_t
hash_one(uint64_t h, const char *name, size_t len, const hostd_hdr *hdrs,
    uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (hdrs[i].name.n == len &&
		    strncasecmp(hdrs[i].name.p, name, len) == 0) {
			h = cache_hash(h, &hdrs[i].value.n,
			    sizeof(hdrs[i].value.n));
			h = cache_hash(h, hdrs[i].value.p, hdrs[i].value.n);
		}
	return cache_hash(h, name, len);
}

uint64_t
vary_hash(const char *names, const hostd_hdr *hdrs, uint32_t n)
{
	uint64_t h = 1;
	size_t len;

	if (*names == '\0')
		return 0;
	for (; *names != '\0'; names += len + (names[len] == ',')) {
		len = strcspn(names, ",");
		h = hash_one(h, names, len, hdrs, n);
	}
	return h != 0 ? h : 1;
}
