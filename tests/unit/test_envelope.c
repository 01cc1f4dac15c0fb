/* SPDX-License-Identifier: BSD-2-Clause */
/* Envelopes: what is put is read, in any pieces, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "pubsub/envelope.h"

#define NAME	"a name"
#define TEXT	"what is said"
#define SIZE	(ENVELOPE_HEAD + sizeof(NAME) - 1 + sizeof(TEXT) - 1)

static unsigned char wire[SIZE + 8];

static int
setup(void **state)
{
	struct envelope e = { .type = ENV_QUERY, .flags = 0x12,
		.node = 0x0102030405060708, .seq = 0x1112131415161718,
		.time = 0x2122232425262728, .name = { NAME, sizeof(NAME) - 1 },
		.payload = { TEXT, sizeof(TEXT) - 1 } };

	(void)state;
	memset(wire, 0xee, sizeof(wire));
	envelope_put(wire, &e);
	memcpy(wire + ENVELOPE_HEAD, NAME TEXT, SIZE - ENVELOPE_HEAD);
	return 0;
}

/* The first n bytes, in memory of just that size. */
static int64_t
parse(struct envelope *e, size_t n)
{
	unsigned char *copy = malloc(n > 0 ? n : 1);
	int64_t rc;

	assert_non_null(copy);
	memcpy(copy, wire, n);
	rc = envelope_parse(e, copy, n);
	free(copy);
	return rc;
}

static void
reads_what_was_put(void **state)
{
	struct envelope e;
	size_t n;

	(void)state;
	for (n = 0; n < SIZE; n++)
		assert_int_equal(parse(&e, n), 0);
	for (n = SIZE; n <= sizeof(wire); n++)
		assert_int_equal(envelope_parse(&e, wire, n), SIZE);
	assert_int_equal(e.type, ENV_QUERY);
	assert_int_equal(e.flags, 0x12);
	assert_true(e.node == 0x0102030405060708);
	assert_true(e.seq == 0x1112131415161718);
	assert_true(e.time == 0x2122232425262728);
	assert_int_equal(e.name.n, sizeof(NAME) - 1);
	assert_memory_equal(e.name.p, NAME, e.name.n);
	assert_int_equal(e.payload.n, sizeof(TEXT) - 1);
	assert_memory_equal(e.payload.p, TEXT, e.payload.n);
}

/* As the comment in the header says, on any machine. */
static void
is_written_little_endian(void **state)
{
	static const unsigned char want[ENVELOPE_HEAD] = {
		'H', 'E', 1, ENV_QUERY, 0x12, 0, sizeof(NAME) - 1, 0,
		sizeof(TEXT) - 1, 0, 0, 0, 0, 0, 0, 0,
		8, 7, 6, 5, 4, 3, 2, 1,
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
		0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,
	};

	(void)state;
	assert_memory_equal(wire, want, sizeof(want));
}

static void
reads_an_empty_one(void **state)
{
	struct envelope e = { .type = ENV_READY };

	(void)state;
	envelope_put(wire, &e);
	assert_int_equal(parse(&e, ENVELOPE_HEAD), ENVELOPE_HEAD);
	assert_int_equal(e.name.n, 0);
	assert_int_equal(e.payload.n, 0);
}

/* Byte at, changed to value, makes it none. */
static void
assert_bad(size_t at, unsigned value)
{
	unsigned char was = wire[at];
	struct envelope e;

	wire[at] = (unsigned char)value;
	assert_int_equal(parse(&e, ENVELOPE_HEAD - 1), 0);
	assert_int_equal(parse(&e, ENVELOPE_HEAD), -1);
	wire[at] = was;
}

static void
refuses_other_heads(void **state)
{
	size_t i;

	(void)state;
	assert_bad(0, 'h');
	assert_bad(1, 'F');
	assert_bad(2, 0);
	assert_bad(2, 2);
	assert_bad(3, 0);
	assert_bad(3, ENV_NTYPES);
	assert_bad(3, 255);
	assert_bad(5, 1);
	assert_bad(7, 1);
	for (i = 12; i < 16; i++)
		assert_bad(i, 1);
	assert_bad(11, 2);
}

static void
bounds_names_and_payloads(void **state)
{
	struct envelope e;

	(void)state;
	/* A name of 255 bytes, and 16 MiB of payload, are awaited. */
	wire[6] = 255;
	assert_int_equal(parse(&e, SIZE), 0);
	wire[7] = 1;
	wire[6] = 0;
	assert_int_equal(parse(&e, SIZE), -1);
	wire[7] = 0;
	memcpy(wire + 8, "\0\0\0\1", 4);
	assert_int_equal(parse(&e, SIZE), 0);
	memcpy(wire + 8, "\1\0\0\1", 4);
	assert_int_equal(parse(&e, SIZE), -1);
	memcpy(wire + 8, "\xff\xff\xff\xff", 4);
	assert_int_equal(parse(&e, SIZE), -1);
}

#define CASE(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reads_what_was_put),
		CASE(is_written_little_endian),
		CASE(reads_an_empty_one),
		CASE(refuses_other_heads),
		CASE(bounds_names_and_payloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
