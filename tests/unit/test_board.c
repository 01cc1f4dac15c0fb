/* SPDX-License-Identifier: BSD-2-Clause */
/* The board: cells come and go, sums never go down, nothing is trusted. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/board.h"
#include "base/board_json.h"

static struct board board;

static int
setup(void **state)
{
	(void)state;
	return board_create(&board);
}

static int
teardown(void **state)
{
	(void)state;
	board_close(&board);
	return 0;
}

static struct board_metric *
metric_put(int cell, int i, uint32_t type, const char *name, int64_t value)
{
	struct board_metric *m = &board.metrics[cell * BOARD_METRICS + i];

	(void)snprintf(m->name, sizeof(m->name), "%s", name);
	m->value = value;
	m->type = type;
	return m;
}

static void
attaches_to_what_was_created(void **state)
{
	struct board other;
	int cell;

	(void)state;
	cell = board_cell_take(&board);
	assert_int_equal(board_attach(&other, dup(board.fd)), 0);
	board_add(&other.cells[cell].counters.requests, 5);
	assert_int_equal(board.cells[cell].counters.requests, 5);
	assert_int_equal(ftruncate(other.fd, 4096), -1);
	assert_int_equal(errno, EPERM);
	board_close(&other);
}

static void
refuses_what_is_no_board(void **state)
{
	struct board other;
	struct stat st;
	int fd = memfd_create("no board", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(board_attach(&other, fd), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(fstat(board.fd, &st), 0);
	fd = memfd_create("no board", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, st.st_size), 0);
	assert_int_equal(board_attach(&other, fd), -1);
	assert_int_equal(errno, EPROTO);
	board.node->version++;
	assert_int_equal(board_attach(&other, dup(board.fd)), -1);
	assert_int_equal(errno, EPROTO);
	board.node->version--;
	/* It took the descriptors. */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
gives_each_cell_once(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < BOARD_CELLS; i++)
		assert_int_equal(board_cell_take(&board), i);
	assert_int_equal(board_cell_take(&board), -1);
	board_cell_retire(&board, 700);
	assert_int_equal(board_cell_take(&board), 700);
	assert_int_equal(board_cell_take(&board), -1);
}

static void
a_taken_cell_is_clean(void **state)
{
	int cell = board_cell_take(&board);
	struct board_cell *c = &board.cells[cell];

	(void)state;
	memset(c->plugins, 'x', sizeof(c->plugins));
	c->active = 9;
	metric_put(cell, 0, BOARD_METRIC_COUNTER, "a", 1);
	metric_put(cell, BOARD_METRICS - 1, BOARD_METRIC_COUNTER, "b", 1);
	board_cell_retire(&board, cell);
	assert_int_equal(board_cell_take(&board), cell);
	assert_int_equal(c->state, CELL_STARTING);
	assert_int_equal(c->active, 0);
	assert_int_equal(c->plugins[0][0], 0);
	assert_int_equal(board.metrics[cell * BOARD_METRICS].type, 0);
	assert_int_equal(board.metrics[(cell + 1) * BOARD_METRICS - 1].type, 0);
}

static void
neighbours_survive_a_retirement(void **state)
{
	int a = board_cell_take(&board), b = board_cell_take(&board);
	int c = board_cell_take(&board);

	(void)state;
	metric_put(a, BOARD_METRICS - 1, BOARD_METRIC_COUNTER, "last", 1);
	metric_put(b, 0, BOARD_METRIC_COUNTER, "mine", 1);
	metric_put(c, 0, BOARD_METRIC_COUNTER, "first", 1);
	board_cell_retire(&board, b);
	assert_string_equal(
	    board.metrics[(a + 1) * BOARD_METRICS - 1].name, "last");
	assert_string_equal(board.metrics[c * BOARD_METRICS].name, "first");
	assert_int_equal(board.metrics[b * BOARD_METRICS].type, 0);
}

static void
sums_outlive_processes(void **state)
{
	struct board_sums s;
	int a = board_cell_take(&board), b = board_cell_take(&board);

	(void)state;
	board_add(&board.cells[a].counters.requests, 3);
	board_add(&board.cells[b].counters.requests, 4);
	board_add(&board.cells[b].counters.status[2], 4);
	board_add(&board.cells[b].counters.slow_callbacks, 2);
	board_add(&board.cells[b].counters.callbacks, 9);
	board.cells[a].active = 1;
	board.cells[b].active = 2;
	board_sum(&board, &s);
	assert_int_equal(s.n.requests, 7);
	assert_int_equal(s.active, 3);
	board_cell_retire(&board, b);
	board_sum(&board, &s);
	assert_int_equal(s.n.requests, 7);
	assert_int_equal(s.n.status[2], 4);
	assert_int_equal(s.n.slow_callbacks, 2);
	assert_int_equal(s.n.callbacks, 9);
	assert_int_equal(s.active, 1);
}

static void
sums_end_although_the_master_died_folding(void **state)
{
	struct board_sums s;

	(void)state;
	board.node->folding = 1;
	board.node->retired.requests = 8;
	board_sum(&board, &s);
	assert_int_equal(s.n.requests, 8);
}

