/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "base/buf.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "config/x509.h"
#include "net/tls_certificate.h"
#include "net/tls_context.h"
#include "net/tls_tickets.h"

#define NAME_MAX_LEN	255

#define CIPHERS	"ECDHE-ECDSA-AES128-GCM-SHA256:" \
	"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:" \
	"ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS	"X25519:P-256:P-384"

/* Certificates that stand for one server, at most one of each kind. */
struct tls_set {
	struct tls_set *next;
	const struct tls_certificate *of[TLS_KINDS];
	SSL_CTX *ctx;
};

struct tls_context {
	const struct conf_tls *conf;
	struct tls_tickets *tickets;
	struct tls_certificate *certificates;
	size_t ncertificates;
	struct tls_set *sets;		/* the last one is the default */
	struct tls_set *first;
	struct map names;		/* struct tls_set */
	struct tls_ticket_key keys[TICKET_KEYS];	/* of configuration */
	unsigned nkeys;
	int http2;
};

/* -- which certificates -- */

/* "www.example.com" or "*.example.com", without the root's dot. */
static struct tls_set *
find_name(const struct tls_context *t, const char *asked)
{
	char name[NAME_MAX_LEN + 1];
	struct tls_set *s;
	size_t n = strlen(asked), i;
	char *dot;

	if (n > 0 && asked[n - 1] == '.')
		n--;
	if (n == 0 || n > NAME_MAX_LEN)
		return NULL;
	for (i = 0; i < n; i++)
		name[i] = (char)tolower((unsigned char)asked[i]);
	if ((s = map_get(&t->names, name, n)) != NULL)
		return s;
	dot = memchr(name, '.', n);
	if (dot == NULL || dot == name)
		return NULL;
	*--dot = '*';
	return map_get(&t->names, dot, n - (size_t)(dot - name));
}

/* What the client has asked for, if it is here. */
static int
choose_server(SSL *ssl, int *alert, void *arg)
{
	const struct tls_context *t = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls_set *s = name != NULL ? find_name(t, name) : NULL;

	if (s != NULL)
		(void)SSL_set_SSL_CTX(ssl, s->ctx);
	else if (t->conf->strict_sni) {
		*alert = SSL_AD_UNRECOGNIZED_NAME;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	return name != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static int
staple(SSL *ssl, void *arg)
{
	const struct tls_context *t = arg;
	const X509 *x = SSL_get_certificate(ssl);
	size_t i;

	for (i = 0; i < t->ncertificates; i++)
		if (t->certificates[i].x == x)
			return tls_certificate_staple(&t->certificates[i],
			    ssl);
	return SSL_TLSEXT_ERR_NOACK;
}

/* -- the rest of a hello -- */

static const unsigned char protocols[] = "\x02h2\x08http/1.1";
#define WITHOUT_HTTP2	3	/* bytes of it that are left out */

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
    const unsigned char *in, unsigned n, void *arg)
{
	const struct tls_context *t = arg;
	unsigned skip = t->http2 ? 0 : WITHOUT_HTTP2;

	(void)ssl;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, len,
	    protocols + skip, sizeof(protocols) - 1 - skip, in, n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static int
handle_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int enc)
{
	struct tls_context *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct tls_ticket_key keys[TICKET_KEYS];
	unsigned n;
	int rc;

	if (t->nkeys > 0)
		return tls_ticket_handle(ssl, t->keys, t->nkeys, name, iv,
		    cipher, mac, enc);
	if (t->tickets == NULL)
		return 0;
	n = tls_tickets_read(t->tickets, keys);
	rc = tls_ticket_handle(ssl, keys, n, name, iv, cipher, mac, enc);
	OPENSSL_cleanse(keys, sizeof(keys));
	return rc;
}

/* Whatever there is against it, the handshake goes on; what that is stays to be
 * asked for.  A browser that is refused in its handshake can't tell why. */
static int
let_in(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

/* -- an SSL_CTX -- */

static int
trust_clients(const struct conf_tls *c, SSL_CTX *ctx)
{
	STACK_OF(X509) *all;
	int i, rc = 0;
	X509 *x;

	if (c->client_ca.p == NULL)
		return 0;
	if ((all = x509_read_chain(c->client_ca.p, c->client_ca.n)) == NULL)
		return -1;
	for (i = 0; i < sk_X509_num(all) && rc == 0; i++) {
		x = sk_X509_value(all, i);
		if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x) != 1 ||
		    SSL_CTX_add_client_CA(ctx, x) != 1)
			rc = -1;
	}
	x509_free_chain(all);
	return rc;
}

