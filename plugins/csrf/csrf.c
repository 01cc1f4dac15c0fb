/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/random.h>
#include <base64/base64.h>
#include <csrf/csrf.h>

#define TOKEN_BYTES	24

_Static_assert(TOKEN_BYTES * 4 / 3 == TOKEN_SIZE - 1, "base64 without an end");

int
token_make(char token[TOKEN_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -1;
	token[base64url_encode(bytes, sizeof(bytes), token)] = '\0';
	return 0;
}

int
token_copy(hostd_buf from, char token[TOKEN_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];

	token[0] = '\0';
	if (from.n != TOKEN_SIZE - 1 ||
	    base64url_decode(from.p, from.n, bytes) != TOKEN_BYTES)
		return 0;
	memcpy(token, from.p, from.n);
	token[from.n] = '\0';
	return 1;
}

int
token_same(hostd_buf a, hostd_buf b)
{
	const volatile unsigned char *p = a.p, *q = b.p;
	unsigned char differ = 0;
	size_t i;

	if (a.n != b.n || a.n == 0)
		return 0;
	for (i = 0; i < a.n; i++)
		differ |= p[i] ^ q[i];
	return differ == 0;
}
