/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks: who is in them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "http/real_ip.h"
#include "net/cidr.h"

static int
has(const char *net, const char *text)
{
	struct sockaddr_storage ss;
	struct cidr c;
	struct cidrs list = {&c, 1};
	const char *why = NULL;

	if (cidr_parse(net, &c, &why) != 0)
		fail_msg("\"%s\": %s", net, why);
	assert_int_equal(
	    real_ip_parse((hostd_buf){text, strlen(text)}, &ss), 0);
	return cidrs_have(&list, (struct sockaddr *)&ss);
}

static void
ipv4(void **state)
{
	(void)state;
	assert_true(has("192.0.2.0/24", "192.0.2.0"));
	assert_true(has("192.0.2.0/24", "192.0.2.255"));
	assert_false(has("192.0.2.0/24", "192.0.3.0"));
	assert_true(has("10.0.0.0/8", "10.255.1.2"));
	assert_false(has("10.0.0.0/8", "11.0.0.0"));
	assert_true(has("192.0.2.128/25", "192.0.2.129"));
	assert_false(has("192.0.2.128/25", "192.0.2.127"));
	assert_true(has("192.0.2.4/30", "192.0.2.7"));
	assert_false(has("192.0.2.4/30", "192.0.2.8"));
	assert_true(has("192.0.2.7", "192.0.2.7"));
	assert_false(has("192.0.2.7", "192.0.2.6"));
	assert_true(has("0.0.0.0/0", "255.1.2.3"));
	assert_false(has("0.0.0.0/0", "::1"));
}

static void
ipv6(void **state)
{
	(void)state;
	assert_true(has("2001:db8::/32", "2001:db8:ffff::1"));
	assert_false(has("2001:db8::/32", "2001:db9::1"));
	assert_true(has("2001:db8:8000::/33", "2001:db8:8000::1"));
	assert_false(has("2001:db8:8000::/33", "2001:db8:7fff::1"));
	assert_true(has("::1", "::1"));
	assert_false(has("::1", "::2"));
	assert_true(has("::/0", "2001:db8::1"));
	assert_false(has("::/0", "192.0.2.1"));
	/* An IPv4 client of an IPv6 socket. */
	assert_true(has("192.0.2.0/24", "::ffff:192.0.2.1"));
	assert_false(has("::/0", "::ffff:192.0.2.1"));
}

static void
unix_sockets(void **state)
{
	(void)state;
	assert_true(has("unix", "unix"));
	assert_true(has("unix:", "unix"));
	assert_false(has("unix", "192.0.2.1"));
	assert_false(has("0.0.0.0/0", "unix"));
}

static void
what_is_no_network(void **state)
{
	static const char *const bad[] = {"", "a", "192.0.2", "192.0.2.0/33",
	    "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/8x",
	    "192.0.2.1/24", "2001:db8::/129", "2001:db8::1/32", "/8",
	    "[::1]/128", "192.0.2.0/24/24", "192.0.2.01", "192.0.2.1:80",
	    "1111111111111111111111111111111111111111111111111111111111111111"};
	const char *why;
	struct cidr c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (cidr_parse(bad[i], &c, &why) != -1)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_non_null(why);
	}
}

static void
none_and_many(void **state)
{
	struct cidr v[2];
	struct cidrs none = {NULL, 0}, two = {v, 2};
	struct sockaddr_storage ss;
	const char *why;

	(void)state;
	assert_int_equal(cidr_parse("10.0.0.0/8", &v[0], &why), 0);
	assert_int_equal(cidr_parse("2001:db8::/32", &v[1], &why), 0);
	(void)real_ip_parse((hostd_buf){"2001:db8::7", 11}, &ss);
	assert_true(cidrs_have(&two, (struct sockaddr *)&ss));
	assert_false(cidrs_have(&none, (struct sockaddr *)&ss));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ipv4),
	    cmocka_unit_test(ipv6),
	    cmocka_unit_test(unix_sockets),
	    cmocka_unit_test(what_is_no_network),
	    cmocka_unit_test(none_and_many),
	};

	return cmocka_run_group_tests_name("cidr", tests, NULL, NULL);
}
