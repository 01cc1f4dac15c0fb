/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include "auth/memo.h"
#include "base/mem.h"

#define ROWS	256
#define WAYS	4	/* places that one mac may have */

int
memo_init(struct memo *m)
{
	m->places = NULL;
	return RAND_bytes(m->key, sizeof(m->key)) == 1 ? 0 : -1;
}

void
memo_mac(const struct memo *m, hostd_buf said, unsigned char mac[MEMO_MAC])
{
	unsigned n = MEMO_MAC;

	if (HMAC(EVP_sha256(), m->key, sizeof(m->key), said.p, said.n, mac,
	    &n) == NULL)
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
