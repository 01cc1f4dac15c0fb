/* SPDX-License-Identifier: BSD-2-Clause */
/* Two sockets whose bytes go to each other, and how that ends. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_case.h"
#include "net/relay.h"

#define BULK	(16u << 20)

static struct stream_io sio;
static struct relay relay;
static struct stream left, right;
static int lpeer, rpeer;
static int nended, end_error;
static enum relay_end end_why;
static char buf[65536];

static void
ended(struct relay *r, enum relay_end why, int error)
{
	assert_ptr_equal(r, &relay);
	nended++;
	end_why = why;
	end_error = error;
}

static const struct stream_ops no_ops;

static void
tcp_pair(int fds[2])
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(l, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&sin, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&sin, len), 0);
	fds[1] = accept4(l, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fds[1] >= 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	(void)close(l);
}

/* The kernel would take as much as it has seen go through. */
static void
fix_buffers(int fd)
{
	int size = 256 << 10;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
	    sizeof(size)), 0);
}

static void
pair(struct stream *s, int *peer, int tcp)
{
	int fds[2];

	if (tcp)
		tcp_pair(fds);
	else
		assert_int_equal(socketpair(AF_UNIX,
		    SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fix_buffers(fds[0]);
	fix_buffers(fds[1]);
	*peer = fds[1];
	assert_int_equal(stream_open(s, &sio, fds[0], &no_ops), 0);
}

static void
start(int tcp, uint32_t idle_ms)
{
	loop_open();
	stream_io_init(&sio, &loop);
	pair(&left, &lpeer, tcp);
	pair(&right, &rpeer, tcp);
	memset(&relay, 0, sizeof(relay));
	relay.ended = ended;
	relay.idle_ms = idle_ms;
	nended = 0;
	relay_start(&relay, &left, NULL, 0, &right, NULL, 0);
}

static void
end(void)
{
	if (nended == 0)
		relay_close(&relay);
	if (lpeer != -1)
		(void)close(lpeer);
	if (rpeer != -1)
		(void)close(rpeer);
	stream_io_free(&sio);
	loop_end();
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

/* What recv says when there is something: bytes, 0 or -1 with errno. */
static ssize_t
hear(int fd, void *p, size_t n)
{
	ssize_t r;
	int turns;

	for (turns = 0; turns < TURNS_MAX; turns++) {
		r = recv(fd, p, n, 0);
		if (r != -1 || errno != EAGAIN)
			return r;
		turn();
	}
	fail_msg("nothing came");
	return -1;
}

static void
expect(int fd, const char *text)
{
	size_t got = 0, n = strlen(text);
	ssize_t r;

	while (got < n) {
		r = hear(fd, buf, n - got);
		assert_true(r > 0);
		assert_memory_equal(buf, text + got, (size_t)r);
		got += (size_t)r;
	}
}

/* -- */

static void
test_both_ways(void **state)
{
	(void)state;
	start(0, 0);
	say(lpeer, "question");
	expect(rpeer, "question");
	say(rpeer, "answer");
	expect(lpeer, "answer");
	assert_int_equal(relay.left.bytes, 8);
	assert_int_equal(relay.right.bytes, 6);
	end();
	assert_int_equal(nended, 0);
}

static void
test_first_bytes(void **state)
{
	(void)state;
	start(0, 0);
	relay_close(&relay);
	(void)close(lpeer);
	(void)close(rpeer);
	pair(&left, &lpeer, 0);
	pair(&right, &rpeer, 0);
	say(lpeer, " and later");
	relay_start(&relay, &left, "early", 5, &right, "hello", 5);
	expect(rpeer, "early and later");
	expect(lpeer, "hello");
	assert_int_equal(relay.left.bytes, 15);
	end();
}

static void
test_half_close(void **state)
{
	(void)state;
	start(1, 0);
	say(lpeer, "all I have");
	assert_int_equal(shutdown(lpeer, SHUT_WR), 0);
	expect(rpeer, "all I have");
	assert_int_equal(hear(rpeer, buf, 1), 0);
	say(rpeer, "so this is the answer");
	expect(lpeer, "so this is the answer");
	assert_int_equal(nended, 0);
	assert_int_equal(shutdown(rpeer, SHUT_WR), 0);
	assert_int_equal(hear(lpeer, buf, 1), 0);
	until(&nended, 1);
	assert_int_equal(end_why, RELAY_CLOSED);
	assert_int_equal(end_error, 0);
	end();
}

static char
byte_at(size_t i)
{
	return (char)((i >> 16) ^ (i * 131));
}

/* As much as is taken; returns where it stopped. */
static size_t
push(int fd, size_t from, size_t to)
{
	size_t i, n;
	ssize_t r;

	while (from < to) {
		n = to - from < sizeof(buf) ? to - from : sizeof(buf);
		for (i = 0; i < n; i++)
			buf[i] = byte_at(from + i);
		if ((r = send(fd, buf, n, 0)) == -1) {
			assert_int_equal(errno, EAGAIN);
			break;
		}
		from += (size_t)r;
	}
	return from;
}

static size_t
pull(int fd, size_t from, size_t max)
{
	size_t i, done = from;
	ssize_t r;

	while (done < from + max &&
	    (r = recv(fd, buf, sizeof(buf), 0)) > 0) {
		for (i = 0; i < (size_t)r; i++)
			if (buf[i] != byte_at(done + i))
				fail_msg("byte %zu is wrong", done + i);
		done += (size_t)r;
	}
	return done;
}

static void
stall(int fd, size_t *in)
{
	size_t before;
	int quiet = 0;

	while (quiet < 10) {
		before = *in;
		*in = push(fd, *in, BULK);
		turn();
		quiet = *in == before ? quiet + 1 : 0;
	}
}

static void
bulk(int from, int to, struct relay_side *side)
{
	size_t in = 0, out = 0;
	int turns, was_bulk = 0;

	/* Nobody reads: it stops. */
	stall(from, &in);
	assert_true(in < BULK);
	assert_true(side->bytes < in);
	for (turns = 0; out < BULK && turns < TURNS_MAX; turns++) {
		in = push(from, in, BULK);
		if (in == BULK && side->ended == 0)
			(void)shutdown(from, SHUT_WR);
		out = pull(to, out, 3u << 20);
		was_bulk |= side->bulk;
		turn();
	}
	assert_int_equal(out, BULK);
	assert_int_equal(hear(to, buf, 1), 0);
	assert_int_equal(side->bytes, BULK);
	assert_true(was_bulk);
}

static void
test_bulk(void **state)
{
	(void)state;
	start(1, 0);
	bulk(lpeer, rpeer, &relay.left);
	/* The other way, while that one is half closed. */
	bulk(rpeer, lpeer, &relay.right);
	until(&nended, 1);
	assert_int_equal(end_why, RELAY_CLOSED);
	end();
}

static void
test_bulk_unix(void **state)
{
	(void)state;
	start(0, 0);
	bulk(lpeer, rpeer, &relay.left);
	end();
}

/* Without a descriptor for a pipe it is copied. */
static void
test_no_pipe(void **state)
{
	struct rlimit old, rl;

	(void)state;
	start(1, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	rl = old;
	rl.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	bulk(lpeer, rpeer, &relay.left);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	end();
}

static void
reset(int *fd)
{
	struct linger l = { .l_onoff = 1 };

	assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &l,
	    sizeof(l)), 0);
	(void)close(*fd);
	*fd = -1;
}

static void
test_reset(void **state)
{
	(void)state;
	start(1, 0);
	say(lpeer, "last words");
	reset(&lpeer);
	until(&nended, 1);
	assert_int_equal(end_why, RELAY_LEFT);
	assert_int_equal(end_error, ECONNRESET);
	expect(rpeer, "last words");
	assert_int_equal(hear(rpeer, buf, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	end();
}

/* Whoever takes nothing more, with much on the way. */
static void
test_receiver_gone(void **state)
{
	size_t in = 0;

	(void)state;
	start(1, 0);
	stall(lpeer, &in);
	assert_true(stream_pending(&relay.right.stream) > 0);
	reset(&rpeer);
	until(&nended, 1);
	assert_int_equal(end_why, RELAY_RIGHT);
	assert_int_equal(send(lpeer, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, ECONNRESET);
	end();
}

static void
test_close_in_between(void **state)
{
	size_t in = 0;

	(void)state;
	start(1, 0);
	stall(lpeer, &in);
	relay_close(&relay);
	relay_close(&relay);
	end();
	assert_int_equal(nended, 0);
}

static void
test_idle(void **state)
{
	(void)state;
	start(0, 10);
	say(lpeer, "x");
	expect(rpeer, "x");
	until(&nended, 1);
	assert_int_equal(end_why, RELAY_IDLE);
	assert_int_equal(hear(rpeer, buf, 1), 0);
	assert_int_equal(hear(lpeer, buf, 1), 0);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_first_bytes),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_bulk_unix),
		cmocka_unit_test(test_no_pipe),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_receiver_gone),
		cmocka_unit_test(test_close_in_between),
		cmocka_unit_test(test_idle),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
