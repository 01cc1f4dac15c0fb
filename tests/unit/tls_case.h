/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream with TLS, and OpenSSL at the other end of its socket. */
#ifndef UNIT_TLS_CASE_H
#define UNIT_TLS_CASE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "loop_case.h"
#include "base/buf.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_record.h"

static struct stream_io sio;
static struct stream s;		/* ours */
static SSL *peer;
static int peer_fd;
static struct buf heard;	/* by us */
static int nreadable, nended, nfailed, failure;
static int echo;
static int pair_type = SOCK_STREAM;

static X509 *
self_signed(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	ASN1_INTEGER_set(X509_get_serialNumber(cert), 77);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"example.org", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

/* With a key of its own. */
static inline SSL_CTX *
new_context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = self_signed(key);

	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static inline void
on_readable(struct stream *st)
{
	char buf[50000];
	ssize_t n;

	nreadable++;
	while ((n = stream_read(st, buf, sizeof(buf))) > 0) {
		buf_append(&heard, buf, (size_t)n);
		if (echo)
			stream_write(st, buf, (size_t)n);
	}
	if (n == 0)
		nended++;
	else if (errno != EAGAIN)
		failure = errno;
	if (failure == 0)
		(void)stream_flush(st);
}

static inline void
on_sent(struct stream *st)
{
	(void)st;
}

static inline void
on_failed(struct stream *st, int error)
{
	(void)st;
	nfailed++;
	failure = error;
}

static inline void
on_half_closed(struct stream *st)
{
	(void)st;
}

static const struct stream_ops ops = {
	on_readable, on_sent, on_failed, on_half_closed
};

static inline void
open_pair(void)
{
	int fds[2];

	nreadable = nended = nfailed = failure = echo = 0;
	loop_open();
	stream_io_init(&sio, &loop);
	assert_int_equal(socketpair(AF_UNIX, pair_type | SOCK_NONBLOCK, 0,
	    fds), 0);
	peer_fd = fds[1];
	assert_int_equal(stream_open(&s, &sio, fds[0], &ops), 0);
}

static inline void
close_pair(void)
{
	stream_close(&s);
	/* Else its session would be good no more. */
	if (peer != NULL)
		SSL_set_shutdown(peer, SSL_SENT_SHUTDOWN |
		    SSL_RECEIVED_SHUTDOWN);
	SSL_free(peer);
	peer = NULL;
	(void)close(peer_fd);
	stream_io_free(&sio);
	buf_free(&heard);
	loop_end();
}

/* Of OpenSSL, at the socket's other end. */
static inline void
open_peer(SSL_CTX *ctx)
{
	peer = SSL_new(ctx);
	assert_non_null(peer);
	assert_int_equal(SSL_set_fd(peer, peer_fd), 1);
}

/* Both turn until OpenSSL has done it; 1, or what it says otherwise. */
static inline int
peer_handshake(void)
{
	int turns, rc;

	for (turns = 0; turns < 100; turns++) {
		if ((rc = SSL_do_handshake(peer)) == 1) {
			turn();
			return 1;
		}
		rc = SSL_get_error(peer, rc);
		if (rc != SSL_ERROR_WANT_READ && rc != SSL_ERROR_WANT_WRITE)
			return -1;
		turn();
	}
	return 0;
}

static inline void
peer_write(const char *p, size_t n)
{
	size_t done;

	while (n > 0) {
		if (SSL_write_ex(peer, p, n, &done) == 1) {
			p += done;
			n -= done;
		}
		turn();
	}
}

/* That many bytes, or what comes until there is no more. */
static inline size_t
peer_read(char *p, size_t n)
{
	size_t have = 0, got;
	int turns = 0;

	while (have < n && turns < 200) {
		if (SSL_read_ex(peer, p + have, n - have, &got) == 1) {
			have += got;
			turns = 0;
			continue;
		}
		if (SSL_get_error(peer, 0) != SSL_ERROR_WANT_READ)
			break;
		turns++;
		turn();
	}
	return have;
}

/* -- who talks to whom -- */

#define BIG	300000

static SSL_CTX *server, *client;
static char big[BIG], back[BIG];

static inline void
set_versions(int version)
{
	SSL_CTX_set_min_proto_version(client, version);
	SSL_CTX_set_max_proto_version(client, version);
}

static inline int
setup(void **state)
{
	size_t i;

	(void)state;
	server = new_context(TLS_server_method());
	client = SSL_CTX_new(TLS_client_method());
	tls_prepare(server);
	open_pair();
	for (i = 0; i < BIG; i++)
		big[i] = (char)random();
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	close_pair();
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return 0;
}

/* We are the server. */
static inline SSL *
accepting(void)
{
	SSL *ssl = SSL_new(server);

	SSL_set_accept_state(ssl);
	return ssl;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define W(f, with) { #f, f, setup, teardown, (void *)(uintptr_t)(with) }

#endif
