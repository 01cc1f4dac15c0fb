/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of TLS 1.2 and 1.3 with the keys of the application's data (RFC 5246
 * 6.2.3, RFC 8446 5.2): AES-GCM and ChaCha20-Poly1305.  Handshakes are
 * OpenSSL's; what it has agreed on is a struct tls_keys for each direction,
 * which is all that another process needs to go on.
 */
#ifndef NET_TLS_RECORD_H
#define NET_TLS_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <openssl/types.h>

#define TLS_1_2		0x0303
#define TLS_1_3		0x0304

#define TLS_HEADER	5
#define TLS_PLAIN_MAX	16384		/* bytes of a record's content */
#define TLS_RECORD_MAX	(TLS_HEADER + TLS_PLAIN_MAX + 256)
#define TLS_EXPANSION	(TLS_HEADER + 8 + 16)	/* at most, of one of ours */
#define TLS_SECRET_MAX	48

enum tls_type {
	TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT, TLS_HANDSHAKE, TLS_DATA
};

enum tls_alert {
	TLS_CLOSE_NOTIFY = 0,
	TLS_UNEXPECTED_MESSAGE = 10,
	TLS_BAD_RECORD_MAC = 20,
	TLS_RECORD_OVERFLOW = 22,
	TLS_DECODE_ERROR = 50,
	TLS_INTERNAL_ERROR = 80,
	TLS_NO_RENEGOTIATION = 100
};

enum tls_aead { TLS_AES_128_GCM = 1, TLS_AES_256_GCM, TLS_CHACHA20_POLY1305 };

/* One direction. */
struct tls_keys {
	uint64_t seq;			/* of the next record */
	uint16_t version;
	uint8_t aead;			/* enum tls_aead */
	uint8_t secret_len;		/* 1.3: 32 (SHA-256) or 48 (SHA-384) */
	unsigned char secret[TLS_SECRET_MAX];	/* 1.3: what the next is of */
	unsigned char key[32];
	unsigned char iv[12];		/* 1.2 with GCM: the first 4 */
};

/* The same with OpenSSL's state for it. */
struct tls_half {
	struct tls_keys keys;
	EVP_CIPHER_CTX *ctx;
};

struct iovec;

/* 0, or -1: these are no keys, or OpenSSL can't. */
int	tls_half_open(struct tls_half *, const struct tls_keys *, int sealing);
void	tls_half_close(struct tls_half *);

/* 1.3: keys of a traffic secret of that many bytes; its length says which hash
 * it is of.  0, or -1. */
int	tls_keys_of_secret(struct tls_keys *, enum tls_aead,
	    const unsigned char *secret, size_t n);
/* 1.2: both directions' keys of what the handshake has come to.  digest:
 * "SHA256" or "SHA384".  0, or -1. */
int	tls_keys_of_master(struct tls_keys *client, struct tls_keys *server,
	    enum tls_aead, const char *digest, const unsigned char *master,
	    size_t n, const unsigned char client_random[32],
	    const unsigned char server_random[32]);
/* 1.3: after a KeyUpdate.  0, or -1. */
int	tls_half_update(struct tls_half *, int sealing);

/*
 * Seal a record: n bytes (at most TLS_PLAIN_MAX) of what iov describes, into
 * out, which has room for n + TLS_EXPANSION.  How long it is; 0: OpenSSL has
 * failed.
 */
size_t	tls_seal(struct tls_half *, enum tls_type, const struct iovec *,
	    size_t n, unsigned char *out);

/*
 * How long the record is that begins there, with its header; 0: there is not
 * enough of it to say; -1: it is none, and *alert says what it is instead.
 */
ssize_t	tls_record_length(const struct tls_half *, const unsigned char *,
	    size_t n, enum tls_alert *alert);
/* Bytes that tls_open may write, content and all. */
size_t	tls_open_room(const struct tls_half *, size_t record);
/*
 * Open a whole record into out, which lies elsewhere: bytes of content, of that
 * type; -1: there is nothing in out, and *alert says why.
 */
ssize_t	tls_open(struct tls_half *, const unsigned char *record, size_t n,
	    unsigned char *out, enum tls_type *, enum tls_alert *alert);

#endif
