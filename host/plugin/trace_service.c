/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.trace/1: which trace a request belongs to. */
#include <stddef.h>
#include <string.h>
#include <hostd/trace.h>
#include "http/request.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

/* All lines of it as one. */
static hostd_buf
join_state(const struct http_req *r, struct buf *text)
{
	uint32_t i;

	if (!r->trace.has_state)
		return (hostd_buf){ NULL, 0 };
	text->len = 0;
	for (i = 0; i < r->view.nheaders; i++) {
		if (!trace_is_state(r->headers[i].name) ||
		    r->headers[i].value.n == 0)
			continue;
		if (text->len > 0)
			buf_puts(text, ",");
		buf_append(text, r->headers[i].value.p, r->headers[i].value.n);
	}
	return (hostd_buf){ text->p, text->len };
}

static int32_t
api_get(const struct hostd_host *host, hostd_req id, struct hostd_trace *out)
{
	struct instance *in = host->ctx;
	struct hostd_trace full;
	struct http_req *r;
	int32_t rc = http_look(host, id, "get of " HOSTD_EXT_TRACE, &r);

	if (rc != HOSTD_OK)
		return rc;
	if (out == NULL ||
	    out->struct_size < offsetof(struct hostd_trace, tracestate))
		return HOSTD_E_INVAL;
	if (!r->traced)
		return HOSTD_E_NOTSUP;
	memset(&full, 0, sizeof(full));
	full.struct_size = out->struct_size;
	full.flags = trace_is_sampled(&r->trace) ? HOSTD_TRACE_SAMPLED : 0;
	full.trace_id = trace_id(&r->trace);
	full.span_id = trace_span(&r->trace);
	full.parent_id = trace_caller(&r->trace);
	full.traceparent = trace_parent(&r->trace);
	full.tracestate = join_state(r, &in->all->trace_state);
	memcpy(out, &full, out->struct_size < sizeof(full) ?
	    out->struct_size : sizeof(full));
	return HOSTD_OK;
}

const struct hostd_trace_api *
trace_service(void)
{
	static const struct hostd_trace_api api = {
		.struct_size = sizeof(api),
		.get = api_get,
	};

	return &api;
}
