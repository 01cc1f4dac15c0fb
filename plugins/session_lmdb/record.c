/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "record.h"

#define HEAD	(1 + EXPIRY_SIZE)

static void
put_time(unsigned char *to, uint64_t ms)
{
	size_t i;

	for (i = EXPIRY_SIZE; i-- > 0; ms >>= 8)
		to[i] = (unsigned char)ms;
}

static uint64_t
get_time(const unsigned char *p)
{
	uint64_t ms = 0;
	size_t i;

	for (i = 0; i < EXPIRY_SIZE; i++)
		ms = ms << 8 | p[i];
	return ms;
}

size_t
record_size(size_t nvalue)
{
	return HEAD + nvalue + 1;
}

void
record_write(void *to, const struct record *r)
{
	unsigned char *p = to;

	p[0] = RECORD_VERSION;
	put_time(p + 1, r->expires_ms);
	if (r->value.n > 0)
		memcpy(p + HEAD, r->value.p, r->value.n);
	p[HEAD + r->value.n] = RECORD_END;
}

int
record_read(const void *from, size_t n, struct record *r)
{
	const unsigned char *p = from;

	if (n < record_size(0) || p[0] != RECORD_VERSION ||
	    p[n - 1] != RECORD_END)
		return -1;
	r->expires_ms = get_time(p + 1);
	r->value = (hostd_buf){ p + HEAD, n - record_size(0) };
	return 0;
}

size_t
expiry_write(void *to, uint64_t expires_ms, hostd_buf key)
{
	unsigned char *p = to;

	put_time(p, expires_ms);
	memcpy(p + EXPIRY_SIZE, key.p, key.n);
	return EXPIRY_SIZE + key.n;
}

int
expiry_read(const void *from, size_t n, uint64_t *expires_ms, hostd_buf *key)
{
	const unsigned char *p = from;

	if (n <= EXPIRY_SIZE || n > EXPIRY_MAX)
		return -1;
	*expires_ms = get_time(p);
	*key = (hostd_buf){ p + EXPIRY_SIZE, n - EXPIRY_SIZE };
	return 0;
}
