/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/uio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include "net/tls_record.h"

#define TAG		16
#define EXPLICIT	8	/* 1.2 with GCM: a part of the nonce */
#define NONCE		12
#define BLOCK_MAX	(2 * (32 + 12))	/* of 1.2's keys */
#define SMALL		2048	/* copied for less than what another call of
				   OpenSSL's costs */

static const struct aead {
	const char *name;
	size_t key, salt;	/* salt: of 1.2 */
} aeads[] = {
	[TLS_AES_128_GCM] = { "AES-128-GCM", 16, 4 },
	[TLS_AES_256_GCM] = { "AES-256-GCM", 32, 4 },
	[TLS_CHACHA20_POLY1305] = { "ChaCha20-Poly1305", 32, NONCE },
};

static int
is_explicit(const struct tls_keys *k)
{
	return k->version == TLS_1_2 && k->aead != TLS_CHACHA20_POLY1305;
}

/* Bytes of a record that are not its content, its header left out. */
static size_t
overhead(const struct tls_keys *k)
{
	return TAG + (is_explicit(k) ? EXPLICIT : 0) +
	    (k->version == TLS_1_3 ? 1 : 0);
}

/* -- keys -- */

/* Looking one up takes longer than a record. */
static const EVP_CIPHER *
cipher_of(unsigned aead)
{
	static EVP_CIPHER *found[sizeof(aeads) / sizeof(aeads[0])];

	if (found[aead] == NULL)
		found[aead] = EVP_CIPHER_fetch(NULL, aeads[aead].name, NULL);
	return found[aead];
}

static int
is_sound(const struct tls_keys *k)
{
	return (k->version == TLS_1_2 || k->version == TLS_1_3) &&
	    k->aead >= TLS_AES_128_GCM && k->aead <= TLS_CHACHA20_POLY1305 &&
	    (k->version == TLS_1_2 ? k->secret_len == 0 :
	    k->secret_len == 32 || k->secret_len == 48);
}

int
tls_half_open(struct tls_half *h, const struct tls_keys *k, int sealing)
{
	const EVP_CIPHER *cipher;

	h->ctx = NULL;
	if (!is_sound(k) || (cipher = cipher_of(k->aead)) == NULL ||
	    (h->ctx = EVP_CIPHER_CTX_new()) == NULL)
		return -1;
	h->keys = *k;
	if (EVP_CipherInit_ex(h->ctx, cipher, NULL, k->key, NULL,
	    sealing) == 1)
		return 0;
	tls_half_close(h);
	return -1;
}

void
tls_half_close(struct tls_half *h)
{
	EVP_CIPHER_CTX_free(h->ctx);
	OPENSSL_cleanse(h, sizeof(*h));
}

/* HMAC with that hash, without a key yet; as with ciphers. */
static EVP_MAC_CTX *
hmac_of(size_t secret_len)
{
	static EVP_MAC_CTX *found[2];
	int is_384 = secret_len == 48;
	char digest[] = "SHA256", longer[] = "SHA384";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    is_384 ? longer : digest, 0),
		OSSL_PARAM_construct_end()
	};
	EVP_MAC *mac;

	if (found[is_384] != NULL)
		return found[is_384];
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	found[is_384] = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (EVP_MAC_CTX_set_params(found[is_384], params) != 1) {
		EVP_MAC_CTX_free(found[is_384]);
		found[is_384] = NULL;
	}
	return found[is_384];
}

/* HKDF-Expand-Label without a context (RFC 8446 7.1), of one block at most. */
static int
expand(const struct tls_keys *k, const char *label, unsigned char *out,
    size_t n)
{
	EVP_MAC_CTX *mac = hmac_of(k->secret_len);
	size_t len = strlen(label), size;
	unsigned char info[32], block[EVP_MAX_MD_SIZE];
	int rc = -1;

	info[0] = 0;
	info[1] = (unsigned char)n;
	info[2] = (unsigned char)(6 + len);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, len);
	info[9 + len] = 0;
	info[10 + len] = 1;
	if (mac != NULL &&
	    EVP_MAC_init(mac, k->secret, k->secret_len, NULL) == 1 &&
	    EVP_MAC_update(mac, info, 11 + len) == 1 &&
	    EVP_MAC_final(mac, block, &size, sizeof(block)) == 1 &&
	    size >= n) {
		memcpy(out, block, n);
		rc = 0;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return rc;
}

int
tls_keys_of_secret(struct tls_keys *k, enum tls_aead aead,
    const unsigned char *secret, size_t n)
{
	memset(k, 0, sizeof(*k));
	k->version = TLS_1_3;
	k->aead = (uint8_t)aead;
	if (n != 32 && n != 48)
		return -1;
	k->secret_len = (uint8_t)n;
	memcpy(k->secret, secret, n);
	return is_sound(k) && expand(k, "key", k->key, aeads[aead].key) == 0 ?
	    expand(k, "iv", k->iv, NONCE) : -1;
}

