/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard in front of the parser: finds the end of a message head and
 * refuses, before llhttp sees it, everything that two parsers could read in
 * two ways: bare CR or LF, control bytes, obs-fold, white space around a
 * header name, non-token names (RFC 9112 sections 2.2, 3 and 5).
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stddef.h>

struct guard_limits {
	size_t request_line;	/* bytes, without CRLF: 414; of answers: the
				   status line */
	size_t head;		/* bytes, all of it: 431 */
	size_t headers;		/* lines: 431 */
	int answers;		/* heads of answers, not of requests */
};

/* Progress in one head; zero it for the next. */
struct guard {
	size_t pos;		/* scanned so far */
	size_t line;		/* where the present line starts */
	size_t nlines;		/* complete lines, the first one is, too */
};

/*
 * Look at the len bytes at p, which start with the head (those seen before
 * are the same).  Returns the head's length, its empty line included; 0 when
 * it is not complete; or -status (400, 414, 431).
 */
int	guard_head(struct guard *, const struct guard_limits *, const char *p,
	    size_t len);

/* RFC 9110 section 5.6.2. */
int	is_tchar(unsigned char);
int	is_token(const char *, size_t n);
/* No control bytes but HTAB (RFC 9110 section 5.5). */
int	is_field_value(const char *, size_t n);

#endif
