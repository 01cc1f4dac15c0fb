/* SPDX-License-Identifier: BSD-2-Clause */
/* The channel: what fits is delivered whole, what does not is refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "net/chan.h"

static int pair[2];
static struct chan_msg msg;

static int
setup(void **state)
{
	(void)state;
	return chan_pair(pair);
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}

/* A raw message with the header's four numbers. */
static void
send_raw(
    uint32_t version, uint32_t type, uint32_t len, uint32_t nfds, size_t body)
{
	char raw[sizeof(uint32_t) * 4 + 64] = {0};
	uint32_t head[4] = {version, type, len, nfds};

	memcpy(raw, head, sizeof(head));
	assert_int_equal(
	    send(pair[0], raw, sizeof(head) + body, 0), sizeof(head) + body);
}

static void
assert_refused(void)
{
	errno = 0;
	assert_int_equal(chan_recv(pair[1], &msg), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(msg.nfds, 0);
}

static void
carries_a_struct_and_descriptors(void **state)
{
	struct chan_init init = {.role = CHAN_ROLE_PROBE,
	    .slot = 7,
	    .cell = 9,
	    .generation = 3,
	    .pool = "web",
	    .snapshot = "/s"};
	int pipefd[2], fds[5];
	char c = 0;

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	fds[0] = pipefd[0];
	fds[1] = fds[2] = fds[3] = fds[4] = pipefd[1];
	assert_int_equal(
	    chan_send(pair[0], CHAN_INIT, &init, sizeof(init), fds, 5), 0);
	assert_int_equal(chan_recv(pair[1], &msg), 1);
	assert_int_equal(msg.type, CHAN_INIT);
	assert_int_equal(msg.len, sizeof(init));
	assert_memory_equal(msg.data, &init, sizeof(init));
	assert_int_equal(msg.nfds, 5);
	assert_true(fcntl(msg.fds[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(msg.fds[1], "x", 1), 1);
	assert_int_equal(read(pipefd[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	chan_close_fds(&msg);
	assert_int_equal(msg.nfds, 0);
	(void)close(pipefd[0]);
	(void)close(pipefd[1]);
}

static void
ends_texts_and_cuts_long_ones(void **state)
{
	static char text[2 * CHAN_MAX];

	(void)state;
	assert_int_equal(chan_send_text(pair[0], CHAN_FAILED, "no"), 0);
	assert_int_equal(chan_recv(pair[1], &msg), 1);
	assert_int_equal(msg.type, CHAN_FAILED);
	assert_string_equal(msg.data, "no");

	memset(text, 'a', sizeof(text) - 1);
	assert_int_equal(chan_send_text(pair[0], CHAN_REPORT, text), 0);
	assert_int_equal(chan_recv(pair[1], &msg), 1);
	assert_true(msg.len < CHAN_MAX);
	assert_int_equal(strlen(msg.data), msg.len);
}

static void
knows_empty_from_closed(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(chan_recv(pair[1], &msg), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(chan_send(pair[0], CHAN_READY, NULL, 0, NULL, 0), 0);
	(void)close(pair[0]);
	assert_int_equal(chan_recv(pair[1], &msg), 1);
	assert_int_equal(msg.type, CHAN_READY);
	assert_int_equal(chan_recv(pair[1], &msg), 0);
	pair[0] = -1;
}

static void
closed_with_unread_messages_is_closed(void **state)
{
	(void)state;
	assert_int_equal(chan_send(pair[1], CHAN_READY, NULL, 0, NULL, 0), 0);
	(void)close(pair[0]);
	assert_int_equal(chan_recv(pair[1], &msg), 0);
	pair[0] = -1;
}

/* Linux tells the reset before what had been said. */
static void
last_words_come_before_the_end(void **state)
{
	(void)state;
	assert_int_equal(chan_send(pair[1], CHAN_STOP, NULL, 0, NULL, 0), 0);
	assert_int_equal(chan_send_text(pair[0], CHAN_FAILED, "because"), 0);
	(void)close(pair[0]);
	pair[0] = -1;
	assert_int_equal(chan_recv(pair[1], &msg), 1);
	assert_int_equal(msg.type, CHAN_FAILED);
	assert_string_equal(msg.data, "because");
	assert_int_equal(chan_recv(pair[1], &msg), 0);
}

static void
will_not_send_what_does_not_fit(void **state)
{
	struct chan_drain d = {.deadline_ms = 1};
	int fd = pair[0];

	(void)state;
	assert_int_equal(
	    chan_send(pair[0], CHAN_DRAIN, &d, sizeof(d) - 1, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    chan_send(pair[0], CHAN_DRAIN, &d, sizeof(d), &fd, 1), -1);
	assert_int_equal(
	    chan_send(pair[0], CHAN_ERROR_LOG, NULL, 0, NULL, 0), -1);
	assert_int_equal(chan_send(pair[0], CHAN_NTYPES, NULL, 0, NULL, 0), -1);
	assert_int_equal(chan_recv(pair[1], &msg), -1);
	assert_int_equal(errno, EAGAIN);
}

/* A newer version's. */
static void
tells_unknown_messages(void **state)
{
	static const uint32_t types[] = {CHAN_NTYPES, 0xffffffff};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		send_raw(CHAN_VERSION, types[i], 4, 0, 4);
		assert_int_equal(chan_recv(pair[1], &msg), 1);
		assert_int_equal(msg.type, CHAN_UNKNOWN);
		assert_int_equal(msg.len, 0);
		assert_int_equal(msg.nfds, 0);
	}
}

static void
refuses_malformed_messages(void **state)
{
	(void)state;
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_refused();
	send_raw(CHAN_VERSION + 1, CHAN_READY, 0, 0, 0);
	assert_refused();
	send_raw(CHAN_VERSION, 0, 0, 0, 0);
	assert_refused();
	send_raw(CHAN_VERSION, CHAN_NTYPES, 1, 0, 0);
	assert_refused();
	send_raw(CHAN_VERSION, CHAN_READY, 1, 0, 0);
	assert_refused();
	send_raw(CHAN_VERSION, CHAN_READY, 0, 0, 1);
	assert_refused();
	send_raw(CHAN_VERSION, CHAN_FAILED, 0xfffffff0, 0, 4);
	assert_refused();
	send_raw(CHAN_VERSION, CHAN_DRAIN, 4, 0, 4);
	assert_refused();
	send_raw(CHAN_VERSION, CHAN_ERROR_LOG, 0, 0, 0);
	assert_refused();
	send_raw(CHAN_VERSION, CHAN_ERROR_LOG, 0, 1, 0);
	assert_refused();
	/* And goes on with the next good one. */
	send_raw(CHAN_VERSION, CHAN_READY, 0, 0, 0);
	assert_int_equal(chan_recv(pair[1], &msg), 1);
}

/* Descriptors of a refused message would otherwise pile up. */
static void
closes_descriptors_of_refused_messages(void **state)
{
	uint32_t head[4] = {CHAN_VERSION, CHAN_READY, 0, 1};
	struct iovec iov = {head, sizeof(head)};
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.buf,
	    .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	int next, again;

	(void)state;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &pair[0], sizeof(int));
	next = dup(0);
	(void)close(next);
	assert_int_equal(sendmsg(pair[0], &mh, 0), sizeof(head));
	assert_refused();
	again = dup(0);
	assert_int_equal(again, next);
	(void)close(again);
}

static void
says_when_the_peer_does_not_read(void **state)
{
	int i, rc = 0;

	(void)state;
	for (i = 0; rc == 0 && i < 1000000; i++)
		rc = chan_send(pair[0], CHAN_READY, NULL, 0, NULL, 0);
	assert_int_equal(rc, -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(i > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(carries_a_struct_and_descriptors),
	    T(ends_texts_and_cuts_long_ones),
	    T(knows_empty_from_closed),
	    T(closed_with_unread_messages_is_closed),
	    T(last_words_come_before_the_end),
	    T(will_not_send_what_does_not_fit),
	    T(tells_unknown_messages),
	    T(refuses_malformed_messages),
	    T(closes_descriptors_of_refused_messages),
	    T(says_when_the_peer_does_not_read),
	};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_set_fd(null);
	return cmocka_run_group_tests_name("chan", tests, NULL, NULL);
}
