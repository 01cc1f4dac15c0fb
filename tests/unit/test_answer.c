/* SPDX-License-Identifier: BSD-2-Clause */
/* Heads of answers: what is understood, and what could be read in two ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/answer.h"
#include "http/guard.h"

static const struct guard_limits limits = {
    .request_line = 64, .head = 1024, .headers = 8, .answers = 1};

static hostd_hdr headers[8];
static struct answer a;
static char *copy;

/* 0: it is understood; else -1, as the guard and the parser see it. */
static int
parse(const char *head, int to_head)
{
	struct guard g = {0};
	size_t n = strlen(head);
	const char *why = NULL;
	int len;

	free(copy);
	copy = malloc(n);
	assert_non_null(copy);
	memcpy(copy, head, n);
	memset(&a, 0, sizeof(a));
	a.headers = headers;
	a.max = 8;
	a.to_head = to_head;
	len = guard_head(&g, &limits, copy, n);
	if (len < 0)
		return -1;
	assert_int_equal(len, n);
	if (answer_head(&a, copy, n, &why) == 0)
		return 0;
	assert_non_null(why);
	return -1;
}

static int
teardown(void **state)
{
	(void)state;
	free(copy);
	copy = NULL;
	return 0;
}

static void
assert_framed(const char *head, int to_head, enum answer_body body,
    int64_t length, int keepalive)
{
	assert_int_equal(parse(head, to_head), 0);
	assert_int_equal(a.body, body);
	assert_int_equal(a.length, length);
	assert_int_equal(a.keepalive, keepalive);
}

#define H11 "HTTP/1.1 200 OK\r\n"
#define H10 "HTTP/1.0 200 OK\r\n"
#define LENGTH "Content-Length: 5\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static void
how_a_body_ends(void **state)
{
	(void)state;
	assert_framed(H11 LENGTH "\r\n", 0, ANSWER_LENGTH, 5, 1);
	assert_framed(H11 "content-length:0\r\n\r\n", 0, ANSWER_EMPTY, 0, 1);
	assert_framed(H11 CHUNKED "\r\n", 0, ANSWER_CHUNKED, -1, 1);
	assert_framed(H11 "transfer-encoding:\t CHUNKED \r\n\r\n", 0,
	    ANSWER_CHUNKED, -1, 1);
	assert_framed(H11 "\r\n", 0, ANSWER_CLOSE, -1, 0);
	assert_framed(H10 LENGTH "\r\n", 0, ANSWER_LENGTH, 5, 0);
	assert_framed(H10 LENGTH "Connection: Keep-Alive\r\n\r\n", 0,
	    ANSWER_LENGTH, 5, 1);
	assert_framed(H10 "Connection: keep-alive\r\n\r\n", 0, ANSWER_CLOSE,
	    -1, 0);
	assert_framed(H11 LENGTH "Connection: x, Close\r\n\r\n", 0,
	    ANSWER_LENGTH, 5, 0);
	/* A 205 has a body like any other one on the wire. */
	assert_framed("HTTP/1.1 205 R\r\n\r\n", 0, ANSWER_CLOSE, -1, 0);
}

static void
answers_without_a_body(void **state)
{
	(void)state;
	assert_framed(H11 LENGTH "\r\n", 1, ANSWER_EMPTY, 0, 1);
	assert_framed(H11 CHUNKED "\r\n", 1, ANSWER_EMPTY, 0, 1);
	assert_framed("HTTP/1.1 304 N\r\n" LENGTH "\r\n", 0, ANSWER_EMPTY, 0,
	    1);
	assert_framed("HTTP/1.1 304 N\r\n" CHUNKED "\r\n", 0, ANSWER_EMPTY, 0,
	    1);
	assert_framed("HTTP/1.1 204 N\r\n\r\n", 0, ANSWER_EMPTY, 0, 1);
	assert_framed("HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n", 0,
	    ANSWER_EMPTY, 0, 1);
	assert_framed("HTTP/1.1 100\r\n\r\n", 0, ANSWER_EMPTY, 0, 1);
	assert_framed("HTTP/1.1 103 E\r\nLink: a\r\n\r\n", 0, ANSWER_EMPTY, 0,
	    1);
	assert_int_equal(parse("HTTP/1.1 204 N\r\n" LENGTH "\r\n", 0), -1);
	assert_int_equal(parse("HTTP/1.1 204 N\r\n" CHUNKED "\r\n", 0), -1);
	assert_int_equal(parse("HTTP/1.1 103 E\r\n" LENGTH "\r\n", 0), -1);
	assert_int_equal(parse("HTTP/1.1 100 C\r\n" CHUNKED "\r\n", 0), -1);
}

