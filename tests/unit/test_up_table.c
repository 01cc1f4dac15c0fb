/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of servers: shared, never read halfway, and no id comes twice. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "up_table_case.h"

static void
drop(unsigned i)
{
	up_table_begin(&table);
	up_entry_free(&table, &table.entries[i]);
	up_table_end(&table);
}

static void
another_process_shares_it(void **state)
{
	struct up_table other;
	struct up_entry e;
	int status;
	pid_t pid;

	(void)state;
	put("app", "a:1");
	up_table_join(&table, 3);
	if ((pid = fork()) == 0) {
		if (up_table_attach(&other, dup(table.reader),
		    dup(table.live_fd)) == -1 ||
		    up_entry_read(&other, 0, &e) == -1 ||
		    strcmp(e.server, "a:1") != 0)
			_exit(1);
		up_count_of(&other, 3, 0)->inflight = 7;
		up_changed(&other);
		_exit(0);
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(up_inflight(&table, 0), 7);
	assert_int_equal(up_changes(&table), 2);
}

static int
attach(int fd, int live)
{
	struct up_table other;
	int rc = up_table_attach(&other, fd, live), error = errno;

	if (rc == 0)
		up_table_close(&other);
	else
		assert_int_equal(error, EPROTO);
	/* It took the descriptors. */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(fcntl(live, F_GETFD), -1);
	return rc;
}

static int
memory(size_t size)
{
	int fd = memfd_create("no table", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void
refuses_what_is_no_table(void **state)
{
	(void)state;
	assert_int_equal(attach(dup(table.fd), dup(table.live_fd)), 0);
	assert_int_equal(attach(memory(0), dup(table.live_fd)), -1);
	assert_int_equal(attach(memory(table.size), dup(table.live_fd)), -1);
	assert_int_equal(attach(dup(table.fd), memory(0)), -1);
	assert_int_equal(attach(dup(table.live_fd), dup(table.fd)), -1);
	table.head->layout++;
	assert_int_equal(attach(dup(table.fd), dup(table.live_fd)), -1);
}

/* A worker may go bad, and the master looks at entries where they are. */
static void
a_worker_can_not_write_entries(void **state)
{
	struct up_table other;
	char path[64];
	int fd;

	(void)state;
	assert_int_equal(up_table_attach(&other, dup(table.reader),
	    dup(table.live_fd)), 0);
	assert_int_equal(mprotect(other.head, other.size, PROT_READ |
	    PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	assert_ptr_equal(mmap(NULL, other.size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, other.fd, 0), MAP_FAILED);
	assert_int_equal(pwrite(other.fd, "", 1, 0), -1);
	assert_int_equal(ftruncate(other.fd, 0), -1);
	/* Who has another user's rights can't get another descriptor. */
	if (geteuid() == 0) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d",
		    other.fd);
		assert_int_equal(seteuid(65534), 0);
		fd = open(path, O_RDWR);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(fd, -1);
	}
	up_table_close(&other);
}

/* After an upgrade the master goes on with it. */
static void
the_master_has_it_back(void **state)
{
	struct up_table other;
	struct up_entry e;
	unsigned i = put("app", "a:1");

	(void)state;
	assert_int_equal(up_table_restore(&other, dup(table.fd),
	    dup(table.live_fd)), 0);
	up_table_begin(&other);
	other.entries[i].weight = 7;
	up_table_end(&other);
	assert_int_equal(up_entry_read(&table, i, &e), 0);
	assert_int_equal(e.weight, 7);
	up_table_close(&table);
	table = other;
	assert_int_equal(attach(dup(table.reader), dup(table.live_fd)), 0);
}

#define WHOLE	1000

/* A writer that sets all bytes alike: no reader finds two kinds.  It goes on
 * until so many changes were seen. */
static void
nothing_is_read_halfway(void **state)
{
	struct up_entry e;
	uint32_t last = 1;
	int i, k, status, whole = 0;
	pid_t pid;

	(void)state;
	put("app", "a:1");
	up_table_join(&table, 0);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; up_inflight(&table, 0) == 0; i = (i + 1) % 26) {
			up_table_begin(&table);
			memset(table.entries[0].server, 'a' + i,
			    sizeof(table.entries[0].server));
			table.entries[0].weight = (uint32_t)('a' + i);
			up_table_end(&table);
		}
		_exit(0);
	}
	assert_int_not_equal(pid, -1);
	while (whole < WHOLE) {
		if (up_entry_read(&table, 0, &e) == -1 || e.weight == last)
			continue;
		last = e.weight;
		for (k = 0; k < UP_SERVER_MAX - 1; k++)
			assert_int_equal(e.server[k], (char)e.weight);
		assert_int_equal(e.server[k], 0);
		whole++;
	}
	up_count_of(&table, 0, 0)->inflight = 1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(up_entry_read(&table, 0, &e), 0);
}

static void
a_writer_that_stays_is_not_waited_for(void **state)
{
	struct up_entry e;
	struct up_sums s;
	unsigned i = put("app", "a:1");

	(void)state;
	up_table_begin(&table);
	assert_int_equal(up_entry_read(&table, i, &e), -1);
	up_sum(&table, i, &s);
	up_table_end(&table);
	assert_int_equal(up_entry_read(&table, i, &e), 0);
	assert_int_equal(up_entry_read(&table, UP_ENTRIES, &e), -1);
}

static void
texts_without_an_end_get_one(void **state)
{
	struct up_entry e;
	unsigned i = put("app", "a:1");

	(void)state;
	memset(table.entries[i].group, 'x', UP_GROUP_MAX);
	memset(table.entries[i].server, 'x', UP_SERVER_MAX);
	assert_int_equal(up_entry_read(&table, i, &e), 0);
	assert_int_equal(strlen(e.group), UP_GROUP_MAX - 1);
	assert_int_equal(strlen(e.server), UP_SERVER_MAX - 1);
}

static void
no_id_comes_twice(void **state)
{
	uint32_t first, id, last = 0;
	unsigned i;
	int k;

	(void)state;
	i = put("app", "a:1");
	first = table.entries[i].id;
	assert_int_not_equal(first, 0);
	for (k = 0; k < 5000; k++) {
		drop(i);
		assert_int_equal(table.head->nentries, 0);
		assert_int_equal(table.health[i].id, 0);
		i = put("app", "a:1");
		id = table.entries[i].id;
		assert_true(id > first && id > last);
		assert_int_equal(table.health[i].id, id);
		last = id;
	}
}

static void
a_new_entry_is_clean(void **state)
{
	struct up_sums s;
	unsigned i = put("app", "a:1");

	(void)state;
	up_table_join(&table, 1);
	up_count_of(&table, 0, i)->requests = 5;
	up_count_of(&table, 1, i)->failures = 5;
	table.retired[i].bytes_in = 5;
	table.health[i].fails = 5;
	table.entries[i].flags = UP_DOWN;
	drop(i);
	assert_int_equal(put("app", "b:1"), i);
	up_sum(&table, i, &s);
	assert_int_equal(s.requests + s.failures + s.bytes_in, 0);
	assert_int_equal(table.health[i].fails, 0);
	assert_int_equal(table.entries[i].flags, 0);
	assert_int_equal(table.entries[i].weight, 1);
}

static void
holes_are_filled_and_the_end_is_known(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < UP_ENTRIES; i++)
		assert_int_equal(put("app", "x"), i);
	up_table_begin(&table);
	assert_null(up_entry_new(&table));
	up_table_end(&table);
	drop(7);
	assert_int_equal(table.head->nentries, UP_ENTRIES);
	assert_int_equal(put("app", "x"), 7);
	drop(UP_ENTRIES - 2);
	drop(UP_ENTRIES - 1);
	assert_int_equal(table.head->nentries, UP_ENTRIES - 2);
}

