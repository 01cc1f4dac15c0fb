/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "token.h"

#define AT_ID		1
#define AT_SALT		(AT_ID + KEY_ID_BYTES)
#define AT_END		(AT_SALT + TOKEN_SALT)
#define END_BYTES	6
#define END_MAX		(((uint64_t)1 << 8 * END_BYTES) - 1)
#define NFORMS		2

struct sealer {
	EVP_CIPHER_CTX *ciphers[NFORMS];	/* of form 1, 2 */
	EVP_CIPHER_CTX *ctx;		/* the one that is being used */
	unsigned char raw[TOKEN_RAW];
	unsigned char text[TOKEN_RAW];
	char token[HOSTD_STORE_TOKEN_MAX];
};

/* What has its cipher is only given another key for each token. */
static EVP_CIPHER_CTX *
cipher_new(const char *name)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int ok = cipher != NULL && c != NULL &&
	    EVP_CipherInit_ex2(c, cipher, NULL, NULL, 0, NULL) == 1;

	EVP_CIPHER_free(cipher);
	if (ok)
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

struct sealer *
sealer_new(void)
{
	struct sealer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->ciphers[TOKEN_AES_256_GCM - 1] = cipher_new("AES-256-GCM");
	s->ciphers[TOKEN_CHACHA20_POLY1305 - 1] =
	    cipher_new("ChaCha20-Poly1305");
	if (s->ciphers[0] != NULL && s->ciphers[1] != NULL)
		return s;
	sealer_free(s);
	return NULL;
}

void
sealer_free(struct sealer *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < NFORMS; i++)
		EVP_CIPHER_CTX_free(s->ciphers[i]);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* -- the key of one token -- */

static int
derive(struct keys *k, size_t i, const unsigned char *head,
    unsigned char key[KEY_BYTES])
{
	static const char label[] = "hostd session_token: key of form ";
	unsigned char info[sizeof(label) + TOKEN_SALT];

	memcpy(info, label, sizeof(label) - 1);
	info[sizeof(label) - 1] = *head;
	memcpy(info + sizeof(label), head + AT_SALT, TOKEN_SALT);
	return keys_derive(k, i, info, sizeof(info), key);
}

/* The head is authenticated, too: a form, id or end that was changed is found
 * out. */
static int
cipher_start(struct sealer *s, const unsigned char key[KEY_BYTES], int seals)
{
	static const unsigned char nonce[12];
	int n;

	s->ctx = s->ciphers[s->raw[0] - 1];
	return EVP_CipherInit_ex2(s->ctx, NULL, key, nonce, seals, NULL) == 1 &&
	    EVP_CipherUpdate(s->ctx, NULL, &n, s->raw, TOKEN_HEAD) == 1 ?
	    0 : -1;
}

/* -- sealing -- */

static int
encrypt(struct sealer *s, const unsigned char key[KEY_BYTES], hostd_buf text)
{
	unsigned char *out = s->raw + TOKEN_HEAD;
	int n = 0, last;

	if (cipher_start(s, key, 1) == -1)
		return -1;
	if (text.n > 0 && EVP_CipherUpdate(s->ctx, out, &n, text.p,
	    (int)text.n) != 1)
		return -1;
	if (EVP_CipherFinal_ex(s->ctx, out + n, &last) != 1 ||
	    (size_t)(n + last) != text.n)
		return -1;
	return EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, TOKEN_TAG,
	    out + text.n) == 1 ? 0 : -1;
}

static int
head_make(struct sealer *s, const struct keys *k, enum token_form form,
    uint64_t end_ms)
{
	unsigned i;

	if (end_ms > END_MAX)
		end_ms = END_MAX;
	s->raw[0] = (unsigned char)form;
	memcpy(s->raw + AT_ID, keys_id(k, 0), KEY_ID_BYTES);
	for (i = 0; i < END_BYTES; i++)
		s->raw[AT_END + i] = (unsigned char)(end_ms >>
		    8 * (END_BYTES - 1 - i));
	return getrandom(s->raw + AT_SALT, TOKEN_SALT, 0) == TOKEN_SALT ?
	    0 : -1;
}

int32_t
token_seal(struct sealer *s, struct keys *k, enum token_form form,
    hostd_buf text, uint64_t end_ms, hostd_buf *out)
{
	unsigned char key[KEY_BYTES];
	int rc = -1;

	if (text.n > TOKEN_TEXT)
		return HOSTD_E_FULL;
	if (head_make(s, k, form, end_ms) == 0 &&
	    derive(k, 0, s->raw, key) == 0)
		rc = encrypt(s, key, text);
	OPENSSL_cleanse(key, sizeof(key));
	if (rc == -1)
		return HOSTD_E_IO;
	out->p = s->token;
	out->n = base64url_encode(s->raw, TOKEN_HEAD + text.n + TOKEN_TAG,
	    s->token);
	return HOSTD_OK;
}

/* -- opening -- */

static int
decrypt(struct sealer *s, const unsigned char key[KEY_BYTES], size_t len)
{
	unsigned char *in = s->raw + TOKEN_HEAD;
	int n = 0, last;

	if (cipher_start(s, key, 0) == -1)
		return -1;
	if (len > 0 && EVP_CipherUpdate(s->ctx, s->text, &n, in,
	    (int)len) != 1)
		return -1;
	if (EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, TOKEN_TAG,
	    in + len) != 1)
		return -1;
	return EVP_CipherFinal_ex(s->ctx, s->text + n, &last) == 1 ? 0 : -1;
}

static int
open_by(struct sealer *s, struct keys *k, size_t i, size_t len)
{
	unsigned char key[KEY_BYTES];
	int rc = -1;

	if (memcmp(keys_id(k, i), s->raw + AT_ID, KEY_ID_BYTES) == 0 &&
	    derive(k, i, s->raw, key) == 0)
		rc = decrypt(s, key, len);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

static uint64_t
end_of(const struct sealer *s)
{
	uint64_t end = 0;
	unsigned i;

	for (i = 0; i < END_BYTES; i++)
		end = end << 8 | s->raw[AT_END + i];
	return end;
}

void
token_open(struct sealer *s, struct keys *k, hostd_buf token, uint64_t now_ms,
    hostd_buf *out)
{
	ssize_t n;
	size_t i, len;

	*out = (hostd_buf){ NULL, 0 };
	if (token.n < TOKEN_LEN(0) || token.n > HOSTD_STORE_TOKEN_MAX)
		return;
	n = base64url_decode(token.p, token.n, s->raw);
	if (n == -1 || s->raw[0] == 0 || s->raw[0] > NFORMS)
		return;
	len = (size_t)n - TOKEN_HEAD - TOKEN_TAG;
	for (i = 0; i < keys_count(k) && open_by(s, k, i, len) == -1; i++)
		;
	if (i < keys_count(k) && now_ms < end_of(s))
		*out = (hostd_buf){ s->text, len };
}
