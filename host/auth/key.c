/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "auth/key.h"
#include "base/mem.h"

#define RSA_BITS_MIN	2048
#define RSA_BITS_MAX	16384
#define P256_BYTES	32
#define ED25519_SIG	64

static const struct {
	const char *name;
	const EVP_MD *(*hash)(void);
} algs[KEY_ALGS] = {
	[KEY_HS256] = { "HS256", EVP_sha256 },
	[KEY_HS384] = { "HS384", EVP_sha384 },
	[KEY_HS512] = { "HS512", EVP_sha512 },
	[KEY_RS256] = { "RS256", EVP_sha256 },
	[KEY_ES256] = { "ES256", EVP_sha256 },
	[KEY_EDDSA] = { "EdDSA", NULL },
};

const char *
key_alg_name(enum key_alg alg)
{
	return algs[alg].name;
}

int
key_alg_is_hmac(enum key_alg alg)
{
	return alg == KEY_HS256 || alg == KEY_HS384 || alg == KEY_HS512;
}

struct keys *
keys_new(enum key_alg alg)
{
	struct keys *all = xcalloc(1, sizeof(*all));

	all->alg = alg;
	return all;
}

void
keys_free(struct keys *all)
{
	size_t i;

	if (all == NULL)
		return;
	for (i = 0; i < all->n; i++) {
		free(all->v[i].kid);
		EVP_PKEY_free(all->v[i].pkey);
		if (all->v[i].secret != NULL)
			OPENSSL_cleanse(all->v[i].secret, all->v[i].nsecret);
		free(all->v[i].secret);
	}
	free(all);
}

static int
has_room(const struct keys *all, char why[KEY_WHY])
{
	if (all->n < KEYS_MAX)
		return 1;
	(void)snprintf(why, KEY_WHY, "there are more than %d keys", KEYS_MAX);
	return 0;
}

/* They may have any byte. */
static char *
copy(const char *p, size_t n)
{
	char *to = xmalloc(n + 1);

	memcpy(to, p, n);
	to[n] = '\0';
	return to;
}

/* -- secrets -- */

int
keys_add_secret(struct keys *all, const char *p, size_t n, char why[KEY_WHY])
{
	size_t least = (size_t)EVP_MD_get_size(algs[all->alg].hash());
	struct key *k;

	if (!has_room(all, why))
		return -1;
	if (n > 10 && memcmp(p, "-----BEGIN", 10) == 0) {
		(void)snprintf(why, KEY_WHY, "it is in PEM, as keys are that "
		    "everybody may know, and no secret for %s",
		    algs[all->alg].name);
		return -1;
	}
	if (n < least) {
		(void)snprintf(why, KEY_WHY, "a secret for %s must have at "
		    "least %zu bytes, this one has %zu; \"openssl rand -hex "
		    "%zu\" makes one", algs[all->alg].name, least, n, least);
		return -1;
	}
	k = &all->v[all->n++];
	k->secret = copy(p, n);
	k->nsecret = n;
	return 0;
}

int
keys_add_secrets(struct keys *all, const char *p, size_t n, char why[KEY_WHY])
{
	const char *end = p + n, *nl;
	size_t len, before = all->n;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		len = (size_t)(nl - p);
		if (len > 0 && p[len - 1] == '\r')
			len--;
		if (len > 0 && keys_add_secret(all, p, len, why) == -1)
			return -1;
	}
	if (all->n > before)
		return 0;
	(void)snprintf(why, KEY_WHY, "it has no secret: write one in a line");
	return -1;
}

/* -- public keys -- */

static int
is_good_rsa(EVP_PKEY *pkey, char why[KEY_WHY])
{
	int bits = EVP_PKEY_get_bits(pkey), good = 0;
	BIGNUM *e = NULL;

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
		(void)snprintf(why, KEY_WHY, "an RSA key must have %d to %d "
		    "bits, this one has %d", RSA_BITS_MIN, RSA_BITS_MAX, bits);
		return 0;
	}
	/* With the exponent 1 everybody can sign. */
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
		good = BN_is_odd(e) && !BN_is_one(e);
	BN_free(e);
	if (!good)
		(void)snprintf(why, KEY_WHY, "the RSA key's exponent is not "
		    "one");
	return good;
}

static int
is_p256(EVP_PKEY *pkey, char why[KEY_WHY])
{
	EVP_PKEY_CTX *ctx;
	char group[32] = "";
	int good;

	if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
	    group, sizeof(group), NULL) != 1 ||
	    strcmp(group, "prime256v1") != 0) {
		(void)snprintf(why, KEY_WHY, "a key for ES256 must be of the "
		    "curve P-256, this one is of \"%s\"", group);
		return 0;
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	good = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!good)
		(void)snprintf(why, KEY_WHY, "the key is not a point of "
		    "P-256");
	return good;
}

static int
is_good(enum key_alg alg, EVP_PKEY *pkey, char why[KEY_WHY])
{
	static const char *const types[KEY_ALGS] = { [KEY_RS256] = "RSA",
		[KEY_ES256] = "EC", [KEY_EDDSA] = "ED25519" };

	if (types[alg] == NULL || !EVP_PKEY_is_a(pkey, types[alg])) {
		(void)snprintf(why, KEY_WHY, "a key for %s must be %s, this "
		    "one is of another type", algs[alg].name,
		    types[alg] == NULL ? "a secret" : types[alg]);
		return 0;
	}
	if (alg == KEY_RS256)
		return is_good_rsa(pkey, why);
	return alg == KEY_ES256 ? is_p256(pkey, why) : 1;
}

