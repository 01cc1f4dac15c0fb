/* SPDX-License-Identifier: BSD-2-Clause */
/* Content types by the end of the name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "types.h"

static void
known_ends(void **state)
{
	(void)state;
	assert_string_equal(type_of("index.html"), "text/html; charset=utf-8");
	assert_string_equal(
	    type_of("a/b/c.JS"), "text/javascript; charset=utf-8");
	assert_string_equal(type_of("a.min.css"), "text/css; charset=utf-8");
	assert_string_equal(type_of("a.json"), "application/json");
	assert_string_equal(type_of("a.svg"), "image/svg+xml");
	assert_string_equal(type_of("a.wasm"), "application/wasm");
	assert_string_equal(type_of("a.woff2"), "font/woff2");
	assert_string_equal(type_of("a.tar.gz"), "application/gzip");
	assert_string_equal(type_of(".html"), "text/html; charset=utf-8");
	assert_string_equal(type_of("a..png"), "image/png");
}

static void
all_the_rest(void **state)
{
	static const char *const names[] = {"", "README", "a.", ".", "..",
	    "a.unknown", "html", "a.htmlx", "a.html.", "a.html/b", "a.css/",
	    "/", "a.h tml", ".htaccess"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(
		    type_of(names[i]), "application/octet-stream");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_ends),
	    cmocka_unit_test(all_the_rest),
	};

	return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
