/* SPDX-License-Identifier: BSD-2-Clause */
/* A generation on disk: what is written is what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "config/snapshot.h"
#include "scratch.h"

static struct snapshot out, in;
static char why[256];

static int
setup(void **state)
{
	(void)state;
	scratch_make();
	memset(&out, 0, sizeof(out));
	memset(&in, 0, sizeof(in));
	why[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	snapshot_free(&out);
	snapshot_free(&in);
	scratch_remove();
	return 0;
}

static void
put(struct map *m, const char *key, const char *value)
{
	assert_null(map_put(m, key, strlen(key), xstrdup(value)));
}

static void
assert_holds(const struct map *m, const char *key, const char *value)
{
	const char *found = map_get(m, key, strlen(key));

	assert_non_null(found);
	assert_string_equal(found, value);
}

static int
snapshot_write_to(const char *name)
{
	return snapshot_write(&out, scratch_path(name), why, sizeof(why));
}

static int
snapshot_read_from(const char *name)
{
	return snapshot_read(&in, scratch_path(name), why, sizeof(why));
}

static void
round_trip(void **state)
{
	struct stat st;

	(void)state;
	out.generation = UINT32_MAX;
	conf_sources_add(&out.sources, "/etc/hostd.conf", "/run/1/c0", 0);
	conf_sources_add(&out.sources, "/etc/\"q\"\\\n\t\x01.conf",
	    "/run/\xc3\xa9 \xf0\x9f\x90\x98", 0);
	conf_sources_add(&out.sources, "/etc/conf.d/x.so", "/run/1/c2", 1);
	put(&out.modules, "/lib/a.so", "/run/modules/0123.so");
	put(&out.modules, "/lib/b.so", "/run/modules/4567.so");
	put(&out.files, "/srv/404.html", "/run/1/f0");
	assert_int_equal(snapshot_write_to("s.json"), 0);
	assert_int_equal(stat(scratch_path("s.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(access(scratch_path("s.json.new"), F_OK), -1);

	assert_int_equal(snapshot_read_from("s.json"), 0);
	assert_int_equal(in.generation, UINT32_MAX);
	assert_int_equal(in.sources.n, 3);
	assert_string_equal(in.sources.v[0].name, "/etc/hostd.conf");
	assert_string_equal(in.sources.v[0].path, "/run/1/c0");
	assert_false(in.sources.v[0].is_module);
	assert_string_equal(in.sources.v[1].name, "/etc/\"q\"\\\n\t\x01.conf");
	assert_string_equal(
	    in.sources.v[1].path, "/run/\xc3\xa9 \xf0\x9f\x90\x98");
	assert_true(in.sources.v[2].is_module);
	assert_int_equal(in.modules.n, 2);
	assert_holds(&in.modules, "/lib/a.so", "/run/modules/0123.so");
	assert_holds(&in.modules, "/lib/b.so", "/run/modules/4567.so");
	assert_int_equal(in.files.n, 1);
	assert_holds(&in.files, "/srv/404.html", "/run/1/f0");
}

static void
an_empty_one(void **state)
{
	(void)state;
	assert_int_equal(snapshot_write_to("s.json"), 0);
	assert_int_equal(snapshot_read_from("s.json"), 0);
	assert_int_equal(in.generation, 0);
	assert_int_equal(in.sources.n, 0);
	assert_int_equal(in.modules.n + in.files.n, 0);
}

static void
writes_over_an_older_one(void **state)
{
	(void)state;
	out.generation = 1;
	put(&out.files, "/a", "/b");
	assert_int_equal(snapshot_write_to("s.json"), 0);
	snapshot_free(&out);
	out.generation = 2;
	assert_int_equal(snapshot_write_to("s.json"), 0);
	assert_int_equal(snapshot_read_from("s.json"), 0);
	assert_int_equal(in.generation, 2);
	assert_int_equal(in.files.n, 0);
}

static void
refuses_names_that_are_not_utf8(void **state)
{
	(void)state;
	conf_sources_add(&out.sources, "/etc/\xff.conf", "/run/1/c0", 0);
	assert_int_equal(snapshot_write_to("s.json"), -1);
	assert_string_equal(why, "a file name is not UTF-8");
	assert_int_equal(access(scratch_path("s.json"), F_OK), -1);
}

/* Was left out without a word. */
static void
refuses_modules_that_are_not_utf8(void **state)
{
	(void)state;
	put(&out.modules, "/lib/\xff.so", "/run/modules/x.so");
	assert_int_equal(snapshot_write_to("s.json"), -1);
	assert_string_equal(why, "a file name is not UTF-8");
	snapshot_free(&out);
	put(&out.files, "/srv/x", "/run/\xe9");
	assert_int_equal(snapshot_write_to("s.json"), -1);
	assert_int_equal(access(scratch_path("s.json"), F_OK), -1);
}

