/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What clients say of traces: the first line is a traceparent, the second a
 * tracestate.
 *
 * What must hold: what is handed on is a traceparent of version 00 with the
 * trace's id, and is understood again; and a tracestate stays good when another
 * member is put in front.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "http/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
try_parent(hostd_buf b)
{
	struct http_trace t, again;

	if (trace_parse(b, &t) == -1)
		return;
	must(b.n >= TRACE_PARENT);
	must(memcmp(t.parent, "00", 2) == 0);
	must(memcmp(t.parent + 2, (const char *)b.p + 2,
	    TRACE_PARENT - 4) == 0);
	must(trace_caller(&t).n == TRACE_SPAN);
	must(trace_parse(trace_parent(&t), &again) == 0);
	must(memcmp(&t, &again, sizeof(t)) == 0);
}

static void
try_state(hostd_buf b)
{
	static const char more[] = "a@b=c,";
	int n = trace_state_members(b);
	char *joined;

	joined = malloc(sizeof(more) - 1 + b.n);
	memcpy(joined, more, sizeof(more) - 1);
	if (b.n > 0)
		memcpy(joined + sizeof(more) - 1, b.p, b.n);
	must(trace_state_members((hostd_buf){ joined,
	    sizeof(more) - 1 + b.n }) == (n == -1 ? -1 : n + 1));
	free(joined);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *nl;
	size_t n;

	if (size > 0)
		memcpy(copy, data, size);
	nl = memchr(copy, '\n', size);
	n = nl == NULL ? size : (size_t)(nl - copy);
	/* Blocks of their own, so that reading on is noticed. */
	if (nl != NULL)
		try_state((hostd_buf){ nl + 1, size - n - 1 });
	copy = realloc(copy, n + 1);
	try_parent((hostd_buf){ copy, n });
	free(copy);
	return 0;
}