static int
distrust_clients(const struct conf_tls *c, SSL_CTX *ctx)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	STACK_OF(X509_CRL) *all;
	int i, rc = 0;

	if (c->client_crl.p == NULL)
		return 0;
	if ((all = x509_read_crls(c->client_crl.p, c->client_crl.n)) == NULL)
		return -1;
	for (i = 0; i < sk_X509_CRL_num(all) && rc == 0; i++)
		if (X509_STORE_add_crl(store, sk_X509_CRL_value(all, i)) != 1)
			rc = -1;
	x509_free_crls(all);
	return rc == 0 && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
	    X509_V_FLAG_CRL_CHECK_ALL) == 1 ? 0 : -1;
}

static int
set_clients(const struct conf_tls *c, SSL_CTX *ctx)
{
	int mode = SSL_VERIFY_PEER;

	if (c->client_certificates == CONF_CLIENT_OFF)
		return 0;
	if (c->client_certificates == CONF_CLIENT_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, mode, c->client_certificates ==
	    CONF_CLIENT_REQUIRED ? NULL : let_in);
	SSL_CTX_set_verify_depth(ctx, c->client_verify_depth);
	return trust_clients(c, ctx) == -1 ? -1 : distrust_clients(c, ctx);
}

/* A session is good only where clients are let in by the same rules. */
static int
set_session_id(const struct conf_tls *c, SSL_CTX *ctx)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	struct buf b = { NULL, 0, 0 };
	unsigned n;
	int rc;

	buf_append(&b, c->name, strlen(c->name) + 1);
	buf_append(&b, &c->client_certificates,
	    sizeof(c->client_certificates));
	buf_append(&b, &c->client_verify_depth,
	    sizeof(c->client_verify_depth));
	if (c->client_ca.p != NULL)
		buf_append(&b, c->client_ca.p, c->client_ca.n);
	if (c->client_crl.p != NULL)
		buf_append(&b, c->client_crl.p, c->client_crl.n);
	rc = EVP_Digest(b.p, b.len, md, &n, EVP_sha256(), NULL) == 1 &&
	    SSL_CTX_set_session_id_context(ctx, md, n) == 1 ? 0 : -1;
	buf_free(&b);
	return rc;
}

static int
set_sessions(struct tls_context *t, SSL_CTX *ctx)
{
	const struct conf_tls *c = t->conf;

	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_timeout(ctx, (long)(c->session_timeout / 1000));
	if (!c->tickets) {
		(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		(void)SSL_CTX_set_num_tickets(ctx, 0);
	} else {
		/* Whoever connects several times at once may use it twice. */
		(void)SSL_CTX_set_num_tickets(ctx, 1);
		(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, handle_ticket);
	}
	return set_session_id(c, ctx);
}

static int
set_protocol(const struct conf_tls *c, SSL_CTX *ctx)
{
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	    SSL_OP_PRIORITIZE_CHACHA);
	(void)SSL_CTX_set_dh_auto(ctx, 1);
	if (SSL_CTX_set_min_proto_version(ctx, c->min_version) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, c->max_version) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, c->ciphers != NULL ? c->ciphers :
	    CIPHERS) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, c->suites != NULL ? c->suites :
	    SUITES) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, c->groups != NULL ? c->groups :
	    GROUPS) != 1)
		return -1;
	return 0;
}

static int
set_certificates(const struct tls_set *s)
{
	int i;

	for (i = 0; i < TLS_KINDS; i++)
		if (s->of[i] != NULL &&
		    tls_certificate_use(s->of[i], s->ctx) == -1)
			return -1;
	return 0;
}

/* 0, or -1: OpenSSL's errors say why. */
static int
set_open(struct tls_context *t, struct tls_set *s)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return -1;
	s->ctx = ctx;
	SSL_CTX_set_app_data(ctx, t);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, choose_server);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx, t);
	(void)SSL_CTX_set_tlsext_status_cb(ctx, staple);
	(void)SSL_CTX_set_tlsext_status_arg(ctx, t);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, t);
	return set_protocol(t->conf, ctx) == -1 ||
	    set_certificates(s) == -1 || set_sessions(t, ctx) == -1 ||
	    set_clients(t->conf, ctx) == -1 ? -1 : 0;
}

/* -- sets -- */

static int
has_name(const struct conf_certificate *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->nnames; i++)
		if (strcmp(c->names[i], name) == 0)
			return 1;
	return 0;
}

/* The set of exactly these, which is made when it is not there. */
static struct tls_set *
set_of(struct tls_context *t, const struct tls_certificate *of[TLS_KINDS])
{
	struct tls_set *s;

	for (s = t->sets; s != NULL; s = s->next)
		if (memcmp(s->of, of, sizeof(s->of)) == 0)
			return s;
	s = xcalloc(1, sizeof(*s));
	memcpy(s->of, of, sizeof(s->of));
	s->next = t->sets;
	t->sets = s;
	if (t->first == NULL)
		t->first = s;
	return s;
}

