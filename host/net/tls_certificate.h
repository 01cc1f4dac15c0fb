/* SPDX-License-Identifier: BSD-2-Clause */
/* A certificate block as OpenSSL has it. */
#ifndef NET_TLS_CERTIFICATE_H
#define NET_TLS_CERTIFICATE_H

#include <openssl/ssl.h>
#include "config/model.h"

/* Kinds of keys, of each of which a server has one certificate. */
enum tls_kind { TLS_RSA, TLS_RSA_PSS, TLS_EC, TLS_ED25519, TLS_ED448,
	TLS_KINDS };

struct tls_certificate {
	const struct conf_certificate *conf;
	enum tls_kind kind;
	X509 *x;
	STACK_OF(X509) *chain;		/* what comes behind it */
	EVP_PKEY *key;
};

/* 0, or -1 and nothing is to be closed. */
int	tls_certificate_open(struct tls_certificate *,
	    const struct conf_certificate *);
void	tls_certificate_close(struct tls_certificate *);
/* 0, or -1: OpenSSL does not want it. */
int	tls_certificate_use(const struct tls_certificate *, SSL_CTX *);
/* Staple what is there for it: SSL_TLSEXT_ERR_*. */
int	tls_certificate_staple(const struct tls_certificate *, SSL *);

#endif
