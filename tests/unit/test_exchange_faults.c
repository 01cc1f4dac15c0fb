/* SPDX-License-Identifier: BSD-2-Clause */
/* Exchanges with servers that fail, or take too long, and who is asked next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_case.h"

/* -- tries -- */

static void
the_next_server(void **state)
{
	int fd;

	(void)state;
	server_refuses(0);
	start("POST", "/a");
	fd = server_accept(1);
	server_reads(fd,
	    "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\n\r\n");
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	assert_int_equal(told_tries, 2);
	assert_int_equal(nreports, 2);
	assert_int_equal(reports[0].rc, HOSTD_E_IO);
	(void)close(fd);
}

/* All that was given goes to the next one, too. */
static void
the_next_server_gets_the_body(void **state)
{
	int fd;

	(void)state;
	ask.length = -1;
	ask.body = (hostd_buf){"one", 3};
	start("PUT", "/a");
	fd = server_accept(0);
	server_reads(fd, "PUT /a HTTP/1.1\r\nHost: app\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
	assert_int_equal(exchange_write(&x, (hostd_buf){"two", 3}), HOSTD_OK);
	assert_int_equal(exchange_finish(&x, NULL, 0), HOSTD_OK);
	server_reads(fd, "3\r\ntwo\r\n0\r\n\r\n");
	(void)close(fd);
	fd = server_accept(1);
	server_reads(fd, "PUT /a HTTP/1.1\r\nHost: app\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n6\r\nonetwo\r\n"
			 "0\r\n\r\n");
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	(void)close(fd);
}

static void
what_is_not_idempotent_goes_out_once(void **state)
{
	int fd;

	(void)state;
	start("POST", "/a");
	fd = server_accept(0);
	server_reads(fd,
	    "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\n\r\n");
	(void)close(fd);
	assert_ended(HOSTD_E_IO);
	assert_int_equal(nheads, 0);
	assert_int_equal(nreports, 1);
}

static void
unless_it_is_told_to(void **state)
{
	int fd;

	(void)state;
	ask.next = HOSTD_NEXT_ERROR | HOSTD_NEXT_UNSAFE;
	start("POST", "/a");
	fd = server_accept(0);
	(void)close(fd);
	fd = server_accept(1);
	server_says(fd, OK_5);
	assert_ended(HOSTD_OK);
	(void)close(fd);
}

static void
a_status_that_is_not_wanted(void **state)
{
	int fd;

	(void)state;
	ask.next = HOSTD_NEXT_503;
	ask.tries = 2;
	start("", "/a");
	fd = server_accept(0);
	server_says(fd, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
	(void)close(server_accept(1));
	assert_ended(HOSTD_E_IO);
	(void)close(fd);
	/* The last one's is better than none. */
	start("", "/a");
	fd = server_accept(0);
	server_says(fd, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
	(void)close(fd);
	fd = server_accept(1);
	server_says(fd, "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno");
	assert_ended(HOSTD_OK);
	assert_int_equal(told_status, 503);
	assert_body("no");
	(void)close(fd);
}

static void
nobody_is_left(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < SERVERS; i++)
		server_refuses(i);
	start("", "/a");
	assert_ended(HOSTD_E_IO);
	assert_non_null(strstr(end_text, "refused"));
	assert_int_equal(nreports, SERVERS);
}

static void
never_again(void **state)
{
	(void)state;
	server_refuses(0);
	ask.next = HOSTD_NEXT_OFF;
	start("", "/a");
	assert_ended(HOSTD_E_IO);
	assert_int_equal(nreports, 1);
}

static void
assert_not_http(const char *answer)
{
	int fd;

	ask.next = HOSTD_NEXT_OFF;
	start("", "/a");
	fd = server_accept(0);
	server_says(fd, answer);
	assert_ended(HOSTD_E_IO);
	assert_int_equal(nfins, 0);
	assert_non_null(strstr(end_text, "is not HTTP"));
	assert_int_equal(group()->nkept, 0);
	server_reads_end(fd);
}

static void
what_is_not_http(void **state)
{
	(void)state;
	assert_not_http("SSH-2.0-x\r\n");
	assert_not_http("HTTP/2.0 200 OK\r\n\r\n");
	assert_not_http("HTTP/1.1 200 OK\nContent-Length: 0\n\n");
	assert_not_http("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
			"Content-Length: 1\r\n\r\n1");
	assert_not_http("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
			"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	assert_not_http("HTTP/1.1 101 Switching Protocols\r\n\r\n");
	assert_not_http("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"5\nhello");
}

/* -- what takes too long, and who leaves -- */

static void
no_answer(void **state)
{
	int fd;

	(void)state;
	ask.next = HOSTD_NEXT_OFF;
	ask.read_timeout_ms = 40;
	start("", "/a");
	fd = server_accept(0);
	server_reads(fd, GET_A);
	assert_ended(HOSTD_E_TIMEOUT);
	assert_int_equal(reports[0].rc, HOSTD_E_TIMEOUT);
	server_reads_end(fd);
}

static void
the_owner_leaves(void **state)
{
	int fd;

	(void)state;
	start("", "/a");
	fd = server_accept(0);
	server_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
	until(&nheads, 1);
	exchange_cancel(&x);
	assert_int_equal(nends, 0);
	assert_ended(HOSTD_E_GONE);
	server_reads_end(fd);
}

/* It failed, and this is the request that may try it again. */
static void
assert_well_after(const char *head)
{
	struct up_health *h = &table.health[0];
	int fd;

	h->since_ms = 1;
	h->down_until_ms = 2;
	up_changed(&table);
	start("", "/a");
	fd = server_accept(0);
	assert_true(h->down_until_ms > loop.now_ms);
	server_says(fd, head);
	until(&nheads, 1);
	assert_int_equal(h->down_until_ms, 0);
	assert_int_equal(nends, 0);
	exchange_cancel(&x);
	assert_ended(HOSTD_E_GONE);
	server_reads_end(fd);
}

static void
others_need_not_wait_for_the_end(void **state)
{
	static const hostd_hdr upgrade = {{"Upgrade", 7}, {"echo", 4}};

	(void)state;
	assert_well_after("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n");
	ask.flags = HOSTD_FETCH_UPGRADE;
	ask.headers = &upgrade;
	ask.nheaders = 1;
	assert_well_after("HTTP/1.1 101 Switching Protocols\r\n"
			  "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n");
}

static void
leave_now(void)
{
	exchange_cancel(&x);
}

static void
the_owner_leaves_in_a_callback(void **state)
{
	int fd;

	(void)state;
	in_head = leave_now;
	start("", "/a");
	fd = server_accept(0);
	server_says(fd, OK_5);
	assert_ended(HOSTD_E_GONE);
	assert_int_equal(told_body.len, 0);
	server_reads_end(fd);
}

static void
pause_now(void)
{
	exchange_pause(&x, 1);
}

static void
an_answer_that_has_to_wait(void **state)
{
	int fd, turns;

	(void)state;
	in_head = pause_now;
	start("", "/a");
	fd = server_accept(0);
	server_says(fd, OK_5);
	until(&nheads, 1);
	for (turns = 0; turns < 20; turns++)
		turn();
	assert_int_equal(told_body.len, 0);
	exchange_pause(&x, 0);
	assert_ended(HOSTD_OK);
	assert_body("hello");
	assert_int_equal(group()->nkept, 1);
	(void)close(fd);
}

/* An answer to a part of the request: it is heard, and the connection not used
 * again, as the rest of the request would be the next one's begin. */
static void
an_early_answer(void **state)
{
	int fd;

	(void)state;
	ask.length = 100;
	ask.body = (hostd_buf){"0123456789", 10};
	start("POST", "/a");
	fd = server_accept(0);
	server_says(fd, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
	assert_ended(HOSTD_OK);
	assert_int_equal(told_status, 413);
	assert_int_equal(group()->nkept, 0);
	(void)close(fd);
}

/* A body that the server does not take waits for it, here and at its owner. */
static void
a_slow_server(void **state)
{
	static char piece[32768];
	hostd_buf b = {piece, sizeof(piece)};
	char got[65536];
	int fd, turns, full = 0;
	uint64_t given = 0, taken = 0;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	ask.length = 64 << 20;
	start("POST", "/a");
	fd = server_accept(0);
	turn();
	while ((full = exchange_write(&x, b)) >= 0) {
		given += b.n;
		assert_true(given < 32u << 20);
		turn();
	}
	assert_int_equal(full, HOSTD_E_FULL);
	assert_int_equal(nwritable, 0);
	for (turns = 0; turns < TURNS_MAX && nwritable == 0; turns++) {
		ssize_t n = recv(fd, got, sizeof(got), 0);

		taken += n > 0 ? (uint64_t)n : 0;
		turn();
	}
	assert_int_equal(nwritable, 1);
	assert_true(taken > 0);
	exchange_cancel(&x);
	assert_ended(HOSTD_E_GONE);
	(void)close(fd);
}

static void
assert_refused(const hostd_hdr *h, const char *target, const char *why_not)
{
	const char *why = NULL;

	ask.struct_size = sizeof(ask);
	ask.target = (hostd_buf){target, strlen(target)};
	ask.headers = h;
	ask.nheaders = h != NULL;
	x.ops = &owner_ops;
	x.group = group();
	assert_int_equal(exchange_start(&x, &ask, &why), HOSTD_E_INVAL);
	assert_non_null(strstr(why, why_not));
}

static void
what_is_not_sent(void **state)
{
	hostd_hdr te = {{"Transfer-Encoding", 17}, {"chunked", 7}};
	hostd_hdr line = {{"X", 1}, {"a\r\nb: c", 7}};
	hostd_hdr name = {{"X y", 3}, {"a", 1}};

	(void)state;
	assert_refused(&te, "/", "host's to set");
	assert_refused(&line, "/", "bytes");
	assert_refused(&name, "/", "name");
	assert_refused(NULL, "a", "target");
	assert_refused(NULL, "/a b", "target");
	assert_refused(NULL, "/a\r\n", "target");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, exchange_setup,	\
    exchange_teardown)
	const struct CMUnitTest tests[] = {
	    CASE(the_next_server),
	    CASE(the_next_server_gets_the_body),
	    CASE(what_is_not_idempotent_goes_out_once),
	    CASE(unless_it_is_told_to),
	    CASE(a_status_that_is_not_wanted),
	    CASE(nobody_is_left),
	    CASE(never_again),
	    CASE(what_is_not_http),
	    CASE(no_answer),
	    CASE(the_owner_leaves),
	    CASE(others_need_not_wait_for_the_end),
	    CASE(the_owner_leaves_in_a_callback),
	    CASE(an_answer_that_has_to_wait),
	    CASE(an_early_answer),
	    CASE(a_slow_server),
	    CASE(what_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
