/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * W3C Trace Context: which trace a request belongs to, and our span in it.
 *
 * A traceparent is read as strictly as the recommendation writes it; of one
 * that is wrong, that came twice, or from somebody who is not trusted, nothing
 * is kept, its tracestate included, and a new trace begins.  Newer versions are
 * read as far as version 00 goes.
 */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include <stdint.h>
#include <string.h>
#include <hostd/http.h>
#include "base/log.h"
#include "config/model.h"

#define TRACE_PARENT	55	/* bytes of a traceparent of version 00 */
#define TRACE_ID	32	/* of these: the trace, */
#define TRACE_SPAN	16	/* and a span */

struct http_req;

/* A worker's. */
struct traces {
	int on;
	uint64_t random[4];	/* xoshiro256**, never all zero */
	uint32_t sample;	/* of RATIO_ONE (base/units.h) new ones */
};

struct http_trace {
	char parent[TRACE_PARENT];	/* what is handed on: our span is the
					   one that calls */
	char caller[TRACE_SPAN];	/* who has called us; caller[0] 0: the
					   trace begins here */
	int has_state;			/* the tracestate that came is good */
};

void	traces_init(struct traces *, const struct conf_http *);
/* Before anybody answers it, when traces are on. */
void	trace_begin(struct http_req *);

/* 0: trace, span and flags are what parent says; -1: it is none. */
int	trace_parse(hostd_buf parent, struct http_trace *);
/* Is that one line of a tracestate?  Returns its members; -1: it is none. */
int	trace_state_members(hostd_buf line);

static inline hostd_buf
trace_parent(const struct http_trace *t)
{
	return (hostd_buf){ t->parent, TRACE_PARENT };
}

static inline hostd_buf
trace_id(const struct http_trace *t)
{
	return (hostd_buf){ t->parent + 3, TRACE_ID };
}

static inline hostd_buf
trace_span(const struct http_trace *t)
{
	return (hostd_buf){ t->parent + 4 + TRACE_ID, TRACE_SPAN };
}

/* n 0: there is none. */
static inline hostd_buf
trace_caller(const struct http_trace *t)
{
	if (t->caller[0] == 0)
		return (hostd_buf){ NULL, 0 };
	return (hostd_buf){ t->caller, TRACE_SPAN };
}

static inline int
trace_is_sampled(const struct http_trace *t)
{
	return strchr("13579bdf", t->parent[TRACE_PARENT - 1]) != NULL;
}

/* Is that a header that we hand on ourselves? */
int	trace_is_header(hostd_buf name);
int	trace_is_state(hostd_buf name);

/* Lines of the error log tell of t until trace_leave is given what this has
 * returned.  NULL: of what they did before. */
static inline const char *
trace_enter(const struct http_trace *t)
{
	return t == NULL ? log_same_trace : log_set_trace(t->parent + 3);
}

static inline void
trace_leave(const char *before)
{
	if (before != log_same_trace)
		(void)log_set_trace(before);
}

#endif
