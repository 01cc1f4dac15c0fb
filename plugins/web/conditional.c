/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "conditional.h"
#include "date.h"

/* The next entity-tag of a list at *p; 0 at its end, or when malformed. */
static int
next_tag(const char **p, const char *end, const char **tag, size_t *n,
    int *weak)
{
	const char *close;

	while (*p < end && (**p == ' ' || **p == '\t' || **p == ','))
		(*p)++;
	*weak = end - *p >= 2 && (*p)[0] == 'W' && (*p)[1] == '/';
	if (*weak)
		*p += 2;
	if (*p == end || **p != '"' ||
	    (close = memchr(*p + 1, '"', (size_t)(end - *p) - 1)) == NULL)
		return 0;
	*tag = *p;
	*n = (size_t)(close - *p) + 1;
	*p = close + 1;
	return 1;
}

static int
list_has(hostd_buf list, const char *etag, int strong)
{
	const char *p = list.p, *end = p + list.n, *tag;
	size_t n, len = strlen(etag);
	int weak;

	if (list.n == 1 && *p == '*')
		return 1;
	while (next_tag(&p, end, &tag, &n, &weak))
		if (n == len && memcmp(tag, etag, n) == 0 &&
		    !(strong && weak))
			return 1;
	return 0;
}

int
conditional_check(const struct conditions *c, const char *etag,
    time_t modified)
{
	time_t t;

	if (c->if_match.p != NULL) {
		if (!list_has(c->if_match, etag, 1))
			return 412;
	} else if (c->if_unmodified_since.p != NULL &&
	    date_parse(c->if_unmodified_since.p, c->if_unmodified_since.n,
	    &t) == 0 && modified > t)
		return 412;
	if (c->if_none_match.p != NULL)
		return list_has(c->if_none_match, etag, 0) ? 304 : 0;
	if (c->if_modified_since.p != NULL &&
	    date_parse(c->if_modified_since.p, c->if_modified_since.n,
	    &t) == 0 && modified <= t)
		return 304;
	return 0;
}

int
conditional_range(const struct conditions *c, const char *etag,
    time_t modified)
{
	const char *p = c->if_range.p;
	time_t t;

	if (p == NULL)
		return 1;
	/* A weak tag is equal to none, and no date. */
	if (c->if_range.n > 0 && p[0] == '"')
		return c->if_range.n == strlen(etag) &&
		    memcmp(p, etag, c->if_range.n) == 0;
	return date_parse(p, c->if_range.n, &t) == 0 && t == modified;
}
