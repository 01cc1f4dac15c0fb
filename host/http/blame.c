/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include "base/log.h"
#include "http/blame.h"
#include "http/server.h"

#define LINES_PER_S	5
#define PATH_SHOWN	200

/* May this handler have a line now? */
static int
blame_allowed(struct http_handler *h, uint64_t now_ms)
{
	if (now_ms - h->blamed_ms >= 1000) {
		if (h->blamed > LINES_PER_S)
			log_warnx("plugin %s: and %u more mistakes in that "
			    "second", h->name, h->blamed - LINES_PER_S);
		h->blamed_ms = now_ms;
		h->blamed = 0;
	}
	return ++h->blamed <= LINES_PER_S;
}

void
blame(struct http_req *r, const char *fmt, ...)
{
	struct http_handler *h = r->handler;
	const hostd_buf *path = &r->view.path, *method = &r->view.method_name;
	const char *traced = trace_enter(request_trace(r));
	char what[256];
	va_list ap;

	if (h == NULL || !blame_allowed(h, r->server->loop->now_ms))
		goto leave;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	log_warnx("plugin %s: %.*s %.*s: %s", h->name, (int)method->n,
	    (const char *)method->p,
	    (int)(path->n < PATH_SHOWN ? path->n : PATH_SHOWN),
	    (const char *)path->p, what);
leave:
	trace_leave(traced);
}

const char *
code_text(char buf[CODE_TEXT], int32_t code)
{
	static const char *const names[] = { "OK", "E_INVAL", "E_NOMEM",
		"E_GONE", "E_FULL", "E_NOTSUP", "E_TIMEOUT", "E_IO",
		"E_THREAD", "E_STATE" };

	if (code <= 0 && (size_t)-(int64_t)code <
	    sizeof(names) / sizeof(names[0]))
		(void)snprintf(buf, CODE_TEXT, "HOSTD_%s (%d)", names[-code],
		    code);
	else
		(void)snprintf(buf, CODE_TEXT, "%d", code);
	return buf;
}
