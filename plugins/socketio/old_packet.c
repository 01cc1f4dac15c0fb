/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <hostd/json.h>
#include <hostd/json_write.h>
#include "old_packet.h"

static hostd_buf
cut_at(hostd_buf *text, char c)
{
	const char *p = text->n > 0 ? memchr(text->p, c, text->n) : NULL;
	const char *end = hostd_json_end_of(*text);

	if (p == NULL)
		return (hostd_buf){ NULL, 0 };
	*text = hostd_json_slice(text->p, p);
	return hostd_json_slice(p + 1, end);
}

hostd_buf
old_query(hostd_buf *nsp)
{
	(void)cut_at(nsp, '#');
	return cut_at(nsp, '?');
}

/* As JavaScript has it. */
static int
is_false(hostd_buf json)
{
	double d;

	return json.n == 0 || hostd_json_is(json, "null") ||
	    hostd_json_is(json, "false") || hostd_json_is(json, "\"\"") ||
	    (hostd_json_is_number(json) && hostd_json_number(json, &d) &&
	    d == 0);
}

void
old_refusal(struct hostd_json *j, hostd_buf message, hostd_buf data)
{
	if (is_false(data))
		hostd_json_strn(j, message);
	else
		hostd_json_raw(j, data);
}
