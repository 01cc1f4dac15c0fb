/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of Socket.IO: what the reference takes, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "socketio/old_packet.h"
#include "socketio/packet.h"

static struct sio_values values;
static struct sio_packet packet;
static const char *why;

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static int
parse(const char *s)
{
	why = NULL;
	return sio_packet_parse(text(s), 10, &packet, &values, &why);
}

static void
assert_buf(hostd_buf b, const char *want)
{
	if (b.n != strlen(want) || memcmp(b.p, want, b.n) != 0)
		fail_msg("%.*s in place of %s", (int)b.n, (const char *)b.p,
		    want);
}

static void
taken(const char *s, enum sio_type type, const char *nsp, int64_t id,
    uint32_t nbins, const char *data)
{
	if (parse(s) == -1)
		fail_msg("%s: %s", s, why);
	assert_int_equal(packet.type, type);
	assert_buf(packet.nsp, nsp);
	assert_int_equal(packet.has_id, id >= 0);
	if (id >= 0)
		assert_int_equal(packet.id, id);
	assert_int_equal(packet.nbins, nbins);
	assert_buf(packet.data, data);
}

static void
packets_of_the_reference_are_read(void **state)
{
	(void)state;
	taken("0", SIO_CONNECT, "/", -1, 0, "");
	taken("0{\"token\":\"abc\"}", SIO_CONNECT, "/", -1, 0,
	    "{\"token\":\"abc\"}");
	taken("0/admin,{\"token\":\"123\"}", SIO_CONNECT, "/admin", -1, 0,
	    "{\"token\":\"123\"}");
	taken("0/chat", SIO_CONNECT, "/chat", -1, 0, "");
	taken("0/chat,", SIO_CONNECT, "/chat", -1, 0, "");
	taken("0/chat?token=1,", SIO_CONNECT, "/chat?token=1", -1, 0, "");
	taken("05", SIO_CONNECT, "/", 5, 0, "");
	taken("1", SIO_DISCONNECT, "/", -1, 0, "");
	taken("1/admin,", SIO_DISCONNECT, "/admin", -1, 0, "");
	taken("20[\"hello\",\"w\303\266rld\"]", SIO_EVENT, "/", 0, 0,
	    "[\"hello\",\"w\303\266rld\"]");
	taken("2/admin,0[\"ack me\",1]", SIO_EVENT, "/admin", 0, 0,
	    "[\"ack me\",1]");
	taken("2007[\"a\"]", SIO_EVENT, "/", 7, 0, "[\"a\"]");
	taken("29007199254740991[\"a\"]", SIO_EVENT, "/", 9007199254740991, 0,
	    "[\"a\"]");
	taken("2 [\"a\"]\n", SIO_EVENT, "/", -1, 0, " [\"a\"]\n");
	taken("30[]", SIO_ACK, "/", 0, 0, "[]");
	taken("3[]", SIO_ACK, "/", -1, 0, "[]");
	taken("3/admin,12[\"ok\",1]", SIO_ACK, "/admin", 12, 0, "[\"ok\",1]");
	taken("51-1[\"bin\",{\"_placeholder\":true,\"num\":0}]", SIO_EVENT, "/",
	    1, 1, "[\"bin\",{\"_placeholder\":true,\"num\":0}]");
	taken("61-1[{\"_placeholder\":true,\"num\":0}]", SIO_ACK, "/", 1, 1,
	    "[{\"_placeholder\":true,\"num\":0}]");
	taken("510-/a,[\"b\"]", SIO_EVENT, "/a", -1, 10, "[\"b\"]");
	/* Without data, as the reference tolerates it. */
	taken("2", SIO_EVENT, "/", -1, 0, "");
	taken("31", SIO_ACK, "/", 1, 0, "");
}

