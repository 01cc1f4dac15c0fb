/* SPDX-License-Identifier: BSD-2-Clause */
/* Exchanges with servers: what goes out, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_case.h"

static void
a_request_and_its_answer(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(told_status, 200);
	assert_string_equal(told_head.p, "Content-Length=5;X-A=b;");
	assert_int_equal(told_length, 5);
	assert_int_equal(nfins, 1);
	assert_body("hello");
	assert_int_equal(nreports, 1);
	assert_int_equal(reports[0].rc, HOSTD_OK);
	assert_int_equal(reports[0].status, 200);
	assert_true(reports[0].header_us > 0);
	(void)close(fd);
}

static void
the_connection_is_used_again(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	start("", "/b");
	server_reads(fd, "GET /b HTTP/1.1\r\nHost: app\r\n\r\n");
	server_says(fd, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_ended(HOSTD_OK);
	assert_int_equal(nfins, 1);
	assert_int_equal(reports[1].connect_us, 0);
	(void)close(fd);
}

/* Closed as the request comes: the same server is asked again, over a fresh
 * connection, and it has not failed. */
static void
one_that_was_closed_meanwhile(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	start("", "/a");
	(void)close(fd);
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(told_tries, 1);
	assert_int_equal(nreports, 2);
	assert_int_equal(reports[1].rc, HOSTD_OK);
	(void)close(fd);
}

static void
one_that_was_closed_before(void **state)
{
	int fd, turns;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(group()->nkept, 1);
	(void)close(fd);
	for (turns = 0; group()->nkept != 0 && turns < TURNS_MAX; turns++)
		turn();
	assert_int_equal(group()->nkept, 0);
}

/* A server that says more than it was asked for can't be trusted with the next
 * request. */
static void
bytes_behind_the_answer(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5 "HTTP/1.1 200 OK\r\n");
	assert_ended(HOSTD_OK);
	assert_body("hello");
	assert_int_equal(group()->nkept, 0);
	server_reads_end(fd);
}

/* A connection that is kept, idle for longer than this turn. */
static int
kept_connection(void)
{
	int fd;

	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(group()->nkept, 1);
	turn();
	loop.now_ms++;
	return fd;
}

/* The loop has not heard of it when the next request goes out: it would be
 * the answer to that. */
static void
what_is_said_unasked(void **state)
{
	int fd = kept_connection();

	(void)state;
	server_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
	start("", "/a");
	x.task.run(&x.task);
	server_reads_end(fd);
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_body("hello");
	(void)close(fd);
}

/* It was meant for the idle connection, or for the answer before. */
static void
assert_asked_again(const char *parting)
{
	int fd = kept_connection();

	start("", "/a");
	server_reads(fd, GET_A);
	server_says(fd, parting);
	server_reads_end(fd);
	fd = server_accept(0);
	server_reads(fd, GET_A);
	assert_int_equal(nheads, 0);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(told_status, 200);
	assert_int_equal(reports[nreports - 1].rc, HOSTD_OK);
	assert_int_equal(group()->nkept, 1);
	server_says(fd, "!");
	server_reads_end(fd);
}

static void
what_is_said_at_parting(void **state)
{
	(void)state;
	assert_asked_again("HTTP/1.1 408 Request Timeout\r\n"
			   "Connection: close\r\n\r\n");
	assert_asked_again("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
			   "Content-Length: 2\r\n\r\nno");
	assert_asked_again("the body of an answer to HEAD\r\n\r\n");
}

static void
assert_told(const char *method, const char *answer, int status)
{
	int fd = kept_connection();
	char want[100];

	start(method, "/a");
	(void)snprintf(want, sizeof(want), "%s /a HTTP/1.1\r\nHost: app\r\n"
	    "%s\r\n", method, *method == 'P' ? "Content-Length: 0\r\n" : "");
	server_reads(fd, want);
	server_says(fd, answer);
	assert_ended(HOSTD_OK);
	assert_int_equal(told_status, status);
	(void)close(fd);
	while (group()->nkept != 0)
		turn();
}

/* What is not to go out twice; an answer after which it goes on; and one over
 * a fresh connection. */
static void
a_real_408(void **state)
{
	int fd;

	(void)state;
	assert_told("POST", "HTTP/1.1 408 Request Timeout\r\n"
	    "Connection: close\r\nContent-Length: 0\r\n\r\n", 408);
	assert_told("GET", "HTTP/1.1 408 Request Timeout\r\n"
			   "Content-Length: 0\r\n\r\n", 408);
	start("", "/a");
	fd = server_accept(0);
	server_says(fd, "HTTP/1.1 408 Request Timeout\r\n"
			"Connection: close\r\nContent-Length: 0\r\n\r\n");
	assert_ended(HOSTD_OK);
	(void)close(fd);
	assert_int_equal(told_status, 408);
}

