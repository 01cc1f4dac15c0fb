/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/pack.h"
#include "net/tls_info.h"

/* The texts in their order, each with its NUL. */
static const char **
text_at(struct tls_info *t, int i)
{
	const char **texts[] = {
		&t->protocol, &t->cipher, &t->alpn, &t->server_name,
		&t->peer.verify, &t->peer.subject, &t->peer.issuer,
		&t->peer.serial, &t->peer.fingerprint
	};

	return i < (t->has_peer ? 9 : 4) ? texts[i] : NULL;
}

/* One piece of memory of it and of what b has, which is freed. */
static struct tls_info *
info_join(const struct tls_info *head, struct buf *b)
{
	struct tls_info *t = xmalloc(sizeof(*t) + b->len);
	char *p = (char *)(t + 1);
	const char **text;
	int i;

	*t = *head;
	memcpy(p, b->p, b->len);
	for (i = 0; (text = text_at(t, i)) != NULL; i++) {
		*text = p;
		p += strlen(p) + 1;
	}
	buf_free(b);
	return t;
}

static void
put(struct buf *b, const char *p, size_t n)
{
	/* What a certificate or a client says may have a NUL in it. */
	buf_append(b, p, strnlen(p, n));
	buf_append(b, "", 1);
}

static void
put_text(struct buf *b, const char *p)
{
	put(b, p == NULL ? "" : p, p == NULL ? 0 : strlen(p));
}

/* -- of a handshake -- */

static void
put_name(struct buf *b, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_RFC2253) >= 0 && (n = BIO_get_mem_data(bio, &p)) > 0)
		put(b, p, (size_t)n);
	else
		put_text(b, "");
	BIO_free(bio);
}

static void
put_serial(struct buf *b, const X509 *cert)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = n != NULL ? BN_bn2hex(n) : NULL;

	put_text(b, hex);
	OPENSSL_free(hex);
	BN_free(n);
}

static void
put_fingerprint(struct buf *b, const X509 *cert)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0, i;

	if (X509_digest(cert, EVP_sha256(), md, &n) != 1)
		n = 0;
	for (i = 0; i < n; i++)
		buf_printf(b, "%02x", md[i]);
	buf_append(b, "", 1);
}

static void
put_peer(struct buf *b, const SSL *ssl, const X509 *cert)
{
	long rc = SSL_get_verify_result(ssl);

	if (rc != X509_V_OK)
		buf_puts(b, "FAILED:");
	put_text(b, rc == X509_V_OK ? "SUCCESS" :
	    X509_verify_cert_error_string(rc));
	put_name(b, X509_get_subject_name(cert));
	put_name(b, X509_get_issuer_name(cert));
	put_serial(b, cert);
	put_fingerprint(b, cert);
}

struct tls_info *
tls_info_new(SSL *ssl)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	struct tls_info t = { .version = (uint16_t)SSL_version(ssl),
		.suite = SSL_CIPHER_get_protocol_id(cipher),
		.resumed = SSL_session_reused(ssl) == 1 };
	X509 *cert = SSL_get0_peer_certificate(ssl);
	struct buf b = { NULL, 0, 0 };
	const unsigned char *alpn;
	unsigned int n;

	SSL_get0_alpn_selected(ssl, &alpn, &n);
	put_text(&b, SSL_get_version(ssl));
	put_text(&b, SSL_CIPHER_get_name(cipher));
	put(&b, alpn != NULL ? (const char *)alpn : "", alpn != NULL ? n : 0);
	put_text(&b, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	if (cert != NULL && SSL_is_server(ssl)) {
		t.has_peer = 1;
		put_peer(&b, ssl, cert);
	}
	return info_join(&t, &b);
}

/* -- for another process -- */

void
tls_info_pack(const struct tls_info *info, struct buf *b)
{
	struct tls_info t = *info;
	const char **text;
	int i;

	pack_u32(b, t.version);
	pack_u32(b, t.suite);
	pack_u32(b, t.resumed);
	pack_u32(b, t.has_peer);
	for (i = 0; (text = text_at(&t, i)) != NULL; i++)
		pack_text(b, *text);
}

struct tls_info *
tls_info_unpack(struct unpack *u)
{
	struct tls_info t = { .version = (uint16_t)unpack_u32(u) };
	struct buf b = { NULL, 0, 0 };
	hostd_buf text;
	int i;

	t.suite = (uint16_t)unpack_u32(u);
	t.resumed = unpack_u32(u) != 0;
	t.has_peer = unpack_u32(u) != 0;
	for (i = 0; text_at(&t, i) != NULL; i++) {
		text = unpack_bytes(u);
		put(&b, text.n > 0 ? text.p : "", text.n);
	}
	if (!u->bad)
		return info_join(&t, &b);
	buf_free(&b);
	return NULL;
}
