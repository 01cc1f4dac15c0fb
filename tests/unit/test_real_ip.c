/* SPDX-License-Identifier: BSD-2-Clause */
/* Who asks: what trusted proxies say, and nothing that a client could. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/real_ip.h"

static struct cidr nets[3];
static struct conf_http conf;
static struct http_req *req;
static char name[32];

static hostd_buf
buf_of(const char *s)
{
	return (hostd_buf){s, strlen(s)};
}

static int
setup(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(cidr_parse("10.0.0.0/8", &nets[0], &why), 0);
	assert_int_equal(cidr_parse("2001:db8::/32", &nets[1], &why), 0);
	assert_int_equal(cidr_parse("unix", &nets[2], &why), 0);
	conf.real_ip_from = (struct cidrs){nets, 3};
	conf.real_ip_header = name;
	conf.real_ip_recursive = 0;
	(void)strcpy(name, "X-Forwarded-For");
	req = calloc(1, sizeof(*req) + 8 * sizeof(hostd_hdr));
	assert_non_null(req);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(req);
	return 0;
}

static void
add(const char *header, const char *value)
{
	req->headers[req->view.nheaders].name = buf_of(header);
	req->headers[req->view.nheaders++].value = buf_of(value);
}

/* The client, when the request came from peer. */
static const char *
client(const char *peer)
{
	static char out[REAL_IP_TEXT];

	return real_ip_find(&conf, req, buf_of(peer), out) ? out : peer;
}

/* The same, and the header says value. */
static const char *
said(const char *value)
{
	req->view.nheaders = 0;
	add(name, value);
	return client("10.0.0.1");
}

static void
only_who_is_trusted(void **state)
{
	(void)state;
	add("X-Forwarded-For", "192.0.2.1");
	assert_string_equal(client("10.0.0.1"), "192.0.2.1");
	assert_string_equal(client("2001:db8::1"), "192.0.2.1");
	assert_string_equal(client("unix"), "192.0.2.1");
	assert_string_equal(client("11.0.0.1"), "11.0.0.1");
	assert_string_equal(client("2001:db9::1"), "2001:db9::1");
	conf.real_ip_from.n = 0;
	assert_string_equal(client("10.0.0.1"), "10.0.0.1");
}

static void
the_last_one(void **state)
{
	(void)state;
	assert_string_equal(said("198.51.100.1, 192.0.2.1"), "192.0.2.1");
	assert_string_equal(said("198.51.100.1, 10.0.0.2"), "10.0.0.2");
	assert_string_equal(said("192.0.2.1:4711"), "192.0.2.1");
	assert_string_equal(said("[2001:db9::1]:80"), "2001:db9::1");
	assert_string_equal(said("[2001:db9::1]"), "2001:db9::1");
	assert_string_equal(said("2001:DB9:0::1"), "2001:db9::1");
	assert_string_equal(said("::ffff:192.0.2.1"), "192.0.2.1");
}

static void
the_last_that_is_not_trusted(void **state)
{
	(void)state;
	conf.real_ip_recursive = 1;
	assert_string_equal(
	    said("198.51.100.1,192.0.2.1,\t10.0.0.3 , 10.0.0.2"), "192.0.2.1");
	assert_string_equal(said("10.0.0.4, 10.0.0.3"), "10.0.0.4");
	assert_string_equal(said("x, 10.0.0.3"), "10.0.0.3");
	assert_string_equal(said(", 10.0.0.3"), "10.0.0.3");
	assert_string_equal(said("unix, 10.0.0.3"), "10.0.0.3");
}

static void
several_lines(void **state)
{
	(void)state;
	conf.real_ip_recursive = 1;
	add("x-forwarded-for", "192.0.2.1");
	add("Other", "10.0.0.9");
	add("X-FORWARDED-FOR", "10.0.0.3, 10.0.0.2");
	assert_string_equal(client("10.0.0.1"), "192.0.2.1");
}

static void
what_is_no_address(void **state)
{
	static const char *const bad[] = {"", "a", "192.0.2", "192.0.2.1:",
	    "192.0.2.1:x", "192.0.2.1:123456", "192.0.2.01", "192.0.2.1 x",
	    "[2001:db9::1", "2001:db9::1]", "[192.0.2.1]", "[::1]x", "0x7f.1",
	    "192.0.2.1,", "unix", "\"192.0.2.1\"", "for=192.0.2.1",
	    "1111111111111111111111111111111111111111111111111111111111111111"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(said(bad[i]), "10.0.0.1");
}

static void
forwarded(void **state)
{
	(void)state;
	(void)strcpy(name, "Forwarded");
	assert_string_equal(said("for=192.0.2.1"), "192.0.2.1");
	assert_string_equal(said("For=\"[2001:db9::1]:4711\""), "2001:db9::1");
	assert_string_equal(said("proto=https;for=\"192.0.2.1:80\"; by=_a"),
	    "192.0.2.1");
	assert_string_equal(said("for=198.51.100.1, for=192.0.2.1"),
	    "192.0.2.1");
	conf.real_ip_recursive = 1;
	assert_string_equal(said("for=192.0.2.1, for=10.0.0.2;proto=http"),
	    "192.0.2.1");
	/* A client's attempt at hiding what the proxy has appended. */
	assert_string_equal(said("for=\", for=192.0.2.1"), "192.0.2.1");
}

static void
what_is_not_forwarded(void **state)
{
	static const char *const bad[] = {"", "192.0.2.1", "for=unknown",
	    "for=_hidden", "for=", "for", "=192.0.2.1", 
	    "for=\"192.0.2.1", "for=192.0.2.1 x", "for=192.0.2.1;for=192.0.2.2",
	    "proto=https", "for=\"192.0.2.1\"x", "for=[2001:db9::1]"};
	size_t i;

	(void)state;
	(void)strcpy(name, "Forwarded");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(said(bad[i]), "10.0.0.1") != 0)
			fail_msg("\"%s\" is %s", bad[i], said(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(only_who_is_trusted),
	    T(the_last_one),
	    T(the_last_that_is_not_trusted),
	    T(several_lines),
	    T(what_is_no_address),
	    T(forwarded),
	    T(what_is_not_forwarded),
	};

	return cmocka_run_group_tests_name("real_ip", tests, NULL, NULL);
}
