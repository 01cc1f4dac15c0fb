/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that can't be started, and what is known of those that are. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "master/child.h"
#include "master/proc.h"

static uv_loop_t loop;
static struct board board;
static struct children all;
static struct up_table servers;
static struct limit_table limits;
static struct conf conf;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(board_create(&board), 0);
	assert_int_equal(up_table_create(&servers), 0);
	assert_int_equal(limit_table_create(&limits), 0);
	TAILQ_INIT(&conf.pools);
	children_init(&all, &loop, &board, &servers, &limits);
	all.exe = "/nonexistent";
	all.error_log = STDERR_FILENO;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	children_close(&all);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	limit_table_close(&limits);
	up_table_close(&servers);
	board_close(&board);
	return 0;
}

static struct child *
spawn(char *why, size_t size)
{
	static const struct child_ops ops;
	const struct child_opts o = {.role = CHAN_ROLE_WORKER,
	    .pool = "web",
	    .conf = &conf,
	    .snapshot = "",
	    .ready_timeout = 1000};

	return child_spawn(&all, &o, &ops, NULL, why, size);
}

static void
all_cells_are_taken(void **state)
{
	char why[512] = "";
	int i;

	(void)state;
	for (i = 0; i < BOARD_CELLS; i++)
		assert_int_not_equal(board_cell_take(&board), -1);
	assert_null(spawn(why, sizeof(why)));
	assert_string_equal(why, "no more than 1024 processes");
	assert_true(LIST_EMPTY(&all.list));
	/* One that ends makes room for another. */
	board_cell_retire(&board, 500);
	assert_non_null(spawn(why, sizeof(why)));
	assert_int_equal(LIST_FIRST(&all.list)->cell, 500);
}

static void
a_process_that_is_stopped(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		for (;;)
			(void)pause();
	assert_false(proc_is_stopped(pid));
	assert_true(proc_rss(pid) > 0);
	(void)kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(proc_is_stopped(pid));
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(proc_is_stopped(pid));
	assert_int_equal(proc_rss(pid), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(all_cells_are_taken),
	    cmocka_unit_test(a_process_that_is_stopped),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
