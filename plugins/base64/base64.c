/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>
#include "base64.h"

/* Which of the two has the character, over its value; 0: neither has it. */
#define PLAIN	0x40
#define URL	0x80
#define BOTH(v)	(PLAIN | URL | (v))

static const unsigned char values[256] = {
	['+'] = PLAIN | 62, ['/'] = PLAIN | 63,
	['-'] = URL | 62, ['_'] = URL | 63,
	['A'] = BOTH(0), BOTH(1), BOTH(2), BOTH(3), BOTH(4), BOTH(5), BOTH(6),
	BOTH(7), BOTH(8), BOTH(9), BOTH(10), BOTH(11), BOTH(12), BOTH(13),
	BOTH(14), BOTH(15), BOTH(16), BOTH(17), BOTH(18), BOTH(19), BOTH(20),
	BOTH(21), BOTH(22), BOTH(23), BOTH(24), BOTH(25),
	['a'] = BOTH(26), BOTH(27), BOTH(28), BOTH(29), BOTH(30), BOTH(31),
	BOTH(32), BOTH(33), BOTH(34), BOTH(35), BOTH(36), BOTH(37), BOTH(38),
	BOTH(39), BOTH(40), BOTH(41), BOTH(42), BOTH(43), BOTH(44), BOTH(45),
	BOTH(46), BOTH(47), BOTH(48), BOTH(49), BOTH(50), BOTH(51),
	['0'] = BOTH(52), BOTH(53), BOTH(54), BOTH(55), BOTH(56), BOTH(57),
	BOTH(58), BOTH(59), BOTH(60), BOTH(61),
};

/* Four characters to three bytes. */
static int
decode_group(const unsigned char *p, unsigned of, unsigned char *out)
{
	unsigned a = values[p[0]], b = values[p[1]], c = values[p[2]],
	    d = values[p[3]];
	uint32_t bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 |
	    (d & 63);

	out[0] = (unsigned char)(bits >> 16);
	out[1] = (unsigned char)(bits >> 8);
	out[2] = (unsigned char)bits;
	return a & b & c & d & of ? 0 : -1;
}

/* Without padding, n % 4 not 1; bits that are left over must be 0. */
static ssize_t
decode(const char *text, size_t n, unsigned of, unsigned char *out)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char last[4] = { 'A', 'A', 'A', 'A' }, *start = out, three[3];
	size_t rest = n % 4;

	for (n -= rest; n > 0; p += 4, out += 3, n -= 4)
		if (decode_group(p, of, out) == -1)
			return -1;
	if (rest == 0)
		return out - start;
	memcpy(last, p, rest);
	if (decode_group(last, of, three) == -1 || three[rest - 1] != 0)
		return -1;
	memcpy(out, three, rest - 1);
	return out - start + (ssize_t)rest - 1;
}

ssize_t
base64_decode(const char *p, size_t n, unsigned char *out)
{
	size_t end = n;

	if (n % 4 != 0)
		return -1;
	while (end > 0 && n - end < 2 && p[end - 1] == '=')
		end--;
	return decode(p, end, PLAIN, out);
}

ssize_t
base64url_decode(const char *p, size_t n, unsigned char *out)
{
	return n % 4 == 1 ? -1 : decode(p, n, URL, out);
}

size_t
base64_encode(const unsigned char *p, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *start = out;
	uint32_t bits;

	for (; n >= 3; p += 3, n -= 3) {
		bits = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = digits[bits >> 6 & 63];
		*out++ = digits[bits & 63];
	}
	if (n > 0) {
		bits = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0);
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = n > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = '=';
	}
	return (size_t)(out - start);
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
