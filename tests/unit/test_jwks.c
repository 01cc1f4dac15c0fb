/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of keys and files with them: which are taken, and which key a token
 * may be signed with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ec.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "jwt_case.h"

/* SECRET, and another one. */
#define OURS	"\"kty\":\"oct\","					\
	"\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\""
#define OTHER	"\"kty\":\"oct\","					\
	"\"k\":\"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg\""
#define P256_X	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define P256_Y	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

static struct keys *keys;
static char why[KEY_WHY];

static int
teardown(void **state)
{
	(void)state;
	keys_free(keys);
	keys = NULL;
	return 0;
}

static int
load(enum key_alg alg, const char *set)
{
	keys_free(keys);
	keys = keys_new(alg);
	return jwks_add(keys, set, strlen(set), why);
}

/* How many keys of the set are taken. */
static int
taken(enum key_alg alg, const char *jwks)
{
	char set[4096];

	(void)snprintf(set, sizeof(set), "{\"keys\":[%s]}", jwks);
	return load(alg, set) == 0 ? (int)keys->n : 0;
}

static enum jwt_verdict
check(const char *header)
{
	char token[1024];
	struct jwt jwt;
	struct jwt_rules rules = { .keys = keys };

	(void)sign_token(token, header, "{}", 2);
	return jwt_check(&rules, (hostd_buf){ token, strlen(token) }, 0, &jwt);
}

#define NO_KID	"{\"alg\":\"HS256\"}"
#define KID(k)	"{\"alg\":\"HS256\",\"kid\":\"" k "\"}"

static void
kid_selects(void **state)
{
	(void)state;
	assert_int_equal(taken(KEY_HS256, "{\"kid\":\"a\"," OTHER "},"
	    "{\"kid\":\"b\"," OURS "},{" OURS "}"), 3);
	assert_int_equal(check(KID("b")), JWT_OK);
	assert_int_equal(check(KID("a")), JWT_SIGNATURE);
	assert_int_equal(check(KID("c")), JWT_NO_KEY);
	assert_int_equal(check(KID("")), JWT_NO_KEY);
	assert_int_equal(check(KID("b\\u0000")), JWT_NO_KEY);
	assert_int_equal(check(KID("' OR 1=1 --")), JWT_NO_KEY);
	/* There is more than one that it could be. */
	assert_int_equal(check(NO_KID), JWT_NO_KEY);
}

static void
without_a_kid_only_one_may_fit(void **state)
{
	(void)state;
	assert_int_equal(taken(KEY_HS256, "{\"kid\":\"b\"," OURS "},"
	    "{\"kty\":\"EC\",\"crv\":\"P-256\"," P256_X "," P256_Y "},"
	    "{\"alg\":\"HS512\"," OTHER "},{\"use\":\"enc\"," OTHER "}"), 1);
	assert_int_equal(check(NO_KID), JWT_OK);
	assert_int_equal(check(KID("b")), JWT_OK);
	assert_int_equal(check(KID("a")), JWT_NO_KEY);
	/* During a change there may be two of one name. */
	assert_int_equal(taken(KEY_HS256, "{\"kid\":\"b\"," OTHER "},"
	    "{\"kid\":\"b\"," OURS "}"), 2);
	assert_int_equal(check(KID("b")), JWT_OK);
}

static void
only_fitting_keys(void **state)
{
	(void)state;
	assert_int_equal(taken(KEY_HS256, "{\"use\":\"sig\",\"alg\":\"HS256\","
	    "\"key_ops\":[\"sign\",\"verify\"]," OURS "}"), 1);
	assert_int_equal(taken(KEY_HS256, "{\"key_ops\":[\"sign\"]," OURS
	    "}"), 0);
	assert_int_equal(taken(KEY_HS256, "{\"key_ops\":\"verify\"," OURS
	    "}"), 0);
	assert_int_equal(taken(KEY_HS256, "{\"alg\":null," OURS "}"), 0);
	assert_int_equal(taken(KEY_HS384, "{" OURS "}"), 0);
	assert_non_null(strstr(why, "at least 48 bytes"));
	assert_int_equal(taken(KEY_RS256, "{" OURS "}"), 0);
	assert_string_equal(why, "none of its 1 keys is for RS256");
	assert_int_equal(taken(KEY_HS256, "{\"kty\":\"oct\",\"k\":\"\"}"), 0);
	assert_int_equal(taken(KEY_HS256, "{\"kty\":\"oct\"}"), 0);
	assert_int_equal(taken(KEY_HS256, "1,null,\"x\",[],{" OURS "}"), 1);
	/* Of one that will not do it is told, though another one does. */
	assert_int_equal(taken(KEY_HS256, "{\"kty\":\"oct\",\"k\":\"AAAA\"},{"
	    OURS "}"), 1);
	assert_non_null(strstr(why, "this one has 3"));
}

