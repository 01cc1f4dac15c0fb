/* SPDX-License-Identifier: BSD-2-Clause */
/* Which addresses of a name are tried first, and what is an address itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "net/connect.h"

static struct addrinfo infos[8];
static struct sockaddr_in6 addresses[8];

/* A list as "46": one digit for each address' family. */
static void
order(const char *from, const char *to)
{
	struct addr out[4];
	size_t i, n, len = strlen(from);

	memset(infos, 0, sizeof(infos));
	for (i = 0; i < len; i++) {
		infos[i].ai_family = from[i] == '4' ? AF_INET : AF_INET6;
		infos[i].ai_addr = (struct sockaddr *)&addresses[i];
		infos[i].ai_addrlen = from[i] == '4'
		    ? sizeof(struct sockaddr_in)
		    : sizeof(struct sockaddr_in6);
		addresses[i].sin6_family = (sa_family_t)infos[i].ai_family;
		infos[i].ai_next = i + 1 < len ? &infos[i + 1] : NULL;
	}
	n = connect_order(out, 4, len > 0 ? infos : NULL, 443);
	assert_int_equal(n, strlen(to));
	for (i = 0; i < n; i++) {
		assert_int_equal(out[i].ss.ss_family,
		    to[i] == '4' ? AF_INET : AF_INET6);
		assert_int_equal(
		    ((struct sockaddr_in *)(void *)&out[i].ss)->sin_port,
		    htons(443));
	}
}

static void
families_take_turns(void **state)
{
	(void)state;
	order("", "");
	order("4", "4");
	order("6", "6");
	order("64", "64");
	order("46", "46");
	order("6644", "6464");
	order("4466", "4646");
	order("6664", "6466");
	order("4444", "4444");
	order("44446", "4644");
	order("666444", "6464");
}

static void
literals(void **state)
{
	struct addr a;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(connect_literal("192.0.2.1", 80, &a), 0);
	assert_string_equal(addr_format(&a, text, sizeof(text)),
	    "192.0.2.1:80");
	assert_int_equal(connect_literal("2001:db8::1", 80, &a), 0);
	assert_string_equal(addr_format(&a, text, sizeof(text)),
	    "[2001:db8::1]:80");
	assert_int_equal(connect_literal("/run/x.sock", 0, &a), 0);
	assert_string_equal(addr_format(&a, text, sizeof(text)),
	    "unix:/run/x.sock");
	assert_int_equal(connect_literal("example.org", 80, &a), -1);
	assert_int_equal(errno, 0);
	assert_int_equal(connect_literal("192.0.2", 80, &a), -1);
	assert_int_equal(connect_literal("[::1]", 80, &a), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(families_take_turns),
	    cmocka_unit_test(literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
