/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of an answer for those who frame it otherwise than as text: status
 * and number of fields, then of each field the lengths of its name, in lower
 * case, and its value, and their bytes.
 */
#ifndef HTTP_PACKED_H
#define HTTP_PACKED_H

#include <stdint.h>
#include <hostd/abi.h>

struct http_req;

/* Bytes that n fields take at most, beside those of their names and values. */
#define PACKED_ROOM(n)	(8 + 8 * (size_t)(n))

/* Write a head, or trailers: status 0.  Return where the next goes. */
char	*packed_head(char *, int status, const hostd_hdr *, uint32_t n);
/* The head of r's answer, with what the host says itself. */
char	*packed_answer(char *, const struct http_req *r, const hostd_hdr *,
	    uint32_t n, const hostd_hdr *more, uint32_t nmore);

/* Read it: status and number of fields, then one after the other. */
const char *packed_read(const char *, int *status, uint32_t *n);
const char *packed_next(const char *, hostd_buf *name, hostd_buf *value);
/* Are the n bytes a head, or trailers, and no more? */
int	packed_fits(const char *, size_t n);

#endif
