/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "base/log.h"
#include "base/mem.h"
#include "config/x509.h"
#include "net/tls.h"
#include "net/tls_client.h"
#include "net/tls_sessions.h"

#define CIPHERS	"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"
#define SUITES	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"

struct tls_client {
	SSL_CTX *ctx;
	int checked;
};

static int
set_trust(SSL_CTX *ctx, const struct tls_client_options *o)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	STACK_OF(X509) *all;
	int i, rc = 0;

	if (o->ca_file != NULL)
		return SSL_CTX_load_verify_file(ctx, o->ca_file) == 1 ? 0 : -1;
	if (o->ca == NULL)
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ? 0 : -1;
	if ((all = x509_read_chain(o->ca, o->ca_len)) == NULL)
		return -1;
	for (i = 0; i < sk_X509_num(all) && rc == 0; i++)
		if (X509_STORE_add_cert(store, sk_X509_value(all, i)) != 1)
			rc = -1;
	x509_free_chain(all);
	return rc;
}

/* The first is ours, the others lead to whoever signed it. */
static int
set_chain(SSL_CTX *ctx, const struct tls_client_options *o)
{
	STACK_OF(X509) *all = x509_read_chain(o->chain, o->chain_len);
	EVP_PKEY *key = x509_read_key(o->key, o->key_len, NULL);
	int i, rc = -1;

	if (all != NULL && key != NULL && SSL_CTX_use_certificate(ctx,
	    sk_X509_value(all, 0)) == 1 && SSL_CTX_use_PrivateKey(ctx,
	    key) == 1)
		rc = 0;
	for (i = 1; rc == 0 && i < sk_X509_num(all); i++)
		if (SSL_CTX_add1_chain_cert(ctx, sk_X509_value(all, i)) != 1)
			rc = -1;
	EVP_PKEY_free(key);
	if (all != NULL)
		x509_free_chain(all);
	return rc;
}

static int
set_identity(SSL_CTX *ctx, const struct tls_client_options *o)
{
	if (o->pem_file != NULL)
		return SSL_CTX_use_certificate_chain_file(ctx,
		    o->pem_file) == 1 && SSL_CTX_use_PrivateKey_file(ctx,
		    o->pem_file, SSL_FILETYPE_PEM) == 1 ? 0 : -1;
	return o->chain == NULL ? 0 : set_chain(ctx, o);
}

static int
set_all(SSL_CTX *ctx, const struct tls_client_options *o)
{
	tls_prepare(ctx);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, o->unchecked ? SSL_VERIFY_NONE :
	    SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, o->min_version != 0 ?
	    o->min_version : TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, o->max_version) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, SUITES) != 1)
		return -1;
	if (!o->unchecked && set_trust(ctx, o) == -1)
		return -1;
	if (o->reuse && tls_sessions_keep(ctx) == -1)
		return -1;
	return set_identity(ctx, o);
}

struct tls_client *
tls_client_new(const struct tls_client_options *o, char *why, size_t size)
{
	struct tls_client *t = xcalloc(1, sizeof(*t));

	ERR_clear_error();
	t->checked = !o->unchecked;
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx != NULL && set_all(t->ctx, o) == 0)
		return t;
	(void)snprintf(why, size, "%s", x509_why());
	tls_client_free(t);
	return NULL;
}

void
tls_client_free(struct tls_client *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

static int
is_address(const char *name)
{
	struct in6_addr raw;

	return inet_pton(AF_INET, name, &raw) == 1 ||
	    inet_pton(AF_INET6, name, &raw) == 1;
}

SSL *
tls_client_connect(struct tls_client *t, const char *name, const char *where)
{
	SSL *ssl = SSL_new(t->ctx);
	int ok = 1;

	if (ssl == NULL)
		fatalx("out of memory for a TLS connection: %s", x509_why());
	SSL_set_connect_state(ssl);
	if (is_address(name)) {
		if (t->checked)
			ok = X509_VERIFY_PARAM_set1_ip_asc(
			    SSL_get0_param(ssl), name);
	} else {
		/* What is no name fails as one that does not fit. */
		(void)SSL_set_tlsext_host_name(ssl, name);
		if (t->checked)
			ok = SSL_set1_host(ssl, name);
	}
	if (!ok)
		fatalx("OpenSSL can't check the name \"%s\"", name);
	tls_sessions_offer(ssl, name, where);
	return ssl;
}