static void
two_ways_to_read_it(void **state)
{
	static const char *const bad[] = {
	    H11 LENGTH LENGTH "\r\n",
	    H11 LENGTH "Content-Length: 6\r\n\r\n",
	    H11 "Content-Length: 5, 5\r\n\r\n",
	    H11 "Content-Length: +5\r\n\r\n",
	    H11 "Content-Length: -1\r\n\r\n",
	    H11 "Content-Length: 0x5\r\n\r\n",
	    H11 "Content-Length: 5 5\r\n\r\n",
	    H11 "Content-Length:\r\n\r\n",
	    H11 "Content-Length: 9999999999999999999\r\n\r\n",
	    H11 "Content-Length : 5\r\n\r\n",
	    H11 LENGTH CHUNKED "\r\n",
	    H11 CHUNKED LENGTH "\r\n",
	    H11 CHUNKED CHUNKED "\r\n",
	    H11 "Transfer-Encoding: identity\r\n\r\n",
	    H11 "Transfer-Encoding: gzip, chunked\r\n\r\n",
	    H11 "Transfer-Encoding: chunked, chunked\r\n\r\n",
	    H11 "Transfer-Encoding: xchunked\r\n\r\n",
	    H11 "Transfer-Encoding: \"chunked\"\r\n\r\n",
	    H11 "Transfer-Encoding:\r\n\r\n",
	    H11 " Transfer-Encoding: chunked\r\n\r\n",
	    H11 "X: a\r\n b\r\n\r\n",
	    H11 "X: a\nY: b\r\n\r\n",
	    H11 "X: a\rY: b\r\n\r\n",
	    H11 ": a\r\n\r\n",
	    H11 "X\r\n\r\n",
	    H11 "X y: a\r\n\r\n",
	    H10 CHUNKED "\r\n",
	    "HTTP/1.1 200 OK\n\r\n",
	    "\r\nHTTP/1.1 200 OK\r\n\r\n",
	    "HTTP/1.2 200 OK\r\n\r\n",
	    "HTTP/0.9 200 OK\r\n\r\n",
	    "HTTP/2.0 200 OK\r\n\r\n",
	    "HTTP/1.10 200 OK\r\n\r\n",
	    "http/1.1 200 OK\r\n\r\n",
	    "HTTP/1.1  200 OK\r\n\r\n",
	    "HTTP/1.1 20 OK\r\n\r\n",
	    "HTTP/1.1 2000 OK\r\n\r\n",
	    "HTTP/1.1 2x0 OK\r\n\r\n",
	    "HTTP/1.1 099 OK\r\n\r\n",
	    "HTTP/1.1 600 OK\r\n\r\n",
	    "HTTP/1.1\t200 OK\r\n\r\n",
	    "HTTP/1.1 200\tOK\r\n\r\n",
	    "HTTP/1.1 200 O\001K\r\n\r\n",
	    "GET / HTTP/1.1\r\n\r\n",
	    "ICY 200 OK\r\n\r\n",
	    H11 "Upgrade: a\r\nUpgrade: b\r\n\r\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], 0) != -1)
			fail_msg("taken: %s", bad[i]);
}

static void
fields(void **state)
{
	(void)state;
	assert_int_equal(parse("HTTP/1.1 404\r\nServer:  a b \t\r\n"
			       "Set-Cookie:\r\nx-odd: \"\303\244\"\r\n\r\n", 0),
	    0);
	assert_int_equal(a.status, 404);
	assert_int_equal(a.nheaders, 3);
	assert_int_equal(headers[0].value.n, 3);
	assert_memory_equal(headers[0].value.p, "a b", 3);
	assert_memory_equal(headers[1].name.p, "Set-Cookie", 10);
	assert_int_equal(headers[1].value.n, 0);
	assert_int_equal(headers[2].value.n, 4);
	assert_null(a.upgrade.p);
}

static void
upgrades(void **state)
{
	(void)state;
	assert_int_equal(parse("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n"
			       "Connection: Upgrade\r\n\r\n", 0), 0);
	assert_int_equal(a.upgrade.n, 9);
	assert_int_equal(parse("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n",
	    0), 0);
	assert_null(a.upgrade.p);
}

static void
too_much(void **state)
{
	char head[2048];
	int i, n;

	(void)state;
	n = sprintf(head, H11);
	for (i = 0; i < 8; i++)
		n += sprintf(head + n, "X: y\r\n");
	(void)sprintf(head + n, "\r\n");
	assert_int_equal(parse(head, 0), 0);
	(void)sprintf(head + n, "X: y\r\n\r\n");
	assert_int_equal(parse(head, 0), -1);
	(void)sprintf(head, "HTTP/1.1 200 %060d\r\n\r\n", 1);
	assert_int_equal(parse(head, 0), -1);
	(void)sprintf(head, H11 "X: %01100d\r\n\r\n", 1);
	assert_int_equal(parse(head, 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(how_a_body_ends, teardown),
	    cmocka_unit_test_teardown(answers_without_a_body, teardown),
	    cmocka_unit_test_teardown(two_ways_to_read_it, teardown),
	    cmocka_unit_test_teardown(fields, teardown),
	    cmocka_unit_test_teardown(upgrades, teardown),
	    cmocka_unit_test_teardown(too_much, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
