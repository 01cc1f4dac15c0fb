/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens against forged requests: what is one, and which are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <csrf/csrf.h>

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static void
each_is_new_and_is_one(void **state)
{
	char a[TOKEN_SIZE], b[TOKEN_SIZE], copy[TOKEN_SIZE];

	(void)state;
	assert_int_equal(token_make(a), 0);
	assert_int_equal(token_make(b), 0);
	assert_int_equal(strlen(a), TOKEN_SIZE - 1);
	assert_string_not_equal(a, b);
	assert_true(token_copy(text(a), copy));
	assert_string_equal(copy, a);
}

static void
other_words_are_none(void **state)
{
	static const char *const words[] = { "", "x",
		"0123456789abcdef0123456789abcdef0",
		"0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcde\"",
		"0123456789abcdef0123456789abcd==" };
	char copy[TOKEN_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_false(token_copy(text(words[i]), copy));
		assert_string_equal(copy, "");
	}
}

static void
the_same_is_every_byte_of_it(void **state)
{
	char a[TOKEN_SIZE], b[TOKEN_SIZE];
	size_t i;

	(void)state;
	assert_int_equal(token_make(a), 0);
	memcpy(b, a, sizeof(b));
	assert_true(token_same(text(a), text(b)));
	for (i = 0; i < TOKEN_SIZE - 1; i++) {
		b[i] ^= 1;
		assert_false(token_same(text(a), text(b)));
		b[i] ^= 1;
	}
	b[TOKEN_SIZE - 2] = '\0';
	assert_false(token_same(text(a), text(b)));
	assert_false(token_same(text(""), text("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_new_and_is_one),
		cmocka_unit_test(other_words_are_none),
		cmocka_unit_test(the_same_is_every_byte_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
