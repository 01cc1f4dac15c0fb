/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include <web/weight.h>
#include "accept.h"

static int
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static hostd_buf
trimmed(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	while (end > p && is_space(end[-1]))
		end--;
	return (hostd_buf){ p, (size_t)(end - p) };
}

static int
is_word(hostd_buf b, const char *word)
{
	return b.n == strlen(word) && strncasecmp(b.p, word, b.n) == 0;
}

/* What comes before the first c, and behind it. */
static hostd_buf
next_part(hostd_buf *rest, char c)
{
	const char *p = rest->p, *end = p + rest->n;
	const char *at = memchr(p, c, rest->n);
	const char *stop = at != NULL ? at : end;

	*rest = at != NULL ? (hostd_buf){ at + 1, (size_t)(end - at - 1) } :
	    (hostd_buf){ end, 0 };
	return trimmed(p, stop);
}

/* Of the item's parameters: its weight, and whether its version is ours. */
static int
params_weight(hostd_buf params, int *is_ours)
{
	hostd_buf name, value;
	int weight = 1000;

	*is_ours = 1;
	while (params.n > 0) {
		value = next_part(&params, ';');
		if (memchr(value.p, '=', value.n) == NULL)
			continue;
		name = next_part(&value, '=');
		value = trimmed(value.p, (const char *)value.p + value.n);
		if (is_word(name, "q"))
			weight = weight_parse(value);
		else if (is_word(name, "version"))
			*is_ours = is_word(value, "1.0.0");
	}
	return weight;
}

int
accept_openmetrics(hostd_buf accept)
{
	int text = 0, open = 0, weight, is_ours, *to;
	hostd_buf item, type;

	if (accept.p == NULL)
		return 0;
	while (accept.n > 0) {
		item = next_part(&accept, ',');
		type = next_part(&item, ';');
		weight = params_weight(item, &is_ours);
		to = &text;
		if (is_word(type, "application/openmetrics-text")) {
			if (!is_ours)
				continue;
			to = &open;
		} else if (!is_word(type, "text/plain"))
			continue;
		if (weight > *to)
			*to = weight;
	}
	return open > 0 && open >= text;
}
