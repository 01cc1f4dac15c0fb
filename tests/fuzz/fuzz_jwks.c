/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with keys.  The first byte chooses the algorithm, and whether it is a
 * set of keys, PEM, or secrets.
 *
 * What must hold: keys that are taken are good enough, and may be used.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include "auth/jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
check_key(const struct keys *keys, const struct key *k)
{
	static const size_t least[] = { 32, 48, 64 };
	char zeros[64] = "";
	const hostd_buf text = { "x", 1 }, sig = { zeros, sizeof(zeros) };

	if (key_alg_is_hmac(keys->alg))
		must(k->pkey == NULL && k->nsecret >= least[keys->alg]);
	else
		must(k->pkey != NULL && k->secret == NULL);
	if (keys->alg == KEY_RS256)
		must(EVP_PKEY_get_bits(k->pkey) >= 2048);
	/* With the point of order 1, Ed25519 takes zeros for anything: that
	 * key is whoever's wrote the file. */
	if (keys->alg != KEY_EDDSA)
		must(!key_verify(keys->alg, k, text, sig));
	else
		(void)key_verify(keys->alg, k, text, sig);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;
	char why[KEY_WHY] = "";
	struct keys *keys;
	size_t i;
	int rc;

	if (size < 1)
		return 0;
	size--;
	keys = keys_new((enum key_alg)(data[0] % KEY_ALGS));
	if (data[0] / KEY_ALGS % 3 == 0)
		rc = jwks_add(keys, p, size, why);
	else if (key_alg_is_hmac(keys->alg))
		rc = keys_add_secrets(keys, p, size, why);
	else
		rc = keys_add_pem(keys, p, size, why);
	must(rc == 0 ? keys->n > 0 : why[0] != '\0');
	must(memchr(why, '\0', sizeof(why)) != NULL);
	for (i = 0; rc == 0 && i < keys->n; i++)
		check_key(keys, &keys->v[i]);
	keys_free(keys);
	return 0;
}
