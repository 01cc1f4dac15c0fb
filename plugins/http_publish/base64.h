/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 4648 section 4, to the letter: padded, and nothing else in it. */
#ifndef HTTP_PUBLISH_BASE64_H
#define HTTP_PUBLISH_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* To out, which has room for n / 4 * 3 bytes: how many there are, or -1 when it
 * is none. */
ssize_t	base64_decode(const char *, size_t n, unsigned char *out);

#endif
