/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include "base/log.h"
#include "session/id.h"

#define RAW	24		/* bytes, 4 characters for 3 of them */

void
session_id_make(char id[SESSION_ID_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char raw[RAW];
	unsigned i, three;
	ssize_t n;

	/* So few come at once, or not at all. */
	while ((n = getrandom(raw, RAW, 0)) != RAW)
		if (n == -1 && errno != EINTR)
			fatal("random bytes for a session's id");
	for (i = 0; i < RAW; i += 3, id += 4) {
		three = (unsigned)raw[i] << 16 | (unsigned)raw[i + 1] << 8 |
		    raw[i + 2];
		id[0] = digits[three >> 18];
		id[1] = digits[three >> 12 & 63];
		id[2] = digits[three >> 6 & 63];
		id[3] = digits[three & 63];
	}
	*id = '\0';
}

#define EACH(c)	(0x0101010101010101u * (c))

/* Has any of the eight bytes a value below 0x21, or above 0x7e?  Which one it
 * is can't be seen: bytes behind the first may be wrong by one. */
static int
is_odd(uint64_t word)
{
	return ((word | (word - EACH(0x21)) | (word + EACH(1))) &
	    EACH(0x80)) != 0;
}

int
session_id_is_key(const char *p, size_t n, size_t max)
{
	uint64_t word;
	size_t i;

	if (n == 0 || n > max)
		return 0;
	/* Those of stateless stores are long. */
	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		if (is_odd(word))
			return 0;
	}
	for (i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return 0;
	return 1;
}
