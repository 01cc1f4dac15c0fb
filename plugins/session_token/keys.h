/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys that tokens are sealed with: the first seals, all open.
 *
 * As a text they are one in each line, 32 random bytes as 64 hexadecimal digits
 * or in base64; empty lines and those that start with "#" are none.  What is in
 * a line is never part of an error.
 *
 * No key is used as it is: HKDF-Expand (RFC 5869, SHA-256), whose pseudorandom
 * key it is, makes another one for each purpose.
 */
#ifndef SESSION_TOKEN_KEYS_H
#define SESSION_TOKEN_KEYS_H

#include <stddef.h>

#define KEYS_MAX	32	/* in one list */
#define KEYS_TEXT_MAX	65536	/* bytes of a list */
#define KEY_BYTES	32
#define KEY_ID_BYTES	4

struct keys;

/* NULL, and in why what is wrong and what to do. */
struct keys *keys_new(const char *text, size_t n, char *why, size_t size);
/* Wipes them; NULL is none. */
void	keys_free(struct keys *);
size_t	keys_count(const struct keys *);

/* What tells keys apart, on all machines: it comes of the key. */
const unsigned char *keys_id(const struct keys *, size_t i);
/* The key i for what info says.  -1: OpenSSL can't. */
int	keys_derive(struct keys *, size_t i, const void *info, size_t n,
	    unsigned char out[KEY_BYTES]);

#endif
