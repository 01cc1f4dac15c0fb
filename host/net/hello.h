/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of the server that a TLS client asks for, from the first message of
 * the handshake (RFC 8446, 4.1.2; RFC 6066, 3), which is not encrypted.
 */
#ifndef NET_HELLO_H
#define NET_HELLO_H

#include <stddef.h>

#define HELLO_MAX	16384	/* bytes that are looked at */
#define HELLO_NAME_MAX	256	/* of a name, NUL included */

enum hello {
	HELLO_MORE,		/* there is more of it to come */
	HELLO_NAME,
	HELLO_NO_NAME,		/* the client says none */
	HELLO_NOT		/* it is no such message, or a bad one */
};

/* Of the n bytes that have come; name is in lower case, without a dot at its
 * end. */
enum hello hello_parse(const void *, size_t n, char name[HELLO_NAME_MAX]);

#endif
