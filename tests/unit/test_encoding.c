/* SPDX-License-Identifier: BSD-2-Clause */
/* Content codings: what a client takes, and gzip that comes out again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

#include <web/encoding.h>

struct one {
	const char *value;
	int br, gzip, identity;
};

static void
assert_accepts(const struct one *cases, size_t n)
{
	struct accepted a;
	hostd_buf header;

	for (; n-- > 0; cases++) {
		header.n = strlen(cases->value);
		header.p = memcpy(malloc(header.n + 1), cases->value, header.n);
		encoding_parse(header, &a);
		free((void *)(uintptr_t)header.p);
		if (a.br != cases->br || a.gzip != cases->gzip ||
		    a.identity != cases->identity)
			fail_msg("\"%s\": br %d gzip %d identity %d",
			    cases->value, a.br, a.gzip, a.identity);
	}
}

static void
names(void **state)
{
	static const struct one cases[] = {{"", 0, 0, 1}, {"gzip", 0, 1000, 1},
	    {"br", 1000, 0, 1}, {"GZip, BR", 1000, 1000, 1},
	    {"x-gzip", 0, 1000, 1}, {"identity", 0, 0, 1000},
	    {"deflate, zstd", 0, 0, 1}, {"gzi", 0, 0, 1}, {"gzipp", 0, 0, 1},
	    {" ,\t, gzip\t,,", 0, 1000, 1}, {"gzip br", 0, 0, 1},
	    {"\"gzip\"", 0, 0, 1}};

	(void)state;
	assert_accepts(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
weights(void **state)
{
	static const struct one cases[] = {{"gzip;q=1", 0, 1000, 1},
	    {"gzip;q=1.000", 0, 1000, 1}, {"gzip;q=0.5", 0, 500, 1},
	    {"gzip;q=0.123", 0, 123, 1}, {"gzip;q=0.001", 0, 1, 1},
	    {"gzip;q=0", 0, 0, 1}, {"gzip;q=0.000", 0, 0, 1},
	    {"gzip;q=0.", 0, 0, 1}, {"gzip;q=1.", 0, 1000, 1},
	    {"gzip ; Q=0.5 ", 0, 500, 1}, {"gzip;q=0.1, br;q=0.9", 900, 100, 1},
	    {"gzip;q=0.5;x=y", 0, 0, 1}, {"gzip;level=9", 0, 1000, 1}};

	(void)state;
	assert_accepts(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
bad_weights_take_nothing(void **state)
{
	static const struct one cases[] = {{"gzip;q=", 0, 0, 1},
	    {"gzip;q=2", 0, 0, 1}, {"gzip;q=1.001", 0, 0, 1},
	    {"gzip;q=0.1234", 0, 0, 1}, {"gzip;q=-1", 0, 0, 1},
	    {"gzip;q=.5", 0, 0, 1}, {"gzip;q=0,5", 0, 0, 1},
	    {"gzip;q=a", 0, 0, 1}, {"gzip;q=0.x", 0, 0, 1},
	    {"gzip;q=10", 0, 0, 1}, {"gzip;q=00.5", 0, 0, 1},
	    {"gzip;q=99999999999", 0, 0, 1}};

	(void)state;
	assert_accepts(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
the_star_is_all_that_is_not_named(void **state)
{
	static const struct one cases[] = {{"*", 1000, 1000, 1},
	    {"*;q=0.3", 300, 300, 1}, {"*;q=0", 0, 0, 0},
	    {"gzip, *;q=0", 0, 1000, 0}, {"*;q=0, gzip;q=0.5", 0, 500, 0},
	    {"identity;q=0, *", 1000, 1000, 0}, {"br;q=0, *", 0, 1000, 1},
	    {"identity, *;q=0", 0, 0, 1000}, {"identity;q=0", 0, 0, 0}};

	(void)state;
	assert_accepts(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
without_a_header(void **state)
{
	hostd_buf none = {NULL, 0};
	struct accepted a;

	(void)state;
	encoding_parse(none, &a);
	assert_int_equal(a.br, 0);
	assert_int_equal(a.gzip, 0);
	assert_int_equal(a.identity, 1);
}

static void
assert_unzips(const void *coded, size_t n, const void *plain, size_t len)
{
	z_stream z;
	unsigned char *out = malloc(len + 1);

	assert_non_null(out);
	memset(&z, 0, sizeof(z));
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)coded;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)len + 1;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, len);
	assert_int_equal(z.avail_in, 0);
	assert_memory_equal(out, plain, len);
	inflateEnd(&z);
	free(out);
}

static void
gzip_comes_out_again(void **state)
{
	static char text[200000];
	size_t n, out, i;
	void *coded;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = "the quick brown fox\n"[(i * i / 7) % 20];
	for (n = 1000; n <= sizeof(text); n = n * 2 + 1) {
		coded = encoding_gzip(text, n, &out);
		assert_non_null(coded);
		assert_true(out < n);
		assert_unzips(coded, out, text, n);
		free(coded);
	}
}

static void
gzip_is_not_worth_it(void **state)
{
	unsigned char noise[4096];
	unsigned long random = 1;
	size_t i, out;

	(void)state;
	for (i = 0; i < sizeof(noise); i++) {
		random = random * 6364136223846793005ul + 1442695040888963407ul;
		noise[i] = (unsigned char)(random >> 56);
	}
	assert_null(encoding_gzip(noise, sizeof(noise), &out));
	assert_null(encoding_gzip("", 0, &out));
	assert_null(encoding_gzip("aaaaaaaa", 8, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(weights),
	    cmocka_unit_test(bad_weights_take_nothing),
	    cmocka_unit_test(the_star_is_all_that_is_not_named),
	    cmocka_unit_test(without_a_header),
	    cmocka_unit_test(gzip_comes_out_again),
	    cmocka_unit_test(gzip_is_not_worth_it),
	};

	return cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