int
tls_half_update(struct tls_half *h, int sealing)
{
	unsigned char next[TLS_SECRET_MAX];
	size_t n = h->keys.secret_len;
	int rc = -1;

	if (h->keys.version == TLS_1_3 &&
	    expand(&h->keys, "traffic upd", next, n) == 0 &&
	    tls_keys_of_secret(&h->keys, (enum tls_aead)h->keys.aead, next,
	    n) == 0 && EVP_CipherInit_ex(h->ctx, NULL, NULL, h->keys.key,
	    NULL, sealing) == 1)
		rc = 0;
	OPENSSL_cleanse(next, sizeof(next));
	return rc;
}

/* The key block of RFC 5246 6.3. */
static int
key_block(unsigned char *out, size_t len, const char *digest,
    const unsigned char *master, size_t n, const unsigned char *client_random,
    const unsigned char *server_random)
{
	unsigned char seed[13 + 64];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST,
		    (void *)(uintptr_t)digest, strlen(digest)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SECRET,
		    (void *)(uintptr_t)master, n),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SEED, seed,
		    sizeof(seed)),
		OSSL_PARAM_END
	};
	int rc;

	memcpy(seed, "key expansion", 13);
	memcpy(seed + 13, server_random, 32);
	memcpy(seed + 45, client_random, 32);
	rc = ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1 ? 0 : -1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

int
tls_keys_of_master(struct tls_keys *client, struct tls_keys *server,
    enum tls_aead aead, const char *digest, const unsigned char *master,
    size_t n, const unsigned char client_random[32],
    const unsigned char server_random[32])
{
	size_t key = aeads[aead].key, salt = aeads[aead].salt;
	unsigned char block[BLOCK_MAX];
	int rc = key_block(block, 2 * (key + salt), digest, master, n,
	    client_random, server_random);

	memset(client, 0, sizeof(*client));
	client->version = TLS_1_2;
	client->aead = (uint8_t)aead;
	/* Both have sent their Finished. */
	client->seq = 1;
	*server = *client;
	memcpy(client->key, block, key);
	memcpy(server->key, block + key, key);
	memcpy(client->iv, block + 2 * key, salt);
	memcpy(server->iv, block + 2 * key + salt, salt);
	OPENSSL_cleanse(block, sizeof(block));
	return rc;
}

/* -- records -- */

static void
put_u64(unsigned char *p, uint64_t v)
{
	int i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = (unsigned char)v;
}

/* RFC 8446 5.3, RFC 7905 2, RFC 5288 3; of the last, given is what stands in
 * the record. */
static void
nonce_of(const struct tls_keys *k, const unsigned char *given,
    unsigned char *nonce)
{
	unsigned char seq[8];
	size_t i;

	memcpy(nonce, k->iv, NONCE);
	if (given != NULL) {
		memcpy(nonce + 4, given, EXPLICIT);
		return;
	}
	put_u64(seq, k->seq);
	for (i = 0; i < sizeof(seq); i++)
		nonce[4 + i] ^= seq[i];
}

/* What is not encrypted but has to be right; how long that is. */
static int
additional(const struct tls_keys *k, const unsigned char *header, size_t n,
    unsigned char *aad)
{
	if (k->version == TLS_1_3) {
		memcpy(aad, header, TLS_HEADER);
		return TLS_HEADER;
	}
	put_u64(aad, k->seq);
	memcpy(aad + 8, header, 3);
	aad[11] = (unsigned char)(n >> 8);
	aad[12] = (unsigned char)n;
	return 13;
}

static int
begin(struct tls_half *h, const unsigned char *header,
    const unsigned char *given, size_t n)
{
	unsigned char nonce[NONCE], aad[13];
	int len = additional(&h->keys, header, n, aad);

	nonce_of(&h->keys, given, nonce);
	return EVP_CipherInit_ex(h->ctx, NULL, NULL, NULL, nonce, -1) == 1 &&
	    EVP_CipherUpdate(h->ctx, NULL, &len, aad, len) == 1 ? 0 : -1;
}

static size_t
put_header(const struct tls_keys *k, enum tls_type type, size_t n,
    unsigned char *out)
{
	size_t len = n + overhead(k);

	out[0] = k->version == TLS_1_3 ? TLS_DATA : (unsigned char)type;
	out[1] = 3;
	out[2] = 3;
	out[3] = (unsigned char)(len >> 8);
	out[4] = (unsigned char)len;
	return TLS_HEADER + len;
}

/* Put together first, and encrypted where it is; returns its end, or NULL. */
static unsigned char *
encrypt_small(struct tls_half *h, unsigned char inner, const struct iovec *iov,
    size_t n, unsigned char *out)
{
	unsigned char *p = out;
	size_t part;
	int len;

	for (; n > 0; n -= part, p += part, iov++) {
		part = iov->iov_len < n ? iov->iov_len : n;
		memcpy(p, iov->iov_base, part);
	}
	if (h->keys.version == TLS_1_3)
		*p++ = inner;
	if (p > out && EVP_EncryptUpdate(h->ctx, out, &len, out,
	    (int)(p - out)) != 1)
		return NULL;
	return p;
}

