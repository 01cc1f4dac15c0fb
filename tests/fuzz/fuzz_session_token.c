/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens of session_token, and lists of keys.
 *
 * The first byte says what the others are.  0: a token that somebody has made
 * up, 1: what is to be sealed, 2: a list of keys; others: changes to a token of
 * ours, two bytes each: where, and what is to be there.
 *
 * What must hold: a token opens if, and only if, we have made it, to what it
 * was made of, and before its end; keys that are taken seal and open.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <session_token/token.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define NOW	1700000000000u

static const char our_keys[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
    "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n";
static struct sealer *sealer;
static struct keys *keys;

static void
must(int holds)
{
	if (!holds)
		abort();
}

static struct keys *
keys_of(const char *p, size_t n)
{
	char why[200];

	return keys_new(p, n, why, sizeof(why));
}

/* Of those in tests/unit/test_session_token.c the key is known. */
static void
open_any(const uint8_t *p, size_t n)
{
	hostd_buf out;

	token_open(sealer, keys, (hostd_buf){ p, n }, NOW, &out);
	must(out.p == NULL || n == TOKEN_LEN(out.n));
	token_open(sealer, keys, (hostd_buf){ p, n }, UINT64_MAX, &out);
	must(out.p == NULL);
}

static void
seal_and_open(struct keys *k, const uint8_t *p, size_t n)
{
	static char copy[HOSTD_STORE_TOKEN_MAX];
	hostd_buf token, out;
	int32_t rc = token_seal(sealer, k, n % 2 ? TOKEN_AES_256_GCM :
	    TOKEN_CHACHA20_POLY1305, (hostd_buf){ p, n }, NOW + 1, &token);

	must(rc == (n > TOKEN_TEXT ? HOSTD_E_FULL : HOSTD_OK));
	if (rc != HOSTD_OK)
		return;
	must(token.n == TOKEN_LEN(n));
	memcpy(copy, token.p, token.n);
	token.p = copy;
	token_open(sealer, k, token, NOW, &out);
	must(out.p != NULL && out.n == n && memcmp(out.p, p, n) == 0);
	token_open(sealer, k, token, NOW + 1, &out);
	must(out.p == NULL);
}

static void
change(const uint8_t *p, size_t n)
{
	static const char text[] = "{\"cookie\":{},\"user\":42}";
	char token[TOKEN_LEN(sizeof(text))];
	hostd_buf ours, out;
	size_t i, len;

	must(token_seal(sealer, keys, TOKEN_AES_256_GCM,
	    (hostd_buf){ text, sizeof(text) }, NOW + 1, &ours) == HOSTD_OK);
	len = ours.n;
	must(len == sizeof(token));
	memcpy(token, ours.p, len);
	for (i = 0; i + 1 < n; i += 2)
		if (p[i] < len)
			token[p[i]] = (char)p[i + 1];
		else
			len = p[i + 1] % (sizeof(token) + 1);
	token_open(sealer, keys, (hostd_buf){ token, len }, NOW, &out);
	must((out.p != NULL) == (len == sizeof(token) &&
	    memcmp(token, ours.p, len) == 0));
}

static void
read_keys(const uint8_t *p, size_t n)
{
	struct keys *k = keys_of((const char *)p, n);

	if (k == NULL)
		return;
	must(keys_count(k) > 0 && keys_count(k) <= KEYS_MAX);
	seal_and_open(k, p, n > TOKEN_TEXT ? TOKEN_TEXT : n);
	keys_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (sealer == NULL) {
		sealer = sealer_new();
		keys = keys_of(our_keys, sizeof(our_keys) - 1);
		must(sealer != NULL && keys != NULL);
	}
	if (n == 0)
		return 0;
	switch (*p) {
	case 0:
		open_any(p + 1, n - 1);
		break;
	case 1:
		seal_and_open(keys, p + 1, n - 1);
		break;
	case 2:
		read_keys(p + 1, n - 1);
		break;
	default:
		change(p + 1, n - 1);
	}
	return 0;
}