static void
load_is_of_all_rows(void **state)
{
	struct up_sums s;
	unsigned a = put("app", "a:1"), b = put("app", "b:1");

	(void)state;
	up_table_join(&table, 2);
	up_count_of(&table, 0, a)->inflight = 1;
	up_count_of(&table, 2, a)->inflight = 2;
	up_count_of(&table, 2, a)->upgraded = 1;
	up_count_of(&table, 2, a)->idle = 4;
	up_count_of(&table, 1, b)->inflight = 8;
	assert_int_equal(up_inflight(&table, a), 3);
	assert_int_equal(up_inflight(&table, b), 8);
	up_sum(&table, a, &s);
	assert_int_equal(s.inflight, 3);
	assert_int_equal(s.upgraded, 1);
	assert_int_equal(s.idle, 4);
}

static void
what_has_ended_counts_but_has_no_load(void **state)
{
	struct up_count *c;
	struct up_sums s;
	unsigned i = put("app", "a:1");

	(void)state;
	up_table_join(&table, 5);
	c = up_count_of(&table, 5, i);
	c->inflight = 3;
	c->idle = 2;
	c->requests = 10;
	c->failures = 4;
	c->bytes_in = 100;
	c->bytes_out = 50;
	c->header_us = 9;
	up_count_of(&table, 0, i)->requests = 1;
	up_table_retire(&table, 5);
	up_sum(&table, i, &s);
	assert_int_equal(s.inflight + s.idle + s.upgraded, 0);
	assert_int_equal(s.requests, 11);
	assert_int_equal(s.failures, 4);
	assert_int_equal(s.bytes_in, 100);
	assert_int_equal(s.bytes_out, 50);
	assert_int_equal(s.header_us, 9);
	c->requests = 2;
	up_table_retire(&table, 5);
	up_sum(&table, i, &s);
	assert_int_equal(s.requests, 13);
	/* Who is up has not changed. */
	assert_int_equal(up_changes(&table), 1);
}

static void
why(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(up_why_text(UP_WHY_NONE, 0, buf, 64), "");
	assert_string_equal(up_why_text(UP_WHY_CONNECT, ECONNREFUSED, buf, 64),
	    "connecting: Connection refused");
	assert_string_equal(up_why_text(UP_WHY_IO, 0, buf, 64), "closed early");
	assert_string_equal(up_why_text(UP_WHY_TIMEOUT, 2000, buf, 64),
	    "no answer within 2000 ms");
	assert_string_equal(up_why_text(UP_WHY_STATUS, 503, buf, 64),
	    "status 503");
	assert_string_equal(up_why_text(99, 0, buf, 64), "reason 99");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(another_process_shares_it),
		T(refuses_what_is_no_table),
		T(a_worker_can_not_write_entries),
		T(the_master_has_it_back),
		T(nothing_is_read_halfway),
		T(a_writer_that_stays_is_not_waited_for),
		T(texts_without_an_end_get_one),
		T(no_id_comes_twice),
		T(a_new_entry_is_clean),
		T(holes_are_filled_and_the_end_is_known),
		T(load_is_of_all_rows),
		T(what_has_ended_counts_but_has_no_load),
		T(why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
