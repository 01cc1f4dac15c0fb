/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include "range.h"

#define BEYOND	(UINT64_MAX / 16)	/* the end of any file */

/* Digits at *p; -1 when there are none. */
static int
parse_number(const char **p, const char *end, uint64_t *out)
{
	const char *start = *p;

	for (*out = 0; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		*out = *out < BEYOND ?
		    *out * 10 + (uint64_t)(**p - '0') : UINT64_MAX;
	return *p == start ? -1 : 0;
}

/* "a-b", "a-" or "-n": 1 and a range, 0 when it lies outside, -1 malformed. */
static int
parse_spec(const char **p, const char *end, uint64_t size, struct range *r)
{
	uint64_t from, to;

	if (*p < end && **p == '-') {
		(*p)++;
		if (parse_number(p, end, &to) == -1)
			return -1;
		r->len = to < size ? to : size;
		r->from = size - r->len;
		return r->len > 0;
	}
	if (parse_number(p, end, &from) == -1 || *p == end || *(*p)++ != '-')
		return -1;
	to = size - 1;
	if (*p < end && **p >= '0' && **p <= '9') {
		if (parse_number(p, end, &to) == -1 || to < from)
			return -1;
		if (to >= size)
			to = size - 1;
	}
	if (from >= size)
		return 0;
	r->from = from;
	r->len = to - from + 1;
	return 1;
}

static void
skip_blank(const char **p, const char *end)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
}

int
range_parse(const char *p, size_t n, uint64_t size,
    struct range out[RANGES_MAX])
{
	const char *end = p + n;
	struct range r;
	uint64_t total = 0;
	int count = 0, seen = 0, rc;

	if (n < 6 || strncasecmp(p, "bytes=", 6) != 0)
		return RANGE_IGNORE;
	for (p += 6;; p++) {
		skip_blank(&p, end);
		if (p < end && *p == ',')
			continue;
		if (p == end)
			break;
		if ((rc = parse_spec(&p, end, size, &r)) == -1)
			return RANGE_IGNORE;
		seen = 1;
		if (rc == 1) {
			if (count == RANGES_MAX)
				return RANGE_IGNORE;
			out[count++] = r;
			total += r.len;
		}
		skip_blank(&p, end);
		if (p == end)
			break;
		if (*p != ',')
			return RANGE_IGNORE;
	}
	if (count == 0)
		return seen ? RANGE_UNSATISFIABLE : RANGE_IGNORE;
	/* Overlaps that add up to more than the file are an abuse. */
	return count > 1 && total > size ? RANGE_IGNORE : count;
}
