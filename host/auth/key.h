/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys that signatures of tokens are checked with.  A set of keys is for one
 * algorithm, which the configuration has named: nothing that a token says
 * chooses how it is checked.
 */
#ifndef AUTH_KEY_H
#define AUTH_KEY_H

#include <stddef.h>
#include <hostd/abi.h>
#include <openssl/types.h>

/* In the order of the choices of the key "algorithm". */
enum key_alg {
	KEY_HS256, KEY_HS384, KEY_HS512, KEY_RS256, KEY_ES256, KEY_EDDSA,
	KEY_ALGS
};

#define KEYS_MAX	64
#define KEY_WHY		160

struct key {
	char *kid;		/* NULL: it has none */
	size_t nkid;
	char *secret;		/* HS; wiped when it is freed */
	size_t nsecret;
	EVP_PKEY *pkey;		/* the others */
};

struct keys {
	enum key_alg alg;
	int named;		/* of a JWKS: kid selects one */
	struct key v[KEYS_MAX];
	size_t n;
};

/* "RS256" and so on. */
const char *key_alg_name(enum key_alg);
int	key_alg_is_hmac(enum key_alg);

struct keys *keys_new(enum key_alg);
void	keys_free(struct keys *);

/*
 * Add what can be used of that text.  0, or -1 and a reason in why: it is
 * about a key that is not good enough, or about a text that has none.  A
 * secret has at least the length of the algorithm's hash (RFC 7518 section
 * 3.2), an RSA key 2048 bits.
 */
int	keys_add_secret(struct keys *, const char *, size_t n,
	    char why[KEY_WHY]);
/* One in each line. */
int	keys_add_secrets(struct keys *, const char *, size_t n,
	    char why[KEY_WHY]);
/* Public keys and certificates. */
int	keys_add_pem(struct keys *, const char *, size_t n,
	    char why[KEY_WHY]);
/* kid may be NULL.  The key is the set's, or freed when it will not do. */
int	keys_add_pkey(struct keys *, EVP_PKEY *, const char *kid, size_t nkid,
	    char why[KEY_WHY]);

/* Has that key made sig for text? */
int	key_verify(enum key_alg, const struct key *, hostd_buf text,
	    hostd_buf sig);

#endif
