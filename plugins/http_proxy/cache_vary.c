/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "cache_vary.h"

/* FNV-1a, with its high bits stirred in. */
uint64_t
cache_hash(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	h ^= UINT64_C(0xcbf29ce484222325);
	while (n-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9) ^ h >> 32;
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
