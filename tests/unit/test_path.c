/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths: decoded once, resolved inside the root, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/path.h"

/* In memory of just that size, so that a sanitizer sees a byte too many. */
static int
decode(const char *in, size_t n, char **out)
{
	char *copy = malloc(n > 0 ? n : 1);
	int len;

	*out = malloc(n > 0 ? n : 1);
	assert_non_null(copy);
	assert_non_null(*out);
	memcpy(copy, in, n);
	len = path_decode(copy, n, *out);
	free(copy);
	return len;
}

static void
assert_decodes(const char *in, const char *want)
{
	char *out;
	int len = decode(in, strlen(in), &out);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, strlen(want));
	free(out);
	/* What is decoded stays as it is, unless it looks like an escape. */
	if (strchr(want, '%') != NULL)
		return;
	assert_int_equal(decode(want, strlen(want), &out), strlen(want));
	assert_memory_equal(out, want, strlen(want));
	free(out);
}

static void
assert_bad(const char *in, size_t n)
{
	char *out;

	assert_int_equal(decode(in, n, &out), -1);
	free(out);
}

static void
plain_paths_stay(void **state)
{
	static const char *const paths[] = {
	    "/", "/a", "/a/", "/a/b.c", "/a.b/c../d", "/~a/b;c=d,e", "/:x/*"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_decodes(paths[i], paths[i]);
}

static void
knows_what_needs_no_work(void **state)
{
	static const char *const work[] = {"a", "a/b", "*", "/%", "/%41",
	    "//", "/a//b", "/.", "/..", "/.hidden", "/a/.", "/a/./b", "/a/.."};
	static const char *const plain[] = {
	    "/", "/a", "/a/", "/a.", "/a../b", "/a.b/c"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(work) / sizeof(work[0]); i++)
		assert_int_not_equal(path_plain(work[i], strlen(work[i])),
		    strlen(work[i]));
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		assert_int_equal(path_plain(plain[i], strlen(plain[i])),
		    strlen(plain[i]));
		assert_decodes(plain[i], plain[i]);
	}
}

static void
decodes_once(void **state)
{
	(void)state;
	assert_decodes("/%41%62", "/Ab");
	assert_decodes("/%c3%a9%C3%A9", "/\xc3\xa9\xc3\xa9");
	assert_decodes("/a%20b+c", "/a b+c");
	assert_decodes("/%2541", "/%41");
	assert_decodes("/%25%32%66", "/%2f");
	assert_decodes("/%ff%01%7f", "/\xff\x01\x7f");
	assert_decodes("/%3f%23", "/?#");
	assert_decodes("%2fa", "/a");
}

static void
refuses_broken_escapes(void **state)
{
	static const char *const bad[] = {"/%", "/%4", "/a%", "/a%4", "/%g1",
	    "/%1g", "/%%41", "/%4%41", "/% 1", "/%-1", "/%0", "/%u0041", "/%@A",
	    "/%G0", "/%`0", "/%:0", "/%/0"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bad[i], strlen(bad[i]));
}

static void
refuses_nul(void **state)
{
	(void)state;
	assert_bad("/%00", 4);
	assert_bad("/a%00.png", 9);
	assert_bad("/..%00", 6);
}

static void
refuses_what_does_not_start_with_a_slash(void **state)
{
	(void)state;
	assert_bad("", 0);
	assert_bad("a", 1);
	assert_bad("*", 1);
	assert_bad(".", 1);
	assert_bad("../a", 4);
	assert_bad("%61/", 4);
	assert_bad("\\a", 2);
}

static void
resolves_dots(void **state)
{
	(void)state;
	assert_decodes("/.", "/");
	assert_decodes("/./", "/");
	assert_decodes("/./././a", "/a");
	assert_decodes("/a/.", "/a/");
	assert_decodes("/a/./b", "/a/b");
	assert_decodes("/a/..", "/");
	assert_decodes("/a/../", "/");
	assert_decodes("/a/b/..", "/a/");
	assert_decodes("/a/b/../c", "/a/c");
	assert_decodes("/a/b/c/../../d/./e", "/a/d/e");
	assert_decodes("/a/.../b", "/a/.../b");
	assert_decodes("/a/.b/b./..b/b..", "/a/.b/b./..b/b..");
}

