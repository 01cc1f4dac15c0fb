/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One check of a server: what is wrong with us, and not with it, says nothing
 * of it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "loop_case.h"
#include "upstream/check.h"
#include "upstream/table.h"

static char get[] = "GET", path[] = "/";
static struct conf_span spans[] = { { 200, 200 } };
static struct conf_upstream conf;
static struct stream_io sio;
static struct check c;
static struct addr addr;
static int listener, done;
static enum check_result result;
static uint32_t why, what;

static void
is_done(struct check *check, enum check_result r, uint32_t y, uint32_t t)
{
	assert_ptr_equal(check, &c);
	result = r;
	why = y;
	what = t;
	done++;
}

static int
setup(void **state)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&addr.ss;

	(void)state;
	loop_open();
	stream_io_init(&sio, &loop);
	memset(&conf, 0, sizeof(conf));
	conf.health = (struct conf_health){ .type = CONF_CHECK_HTTP,
		.method = get, .path = path, .statuses = spans,
		.nstatuses = 1, .timeout = 30000 };
	memset(&addr, 0, sizeof(addr));
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.len = sizeof(*in);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr.ss, addr.len),
	    0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr.ss,
	    &addr.len), 0);
	assert_int_equal(listen(listener, 8), 0);
	memset(&c, 0, sizeof(c));
	done = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	check_cancel(&c);
	close(listener);
	stream_io_free(&sio);
	loop_end();
	return 0;
}

static void
start(void)
{
	struct check_to to = { .conf = &conf, .server = "app.test:80",
		.addr = &addr };

	c.sio = &sio;
	c.done = is_done;
	check_start(&c, &to);
	assert_int_equal(done, 0);
}

static int
accepted(void)
{
	int fd;

	/* It is in the queue as soon as the kernel has made the connection. */
	turn();
	fd = accept(listener, NULL, NULL);
	assert_int_not_equal(fd, -1);
	return fd;
}

static void
test_good(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n"
	    "Content-Length: 0\r\n\r\n";
	char got[512];
	ssize_t n;
	int fd;

	(void)state;
	start();
	fd = accepted();
	turn();
	n = recv(fd, got, sizeof(got) - 1, 0);
	assert_true(n > 0);
	got[n] = '\0';
	assert_int_equal(strncmp(got, "GET / HTTP/1.1\r\nHost: app.test\r\n",
	    32), 0);
	assert_int_equal(send(fd, answer, sizeof(answer) - 1, 0),
	    sizeof(answer) - 1);
	until(&done, 1);
	assert_int_equal(result, CHECK_GOOD);
	/* Its end is closed. */
	assert_int_equal(recv(fd, got, sizeof(got), 0), 0);
	close(fd);
}

/* Nobody listens there any more, and nobody else gets the port. */
static void
refuse(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr.ss, addr.len), 0);
	close(listener);
	listener = fd;
}

static void
test_refused(void **state)
{
	(void)state;
	refuse();
	start();
	until(&done, 1);
	assert_int_equal(result, CHECK_BAD);
	assert_int_equal(why, UP_WHY_CONNECT);
	assert_int_equal(what, ECONNREFUSED);
}

static void
test_cancelled(void **state)
{
	char byte;
	int fd;

	(void)state;
	start();
	fd = accepted();
	check_cancel(&c);
	check_cancel(&c);
	(void)recv(fd, &byte, 1, 0);
	close(fd);
	start();
	check_cancel(&c);
	turn();
	assert_int_equal(done, 0);
}

/* It is not the server's fault that we have no descriptors left. */
static void
test_no_descriptor(void **state)
{
	struct rlimit was, none;
	int fd = dup(0);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)fd;
	close(fd);
	start();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	until(&done, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(result, CHECK_VOID);
	assert_int_equal(what, EMFILE);
}

/* Nor that we have not looked for so long. */
static void
test_late_loop(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
	int fd;

	(void)state;
	start();
	fd = accepted();
	turn();
	assert_int_equal(send(fd, answer, sizeof(answer) - 1, 0),
	    sizeof(answer) - 1);
	/* As if its time had run out long ago, before we could read that. */
	c.limit_ms = loop.now_ms - 5000;
	c.limit.fire(&c.limit);
	assert_int_equal(done, 0);
	until(&done, 1);
	assert_int_equal(result, CHECK_GOOD);
	close(fd);
}

static void
test_timeout(void **state)
{
	int fd;

	(void)state;
	conf.health.timeout = 40;
	start();
	fd = accepted();
	until(&done, 1);
	assert_int_equal(result, CHECK_BAD);
	assert_int_equal(why, UP_WHY_TIMEOUT);
	assert_int_equal(what, 40);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancelled, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptor, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_late_loop, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_timeout, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
