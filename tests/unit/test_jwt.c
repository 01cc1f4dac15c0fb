/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens: the RFCs' own, what Node makes of times, and everything that is to
 * be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "base/mem.h"
#include "jwt_case.h"

#define NOW	1700000000
#define HS256	"{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static char made[3 * JWT_MAX];
static struct keys *keys;
static struct jwt_rules rules;
static struct jwt jwt;

static int
teardown(void **state)
{
	(void)state;
	keys_free(keys);
	keys = NULL;
	return 0;
}

static void
use(enum key_alg alg)
{
	keys_free(keys);
	keys = keys_new(alg);
	memset(&rules, 0, sizeof(rules));
	rules.keys = keys;
}

static int
setup(void **state)
{
	char why[KEY_WHY];

	(void)state;
	use(KEY_HS256);
	assert_int_equal(keys_add_secret(keys, SECRET, sizeof(SECRET) - 1,
	    why), 0);
	return 0;
}

static enum jwt_verdict
check(const char *token)
{
	return jwt_check(&rules, (hostd_buf){ token, strlen(token) }, NOW,
	    &jwt);
}

static enum jwt_verdict
check_parts(const char *header, const char *payload)
{
	return check(sign_token(made, header, payload, strlen(payload)));
}

static enum jwt_verdict
check_claims(const char *payload)
{
	return check_parts(HS256, payload);
}

/* -- tokens of others -- */