static void
resolves_hidden_dots(void **state)
{
	(void)state;
	assert_decodes("/a/%2e%2e/b", "/b");
	assert_decodes("/a/%2E./b", "/b");
	assert_decodes("/a/.%2e", "/");
	assert_decodes("/a%2f..%2fb", "/b");
	assert_decodes("/a/%2e", "/a/");
	assert_decodes("/a/%252e%252e/b", "/a/%2e%2e/b");
}

static void
never_leaves_the_root(void **state)
{
	static const char *const bad[] = {"/..", "/../", "/../a", "/./..",
	    "/a/../..", "/a/../../b", "/%2e%2e", "/%2e%2e%2f", "/.%2e/a",
	    "/a/b/../../../a/b/c", "//..", "/a//../..", "/%2f.."};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bad[i], strlen(bad[i]));
}

static void
makes_runs_of_slashes_one(void **state)
{
	(void)state;
	assert_decodes("//", "/");
	assert_decodes("////////", "/");
	assert_decodes("//a", "/a");
	assert_decodes("/a//", "/a/");
	assert_decodes("/a///b//c", "/a/b/c");
	assert_decodes("/a%2f%2fb", "/a/b");
	assert_decodes("/a//..//b", "/b");
}

/* Every text of up to six of these comes out plain or is refused. */
static void
whatever_comes_out_is_resolved(void **state)
{
	static const char *const parts[] = {"/", ".", "a", "%2e", "%2F"};
	char in[32], *out;
	unsigned i, n, code;
	int len, good = 0;

	(void)state;
	for (code = 0; code < 5 * 5 * 5 * 5 * 5 * 5; code++) {
		in[0] = '/';
		n = 1;
		for (i = code; i > 0; i /= 5) {
			size_t k = strlen(parts[i % 5]);

			memcpy(in + n, parts[i % 5], k);
			n += (unsigned)k;
		}
		len = decode(in, n, &out);
		assert_true(len == -1 || (len >= 1 && len <= (int)n));
		if (len > 0) {
			good++;
			assert_int_equal(out[0], '/');
			assert_null(memmem(out, (size_t)len, "//", 2));
			assert_null(memmem(out, (size_t)len, "/./", 3));
			assert_null(memmem(out, (size_t)len, "/../", 4));
		}
		free(out);
	}
	assert_true(good > 1000);
}

static void
long_paths(void **state)
{
	static char in[3 * 70000], want[70000];
	size_t i;

	(void)state;
	for (i = 0; i < 60000; i++)
		memcpy(in + 3 * i, i % 100 == 0 ? "%2F" : "%61", 3);
	for (i = 0; i < 60000; i++)
		want[i] = i % 100 == 0 ? '/' : 'a';
	assert_decodes(in, want);
	/* Down and up again, 10000 times. */
	for (i = 0; i < 10000; i++)
		memcpy(in + 2 * i, "/a", 2);
	for (i = 0; i < 10000; i++)
		memcpy(in + 20000 + 3 * i, "/..", 3);
	in[50000] = '\0';
	assert_decodes(in, "/");
	memcpy(in + 50000, "/..", 4);
	assert_bad(in, 50003);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_paths_stay),
	    cmocka_unit_test(knows_what_needs_no_work),
	    cmocka_unit_test(decodes_once),
	    cmocka_unit_test(refuses_broken_escapes),
	    cmocka_unit_test(refuses_nul),
	    cmocka_unit_test(refuses_what_does_not_start_with_a_slash),
	    cmocka_unit_test(resolves_dots),
	    cmocka_unit_test(resolves_hidden_dots),
	    cmocka_unit_test(never_leaves_the_root),
	    cmocka_unit_test(makes_runs_of_slashes_one),
	    cmocka_unit_test(whatever_comes_out_is_resolved),
	    cmocka_unit_test(long_paths),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
