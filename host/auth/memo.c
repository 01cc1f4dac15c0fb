/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include "auth/memo.h"
#include "base/mem.h"

#define ROWS	256
#define WAYS	4	/* places that one mac may have */

/* Kept, as to make one for each request would cost more than the hash. */
static EVP_MAC_CTX *
hmac_new(const unsigned char key[MEMO_MAC])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    sizeof(digest) - 1),
		OSSL_PARAM_END
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *c = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (c != NULL && EVP_MAC_init(c, key, MEMO_MAC, params) == 1)
		return c;
	EVP_MAC_CTX_free(c);
	return NULL;
}

int
memo_init(struct memo *m)
{
	unsigned char key[MEMO_MAC];

	memset(m, 0, sizeof(*m));
	if (RAND_bytes(key, sizeof(key)) == 1)
		m->hmac = hmac_new(key);
	OPENSSL_cleanse(key, sizeof(key));
	return m->hmac != NULL ? 0 : -1;
}

void
memo_mac(const struct memo *m, hostd_buf said, unsigned char mac[MEMO_MAC])
{
	size_t n;

	if (EVP_MAC_init(m->hmac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(m->hmac, said.p, said.n) != 1 ||
	    EVP_MAC_final(m->hmac, mac, &n, MEMO_MAC) != 1 || n != MEMO_MAC)
		abort();	/* of memory that it does not need */
}

static struct memo_place *
row_of(const struct memo *m, const unsigned char mac[MEMO_MAC])
{
	return m->places + (size_t)mac[0] % ROWS * WAYS;
}

struct identity *
memo_get(const struct memo *m, const unsigned char mac[MEMO_MAC],
    uint64_t now)
{
	struct memo_place *row;
	int i;

	if (m->places == NULL)
		return NULL;
	row = row_of(m, mac);
	for (i = 0; i < WAYS; i++)
		if (row[i].until > now &&
		    CRYPTO_memcmp(row[i].mac, mac, MEMO_MAC) == 0)
			return row[i].who;
	return NULL;
}

/* The one of that mac, or the first to end. */
static struct memo_place *
choose(struct memo_place *row, const unsigned char mac[MEMO_MAC])
{
	struct memo_place *least = row;
	int i;

	for (i = 0; i < WAYS; i++) {
		if (CRYPTO_memcmp(row[i].mac, mac, MEMO_MAC) == 0)
			return &row[i];
		if (row[i].until < least->until)
			least = &row[i];
	}
	return least;
}

void
memo_put(struct memo *m, const unsigned char mac[MEMO_MAC],
    struct identity *who, uint64_t until)
{
	struct memo_place *p;

	if (m->places == NULL)
		m->places = xcalloc((size_t)ROWS * WAYS, sizeof(*m->places));
	p = choose(row_of(m, mac), mac);
	(void)identity_ref(who);
	identity_unref(p->who);
	p->who = who;
	p->until = until;
	memcpy(p->mac, mac, MEMO_MAC);
}

void
memo_forget(struct memo *m)
{
	size_t i;

	if (m->places == NULL)
		return;
	for (i = 0; i < (size_t)ROWS * WAYS; i++)
		identity_unref(m->places[i].who);
	free(m->places);
	m->places = NULL;
}

void
memo_close(struct memo *m)
{
	memo_forget(m);
	EVP_MAC_CTX_free(m->hmac);	/* which wipes it */
	m->hmac = NULL;
}
