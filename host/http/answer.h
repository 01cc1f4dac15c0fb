/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of a server's answer, read as strictly as a request's: what two
 * readers could take for two different messages is refused (RFC 9112 sections
 * 4, 5 and 6.3).
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>

/* How its body ends. */
enum answer_body {
	ANSWER_EMPTY,		/* there is none */
	ANSWER_LENGTH,
	ANSWER_CHUNKED,
	ANSWER_CLOSE		/* with the connection */
};

struct answer {
	/* The caller's. */
	hostd_hdr *headers;	/* room */
	uint32_t max;		/* of so many */
	int to_head;		/* the request was HEAD: no body follows,
				   whatever the head says */
	/* Set by answer_head; pointers are into the head. */
	int status;		/* 100-599 */
	int minor;		/* of the HTTP version */
	uint32_t nheaders;
	enum answer_body body;
	int64_t length;		/* of the body; -1: not known */
	int keepalive;		/* the connection may go on after it */
	hostd_buf upgrade;	/* value of Upgrade that Connection names;
				   p NULL: none */
};

/* The n bytes at p are a whole head that guard_head has let through.  0, or -1
 * with a reason in *why (a constant text). */
int	answer_head(struct answer *, const char *p, size_t n,
	    const char **why);

#endif
