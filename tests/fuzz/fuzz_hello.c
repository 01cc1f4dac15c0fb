/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First messages of TLS clients.
 *
 * What must hold: nothing is decided that more bytes would change; a name is
 * one of a host; and it is the same in records of any size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "net/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* A message that is all in one record, in records of that many bytes. */
static void
in_pieces(const uint8_t *p, size_t n, size_t size, const char *name)
{
	uint8_t out[HELLO_MAX];
	char other[HELLO_NAME_MAX];
	size_t len = 0, part, whole = (size_t)p[3] << 8 | p[4];

	if (whole > n - 5 || whole < 4 || whole - 4 < ((size_t)p[6] << 16 |
	    (size_t)p[7] << 8 | p[8]))
		return;
	for (p += 5, n = whole; n > 0; n -= part, p += part) {
		part = n < size ? n : size;
		if (len + 5 + part > sizeof(out))
			return;
		out[len] = 22;
		out[len + 1] = 3;
		out[len + 2] = 1;
		out[len + 3] = (uint8_t)(part >> 8);
		out[len + 4] = (uint8_t)part;
		memcpy(out + len + 5, p, part);
		len += 5 + part;
	}
	must(hello_parse(out, len, other) == HELLO_NAME);
	must(strcmp(name, other) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char name[HELLO_NAME_MAX], other[HELLO_NAME_MAX];
	enum hello rc = hello_parse(p, n, name), part;
	size_t i, cuts[] = { 0, n / 4, n / 2, n - n / 4, n > 0 ? n - 1 : 0 };

	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		part = hello_parse(p, cuts[i], other);
		must(part == HELLO_MORE || part == rc);
		must(part != HELLO_NAME || strcmp(name, other) == 0);
	}
	must(rc != HELLO_MORE || n < HELLO_MAX);
	if (rc != HELLO_NAME)
		return 0;
	must(strlen(name) > 0 && strlen(name) < HELLO_NAME_MAX);
	must(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") ==
	    strlen(name));
	in_pieces(p, n, 1 + n % 7, name);
	in_pieces(p, n, 100, name);
	return 0;
}
