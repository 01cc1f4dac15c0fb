/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One token, checked (RFC 7519, and 8725 for what can go wrong).  How it is
 * checked is said by the configuration alone; of the token's header, alg must
 * be what the configuration has, kid selects among keys that are there, and
 * everything else is ignored, but crit, which is refused.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include <stdint.h>
#include "auth/key.h"
#include "base/base64.h"

#define JWT_MAX		8192	/* longer ones are not looked at */

struct jwt_rules {
	const struct keys *keys;
	const char *issuer;		/* NULL: any */
	char *const *audience;		/* one of them */
	size_t naudience;		/* 0: any */
	int64_t leeway;			/* seconds */
};

enum jwt_verdict {
	JWT_OK, JWT_MALFORMED, JWT_ALGORITHM, JWT_CRITICAL, JWT_NO_KEY,
	JWT_SIGNATURE, JWT_CLAIMS, JWT_EXPIRED, JWT_EARLY, JWT_ISSUER,
	JWT_AUDIENCE, JWT_VERDICTS
};

struct jwt {
	char claims[BASE64_ROOM(JWT_MAX)];	/* a JSON object, as it came */
	size_t nclaims;
	int64_t expires;	/* the first second that it is not valid any
				   more, leeway included; INT64_MAX: none */
};

/* now: seconds since 1970.  *out is set when it is JWT_OK. */
enum jwt_verdict jwt_check(const struct jwt_rules *, hostd_buf token,
	    int64_t now, struct jwt *out);
/* For the client, and for the log. */
const char *jwt_verdict_text(enum jwt_verdict);

#endif
