/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots of Redis Cluster: of keys, and who has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "slots.h"

static uint16_t
slot(const char *key)
{
	return redis_slot(key, strlen(key));
}

/* Values of Redis' own CLUSTER KEYSLOT. */
static void
slots_of_keys(void **state)
{
	(void)state;
	assert_int_equal(slot("123456789"), 0x31c3);	/* CRC-16/XMODEM */
	assert_int_equal(slot("foo"), 12182);
	assert_int_equal(slot("bar"), 5061);
	assert_int_equal(slot("hello"), 866);
	assert_int_equal(slot("somekey"), 11058);
	assert_int_equal(slot(""), 0);
	assert_int_equal(redis_slot("\0", 1), 0);
	assert_int_equal(slot("\377\376\375"), slot("{\377\376\375}"));
}

static void
tags(void **state)
{
	(void)state;
	assert_int_equal(slot("{user1000}.following"), slot("user1000"));
	assert_int_equal(slot("{user1000}.followers"), slot("user1000"));
	assert_int_equal(slot("a{foo}b"), 12182);
	assert_int_equal(slot("{foo}{bar}"), 12182);
	assert_int_equal(slot("foo{bar"), slot("foo{bar"));
	assert_int_not_equal(slot("foo{bar"), slot("bar"));
	/* Nothing between them: all of it counts. */
	assert_int_not_equal(slot("foo{}{bar}"), slot("bar"));
	assert_int_not_equal(slot("foo{}{bar}"), slot(""));
	/* Up to the first that closes. */
	assert_int_equal(slot("foo{{bar}}zap"), slot("{bar"));
	assert_int_equal(slot("foo{bar}{zap}"), slot("bar"));
	assert_int_not_equal(slot("}foo{"), slot("foo"));
}

/* -- maps -- */

static struct redis_slots map;
static const char *why;

static int
parse(const char *text, const char *self)
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;
	int rc;

	assert_int_equal(redisReaderFeed(reader, text, strlen(text)),
	    REDIS_OK);
	assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
	assert_non_null(reply);
	why = "";
	rc = redis_slots_parse(&map, reply, self, &why);
	freeReplyObject(reply);
	redisReaderFree(reader);
	return rc;
}

#define NODE(ip, port) "*3\r\n" ip "\r\n:" port "\r\n$2\r\nid\r\n"
#define IP1 "$9\r\n127.0.0.1"
#define IP2 "$9\r\n127.0.0.2"

/* Three ranges of two masters, the first with a replica. */
static void
a_map(void **state)
{
	(void)state;
	assert_int_equal(parse("*3\r\n"
	    "*4\r\n:0\r\n:5460\r\n" NODE(IP1, "7000") NODE(IP1, "7003")
	    "*3\r\n:5461\r\n:16382\r\n" NODE(IP2, "7000")
	    "*3\r\n:16383\r\n:16383\r\n" NODE(IP1, "7000"), "h"), 0);
	assert_int_equal(map.nnodes, 2);
	assert_int_equal(map.nowned, REDIS_SLOTS);
	assert_string_equal(map.nodes[0].host, "127.0.0.1");
	assert_int_equal(map.nodes[0].port, 7000);
	assert_string_equal(map.nodes[1].host, "127.0.0.2");
	assert_int_equal(map.owner[0], 0);
	assert_int_equal(map.owner[5460], 0);
	assert_int_equal(map.owner[5461], 1);
	assert_int_equal(map.owner[16382], 1);
	assert_int_equal(map.owner[16383], 0);
	redis_slots_free(&map);
}

static void
a_map_with_a_hole(void **state)
{
	(void)state;
	assert_int_equal(parse("*1\r\n*3\r\n:10\r\n:11\r\n"
	    NODE(IP1, "7000"), "h"), 0);
	assert_int_equal(map.nowned, 2);
	assert_int_equal(map.owner[9], REDIS_NOBODY);
	assert_int_equal(map.owner[10], 0);
	assert_int_equal(map.owner[12], REDIS_NOBODY);
	redis_slots_free(&map);
}

/* A node that does not know its own address is the one who was asked. */
static void
an_unknown_address(void **state)
{
	(void)state;
	assert_int_equal(parse("*2\r\n*3\r\n:0\r\n:1\r\n" NODE("$-1", "7000")
	    "*3\r\n:2\r\n:3\r\n" NODE("$0\r\n", "7001"), "seed"), 0);
	assert_string_equal(map.nodes[0].host, "seed");
	assert_string_equal(map.nodes[1].host, "seed");
	assert_int_equal(map.nodes[1].port, 7001);
	redis_slots_free(&map);
	assert_int_equal(parse("*1\r\n*3\r\n:0\r\n:1\r\n" NODE("$-1", "7000"),
	    "/run/redis.sock"), -1);
}

