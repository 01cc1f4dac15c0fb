/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <base64/base64.h>
#include "eio_payload3.h"

#define DIGITS_MAX	9	/* of a length that is read */
#define HEAD_END	'\xff'

/* -- reading -- */

/* What a byte of UTF-8 adds in UTF-16: 2 the first one of four. */
static size_t
units_of(unsigned char c)
{
	return (size_t)((c & 0xc0) != 0x80) + (c >= 0xf0);
}

/* The end of n units at p; NULL: there are less, or it is in a character. */
static const unsigned char *
skip_units(const unsigned char *p, const unsigned char *end, size_t n)
{
	size_t units;

	for (; p < end && n > 0; p++) {
		if ((units = units_of(*p)) > n)
			return NULL;
		n -= units;
	}
	while (p < end && units_of(*p) == 0)
		p++;
	return n == 0 ? p : NULL;
}

/* Digits from zero on, and what ends them.  -1: there is no length. */
static int
take_length(const unsigned char **p, const unsigned char *end,
    unsigned char zero, unsigned char last, size_t *out)
{
	const unsigned char *begin = *p;
	size_t n = 0;

	for (; *p < end && **p != last; (*p)++) {
		if (**p < zero || **p - zero > 9 || *p - begin == DIGITS_MAX)
			return -1;
		n = n * 10 + (size_t)(**p - zero);
	}
	if (*p == end || *p == begin)
		return -1;
	(*p)++;
	*out = n;
	return 0;
}

static void
cut(hostd_buf *body, const unsigned char *p)
{
	body->n -= (size_t)(p - (const unsigned char *)body->p);
	body->p = p;
}

enum payload3
payload3_next(hostd_buf *body, hostd_buf *packet)
{
	const unsigned char *p = body->p, *end = p + body->n, *next;
	size_t n = 0;

	while (p < end) {
		if (take_length(&p, end, '0', ':', &n) == -1 ||
		    (next = skip_units(p, end, n)) == NULL)
			return PAYLOAD3_BAD;
		cut(body, next);
		*packet = (hostd_buf){ p, (size_t)(next - p) };
		if (n > 0)
			return PAYLOAD3_TEXT;
		p = next;
	}
	return PAYLOAD3_END;
}

enum payload3
payload3_next_of_bytes(hostd_buf *body, hostd_buf *packet)
{
	const unsigned char *p = body->p, *end;
	int is_data;
	size_t n;

	if (body->n == 0)
		return PAYLOAD3_END;
	end = p + body->n;
	is_data = *p++ != 0;
	if (take_length(&p, end, 0, (unsigned char)HEAD_END, &n) == -1 ||
	    n == 0 || n > (size_t)(end - p))
		return PAYLOAD3_BAD;
	*packet = (hostd_buf){ p, n };
	cut(body, p + n);
	return is_data ? PAYLOAD3_DATA : PAYLOAD3_TEXT;
}

/* -- writing -- */

static char *
put_head(char *out, size_t n, int is_data, int of_bytes)
{
	char digits[PAYLOAD3_HEAD], zero = of_bytes ? 0 : '0';
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)(zero + (char)(n % 10));
	while ((n /= 10) > 0);
	if (of_bytes)
		*out++ = (char)is_data;
	memcpy(out, digits + i, sizeof(digits) - i);
	out += sizeof(digits) - i;
	*out++ = of_bytes ? HEAD_END : ':';
	return out;
}

static size_t
length_in_utf16(hostd_buf text)
{
	const unsigned char *p = text.p;
	size_t n = 0, i;

	for (i = 0; i < text.n; i++)
		n += units_of(p[i]);
	return n;
}

char *
payload3_put(char *out, hostd_buf packet, int of_bytes)
{
	out = put_head(out, of_bytes ? packet.n : length_in_utf16(packet), 0,
	    of_bytes);
	memcpy(out, packet.p, packet.n);
	return out + packet.n;
}

static char *
put_data(char *out, hostd_buf data, int of_bytes)
{
	if (of_bytes) {
		out = put_head(out, data.n + 1, 1, 1);
		*out++ = EIO_DATA;
		if (data.n > 0)
			memcpy(out, data.p, data.n);
		return out + data.n;
	}
	out = put_head(out, 2 + (data.n + 2) / 3 * 4, 0, 0);
	*out++ = 'b';
	*out++ = '4';
	return out + base64_encode(data.p, data.n, out);
}

size_t
payload3_size(struct eio_message *const *m, size_t n)
{
	size_t size = 0, i;
	uint32_t b;

	for (i = 0; i < n; i++) {
		size += PAYLOAD3_HEAD + m[i]->text.n;
		for (b = 0; b < m[i]->nbins; b++)
			size += PAYLOAD3_HEAD + 2 + BASE64_LEN(m[i]->bins[b].n);
	}
	return size;
}

char *
payload3_write(struct eio_message *const *m, size_t n, int of_bytes, char *out)
{
	size_t i;
	uint32_t b;

	for (i = 0; i < n; i++) {
		out = payload3_put(out, m[i]->text, of_bytes);
		for (b = 0; b < m[i]->nbins; b++)
			out = put_data(out, m[i]->bins[b], of_bytes);
	}
	return out;
}
