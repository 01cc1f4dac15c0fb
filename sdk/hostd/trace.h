/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.trace/1: the trace that a request belongs to (W3C Trace Context).
 *
 * The host reads traceparent and tracestate, or begins a trace, when the
 * operator has http { trace = w3c }.  What is asked of servers by hostd.fetch/1
 * on behalf of a request carries its trace without anybody's doing.  This table
 * is for what goes other ways: messages, jobs, calls of a plugin's own.  A
 * WebSocket's trace is its upgrade's: keep what on_upgrade is told.
 */
#ifndef HOSTD_TRACE_H
#define HOSTD_TRACE_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_TRACE "hostd.trace/1"

/* Flags of hostd_trace. */
#define HOSTD_TRACE_SAMPLED	0x1u	/* whoever collects spans wants this
					   one's */

/* Ids are lower-case hex.  [request], but for tracestate. */
struct hostd_trace {
	uint32_t struct_size;		/* the caller's sizeof */
	uint32_t flags;			/* HOSTD_TRACE_* */
	hostd_buf trace_id;		/* 32 bytes */
	hostd_buf span_id;		/* 16: ours, of this request */
	hostd_buf parent_id;		/* 16: of who has called; n 0: nobody
					   has, the trace begins here */
	hostd_buf traceparent;		/* 55: to be handed on as it is */
	hostd_buf tracestate;		/* along with it; n 0: none.  Good until
					   the next call */
};

/* The host's table.  All [loop]. */
struct hostd_trace_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Since 1.4.  Fill as much of out as its struct_size says.
	 * Errors: E_INVAL (out is NULL, or too small for traceparent),
	 * E_GONE (a stale handle), E_NOTSUP (traces are off), E_THREAD.
	 */
	int32_t (*get)(const struct hostd_host *, hostd_req,
	    struct hostd_trace *out);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_TRACE_H */
