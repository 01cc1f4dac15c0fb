/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <base64/base64.h>
#include "keys.h"

#define HEX_LEN		(2 * KEY_BYTES)

/* A MAC has its key, and starts over for each text. */
struct keys {
	size_t n;
	struct {
		EVP_MAC_CTX *mac;
		unsigned char id[KEY_ID_BYTES];
	} v[KEYS_MAX];
};

static EVP_MAC_CTX *
mac_new(const unsigned char key[KEY_BYTES])
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end()
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *c = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (c != NULL && EVP_MAC_init(c, key, KEY_BYTES, params) == 1)
		return c;
	EVP_MAC_CTX_free(c);
	return NULL;
}

int
keys_derive(struct keys *k, size_t i, const void *info, size_t n,
    unsigned char out[KEY_BYTES])
{
	static const unsigned char first = 1;	/* and only block */
	EVP_MAC_CTX *c = k->v[i].mac;
	size_t len;

	return EVP_MAC_init(c, NULL, 0, NULL) == 1 &&
	    EVP_MAC_update(c, info, n) == 1 &&
	    EVP_MAC_update(c, &first, 1) == 1 &&
	    EVP_MAC_final(c, out, &len, KEY_BYTES) == 1 &&
	    len == KEY_BYTES ? 0 : -1;
}

/* -- lists -- */

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
hex_decode(const char *p, unsigned char out[KEY_BYTES])
{
	size_t i;
	int hi, lo;

	for (i = 0; i < KEY_BYTES; i++) {
		hi = digit(p[2 * i]);
		lo = digit(p[2 * i + 1]);
		if (hi == -1 || lo == -1)
			return -1;
		out[i] = (unsigned char)(hi << 4 | lo);
	}
	return 0;
}

static int
key_decode(const char *p, size_t n, unsigned char out[KEY_BYTES + 1])
{
	if (n == HEX_LEN)
		return hex_decode(p, out);
	if (n == BASE64_LEN(KEY_BYTES))
		return base64_decode(p, n, out) == KEY_BYTES ? 0 : -1;
	if (n == BASE64URL_LEN(KEY_BYTES))
		return base64url_decode(p, n, out) == KEY_BYTES ? 0 : -1;
	return -1;
}

/* Returns what is wrong with it, or NULL. */
static const char *
key_add(struct keys *k, const char *p, size_t n)
{
	static const char info[] = "hostd session_token: id of a key";
	unsigned char key[KEY_BYTES + 1], id[KEY_BYTES];
	const char *wrong = NULL;

	if (k->n == KEYS_MAX)
		return "there are more keys than 32; remove the oldest, which "
		    "are the last";
	if (key_decode(p, n, key) == -1)
		wrong = "a key is 32 random bytes, in 64 hexadecimal digits or "
		    "44 characters of base64, for example from: openssl rand "
		    "-base64 32";
	else if ((k->v[k->n].mac = mac_new(key)) == NULL)
		wrong = "OpenSSL has no HMAC with SHA-256 for us; look at its "
		    "configuration (openssl.cnf)";
	else if (keys_derive(k, k->n++, info, sizeof(info) - 1, id) == -1)
		wrong = "OpenSSL fails to compute an HMAC";
	else
		memcpy(k->v[k->n - 1].id, id, KEY_ID_BYTES);
	OPENSSL_cleanse(key, sizeof(key));
	return wrong;
}

static int
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static const char *
line_add(struct keys *k, const char *p, size_t n)
{
	while (n > 0 && is_blank(*p))
		p++, n--;
	while (n > 0 && is_blank(p[n - 1]))
		n--;
	return n == 0 || *p == '#' ? NULL : key_add(k, p, n);
}

struct keys *
keys_new(const char *text, size_t n, char *why, size_t size)
{
	struct keys *k = calloc(1, sizeof(*k));
	const char *end = text + n, *line, *next, *wrong = NULL;
	unsigned number = 0;

	if (k == NULL) {
		(void)snprintf(why, size, "out of memory");
		return NULL;
	}
	for (line = text; line < end && wrong == NULL; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL)
			next = end;
		number++;
		wrong = line_add(k, line, (size_t)(next - line));
	}
	if (wrong == NULL && k->n > 0)
		return k;
	if (wrong != NULL)
		(void)snprintf(why, size, "line %u: %s", number, wrong);
	else
		(void)snprintf(why, size, "there is no key in it; write one, "
		    "for example from: openssl rand -base64 32");
	keys_free(k);
	return NULL;
}

void
keys_free(struct keys *k)
{
	size_t i;

	if (k == NULL)
		return;
	for (i = 0; i < k->n; i++)
		EVP_MAC_CTX_free(k->v[i].mac);	/* which wipes it */
	free(k);
}

size_t
keys_count(const struct keys *k)
{
	return k->n;
}

const unsigned char *
keys_id(const struct keys *k, size_t i)
{
	return k->v[i].id;
}
