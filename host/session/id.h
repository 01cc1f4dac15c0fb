/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session is called: by us 32 characters of base64url, 192 bits of the
 * system's random source; by applications that we share a store with anything
 * that a store can have as a key.
 */
#ifndef SESSION_ID_H
#define SESSION_ID_H

#include <stddef.h>
#include <hostd/session_store.h>

#define SESSION_ID_LEN		32
/* Bytes of a key of a store; of one that is stateless. */
#define SESSION_KEY_MAX		HOSTD_STORE_KEY_MAX
#define SESSION_TOKEN_MAX	HOSTD_STORE_TOKEN_MAX

/* A new one, NUL-ended.  It can't fail: without random bytes the process
 * ends. */
void	session_id_make(char id[SESSION_ID_LEN + 1]);

/* 1 to max printable ASCII bytes? */
int	session_id_is_key(const char *, size_t n, size_t max);

#endif
