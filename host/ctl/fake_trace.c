/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.trace/1: requests without a trace, those that begin one, and those that
 * belong to somebody's. */
#include <stddef.h>
#include <string.h>

#include "ctl/fake.h"
#include "ctl/fake_request.h"

static const char parent[] =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static int32_t
trace_get(const struct hostd_host *host, hostd_req id, struct hostd_trace *out)
{
	struct fake *f = fake_called(host, "get of " HOSTD_EXT_TRACE);
	const char *p;

	if (out == NULL ||
	    out->struct_size < offsetof(struct hostd_trace, tracestate)) {
		check_fail("called get of " HOSTD_EXT_TRACE " with %s",
		    out == NULL ? "no place for the answer"
				: "a struct_size that is too small");
		return HOSTD_E_INVAL;
	}
	if (fake_req_find(f, id, "get of " HOSTD_EXT_TRACE) == NULL)
		return HOSTD_E_GONE;
	if (id.id % 3 == 0)
		return HOSTD_E_NOTSUP;
	memset((char *)out + sizeof(out->struct_size), 0,
	    (out->struct_size < sizeof(*out) ? out->struct_size
					     : sizeof(*out)) -
		sizeof(out->struct_size));
	out->traceparent = fake_lend_copy(parent, sizeof(parent) - 1);
	p = out->traceparent.p;
	out->flags = HOSTD_TRACE_SAMPLED;
	out->trace_id = (hostd_buf){p + 3, 32};
	out->span_id = (hostd_buf){p + 36, 16};
	if (id.id % 3 == 1)
		out->parent_id = fake_lend_text("b7ad6b7169203331");
	if (id.id % 3 == 1 && out->struct_size >= sizeof(*out))
		out->tracestate = fake_lend_text("rojo=1,congo=2");
	return HOSTD_OK;
}

const struct hostd_trace_api fake_trace_api = {
    .struct_size = sizeof(struct hostd_trace_api),
    .get = trace_get,
};
