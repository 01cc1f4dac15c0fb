/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/sent.h"

int
sent_want(struct sent_names *names, const char *name, size_t n)
{
	unsigned i;

	for (i = 0; i < names->n; i++)
		if (names->v[i].n == n && memcmp(names->v[i].p, name, n) == 0)
			return (int)i;
	if (i == SENT_NAMES)
		return -1;
	names->v[i].p = xstrndup(name, n);
	names->v[i].n = n;
	names->n++;
	return (int)i;
}

void
sent_names_free(struct sent_names *names)
{
	while (names->n > 0)
		free(names->v[--names->n].p);
}

void
sent_note(struct http_sent *s, const struct sent_names *names,
    const hostd_hdr *h, uint32_t n)
{
	size_t used = 0, len;
	unsigned k;
	uint32_t i;

	for (k = 0; k < names->n; k++) {
		for (i = 0; i < n && (h[i].name.n != names->v[k].n ||
		    strncasecmp(h[i].name.p, names->v[k].p, h[i].name.n) != 0);
		    i++)
			;
		len = i < n ? h[i].value.n : 0;
		if (len > sizeof(s->text) - used)
			len = sizeof(s->text) - used;
		if (len > 0)
			memcpy(s->text + used, h[i].value.p, len);
		used += len;
		s->end[k] = (uint16_t)used;
	}
	s->told = (uint16_t)names->n;
}

hostd_buf
sent_value(const struct http_sent *s, unsigned which)
{
	size_t from;

	if (which >= s->told)
		return (hostd_buf){ NULL, 0 };
	from = which == 0 ? 0 : s->end[which - 1];
	return (hostd_buf){ s->text + from, s->end[which] - from };
}
