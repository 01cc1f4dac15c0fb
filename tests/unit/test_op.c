/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that plugins owe: each comes once, whatever the plugin does. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/op.h>

#include "base/log.h"
#include "plugin/instance.h"
#include "plugin/op.h"
#include "plugin/plugins.h"
#include "loop_case.h"

#define LIMIT_MS 50
#define SIZE 16

static struct plugins all;
static struct board board;
static struct conf conf;
static struct conf_plugin named = {.name = (char *)(uintptr_t)"app"};
static struct instance in, other;
static const struct hostd_op_api *api;

/* What has been answered. */
static struct {
	int n;
	int32_t status;
	int none; /* there was no result */
	char text[OP_TEXT_MAX + 1];
	size_t len;
} got;

static struct op op;

static void
instance_begin(struct instance *i)
{
	memset(i, 0, sizeof(*i));
	i->all = &all;
	i->conf = &named;
	i->host.ctx = i;
	LIST_INIT(&i->ops);
}

static int
setup(void **state)
{
	(void)state;
	loop_open();
	memset(&all, 0, sizeof(all));
	memset(&got, 0, sizeof(got));
	assert_int_equal(board_create(&board), 0);
	all.loop = &loop;
	all.conf = &conf;
	all.board = &board;
	all.cell = &board.cells[0];
	instance_begin(&in);
	instance_begin(&other);
	api = op_service();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	op_service_stop(&in);
	handle_table_free(&all.ops);
	board_close(&board);
	loop_end();
	return 0;
}

static void
done(struct op *o, int32_t status, hostd_buf result)
{
	assert_ptr_equal(o, &op);
	assert_true(result.n <= sizeof(got.text) - 1);
	got.n++;
	got.status = status;
	got.none = result.p == NULL;
	got.len = result.n;
	if (result.n > 0)
		memcpy(got.text, result.p, result.n);
	got.text[result.n] = '\0';
	/* It is ours again. */
	memset(o, 0xa5, sizeof(*o));
}

static hostd_op
begin(void)
{
	hostd_op h = op_start(&op, &in, LIMIT_MS, SIZE, done);

	assert_int_not_equal(h.id, 0);
	return h;
}

static hostd_buf
text(const char *s)
{
	return (hostd_buf){s, s == NULL ? 0 : strlen(s)};
}

/* Not before the turn has ended. */
static void
answered(int32_t status, const char *want)
{
	int before = got.n;

	until(&got.n, before + 1);
	assert_int_equal(got.status, status);
	assert_int_equal(got.none, want == NULL);
	assert_string_equal(got.text, want == NULL ? "" : want);
	turn();
	assert_int_equal(got.n, before + 1);
}

static void
stale(hostd_op h)
{
	uint64_t ms;

	assert_int_equal(api->put(&in.host, h, text("x")), HOSTD_E_GONE);
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, text("x")), HOSTD_E_GONE);
	assert_int_equal(api->left_ms(&in.host, h, &ms), HOSTD_E_GONE);
}

/* ---- */

static void
what_a_callback_returns(void **state)
{
	hostd_op h;

	(void)state;
	h = begin();
	op_returned(&op, HOSTD_OK);
	stale(h);
	assert_int_equal(got.n, 0);
	answered(HOSTD_OK, NULL);
	h = begin();
	assert_int_equal(api->put(&in.host, h, text("ab")), HOSTD_OK);
	assert_int_equal(api->put(&in.host, h, text("c")), HOSTD_OK);
	op_returned(&op, HOSTD_OK);
	answered(HOSTD_OK, "abc");
	h = begin();
	assert_int_equal(api->put(&in.host, h, text("ab")), HOSTD_OK);
	op_returned(&op, HOSTD_E_IO);
	answered(HOSTD_E_IO, NULL);
	(void)begin();
	op_returned(&op, 17);
	answered(HOSTD_E_INVAL, NULL);
}

static void
completed_at_once_or_later(void **state)
{
	hostd_op h = begin();

	(void)state;
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, text("now")), HOSTD_OK);
	stale(h);
	/* Whatever it returns then. */
	op_returned(&op, HOSTD_E_IO);
	answered(HOSTD_OK, "now");
	h = begin();
	op_returned(&op, HOSTD_DEFER);
	turn();
	assert_int_equal(got.n, 1);
	assert_int_equal(api->put(&in.host, h, text("lat")), HOSTD_OK);
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, text("er")), HOSTD_OK);
	assert_int_equal(got.n, 1);
	answered(HOSTD_OK, "later");
	stale(h);
}

static void
nothing_is_not_empty(void **state)
{
	hostd_op h = begin();

	(void)state;
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, text("")), HOSTD_OK);
	answered(HOSTD_OK, "");
	h = begin();
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, text(NULL)), HOSTD_OK);
	answered(HOSTD_OK, NULL);
}

static void
failures_have_a_text_of_their_own(void **state)
{
	char *longer = malloc(OP_TEXT_MAX + 2);
	hostd_op h = begin();

	(void)state;
	assert_int_equal(api->put(&in.host, h, text("dropped")), HOSTD_OK);
	assert_int_equal(api->complete(&in.host, h, HOSTD_E_IO,
	    text("a text that is longer than any result")), HOSTD_OK);
	answered(HOSTD_E_IO, "a text that is longer than any result");
	assert_non_null(longer);
	memset(longer, 'x', OP_TEXT_MAX + 1);
	longer[OP_TEXT_MAX + 1] = '\0';
	h = begin();
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_E_IO, text(longer)), HOSTD_OK);
	longer[OP_TEXT_MAX] = '\0';
	answered(HOSTD_E_IO, longer);
	free(longer);
}

