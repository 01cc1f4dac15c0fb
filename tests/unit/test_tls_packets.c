/* SPDX-License-Identifier: BSD-2-Clause */
/* What is sent at once goes in one packet: a handshake, tickets, answers, and
 * ends. */
#include <signal.h>

#include "tls_case.h"

static void
open_packets(void)
{
	close_pair();
	pair_type = SOCK_SEQPACKET;
	open_pair();
	pair_type = SOCK_STREAM;
	peer = SSL_new(client);
	SSL_set_bio(peer, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(peer);
	tls_begin(&s, accepting(), NULL, 0);
}

/* What OpenSSL has to say, in one. */
static void
send_packet(void)
{
	char *p;
	long n = BIO_get_mem_data(SSL_get_wbio(peer), &p);

	assert_true(n > 0);
	assert_int_equal(write(peer_fd, p, (size_t)n), n);
	assert_int_equal(BIO_reset(SSL_get_wbio(peer)), 1);
	turn();
}

static void
take_packet(void)
{
	char packet[8192];
	ssize_t n = read(peer_fd, packet, sizeof(packet));

	assert_true(n > 0);
	assert_int_equal(BIO_write(SSL_get_rbio(peer), packet, (int)n), n);
}

static void
no_packet(void)
{
	char c;

	turn();
	assert_int_equal(read(peer_fd, &c, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
shake_hands(void)
{
	set_versions(TLS1_3_VERSION);
	open_packets();
	assert_int_equal(SSL_do_handshake(peer), -1);
	send_packet();
	take_packet();
	assert_int_equal(SSL_do_handshake(peer), 1);
}

static void
tickets_go_with_the_answer(void **state)
{
	(void)state;
	shake_hands();
	echo = 1;
	s.ends = 1;
	assert_int_equal(SSL_write(peer, "hello", 5), 5);
	send_packet();
	take_packet();
	no_packet();
	assert_int_equal(SSL_read(peer, back, sizeof(back)), 5);
	assert_memory_equal(back, "hello", 5);
	assert_int_equal(SSL_SESSION_has_ticket(SSL_get_session(peer)), 1);
	/* With its end behind it, which is not said again. */
	assert_int_equal(SSL_read(peer, back, sizeof(back)), 0);
	assert_int_equal(SSL_get_error(peer, 0), SSL_ERROR_ZERO_RETURN);
	stream_shutdown(&s);
	assert_int_equal(read(peer_fd, back, sizeof(back)), 0);
}

static void
tickets_do_not_wait_for_an_answer(void **state)
{
	(void)state;
	shake_hands();
	assert_int_equal(SSL_write(peer, "hello", 5), 5);
	send_packet();
	assert_int_equal(heard.len, 5);
	take_packet();
	no_packet();
	assert_int_equal(SSL_read(peer, back, sizeof(back)), -1);
	assert_int_equal(SSL_SESSION_has_ticket(SSL_get_session(peer)), 1);
}

/* Nothing was behind the handshake, and what comes later is heard. */
static void
a_first_word_that_comes_later(void **state)
{
	(void)state;
	shake_hands();
	send_packet();
	assert_int_equal(heard.len, 0);
	take_packet();
	assert_int_equal(SSL_write(peer, "hello", 5), 5);
	send_packet();
	assert_int_equal(heard.len, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(tickets_go_with_the_answer),
		T(tickets_do_not_wait_for_an_answer),
		T(a_first_word_that_comes_later),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
