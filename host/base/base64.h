/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base64 (RFC 4648), read strictly: there is one way to write any bytes, so
 * that two texts are never the same signature.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Bytes that n characters can stand for, at most. */
#define BASE64_ROOM(n)	((n) / 4 * 3 + 3)

/* Letters, digits, "-" and "_", without padding.  out has BASE64_ROOM(n).
 * How many bytes, or -1. */
ssize_t	base64url_read(const char *, size_t n, void *out);
/* Letters, digits, "+" and "/", padded. */
ssize_t	base64_read(const char *, size_t n, void *out);

#endif
