/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include "base64.h"

/* What is behind letters and digits. */
static const char plain[] = "+/", url[] = "-_";

static int
value(char c, const char *last)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == last[0] ? 62 : c == last[1] ? 63 : -1;
}

/* k characters, 2 to 4, to k - 1 bytes; bits that are left over must be 0. */
static int
decode_group(const char *p, size_t k, const char *last, unsigned char *out)
{
	uint32_t bits = 0;
	size_t i;
	int v;

	for (i = 0; i < 4; i++) {
		if ((v = i < k ? value(p[i], last) : 0) == -1)
			return -1;
		bits = bits << 6 | (uint32_t)v;
	}
	for (i = 0; i < k - 1; i++)
		out[i] = (unsigned char)(bits >> (16 - 8 * i));
	return k < 4 && bits & (0xffffffu >> (8 * (k - 1))) ? -1 : 0;
}

ssize_t
base64_decode(const char *p, size_t n, unsigned char *out)
{
	unsigned char *start = out;
	size_t k;

	if (n % 4 != 0)
		return -1;
	for (; n > 0; p += 4, n -= 4) {
		k = 4;
		while (n == 4 && k > 2 && p[k - 1] == '=')
			k--;
		if (decode_group(p, k, plain, out) == -1)
			return -1;
		out += k - 1;
	}
	return out - start;
}

ssize_t
base64url_decode(const char *p, size_t n, unsigned char *out)
{
	unsigned char *start = out;
	size_t k;

	if (n % 4 == 1)
		return -1;
	for (; n > 0; p += k, n -= k) {
		k = n < 4 ? n : 4;
		if (decode_group(p, k, url, out) == -1)
			return -1;
		out += k - 1;
	}
	return out - start;
}

size_t
base64url_encode(const unsigned char *p, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *start = out;
	uint32_t bits = 0, have = 0;

	while (n-- > 0) {
		bits = bits << 8 | *p++;
		for (have += 8; have >= 6; have -= 6)
			*out++ = digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*out++ = digits[bits << (6 - have) & 63];
	return (size_t)(out - start);
}