int
keys_add_pkey(struct keys *all, EVP_PKEY *pkey, const char *kid, size_t nkid,
    char why[KEY_WHY])
{
	struct key *k;

	if (!has_room(all, why) || !is_good(all->alg, pkey, why)) {
		EVP_PKEY_free(pkey);
		ERR_clear_error();
		return -1;
	}
	k = &all->v[all->n++];
	k->pkey = pkey;
	k->kid = kid == NULL ? NULL : copy(kid, nkid);
	k->nkid = nkid;
	return 0;
}

static EVP_PKEY *
certificate_key(const unsigned char **p, long n)
{
	X509 *x = d2i_X509(NULL, p, n);
	EVP_PKEY *pkey = x == NULL ? NULL : X509_get_pubkey(x);

	X509_free(x);
	return pkey;
}

static EVP_PKEY *
pem_key(const char *name, const unsigned char *data, long n,
    char why[KEY_WHY])
{
	EVP_PKEY *pkey;

	if (strcmp(name, "PUBLIC KEY") == 0)
		pkey = d2i_PUBKEY(NULL, &data, n);
	else if (strcmp(name, "RSA PUBLIC KEY") == 0)
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &data, n);
	else if (strcmp(name, "CERTIFICATE") == 0)
		pkey = certificate_key(&data, n);
	else {
		(void)snprintf(why, KEY_WHY, "it has a %.60s; only a PUBLIC "
		    "KEY or a CERTIFICATE is wanted here", name);
		return NULL;
	}
	if (pkey == NULL)
		(void)snprintf(why, KEY_WHY, "its %.60s can't be read", name);
	return pkey;
}

/* Behind the last one there may be anything but half of another. */
static int
is_at_end(char why[KEY_WHY])
{
	if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
		return 1;
	(void)snprintf(why, KEY_WHY, "it has a part in PEM that is damaged");
	return 0;
}

static int
add_pems(struct keys *all, BIO *bio, char why[KEY_WHY])
{
	unsigned char *data;
	char *name, *header;
	EVP_PKEY *pkey;
	long n;

	while (PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		pkey = pem_key(name, data, n, why);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
		if (pkey == NULL ||
		    keys_add_pkey(all, pkey, NULL, 0, why) == -1)
			return -1;
	}
	return is_at_end(why) ? 0 : -1;
}

int
keys_add_pem(struct keys *all, const char *p, size_t n, char why[KEY_WHY])
{
	size_t before = all->n;
	BIO *bio = BIO_new_mem_buf(p, (int)n);
	int rc = bio == NULL ? -1 : 0;

	(void)snprintf(why, KEY_WHY, "it has no public key in PEM");
	if (rc == 0)
		rc = add_pems(all, bio, why);
	BIO_free(bio);
	ERR_clear_error();
	return rc == 0 && all->n > before ? 0 : -1;
}

/* -- signatures -- */

static int
hmac_verify(enum key_alg alg, const struct key *k, hostd_buf text,
    hostd_buf sig)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return HMAC(algs[alg].hash(), k->secret, (int)k->nsecret, text.p,
	    text.n, mac, &n) != NULL && sig.n == n &&
	    CRYPTO_memcmp(mac, sig.p, n) == 0;
}

static int
pkey_verify(enum key_alg alg, EVP_PKEY *pkey, hostd_buf text, hostd_buf sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = algs[alg].hash == NULL ? NULL : algs[alg].hash();
	int rc = 0;

	if (ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey) == 1)
		rc = EVP_DigestVerify(ctx, sig.p, sig.n, text.p, text.n);
	EVP_MD_CTX_free(ctx);
	/* Not 1: it is not one, or could not be looked at. */
	ERR_clear_error();
	return rc == 1;
}

/* A token has r and s one behind the other; OpenSSL takes them in DER. */
static int
ecdsa_verify(EVP_PKEY *pkey, hostd_buf text, hostd_buf sig)
{
	const unsigned char *p = sig.p;
	ECDSA_SIG *pair;
	unsigned char *der = NULL;
	BIGNUM *r, *s;
	int n, good = 0;

	if (sig.n != 2 * (size_t)P256_BYTES || (pair = ECDSA_SIG_new()) == NULL)
		return 0;
	r = BN_bin2bn(p, P256_BYTES, NULL);
	s = BN_bin2bn(p + P256_BYTES, P256_BYTES, NULL);
	if (r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else if ((n = i2d_ECDSA_SIG(pair, &der)) > 0)
		good = pkey_verify(KEY_ES256, pkey, text,
		    (hostd_buf){ der, (size_t)n });
	OPENSSL_free(der);
	ECDSA_SIG_free(pair);
	return good;
}

int
key_verify(enum key_alg alg, const struct key *k, hostd_buf text,
    hostd_buf sig)
{
	if (sig.n == 0)
		return 0;
	switch (alg) {
	case KEY_RS256:
		/* As long as the modulus, and no other way to write it. */
		return sig.n == (size_t)EVP_PKEY_get_size(k->pkey) &&
		    pkey_verify(alg, k->pkey, text, sig);
	case KEY_ES256:
		return ecdsa_verify(k->pkey, text, sig);
	case KEY_EDDSA:
		return sig.n == ED25519_SIG &&
		    pkey_verify(alg, k->pkey, text, sig);
	default:
		return hmac_verify(alg, k, text, sig);
	}
}
