/* SPDX-License-Identifier: BSD-2-Clause */
/* A socket that moves, while another node publishes as well. */
#include "hold_case.h"

static int32_t
backend_publish(struct hub_backend *b, hostd_buf channel, hostd_buf envelope)
{
	struct envelope e;

	(void)b;
	if (envelope_parse(&e, envelope.p, envelope.n) > 0 &&
	    e.type == ENV_MARK) {
		buf_printf(&said, "mark to %.*s\n", (int)channel.n,
		    (const char *)channel.p);
		mark.len = 0;
		buf_append(&mark, envelope.p, envelope.n);
	}
	return HOSTD_OK;
}

static int32_t
backend_subscribe(struct hub_backend *b, hostd_buf channel, int on)
{
	buf_printf(&said, "%s %c%.*s\n", b->name, on ? '+' : '-',
	    (int)channel.n, (const char *)channel.p);
	return HOSTD_AGAIN;
}

static struct hub_backend backends[2] = {
	{ .name = "giver", .publish = backend_publish,
	    .subscribe = backend_subscribe },
	{ .name = "taker", .publish = backend_publish,
	    .subscribe = backend_subscribe },
};

static void
backends_up(void)
{
	int i;

	log_set_level(LOG_LVL_WARN);
	for (i = 0; i < 2; i++) {
		hubs[i].backend = &backends[i];
		assert_int_equal(hub_up(&hubs[i]), HOSTD_OK);
		turns(2);
		(void)hub_subscribed(&hubs[i], text("hostd/nodes"));
		(void)hub_subscribed(&hubs[i], text(hubs[i].inbox));
	}
	turns(2);
	said.len = 0;
}

static int
was_said(const char *what)
{
	buf_append(&said, "", 1);
	said.len--;
	return strstr(said.p, what) != NULL;
}

/* What another node has published comes to one of our workers. */
static void
deliver(int to, int n)
{
	char bytes[ENVELOPE_HEAD + 16];
	int len = snprintf(bytes + ENVELOPE_HEAD, 16, "%d", n);
	struct envelope e = { .type = ENV_MESSAGE, .flags = HOSTD_WS_TEXT,
		.node = 77, .seq = 5ull << 40 | (unsigned)n, .time = 1,
		.payload = { bytes + ENVELOPE_HEAD, (size_t)len } };

	envelope_put(bytes, &e);
	assert_int_equal(hub_deliver(&hubs[to], text("red"),
	    (hostd_buf){ bytes, ENVELOPE_HEAD + (size_t)len }), HOSTD_OK);
}

static void
all_of_another_node(void **state)
{
	(void)state;
	backends_up();
	join("red");
	turns(2);
	(void)hub_subscribed(&hubs[GIVER], text("red"));
	deliver(GIVER, 1);
	hold();
	turns(8);
	/* The taker's is not in force yet. */
	assert_true(was_said("taker +red"));
	assert_false(was_said("mark"));
	deliver(GIVER, 2);
	assert_int_equal(hub_subscribed(&hubs[TAKER], text("red")), HOSTD_OK);
	turns(4);
	/* And what came before that may be on its way to the giver. */
	assert_true(was_said("mark to hostd/node/"));
	assert_int_equal(done, 0);
	deliver(TAKER, 4);
	deliver(GIVER, 3);
	assert_int_equal(hub_deliver(&hubs[GIVER], text(hubs[GIVER].inbox),
	    (hostd_buf){ mark.p, mark.len }), HOSTD_OK);
	until(&done, 1);
	deliver(GIVER, 4);
	deliver(GIVER, 5);
	assert_int_equal(move(), 0);
	deliver(TAKER, 5);
	deliver(TAKER, 6);
	assert_heard(6);
}

static void
a_backend_that_goes_down(void **state)
{
	(void)state;
	backends_up();
	join("red");
	turns(2);
	hold();
	turns(8);
	assert_int_equal(done, 0);
	log_set_level(LOG_LVL_ERROR);
	assert_int_equal(hub_down(&hubs[GIVER], "test"), HOSTD_OK);
	assert_int_equal(hub_down(&hubs[TAKER], "test"), HOSTD_OK);
	until(&done, 1);
	assert_int_equal(move(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(all_of_another_node),
	    T(a_backend_that_goes_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
