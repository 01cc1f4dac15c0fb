/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and texts, packed one behind the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/pack.h"

static void
unpacks_no_more_than_there_is(void **state)
{
	struct buf b = { NULL, 0, 0 };
	struct unpack u;
	hostd_buf text;

	(void)state;
	pack_u32(&b, 7);
	pack_bytes(&b, "abc", 3);
	pack_u64(&b, 1ull << 40);
	u = (struct unpack){ b.p, b.len, 0 };
	assert_int_equal(unpack_u32(&u), 7);
	text = unpack_bytes(&u);
	assert_int_equal(text.n, 3);
	assert_memory_equal(text.p, "abc", 3);
	assert_false(unpack_ok(&u));
	assert_int_equal(unpack_u64(&u), 1ull << 40);
	assert_true(unpack_ok(&u));
	assert_int_equal(unpack_u32(&u), 0);
	assert_false(unpack_ok(&u));
	/* A length that says more than there is. */
	u = (struct unpack){ b.p, 4, 0 };
	assert_int_equal(unpack_bytes(&u).n, 0);
	assert_true(u.bad);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpacks_no_more_than_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
