/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON and MessagePack: what notepack.io writes, and what it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <socketio_redis/pack.h>
#include <socketio_redis/unpack.h>

static const hostd_buf bins[] = { { "\x01\x02\x03", 3 }, { "", 0 } };

static int
pack(const char *json, char *hex)
{
	hostd_buf b = { json, strlen(json) };
	msgpack_sbuffer to;
	size_t i;
	int rc;

	msgpack_sbuffer_init(&to);
	rc = pack_json(&to, b, bins, 2);
	hex[0] = '\0';
	for (i = 0; i < to.size && i < 400; i++)
		(void)sprintf(hex + 2 * i, "%02x", (unsigned char)to.data[i]);
	msgpack_sbuffer_destroy(&to);
	return rc;
}

static void
assert_packed(const char *json, const char *want)
{
	char hex[1024];

	if (pack(json, hex) != 0)
		fail_msg("%s is refused", json);
	assert_string_equal(hex, want);
}

static void
assert_not_packed(const char *json)
{
	char hex[1024];

	if (pack(json, hex) == 0)
		fail_msg("%s is taken", json);
}

/* From a heap block without room behind it. */
static int
unpack(struct unpacked *u, const char *hex)
{
	size_t n = strlen(hex) / 2, i;
	char *copy = malloc(n > 0 ? n : 1);
	hostd_buf message = { copy, n };
	unsigned byte;
	int rc;

	assert_non_null(copy);
	for (i = 0; i < n; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		copy[i] = (char)byte;
	}
	memset(u, 0, sizeof(*u));
	rc = unpack_json(u, message);
	free(copy);
	return rc;
}

static void
assert_unpacked(const char *hex, const char *want)
{
	struct unpacked u;
	hostd_buf json;

	if (unpack(&u, hex) != 0)
		fail_msg("%s is refused", hex);
	json = hostd_json_done(&u.json);
	assert_int_equal(json.n, strlen(want));
	assert_memory_equal(json.p, want, json.n);
	unpacked_free(&u);
}

static void
assert_not_unpacked(const char *hex)
{
	struct unpacked u;

	if (unpack(&u, hex) == 0)
		fail_msg("%s is taken", hex);
	unpacked_free(&u);
}

static void
integers_are_as_short_as_can_be(void **state)
{
	(void)state;
	assert_packed("0", "00");
	assert_packed("127", "7f");
	assert_packed("128", "cc80");
	assert_packed("256", "cd0100");
	assert_packed("65536", "ce00010000");
	assert_packed("4294967296", "cf0000000100000000");
	assert_packed("-32", "e0");
	assert_packed("-33", "d0df");
	assert_packed("-129", "d1ff7f");
	assert_packed("-32769", "d2ffff7fff");
	assert_packed("-2147483649", "d3ffffffff7fffffff");
}

static void
numbers_are_those_of_javascript(void **state)
{
	(void)state;
	assert_packed("5.0", "05");
	assert_packed("5e0", "05");
	assert_packed("-0", "00");
	assert_packed("0.5", "cb3fe0000000000000");
	assert_packed("1e20", "cb4415af1d78b58c40");
	assert_packed("1e999", "cb7ff0000000000000");
}

static void
values_and_containers(void **state)
{
	(void)state;
	assert_packed("[null,true,false]", "93c0c3c2");
	assert_packed(" { \"n\" : 1 } ", "81a16e01");
	assert_packed("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
	    "9f000000000000000000000000000000");
	assert_packed("[[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],1]",
	    "92dc00100000000000000000000000000000000001");
	assert_packed("\"h\\u00e9\\ud83d\\ude00\\n\"", "a868c3a9f09f98800a");
	assert_packed("\"0123456789012345678901234567890\"",
	    "bf30313233343536373839303132333435363738393031323334353637383930");
	assert_packed("\"01234567890123456789012345678901\"", "d9203031323334"
	    "35363738393031323334353637383930313233343536373839"
	    "3031");
}

static void
placeholders_are_data(void **state)
{
	(void)state;
	assert_packed("[{\"_placeholder\":true,\"num\":0},"
	    "{ \"num\" : 1, \"_placeholder\" : true }]",
	    "92c403010203c400");
	/* Nothing has that number, so it is an object like others. */
	assert_packed("{\"_placeholder\":true,\"num\":2}",
	    "82ac5f706c616365686f6c646572c3a36e756d02");
	assert_unpacked("81a162c4020909",
	    "{\"b\":{\"_placeholder\":true,\"num\":0}}");
}