static void
invalid_ones_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "7", "9", "a", "-", " ", "4", "4{\"message\":\"x\"}",
		"0null", "0[]", "0\"x\"", "0{", "0{\"a\":1", "01{]", "0{}x",
		"2[]", "2{}", "2\"a\"", "2[\"a\"", "2[\"a\",]", "2[\"a\"]x",
		"2[\"a\"][\"b\"]", "2[null]", "2[true]", "2[{}]", "2[[]]",
		"2[\"connect\"]", "2[\"connect_error\"]", "2[\"disconnect\"]",
		"2[\"disconnecting\",1]", "2[\"newListener\"]",
		"2[\"removeListener\"]", "2[\"\\u0063onnect\"]",
		"2abc[\"a\"]", "2-1[\"a\"]", "21.5[\"a\"]", "2/a,x",
		"29007199254740992[\"a\"]", "299999999999999999999999[\"a\"]",
		"3{}", "3\"a\"", "3null", "3abc[]", "30[", "30]",
		"1{}", "1null", "1/a,[]",
		"5[\"a\"]", "5-[\"a\"]", "51[\"a\"]", "5-1-[\"a\"]",
		"51.5-[\"a\"]", "50-[\"a\"]", "511-[\"a\"]", "5", "51", "6",
		"5a-[\"a\"]", "599999999999999999999-[\"a\"]",
		"2[\"a\",\"\n\"]", "2[\"a\" \"b\"]", "2[\"a\",NaN]" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i]) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

static void
elements_are_told(void **state)
{
	char many[3 * 500 + 8], *p = many;
	int i;

	(void)state;
	assert_int_equal(parse("2[ \"a\" , {\"x\":[1,2]},[ ],\"],\\\"\" ]"), 0);
	assert_int_equal(values.n, 4);
	assert_buf(values.v[0], "\"a\"");
	assert_buf(values.v[1], "{\"x\":[1,2]}");
	assert_buf(values.v[2], "[ ]");
	assert_buf(values.v[3], "\"],\\\"\"");
	assert_int_equal(parse("3[ ]"), 0);
	assert_int_equal(values.n, 0);
	assert_int_equal(parse("2[1.5]"), 0);
	assert_buf(values.v[0], "1.5");
	p += sprintf(p, "2[0");
	for (i = 0; i < 500; i++)
		p += sprintf(p, ",%d", i % 10);
	(void)sprintf(p, "]");
	assert_int_equal(parse(many), 0);
	assert_int_equal(values.n, 501);
	assert_buf(values.v[500], "9");
}

static void
nesting_has_a_limit(void **state)
{
	char s[2 + 2 * 66 + 8];
	int depth;

	(void)state;
	for (depth = 64; depth <= 65; depth++) {
		memcpy(s, "2[\"a\",", 6);
		memset(s + 6, '[', (size_t)depth - 1);
		memset(s + 5 + depth, ']', (size_t)depth);
		s[5 + 2 * depth] = '\0';
		assert_int_equal(parse(s), depth == 64 ? 0 : -1);
	}
}

static void
placeholders(void **state)
{
	static const struct { const char *json; int ok; } rows[] = {
		{ "[]", 1 }, { "{}", 1 }, { "1", 1 }, { "null", 1 },
		{ "[\"a\",{\"_placeholder\":true,\"num\":0}]", 1 },
		{ "{\"num\":1,\"_placeholder\":true}", 1 },
		{ "[{\"x\":[{\"_placeholder\":true,\"num\":1}]}]", 1 },
		{ "[{\"_placeholder\":true,\"num\":2}]", 0 },
		{ "[{\"_placeholder\":true,\"num\":-1}]", 0 },
		{ "[{\"_placeholder\":true,\"num\":0.5}]", 0 },
		{ "[{\"_placeholder\":true,\"num\":\"0\"}]", 0 },
		{ "[{\"_placeholder\":true,\"num\":null}]", 0 },
		{ "[{\"_placeholder\":true}]", 0 },
		{ "[{\"_placeholder\":true,\"num\":1e99}]", 0 },
		{ "{\"a\":{\"b\":[1,{\"_placeholder\":true,\"num\":7}]}}", 0 },
		{ "[{\"_placeholder\":true,\"num\":0,\"num\":9}]", 0 },
		{ "[{\"\\u005fplaceholder\":true,\"num\":9}]", 0 },
		{ "[{\"_placeholder\":false,\"num\":9}]", 1 },
		{ "[{\"_placeholder\":\"true\",\"num\":9}]", 1 },
		{ "[{\"num\":9}]", 1 },
		{ " [ { \"_placeholder\" : true , \"num\" : 1 } , [ ] ] ", 1 },
		{ "{\"x\":{\"_placeholder\":true,\"num\":9},\"y\":{"
		    "\"_placeholder\":true,\"num\":0}}", 0 },
		{ "{\"x\":{\"_placeholder\":true,\"num\":9},"
		    "\"_placeholder\":true,\"num\":0}", 1 },
		{ "[{\"_placeholder\":true,\"num\":9},{\"x\":[],"
		    "\"_placeholder\":true,\"num\":0}]", 0 },
		{ "[\"{\\\"_placeholder\\\":true}\"]", 1 }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sio_placeholders_ok(text(rows[i].json), 2) != rows[i].ok)
			fail_msg("%s", rows[i].json);
}

