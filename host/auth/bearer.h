/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens that have not come as a request's own. */
#ifndef AUTH_BEARER_H
#define AUTH_BEARER_H

#include "auth/auth.h"
#include "http/identity.h"

struct auth;

/* The auth block of that name, of type jwt; NULL: there is none. */
struct auth *auths_tokens(const struct auths *, const char *name);
/* Whose token it is: a reference; NULL: it is not let in. */
struct identity *bearer_check(struct auth *, hostd_buf token);

#endif
