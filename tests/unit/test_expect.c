/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to checks, whole and one byte at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "upstream/expect.h"
#include "upstream/health.h"
#include "upstream/names.h"
#include "upstream/table.h"

static struct conf_span spans[] = { { 200, 399 } };
static char get[] = "GET", head[] = "HEAD", path[] = "/healthz";
static char ready[] = "ready";

static struct conf_health
conf_of(char *method, char *body)
{
	struct conf_health c = { .type = CONF_CHECK_HTTP, .method = method,
		.path = path, .statuses = spans, .nstatuses = 1,
		.body = body };

	return c;
}

/* In parts of step bytes; then the server closes. */
static enum expect_verdict
verdict(const struct conf_health *conf, const char *answer, size_t step,
    uint32_t *why, uint32_t *what)
{
	enum expect_verdict v = EXPECT_MORE;
	size_t n = strlen(answer), i, part;
	struct expect e;

	expect_init(&e, conf);
	for (i = 0; i < n && v == EXPECT_MORE; i += part) {
		part = n - i < step ? n - i : step;
		v = expect_feed(&e, answer + i, part);
	}
	if (v == EXPECT_MORE)
		v = expect_end(&e);
	*why = e.why;
	*what = e.what;
	expect_free(&e);
	return v;
}

static void
is_good(const struct conf_health *conf, const char *answer)
{
	uint32_t why, what;

	assert_int_equal(verdict(conf, answer, 1, &why, &what), EXPECT_GOOD);
	assert_int_equal(verdict(conf, answer, 7, &why, &what), EXPECT_GOOD);
	assert_int_equal(verdict(conf, answer, 9999, &why, &what),
	    EXPECT_GOOD);
}

static void
is_bad(const struct conf_health *conf, const char *answer, uint32_t why_want,
    uint32_t what_want)
{
	static const size_t steps[] = { 1, 7, 9999 };
	uint32_t why, what;
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(verdict(conf, answer, steps[i], &why, &what),
		    EXPECT_BAD);
		assert_int_equal(why, why_want);
		assert_int_equal(what, what_want);
	}
}

