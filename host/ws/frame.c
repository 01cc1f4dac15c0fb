/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "ws/frame.h"

#define MASKED		0x80u
#define LEN_SHORT	125	/* longest length in the second byte itself */
#define LEN_16		126	/* two bytes of length follow */
#define LEN_64		127	/* eight */

static uint64_t
get_number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static void
put_number(uint8_t *p, size_t n, uint64_t v)
{
	for (; n-- > 0; v >>= 8)
		p[n] = (uint8_t)v;
}

int
ws_head_parse(struct ws_head *h, const void *data, size_t n)
{
	const uint8_t *p = data;
	size_t more;

	if (n < 2)
		return 0;
	h->first = p[0];
	h->len = p[1] & ~MASKED;
	if ((p[1] & MASKED) == 0 ||
	    (ws_head_is_control(h) && h->len > LEN_SHORT))
		return -1;
	more = h->len == LEN_64 ? 8 : h->len == LEN_16 ? 2 : 0;
	if (n < 2 + more)
		return 0;
	if (more > 0)
		h->len = get_number(p + 2, more);
	if ((more == 2 && h->len <= LEN_SHORT) ||
	    (more == 8 && (h->len <= UINT16_MAX || h->len > INT64_MAX)))
		return -1;
	h->size = (uint8_t)(2 + more + sizeof(h->key));
	if (n < h->size)
		return 0;
	memcpy(h->key, p + 2 + more, sizeof(h->key));
	return h->size;
}

size_t
ws_head_put(void *out, unsigned first, uint64_t len)
{
	uint8_t *p = out;
	size_t more = len <= LEN_SHORT ? 0 : len <= UINT16_MAX ? 2 : 8;

	p[0] = (uint8_t)first;
	p[1] = more == 0 ? (uint8_t)len : more == 2 ? LEN_16 : LEN_64;
	put_number(p + 2, more, len);
	return 2 + more;
}

int
ws_close_code_ok(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