static void
what_is_no_json_is_refused(void **state)
{
	(void)state;
	assert_not_packed("");
	assert_not_packed("[1");
	assert_not_packed("{\"a\"");
	assert_not_packed("{\"a\":}");
	assert_not_packed("{a:1}");
	assert_not_packed("nul");
	assert_not_packed("1 2");
}

static void
captured_broadcast(void **state)
{
	(void)state;
	assert_unpacked("93a677504c57563983a47479706502a46461746193a76d657373"
	    "616765a2686981a16e01a36e7370a12f83a5726f6f6d7390a66578636570"
	    "7490a5666c61677380",
	    "[\"wPLWV9\",{\"type\":2,\"data\":[\"message\",\"hi\","
	    "{\"n\":1}],\"nsp\":\"/\"},{\"rooms\":[],\"except\":[],"
	    "\"flags\":{}}]");
}

static void
every_form_is_read(void **state)
{
	(void)state;
	assert_unpacked("94d90161dc000101ca3f000000cb7ff8000000000000",
	    "[\"a\",[1],0.5,null]");
	assert_unpacked("8201a16102c3", "{\"1\":\"a\",\"2\":true}");
	assert_unpacked("cfffffffffffffffff", "18446744073709551615");
	assert_unpacked("cb8000000000000000", "0");
	assert_unpacked("a3ff41c3", "\"\xef\xbf\xbd" "A\xef\xbf\xbd\"");
}

static void
times_are_texts(void **state)
{
	(void)state;
	assert_unpacked("d7ff1d5353006553f100",
	    "\"2023-11-14T22:13:20.123Z\"");
	assert_unpacked("d6ff6553f100", "\"2023-11-14T22:13:20.000Z\"");
	assert_unpacked("c70cff00000000ffffffffffffffff",
	    "\"1969-12-31T23:59:59.000Z\"");
	assert_unpacked("d7000000018bcfe5687b",
	    "\"2023-11-14T22:13:20.123Z\"");
	assert_unpacked("c70cff000000007fffffffffffffff", "null");
	assert_unpacked("d40000", "null");
	assert_unpacked("d40507", "[5,{\"_placeholder\":true,\"num\":0}]");
}

static void
garbage_is_refused(void **state)
{
	(void)state;
	assert_not_unpacked("");
	assert_not_unpacked("c1");
	assert_not_unpacked("0101");		/* something behind it */
	assert_not_unpacked("92");
	assert_not_unpacked("ddffffffff00");
	assert_not_unpacked("dfffffffff00");
	assert_not_unpacked("dbffffffff41");
	assert_not_unpacked("c6ffffffff41");
	assert_not_unpacked("c9ffffffff0041");
	assert_not_unpacked("81900f");		/* a list is no name */
	assert_not_unpacked("81c40001");
}

static void
depth_is_limited(void **state)
{
	char text[2 * (MESSAGE_DEPTH + 1) + 3], hex[1024];

	(void)state;
	memset(text, '[', PACK_DEPTH);
	memset(text + PACK_DEPTH, ']', PACK_DEPTH);
	text[2 * PACK_DEPTH] = '\0';
	assert_int_equal(pack(text, hex), 0);
	memset(text, '[', PACK_DEPTH + 1);
	memset(text + PACK_DEPTH + 1, ']', PACK_DEPTH + 1);
	text[2 * PACK_DEPTH + 2] = '\0';
	assert_not_packed(text);
	memset(hex, '9', sizeof(hex));
	for (size_t i = 0; i < MESSAGE_DEPTH; i++)
		memcpy(hex + 2 * i, "91", 2);
	(void)strcpy(hex + 2 * (size_t)MESSAGE_DEPTH, "90");
	assert_not_unpacked(hex);
	(void)strcpy(hex + 2 * (size_t)MESSAGE_DEPTH, "01");
	memset(text, '[', MESSAGE_DEPTH);
	text[MESSAGE_DEPTH] = '1';
	memset(text + MESSAGE_DEPTH + 1, ']', MESSAGE_DEPTH);
	text[2 * MESSAGE_DEPTH + 1] = '\0';
	assert_unpacked(hex, text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_as_short_as_can_be),
		cmocka_unit_test(numbers_are_those_of_javascript),
		cmocka_unit_test(values_and_containers),
		cmocka_unit_test(placeholders_are_data),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(captured_broadcast),
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(times_are_texts),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(depth_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
