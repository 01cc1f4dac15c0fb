/* SPDX-License-Identifier: BSD-2-Clause */
/* Bearer tokens (RFC 6750). */
#include <strings.h>
#include "publish.h"

#define REALM "Bearer realm=\"publish\""

int
token_is_sound(hostd_buf token)
{
	const char *p = token.p, *end = p + token.n;

	for (; p < end; p++)
		if (*p <= ' ' || *p > '~')
			return 0;
	return 1;
}

/* Takes as long for what is wrong at its start as for what is at its end. */
static int
is_same(hostd_buf a, hostd_buf secret)
{
	const volatile unsigned char *p = a.p, *q = secret.p;
	unsigned char differs = a.n != secret.n;
	size_t i;

	for (i = 0; i < a.n; i++)
		differs |= p[i] ^ q[i % secret.n];
	return !differs;
}

const char *
token_check(const struct hostd_inst *in, hostd_req req)
{
	static const char scheme[] = "Bearer ";
	const size_t n = sizeof(scheme) - 1;
	const char *p;
	hostd_buf b;

	if (in->easy.http->header(in->easy.host, req, "Authorization", &b) !=
	    HOSTD_OK || b.n < n || strncasecmp(b.p, scheme, n) != 0)
		return REALM;
	for (p = b.p, p += n, b.n -= n; b.n > 0 && *p == ' '; b.n--)
		p++;
	b.p = p;
	return is_same(b, in->token) ? NULL : REALM ", error=\"invalid_token\"";
}
