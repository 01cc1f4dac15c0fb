/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens.  The first byte chooses: the rest is a whole token; or the payload
 * of one with a right signature; or its header.
 *
 * What must hold: nothing is let in whose signature is not right, and claims of
 * what is let in are one JSON object, whose members are found as a parser finds
 * them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "auth/jwt.h"
#include "http/identity.h"
#include "../unit/jwt_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
check_member(hostd_buf claims, const char *name, const json_t *want)
{
	hostd_buf key = { name, strlen(name) }, got;
	json_t *v;

	must(claim_find(claims, key, &got));
	v = json_loadb(got.p, got.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (v == NULL)
		v = json_loadb(got.p, got.n, JSON_DECODE_ANY |
		    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	must(v != NULL);
	/* Of a text with an integer too long, all are of floating point. */
	must(json_is_number(v) ? json_number_value(v) ==
	    json_number_value(want) : json_is_string(v) ?
	    json_equal(v, want) : json_typeof(v) == json_typeof(want));
	json_decref(v);
}

static void
check_claims(hostd_buf claims)
{
	struct buf text = { NULL, 0, 0 };
	const char *name;
	hostd_buf got;
	json_t *o, *v;

	o = json_loadb(claims.p, claims.n, JSON_ALLOW_NUL, NULL);
	if (o == NULL)
		o = json_loadb(claims.p, claims.n, JSON_ALLOW_NUL |
		    JSON_DECODE_INT_AS_REAL, NULL);
	must(json_is_object(o));
	json_object_foreach(o, name, v)
		check_member(claims, name, v);
	json_decref(o);
	if (claim_find(claims, (hostd_buf){ "sub", 3 }, &got))
		claim_put_text(got, &text);
	buf_free(&text);
}

/* Is the third part the secret's signature of the two before? */
static int
is_signed(const char *token, size_t n)
{
	const char *dot = memrchr(token, '.', n);
	unsigned char mac[32];
	char sig[64];

	must(dot != NULL);
	(void)HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1,
	    (const unsigned char *)token, (size_t)(dot - token), mac, NULL);
	(void)put_base64url(sig, mac, sizeof(mac));
	return strlen(sig) == n - (size_t)(dot + 1 - token) &&
	    memcmp(sig, dot + 1, strlen(sig)) == 0;
}

static void
try_token(const struct keys *keys, const char *p, size_t n)
{
	char issuer[] = "me";
	char *const audience[] = { issuer };
	const struct jwt_rules any = { .keys = keys };
	const struct jwt_rules ours = { keys, issuer, audience, 1, 5 };
	static struct jwt jwt;

	if (jwt_check(&ours, (hostd_buf){ p, n }, 1700000000, &jwt) == JWT_OK)
		must(is_signed(p, n));
	if (jwt_check(&any, (hostd_buf){ p, n }, 1700000000, &jwt) != JWT_OK)
		return;
	must(is_signed(p, n));
	must(jwt.expires > 1700000000);
	check_claims((hostd_buf){ jwt.claims, jwt.nclaims });
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keys *keys;
	static char made[65536], header[4096];
	const char *p = (const char *)data + 1;
	char why[KEY_WHY], *copy;

	if (keys == NULL) {
		keys = keys_new(KEY_HS256);
		must(keys_add_secret(keys, SECRET, sizeof(SECRET) - 1,
		    why) == 0);
	}
	if (size < 2 || size > 8192)
		return 0;
	size--;
	if (data[0] == 'p') {
		(void)sign_token(made, "{\"alg\":\"HS256\"}", p, size);
		try_token(keys, made, strlen(made));
	} else if (data[0] == 'h' && size < sizeof(header)) {
		memcpy(header, p, size);
		header[size] = '\0';
		(void)sign_token(made, header, "{}", 2);
		try_token(keys, made, strlen(made));
	} else {
		/* Of that length, for who reads too far. */
		copy = malloc(size);
		memcpy(copy, p, size);
		try_token(keys, copy, size);
		free(copy);
	}
	return 0;
}
