/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "target.h"

/* Browsers drop tabs and line ends wherever they are, and take "\" for "/". */
static int
is_trouble(unsigned char c)
{
	return c < 0x20 || c == 0x7f || c == '\\';
}

int
target_make(hostd_buf wish, char out[TARGET_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *p = wish.p;
	size_t i, n = 0;

	if (wish.n == 0 || wish.n > TARGET_MAX || p[0] != '/' ||
	    (wish.n > 1 && p[1] == '/'))
		return -1;
	for (i = 0; i < wish.n; i++) {
		if (is_trouble(p[i]))
			return -1;
		if (p[i] > ' ' && p[i] < 0x7f &&
		    strchr("\"<>`{|}^", p[i]) == NULL) {
			out[n++] = (char)p[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[p[i] >> 4];
		out[n++] = digits[p[i] & 15];
	}
	out[n] = '\0';
	return 0;
}
