/* SPDX-License-Identifier: BSD-2-Clause */
/* Our records and OpenSSL's: each has to read what the other writes. */
#include <signal.h>
#include <stdlib.h>

#include "tls_case.h"

static void
serve(int version)
{
	set_versions(version);
	tls_begin(&s, accepting(), NULL, 0);
	open_peer(client);
	SSL_set_connect_state(peer);
	SSL_set_tlsext_host_name(peer, "www.example.org");
	assert_int_equal(peer_handshake(), 1);
	assert_int_equal(nfailed, 0);
	assert_int_equal(nreadable, 1);
	assert_false(tls_is_beginning(&s));
}

static void
all_comes_back(void)
{
	echo = 1;
	heard.len = 0;
	peer_write("hello", 5);
	assert_int_equal(peer_read(back, 5), 5);
	assert_memory_equal(back, "hello", 5);
	peer_write(big, BIG);
	assert_int_equal(peer_read(back, BIG), BIG);
	assert_memory_equal(back, big, BIG);
	assert_int_equal(heard.len, BIG + 5);
	assert_int_equal(stream_pending(&s), 0);
	assert_int_equal(failure, 0);
}

static void
suites_of_1_3(void **state)
{
	(void)state;
	SSL_CTX_set_ciphersuites(client, *state);
	serve(TLS1_3_VERSION);
	assert_string_equal(SSL_get_cipher(peer), *state);
	all_comes_back();
}

static void
suites_of_1_2(void **state)
{
	SSL_CTX_set_cipher_list(client, *state);
	serve(TLS1_2_VERSION);
	assert_string_equal(SSL_get_cipher(peer), *state);
	all_comes_back();
}

static void
what_is_known_of_it(void **state)
{
	const struct tls_info *t;

	(void)state;
	assert_null(stream_tls(&s));
	serve(TLS1_3_VERSION);
	t = stream_tls(&s);
	assert_non_null(t);
	assert_string_equal(t->protocol, "TLSv1.3");
	assert_string_equal(t->cipher, SSL_get_cipher(peer));
	assert_string_equal(t->server_name, "www.example.org");
	assert_string_equal(t->alpn, "");
	assert_int_equal(t->resumed, 0);
	assert_int_equal(t->has_peer, 0);
}

static int
any_certificate(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

static void
a_client_shows_who_it_is(void **state)
{
	const struct tls_info *t;

	(void)state;
	SSL_CTX_free(client);
	client = new_context(TLS_client_method());
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, any_certificate);
	serve(TLS1_3_VERSION);
	t = stream_tls(&s);
	assert_int_equal(t->has_peer, 1);
	assert_string_equal(t->peer.subject, "CN=example.org");
	assert_string_equal(t->peer.issuer, "CN=example.org");
	assert_string_equal(t->peer.serial, "4D");
	assert_int_equal(strlen(t->peer.fingerprint), 64);
	assert_memory_equal(t->peer.verify, "FAILED:self", 11);
}

static void
a_session_comes_again(void **state)
{
	SSL_SESSION *session;
	int version = *(int *)*state;

	serve(version);
	all_comes_back();
	session = SSL_get1_session(peer);
	close_pair();
	open_pair();
	tls_begin(&s, accepting(), NULL, 0);
	open_peer(client);
	SSL_set_connect_state(peer);
	SSL_set_session(peer, session);
	SSL_SESSION_free(session);
	assert_int_equal(peer_handshake(), 1);
	assert_int_equal(SSL_session_reused(peer), 1);
	assert_int_equal(stream_tls(&s)->resumed, 1);
	all_comes_back();
}

/* Each read takes 7 bytes, of whatever is there. */
static void
drop_by_drop(struct stream *st)
{
	char buf[7];
	ssize_t n = stream_read(st, buf, sizeof(buf));

	if (n > 0)
		buf_append(&heard, buf, (size_t)n);
	if (st->can_read)
		stream_read_again(st);
}

