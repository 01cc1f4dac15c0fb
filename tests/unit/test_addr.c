/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, as people write them and as we write them back. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>
#include <cmocka.h>

#include "net/addr.h"

/* text is taken, and shown as want and host. */
static void
assert_reads(const char *text, int family, const char *want, const char *host)
{
	const char *why = NULL;
	struct addr a;
	char buf[ADDR_TEXT_MAX];

	memset(&a, 0xff, sizeof(a));
	if (addr_parse(text, &a, &why) != 0)
		fail_msg("\"%s\": %s", text, why);
	assert_int_equal(a.ss.ss_family, family);
	assert_int_equal(addr_is_unix(&a), family == AF_UNIX);
	assert_ptr_equal(addr_format(&a, buf, sizeof(buf)), buf);
	assert_string_equal(buf, want);
	assert_string_equal(
	    addr_host((struct sockaddr *)&a.ss, buf, sizeof(buf)), host);
}

static void
assert_bad(const char *text, const char *part)
{
	const char *why = NULL;
	struct addr a;

	if (addr_parse(text, &a, &why) != -1)
		fail_msg("\"%s\" is taken", text);
	assert_non_null(why);
	if (strstr(why, part) == NULL)
		fail_msg("\"%s\": %s", text, why);
}

static void
ipv4(void **state)
{
	(void)state;
	assert_reads("127.0.0.1:80", AF_INET, "127.0.0.1:80", "127.0.0.1");
	assert_reads("0.0.0.0:65535", AF_INET, "0.0.0.0:65535", "0.0.0.0");
	assert_reads("*:8080", AF_INET, "0.0.0.0:8080", "0.0.0.0");
	assert_reads("8080", AF_INET, "0.0.0.0:8080", "0.0.0.0");
	assert_reads("255.255.255.255:1", AF_INET, "255.255.255.255:1",
	    "255.255.255.255");
}

static void
ipv6(void **state)
{
	(void)state;
	assert_reads("[::1]:80", AF_INET6, "[::1]:80", "::1");
	assert_reads("[::]:80", AF_INET6, "[::]:80", "::");
	assert_reads("[2001:DB8:0::1]:443", AF_INET6, "[2001:db8::1]:443",
	    "2001:db8::1");
	assert_reads("[1:2:3:4:5:6:7:8]:9", AF_INET6, "[1:2:3:4:5:6:7:8]:9",
	    "1:2:3:4:5:6:7:8");
	/* An IPv4 client of an IPv6 socket is shown as what it is. */
	assert_reads("[::ffff:192.0.2.1]:80", AF_INET6, "192.0.2.1:80",
	    "192.0.2.1");
}

static void
unix_paths(void **state)
{
	char text[256] = "unix:/";
	const char *why;
	struct addr a;

	(void)state;
	assert_reads("unix:/run/x.sock", AF_UNIX, "unix:/run/x.sock", "unix");
	assert_reads("unix:relative", AF_UNIX, "unix:relative", "unix");
	assert_reads("unix:/a:80", AF_UNIX, "unix:/a:80", "unix");
	assert_bad("unix:", "empty");
	memset(text + 6, 'x', 106);
	assert_reads(text, AF_UNIX, text, "unix");
	assert_int_equal(addr_parse(text, &a, &why), 0);
	assert_true(a.len <= sizeof(struct sockaddr_un));
	assert_int_equal(
	    ((struct sockaddr_un *)(void *)&a.ss)->sun_path[107], '\0');
	text[112] = 'x';
	assert_bad(text, "longer than 107 bytes");
}

static void
ports(void **state)
{
	static const char *const bad[] = {"*:0", "*:65536", "*:-1",
	    "*:", "*:http", "*:80 ", "*: 80", "*:0x50",
	    "*:99999999999999999999", "", "0", "http", "[::1]:", "[::1]:0",
	    "[::1]:65536", "127.0.0.1:8o"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bad[i], "the port is not a number from 1 to 65535");
	assert_reads("*:1", AF_INET, "0.0.0.0:1", "0.0.0.0");
	assert_reads("*:65535", AF_INET, "0.0.0.0:65535", "0.0.0.0");
}

static void
no_addresses(void **state)
{
	static const char *const bad[] = {":80", "localhost:80",
	    "example.com:80", "256.0.0.1:80", "1.2.3:80", "1.2.3.4.5:80",
	    "127.1:80", "0x7f.0.0.1:80", "::1:80", "[::1]", "[::1", "]:80",
	    "[]80:1", "**:80", " *:80"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)

		assert_bad(bad[i], "it is not an address");
	assert_bad("127.0.0.1", "the port is not a number");
	assert_bad("[]:80", "not an IPv6 address");
	assert_bad("[x]:80", "not an IPv6 address");
	assert_bad("[127.0.0.1]:80", "not an IPv6 address");
	assert_bad("[::1%lo]:80", "not an IPv6 address");
	assert_bad("[::1]x:80", "it is not an address");
}

static void
long_texts(void **state)
{
	char text[1024];
	size_t n;

	(void)state;
	for (n = ADDR_TEXT_MAX - 3; n < ADDR_TEXT_MAX + 3; n++) {
		memset(text, '1', n);
		memcpy(text + n, ":80", 4);
		assert_bad(
		    text, n < ADDR_TEXT_MAX ? "not an address" : "too long");
	}
	memset(text, ':', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_bad(text, "too long");
}

/* Addresses are compared byte by byte: nothing of before may be left. */
static void
equal_addresses_are_equal_bytes(void **state)
{
	static const char *const texts[] = {
	    "*:80", "[::1]:80", "unix:/a", "unix:/ab"};
	const char *why;
	struct addr a, b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&a, 0xaa, sizeof(a));
		memset(&b, 0x55, sizeof(b));
		assert_int_equal(addr_parse(texts[i], &a, &why), 0);
		assert_int_equal(addr_parse(texts[i], &b, &why), 0);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(&a.ss, &b.ss, a.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ipv4),
	    cmocka_unit_test(ipv6),
	    cmocka_unit_test(unix_paths),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(no_addresses),
	    cmocka_unit_test(long_texts),
	    cmocka_unit_test(equal_addresses_are_equal_bytes),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
