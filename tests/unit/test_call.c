/* SPDX-License-Identifier: BSD-2-Clause */
/* What the master makes of workers that answer, or do not, or talk nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <hostd/abi.h>

#include "base/mem.h"
#include "master/call.h"
#include "master/master.h"

static char *argv[] = {NULL};
static struct master *m;
static struct child workers[2];
static int ends[2]; /* the workers' */
static struct call *call;
static struct call_part *parts[2];
static int steps;
static struct chan_msg msg;
static struct buf rest;

static void
step(struct call *c)
{
	assert_ptr_equal(c, call);
	steps++;
}

static int
setup(void **state)
{
	int i, fds[2];

	(void)state;
	m = master_new(argv);
	memset(workers, 0, sizeof(workers));
	steps = 0;
	call = call_new(m, NULL, step);
	call->max = 1000;
	for (i = 0; i < 2; i++) {
		assert_int_equal(chan_pair(fds), 0);
		workers[i].all = &m->children;
		workers[i].fd = fds[0];
		workers[i].calls = 1;
		workers[i].pid = 100 + i;
		TAILQ_INIT(&workers[i].out);
		ends[i] = fds[1];
		parts[i] = call_add(call, &workers[i], "web");
	}
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		(void)close(workers[i].fd);
		(void)close(ends[i]);
	}
	call_free(call);
	uv_close((uv_handle_t *)&m->delay, NULL);
	children_close(&m->children);
	(void)uv_run(&m->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&m->loop), 0);
	buf_free(&rest);
	free(m);
	return 0;
}

static void
ask(void)
{
	call_ask(call, CALL_RUN, 0, &rest, 1000, 1000);
}

/* Worker i says that of message id. */
static void
says_of(int i, uint32_t id, uint32_t how, int32_t status, const char *text,
    size_t n)
{
	struct chan_called head = {.id = id, .how = how, .status = status};

	memset(&msg, 0, sizeof(msg));
	msg.type = CHAN_CALLED;
	msg.len = (uint32_t)(sizeof(head) + n);
	memcpy(msg.data, &head, sizeof(head));
	if (n > 0)
		memcpy(msg.data + sizeof(head), text, n);
	calls_heard(&workers[i], &msg);
}

static void
says(int i, uint32_t how, int32_t status, const char *text)
{
	says_of(i, parts[i]->id, how, status, text, strlen(text));
}

static void
is(int i, enum part_state state, int32_t status, const char *text)
{
	assert_int_equal(parts[i]->state, state);
	assert_int_equal(parts[i]->status, status);
	assert_int_equal(parts[i]->text.len, strlen(text));
	assert_memory_equal(parts[i]->text.p, text, strlen(text));
}

/* ---- */

static void
both_answer(void **state)
{
	struct chan_call *head = (void *)msg.data;

	(void)state;
	ask();
	assert_int_equal(chan_recv(ends[1], &msg), 1);
	assert_int_equal(msg.type, CHAN_CALL);
	assert_int_equal(head->id, parts[1]->id);
	assert_int_equal(head->max, 1000);
	says(0, CALLED_PART, 0, "a");
	says(0, CALLED_PART, 0, "b");
	says(0, CALLED_DONE, HOSTD_OK, "c");
	assert_int_equal(steps, 0);
	says(1, CALLED_DONE, HOSTD_E_IO, "why");
	assert_int_equal(steps, 1);
	is(0, PART_DONE, HOSTD_OK, "abc");
	is(1, PART_DONE, HOSTD_E_IO, "why");
	/* What comes then is for nobody. */
	says(0, CALLED_DONE, HOSTD_E_IO, "again");
	is(0, PART_DONE, HOSTD_OK, "abc");
	assert_int_equal(steps, 1);
}

static void
each_is_told_when_it_is_wanted(void **state)
{
	(void)state;
	call->early = 1;
	ask();
	says(0, CALLED_PART, 0, "a");
	assert_int_equal(steps, 0);
	says(0, CALLED_HERE, 0, "");
	assert_int_equal(steps, 1);
	says(1, CALLED_ABSENT, 0, "");
	assert_int_equal(steps, 2);
}

static void
nonsense(void **state)
{
	(void)state;
	ask();
	/* Another's, or nobody's. */
	says_of(0, parts[1]->id, CALLED_DONE, HOSTD_OK, "x", 1);
	says_of(0, 12345, CALLED_DONE, HOSTD_OK, "x", 1);
	assert_int_equal(parts[0]->state, PART_WAITING);
	assert_int_equal(parts[1]->state, PART_WAITING);
	says(0, 77, HOSTD_OK, "");
	assert_int_equal(parts[0]->state, PART_BAD);
	says(1, CALLED_DONE, 5, "");
	is(1, PART_DONE, HOSTD_E_IO, "");
}

/* Much more than it was told that it may say. */
static void
too_much(void **state)
{
	char text[4000];
	int i;

	(void)state;
	memset(text, 'x', sizeof(text));
	call->max = 10000;
	ask();
	for (i = 0; i < 100; i++)
		says_of(0, parts[0]->id, CALLED_PART, 0, text, sizeof(text));
	assert_int_equal(parts[0]->state, PART_BAD);
	assert_true(parts[0]->text.len <= 10000);
	assert_int_equal(parts[1]->state, PART_WAITING);
}

static void
one_that_ends(void **state)
{
	(void)state;
	ask();
	calls_left(&workers[0]);
	assert_int_equal(parts[0]->state, PART_GONE);
	assert_int_equal(steps, 0);
	says(1, CALLED_DONE, HOSTD_OK, "");
	assert_int_equal(steps, 1);
	/* What has been said is not forgotten. */
	calls_left(&workers[1]);
	assert_int_equal(parts[1]->state, PART_DONE);
	assert_int_equal(steps, 1);
	assert_null(parts[1]->child);
}

static void
those_that_cannot_be_asked(void **state)
{
	(void)state;
	workers[0].calls = 0;
	/* It reads nothing. */
	while (chan_send(workers[1].fd, CHAN_PING, NULL, 0, NULL, 0) == 0)
		;
	ask();
	assert_int_equal(parts[0]->state, PART_OLDER);
	assert_int_equal(parts[1]->state, PART_DEAF);
	/* Never from within. */
	assert_int_equal(steps, 0);
	while (steps == 0)
		(void)uv_run(&m->loop, UV_RUN_ONCE);
	assert_int_equal(steps, 1);
}

static void
late(void **state)
{
	(void)state;
	call_ask(call, CALL_RUN, 0, &rest, 20, 20);
	says(0, CALLED_PART, 0, "some");
	while (steps == 0)
		(void)uv_run(&m->loop, UV_RUN_ONCE);
	assert_int_equal(parts[0]->state, PART_LATE);
	assert_int_equal(parts[1]->state, PART_LATE);
	/* They are not asked again. */
	call_ask(call, CALL_RUN, 0, &rest, 20, 20);
	assert_int_equal(parts[0]->state, PART_LATE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(both_answer),
	    T(each_is_told_when_it_is_wanted),
	    T(nonsense),
	    T(too_much),
	    T(one_that_ends),
	    T(those_that_cannot_be_asked),
	    T(late),
	};

	return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
