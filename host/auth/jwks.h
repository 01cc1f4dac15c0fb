/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of keys in JSON (RFC 7517, 7518 section 6, 8037 section 2). */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/key.h"

/*
 * Add the keys of a set that are for its algorithm: by kty and crv, and by
 * alg, use and key_ops where a key has them.  0; or -1 and a reason: it is no
 * such set, or none of its keys will do.  After 0, why is about a key that
 * was left out for not being good enough; "" when there was none.
 */
int	jwks_add(struct keys *, const char *, size_t n, char why[KEY_WHY]);

#endif