static void
test_status(void **state)
{
	struct conf_health c = conf_of(get, NULL);

	(void)state;
	is_good(&c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	is_good(&c, "HTTP/1.0 302 Found\r\n\r\n");
	/* It is enough that the head is whole. */
	is_good(&c, "HTTP/1.1 204 No Content\r\n\r\n");
	is_bad(&c, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
	    UP_WHY_STATUS, 500);
	is_bad(&c, "HTTP/1.1 404 No\r\n\r\n", UP_WHY_STATUS, 404);
	is_bad(&c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
	    "Connection: upgrade\r\n\r\n", UP_WHY_STATUS, 101);
}

static void
test_informed(void **state)
{
	struct conf_health c = conf_of(get, NULL);

	(void)state;
	is_good(&c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
	    "HTTP/1.1 200 OK\r\n\r\n");
	is_bad(&c, "HTTP/1.1 103 Early Hints\r\n\r\n"
	    "HTTP/1.1 503 No\r\n\r\n", UP_WHY_STATUS, 503);
	is_bad(&c, "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 102 a\r\n\r\n"
	    "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 102 a\r\n\r\n"
	    "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 102 a\r\n\r\n"
	    "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 102 a\r\n\r\n"
	    "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
	    UP_WHY_NOT_HTTP, 0);
}

static void
test_garbage(void **state)
{
	struct conf_health c = conf_of(get, NULL);

	(void)state;
	is_bad(&c, "", UP_WHY_IO, 0);
	is_bad(&c, "HTTP/1.1 200", UP_WHY_IO, 0);
	is_bad(&c, "220 mail.example.com ESMTP\r\n\r\n", UP_WHY_NOT_HTTP, 0);
	is_bad(&c, "HTTP/1.1 200 OK\nContent-Length: 0\n\n", UP_WHY_NOT_HTTP,
	    0);
	is_bad(&c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	    "Content-Length: 2\r\n\r\nx", UP_WHY_NOT_HTTP, 0);
}

static void
test_body_of_length(void **state)
{
	struct conf_health c = conf_of(get, ready);

	(void)state;
	is_good(&c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<ready/>!");
	is_bad(&c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrea!",
	    UP_WHY_BODY, 0);
	/* What is behind its end is not of it. */
	is_bad(&c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nready",
	    UP_WHY_BODY, 0);
	is_bad(&c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nready",
	    UP_WHY_BODY, 0);
	is_bad(&c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nread",
	    UP_WHY_IO, 0);
	is_bad(&c, "HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nready",
	    UP_WHY_STATUS, 503);
}

static void
test_body_in_chunks(void **state)
{
	struct conf_health c = conf_of(get, ready);

	(void)state;
	is_good(&c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nxre\r\n4\r\nadyx\r\n0\r\n\r\n");
	is_bad(&c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "2\r\nre\r\n2\r\nad\r\n0\r\n\r\n", UP_WHY_BODY, 0);
	is_bad(&c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "x\r\n", UP_WHY_NOT_HTTP, 0);
	is_bad(&c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "2\r\nre\r\n", UP_WHY_IO, 0);
}

static void
test_body_until_closed(void **state)
{
	struct conf_health c = conf_of(get, ready);

	(void)state;
	is_good(&c, "HTTP/1.0 200 OK\r\n\r\nI am ready to serve");
	is_bad(&c, "HTTP/1.0 200 OK\r\n\r\nI am not read", UP_WHY_BODY, 0);
	is_bad(&c, "HTTP/1.0 200 OK\r\n\r\n", UP_WHY_BODY, 0);
}

static void
test_no_body(void **state)
{
	struct conf_health c = conf_of(head, ready);

	(void)state;
	is_bad(&c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
	    UP_WHY_BODY, 0);
	c.method = get;
	is_bad(&c, "HTTP/1.1 204 No Content\r\n\r\n", UP_WHY_BODY, 0);
}

static void
is_request(const struct conf_health *conf, const char *server,
    const char *want)
{
	struct buf b = {0};

	expect_request(&b, conf, server);
	buf_append(&b, "", 1);
	assert_non_null(strstr(b.p, want));
	assert_string_equal(b.p + b.len - 5, "\r\n\r\n");
	buf_free(&b);
}

static void
test_request(void **state)
{
	static char host[] = "www.example.com";
	struct conf_health c = conf_of(get, NULL);

	(void)state;
	is_request(&c, "app.test:3000", "GET /healthz HTTP/1.1\r\n"
	    "Host: app.test:3000\r\n");
	is_request(&c, "app.test:80", "\r\nHost: app.test\r\n");
	is_request(&c, "[::1]:80", "\r\nHost: [::1]\r\n");
	is_request(&c, "unix:/run/app.sock", "\r\nHost: localhost\r\n");
	c.host = host;
	is_request(&c, "app.test:80", "\r\nHost: www.example.com\r\n");
	is_request(&c, "app.test:80", "\r\nConnection: close\r\n");
}

static void
test_when(void **state)
{
	struct conf_health c = { .interval = 5000, .jitter = 1000 };
	uint32_t most = UINT32_MAX;

	(void)state;
	/* Never: soon, and not all at once. */
	assert_int_equal(health_wait_ms(&c, 0, 100000, 0), 0);
	assert_true(health_wait_ms(&c, 0, 100000, most) < 1000);
	assert_true(health_wait_ms(&c, 0, 100000, most) > 900);
	/* By somebody else, a while ago: it goes on in its rhythm. */
	assert_int_equal(health_wait_ms(&c, 98000, 100000, 0), 3000);
	assert_true(health_wait_ms(&c, 98000, 100000, most) > 3900);
	assert_true(health_wait_ms(&c, 98000, 100000, most) < 4000);
	/* Long ago, or the clock was set back. */
	assert_true(health_wait_ms(&c, 1000, 100000, most) < 1000);
	assert_true(health_wait_ms(&c, 200000, 100000, most) < 1000);
	c.interval = 100;
	c.jitter = 0;
	assert_true(health_wait_ms(&c, 0, 100000, most) < 50);
}

static void
test_back_off(void **state)
{
	unsigned i;

	(void)state;
	assert_int_equal(names_retry_ms(1000, 1, 0), 750);
	assert_true(names_retry_ms(1000, 1, UINT32_MAX) < 1250);
	assert_int_equal(names_retry_ms(1000, 2, 0), 1500);
	assert_int_equal(names_retry_ms(1000, 4, 0), 6000);
	for (i = 6; i < 100000; i *= 7)
		assert_int_equal(names_retry_ms(1000, i, 0), 22500);
	assert_int_equal(names_retry_ms(3600000, 1, 0), 22500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_informed),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_body_of_length),
		cmocka_unit_test(test_body_in_chunks),
		cmocka_unit_test(test_body_until_closed),
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_back_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
