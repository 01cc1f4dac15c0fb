/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include "auth/jwks.h"
#include "base/base64.h"
#include "base/mem.h"

#define P256_BYTES	32
#define ED25519_BYTES	32

static int
is_text(const json_t *jwk, const char *name, const char *text)
{
	const char *s = json_string_value(json_object_get(jwk, name));

	return s != NULL && strcmp(s, text) == 0;
}

/* Absent, or that text. */
static int
may_be(const json_t *jwk, const char *name, const char *text)
{
	return json_object_get(jwk, name) == NULL || is_text(jwk, name, text);
}

static int
may_verify(const json_t *jwk)
{
	const json_t *ops = json_object_get(jwk, "key_ops"), *op;
	size_t i;

	if (ops == NULL)
		return 1;
	json_array_foreach(ops, i, op)
		if (json_is_string(op) &&
		    strcmp(json_string_value(op), "verify") == 0)
			return 1;
	return 0;
}

static int
is_for(const json_t *jwk, enum key_alg alg)
{
	if (!may_be(jwk, "alg", key_alg_name(alg)) ||
	    !may_be(jwk, "use", "sig") || !may_verify(jwk))
		return 0;
	switch (alg) {
	case KEY_RS256:
		return is_text(jwk, "kty", "RSA");
	case KEY_ES256:
		return is_text(jwk, "kty", "EC") &&
		    is_text(jwk, "crv", "P-256");
	case KEY_EDDSA:
		return is_text(jwk, "kty", "OKP") &&
		    is_text(jwk, "crv", "Ed25519");
	default:
		return is_text(jwk, "kty", "oct");
	}
}

/* The bytes of a member; NULL: it is not there, or malformed. */
static unsigned char *
bytes_of(const json_t *jwk, const char *name, size_t *len)
{
	const json_t *v = json_object_get(jwk, name);
	size_t n = json_string_length(v);
	unsigned char *out;
	ssize_t got;

	if (n == 0)
		return NULL;
	out = xmalloc(BASE64_ROOM(n));
	got = base64url_read(json_string_value(v), n, out);
	if (got <= 0) {
		free(out);
		return NULL;
	}
	*len = (size_t)got;
	return out;
}

static EVP_PKEY *
pkey_make(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params != NULL && ctx != NULL &&
	    EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY,
		    params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *
rsa_key(const json_t *jwk)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	size_t nn = 0, ne = 0;
	unsigned char *n = bytes_of(jwk, "n", &nn);
	unsigned char *e = bytes_of(jwk, "e", &ne);
	BIGNUM *bn = BN_bin2bn(n, (int)nn, NULL);
	BIGNUM *be = BN_bin2bn(e, (int)ne, NULL);
	EVP_PKEY *pkey = NULL;

	if (n != NULL && e != NULL && bn != NULL && be != NULL &&
	    bld != NULL &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		pkey = pkey_make("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(bn);
	BN_free(be);
	free(n);
	free(e);
	return pkey;
}

static EVP_PKEY *
ec_key(const json_t *jwk)
{
	static const char group[] = "prime256v1";
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	unsigned char point[1 + 2 * P256_BYTES] = { 4 };
	size_t nx = 0, ny = 0;
	unsigned char *x = bytes_of(jwk, "x", &nx);
	unsigned char *y = bytes_of(jwk, "y", &ny);
	EVP_PKEY *pkey = NULL;

	if (nx == P256_BYTES && ny == P256_BYTES && bld != NULL) {
		memcpy(point + 1, x, nx);
		memcpy(point + 1 + P256_BYTES, y, ny);
		if (OSSL_PARAM_BLD_push_utf8_string(bld,
		    OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1) &&
		    OSSL_PARAM_BLD_push_octet_string(bld,
		    OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)))
			pkey = pkey_make("EC", bld);
	}
	OSSL_PARAM_BLD_free(bld);
	free(x);
	free(y);
	return pkey;
}

static EVP_PKEY *
ed25519_key(const json_t *jwk)
{
	size_t n = 0;
	unsigned char *x = bytes_of(jwk, "x", &n);
	EVP_PKEY *pkey = NULL;

	if (n == ED25519_BYTES)
		pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x,
		    n);
	free(x);
	return pkey;
}

static int
add_secret(struct keys *all, const json_t *jwk, const char *kid, size_t nkid,
    char why[KEY_WHY])
{
	size_t n = 0;
	unsigned char *k = bytes_of(jwk, "k", &n);
	struct key *last;
	int rc;

	if (k == NULL) {
		(void)snprintf(why, KEY_WHY, "a key can't be read");
		return -1;
	}
	rc = keys_add_secret(all, (char *)k, n, why);
	if (rc == 0 && kid != NULL) {
		last = &all->v[all->n - 1];
		last->kid = xmalloc(nkid + 1);
		memcpy(last->kid, kid, nkid);
		last->nkid = nkid;
	}
	OPENSSL_cleanse(k, n);
	free(k);
	return rc;
}

static int
add_key(struct keys *all, const json_t *jwk, char why[KEY_WHY])
{
	const json_t *id = json_object_get(jwk, "kid");
	const char *kid = json_string_value(id);
	size_t nkid = json_string_length(id);
	EVP_PKEY *pkey;

	if (key_alg_is_hmac(all->alg))
		return add_secret(all, jwk, kid, nkid, why);
	pkey = all->alg == KEY_RS256 ? rsa_key(jwk) :
	    all->alg == KEY_ES256 ? ec_key(jwk) : ed25519_key(jwk);
	if (pkey != NULL)
		return keys_add_pkey(all, pkey, kid, nkid, why);
	ERR_clear_error();
	(void)snprintf(why, KEY_WHY, "a key can't be read");
	return -1;
}

static int
add_set(struct keys *all, const json_t *set, char why[KEY_WHY])
{
	const json_t *list = json_object_get(set, "keys"), *jwk;
	size_t i, before = all->n;

	if (!json_is_array(list)) {
		(void)snprintf(why, KEY_WHY, "it is not a JSON object with an "
		    "array \"keys\"");
		return -1;
	}
	json_array_foreach(list, i, jwk)
		if (is_for(jwk, all->alg))
			(void)add_key(all, jwk, why);
	if (all->n > before)
		return 0;
	if (why[0] == '\0')
		(void)snprintf(why, KEY_WHY, "none of its %zu keys is for %s",
		    json_array_size(list), key_alg_name(all->alg));
	return -1;
}

int
jwks_add(struct keys *all, const char *p, size_t n, char why[KEY_WHY])
{
	json_t *set = json_loadb(p, n, 0, NULL);
	int rc;

	why[0] = '\0';
	all->named = 1;
	rc = add_set(all, set, why);
	json_decref(set);
	return rc;
}