static void
too_much(void **state)
{
	hostd_op h = begin();

	(void)state;
	assert_int_equal(
	    api->put(&in.host, h, text("0123456789abcdef")), HOSTD_OK);
	assert_int_equal(api->put(&in.host, h, text("g")), HOSTD_E_FULL);
	assert_int_equal(api->put(&in.host, h, text("")), HOSTD_OK);
	op_returned(&op, HOSTD_OK);
	answered(HOSTD_OK, "0123456789abcdef");
	h = begin();
	assert_int_equal(api->put(&in.host, h, text("0123456789")), HOSTD_OK);
	assert_int_equal(api->complete(&in.host, h, HOSTD_OK,
	    text("0123456")), HOSTD_E_FULL);
	answered(HOSTD_E_FULL, NULL);
}

static void
what_makes_no_sense_leaves_it_alone(void **state)
{
	hostd_buf wild = {NULL, 3};
	hostd_op h = begin(), none = {0};
	uint64_t ms = 0;

	(void)state;
	assert_int_equal(api->put(&in.host, h, wild), HOSTD_E_INVAL);
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, wild), HOSTD_E_INVAL);
	assert_int_equal(
	    api->complete(&in.host, h, 1, text("x")), HOSTD_E_INVAL);
	assert_int_equal(api->left_ms(&in.host, h, NULL), HOSTD_E_INVAL);
	assert_int_equal(api->left_ms(&in.host, h, &ms), HOSTD_OK);
	assert_int_equal(ms, LIMIT_MS);
	stale(none);
	/* Another instance's is nobody's. */
	assert_int_equal(
	    api->put(&other.host, h, text("x")), HOSTD_E_GONE);
	assert_int_equal(api->complete(&other.host, h, HOSTD_OK, text("x")),
	    HOSTD_E_GONE);
	op_returned(&op, HOSTD_OK);
	answered(HOSTD_OK, NULL);
}

static void
late(void **state)
{
	hostd_op h = begin();

	(void)state;
	assert_int_equal(api->put(&in.host, h, text("part")), HOSTD_OK);
	op_returned(&op, HOSTD_DEFER);
	answered(HOSTD_E_TIMEOUT, NULL);
	stale(h);
}

static void
an_instance_that_ends(void **state)
{
	hostd_op h = begin();

	(void)state;
	op_returned(&op, HOSTD_DEFER);
	op_service_stop(&in);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.status, HOSTD_E_GONE);
	stale(h);
	/* One that was answered, and not told yet. */
	h = begin();
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, text("done")), HOSTD_OK);
	op_service_stop(&in);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.text, "done");
	turn();
	assert_int_equal(got.n, 2);
}

static void
cancelled(void **state)
{
	hostd_op h = begin();

	(void)state;
	op_returned(&op, HOSTD_DEFER);
	op_cancel(&op);
	stale(h);
	h = begin();
	assert_int_equal(
	    api->complete(&in.host, h, HOSTD_OK, text("done")), HOSTD_OK);
	op_cancel(&op);
	turn();
	turn();
	assert_int_equal(got.n, 0);
	assert_true(LIST_EMPTY(&in.ops));
}

static void *
elsewhere(void *arg)
{
	const hostd_op *h = arg;
	uint64_t ms;

	return (void *)(intptr_t)(
	    api->put(&in.host, *h, text("x")) == HOSTD_E_THREAD &&
	    api->complete(&in.host, *h, HOSTD_OK, text("x")) ==
		HOSTD_E_THREAD &&
	    api->left_ms(&in.host, *h, &ms) == HOSTD_E_THREAD);
}

static void
another_thread(void **state)
{
	hostd_op h = begin();
	pthread_t thread;
	void *refused = NULL;

	(void)state;
	turn();		/* whose loop it is */
	assert_int_equal(pthread_create(&thread, NULL, elsewhere, &h), 0);
	assert_int_equal(pthread_join(thread, &refused), 0);
	assert_true((intptr_t)refused == 1);
	op_returned(&op, HOSTD_OK);
	answered(HOSTD_OK, NULL);
}

static void
ignore(struct op *o, int32_t status, hostd_buf result)
{
	(void)o, (void)result;
	got.n += status == HOSTD_E_GONE;
}

static void
there_is_a_bound(void **state)
{
	const int max = 65536;
	struct op *ops = calloc((size_t)max + 1, sizeof(*ops));
	int i;

	(void)state;
	assert_non_null(ops);
	for (i = 0; i < max; i++)
		assert_int_not_equal(op_start(&ops[i], &in, LIMIT_MS, SIZE,
		    ignore).id, 0);
	assert_int_equal(
	    op_start(&ops[max], &in, LIMIT_MS, SIZE, ignore).id, 0);
	op_service_stop(&in);
	assert_int_equal(got.n, max);
	free(ops);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_a_callback_returns),
	    T(completed_at_once_or_later),
	    T(nothing_is_not_empty),
	    T(failures_have_a_text_of_their_own),
	    T(too_much),
	    T(what_makes_no_sense_leaves_it_alone),
	    T(late),
	    T(an_instance_that_ends),
	    T(cancelled),
	    T(another_thread),
	    T(there_is_a_bound),
	};

	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests_name("op", tests, NULL, NULL);
}