static void
small_reads(void **state)
{
	static const struct stream_ops slow = {
		drop_by_drop, on_sent, on_failed, on_half_closed
	};
	int turns;

	(void)state;
	serve(TLS1_3_VERSION);
	s.ops = &slow;
	peer_write(big, 20000);
	for (turns = 0; heard.len < 20000 && turns < 5000; turns++)
		turn();
	assert_int_equal(heard.len, 20000);
	assert_memory_equal(heard.p, big, 20000);
	assert_int_equal(nfailed, 0);
}

/* A record is opened when its last byte has come. */
static void
byte_by_byte(void **state)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p;
	long n, i;

	(void)state;
	serve(TLS1_2_VERSION);
	SSL_set0_wbio(peer, out);
	assert_int_equal(SSL_write(peer, "hello", 5), 5);
	n = BIO_get_mem_data(out, &p);
	assert_int_equal(n, 5 + 8 + 5 + 16);
	for (i = 0; i < n; i++) {
		assert_int_equal(heard.len, 0);
		assert_int_equal(write(peer_fd, p + i, 1), 1);
		turn();
	}
	assert_int_equal(heard.len, 5);
	assert_memory_equal(heard.p, "hello", 5);
}

static void
files(void **state)
{
	char path[] = "/tmp/test_tls.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)unlink(path);
	assert_int_equal(write(fd, big, BIG), BIG);
	serve(TLS1_3_VERSION);
	stream_write(&s, "head", 4);
	stream_write_file(&s, fd, 100, BIG - 100, NULL, NULL, NULL);
	stream_write(&s, "tail", 4);
	assert_int_equal(stream_flush(&s), 0);
	assert_true(stream_pending(&s) > 0);
	assert_int_equal(peer_read(back, 4), 4);
	assert_memory_equal(back, "head", 4);
	assert_int_equal(peer_read(back, BIG - 100), BIG - 100);
	assert_memory_equal(back, big + 100, BIG - 100);
	assert_int_equal(peer_read(back, 4), 4);
	assert_memory_equal(back, "tail", 4);
	assert_int_equal(stream_pending(&s), 0);
	(void)close(fd);
}

static void
a_file_that_shrinks(void **state)
{
	char path[] = "/tmp/test_tls.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	(void)unlink(path);
	assert_int_equal(write(fd, big, BIG), BIG);
	serve(TLS1_3_VERSION);
	stream_write_file(&s, fd, 0, BIG, NULL, NULL, NULL);
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_int_equal(stream_flush(&s), -1);
	assert_int_equal(s.error, ENODATA);
	(void)close(fd);
}

/* The peer's next key, and it wants ours. */
static void
new_keys(void **state)
{
	(void)state;
	serve(TLS1_3_VERSION);
	all_comes_back();
	assert_int_equal(SSL_key_update(peer, SSL_KEY_UPDATE_REQUESTED), 1);
	all_comes_back();
	assert_int_equal(SSL_key_update(peer, SSL_KEY_UPDATE_NOT_REQUESTED),
	    1);
	all_comes_back();
}

static void
too_many_new_keys(void **state)
{
	int i;

	(void)state;
	serve(TLS1_3_VERSION);
	for (i = 0; i < 64 && failure == 0; i++) {
		assert_int_equal(SSL_key_update(peer,
		    SSL_KEY_UPDATE_REQUESTED), 1);
		(void)SSL_do_handshake(peer);
		turn();
	}
	assert_int_equal(i, 33);
	assert_int_equal(failure, EPROTO);
}

static void
no_renegotiation(void **state)
{
	(void)state;
	serve(TLS1_2_VERSION);
	assert_int_equal(SSL_renegotiate(peer), 1);
	(void)SSL_do_handshake(peer);
	turn();
	assert_int_equal(failure, 0);
	assert_int_equal(SSL_do_handshake(peer), -1);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()),
	    SSL_R_NO_RENEGOTIATION);
}