static void
curves(void **state)
{
	(void)state;
	assert_int_equal(taken(KEY_ES256, "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    P256_X "," P256_Y "}"), 1);
	assert_int_equal(taken(KEY_ES256, "{\"kty\":\"EC\",\"crv\":\"P-384\","
	    P256_X "," P256_Y "}"), 0);
	/* Not on the curve; of another length; not one. */
	assert_int_equal(taken(KEY_ES256, "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    P256_Y ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEQ\"}"),
	    0);
	assert_int_equal(taken(KEY_ES256, "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    P256_X ",\"y\":\"AAAA\"}"), 0);
	assert_int_equal(taken(KEY_ES256, "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    P256_X "}"), 0);
	assert_int_equal(taken(KEY_EDDSA, "{\"kty\":\"OKP\",\"crv\":"
	    "\"Ed25519\"," P256_X "}"), 1);
	assert_int_equal(taken(KEY_EDDSA, "{\"kty\":\"OKP\",\"crv\":"
	    "\"Ed448\"," P256_X "}"), 0);
	assert_int_equal(taken(KEY_EDDSA, "{\"kty\":\"OKP\",\"crv\":"
	    "\"Ed25519\",\"x\":\"AAAA\"}"), 0);
}

static void
small_and_odd_rsa(void **state)
{
	char n[700], jwk[1024];

	(void)state;
	(void)snprintf(jwk, sizeof(jwk), "{\"kty\":\"RSA\",\"e\":\"AQAB\"}");
	assert_int_equal(taken(KEY_RS256, jwk), 0);
	/* 1023 bits; then 2048, and everybody's exponent. */
	memset(n, 'a', sizeof(n));
	n[172] = '\0';
	(void)snprintf(jwk, sizeof(jwk), "{\"kty\":\"RSA\",\"e\":\"AQAB\","
	    "\"n\":\"%.170sQ\"}", n);
	assert_int_equal(taken(KEY_RS256, jwk), 0);
	assert_non_null(strstr(why, "2048"));
	n[0] = '_';
	n[172] = 'a';
	(void)snprintf(jwk, sizeof(jwk), "{\"kty\":\"RSA\",\"e\":\"AQ\","
	    "\"n\":\"%.341sQ\"}", n);
	assert_int_equal(taken(KEY_RS256, jwk), 0);
	assert_non_null(strstr(why, "exponent"));
}

static void
no_sets(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{}", "null",
		"{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[{}]}",
		"{\"keys\":[{" OURS "}]} x" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load(KEY_HS256, bad[i]), -1);
		assert_true(why[0] != '\0');
	}
}

/* -- PEM -- */

static char pem[8192];

/* The key's public part, or all of it. */
static void
put_pem(EVP_PKEY *pkey, int private)
{
	BIO *bio = BIO_new(BIO_s_mem());
	size_t at = strlen(pem);
	int n;

	if (private)
		(void)PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL,
		    NULL);
	else
		(void)PEM_write_bio_PUBKEY(bio, pkey);
	n = BIO_read(bio, pem + at, (int)(sizeof(pem) - at - 1));
	assert_true(n > 0);
	pem[at + (size_t)n] = '\0';
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static int
load_pem(enum key_alg alg)
{
	keys_free(keys);
	keys = keys_new(alg);
	return keys_add_pem(keys, pem, strlen(pem), why);
}

