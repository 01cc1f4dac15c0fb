/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of states: what is committed is found, whatever else happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "plugin/state_file.h"

static struct state_file file;
static struct state_map map;

static int
setup(void **state)
{
	(void)state;
	return state_file_open(&file);
}

static int
teardown(void **state)
{
	(void)state;
	state_map_close(&map);
	state_file_close(&file);
	(void)close(file.fd);
	return 0;
}

static void
begin(const char *name, const char *id, uint32_t version)
{
	assert_int_equal(state_file_begin(&file, name, id, version), 0);
}

static void
add(const char *text)
{
	assert_int_equal(state_file_add(&file, text, strlen(text)), 0);
}

static void
put(const char *name, const char *id, uint32_t version, const char *text)
{
	begin(name, id, version);
	add(text);
	assert_int_equal(state_file_commit(&file), 0);
}

static void
read_again(void)
{
	state_map_close(&map);
	assert_int_equal(state_map_open(&map, file.fd), 0);
}

static void
finds(const char *name, const char *id, uint32_t version, const char *text)
{
	struct state_record r;

	assert_int_equal(state_map_find(&map, name, id, &r), 1);
	assert_int_equal(r.version, version);
	assert_int_equal(r.state.n, strlen(text));
	assert_memory_equal(r.state.p, text, r.state.n);
	assert_int_equal((uintptr_t)r.state.p % 16, 0);
}

static void
finds_not(const char *name, const char *id)
{
	struct state_record r;

	assert_int_equal(state_map_find(&map, name, id, &r), 0);
}

static void
an_empty_one_has_nothing(void **state)
{
	(void)state;
	read_again();
	finds_not("a", "x");
	finds_not("", "");
}

static void
found_by_name_and_id(void **state)
{
	(void)state;
	put("a", "x", 1, "one");
	put("b", "x", 2, "");
	put("a long name, as long as one likes", "y", UINT32_MAX, "three");
	read_again();
	finds("a", "x", 1, "one");
	finds("b", "x", 2, "");
	finds("a long name, as long as one likes", "y", UINT32_MAX, "three");
	finds_not("a", "y");
	finds_not("ax", "");
	finds_not("", "ax");
}

static void
parts_are_one_piece(void **state)
{
	static char text[200001];
	size_t i, n = sizeof(text) - 1;

	(void)state;
	for (i = 0; i < n; i++)
		text[i] = (char)('a' + i % 23);
	begin("small", "x", 1);
	for (i = 0; i < n; i += 10)
		assert_int_equal(state_file_add(&file, text + i, 10), 0);
	assert_int_equal(file.size, n);
	assert_int_equal(state_file_commit(&file), 0);
	begin("mixed", "x", 1);
	assert_int_equal(state_file_add(&file, text, 5), 0);
	assert_int_equal(state_file_add(&file, text + 5, n - 10), 0);
	assert_int_equal(state_file_add(&file, text + n - 5, 5), 0);
	assert_int_equal(state_file_commit(&file), 0);
	read_again();
	finds("small", "x", 1, text);
	finds("mixed", "x", 1, text);
}

/* As when a plugin does not come back from its save, or crashes in it. */
static void
one_that_is_not_committed_is_not_there(void **state)
{
	static char large[100000];

	(void)state;
	put("a", "x", 1, "one");
	begin("b", "x", 1);
	assert_int_equal(state_file_add(&file, large, sizeof(large)), 0);
	read_again();
	finds("a", "x", 1, "one");
	finds_not("b", "x");
}

/* Its bytes may look like anything: here, like a record. */
static void
one_that_is_given_up_leaves_nothing(void **state)
{
	struct state_file other;
	char bytes[256];
	ssize_t n;

	(void)state;
	assert_int_equal(state_file_open(&other), 0);
	assert_int_equal(state_file_begin(&other, "ghost", "x", 1), 0);
	assert_int_equal(state_file_commit(&other), 0);
	n = pread(other.fd, bytes, sizeof(bytes), 0);
	assert_true(n > 0);
	state_file_close(&other);
	(void)close(other.fd);

	begin("b", "x", 1);
	assert_int_equal(state_file_add(&file, bytes, (size_t)n), 0);
	assert_int_equal(state_file_add(&file, bytes, (size_t)n), 0);
	put("c", "x", 1, "");
	read_again();
	finds("c", "x", 1, "");
	finds_not("b", "x");
	finds_not("ghost", "x");
}

static void
garbage_is_not_followed(void **state)
{
	unsigned char noise[512];
	size_t i, round;
	struct state_record r;

	(void)state;
	put("a", "x", 1, "one");
	for (round = 0; round < 200; round++) {
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = (unsigned char)rand();
		/* The magic stays, and what follows is nonsense. */
		assert_int_equal(pwrite(file.fd, noise, sizeof(noise), 4),
		    sizeof(noise));
		read_again();
		if (state_map_find(&map, "a", "x", &r))
			assert_true(r.state.n <= map.n);
	}
}

/* Whoever maps it can't be hurt by whoever writes it. */
static void
it_cannot_shrink(void **state)
{
	int plain;

	(void)state;
	assert_int_equal(ftruncate(file.fd, 0), -1);
	assert_int_equal(errno, EPERM);
	plain = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(plain, "x", 1), 1);
	assert_int_equal(state_map_open(&map, plain), -1);
	(void)close(plain);
	state_file_close(&file);
	assert_int_equal(pwrite(file.fd, "x", 1, 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_one_has_nothing,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(found_by_name_and_id, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(parts_are_one_piece, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    one_that_is_not_committed_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    one_that_is_given_up_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage_is_not_followed,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(it_cannot_shrink, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
