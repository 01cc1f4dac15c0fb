/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>
#include <openssl/crypto.h>
#include "config/x509.h"
#include "net/tls_certificate.h"

static enum tls_kind
kind_of(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA_PSS:
		return TLS_RSA_PSS;
	case EVP_PKEY_EC:
		return TLS_EC;
	case EVP_PKEY_ED25519:
		return TLS_ED25519;
	case EVP_PKEY_ED448:
		return TLS_ED448;
	default:
		return TLS_RSA;
	}
}

int
tls_certificate_open(struct tls_certificate *c,
    const struct conf_certificate *conf)
{
	memset(c, 0, sizeof(*c));
	if (conf->chain.p == NULL || conf->key.p == NULL)
		return -1;
	c->conf = conf;
	c->chain = x509_read_chain(conf->chain.p, conf->chain.n);
	c->key = x509_read_key(conf->key.p, conf->key.n, conf->password.p);
	if (c->chain == NULL || c->key == NULL) {
		tls_certificate_close(c);
		return -1;
	}
	c->x = sk_X509_shift(c->chain);
	c->kind = kind_of(c->key);
	return 0;
}

void
tls_certificate_close(struct tls_certificate *c)
{
	X509_free(c->x);
	x509_free_chain(c->chain);
	EVP_PKEY_free(c->key);
	memset(c, 0, sizeof(*c));
}

int
tls_certificate_use(const struct tls_certificate *c, SSL_CTX *ctx)
{
	return SSL_CTX_use_cert_and_key(ctx, c->x, c->key, c->chain, 1) == 1 ?
	    0 : -1;
}

/* One that has ended does more harm than none: clients would not connect. */
int
tls_certificate_staple(const struct tls_certificate *c, SSL *ssl)
{
	const struct conf_certificate *conf = c->conf;
	unsigned char *p;

	if (conf->ocsp.p == NULL || (conf->ocsp_until != 0 &&
	    conf->ocsp_until <= (int64_t)time(NULL)))
		return SSL_TLSEXT_ERR_NOACK;
	p = OPENSSL_memdup(conf->ocsp.p, conf->ocsp.n);
	if (p == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	(void)SSL_set_tlsext_status_ocsp_resp(ssl, p, (long)conf->ocsp.n);
	return SSL_TLSEXT_ERR_OK;
}
