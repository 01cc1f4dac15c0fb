/* SPDX-License-Identifier: BSD-2-Clause */
/* Unmasking: every length, place and address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ws/mask.h"

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

static void
reads_the_example_of_the_rfc(void **state)
{
	uint8_t hello[] = {0x7f, 0x9f, 0x4d, 0x51, 0x58};

	(void)state;
	ws_unmask(hello, sizeof(hello), key, 0);
	assert_memory_equal(hello, "Hello", 5);
}

/* n bytes at that address, and none before or behind them. */
static void
assert_unmasks(size_t shift, size_t n, size_t offset)
{
	uint8_t got[256], want[256];
	size_t i;

	for (i = 0; i < sizeof(got); i++)
		got[i] = want[i] = (uint8_t)(i * 7 + 3);
	for (i = 0; i < n; i++)
		want[shift + i] ^= key[(offset + i) % 4];
	ws_unmask(got + shift, n, key, offset);
	assert_memory_equal(got, want, sizeof(got));
}

static void
any_length_place_and_address(void **state)
{
	size_t shift, n, offset;

	(void)state;
	for (shift = 0; shift < 17; shift++)
		for (n = 0; n < 140; n++)
			for (offset = 0; offset < 6; offset++)
				assert_unmasks(shift, n, offset);
	assert_unmasks(3, 100, SIZE_MAX);
	assert_unmasks(3, 100, SIZE_MAX - 2);
	assert_unmasks(3, 100, (size_t)1 << 33 | 1);
}

/* In memory of just its size. */
static void
touches_nothing_behind(void **state)
{
	size_t n;
	uint8_t *p;

	(void)state;
	for (n = 1; n < 100; n++) {
		p = calloc(1, n);
		assert_non_null(p);
		ws_unmask(p, n, key, 1);
		assert_int_equal(p[n - 1], key[n % 4]);
		free(p);
	}
	ws_unmask(NULL, 0, key, 3);
}

static void
pieces_never_matter(void **state)
{
	uint8_t whole[1000], cut[1000];
	size_t step, at, n;

	(void)state;
	memset(whole, 'x', sizeof(whole));
	ws_unmask(whole, sizeof(whole), key, 0);
	for (step = 1; step < 100; step++) {
		memset(cut, 'x', sizeof(cut));
		for (at = 0; at < sizeof(cut); at += n) {
			n = sizeof(cut) - at < step ? sizeof(cut) - at : step;
			ws_unmask(cut + at, n, key, at);
		}
		assert_memory_equal(cut, whole, sizeof(cut));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_the_example_of_the_rfc),
	    cmocka_unit_test(any_length_place_and_address),
	    cmocka_unit_test(touches_nothing_behind),
	    cmocka_unit_test(pieces_never_matter),
	};

	return cmocka_run_group_tests_name("ws mask", tests, NULL, NULL);
}
