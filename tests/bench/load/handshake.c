/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS connections one after the other, each with one request: handshake
 * [-rd] ADDRESS PORT.  Prints how many there were, in how many seconds, and the
 * seconds of CPU that they took here.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char request[] = "GET /small HTTP/1.1\r\nHost: localhost\r\n"
    "Connection: close\r\n\r\n";

static SSL_SESSION *last;	/* what the next one resumes */

static double
seconds_of(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int
keep_session(SSL *ssl, SSL_SESSION *s)
{
	(void)ssl;
	SSL_SESSION_free(last);
	last = s;
	return 1;
}

static int
dial(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd == -1 || connect(fd, (const struct sockaddr *)to,
	    sizeof(*to)) == -1)
		err(1, "connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* To the end of the answer; TLS 1.3 has sessions behind the handshake. */
static void
ask(SSL *ssl)
{
	char buf[4096];
	int n, first = 1;

	if (SSL_write(ssl, request, sizeof(request) - 1) <= 0)
		errx(1, "the request could not be sent");
	while ((n = SSL_read(ssl, buf, sizeof(buf) - 1)) > 0) {
		if (first && strncmp(buf, "HTTP/1.1 200", 12) != 0)
			errx(1, "not 200");
		first = 0;
	}
	if (first)
		errx(1, "no answer");
}

static void
visit(SSL_CTX *ctx, const struct sockaddr_in *to, int resumed)
{
	SSL *ssl = SSL_new(ctx);
	int fd = dial(to);

	SSL_set_fd(ssl, fd);
	if (resumed && SSL_set_session(ssl, last) != 1)
		errx(1, "the session can't be used");
	if (SSL_connect(ssl) != 1) {
		ERR_print_errors_fp(stderr);
		errx(1, "no handshake");
	}
	if (resumed && !SSL_session_reused(ssl))
		errx(1, "the session was not resumed");
	ask(ssl);
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	double seconds = 2, began, cpu;
	unsigned long n = 0;
	int c, resumed = 0;

	while ((c = getopt(argc, argv, "d:r")) != -1) {
		if (c == 'd')
			seconds = atof(optarg);
		else if (c == 'r')
			resumed = 1;
		else
			exit(2);
	}
	if (argc - optind != 2 ||
	    inet_pton(AF_INET, argv[optind], &to.sin_addr) != 1)
		errx(2, "usage: handshake [-r] [-d seconds] address port");
	to.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	if (resumed)
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
		    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	if (resumed)
		visit(ctx, &to, 0);
	cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	began = seconds_of(CLOCK_MONOTONIC);
	for (; seconds_of(CLOCK_MONOTONIC) < began + seconds; n++)
		visit(ctx, &to, resumed);
	printf("%lu %.4f %.4f\n", n, seconds_of(CLOCK_MONOTONIC) - began,
	    seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	SSL_SESSION_free(last);
	SSL_CTX_free(ctx);
	return 0;
}
