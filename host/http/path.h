/* SPDX-License-Identifier: BSD-2-Clause */
/* Request targets (RFC 9112 section 3.2, RFC 3986 sections 2.1 and 5.2.4). */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include <stddef.h>

/*
 * Decode n bytes of a path into out (room for n): percent-decoded once, then
 * "." and ".." resolved and runs of "/" made one.  Returns the length, at
 * least 1, or -1 when it is bad: no leading "/", a broken escape, a NUL, or
 * ".." above the root.
 */
int	path_decode(const char *p, size_t n, char *out);

/* How many bytes from the begin on, up to "?" or "#", path_decode would leave
 * as they are. */
size_t	path_plain(const char *p, size_t n);

#endif
