/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of sessions, as they are in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <session_lmdb/record.h>

static void
test_records(void **state)
{
	const struct record in = { 0x0102030405060708, { "value", 5 } };
	struct record out;
	char bytes[EXPIRY_MAX], copy[EXPIRY_MAX];
	hostd_buf key;
	uint64_t ms;
	size_t n = record_size(5);

	(void)state;
	record_write(bytes, &in);
	assert_int_equal(record_read(bytes, n, &out), 0);
	assert_int_equal(out.expires_ms, in.expires_ms);
	assert_int_equal(out.value.n, 5);
	assert_memory_equal(out.value.p, "value", 5);
	/* Cut, of another version, or zeros. */
	assert_int_equal(record_read(bytes, n - 1, &out), -1);
	assert_int_equal(record_read(bytes, 0, &out), -1);
	bytes[0]++;
	assert_int_equal(record_read(bytes, n, &out), -1);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(record_read(bytes, n, &out), -1);

	n = expiry_write(bytes, 255, (hostd_buf){ "k", 1 });
	assert_int_equal(expiry_read(bytes, n, &ms, &key), 0);
	assert_int_equal(ms, 255);
	assert_int_equal(key.n, 1);
	assert_memory_equal(key.p, "k", 1);
	assert_int_equal(expiry_read(bytes, EXPIRY_SIZE, &ms, &key), -1);
	/* The order of the bytes is that of the times. */
	(void)expiry_write(copy, 256, (hostd_buf){ "a", 1 });
	assert_true(memcmp(bytes, copy, EXPIRY_SIZE) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
