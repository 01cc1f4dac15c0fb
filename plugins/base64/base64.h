/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 4648, to the letter: there is one way to write any bytes, and nothing
 * else is read.
 */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Characters of n bytes in base64url. */
#define BASE64URL_LEN(n)	(((n) * 4 + 2) / 3)

/* Section 4: "+", "/" and padding.  To out, which has room for n / 4 * 3 bytes:
 * how many there are, or -1 when it is none. */
ssize_t	base64_decode(const char *, size_t n, unsigned char *out);

/* Characters of n bytes in base64. */
#define BASE64_LEN(n)		(((n) + 2) / 3 * 4)
/* BASE64_LEN(n) characters, and no NUL. */
size_t	base64_encode(const unsigned char *, size_t n, char *out);

/* Section 5: "-", "_" and no padding.  The room is n * 3 / 4 bytes. */
ssize_t	base64url_decode(const char *, size_t n, unsigned char *out);
/* BASE64URL_LEN(n) characters, and no NUL. */
size_t	base64url_encode(const unsigned char *, size_t n, char *out);

#endif
