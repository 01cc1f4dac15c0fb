/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "http/tries.h"

struct http_try *
tries_add(struct http_tries *t)
{
	struct http_try *try;

	if (t->n < TRIES_MAX)
		t->n++;
	try = &t->v[t->n - 1];
	memset(try, 0, sizeof(*try));
	try->connect_ms = try->header_ms = try->response_ms = -1;
	return try;
}

static void
put_seconds(struct buf *out, int32_t ms)
{
	if (ms < 0)
		buf_append(out, "-", 1);
	else
		buf_printf(out, "%d.%03d", (int)(ms / 1000), (int)(ms % 1000));
}

static void
put_one(const struct http_try *try, enum tries_what what, struct buf *out)
{
	switch (what) {
	case TRIES_ADDRS:
		buf_puts(out, try->addr[0] != '\0' ? try->addr : "-");
		break;
	case TRIES_STATUSES:
		if (try->status == 0)
			buf_append(out, "-", 1);
		else
			buf_printf(out, "%d", (int)try->status);
		break;
	case TRIES_CONNECT:
		put_seconds(out, try->connect_ms);
		break;
	case TRIES_HEADER:
		put_seconds(out, try->header_ms);
		break;
	case TRIES_RESPONSE:
		put_seconds(out, try->response_ms);
		break;
	}
}

void
tries_put(const struct http_tries *t, enum tries_what what, struct buf *out)
{
	uint32_t i;

	if (t->n == 0)
		buf_append(out, "-", 1);
	for (i = 0; i < t->n; i++) {
		if (i > 0)
			buf_append(out, ", ", 2);
		put_one(&t->v[i], what, out);
	}
}