/* The same without a copy. */
static unsigned char *
encrypt_large(struct tls_half *h, unsigned char inner, const struct iovec *iov,
    size_t n, unsigned char *out)
{
	size_t part;
	int len;

	for (; n > 0; n -= part, out += part, iov++) {
		part = iov->iov_len < n ? iov->iov_len : n;
		if (EVP_EncryptUpdate(h->ctx, out, &len, iov->iov_base,
		    (int)part) != 1)
			return NULL;
	}
	if (h->keys.version == TLS_1_3 &&
	    EVP_EncryptUpdate(h->ctx, out++, &len, &inner, 1) != 1)
		return NULL;
	return out;
}

/* The content, and its type behind it. */
static int
seal_content(struct tls_half *h, enum tls_type type, const struct iovec *iov,
    size_t n, unsigned char *out)
{
	int len;

	out = n <= SMALL ? encrypt_small(h, (unsigned char)type, iov, n, out) :
	    encrypt_large(h, (unsigned char)type, iov, n, out);
	return out != NULL && EVP_EncryptFinal_ex(h->ctx, out, &len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(h->ctx, EVP_CTRL_AEAD_GET_TAG, TAG,
	    out) == 1 ? 0 : -1;
}

size_t
tls_seal(struct tls_half *h, enum tls_type type, const struct iovec *iov,
    size_t n, unsigned char *out)
{
	size_t len = put_header(&h->keys, type, n, out);
	unsigned char *given = NULL, *p = out + TLS_HEADER;

	if (is_explicit(&h->keys)) {
		given = p;
		put_u64(given, h->keys.seq);
		p += EXPLICIT;
	}
	if (begin(h, out, given, n) == -1 ||
	    seal_content(h, type, iov, n, p) == -1)
		return 0;
	h->keys.seq++;
	return len;
}

ssize_t
tls_record_length(const struct tls_half *h, const unsigned char *p, size_t n,
    enum tls_alert *alert)
{
	const struct tls_keys *k = &h->keys;
	size_t len, most = k->version == TLS_1_3 ? TLS_PLAIN_MAX + 256 :
	    TLS_PLAIN_MAX + overhead(k);

	if (n < TLS_HEADER)
		return 0;
	if (p[0] < TLS_CHANGE_CIPHER_SPEC || p[0] > TLS_DATA || p[1] != 3 ||
	    (k->version == TLS_1_3 && p[0] != TLS_DATA)) {
		*alert = TLS_UNEXPECTED_MESSAGE;
		return -1;
	}
	len = (size_t)p[3] << 8 | p[4];
	if (len > most) {
		*alert = TLS_RECORD_OVERFLOW;
		return -1;
	}
	if (len < overhead(k)) {
		*alert = TLS_BAD_RECORD_MAC;
		return -1;
	}
	return (ssize_t)(TLS_HEADER + len);
}

size_t
tls_open_room(const struct tls_half *h, size_t record)
{
	return record - TLS_HEADER - overhead(&h->keys) +
	    (h->keys.version == TLS_1_3 ? 1 : 0);
}

static int
open_content(struct tls_half *h, const unsigned char *p, size_t n,
    unsigned char *out)
{
	int len;

	return EVP_DecryptUpdate(h->ctx, out, &len, p, (int)n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(h->ctx, EVP_CTRL_AEAD_SET_TAG, TAG,
	    (void *)(uintptr_t)(p + n)) == 1 &&
	    EVP_DecryptFinal_ex(h->ctx, out + n, &len) == 1 ? 0 : -1;
}

/* 1.3: without its padding and type; -1: it is nothing else. */
static ssize_t
content_of(const unsigned char *p, size_t n, enum tls_type *type)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	if (n == 0)
		return -1;
	*type = (enum tls_type)p[n - 1];
	return (ssize_t)n - 1;
}

ssize_t
tls_open(struct tls_half *h, const unsigned char *record, size_t n,
    unsigned char *out, enum tls_type *type, enum tls_alert *alert)
{
	size_t room = tls_open_room(h, n);
	const unsigned char *p = record + TLS_HEADER, *given = NULL;
	ssize_t len = (ssize_t)room;

	if (is_explicit(&h->keys)) {
		given = p;
		p += EXPLICIT;
	}
	if (begin(h, record, given, room) == -1 ||
	    open_content(h, p, room, out) == -1) {
		OPENSSL_cleanse(out, room);
		*alert = TLS_BAD_RECORD_MAC;
		return -1;
	}
	h->keys.seq++;
	*type = (enum tls_type)record[0];
	if (h->keys.version == TLS_1_3 &&
	    (len = content_of(out, room, type)) == -1) {
		*alert = TLS_UNEXPECTED_MESSAGE;
		return -1;
	}
	if (len > TLS_PLAIN_MAX) {
		OPENSSL_cleanse(out, room);
		*alert = TLS_RECORD_OVERFLOW;
		return -1;
	}
	return len;
}