static const char nodes[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJzdWIiOiI0MiIsIm5hbWUiOiJab8OpIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAw"
    "MDM2MDB9.O_x1TKaEZONyzNI4HdsRA-Yji1INj9vN-Z6xzubOUCs";

static void
of_node(void **state)
{
	static const char claims[] = "{\"sub\":\"42\",\"name\":\"Zo\xc3\xa9\","
	    "\"iat\":1700000000,\"exp\":1700003600}";

	(void)state;
	assert_int_equal(check(nodes), JWT_OK);
	assert_int_equal(jwt.nclaims, sizeof(claims) - 1);
	assert_memory_equal(jwt.claims, claims, sizeof(claims) - 1);
	assert_int_equal(jwt.expires, 1700003600);
}

static enum jwt_verdict
check_of_rfc(enum key_alg alg, const char *jwk, const char *token, int64_t now)
{
	char set[4096], why[KEY_WHY];
	int n = snprintf(set, sizeof(set), "{\"keys\":[%s]}", jwk);

	use(alg);
	if (jwks_add(keys, set, (size_t)n, why) == -1)
		fail_msg("%s", why);
	return jwt_check(&rules, (hostd_buf){ token, strlen(token) }, now,
	    &jwt);
}

/* RFC 7515, appendices A.1 to A.3. */
#define RFC_CLAIMS							\
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0d"		\
	"HA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_HS_JWK "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKO" \
	"bwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"
#define RFC_RS_N							\
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx"	\
	"HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs"	\
	"D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH"	\
	"SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV"	\
	"MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8"	\
	"NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

static void
of_rfc_7515(void **state)
{
	static const char hs[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
	    RFC_CLAIMS ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char rs[] = "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS
	    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZ"
	    "mh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjb"
	    "KBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHl"
	    "b1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZES"
	    "c6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AX"
	    "LIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
	static const char es[] = "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS
	    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8IS"
	    "lSApmWQxfKTUJqPP3-Kg6NU1Q";

	(void)state;
	assert_int_equal(check_of_rfc(KEY_HS256, RFC_HS_JWK, hs, 1300819379),
	    JWT_OK);
	assert_int_equal(check_of_rfc(KEY_HS256, RFC_HS_JWK, hs, 1300819380),
	    JWT_EXPIRED);
	assert_int_equal(check_of_rfc(KEY_RS256, "{\"kty\":\"RSA\",\"e\":"
	    "\"AQAB\",\"n\":\"" RFC_RS_N "\"}", rs, 1300819379), JWT_OK);
	assert_int_equal(check_of_rfc(KEY_ES256, "{\"kty\":\"EC\",\"crv\":"
	    "\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}", es,
	    1300819379), JWT_OK);
}

/* RFC 8037, appendix A.4: right, but what it signs is no claims. */
static void
of_rfc_8037(void **state)
{
	static const char jwk[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
	    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
	static const char ed[] = "eyJhbGciOiJFZERTQSJ9."
	    "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
	    "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
	char bad[sizeof(ed)];

	(void)state;
	assert_int_equal(check_of_rfc(KEY_EDDSA, jwk, ed, NOW), JWT_CLAIMS);
	memcpy(bad, ed, sizeof(ed));
	bad[sizeof(ed) - 10] ^= 1;
	assert_int_equal(check_of_rfc(KEY_EDDSA, jwk, bad, NOW),
	    JWT_SIGNATURE);
}

/* -- times -- */

static void
times_as_in_node(void **state)
{
	static const struct {
		const char *claims;
		int leeway;
		enum jwt_verdict v;
	} cases[] = {
		{ "{\"exp\":1700000000}", 0, JWT_EXPIRED },
		{ "{\"exp\":1700000001}", 0, JWT_OK },
		{ "{\"exp\":1700000000.5}", 0, JWT_OK },
		{ "{\"exp\":1699999999.5}", 0, JWT_EXPIRED },
		{ "{\"exp\":1699999996}", 5, JWT_OK },
		{ "{\"exp\":1699999995}", 5, JWT_EXPIRED },
		{ "{\"nbf\":1700000000}", 0, JWT_OK },
		{ "{\"nbf\":1700000001}", 0, JWT_EARLY },
		{ "{\"nbf\":1700000005}", 5, JWT_OK },
		{ "{\"nbf\":1700000006}", 5, JWT_EARLY },
		{ "{\"exp\":\"1800000000\"}", 0, JWT_CLAIMS },
		{ "{\"exp\":null}", 0, JWT_CLAIMS },
		{ "{\"exp\":true}", 0, JWT_CLAIMS },
		{ "{\"exp\":[1800000000]}", 0, JWT_CLAIMS },
		{ "{\"nbf\":\"1\"}", 0, JWT_CLAIMS },
		{ "{\"iat\":\"1\"}", 0, JWT_CLAIMS },
		{ "{\"iat\":1800000000}", 0, JWT_OK },
		{ "{}", 0, JWT_OK },
		{ "{\"exp\":-1}", 0, JWT_EXPIRED },
		{ "{\"exp\":0}", 0, JWT_EXPIRED },
		{ "{\"exp\":1e300}", 0, JWT_OK },
		{ "{\"exp\":99999999999999999999999}", 0, JWT_OK },
		{ "{\"exp\":-99999999999999999999999}", 0, JWT_EXPIRED },
		{ "{\"nbf\":1e300}", 0, JWT_EARLY },
		/* No number holds it. */
		{ "{\"exp\":1e400}", 0, JWT_CLAIMS },
		/* The last one counts. */
		{ "{\"exp\":1800000000,\"exp\":1}", 0, JWT_EXPIRED },
		{ "{\"exp\":1,\"exp\":1800000000}", 0, JWT_OK },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rules.leeway = cases[i].leeway;
		if (check_claims(cases[i].claims) != cases[i].v)
			fail_msg("%s", cases[i].claims);
	}
}

static void
until_when(void **state)
{
	(void)state;
	rules.leeway = 10;
	assert_int_equal(check_claims("{\"exp\":1700000001.2}"), JWT_OK);
	assert_int_equal(jwt.expires, 1700000012);
	assert_int_equal(check_claims("{\"exp\":1e300}"), JWT_OK);
	assert_true(jwt.expires == INT64_MAX);
}

/* -- whose it is -- */

static void
issuer_and_audience(void **state)
{
	char a[] = "a", b[] = "b";
	char *const audience[] = { a, b };

	(void)state;
	rules.issuer = "me";
	assert_int_equal(check_claims("{}"), JWT_ISSUER);
	assert_int_equal(check_claims("{\"iss\":\"me \"}"), JWT_ISSUER);
	assert_int_equal(check_claims("{\"iss\":\"me\\u0000\"}"), JWT_ISSUER);
	assert_int_equal(check_claims("{\"iss\":[\"me\"]}"), JWT_ISSUER);
	assert_int_equal(check_claims("{\"iss\":\"m\\u0065\"}"), JWT_OK);
	rules.issuer = NULL;
	rules.audience = audience;
	rules.naudience = 2;
	assert_int_equal(check_claims("{}"), JWT_AUDIENCE);
	assert_int_equal(check_claims("{\"aud\":\"c\"}"), JWT_AUDIENCE);
	assert_int_equal(check_claims("{\"aud\":[]}"), JWT_AUDIENCE);
	assert_int_equal(check_claims("{\"aud\":[[\"a\"]]}"), JWT_AUDIENCE);
	assert_int_equal(check_claims("{\"aud\":{\"a\":\"a\"}}"),
	    JWT_AUDIENCE);
	assert_int_equal(check_claims("{\"aud\":\"b\"}"), JWT_OK);
	assert_int_equal(check_claims("{\"aud\":[1,\"c\",\"a\"]}"), JWT_OK);
}

/* -- what is refused -- */

static void
only_that_algorithm(void **state)
{
	static const char *const algs[] = { "none", "None", "NONE", "nOnE", "",
		"hs256", "HS384", "HS512", "RS256", "ES256", "HS256 " };
	char header[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}",
		    algs[i]);
		if (check_parts(header, "{}") != JWT_ALGORITHM)
			fail_msg("%s", header);
	}
	assert_int_equal(check_parts("{}", "{}"), JWT_ALGORITHM);
	assert_int_equal(check_parts("{\"alg\":null}", "{}"), JWT_ALGORITHM);
	assert_int_equal(check_parts("{\"alg\":[\"HS256\"]}", "{}"),
	    JWT_ALGORITHM);
	assert_int_equal(check_parts("{\"alg\":\"HS256\",\"alg\":\"none\"}",
	    "{}"), JWT_ALGORITHM);
	assert_int_equal(check_parts("{\"alg\":\"none\",\"alg\":\"HS256\"}",
	    "{}"), JWT_OK);
	assert_int_equal(check("eyJhbGciOiJub25lIn0.e30."), JWT_MALFORMED);
}

static void
headers_are_not_obeyed(void **state)
{
	(void)state;
	assert_int_equal(check_parts("{\"alg\":\"HS256\",\"jwk\":{\"kty\":"
	    "\"oct\",\"k\":\"AA\"},\"jku\":\"http://e/\",\"x5u\":\"http://e/\","
	    "\"x5c\":[\"\"],\"b64\":false,\"kid\":\"../../dev/null\"}", "{}"),
	    JWT_OK);
	assert_int_equal(check_parts("{\"alg\":\"HS256\",\"kid\":1}", "{}"),
	    JWT_MALFORMED);
	assert_int_equal(check_parts("{\"alg\":\"HS256\",\"crit\":[\"b64\"],"
	    "\"b64\":false}", "{}"), JWT_CRITICAL);
	assert_int_equal(check_parts("{\"alg\":\"HS256\",\"crit\":[]}", "{}"),
	    JWT_CRITICAL);
	assert_int_equal(check_parts("{\"alg\":\"HS256\",\"crit\":null}",
	    "{}"), JWT_CRITICAL);
}

static void
no_claims(void **state)
{
	static const char *const bad[] = { "", "[]", "1", "\"x\"", "null",
		"{", "{}x", "{'a':1}", "{\"a\":\"\xff\"}",
		"{\"a\":\xed\xa0\x80}",
		"{\"a\":\"\\ud800\"}", "\xef\xbb\xbf{}", "{\"a\\u0000\":1}" };
	static char deep[6000];
	size_t i;

	(void)state;
	/* An empty part is no part. */
	assert_int_equal(check_claims(bad[0]), JWT_MALFORMED);
	for (i = 1; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (check_claims(bad[i]) != JWT_CLAIMS)
			fail_msg("%s", bad[i]);
	memset(deep, '[', sizeof(deep) - 1);
	assert_int_equal(check_claims(deep), JWT_CLAIMS);
	assert_int_equal(check_parts("[]", "{}"), JWT_MALFORMED);
	assert_int_equal(check_parts("{\"alg\":\"HS256\"", "{}"),
	    JWT_MALFORMED);
}

/* Any change of one character, and any beginning of it. */
static void
nothing_but_that_text(void **state)
{
	static const char others[] = "AB+/=-_. \n\x80";
	size_t n = sizeof(nodes) - 1, i, k;
	char bad[sizeof(nodes) + 4];

	(void)state;
	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof(others) - 1; k++) {
			memcpy(bad, nodes, sizeof(nodes));
			if (bad[i] == others[k])
				continue;
			bad[i] = others[k];
			assert_int_not_equal(check(bad), JWT_OK);
		}
		memcpy(bad, nodes, sizeof(nodes));
		bad[i] = '\0';
		assert_int_not_equal(check(bad), JWT_OK);
	}
	for (k = 0; k < sizeof(others) - 1; k++) {
		(void)snprintf(bad, sizeof(bad), "%s%c", nodes, others[k]);
		assert_int_not_equal(check(bad), JWT_OK);
		(void)snprintf(bad, sizeof(bad), "%c%s", others[k], nodes);
		assert_int_not_equal(check(bad), JWT_OK);
	}
}

