/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels that are an instance's own: nobody else hears, or is heard. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/channel.h>

#include "base/log.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "loop_case.h"

#define OWN HOSTD_CHANNEL_OWN "x"

static struct plugins all;
static struct board board;
static struct conf conf = {.callback_budget = 60000};
static struct conf_pubsub pubsub;
static struct conf_plugin names[2] = {
    {.name = (char *)(uintptr_t)"app"},
    {.name = (char *)(uintptr_t)"app-2"},
};
/* The first two have one name, as in two workers. */
static struct instance in[3];
static const struct hostd_channel_api *api;
static char heard[3][300];
static int n;

static void
instance_begin(struct instance *i, const struct conf_plugin *name)
{
	memset(i, 0, sizeof(*i));
	i->all = &all;
	i->conf = name;
	i->host.ctx = i;
	LIST_INIT(&i->subs);
}

static int
setup(void **state)
{
	(void)state;
	loop_open();
	memset(&all, 0, sizeof(all));
	memset(heard, 0, sizeof(heard));
	n = 0;
	assert_int_equal(board_create(&board), 0);
	all.loop = &loop;
	all.conf = &conf;
	all.board = &board;
	all.cell = &board.cells[0];
	channel_service_init(&all);
	hub_init(&all.hub, &loop, &board, &board.cells[0], &pubsub);
	instance_begin(&in[0], &names[0]);
	instance_begin(&in[1], &names[0]);
	instance_begin(&in[2], &names[1]);
	api = channel_service();
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	hub_stop(&all.hub);
	for (i = 0; i < 3; i++)
		channel_service_stop(&in[i]);
	hub_close(&all.hub);
	channel_service_close(&all);
	board_close(&board);
	loop_end();
	return 0;
}

static hostd_buf
text(const char *s)
{
	return (hostd_buf){s, strlen(s)};
}

static void
hear(struct hostd_inst *inst, hostd_sub sub, void *arg,
    const struct hostd_channel_event *e)
{
	const char *p = e->channel.p;

	(void)inst, (void)sub;
	memcpy(arg, p, e->channel.n);
	n++;
}

static int32_t
listen_to(int i, hostd_buf name)
{
	hostd_sub sub;

	return api->subscribe(&in[i].host, name, hear, heard[i], &sub);
}

static int32_t
say(int i, hostd_buf name)
{
	const hostd_ws nobody = {0};

	return api->publish(&in[i].host, name, text("hello"), HOSTD_WS_TEXT,
	    nobody);
}

static void
only_those_of_its_name_hear(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(listen_to(i, text(OWN)), HOSTD_OK);
	assert_int_equal(say(0, text(OWN)), HOSTD_OK);
	until(&n, 2);
	turn();
	assert_int_equal(n, 2);
	/* By the name that they have given. */
	assert_string_equal(heard[0], OWN);
	assert_string_equal(heard[1], OWN);
	assert_string_equal(heard[2], "");
	assert_int_equal(say(2, text(OWN)), HOSTD_OK);
	until(&n, 3);
	assert_string_equal(heard[2], OWN);
}

static void
its_real_name_is_no_name(void **state)
{
	(void)state;
	assert_int_equal(listen_to(0, text(OWN)), HOSTD_OK);
	assert_int_equal(say(2, text("hostd/of/app/" OWN)), HOSTD_E_INVAL);
	assert_int_equal(say(2, text(HOSTD_CHANNEL_OWN)), HOSTD_E_INVAL);
	assert_int_equal(say(2, text("hostd/other")), HOSTD_E_INVAL);
	assert_int_equal(listen_to(2, text("hostd/nodes")), HOSTD_E_INVAL);
	assert_int_equal(say(2, text("x")), HOSTD_OK);
	turn();
	assert_int_equal(n, 0);
}

static void
names_of_any_length(void **state)
{
	char name[300] = HOSTD_CHANNEL_OWN;
	size_t own = strlen(name), most;

	(void)state;
	memset(name + own, 'n', sizeof(name) - own);
	/* "hostd/of/app/" is in front of it. */
	most = 255 - 13;
	assert_int_equal(listen_to(0, (hostd_buf){name, most}), HOSTD_OK);
	assert_int_equal(
	    listen_to(0, (hostd_buf){name, most + 1}), HOSTD_E_INVAL);
	assert_int_equal(
	    say(0, (hostd_buf){name, sizeof(name)}), HOSTD_E_INVAL);
	assert_int_equal(say(0, (hostd_buf){name, most}), HOSTD_OK);
	until(&n, 1);
	assert_memory_equal(heard[0], name, most);
	name[own] = '\n';
	assert_int_equal(say(0, (hostd_buf){name, own + 1}), HOSTD_E_INVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(only_those_of_its_name_hear),
	    T(its_real_name_is_no_name),
	    T(names_of_any_length),
	};

	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests_name("own channels", tests, NULL, NULL);
}
