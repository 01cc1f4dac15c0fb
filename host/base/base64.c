/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include "base/base64.h"

/* The six bits of c; 64: it stands for none. */
static uint32_t
bits_of(char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 52;
	if (c == c62)
		return 62;
	return c == c63 ? 63 : 64;
}

static ssize_t
read_all(const char *p, size_t n, char c62, char c63, unsigned char *out)
{
	uint32_t v, acc = 0;
	unsigned have = 0;
	size_t i, len = 0;

	if (n % 4 == 1)
		return -1;
	for (i = 0; i < n; i++) {
		if ((v = bits_of(p[i], c62, c63)) == 64)
			return -1;
		acc = acc << 6 | v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[len++] = (unsigned char)(acc >> have);
			acc &= (1u << have) - 1;
		}
	}
	/* What is left says nothing, and so must be nothing. */
	return acc == 0 ? (ssize_t)len : -1;
}

ssize_t
base64url_read(const char *p, size_t n, void *out)
{
	return read_all(p, n, '-', '_', out);
}

ssize_t
base64_read(const char *p, size_t n, void *out)
{
	size_t pad = 0;

	if (n % 4 != 0)
		return -1;
	while (pad < 2 && pad < n && p[n - 1 - pad] == '=')
		pad++;
	return read_all(p, n - pad, '+', '/', out);
}
