/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels: who is in them, who must be told of it, and when one is
 * forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "pubsub/channel.h"

static struct channels all;
static struct subscriber socket_a, socket_b, plugin;
static char told[256];		/* of interest: "+red -red " */

static void
interest(struct channels *c, struct channel *ch, int on)
{
	size_t n = strlen(told);

	assert_ptr_equal(c, &all);
	(void)snprintf(told + n, sizeof(told) - n, "%c%.*s ", on ? '+' : '-',
	    (int)ch->len, ch->name);
}

static int
setup(void **state)
{
	(void)state;
	memset(&all, 0, sizeof(all));
	memset(&socket_a, 0, sizeof(socket_a));
	memset(&socket_b, 0, sizeof(socket_b));
	memset(&plugin, 0, sizeof(plugin));
	socket_a.is_socket = socket_b.is_socket = 1;
	all.interest = interest;
	told[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	subscriber_close(&all, &socket_a);
	subscriber_close(&all, &socket_b);
	subscriber_close(&all, &plugin);
	channels_free(&all);
	return 0;
}

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static struct channel *
find(const char *name)
{
	return channel_find(&all, text(name));
}

static struct subscription *
join(struct subscriber *s, const char *name)
{
	return channel_subscribe(&all, s, text(name));
}

static void
leave(struct subscriber *s, const char *name)
{
	channel_unsubscribe(&all, channel_subscription(s, text(name)));
}

static struct bus_peer *
peer(uintptr_t i)
{
	return (struct bus_peer *)(i * 64);	/* a name, not looked into */
}

/* -- names -- */

static void
names(void **state)
{
	char name[257];
	int c;

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_false(channel_name_ok((hostd_buf){ NULL, 0 }));
	assert_false(channel_name_ok((hostd_buf){ NULL, 1 }));
	assert_false(channel_name_ok((hostd_buf){ name, 0 }));
	assert_true(channel_name_ok((hostd_buf){ name, 255 }));
	assert_false(channel_name_ok((hostd_buf){ name, 256 }));
	for (c = 0; c < 256; c++) {
		name[2] = (char)c;
		assert_int_equal(channel_name_ok((hostd_buf){ name, 3 }),
		    c >= 0x20 && c != 0x7f);
	}
}

/* -- subscribers here -- */

static void
first_and_last_are_told(void **state)
{
	struct subscription *sub;

	(void)state;
	assert_null(find("red"));
	sub = join(&socket_a, "red");
	assert_string_equal(told, "+red ");
	assert_ptr_equal(join(&socket_a, "red"), sub);
	join(&socket_b, "red");
	join(&plugin, "red");
	assert_string_equal(told, "+red ");
	assert_int_equal(find("red")->nsockets, 2);
	assert_int_equal(find("red")->nothers, 1);
	assert_int_equal(socket_a.n, 1);
	leave(&socket_a, "red");
	assert_null(channel_subscription(&socket_a, text("red")));
	leave(&plugin, "red");
	assert_string_equal(told, "+red ");
	leave(&socket_b, "red");
	assert_string_equal(told, "+red -red ");
	assert_null(find("red"));
	assert_int_equal(all.map.n, 0);
}

static void
in_the_order_of_coming(void **state)
{
	struct subscription *sub;

	(void)state;
	join(&socket_b, "red");
	join(&plugin, "red");
	join(&socket_a, "red");
	sub = TAILQ_FIRST(&find("red")->subscriptions);
	assert_ptr_equal(sub->subscriber, &socket_b);
	sub = TAILQ_NEXT(sub, of_channel);
	assert_ptr_equal(sub->subscriber, &plugin);
	sub = TAILQ_NEXT(sub, of_channel);
	assert_ptr_equal(sub->subscriber, &socket_a);
	assert_null(TAILQ_NEXT(sub, of_channel));
}

static void
who_closes_is_in_none(void **state)
{
	char name[16];
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		join(&socket_a, name);
		told[0] = '\0';
	}
	join(&socket_b, "50");
	assert_int_equal(socket_a.n, 100);
	subscriber_close(&all, &socket_a);
	assert_int_equal(socket_a.n, 0);
	assert_int_equal(all.map.n, 1);
	assert_int_equal(find("50")->nsockets, 1);
}