/* The first of each kind that is for name; NULL: the first of all. */
static struct tls_set *
set_for(struct tls_context *t, const char *name)
{
	const struct tls_certificate *of[TLS_KINDS] = { NULL };
	const struct tls_certificate *c;
	size_t i;

	for (i = 0; i < t->ncertificates; i++) {
		c = &t->certificates[i];
		if (of[c->kind] == NULL && (name == NULL ? i == 0 :
		    has_name(c->conf, name)))
			of[c->kind] = c;
	}
	return set_of(t, of);
}

static void
make_sets(struct tls_context *t)
{
	const struct conf_certificate *c;
	const char *name;
	size_t i, k;

	for (i = 0; i < t->ncertificates; i++) {
		c = t->certificates[i].conf;
		if (i == 0 && c->nnames == 0)
			(void)set_for(t, NULL);
		for (k = 0; k < c->nnames; k++) {
			name = c->names[k];
			if (map_get(&t->names, name, strlen(name)) == NULL)
				(void)map_put(&t->names, name, strlen(name),
				    set_for(t, name));
		}
	}
}

/* -- the whole -- */

static int
open_certificates(struct tls_context *t, struct conf_errors *errors)
{
	const struct conf_tls *c = t->conf;
	size_t i;

	t->certificates = xcalloc(c->ncertificates, sizeof(*t->certificates));
	for (i = 0; i < c->ncertificates; i++) {
		if (tls_certificate_open(&t->certificates[i],
		    c->certificates[i]) == -1) {
			conf_error(errors, &c->certificates[i]->pos,
			    "certificate \"%s\": its files can't be used: %s",
			    c->certificates[i]->name, x509_why());
			return -1;
		}
		t->ncertificates++;
	}
	return t->ncertificates > 0 ? 0 : -1;
}

static void
take_keys(struct tls_context *t)
{
	size_t i;

	for (i = 0; i < t->conf->nticket_keys && i < TICKET_KEYS; i++)
		tls_ticket_key_set(&t->keys[t->nkeys++],
		    &t->conf->ticket_keys[i]);
}

void
tls_context_offer_http2(struct tls_context *t)
{
	t->http2 = 1;
}

struct tls_context *
tls_context_new(const struct conf_tls *c, struct tls_tickets *tickets,
    struct conf_errors *errors)
{
	struct tls_context *t = xcalloc(1, sizeof(*t));
	struct tls_set *s;

	t->conf = c;
	t->tickets = tickets;
	if (open_certificates(t, errors) == -1)
		goto fail;
	take_keys(t);
	make_sets(t);
	for (s = t->sets; s != NULL; s = s->next)
		if (set_open(t, s) == -1) {
			conf_error(errors, &c->pos, "tls \"%s\": OpenSSL does "
			    "not take it: %s; look at openssl.cnf as well",
			    c->name, x509_why());
			goto fail;
		}
	return t;
fail:
	tls_context_free(t);
	return NULL;
}

void
tls_context_free(struct tls_context *t)
{
	struct tls_set *s;
	size_t i;

	while ((s = t->sets) != NULL) {
		t->sets = s->next;
		SSL_CTX_free(s->ctx);
		free(s);
	}
	for (i = 0; i < t->ncertificates; i++)
		tls_certificate_close(&t->certificates[i]);
	free(t->certificates);
	map_free(&t->names);
	OPENSSL_cleanse(t->keys, sizeof(t->keys));
	free(t);
}

const struct conf_tls *
tls_context_conf(const struct tls_context *t)
{
	return t->conf;
}

void
tls_context_each(struct tls_context *t, void (*fn)(SSL_CTX *, void *),
    void *arg)
{
	struct tls_set *s;

	for (s = t->sets; s != NULL; s = s->next)
		fn(s->ctx, arg);
}

int
tls_context_refuses(const SSL *ssl)
{
	const struct tls_context *t = SSL_CTX_get_app_data(
	    SSL_get_SSL_CTX(ssl));

	return t != NULL &&
	    t->conf->client_certificates == CONF_CLIENT_OPTIONAL &&
	    SSL_get0_peer_certificate(ssl) != NULL &&
	    SSL_get_verify_result(ssl) != X509_V_OK;
}

SSL *
tls_context_accept(struct tls_context *t)
{
	SSL *ssl = SSL_new(t->first->ctx);

	if (ssl == NULL)
		fatalx("out of memory for a TLS connection: %s", x509_why());
	SSL_set_accept_state(ssl);
	return ssl;
}
