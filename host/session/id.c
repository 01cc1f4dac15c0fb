/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/random.h>
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

int
session_id_is_key(const char *p, size_t n, size_t max)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return 0;
	return n > 0 && n <= max;
}
