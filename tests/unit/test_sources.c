/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of a configuration: which, in which order, and whose. */
#include <errno.h>

#include "conf_case.h"
#include "config/files.h"

static void
find(void)
{
	conf_sources_find(&sources, scratch_path("hostd.conf"), &errs);
}

static void
assert_source(size_t i, const char *name, int is_module)
{
	assert_true(i < sources.n);
	assert_string_equal(scratch_strip(sources.v[i].name), name);
	assert_string_equal(sources.v[i].path, sources.v[i].name);
	assert_int_equal(sources.v[i].is_module, is_module);
}

static void
in_name_order(void **state)
{
	(void)state;
	scratch_puts("hostd.conf", "");
	scratch_mkdir("conf.d");
	scratch_puts("conf.d/b.conf", "");
	scratch_puts("conf.d/a.so", "");
	scratch_puts("conf.d/B.conf", "");
	scratch_puts("conf.d/10.conf", "");
	scratch_puts("conf.d/.hidden.conf", "");
	scratch_puts("conf.d/.conf", "");
	scratch_puts("conf.d/.so", "");
	scratch_puts("conf.d/x.conf~", "");
	scratch_puts("conf.d/x.conf.bak", "");
	scratch_puts("conf.d/x.so.1", "");
	scratch_puts("conf.d/README", "");
	find();
	no_errors();
	assert_int_equal(sources.n, 5);
	assert_source(0, "hostd.conf", 0);
	assert_source(1, "conf.d/10.conf", 0);
	assert_source(2, "conf.d/B.conf", 0);
	assert_source(3, "conf.d/a.so", 1);
	assert_source(4, "conf.d/b.conf", 0);
}

static void
the_directory_is_the_main_files_choice(void **state)
{
	(void)state;
	scratch_puts("hostd.conf", "x = ,\nconf_dir = \"other\" }\n");
	scratch_mkdir("conf.d");
	scratch_puts("conf.d/a.conf", "");
	scratch_mkdir("other");
	scratch_puts("other/b.conf", "");
	find();
	no_errors();
	assert_int_equal(sources.n, 2);
	assert_source(1, "other/b.conf", 0);
}

static void
a_directory_by_default_may_be_missing(void **state)
{
	(void)state;
	scratch_puts("hostd.conf", "");
	find();
	no_errors();
	assert_int_equal(sources.n, 1);
}

static void
a_directory_by_name_may_not(void **state)
{
	(void)state;
	scratch_puts("hostd.conf", "\nconf_dir = gone\n");
	find();
	last_error("hostd.conf:2: conf_dir gone: No such file or directory");
	assert_int_equal(sources.n, 1);
}

static void
without_a_main_file(void **state)
{
	(void)state;
	find();
	last_error("hostd.conf: No such file or directory");
	assert_int_equal(sources.n, 0);
}

static void
all_that_cannot_be_trusted(void **state)
{
	(void)state;
	scratch_puts("hostd.conf", "");
	scratch_mkdir("conf.d");
	scratch_puts("conf.d/a.conf", "");
	scratch_puts("conf.d/b.so", "");
	scratch_puts("conf.d/c.conf", "");
	scratch_mkdir("conf.d/d.conf");
	assert_int_equal(chmod(scratch_path("conf.d/a.conf"), 0620), 0);
	assert_int_equal(chmod(scratch_path("conf.d/b.so"), 0602), 0);
	find();
	next_error("conf.d/a.conf may be written by others; chmod go-w "
		   "conf.d/a.conf");
	next_error("conf.d/b.so may be written by others; chmod go-w "
		   "conf.d/b.so");
	last_error("conf.d/d.conf is not a regular file");
	assert_int_equal(sources.n, 2);
	assert_source(1, "conf.d/c.conf", 0);
}

static int
trusted(const char *name, char *why, size_t size)
{
	why[0] = '\0';
	return conf_file_trusted(scratch_path(name), why, size);
}

static void
a_directory_open_to_others(void **state)
{
	char why[512];

	(void)state;
	scratch_puts("f", "");
	assert_int_equal(trusted("f", why, sizeof(why)), 0);
	assert_int_equal(chmod(scratch, 0770), 0);
	assert_int_equal(trusted("f", why, sizeof(why)), -1);
	assert_non_null(strstr(why, "may be written by others; chmod go-w "));
	assert_int_equal(chmod(scratch, 0707), 0);
	assert_int_equal(trusted("f", why, sizeof(why)), -1);
	/* As /tmp is: nobody can replace what is another's. */
	assert_int_equal(chmod(scratch, 01777), 0);
	assert_int_equal(trusted("f", why, sizeof(why)), 0);
	assert_int_equal(chmod(scratch, 0755), 0);
	assert_int_equal(trusted("f", why, sizeof(why)), 0);
}