static void
as_long_as_it_may_be(void **state)
{
	char *claims = xmalloc(2 * JWT_MAX), *p = claims;
	size_t n;

	(void)state;
	p += sprintf(p, "{\"a\":\"");
	for (n = 0; n < 6050; n++)
		*p++ = 'x';
	(void)strcpy(p, "\"}");
	assert_int_equal(check_claims(claims), JWT_OK);
	assert_true(strlen(made) <= JWT_MAX);
	for (n = 0; n < 100; n++)
		*p++ = 'x';
	(void)strcpy(p, "\"}");
	assert_int_equal(check_claims(claims), JWT_MALFORMED);
	assert_true(strlen(made) > JWT_MAX);
	free(claims);
}

/* A secret of another one, or none, is not ours. */
static void
other_secrets(void **state)
{
	static const char more[] = "another secret of thirty-two bytes.\r\n\n"
	    SECRET "\n";
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n";
	char why[KEY_WHY];

	(void)state;
	use(KEY_HS256);
	assert_int_equal(keys_add_secrets(keys, more, sizeof(more) - 1, why),
	    0);
	assert_int_equal(keys->n, 2);
	assert_int_equal(check(nodes), JWT_OK);
	use(KEY_HS256);
	assert_int_equal(keys_add_secrets(keys, more, 36, why), 0);
	assert_int_equal(check(nodes), JWT_SIGNATURE);
	use(KEY_HS256);
	assert_int_equal(keys_add_secrets(keys, "short\n", 6, why), -1);
	assert_non_null(strstr(why, "at least 32 bytes, this one has 5"));
	assert_int_equal(keys_add_secrets(keys, "\n\n", 2, why), -1);
	assert_int_equal(check(nodes), JWT_NO_KEY);
	use(KEY_HS512);
	assert_int_equal(keys_add_secret(keys, SECRET, 32, why), -1);
	/* Everybody has it. */
	use(KEY_HS256);
	assert_int_equal(keys_add_secret(keys, pem, sizeof(pem) - 1, why), -1);
	assert_non_null(strstr(why, "in PEM"));
	assert_int_equal(keys_add_secrets(keys, pem, sizeof(pem) - 1, why),
	    -1);
	assert_non_null(strstr(why, "in PEM"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(of_node),
		CASE(of_rfc_7515),
		CASE(of_rfc_8037),
		CASE(times_as_in_node),
		CASE(until_when),
		CASE(issuer_and_audience),
		CASE(only_that_algorithm),
		CASE(headers_are_not_obeyed),
		CASE(no_claims),
		CASE(nothing_but_that_text),
		CASE(as_long_as_it_may_be),
		CASE(other_secrets),
	};

	return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}
