/* SPDX-License-Identifier: BSD-2-Clause */
/* Outgoing connections: which address wins, what is said when none does, and
 * that nothing is left of one that was cancelled. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/connect.h"
#include "scratch.h"

#define HOLE_BACKLOG 1

static struct loop loop;
static struct stream_io sio;
static struct stream stream;
static struct connect conn;
static int ndone, done_error, descriptors;
static char done_text[1024];

/* A listening socket, and what fills its queue, or one that only has a port. */
struct server {
	int fd, filler[HOLE_BACKLOG + 1];
	struct addr at;
	uint16_t port;
};
static struct server servers[2], refusing;

static void
ignore(struct stream *s)
{
	(void)s;
}

static void
ignore_failed(struct stream *s, int error)
{
	(void)s;
	(void)error;
}

static const struct stream_ops ops = {ignore, ignore, ignore_failed, ignore};

static void
done(struct connect *c, int error, const char *text)
{
	assert_ptr_equal(c, &conn);
	ndone++;
	done_error = error;
	(void)snprintf(done_text, sizeof(done_text), "%s", text);
}

static int
count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static int
setup(void **state)
{
	(void)state;
	memset(&conn, 0, sizeof(conn));
	memset(servers, 0, sizeof(servers));
	memset(&refusing, 0, sizeof(refusing));
	ndone = 0;
	if (loop_init(&loop) == -1)
		return -1;
	stream_io_init(&sio, &loop);
	conn.sio = &sio;
	conn.stream = &stream;
	conn.ops = &ops;
	conn.done = done;
	descriptors = count_descriptors();
	return 0;
}

static void
server_close(struct server *s)
{
	int i;

	for (i = 0; i <= HOLE_BACKLOG; i++)
		if (s->filler[i] > 0)
			(void)close(s->filler[i]);
	if (s->fd > 0)
		(void)close(s->fd);
	memset(s, 0, sizeof(*s));
}

static int
teardown(void **state)
{
	(void)state;
	server_close(&servers[0]);
	server_close(&servers[1]);
	server_close(&refusing);
	/* A thread that still looks something up may have files open. */
	(void)uv_run(loop.uv, UV_RUN_NOWAIT);
	while (loop.uv->active_reqs.count > 0)
		loop_turn_uv(&loop, -1);
	assert_int_equal(count_descriptors(), descriptors);
	loop_close(&loop);
	stream_io_free(&sio);
	return 0;
}

static void
server_bind(struct server *s, const char *host)
{
	assert_int_equal(connect_literal(host, 0, &s->at), 0);
	s->fd = socket(s->at.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(s->fd, -1);
	assert_int_equal(
	    bind(s->fd, (struct sockaddr *)&s->at.ss, s->at.len), 0);
	assert_int_equal(
	    getsockname(s->fd, (struct sockaddr *)&s->at.ss, &s->at.len), 0);
	s->port = ntohs(((struct sockaddr_in *)(void *)&s->at.ss)->sin_port);
}

static void
server_open(struct server *s, const char *host)
{
	server_bind(s, host);
	assert_int_equal(listen(s->fd, HOLE_BACKLOG), 0);
}

/* Nobody takes anything from its queue, which is full: SYNs are dropped. */
static void
hole_open(struct server *s)
{
	int i;

	server_open(s, "127.0.0.1");
	for (i = 0; i <= HOLE_BACKLOG; i++) {
		s->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
		    connect(s->filler[i], (struct sockaddr *)&s->at.ss,
			s->at.len), 0);
	}
}

/* A port where nobody listens, and that nobody else gets meanwhile. */
static uint16_t
refusing_port(void)
{
	server_bind(&refusing, "127.0.0.1");
	return refusing.port;
}

static void
start(const char *host, uint16_t port, uint32_t timeout_ms)
{
	struct connect_to to = {
	    .host = host, .port = port, .timeout_ms = timeout_ms};

	connect_start(&conn, &to);
	assert_int_equal(ndone, 0);
}

static void
start_at(const struct addr *list, size_t n, uint32_t timeout_ms)
{
	struct connect_to to = {.host = "name", .timeout_ms = timeout_ms};

	connect_start_at(&conn, &to, list, n);
	assert_int_equal(ndone, 0);
}

static void
wait_done(void)
{
	while (ndone == 0)
		loop_turn(&loop);
	assert_int_equal(ndone, 1);
}