static void
written(enum sio_type type, uint32_t nbins, const char *nsp, int64_t id,
    const char *want)
{
	char room[SIO_HEAD_MAX + 64];
	uint64_t n = (uint64_t)id;

	assert_buf((hostd_buf){ room, sio_head_write(room, type, nbins,
	    text(nsp), id < 0 ? NULL : &n) }, want);
}

static void
heads_are_written(void **state)
{
	(void)state;
	written(SIO_CONNECT, 0, "/", -1, "0");
	written(SIO_CONNECT, 0, "", -1, "0");
	written(SIO_CONNECT, 0, "/admin", -1, "0/admin,");
	written(SIO_DISCONNECT, 0, "/b", -1, "1/b,");
	written(SIO_EVENT, 0, "/", 0, "20");
	written(SIO_EVENT, 0, "/a", 12, "2/a,12");
	written(SIO_ACK, 0, "/", 9007199254740991, "39007199254740991");
	written(SIO_BINARY_EVENT, 1, "/", 1, "51-1");
	written(SIO_BINARY_ACK, 10, "/a", 0, "610-/a,0");
	written(SIO_BINARY_EVENT, UINT32_MAX, "/a", INT64_MAX,
	    "54294967295-/a,9223372036854775807");
}

static int
end(void **state)
{
	(void)state;
	sio_values_free(&values);
	return 0;
}

static void
assert_query(const char *nsp, const char *name, const char *query)
{
	hostd_buf b = text(nsp), q = old_query(&b);

	assert_int_equal(b.n, strlen(name));
	assert_memory_equal(b.p, name, b.n);
	assert_int_equal(q.n, strlen(query));
	if (q.n > 0)
		assert_memory_equal(q.p, query, q.n);
}

static void
namespaces_with_a_query(void **state)
{
	(void)state;
	assert_query("/", "/", "");
	assert_query("/chat", "/chat", "");
	assert_query("/chat?", "/chat", "");
	assert_query("/chat?a=b&c", "/chat", "a=b&c");
	assert_query("/chat?a?b", "/chat", "a?b");
	assert_query("/chat?a#b?c", "/chat", "a");
	assert_query("/chat#?a", "/chat", "");
}

static void
assert_refusal(const char *message, const char *data, const char *want)
{
	struct hostd_json j = { NULL, 0, 0, 0 };
	hostd_buf b;

	old_refusal(&j, text(message), text(data));
	b = hostd_json_done(&j);
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	hostd_json_free(&j);
}

static void
refusals_of_socket_io_2(void **state)
{
	(void)state;
	assert_refusal("no \"", "", "\"no \\\"\"");
	assert_refusal("no", "{\"a\":1}", "{\"a\":1}");
	assert_refusal("no", "true", "true");
	assert_refusal("no", "7", "7");
	assert_refusal("no", "0", "\"no\"");
	assert_refusal("no", "-0.0", "\"no\"");
	assert_refusal("no", "null", "\"no\"");
	assert_refusal("no", "false", "\"no\"");
	assert_refusal("no", "\"\"", "\"no\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_the_reference_are_read),
		cmocka_unit_test(invalid_ones_are_refused),
		cmocka_unit_test(elements_are_told),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(placeholders),
		cmocka_unit_test(heads_are_written),
		cmocka_unit_test(namespaces_with_a_query),
		cmocka_unit_test(refusals_of_socket_io_2),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
