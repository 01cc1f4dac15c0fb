/* SPDX-License-Identifier: BSD-2-Clause */
#include "pattern.h"

/* The last "*" takes one byte more whenever what follows it does not match. */
static int
matches(const char *p, const char *pend, const char *s, const char *send)
{
	const char *star = NULL, *from = NULL;

	while (s < send) {
		if (p < pend && *p == '*') {
			star = ++p;
			from = s;
		} else if (p < pend && *p == *s) {
			p++;
			s++;
		} else if (star != NULL) {
			p = star;
			s = ++from;
		} else {
			return 0;
		}
	}
	while (p < pend && *p == '*')
		p++;
	return p == pend;
}

int
pattern_match(const hostd_buf *patterns, uint32_t n, hostd_buf s)
{
	const char *p, *text = s.p;
	uint32_t i;

	for (i = 0; i < n; i++) {
		p = patterns[i].p;
		if (matches(p, p + patterns[i].n, text, text + s.n))
			return 1;
	}
	return 0;
}
