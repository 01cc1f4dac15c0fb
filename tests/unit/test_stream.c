/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream that is put to rest, by whoever it calls, calls nobody any more. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_case.h"
#include "net/stream.h"

static struct stream_io sio;
static struct stream s;
static int peer;
static int nsent, nreadable, rest_in_sent;

static void
readable(struct stream *st)
{
	char buf[64];

	nreadable++;
	(void)stream_read(st, buf, sizeof(buf));
}

static void
sent(struct stream *st)
{
	nsent++;
	if (rest_in_sent && stream_pending(st) == 0)
		stream_rest(st);
}

static void
failed(struct stream *st, int error)
{
	(void)st;
	fail_msg("failed: %s", strerror(error));
}

static void
half_closed(struct stream *st)
{
	assert_false(st->rests);
}

static const struct stream_ops ops = { readable, sent, failed, half_closed };

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	nsent = nreadable = rest_in_sent = 0;
	loop_open();
	stream_io_init(&sio, &loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	peer = fds[1];
	return stream_open(&s, &sio, fds[0], &ops);
}

static int
teardown(void **state)
{
	(void)state;
	stream_close(&s);
	(void)close(peer);
	stream_io_free(&sio);
	loop_end();
	return 0;
}

/* More than the socket takes, so that a little of it has to wait. */
static void
fill(void)
{
	static const char part[4096];

	turn();
	while (s.can_write) {
		stream_write(&s, part, sizeof(part));
		assert_int_equal(stream_flush(&s), 0);
	}
	assert_true(stream_pending(&s) > 0);
}

/* The peer makes room, says something, and closes its side: all of it is one
 * event. */
static void
answer(void)
{
	char buf[65536];

	while (read(peer, buf, sizeof(buf)) > 0)
		;
	assert_int_equal(write(peer, "x", 1), 1);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
}

static void
room_and_words_in_one_event(void **state)
{
	(void)state;
	fill();
	answer();
	turn();
	assert_int_equal(nsent, 1);
	assert_int_equal(nreadable, 1);
}

static void
at_rest_it_is_not_read(void **state)
{
	(void)state;
	rest_in_sent = 1;
	fill();
	answer();
	turn();
	assert_int_equal(nsent, 1);
	assert_int_equal(nreadable, 0);
	turn();
	assert_int_equal(nreadable, 0);
	/* What has come meanwhile is still there. */
	rest_in_sent = 0;
	assert_int_equal(stream_resume(&s), 0);
	turn();
	assert_int_equal(nreadable, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(room_and_words_in_one_event),
		T(at_rest_it_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
