/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include "http/field.h"

int
field_has(hostd_buf list, const char *word)
{
	const char *p = list.p, *end = p + list.n, *item;
	size_t n, len = strlen(word);

	while (p < end) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
			p++;
		for (item = p; p < end && *p != ','; p++)
			;
		n = (size_t)(p - item);
		while (n > 0 && (item[n - 1] == ' ' || item[n - 1] == '\t'))
			n--;
		if (n == len && strncasecmp(item, word, n) == 0)
			return 1;
	}
	return 0;
}

int
field_length(hostd_buf v, int64_t *out)
{
	const char *p = v.p;
	int64_t n = 0;
	size_t i;

	if (v.n == 0 || v.n > 18)
		return -1;
	for (i = 0; i < v.n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		n = n * 10 + (p[i] - '0');
	}
	*out = n;
	return 0;
}
