/* SPDX-License-Identifier: BSD-2-Clause */
/* Redirect targets: filled in from the request, never to another host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "location.h"

static struct hostd_request req;

static hostd_buf
text(const char *s)
{
	return (hostd_buf){s, s == NULL ? 0 : strlen(s)};
}

static int
setup(void **state)
{
	(void)state;
	memset(&req, 0, sizeof(req));
	req.path = text("/old/a b");
	req.rest = text("a b");
	req.query = text("x=1&y=%20");
	req.host = text("h.example");
	return 0;
}

/* Into room of just that size. */
static int32_t
expand(const char *tmpl, size_t size, char **out)
{
	*out = malloc(size > 0 ? size : 1);
	assert_non_null(*out);
	return location_expand(tmpl, &req, *out, size);
}

static void
assert_expands(const char *tmpl, const char *want)
{
	char *out;
	int32_t n;

	assert_true(location_is_sound(tmpl));
	n = expand(tmpl, LOCATION_MAX, &out);
	if (n != (int32_t)strlen(want) || memcmp(out, want, (size_t)n) != 0)
		fail_msg("%s: %.*s", tmpl, n > 0 ? (int)n : 0, out);
	free(out);
	/* A byte less is not enough, and no byte more is needed. */
	assert_int_equal(expand(tmpl, strlen(want), &out), strlen(want));
	free(out);
	assert_int_equal(expand(tmpl, strlen(want) - 1, &out), HOSTD_E_FULL);
	free(out);
}

static void
without_variables(void **state)
{
	(void)state;
	assert_expands("/new", "/new");
	assert_expands(
	    "https://example.com/a?b=c#d", "https://example.com/a?b=c#d");
	assert_expands("//cdn.example/x", "//cdn.example/x");
	assert_expands("mailto:a@b", "mailto:a@b");
	assert_expands("relative", "relative");
}

static void
with_variables(void **state)
{
	(void)state;
	assert_expands("/new/$rest", "/new/a%20b");
	assert_expands("/new?$args", "/new?x=1&y=%20");
	assert_expands("$uri", "/old/a%20b");
	assert_expands("$request_uri", "/old/a%20b?x=1&y=%20");
	assert_expands("https://$host$request_uri",
	    "https://h.example/old/a%20b?x=1&y=%20");
	assert_expands("https://www.$host/$rest?$args#$rest",
	    "https://www.h.example/a%20b?x=1&y=%20#a%20b");
	assert_expands("https://$host:8443/", "https://h.example:8443/");
}

static void
parts_the_request_lacks(void **state)
{
	char *out;

	(void)state;
	req.query = text(NULL);
	req.rest = text(NULL);
	assert_expands("/new?$args", "/new?");
	assert_expands("$request_uri", "/old/a%20b");
	assert_expands("/new/$rest", "/new/");
	req.query = text("");
	assert_expands("$request_uri", "/old/a%20b?");
	req.host = text(NULL);
	assert_int_equal(
	    expand("https://$host/", LOCATION_MAX, &out), HOSTD_E_INVAL);
	free(out);
}

static void
unsound_templates(void **state)
{
	static const char *const bad[] = {"", "/$", "/$foo", "/$Uri", "/$$",
	    "/${uri}", "/a b", "/a\tb", "/a\r\nb", "/\x7f", "/\xc3\xa9",
	    "/a\\b", "\\\\evil", "$rest", "$args", "x$rest", "//", "http://",
	    "http:", "http:$rest", "http://$rest", "http://$args",
	    "https://$host$rest", "https://example.com$rest",
	    "https://example.com.$rest/", "//$rest", "//a$args",
	    "https://example.com:$args/", "$host$rest", "javascript:$rest"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (location_is_sound(bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void
paths_are_encoded(void **state)
{
	static const char path[] = "/\0\r\n\x7f\xc3\xa9\"<>%?#[]\\^`{|}";

	(void)state;
	req.path = (hostd_buf){path, sizeof(path) - 1};
	assert_expands("$uri",
	    "/%00%0D%0A%7F%C3%A9%22%3C%3E%25%3F%23%5B%5D"
	    "%5C%5E%60%7B%7C%7D");
	req.path = text("/-._~!$&'()*+,;=:@/azAZ09");
	assert_expands("$uri", "/-._~!$&'()*+,;=:@/azAZ09");
}

/* "//" at the start would name a host of the client's choice. */
static void
never_another_host(void **state)
{
	char *out;

	(void)state;
	req.path = text("//evil.example/x");
	req.rest = text("/evil.example/x");
	assert_int_equal(expand("$uri", LOCATION_MAX, &out), HOSTD_E_INVAL);
	free(out);
	assert_int_equal(
	    expand("$request_uri", LOCATION_MAX, &out), HOSTD_E_INVAL);
	free(out);
	assert_int_equal(expand("/$rest", LOCATION_MAX, &out), HOSTD_E_INVAL);
	free(out);
	assert_expands("/a/$rest", "/a//evil.example/x");
	req.rest = text("\\evil.example");
	assert_expands("/$rest", "/%5Cevil.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
	    T(without_variables),
	    T(with_variables),
	    T(parts_the_request_lacks),
	    T(unsound_templates),
	    T(paths_are_encoded),
	    T(never_another_host),
	};

	return cmocka_run_group_tests_name("location", tests, NULL, NULL);
}
