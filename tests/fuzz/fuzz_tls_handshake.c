/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handshakes that we accept, and what comes behind them.  The first byte says
 * how: bit 0: the rest are changes, each of an offset of two bytes and a byte
 * that is xored there, of what OpenSSL sends as a client; else it is what
 * comes.  Bit 1: that client speaks 1.2; bit 2: it goes on with a session.
 *
 * What must hold: of what the client has said, only the beginning comes out,
 * and nothing of it when the handshake has failed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include "base/log.h"
#include "net/tls.h"
#include "net/tls_context.h"

#define ROUNDS	12
#define SAID	"what the client says, behind its handshake"

static struct loop loop;
static struct stream_io sio;
static struct stream s;
static struct conf_certificate cert;
static struct conf_tls conf;
static struct tls_context *context;
static SSL_CTX *client_ctx;
static SSL_SESSION *sessions[2];	/* of 1.3 and of 1.2 */
static SSL *client;
static int peer_fd, failed, ready;
static struct buf got;
static const uint8_t *changes;
static size_t nchanges, sent;

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* -- the host's side -- */

static void
on_readable(struct stream *st)
{
	char part[100];
	ssize_t n;

	ready = 1;
	while (!failed && (n = stream_read(st, part, sizeof(part))) > 0)
		buf_append(&got, part, (size_t)n);
}

static void
on_failed(struct stream *st, int error)
{
	(void)st;
	(void)error;
	failed = 1;
}

static void
ignore(struct stream *st)
{
	(void)st;
}

static const struct stream_ops ops = {
	on_readable, ignore, on_failed, ignore
};

static int
keep(SSL *ssl, SSL_SESSION *session)
{
	int i = SSL_version(ssl) == TLS1_2_VERSION;

	SSL_SESSION_free(sessions[i]);
	sessions[i] = session;
	return 1;
}

static void
text_of(BIO *bio, struct conf_text *t)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	t->n = (size_t)n;
	t->p = malloc(t->n + 1);
	must(t->p != NULL);
	memcpy(t->p, p, t->n);
	t->p[t->n] = '\0';
	BIO_free(bio);
}

static void
make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *chain = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem());

	(void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 1 << 24);
	must(X509_set_pubkey(x, key) == 1 &&
	    X509_sign(x, key, EVP_sha256()) > 0 &&
	    PEM_write_bio_X509(chain, x) == 1 &&
	    PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) == 1);
	text_of(chain, &cert.chain);
	text_of(pem, &cert.key);
	must(SSL_CTX_use_certificate(client_ctx, x) == 1 &&
	    SSL_CTX_use_PrivateKey(client_ctx, key) == 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
prepare(SSL_CTX *ctx, void *arg)
{
	(void)arg;
	tls_prepare(ctx);
}

static void
set_up(void)
{
	static struct conf_certificate *all[] = { &cert };
	static struct conf_ticket_key ticket = { .n = CONF_TICKET_KEY_MAX };
	static char name[] = "fuzz", server[] = "a.test", *names[] = { server };
	struct conf_errors errors = TAILQ_HEAD_INITIALIZER(errors);

	log_set_fd(-1);
	must(loop_init(&loop) == 0);
	stream_io_init(&sio, &loop);
	client_ctx = SSL_CTX_new(TLS_client_method());
	(void)SSL_CTX_set_session_cache_mode(client_ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client_ctx, keep);
	make_certificate();
	cert.names = names;
	cert.nnames = 1;
	conf.name = name;
	conf.certificates = all;
	conf.ncertificates = 1;
	conf.min_version = TLS1_2_VERSION;
	conf.max_version = TLS1_3_VERSION;
	conf.client_certificates = CONF_CLIENT_OPTIONAL_NO_CA;
	conf.client_verify_depth = 3;
	conf.session_timeout = 3600000;
	conf.tickets = 1;
	conf.ticket_keys = &ticket;
	conf.nticket_keys = 1;
	context = tls_context_new(&conf, NULL, &errors);
	must(context != NULL);
	tls_context_each(context, prepare, NULL);
	tls_context_offer_http2(context);
}

/* -- the client's -- */

static void
open_client(int is_1_2, int goes_on)
{
	SSL_SESSION *again;

	client = SSL_new(client_ctx);
	SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(client);
	(void)SSL_set_tlsext_host_name(client, "a.test");
	must(SSL_set_alpn_protos(client, (const unsigned char *)"\x02h2", 3) ==
	    0);
	(void)SSL_set_max_proto_version(client, is_1_2 ? TLS1_2_VERSION :
	    TLS1_3_VERSION);
	if (goes_on && sessions[is_1_2] != NULL &&
	    (again = SSL_SESSION_dup(sessions[is_1_2])) != NULL) {
		(void)SSL_set_session(client, again);
		SSL_SESSION_free(again);
	}
}

static void
change(unsigned char *p, size_t n)
{
	size_t i, at;

	for (i = 0; i + 3 <= nchanges; i += 3) {
		at = (size_t)changes[i] << 8 | changes[i + 1];
		if (at >= sent && at < sent + n)
			p[at - sent] ^= changes[i + 2];
	}
	sent += n;
}

/* All that it has to say, and all that it is told. */
static void
turn(int i)
{
	unsigned char wire[16384];
	char told[100];
	ssize_t n;
	int len;

	if (SSL_is_init_finished(client)) {
		(void)SSL_read(client, told, sizeof(told));
		if (i == ROUNDS / 2)
			(void)SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
		if (i == ROUNDS / 2 - 1 || i == ROUNDS / 2)
			(void)SSL_write(client, SAID, sizeof(SAID));
		if (i == ROUNDS - 1)
			(void)SSL_shutdown(client);
	} else
		(void)SSL_do_handshake(client);
	while ((len = BIO_read(SSL_get_wbio(client), wire, sizeof(wire))) > 0) {
		change(wire, (size_t)len);
		(void)send(peer_fd, wire, (size_t)len, MSG_NOSIGNAL);
	}
	if (!failed)
		s.layer->ops->ready(&s, EPOLLIN | EPOLLOUT);
	while ((n = recv(peer_fd, wire, sizeof(wire), MSG_DONTWAIT)) > 0)
		(void)BIO_write(SSL_get_rbio(client), wire, (int)n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char said[] = SAID "\0" SAID;
	int fds[2], i;

	if (n < 1)
		return 0;
	if (context == NULL)
		set_up();
	failed = ready = 0;
	got.len = sent = 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	peer_fd = fds[1];
	must(stream_open(&s, &sio, fds[0], &ops) == 0);
	tls_begin(&s, tls_context_accept(context), NULL, 0);
	open_client(p[0] >> 1 & 1, p[0] >> 2 & 1);
	changes = p + 1;
	nchanges = n - 1;
	if (p[0] & 1)
		for (i = 0; i < ROUNDS; i++)
			turn(i);
	else {
		(void)send(peer_fd, p + 1, n - 1, MSG_NOSIGNAL);
		s.layer->ops->ready(&s, EPOLLIN | EPOLLOUT);
	}
	must(got.len <= sizeof(said) && (got.len == 0 || (ready &&
	    memcmp(got.p, said, got.len) == 0)));
	must((p[0] & 1) == 1 || got.len == 0);
	/* Without changes it all arrives. */
	must(p[0] != 1 || nchanges > 2 || got.len == sizeof(said));
	stream_close(&s);
	SSL_free(client);
	(void)close(peer_fd);
	return 0;
}
