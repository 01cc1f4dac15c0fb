/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/trailers.h"

/* RFC 9110 section 6.5.1. */
static const char *const never[] = {
	"accept-encoding", "age", "authorization", "cache-control",
	"connection", "content-encoding", "content-length", "content-range",
	"content-type", "cookie", "date", "expect", "expires", "forwarded",
	"host", "if-match", "if-modified-since", "if-none-match", "if-range",
	"if-unmodified-since", "keep-alive", "location", "max-forwards",
	"pragma", "proxy-authenticate", "proxy-authorization",
	"proxy-connection", "range", "retry-after", "server", "set-cookie",
	"te", "trailer", "transfer-encoding", "upgrade", "vary", "via",
	"warning", "www-authenticate", "x-forwarded-for", "x-forwarded-host",
	"x-forwarded-proto", "x-real-ip"
};

int
is_trailer(hostd_buf name)
{
	size_t i;

	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strlen(never[i]) == name.n &&
		    strncasecmp(never[i], name.p, name.n) == 0)
			return 0;
	return 1;
}

/* Without the white space around it. */
static hostd_buf
trim(const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (hostd_buf){ p, n };
}

/* chunked_feed has seen to it that each line is name ":" value CRLF. */
void
trailers_split(struct trailers *t)
{
	const char *p = t->raw.p, *end, *eol, *colon;
	hostd_hdr h;
	size_t lines = 0;

	if (t->raw.len == 0 || t->v != NULL)
		return;
	end = p + t->raw.len;
	for (eol = p; (eol = memchr(eol, '\n', (size_t)(end - eol))) != NULL;
	    eol++)
		lines++;
	t->v = xcalloc(lines, sizeof(*t->v));
	for (; (eol = memchr(p, '\r', (size_t)(end - p))) != NULL;
	    p = eol + 2) {
		colon = memchr(p, ':', (size_t)(eol - p));
		h.name = (hostd_buf){ p, (size_t)(colon - p) };
		h.value = trim(colon + 1, (size_t)(eol - colon) - 1);
		if (is_trailer(h.name))
			t->v[t->n++] = h;
	}
}

void
trailers_free(struct trailers *t)
{
	free(t->v);
	buf_free(&t->raw);
	memset(t, 0, sizeof(*t));
}