static void
files_with_keys(void **state)
{
	(void)state;
	pem[0] = '\0';
	put_pem(EVP_RSA_gen(2048), 0);
	assert_int_equal(load_pem(KEY_RS256), 0);
	assert_int_equal(load_pem(KEY_ES256), -1);
	assert_non_null(strstr(why, "another type"));
	put_pem(EVP_RSA_gen(2048), 0);
	assert_int_equal(load_pem(KEY_RS256), 0);
	assert_int_equal(keys->n, 2);
	put_pem(EVP_RSA_gen(1024), 0);
	assert_int_equal(load_pem(KEY_RS256), -1);
	assert_non_null(strstr(why, "this one has 1024"));
	pem[0] = '\0';
	put_pem(EVP_EC_gen("P-256"), 0);
	assert_int_equal(load_pem(KEY_ES256), 0);
	put_pem(EVP_EC_gen("P-384"), 0);
	assert_int_equal(load_pem(KEY_ES256), -1);
	assert_non_null(strstr(why, "P-256"));
	pem[0] = '\0';
	put_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), 0);
	assert_int_equal(load_pem(KEY_EDDSA), 0);
	pem[0] = '\0';
	put_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), 0);
	assert_int_equal(load_pem(KEY_EDDSA), -1);
}

static void
files_without(void **state)
{
	(void)state;
	pem[0] = '\0';
	assert_int_equal(load_pem(KEY_RS256), -1);
	assert_non_null(strstr(why, "no public key"));
	put_pem(EVP_EC_gen("P-256"), 1);
	assert_int_equal(load_pem(KEY_ES256), -1);
	assert_non_null(strstr(why, "PRIVATE KEY"));
	(void)strcpy(pem, "-----BEGIN PUBLIC KEY-----\nAAAA\n"
	    "-----END PUBLIC KEY-----\n");
	assert_int_equal(load_pem(KEY_RS256), -1);
	assert_non_null(strstr(why, "can't be read"));
}

/* Whoever has written half of a file is not to think that all of it counts. */
static void
files_cut_short(void **state)
{
	size_t first, n;

	(void)state;
	pem[0] = '\0';
	put_pem(EVP_EC_gen("P-256"), 0);
	first = strlen(pem);
	put_pem(EVP_EC_gen("P-256"), 0);
	n = strlen(pem);
	assert_int_equal(load_pem(KEY_ES256), 0);
	assert_int_equal(keys->n, 2);
	for (n -= 2; n > first + 40; n--) {
		pem[n] = '\0';
		if (load_pem(KEY_ES256) != -1)
			fail_msg("%zu bytes of it are taken", n);
		assert_non_null(strstr(why, "damaged"));
	}
	pem[first + 40] = '*';
	assert_int_equal(load_pem(KEY_ES256), -1);
	/* What stands between keys says nothing. */
	(void)strcpy(pem + first, "\nof the old issuer\n");
	assert_int_equal(load_pem(KEY_ES256), 0);
}

/* -- signatures -- */

/* The longest r and s that could be taken for right ones. */
static void
signatures_of_zeros(void **state)
{
	const hostd_buf text = { "x", 1 };
	unsigned char sig[512] = { 0 };
	size_t n;

	(void)state;
	assert_int_equal(taken(KEY_ES256, "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    P256_X "," P256_Y "}"), 1);
	for (n = 0; n <= sizeof(sig); n++)
		assert_false(key_verify(KEY_ES256, &keys->v[0], text,
		    (hostd_buf){ sig, n }));
	sig[31] = sig[63] = 1;
	assert_false(key_verify(KEY_ES256, &keys->v[0], text,
	    (hostd_buf){ sig, 64 }));
	memset(sig, 0xff, sizeof(sig));
	assert_false(key_verify(KEY_ES256, &keys->v[0], text,
	    (hostd_buf){ sig, 64 }));
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(kid_selects),
		CASE(without_a_kid_only_one_may_fit),
		CASE(only_fitting_keys),
		CASE(curves),
		CASE(small_and_odd_rsa),
		CASE(no_sets),
		CASE(files_with_keys),
		CASE(files_without),
		CASE(files_cut_short),
		CASE(signatures_of_zeros),
	};

	return cmocka_run_group_tests_name("jwks", tests, NULL, NULL);
}