static void
names_differ_by_any_byte(void **state)
{
	(void)state;
	join(&socket_a, "red");
	join(&socket_a, "redder");
	join(&socket_a, "rec");
	assert_int_equal(socket_a.n, 3);
	assert_null(channel_subscription(&socket_a, text("re")));
	assert_string_equal(told, "+red +redder +rec ");
}

/* -- others -- */

static void
lives_while_another_worker_cares(void **state)
{
	(void)state;
	channel_peer_add(channel_get(&all, text("red")), peer(1));
	channel_peer_add(find("red"), peer(1));
	channel_peer_add(find("red"), peer(2));
	assert_int_equal(find("red")->npeers, 2);
	assert_false(channel_is_wanted(find("red")));
	join(&socket_a, "red");
	leave(&socket_a, "red");
	assert_string_equal(told, "+red -red ");
	assert_non_null(find("red"));
	channel_peer_del(find("red"), peer(3));
	channel_peer_del(find("red"), peer(1));
	assert_int_equal(find("red")->npeers, 1);
	assert_ptr_equal(find("red")->peers[0], peer(2));
	channel_settle(&all, find("red"));
	assert_non_null(find("red"));
	channel_peer_del(find("red"), peer(2));
	channel_settle(&all, find("red"));
	assert_null(find("red"));
}

static void
all_are_settled_at_once(void **state)
{
	char name[16];
	int i;

	(void)state;
	channels_settle(&all);
	for (i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		channel_peer_add(channel_get(&all, text(name)), peer(1));
		if (i % 3 == 0)
			channel_peer_del(find(name), peer(1));
	}
	join(&plugin, "0");
	channels_settle(&all);
	for (i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(find(name) != NULL, i == 0 || i % 3 != 0);
	}
}

/* -- news of other nodes -- */

#define PROCESS(n)	((uint64_t)(n) << 40)

static void
what_comes_twice_is_no_news(void **state)
{
	struct channel *ch;

	(void)state;
	ch = join(&plugin, "red")->channel;
	assert_true(channel_is_news(ch, 1, PROCESS(1) + 5));
	assert_false(channel_is_news(ch, 1, PROCESS(1) + 5));
	assert_false(channel_is_news(ch, 1, PROCESS(1) + 4));
	assert_true(channel_is_news(ch, 1, PROCESS(1) + 7));
	/* Other processes and nodes count for themselves. */
	assert_true(channel_is_news(ch, 1, PROCESS(2) + 1));
	assert_true(channel_is_news(ch, 2, PROCESS(1) + 5));
	assert_false(channel_is_news(ch, 2, PROCESS(1) + 5));
	assert_false(channel_is_news(ch, 1, PROCESS(1) + 7));
	assert_int_equal(ch->norigins, 3);
}

static void
origins_are_bounded(void **state)
{
	struct channel *ch;
	uint64_t node;

	(void)state;
	ch = join(&plugin, "red")->channel;
	for (node = 1; node <= 1000; node++)
		assert_true(channel_is_news(ch, node, PROCESS(1) + 1));
	assert_true(ch->norigins <= 256);
	for (node = 1000 - ch->norigins + 1; node <= 1000; node++)
		assert_false(channel_is_news(ch, node, PROCESS(1) + 1));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names),
		CASE(first_and_last_are_told),
		CASE(in_the_order_of_coming),
		CASE(who_closes_is_in_none),
		CASE(names_differ_by_any_byte),
		CASE(lives_while_another_worker_cares),
		CASE(all_are_settled_at_once),
		CASE(what_comes_twice_is_no_news),
		CASE(origins_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