static void
says_why_it_cannot_write(void **state)
{
	char want[512];

	(void)state;
	assert_int_equal(snapshot_write_to("gone/s.json"), -1);
	(void)snprintf(want, sizeof(want),
	    "writing %s: No such file or directory",
	    scratch_path("gone/s.json"));
	assert_string_equal(why, want);
	/* What can't take its place is not left behind. */
	scratch_mkdir("dir");
	assert_int_equal(snapshot_write_to("dir"), -1);
	assert_int_equal(access(scratch_path("dir.new"), F_OK), -1);
}

static void
refuses_what_is_no_snapshot(void **state)
{
	static const char *const bad[] = {"", "x", "[]", "{}", "{\"a\": 1",
	    "{\"generation\": 1}",
	    "{\"generation\": \"1\", \"sources\": [], \"modules\": {}, "
	    "\"files\": {}}",
	    "{\"generation\": 1, \"sources\": {}, \"modules\": {}, \"files\": "
	    "{}}",
	    "{\"generation\": 1, \"sources\": [], \"modules\": [], \"files\": "
	    "{}}",
	    "{\"generation\": 1, \"sources\": [], \"modules\": {}, \"files\": "
	    "null}",
	    "{\"generation\": 1, \"sources\": [{}], \"modules\": {}, "
	    "\"files\": {}}",
	    "{\"generation\": 1, \"sources\": [1], \"modules\": {}, "
	    "\"files\": {}}",
	    "{\"generation\": 1, \"sources\": [{\"name\": \"a\", \"path\": 1, "
	    "\"module\": true}], \"modules\": {}, \"files\": {}}",
	    "{\"generation\": 1, \"sources\": [{\"name\": \"a\", \"path\": "
	    "\"b\", \"module\": 1}], \"modules\": {}, \"files\": {}}",
	    "{\"generation\": 1, \"sources\": [], \"modules\": {\"a\": 1}, "
	    "\"files\": {}}",
	    "{\"generation\": 1, \"sources\": [], \"modules\": {\"a\": \"b\"}, "
	    "\"files\": {\"c\": null}}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scratch_puts("s.json", bad[i]);
		why[0] = '\0';
		assert_int_equal(snapshot_read_from("s.json"), -1);
		assert_non_null(strstr(why, "s.json"));
		assert_int_equal(in.sources.n + in.modules.n + in.files.n, 0);
	}
	assert_int_equal(snapshot_read_from("gone.json"), -1);
	assert_non_null(strstr(why, "No such file"));
}

/* A file that was cut off anywhere is refused, not half believed. */
static void
refuses_every_beginning(void **state)
{
	static char text[1024];
	size_t n;
	int fd;

	(void)state;
	out.generation = 7;
	conf_sources_add(&out.sources, "/a", "/b", 0);
	put(&out.modules, "/c", "/d");
	assert_int_equal(snapshot_write_to("s.json"), 0);
	fd = open(scratch_path("s.json"), O_RDONLY);
	n = (size_t)read(fd, text, sizeof(text));
	(void)close(fd);
	assert_true(n > 50 && n < sizeof(text));
	while (n-- > 0) {
		scratch_write("s.json", text, n);
		assert_int_equal(snapshot_read_from("s.json"), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(round_trip),
	    T(an_empty_one),
	    T(writes_over_an_older_one),
	    T(refuses_names_that_are_not_utf8),
	    T(refuses_modules_that_are_not_utf8),
	    T(says_why_it_cannot_write),
	    T(refuses_what_is_no_snapshot),
	    T(refuses_every_beginning),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