/* It is connected to s: bytes go there. */
static void
assert_connected(const struct server *s)
{
	char buf[8];
	int fd;

	wait_done();
	assert_string_equal(done_text, "");
	assert_int_equal(done_error, 0);
	fd = accept(s->fd, NULL, NULL);
	assert_int_not_equal(fd, -1);
	stream_write(&stream, "hello", 5);
	assert_int_equal(stream_flush(&stream), 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	(void)close(fd);
	stream_close(&stream);
}

static void
connects_to_an_address(void **state)
{
	(void)state;
	server_open(&servers[0], "127.0.0.1");
	start("127.0.0.1", servers[0].port, 3600000);
	assert_connected(&servers[0]);
}

/* A form that is none of inet_pton's, so that it goes the way of names, but
 * needs no server to answer. */
static void
connects_to_a_name(void **state)
{
	(void)state;
	server_open(&servers[0], "127.0.0.1");
	start("127.1", servers[0].port, 3600000);
	assert_connected(&servers[0]);
}

static void
connects_to_a_path(void **state)
{
	const char *path = scratch_path("sock");

	(void)state;
	server_open(&servers[0], path);
	start(path, 0, 3600000);
	assert_connected(&servers[0]);
	(void)unlink(path);
}

static void
says_who_refused(void **state)
{
	uint16_t port = refusing_port();
	char text[128];

	(void)state;
	start("127.0.0.1", port, 3600000);
	wait_done();
	assert_int_equal(done_error, ECONNREFUSED);
	(void)snprintf(text, sizeof(text),
	    "connecting to 127.0.0.1:%u: Connection refused", port);
	assert_string_equal(done_text, text);
}

static void
says_what_a_name_led_to(void **state)
{
	uint16_t port = refusing_port();
	char text[128];

	(void)state;
	start("127.1", port, 3600000);
	wait_done();
	assert_int_equal(done_error, ECONNREFUSED);
	(void)snprintf(text, sizeof(text),
	    "connecting to 127.1: 127.0.0.1:%u: Connection refused", port);
	assert_string_equal(done_text, text);
}

static void
says_which_path_is_not_there(void **state)
{
	(void)state;
	start("/nonexistent/sock", 0, 3600000);
	wait_done();
	assert_int_equal(done_error, ENOENT);
	assert_string_equal(done_text, "connecting to unix:/nonexistent/sock: "
	    "No such file or directory");
}

static void
refuses_a_path_that_is_too_long(void **state)
{
	char path[200];

	(void)state;
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	start(path, 0, 3600000);
	wait_done();
	assert_int_not_equal(done_error, 0);
	assert_non_null(strstr(done_text, "longer than 107 bytes"));
}

/* No resolver has to be asked to know that a label of 64 is too long. */
static void
says_that_there_is_no_such_name(void **state)
{
	static const char name[] =
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    ".invalid";
	char text[128];

	(void)state;
	start(name, 80, 3600000);
	wait_done();
	assert_int_not_equal(done_error, 0);
	(void)snprintf(text, sizeof(text), "looking up %s: ", name);
	assert_memory_equal(done_text, text, strlen(text));
	assert_true(strlen(done_text) > strlen(text));
}

static void
no_address_is_no_connection(void **state)
{
	(void)state;
	start_at(NULL, 0, 3600000);
	wait_done();
	assert_int_not_equal(done_error, 0);
	assert_string_equal(done_text, "looking up name: no address");
}

static unsigned nwaited;

static void
waited(struct wheel_timer *t)
{
	(void)t;
	nwaited++;
}

static void
goes_on_at_once_when_refused(void **state)
{
	struct addr list[9];
	uint16_t port = refusing_port();
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		assert_int_equal(connect_literal("127.0.0.1", port, &list[i]),
		    0);
	server_open(&servers[0], "127.0.0.1");
	list[8] = servers[0].at;
	nwaited = 0;
	start_at(list, 9, 3600000);
	conn.next.fire = waited;
	wait_done();
	assert_int_equal(nwaited, 0);
	assert_connected(&servers[0]);
}

static void
goes_on_in_time_when_nobody_answers(void **state)
{
	struct addr list[2];
	uint64_t before;

	(void)state;
	hole_open(&servers[0]);
	server_open(&servers[1], "127.0.0.1");
	list[0] = servers[0].at;
	list[1] = servers[1].at;
	before = loop_clock_ms();
	start_at(list, 2, 3600000);
	wait_done();
	assert_true(loop_clock_ms() - before >= CONNECT_NEXT_MS);
	assert_connected(&servers[1]);
}

/* The one that was tried first answers after all, while the other is tried. */
static void
takes_the_first_that_answers(void **state)
{
	struct addr list[2];
	int fd, i;

	(void)state;
	hole_open(&servers[0]);
	hole_open(&servers[1]);
	list[0] = servers[0].at;
	list[1] = servers[1].at;
	start_at(list, 2, 3600000);
	while (conn.nopen < 2)
		loop_turn(&loop);
	for (i = 0; i <= HOLE_BACKLOG; i++) {
		fd = accept(servers[0].fd, NULL, NULL);
		assert_int_not_equal(fd, -1);
		(void)close(fd);
	}
	assert_connected(&servers[0]);
}

static void
names_all_who_did_not_answer(void **state)
{
	char a[64], b[64], text[512];
	struct addr list[3];

	(void)state;
	hole_open(&servers[0]);
	hole_open(&servers[1]);
	list[0] = servers[0].at;
	assert_int_equal(
	    connect_literal("127.0.0.1", refusing_port(), &list[1]), 0);
	list[2] = servers[1].at;
	start_at(list, 3, 3600000);
	while (conn.ntried < 3)
		loop_turn(&loop);
	assert_int_equal(conn.nopen, 2);
	wheel_remove(&loop.wheel, &conn.limit);
	conn.limit.fire(&conn.limit);
	assert_int_equal(ndone, 1);
	assert_int_equal(done_error, ETIMEDOUT);
	(void)snprintf(text, sizeof(text), "%s: no answer within 3600000 ms",
	    addr_format(&list[0], a, sizeof(a)));
	assert_non_null(strstr(done_text, text));
	(void)snprintf(text, sizeof(text), "%s: Connection refused",
	    addr_format(&list[1], b, sizeof(b)));
	assert_non_null(strstr(done_text, text));
	(void)snprintf(text, sizeof(text), "%s: no answer within 3600000 ms",
	    addr_format(&list[2], a, sizeof(a)));
	assert_non_null(strstr(done_text, text));
}

/* Of a unix socket, a full queue is an error at once; it is tried again. */
static void
waits_for_room_in_the_queue_of_a_path(void **state)
{
	const char *path = scratch_path("full");
	struct server *s = &servers[0];
	int fd, i;

	(void)state;
	server_open(s, path);
	for (i = 0; i <= HOLE_BACKLOG; i++) {
		s->filler[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(s->filler[i],
		    (struct sockaddr *)&s->at.ss, s->at.len), 0);
	}
	start(path, 0, 3600000);
	loop_turn(&loop);
	assert_int_equal(ndone, 0);
	for (i = 0; i <= HOLE_BACKLOG; i++) {
		fd = accept(s->fd, NULL, NULL);
		assert_int_not_equal(fd, -1);
		(void)close(fd);
	}
	assert_connected(s);
	(void)unlink(path);
}

static void
gives_up_a_path_whose_queue_stays_full(void **state)
{
	const char *path = scratch_path("stays");
	struct server *s = &servers[0];
	int i;

	(void)state;
	server_open(s, path);
	for (i = 0; i <= HOLE_BACKLOG; i++) {
		s->filler[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(s->filler[i],
		    (struct sockaddr *)&s->at.ss, s->at.len), 0);
	}
	start(path, 0, 150);
	wait_done();
	assert_int_equal(done_error, ETIMEDOUT);
	assert_non_null(strstr(done_text, "no answer within 150 ms"));
	(void)unlink(path);
}

/* -- cancelled -- */

static void
cancelled_before_it_begins(void **state)
{
	(void)state;
	server_open(&servers[0], "127.0.0.1");
	start("127.0.0.1", servers[0].port, 3600000);
	connect_cancel(&conn);
	connect_cancel(&conn);
	start("127.0.0.1", servers[0].port, 3600000);
	assert_connected(&servers[0]);
}

/* Teardown waits for the thread, which frees the request. */
static void
cancelled_while_looking_up(void **state)
{
	(void)state;
	start("127.1", 80, 3600000);
	connect_cancel(&conn);
	memset(&conn, 0, sizeof(conn));
}

static void
cancelled_with_attempts_open(void **state)
{
	struct addr list[2];

	(void)state;
	hole_open(&servers[0]);
	hole_open(&servers[1]);
	list[0] = servers[0].at;
	list[1] = servers[1].at;
	start_at(list, 2, 3600000);
	while (conn.nopen < 2)
		loop_turn(&loop);
	connect_cancel(&conn);
	assert_int_equal(ndone, 0);
	assert_int_equal(conn.nopen, 0);
}

static void
a_late_lookup_is_given_up(void **state)
{
	(void)state;
	start("127.1", 80, 0);
	wheel_remove(&loop.wheel, &conn.limit);
	conn.limit.fire(&conn.limit);
	assert_int_equal(ndone, 1);
	assert_int_equal(done_error, ETIMEDOUT);
	assert_string_equal(
	    done_text, "looking up 127.1: no answer within 0 ms");
}

static int
group_setup(void **state)
{
	(void)state;
	scratch_make();
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(connects_to_an_address),
	    TEST(connects_to_a_name),
	    TEST(connects_to_a_path),
	    TEST(says_who_refused),
	    TEST(says_what_a_name_led_to),
	    TEST(says_which_path_is_not_there),
	    TEST(refuses_a_path_that_is_too_long),
	    TEST(says_that_there_is_no_such_name),
	    TEST(no_address_is_no_connection),
	    TEST(goes_on_at_once_when_refused),
	    TEST(goes_on_in_time_when_nobody_answers),
	    TEST(takes_the_first_that_answers),
	    TEST(names_all_who_did_not_answer),
	    TEST(waits_for_room_in_the_queue_of_a_path),
	    TEST(gives_up_a_path_whose_queue_stays_full),
	    TEST(cancelled_before_it_begins),
	    TEST(cancelled_while_looking_up),
	    TEST(cancelled_with_attempts_open),
	    TEST(a_late_lookup_is_given_up),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
