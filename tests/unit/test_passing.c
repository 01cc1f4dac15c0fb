/* SPDX-License-Identifier: BSD-2-Clause */
/* Which worker a connection is given to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "worker/state.h"

#define PEERS	6

static struct worker *w;
static struct conf *conf;
static struct conf_pool web = { .name = (char *)(uintptr_t)"web" };
static struct conf_pool far_away = { .name = (char *)(uintptr_t)"socket" };
static struct handover_peer peers[PEERS];
static struct conn_away away;

static int
setup(void **state)
{
	(void)state;
	w = xcalloc(1, sizeof(*w));
	conf = xcalloc(1, sizeof(*conf));
	w->conf = conf;
	conf->http.max_connections = 1000;
	w->board.cells = aligned_alloc(64, PEERS * sizeof(*w->board.cells));
	assert_non_null(w->board.cells);
	memset(w->board.cells, 0, PEERS * sizeof(*w->board.cells));
	w->board.node = xcalloc(1, sizeof(*w->board.node));
	atomic_store(&w->board.node->coming, 5);
	w->init.generation = 5;
	(void)snprintf(w->init.pool, sizeof(w->init.pool), "web");
	w->server.pool = &web;
	w->loop.now_ms = 1000;
	TAILQ_INIT(&w->handover.peers);
	memset(&away, 0, sizeof(away));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(w->board.node);
	free(w->board.cells);
	free(conf);
	free(w);
	return 0;
}

static struct handover_peer *
add(unsigned cell, const char *pool, uint64_t active)
{
	struct handover_peer *p = &peers[cell];

	memset(p, 0, sizeof(*p));
	p->who.cell = cell;
	p->who.generation = 5;
	(void)snprintf(p->who.pool, sizeof(p->who.pool), "%s", pool);
	atomic_store(&w->board.cells[cell].state, CELL_READY);
	atomic_store(&w->board.cells[cell].active, active);
	TAILQ_INSERT_TAIL(&w->handover.peers, p, link);
	return p;
}

static struct board_cell *
cell(const struct handover_peer *p)
{
	return &w->board.cells[p->who.cell];
}

#define choose() passing_choose(w, &far_away, &away)

/* -- another pool's -- */

static void
the_least_active_of_that_pool(void **state)
{
	struct handover_peer *p, *q;

	(void)state;
	assert_null(choose());
	(void)add(0, "web", 0);
	assert_null(choose());
	p = add(1, "socket", 10);
	assert_ptr_equal(choose(), p);
	q = add(2, "socket", 9);
	assert_ptr_equal(choose(), q);
	/* On its way, not there yet. */
	q->ngiven = 1;
	assert_ptr_equal(choose(), p);
}

static void
only_those_that_can(void **state)
{
	struct handover_peer *p, *q;
	uint32_t s;

	(void)state;
	p = add(0, "socket", 500);
	q = add(1, "socket", 0);
	for (s = CELL_FREE; s <= CELL_DEAD; s++) {
		atomic_store(&cell(q)->state, s);
		assert_ptr_equal(choose(), s == CELL_READY ? q : p);
	}
	atomic_store(&cell(q)->state, CELL_READY);
	q->ngiven = HANDOVER_WINDOW;
	assert_ptr_equal(choose(), p);
	q->ngiven = 0;
	atomic_store(&cell(q)->active, 1000);
	assert_ptr_equal(choose(), p);
	atomic_store(&cell(p)->active, 998);
	p->ngiven = 2;
	assert_null(choose());
}

static void
not_the_one_that_did_not_take_it(void **state)
{
	struct handover_peer *p = add(0, "socket", 0);
	struct handover_peer *q = add(1, "socket", 100);

	(void)state;
	away.last = 1;
	assert_ptr_equal(choose(), q);
	atomic_store(&cell(q)->state, CELL_DRAINING);
	assert_null(choose());
	away.last = 0;
	assert_ptr_equal(choose(), p);
}

static void
rather_not_a_stuck_one(void **state)
{
	struct handover_peer *p = add(0, "socket", 0);
	struct handover_peer *q = add(1, "socket", 900);

	(void)state;
	atomic_store(&cell(p)->plugin, 1);
	atomic_store(&cell(p)->entered_ms, 1);
	assert_ptr_equal(choose(), q);
	atomic_store(&cell(q)->state, CELL_DEAD);
	assert_ptr_equal(choose(), p);
}

static void
generations_that_disagree(void **state)
{
	struct handover_peer *older = add(0, "socket", 0);
	struct handover_peer *same = add(1, "socket", 900);
	struct handover_peer *newer = add(2, "socket", 1);

	(void)state;
	older->who.generation = 4;
	newer->who.generation = 6;
	atomic_store(&w->board.node->coming, 6);
	/* At first all are alike; sent here by another pool, ours knows. */
	assert_ptr_equal(choose(), older);
	away.hops = 1;
	assert_ptr_equal(choose(), same);
	atomic_store(&cell(same)->state, CELL_DEAD);
	assert_ptr_equal(choose(), older);
	/* To and fro already: who is older would send it back. */
	away.hops = 2;
	assert_ptr_equal(choose(), newer);
	atomic_store(&cell(newer)->state, CELL_STARTING);
	assert_null(choose());
}