static void
a_body_of_known_length(void **state)
{
	hostd_buf rest = {"lo", 2};
	int fd;

	(void)state;
	ask.length = 5;
	ask.body = (hostd_buf){"hel", 3};
	start("POST", "/a");
	fd = server_accept(0);
	server_reads(fd, "POST /a HTTP/1.1\r\nHost: app\r\n"
			 "Content-Length: 5\r\n\r\nhel");
	assert_int_equal(exchange_finish(&x, NULL, 0), HOSTD_E_INVAL);
	assert_int_equal(exchange_write(&x, (hostd_buf){"long", 4}),
	    HOSTD_E_INVAL);
	assert_int_equal(exchange_write(&x, rest), HOSTD_OK);
	assert_int_equal(exchange_finish(&x, NULL, 0), HOSTD_OK);
	server_reads(fd, "lo");
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(group()->nkept, 1);
	(void)close(fd);
}

static void
a_body_in_chunks_with_trailers(void **state)
{
	hostd_hdr sum = {{"X-Sum", 5}, {"1", 1}}, bad = {{"Host", 4}, {"a", 1}};
	int fd;

	(void)state;
	ask.length = -1;
	start("PUT", "/a");
	assert_int_equal(exchange_write(&x, (hostd_buf){"early", 5}), HOSTD_OK);
	fd = server_accept(0);
	server_reads(fd, "PUT /a HTTP/1.1\r\nHost: app\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n");
	assert_int_equal(exchange_write(&x, (hostd_buf){
	    "0123456789abcdefgh", 18}), HOSTD_OK);
	server_reads(fd, "12\r\n0123456789abcdefgh\r\n");
	assert_int_equal(exchange_finish(&x, &bad, 1), HOSTD_E_INVAL);
	assert_int_equal(exchange_finish(&x, &sum, 1), HOSTD_OK);
	assert_int_equal(exchange_finish(&x, &sum, 1), HOSTD_E_STATE);
	server_reads(fd, "0\r\nX-Sum: 1\r\n\r\n");
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	(void)close(fd);
}

static void
an_answer_in_chunks_with_trailers(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n");
	assert_ended(HOSTD_OK);
	assert_int_equal(told_length, -1);
	assert_body("hello");
	assert_int_equal(group()->nkept, 1);
	(void)close(fd);
}

static void
an_answer_that_ends_with_the_connection(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, "HTTP/1.1 200 OK\r\n\r\nhello");
	until(&nheads, 1);
	assert_int_equal(nfins, 0);
	(void)close(fd);
	assert_ended(HOSTD_OK);
	assert_int_equal(nfins, 1);
	assert_body("hello");
	assert_int_equal(group()->nkept, 0);
}

/* A reset is no end of a body. */
static void
an_answer_that_ends_with_a_reset(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, "HTTP/1.1 200 OK\r\n\r\nhello");
	until(&nheads, 1);
	server_resets(fd);
	assert_ended(HOSTD_E_IO);
	assert_int_equal(nfins, 0);
	assert_body("hello");
	assert_int_equal(reports[0].rc, HOSTD_E_IO);
}

static void
assert_cut_short(const char *answer)
{
	int fd;

	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, answer);
	until(&nheads, 1);
	(void)close(fd);
	assert_ended(HOSTD_E_IO);
	assert_int_equal(nfins, 0);
	assert_non_null(strstr(end_text, "cut short"));
}

static void
bodies_cut_short(void **state)
{
	(void)state;
	assert_cut_short("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
	assert_cut_short("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "5\r\nhello\r\n");
	assert_cut_short("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "5\r\nhello\r\n0\r\nX: y\r\n");
}

static void
interim_answers(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	server_says(fd, "HTTP/1.1 100 Continue\r\n\r\n"
			"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
	until(&ninfos, 1);
	assert_int_equal(told_status, 103);
	assert_string_equal(told_head.p, "Link=</a>;");
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(ninfos, 1);
	(void)close(fd);
}

static void
an_answer_to_head(void **state)
{
	int fd;

	(void)state;
	start("HEAD", "/a");
	fd = server_accept(0);
	server_reads(fd, "HEAD /a HTTP/1.1\r\nHost: app\r\n\r\n");
	server_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	assert_ended(HOSTD_OK);
	assert_int_equal(told_length, 0);
	assert_int_equal(nfins, 1);
	assert_int_equal(group()->nkept, 1);
	(void)close(fd);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, exchange_setup,	\
    exchange_teardown)
	const struct CMUnitTest tests[] = {
	    CASE(a_request_and_its_answer),
	    CASE(the_connection_is_used_again),
	    CASE(one_that_was_closed_meanwhile),
	    CASE(one_that_was_closed_before),
	    CASE(bytes_behind_the_answer),
	    CASE(what_is_said_unasked),
	    CASE(what_is_said_at_parting),
	    CASE(a_real_408),
	    CASE(a_body_of_known_length),
	    CASE(a_body_in_chunks_with_trailers),
	    CASE(an_answer_in_chunks_with_trailers),
	    CASE(an_answer_that_ends_with_the_connection),
	    CASE(an_answer_that_ends_with_a_reset),
	    CASE(bodies_cut_short),
	    CASE(interim_answers),
	    CASE(an_answer_to_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
