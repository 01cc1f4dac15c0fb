/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers of the PROXY protocol: read byte by byte, refused, and made. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "net/addr.h"
#include "net/proxy.h"

#define SIG	"\r\n\r\n\0\r\nQUIT\n"
#define V4	"\xc0\0\2\1\xc6\x33\x64\7\xdc\4\1\xbb"
#define TLVS	"\1\0\2h2\2\0\x0b" "example.com\4\0\0"

static struct proxy_header h;
static const char *why;

static ssize_t
parse(const char *p, size_t n)
{
	ssize_t rc = 0;
	size_t i;

	/* Nothing is said before the last byte is there. */
	for (i = 0; i <= n && rc == 0; i++)
		rc = proxy_parse(&h, p, i, &why);
	return rc;
}

static void
check(const char *p, size_t n, const char *from, const char *to)
{
	char text[ADDR_TEXT_MAX];
	struct addr a = { .len = sizeof(a.ss) };

	assert_int_equal(parse(p, n), n);
	assert_true(h.known);
	a.ss = h.from;
	assert_string_equal(addr_format(&a, text, sizeof(text)), from);
	a.ss = h.to;
	assert_string_equal(addr_format(&a, text, sizeof(text)), to);
}

#define CHECK(lit, from, to)	check(lit, sizeof(lit) - 1, from, to)
#define UNKNOWN(lit) do {						\
	assert_int_equal(parse(lit, sizeof(lit) - 1), sizeof(lit) - 1);	\
	assert_false(h.known);						\
} while (0)
#define REFUSED(lit)	assert_int_equal(parse(lit, sizeof(lit) - 1), -1)

static void
test_v1(void **state)
{
	(void)state;
	CHECK("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n",
	    "192.0.2.1:56324", "198.51.100.7:443");
	CHECK("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n",
	    "[2001:db8::1]:0", "[2001:db8::2]:65535");
	UNKNOWN("PROXY UNKNOWN\r\n");
	UNKNOWN("PROXY UNKNOWN ffff::1 whatever this is\r\n");
}

static void
test_v1_refused(void **state)
{
	char line[128];
	int n;

	(void)state;
	REFUSED("GET / HTTP/1.1\r\n");
	REFUSED("PROXY  TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n\r\n");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\rx");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 56324 \r\n");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 056324 443\r\n");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n");
	REFUSED("PROXY TCP4 192.0.2.1 198.51.100.7 +1 443\r\n");
	REFUSED("PROXY TCP4 192.0.2.01 198.51.100.7 1 443\r\n");
	REFUSED("PROXY TCP4 2001:db8::1 2001:db8::2 1 443\r\n");
	REFUSED("PROXY TCP6 192.0.2.1 198.51.100.7 1 443\r\n");
	REFUSED("PROXY UDP4 192.0.2.1 198.51.100.7 1 443\r\n");
	REFUSED("PROXY UNKNOWN\0\r\n");
	REFUSED("PROXY \r\n");
	/* The longest there is, and one byte more. */
	n = snprintf(line, sizeof(line), "PROXY UNKNOWN %091d\r\n", 0);
	assert_int_equal(n, 107);
	assert_int_equal(parse(line, (size_t)n), n);
	n = snprintf(line, sizeof(line), "PROXY UNKNOWN %092d\r\n", 0);
	assert_int_equal(parse(line, (size_t)n), -1);
}

static void
test_v2(void **state)
{
	char path[16 + 216] = SIG "\x21\x31\0\xd8/run/a";

	(void)state;
	CHECK(SIG "\x21\x11\0\x0c" V4, "192.0.2.1:56324",
	    "198.51.100.7:443");
	CHECK(SIG "\x21\x11\0\x22" V4 TLVS, "192.0.2.1:56324",
	    "198.51.100.7:443");
	CHECK(SIG "\x21\x11\0\x29" V4 TLVS "\3\0\4\x75\x68\xbc\xfe",
	    "192.0.2.1:56324", "198.51.100.7:443");
	assert_int_equal(parse(path, sizeof(path)), sizeof(path));
	assert_int_equal(h.from.ss_family, AF_UNIX);
	/* LOCAL: whatever else it says. */
	UNKNOWN(SIG "\x20\0\0\0");
	UNKNOWN(SIG "\x20\xff\0\3abc");
	UNKNOWN(SIG "\x21\0\0\3abc");
}

static void
test_v2_refused(void **state)
{
	(void)state;
	REFUSED("\r\n\r\nx");
	REFUSED(SIG "\x11\x11\0\x0c" V4);
	REFUSED(SIG "\x22\x11\0\x0c" V4);
	REFUSED(SIG "\x21\x41\0\x0c" V4);
	REFUSED(SIG "\x21\x13\0\x0c" V4);
	REFUSED(SIG "\x21\x11\0\x0b" V4);
	REFUSED(SIG "\x21\x21\0\x0c" V4);
	REFUSED(SIG "\x21\x11\x20\0");
	REFUSED(SIG "\x21\x11\0\x0e" V4 "\1\0");
	REFUSED(SIG "\x21\x11\0\x10" V4 "\1\0\2a");
	REFUSED(SIG "\x21\x11\0\x29" V4 TLVS "\3\0\4\x75\x68\xbc\xff");
	REFUSED(SIG "\x21\x11\0\x11" V4 "\3\0\2ab");
}

static struct sockaddr_storage
at(const char *text)
{
	const char *bad;
	struct addr a;

	assert_int_equal(addr_parse(text, &a, &bad), 0);
	return a.ss;
}

static void
remake(int version, const char *from, const char *to, const char *as,
    const char *as_to)
{
	struct sockaddr_storage f = at(from), t = at(to);
	char out[PROXY_MAKE_MAX];
	size_t n = proxy_make(version, (struct sockaddr *)&f,
	    (struct sockaddr *)&t, out);

	if (as != NULL) {
		check(out, n, as, as_to);
		return;
	}
	assert_int_equal(parse(out, n), n);
	assert_false(h.known);
}

static void
test_made(void **state)
{
	struct sockaddr_storage f = at("192.0.2.1:56324");
	struct sockaddr_storage t = at("198.51.100.7:443");
	char out[PROXY_MAKE_MAX];
	int v;

	(void)state;
	for (v = 1; v <= 2; v++) {
		remake(v, "192.0.2.1:1", "192.0.2.2:2", "192.0.2.1:1",
		    "192.0.2.2:2");
		remake(v, "[2001:db8::1]:1", "[2001:db8::2]:2",
		    "[2001:db8::1]:1", "[2001:db8::2]:2");
		/* What has come to a socket of both. */
		remake(v, "[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:2",
		    "192.0.2.1:1", "192.0.2.2:2");
		remake(v, "192.0.2.1:1", "[2001:db8::2]:2",
		    "192.0.2.1:1", "[2001:db8::2]:2");
		remake(v, "unix:/run/a", "192.0.2.2:2", NULL, NULL);
	}
	assert_int_equal(proxy_make(1, (struct sockaddr *)&f,
	    (struct sockaddr *)&t, out), 45);
	assert_memory_equal(out,
	    "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", 45);
	assert_int_equal(proxy_make(2, (struct sockaddr *)&f,
	    (struct sockaddr *)&t, out), 28);
	assert_memory_equal(out, SIG "\x21\x11\0\x0c" V4, 28);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_v1_refused),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_v2_refused),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