static void
an_end_in_order(void **state)
{
	char c;

	(void)state;
	serve(TLS1_3_VERSION);
	assert_int_equal(SSL_shutdown(peer), 0);
	until(&nended, 1);
	stream_write(&s, "last words", 10);
	assert_int_equal(stream_flush(&s), 0);
	stream_shutdown(&s);
	assert_int_equal(peer_read(back, 10), 10);
	assert_int_equal(SSL_read(peer, &c, 1), 0);
	assert_int_equal(SSL_get_error(peer, 0), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(read(peer_fd, &c, 1), 0);
}

/* Whoever is cut off must not believe that it was all. */
static void
an_end_in_disorder(void **state)
{
	char c;

	(void)state;
	serve(TLS1_3_VERSION);
	stream_write(&s, "half of", 7);
	assert_int_equal(stream_flush(&s), 0);
	stream_break(&s);
	stream_close(&s);
	assert_int_equal(peer_read(back, 7), 7);
	assert_true(SSL_read(peer, &c, 1) <= 0);
	assert_int_not_equal(SSL_get_error(peer, 0), SSL_ERROR_ZERO_RETURN);
}

static void
a_changed_byte(void **state)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p, c;
	long n;

	(void)state;
	serve(*(int *)*state);
	SSL_set0_wbio(peer, out);
	assert_int_equal(SSL_write(peer, "hello", 5), 5);
	n = BIO_get_mem_data(out, &p);
	p[n - 3] ^= 1;
	assert_int_equal(write(peer_fd, p, (size_t)n), n);
	turn();
	assert_int_equal(heard.len, 0);
	assert_int_equal(failure, EPROTO);
	assert_true(SSL_read(peer, &c, 1) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()),
	    SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
}

static void
no_tls_at_all(void **state)
{
	(void)state;
	tls_begin(&s, accepting(), NULL, 0);
	assert_int_equal(write(peer_fd, "GET / HTTP/1.1\r\n", 16), 16);
	until(&nfailed, 1);
	assert_int_equal(failure, EPROTOTYPE);
}

static void
garbage(void **state)
{
	(void)state;
	tls_begin(&s, accepting(), NULL, 0);
	assert_int_equal(write(peer_fd, "\x16\x03\x01\xff\xff garbage", 13),
	    13);
	until(&nfailed, 1);
	assert_int_equal(failure, EPROTO);
	assert_string_not_equal(tls_why(&s), "");
	/* An alert was sent. */
	assert_int_equal(read(peer_fd, back, 10), 7);
	assert_int_equal(back[0], TLS_ALERT);
}

/* What was read before, by whoever had it then. */
static void
a_part_was_read(void **state)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p;
	long n;

	(void)state;
	set_versions(TLS1_3_VERSION);
	open_peer(client);
	SSL_set_connect_state(peer);
	BIO_up_ref(SSL_get_rbio(peer));
	SSL_set0_wbio(peer, out);
	assert_int_equal(SSL_do_handshake(peer), -1);
	n = BIO_get_mem_data(out, &p);
	tls_begin(&s, accepting(), p, (size_t)n - 50);
	turn();
	assert_int_equal(write(peer_fd, p + n - 50, 50), 50);
	SSL_set0_wbio(peer, SSL_get_rbio(peer));
	assert_int_equal(peer_handshake(), 1);
	all_comes_back();
}

static void
it_goes_to_another_process(void **state)
{
	struct buf b = { NULL, 0, 0 };
	int fd;

	serve(*(int *)*state);
	all_comes_back();
	/* A part of a record was read. */
	assert_int_equal(write(peer_fd, "\x17\x03\x03", 3), 3);
	turn();
	assert_int_equal(stream_save(&s, &b), 0);
	fd = dup(s.io.fd);
	stream_rest(&s);
	stream_close(&s);
	assert_int_equal(stream_open(&s, &sio, fd, &ops), 0);
	assert_int_equal(tls_resume(&s, (hostd_buf){ b.p, b.len - 1 }), -1);
	assert_null(s.layer);
	assert_int_equal(tls_resume(&s, (hostd_buf){ b.p, b.len }), 0);
	assert_string_equal(stream_tls(&s)->server_name, "www.example.org");
	buf_free(&b);
	heard.len = 0;
	/* The rest of it: it is garbage, but not unknown keys. */
	stream_write(&s, "here", 4);
	assert_int_equal(stream_flush(&s), 0);
	assert_int_equal(peer_read(back, 4), 4);
	assert_memory_equal(back, "here", 4);
}

