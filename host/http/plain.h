/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of an answer as HTTP/1 has it: text. */
#ifndef HTTP_PLAIN_H
#define HTTP_PLAIN_H

#include <stdint.h>
#include <hostd/abi.h>

struct http_req;

/* Bytes that a head takes at most, beside its fields, and each of these beside
 * its name and value. */
#define PLAIN_ROOM	320
#define PLAIN_FIELD	4

/* Write what comes before an answer, the head of r's answer with what the host
 * says itself, or what follows the last chunk.  Return where the next goes. */
char	*plain_head(char *, int status, const hostd_hdr *, uint32_t n);
char	*plain_answer(char *, const struct http_req *r, const hostd_hdr *,
	    uint32_t n, const hostd_hdr *more, uint32_t nmore);
char	*plain_trailers(char *, const hostd_hdr *, uint32_t n);

#endif