/* A sticky bit on the file itself means nothing. */
static void
a_sticky_file_open_to_others(void **state)
{
	char why[512];

	(void)state;
	scratch_puts("f", "");
	assert_int_equal(chmod(scratch_path("f"), 01666), 0);
	assert_int_equal(trusted("f", why, sizeof(why)), -1);
}

/* Root's files are anybody's to trust, another user's are not. */
static void
files_of_others(void **state)
{
	char why[512], want[600];

	(void)state;
	assert_int_equal(conf_file_trusted("/etc/passwd", why, sizeof(why)), 0);
	scratch_puts("f", "");
	/* Giving files away takes root, and not every root may. */
	if (geteuid() != 0 || chown(scratch_path("f"), 65534, 0) == -1)
		skip();
	assert_int_equal(trusted("f", why, sizeof(why)), -1);
	(void)snprintf(want, sizeof(want),
	    "%s belongs to user 65534, who "
	    "could change it; chown it to root",
	    scratch_path("f"));
	assert_string_equal(why, want);
	assert_int_equal(chown(scratch_path("f"), 0, 0), 0);
	assert_int_equal(chown(scratch, 65534, 0), 0);
	assert_int_equal(trusted("f", why, sizeof(why)), -1);
	(void)snprintf(want, sizeof(want),
	    "%s belongs to user 65534, who "
	    "could change it; chown it to root",
	    scratch);
	assert_string_equal(why, want);
}

static void
what_is_not_a_file(void **state)
{
	char why[512];

	(void)state;
	assert_int_equal(trusted("gone", why, sizeof(why)), -1);
	assert_string_equal(
	    scratch_strip(why), "gone: No such file or directory");
	scratch_mkdir("dir");
	assert_int_equal(trusted("dir", why, sizeof(why)), -1);
	assert_string_equal(scratch_strip(why), "dir is not a regular file");
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	assert_int_equal(trusted("fifo", why, sizeof(why)), -1);
	/* A link is what it points to. */
	scratch_puts("f", "");
	assert_int_equal(symlink("f", scratch_path("link")), 0);
	assert_int_equal(trusted("link", why, sizeof(why)), 0);
	assert_int_equal(chmod(scratch_path("f"), 0666), 0);
	assert_int_equal(trusted("link", why, sizeof(why)), -1);
}

static void
reads_whole_files(void **state)
{
	static char big[10000];
	char *text;
	size_t n;

	(void)state;
	memset(big, 'x', sizeof(big));
	scratch_write("big", big, sizeof(big));
	text = conf_read_file(scratch_path("big"), sizeof(big), &n);
	assert_non_null(text);
	assert_int_equal(n, sizeof(big));
	assert_memory_equal(text, big, n);
	assert_int_equal(text[n], '\0');
	free(text);
	errno = 0;
	assert_null(conf_read_file(scratch_path("big"), sizeof(big) - 1, &n));
	assert_int_equal(errno, EFBIG);
	scratch_write("empty", "", 0);
	text = conf_read_file(scratch_path("empty"), 0, &n);
	assert_non_null(text);
	assert_int_equal(n, 0);
	assert_string_equal(text, "");
	free(text);
	assert_null(conf_read_file(scratch, 100, &n));
	assert_int_equal(errno, EISDIR);
}

static void
paths(void **state)
{
	static const struct {
		const char *main_file, *path, *want;
	} cases[] = {
	    {"/etc/hostd.conf", "x", "/etc/x"},
	    {"/etc/hostd.conf", "/x", "/x"},
	    {"/etc/hostd.conf", "../x/y", "/etc/../x/y"},
	    {"/hostd.conf", "x", "/x"},
	    {"hostd.conf", "x", "./x"},
	    {"a/b.conf", "x", "a/x"},
	    {"", "x", "./x"},
	};
	size_t i;
	char *p;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = conf_path(cases[i].main_file, cases[i].path);
		assert_string_equal(p, cases[i].want);
		free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(in_name_order),
	    T(the_directory_is_the_main_files_choice),
	    T(a_directory_by_default_may_be_missing),
	    T(a_directory_by_name_may_not),
	    T(without_a_main_file),
	    T(all_that_cannot_be_trusted),
	    T(a_directory_open_to_others),
	    T(a_sticky_file_open_to_others),
	    T(files_of_others),
	    T(what_is_not_a_file),
	    T(reads_whole_files),
	    T(paths),
	};

	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
