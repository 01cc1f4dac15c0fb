/* SPDX-License-Identifier: BSD-2-Clause */
/* URLs of Redis, and that mistakes in one never show what is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "url.h"

/* "user|password|host|port|db" of it. */
static void
means(const char *url, const char *expected)
{
	struct redis_url u;
	const char *why = "";
	char got[512];

	if (redis_url_parse(url, &u, &why) == -1)
		fail_msg("%s: %s", url, why);
	(void)snprintf(got, sizeof(got), "%s|%s|%s|%u|%u",
	    u.user == NULL ? "-" : u.user,
	    u.password == NULL ? "-" : u.password, u.host, u.port, u.db);
	assert_string_equal(got, expected);
	redis_url_free(&u);
	assert_null(u.text);
	assert_null(u.password);
}

static void
refused(const char *url, const char *expected)
{
	struct redis_url u;
	const char *why = "";

	assert_int_equal(redis_url_parse(url, &u, &why), -1);
	if (strstr(why, expected) == NULL)
		fail_msg("%s: %s", url, why);
	assert_null(strstr(why, "s3cret"));
	assert_null(u.text);
}

static void
tcp(void **state)
{
	(void)state;
	means("redis://localhost", "-|-|localhost|6379|0");
	means("redis://localhost/", "-|-|localhost|6379|0");
	means("redis://10.0.0.1:7000", "-|-|10.0.0.1|7000|0");
	means("redis://h:1/15", "-|-|h|1|15");
	means("redis://h/65535", "-|-|h|6379|65535");
	means("redis://[::1]", "-|-|::1|6379|0");
	means("redis://[2001:db8::1]:6380/2", "-|-|2001:db8::1|6380|2");
	means("redis://u:p@[::1]:65535", "u|p|::1|65535|0");
}

static void
users(void **state)
{
	(void)state;
	means("redis://:p@h", "-|p|h|6379|0");
	means("redis://u:p@h", "u|p|h|6379|0");
	means("redis://u@h", "u|-|h|6379|0");
	means("redis://u:@h", "u||h|6379|0");
	means("redis://u:p:q@h", "u|p:q|h|6379|0");
	means("redis://u:p@q@h", "u|p@q|h|6379|0");
	means("redis://%75%3a:%40%2F%25@h%6Fst:1/3", "u:|@/%|host|1|3");
	means("redis://u:\303\251@h", "u|\303\251|h|6379|0");
}

static void
sockets(void **state)
{
	(void)state;
	means("unix:///run/redis.sock", "-|-|/run/redis.sock|6379|0");
	means("unix:///run/redis.sock?db=7", "-|-|/run/redis.sock|6379|7");
	means("unix:///a%20b%3F", "-|-|/a b?|6379|0");
	means("unix://u:p@/run/r", "u|p|/run/r|6379|0");
}

static void
mistakes(void **state)
{
	(void)state;
	refused("", "neither redis:// nor rediss:// nor unix://");
	refused("s3cret", "neither redis:// nor rediss:// nor unix://");
	refused("http://u:s3cret@h", "neither redis:// nor rediss:// nor "
	    "unix://");
	refused("redis:/h", "neither redis:// nor rediss:// nor unix://");
	refused("redis://", "host is missing");
	refused("redis:///1", "host is missing");
	refused("redis://:s3cret@", "host is missing");
	refused("redis://:s3cret@:6379", "host is missing");
	refused("redis://:s3cret@h:0", "port");
	refused("redis://:s3cret@h:65536", "port");
	refused("redis://:s3cret@h:", "port");
	refused("redis://:s3cret@h:6379x", "port");
	refused("redis://:s3cret@h:+1", "port");
	refused("redis://:s3cret@::1", "host is missing");
	refused("redis://2001:db8::1", "port");
	refused("redis://[::1", "]");
	refused("redis://[::1]x", "behind the address");
	refused("redis://:s3cret@h/x", "database");
	refused("redis://:s3cret@h/1/2", "database");
	refused("redis://:s3cret@h/-1", "database");
	refused("redis://:s3cret@h/65536", "database");
	refused("redis://:s3cret@h/4294967296", "database");
	refused("redis://:s3cret@h?db=1", "\"?\"");
	refused("redis://:s3cret%4@h", "hex digits");
	refused("redis://:s3cret%4g@h", "hex digits");
	refused("redis://:s3cret%@h", "hex digits");
	refused("redis://:s3cret%00@h", "%00");
	refused("redis://h%", "hex digits");
	refused("redis://%2Frun", "host is not a name");
	refused("unix://run/redis.sock", "not absolute");
	refused("unix:///", "not absolute");
	refused("unix://:s3cret@", "not absolute");
	refused("unix:///r?d=1", "db=");
	refused("unix:///r?db=", "database");
	refused("unix:///r?db=1&x", "database");
}

static void
lengths(void **state)
{
	char url[512];
	struct redis_url u;
	const char *why;

	(void)state;
	memset(url, 'x', sizeof(url));
	memcpy(url, "redis://", 8);
	url[8 + 256] = '\0';
	refused(url, "host is not a name");
	url[8 + 255] = '\0';
	assert_int_equal(redis_url_parse(url, &u, &why), 0);
	assert_int_equal(strlen(u.host), 255);
	redis_url_free(&u);
	memset(url, 'x', sizeof(url));
	memcpy(url, "unix:///", 8);
	url[7 + 108] = '\0';
	refused(url, "longer than 107 bytes");
	url[7 + 107] = '\0';
	assert_int_equal(redis_url_parse(url, &u, &why), 0);
	redis_url_free(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tcp),
	    cmocka_unit_test(users),
	    cmocka_unit_test(sockets),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