static void
what_is_no_map(void **state)
{
	static const char *const bad[] = {
	    "+OK\r\n", "-ERR no\r\n", ":1\r\n", "$-1\r\n", "*-1\r\n",
	    "*0\r\n", "*1\r\n:1\r\n", "*1\r\n*0\r\n",
	    "*1\r\n*2\r\n:0\r\n:1\r\n",
	    "*1\r\n*3\r\n:0\r\n:1\r\n+x\r\n",
	    "*1\r\n*3\r\n:0\r\n:1\r\n*0\r\n",
	    "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n" IP1 "\r\n",
	    "*1\r\n*3\r\n:-1\r\n:1\r\n" NODE(IP1, "7000"),
	    "*1\r\n*3\r\n:1\r\n:0\r\n" NODE(IP1, "7000"),
	    "*1\r\n*3\r\n:0\r\n:16384\r\n" NODE(IP1, "7000"),
	    "*1\r\n*3\r\n+0\r\n:1\r\n" NODE(IP1, "7000"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n" NODE(IP1, "0"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n" NODE(IP1, "65536"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n" NODE(":1", "7000"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n" NODE("$2\r\n/x", "7000"),
	    "*1\r\n*3\r\n:0\r\n:9223372036854775807\r\n" NODE(IP1, "7000"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i], "h") != -1)
			fail_msg("taken for a map: %s", bad[i]);
		assert_true(strlen(why) > 0);
	}
}

/* More nodes than there can be, and names that are too long. */
static void
too_much(void **state)
{
	static char text[128 * 1024];
	size_t n;
	int i;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "*1001\r\n");
	for (i = 0; i < 1001; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "*3\r\n:%d\r\n:%d\r\n" NODE(IP1, "%d"), i, i, i + 1);
	assert_int_equal(parse(text, "h"), -1);
	n = (size_t)snprintf(text, sizeof(text), "*1\r\n*3\r\n:0\r\n:1\r\n"
	    "*3\r\n$256\r\n");
	memset(text + n, 'x', 256);
	(void)snprintf(text + n + 256, sizeof(text) - n - 256,
	    "\r\n:1\r\n$2\r\nid\r\n");
	assert_int_equal(parse(text, "h"), -1);
}

static void
redirections(void **state)
{
	static const struct {
		const char *said, *host;
		uint32_t port;
	} all[] = {
	    {"MOVED 3999 127.0.0.1:6381", "127.0.0.1", 6381},
	    {"ASK 0 redis-1.test:1", "redis-1.test", 1},
	    {"MOVED 16383 2001:db8::1:65535", "2001:db8::1", 65535},
	    {"MOVED 3999 :6381", "self", 6381},
	    {"MOVED 3999 127.0.0.1:0", NULL, 0},
	    {"MOVED 3999 127.0.0.1:65536", NULL, 0},
	    {"MOVED 3999 127.0.0.1:99999999999999999999", NULL, 0},
	    {"MOVED 3999 127.0.0.1:", NULL, 0},
	    {"MOVED 3999 127.0.0.1:1x", NULL, 0},
	    {"MOVED 3999 /tmp/x:1", NULL, 0},
	    {"MOVED 3999", NULL, 0},
	    {"MOVED ", NULL, 0},
	    {"MOVED", NULL, 0},
	    {"ASKING 1 h:1", NULL, 0},
	    {"ERR MOVED 1 h:1", NULL, 0},
	};
	struct redis_node_addr at;
	redisReply r = {.type = REDIS_REPLY_ERROR};
	char name[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		r.str = (char *)(uintptr_t)all[i].said;
		r.len = strlen(r.str);
		assert_int_equal(redis_redirect_parse(&r, "self", &at),
		    all[i].host != NULL ? 0 : -1);
		if (all[i].host == NULL)
			continue;
		assert_string_equal(at.host, all[i].host);
		assert_int_equal(at.port, all[i].port);
	}
	(void)snprintf(name, sizeof(name), "ASK 1 %0256d:1", 0);
	r.str = name;
	r.len = strlen(name);
	assert_int_equal(redis_redirect_parse(&r, "self", &at), -1);
	r.len--;
	assert_int_equal(redis_redirect_parse(&r, "self", &at), -1);
	r.type = REDIS_REPLY_STRING;
	assert_int_equal(redis_redirect_parse(&r, "self", &at), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(slots_of_keys),
	    cmocka_unit_test(tags),
	    cmocka_unit_test(a_map),
	    cmocka_unit_test(a_map_with_a_hole),
	    cmocka_unit_test(an_unknown_address),
	    cmocka_unit_test(what_is_no_map),
	    cmocka_unit_test(too_much),
	    cmocka_unit_test(redirections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