static void
folds_metrics_by_name(void **state)
{
	struct board_metric *m;
	int i, cell;

	(void)state;
	for (i = 0; i < 2; i++) {
		cell = board_cell_take(&board);
		metric_put(cell, 0, BOARD_METRIC_GAUGE, "now", 5);
		metric_put(cell, 1, BOARD_METRIC_COUNTER, "n{a=\"1\"}", 2);
		metric_put(cell, 2, BOARD_METRIC_COUNTER, "n{a=\"2\"}", 3);
		m = metric_put(cell, 3, BOARD_METRIC_HISTOGRAM, "h", 10);
		m->nbounds = 1;
		m->bounds[0] = 100;
		m->buckets[1] = 4;
		board_cell_retire(&board, cell);
	}
	assert_string_equal(board.retired[0].name, "n{a=\"1\"}");
	assert_int_equal(board.retired[0].value, 4);
	assert_string_equal(board.retired[1].name, "n{a=\"2\"}");
	assert_int_equal(board.retired[1].value, 6);
	assert_int_equal(board.retired[2].nbounds, 1);
	assert_int_equal(board.retired[2].buckets[1], 8);
	assert_int_equal(board.retired[2].value, 20);
	assert_int_equal(board.retired[3].type, 0);
}

/* A plugin has written over everything it could reach. */
static void
garbage_harms_nobody(void **state)
{
	int cell = board_cell_take(&board);
	struct board_cell *c = &board.cells[cell];
	struct board_metric *m = &board.metrics[cell * BOARD_METRICS];
	char name[64];
	json_t *j;
	int i;

	(void)state;
	memset(m, 0xff, sizeof(*m) * BOARD_METRICS);
	for (i = 0; i < BOARD_METRICS; i += 2)
		m[i].type = BOARD_METRIC_HISTOGRAM;
	memset(c, 0xff, sizeof(*c));
	assert_null(board_running(c, name, sizeof(name)));
	c->plugin = 1;
	assert_string_equal(board_running(c, name, sizeof(name)), "?");
	assert_int_equal(strlen(name), sizeof(name) - 1);
	assert_string_equal(board_state_name(c->state), "?");
	j = board_json(&board);
	assert_non_null(j);
	json_decref(j);
	board_cell_retire(&board, cell);
	for (i = 0; i < BOARD_METRICS; i++)
		assert_int_equal(board.retired[i].type, 0);
	assert_int_equal(c->state, CELL_FREE);
}

static void
names_what_was_running(void **state)
{
	struct board_cell *c = &board.cells[board_cell_take(&board)];
	char name[64];

	(void)state;
	(void)snprintf(c->plugins[2], sizeof(c->plugins[2]), "chat");
	c->callback = BOARD_CB_HEADERS;
	assert_null(board_running(c, name, sizeof(name)));
	c->plugin = 3;
	assert_string_equal(board_running(c, name, sizeof(name)), "on_headers");
	assert_string_equal(name, "chat");
}

static void
cell_name(int cell, const char *pool, uint32_t slot, uint64_t started)
{
	struct board_cell *c = &board.cells[cell];

	(void)snprintf(c->pool, sizeof(c->pool), "%s", pool);
	c->slot = slot;
	c->started_ms = started;
}

static void
json_shows_pools_in_order(void **state)
{
	json_t *j, *pools, *w;
	const char *name;
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		(void)board_cell_take(&board);
	cell_name(0, "web", 1, 5);
	cell_name(1, "web", 0, 9);
	cell_name(2, "socket", 0, 5);
	cell_name(3, "web", 0, 3);
	for (i = 4; i < 20; i++)
		cell_name(i, "zebra", (uint32_t)i, 1);
	board.cells[2].state = CELL_READY;
	(void)snprintf(board.cells[0].plugins[0], 64, "a");
	(void)snprintf(board.cells[1].plugins[0], 64, "a");
	(void)snprintf(board.cells[1].plugins[1], 64, "b");
	j = board_json(&board);
	assert_int_equal(json_array_size(json_object_get(j, "plugins")), 2);
	pools = json_object_get(j, "pools");
	assert_int_equal(json_array_size(pools), 3);
	assert_int_equal(json_unpack(json_array_get(pools, 0), "{s:s,s:o}",
			     "name", &name, "workers", &w),
	    0);
	assert_string_equal(name, "socket");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(w, 0), "state")),
	    "ready");
	w = json_object_get(json_array_get(pools, 1), "workers");
	assert_int_equal(json_array_size(w), 3);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(w, 0), "started_ms")),
	    3);
	assert_int_equal(
	    json_integer_value(json_object_get(json_array_get(w, 2), "slot")),
	    1);
	w = json_object_get(json_array_get(pools, 2), "workers");
	assert_int_equal(json_array_size(w), 16);
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(attaches_to_what_was_created),
	    T(refuses_what_is_no_board),
	    T(gives_each_cell_once),
	    T(a_taken_cell_is_clean),
	    T(neighbours_survive_a_retirement),
	    T(sums_outlive_processes),
	    T(sums_end_although_the_master_died_folding),
	    T(folds_metrics_by_name),
	    T(garbage_harms_nobody),
	    T(names_what_was_running),
	    T(json_shows_pools_in_order),
	};

	return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