/* What is coming has the lower number, and is right all the same. */
static void
generations_of_a_rollback(void **state)
{
	struct handover_peer *older = add(0, "socket", 1);
	struct handover_peer *newer = add(1, "socket", 0);

	(void)state;
	older->who.generation = 4;
	newer->who.generation = 6;
	atomic_store(&w->board.node->coming, 4);
	away.hops = 2;
	assert_ptr_equal(choose(), older);
	atomic_store(&cell(older)->state, CELL_STARTING);
	assert_null(choose());
	/* To those that are coming nobody else is right. */
	w->init.generation = 4;
	assert_null(choose());
	newer->who.generation = 4;
	assert_ptr_equal(choose(), newer);
}

/* -- our own -- */

static struct handover_peer *
add_slot(unsigned cell, uint32_t slot, uint64_t started_ms)
{
	struct handover_peer *p = add(cell, "web", 0);

	p->who.slot = slot;
	w->board.cells[cell].started_ms = started_ms;
	return p;
}

static void
the_last_one_of_a_slot(void **state)
{
	struct handover_peer *newer = add_slot(0, 1, 70);
	struct handover_peer *older = add_slot(1, 1, 60);

	(void)state;
	(void)add_slot(2, 2, 80);
	add(3, "socket", 0)->who.slot = 1;
	w->board.cells[3].started_ms = 90;
	w->cell = &w->board.cells[PEERS - 1];
	w->cell->started_ms = 65;
	w->init.slot = 5;
	assert_ptr_equal(passing_slot(w, 1), newer);
	assert_null(passing_slot(w, 5));
	assert_null(passing_slot(w, 3));
	atomic_store(&cell(newer)->state, CELL_STARTING);
	assert_ptr_equal(passing_slot(w, 1), older);
	atomic_store(&cell(older)->state, CELL_DRAINING);
	assert_null(passing_slot(w, 1));
}

static void
our_own_slot_is_who_follows_us(void **state)
{
	struct handover_peer *before = add_slot(0, 1, 60);
	struct handover_peer *after;

	(void)state;
	w->cell = &w->board.cells[PEERS - 1];
	w->cell->started_ms = 65;
	w->init.slot = 1;
	assert_null(passing_slot(w, 1));
	after = add_slot(1, 1, 70);
	assert_ptr_equal(passing_slot(w, 1), after);
	w->cell->started_ms = 55;
	atomic_store(&cell(after)->state, CELL_DEAD);
	assert_ptr_equal(passing_slot(w, 1), before);
}

/* At a later time, with so many connections. */
static struct handover_peer *
lighter(size_t n)
{
	w->loop.now_ms += 100;
	w->server.nconns = n;
	return passing_lighter(w);
}

static void
far_above_the_mean(void **state)
{
	struct handover_peer *p = add(0, "web", 100);
	struct handover_peer *q = add(1, "web", 90);

	(void)state;
	(void)add(2, "socket", 0);
	/* The mean is (190 + n) / 3; 1.25 of it and 8 more. */
	assert_null(lighter(0));
	assert_null(lighter(100));
	assert_null(lighter(149));
	assert_ptr_equal(lighter(153), q);
	atomic_store(&cell(q)->active, 101);
	assert_ptr_equal(lighter(170), p);
	/* Not those that are starting or on their way out. */
	atomic_store(&cell(p)->state, CELL_DRAINING);
	assert_ptr_equal(lighter(170), q);
	atomic_store(&cell(q)->state, CELL_STARTING);
	assert_null(lighter(170));
}

static void
until_it_is_near(void **state)
{
	(void)state;
	(void)add(0, "web", 100);
	(void)add(1, "web", 100);
	assert_null(lighter(140));
	assert_non_null(lighter(160));
	assert_non_null(lighter(140));
	assert_non_null(lighter(125));
	assert_null(lighter(115));
	assert_null(lighter(140));
}

static void
only_to_those_below_it(void **state)
{
	struct handover_peer *p = add(0, "web", 0);

	(void)state;
	(void)add(1, "web", 100);
	assert_ptr_equal(lighter(100), p);
	/* What is on its way counts. */
	p->ngiven = 66;
	assert_null(lighter(100));
	p->ngiven = 65;
	assert_ptr_equal(lighter(100), p);
}

static void
few_are_left_alone(void **state)
{
	(void)state;
	(void)add(0, "web", 0);
	(void)add(1, "web", 0);
	(void)add(2, "web", 0);
	assert_null(lighter(8));
	assert_non_null(lighter(12));
}

static void
a_look_holds_for_a_while(void **state)
{
	struct handover_peer *p = add(0, "web", 100);

	(void)state;
	assert_null(lighter(100));
	atomic_store(&cell(p)->active, 0);
	w->server.nconns = 119;
	assert_null(passing_lighter(w));
	/* So many more in one moment. */
	w->server.nconns = 120;
	assert_ptr_equal(passing_lighter(w), p);
	/* And that holds, too. */
	atomic_store(&cell(p)->active, 200);
	w->server.nconns = 121;
	assert_null(passing_lighter(w));
	atomic_store(&cell(p)->active, 50);
	assert_ptr_equal(passing_lighter(w), p);
	assert_null(lighter(50));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_least_active_of_that_pool),
		TEST(only_those_that_can),
		TEST(not_the_one_that_did_not_take_it),
		TEST(rather_not_a_stuck_one),
		TEST(generations_that_disagree),
		TEST(generations_of_a_rollback),
		TEST(far_above_the_mean),
		TEST(until_it_is_near),
		TEST(only_to_those_below_it),
		TEST(few_are_left_alone),
		TEST(a_look_holds_for_a_while),
		TEST(the_last_one_of_a_slot),
		TEST(our_own_slot_is_who_follows_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