static void
it_goes_and_all_comes_back(void **state)
{
	struct buf b = { NULL, 0, 0 };
	int fd;

	serve(*(int *)*state);
	all_comes_back();
	assert_int_equal(stream_save(&s, &b), 0);
	fd = dup(s.io.fd);
	stream_rest(&s);
	stream_close(&s);
	assert_int_equal(stream_open(&s, &sio, fd, &ops), 0);
	assert_int_equal(tls_resume(&s, (hostd_buf){ b.p, b.len }), 0);
	buf_free(&b);
	all_comes_back();
}

/* -- in the client's role -- */

static void
ask(int version)
{
	SSL_CTX *tmp = server;
	SSL *ssl;

	/* The peer is the one with the key. */
	set_versions(version);
	tls_prepare(client);
	ssl = SSL_new(client);
	SSL_set_connect_state(ssl);
	tls_begin(&s, ssl, NULL, 0);
	open_peer(tmp);
	SSL_set_accept_state(peer);
	assert_int_equal(peer_handshake(), 1);
	assert_true(nreadable > 0);
	assert_int_equal(nfailed, 0);
}

static void
as_a_client(void **state)
{
	ask(*(int *)*state);
	/* With tickets in front of it. */
	all_comes_back();
	assert_int_equal(SSL_shutdown(peer), 0);
	until(&nended, 1);
	assert_int_equal(failure, 0);
}

static void
an_answer_that_was_cut_off(void **state)
{
	(void)state;
	ask(TLS1_3_VERSION);
	assert_int_equal(SSL_write(peer, "half", 4), 4);
	assert_int_equal(shutdown(peer_fd, SHUT_WR), 0);
	while (failure == 0)
		turn();
	assert_int_equal(failure, ECONNRESET);
	assert_int_equal(heard.len, 4);
	assert_int_equal(nended, 0);
}

static void
a_certificate_that_is_not_known(void **state)
{
	SSL *ssl;

	(void)state;
	SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
	ssl = SSL_new(client);
	SSL_set_connect_state(ssl);
	tls_begin(&s, ssl, NULL, 0);
	open_peer(server);
	SSL_set_accept_state(peer);
	(void)peer_handshake();
	assert_int_equal(nfailed, 1);
	assert_int_equal(failure, EPROTO);
	assert_memory_equal(tls_why(&s), "self", 4);
}

static int v12 = TLS1_2_VERSION, v13 = TLS1_3_VERSION;

int
main(void)
{
	const struct CMUnitTest tests[] = {
		W(suites_of_1_3, "TLS_AES_128_GCM_SHA256"),
		W(suites_of_1_3, "TLS_AES_256_GCM_SHA384"),
		W(suites_of_1_3, "TLS_CHACHA20_POLY1305_SHA256"),
		W(suites_of_1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"),
		W(suites_of_1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"),
		W(suites_of_1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"),
		T(what_is_known_of_it),
		T(a_client_shows_who_it_is),
		W(a_session_comes_again, &v12),
		W(a_session_comes_again, &v13),
		T(small_reads),
		T(byte_by_byte),
		T(files),
		T(a_file_that_shrinks),
		T(new_keys),
		T(too_many_new_keys),
		T(no_renegotiation),
		T(an_end_in_order),
		T(an_end_in_disorder),
		W(a_changed_byte, &v12),
		W(a_changed_byte, &v13),
		T(no_tls_at_all),
		T(garbage),
		T(a_part_was_read),
		W(it_goes_to_another_process, &v12),
		W(it_goes_to_another_process, &v13),
		W(it_goes_and_all_comes_back, &v12),
		W(it_goes_and_all_comes_back, &v13),
		W(as_a_client, &v12),
		W(as_a_client, &v13),
		T(an_answer_that_was_cut_off),
		T(a_certificate_that_is_not_known),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
