/* SPDX-License-Identifier: BSD-2-Clause */
/* A session's document: what is changed in it, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hostd/json_scan.h>
#include "session/content.h"

#define PLAIN	"\"cookie\":{\"originalMaxAge\":null,\"expires\":null," \
	"\"secure\":false,\"httpOnly\":true,\"path\":\"/\"}"
#define LASTING	"\"cookie\":{\"originalMaxAge\":60000," \
	"\"expires\":\"2026-11-21T00:09:37.891Z\",\"secure\":false," \
	"\"httpOnly\":true,\"path\":\"/\",\"sameSite\":\"lax\"}"
#define NOW	1795219717891ll		/* a minute before that */

static char path[] = "/", domain[] = "x.example";
static struct conf_session conf;
static struct content c;

static int
setup(void **state)
{
	(void)state;
	conf = (struct conf_session){ .path = path, .httponly = 1,
		.secure = CONF_SECURE_AUTO, .max_size = 4096,
		.ttl = 86400000 };
	memset(&c, 0, sizeof(c));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	content_free(&c);
	return 0;
}

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static void
is(const char *want)
{
	assert_int_equal(c.text.len, strlen(want));
	assert_memory_equal(c.text.p, want, c.text.len);
	assert_true(hostd_json_ok((hostd_buf){ c.text.p, c.text.len }));
}

static int32_t
try_load(const char *doc)
{
	return content_load(&c, &conf, text(doc), NOW, 0);
}

static void
load(const char *doc)
{
	assert_int_equal(try_load(doc), HOSTD_OK);
	assert_false(content_is_changed(&c));
}

static int32_t
set(const char *key, const char *value)
{
	return content_set(&c, text(key), text(value));
}

static void
del(const char *key)
{
	assert_int_equal(content_del(&c, text(key)), HOSTD_OK);
}

static void
get(const char *key, const char *want)
{
	hostd_buf v;

	assert_int_equal(content_get(&c, text(key), &v),
	    want == NULL ? HOSTD_E_INVAL : HOSTD_OK);
	if (want == NULL)
		return;
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

/* -- new ones -- */

static void
a_new_one(void **state)
{
	(void)state;
	content_start(&c, &conf, NOW, 0);
	is("{" PLAIN "}");
	assert_true(c.is_new);
	assert_false(content_is_changed(&c));
	get("views", NULL);
	assert_int_equal(set("views", "1"), HOSTD_OK);
	is("{" PLAIN ",\"views\":1}");
	assert_true(content_is_changed(&c));
	del("views");
	is("{" PLAIN "}");
	assert_false(content_is_changed(&c));
	assert_int_equal(content_ttl(&c, &conf), 86400000);
	assert_int_equal(content_extend(&c, NOW), -1);
	is("{" PLAIN "}");
}

static void
cookies_as_captured(void **state)
{
	(void)state;
	conf.max_age = 60000;
	conf.samesite = CONF_SAMESITE_LAX;
	content_start(&c, &conf, NOW, 0);
	is("{" LASTING "}");
	assert_int_equal(content_ttl(&c, &conf), 60000);
	conf.secure = CONF_SECURE_ON;
	conf.domain = domain;
	conf.partitioned = 1;
	conf.priority = CONF_PRIORITY_HIGH;
	conf.samesite = CONF_SAMESITE_NONE;
	content_start(&c, &conf, NOW, 0);
	is("{\"cookie\":{\"originalMaxAge\":60000,\"partitioned\":true,"
	    "\"priority\":\"high\",\"expires\":\"2026-11-21T00:09:37.891Z\","
	    "\"secure\":true,\"httpOnly\":true,\"domain\":\"x.example\","
	    "\"path\":\"/\",\"sameSite\":\"none\"}}");
	conf.secure = CONF_SECURE_AUTO;
	content_start(&c, &conf, NOW, 1);
	assert_non_null(memmem(c.text.p, c.text.len, "\"secure\":true", 13));
}

static void
one_that_is_used_again(void **state)
{
	(void)state;
	load("{" LASTING ",\"views\":1}");
	assert_int_equal(set("views", "2"), HOSTD_OK);
	content_start(&c, &conf, NOW, 0);
	is("{" PLAIN "}");
	assert_false(content_is_changed(&c));
	get("views", NULL);
}

/* -- from the store -- */

static void
what_is_no_session(void **state)
{
	static const char *const docs[] = { "", " ", "null", "[]", "1",
		"\"x\"", "{", "{\"cookie\":{}", "{\"cookie\":{}}x", "{a:1}",
		"{\"a\":\"\377\"}" };
	size_t i;

	(void)state;
	load("{" PLAIN ",\"a\":1}");
	for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++)
		assert_int_equal(try_load(docs[i]), HOSTD_E_INVAL);
	is("{" PLAIN ",\"a\":1}");
}

static void
what_has_no_cookie_gets_one(void **state)
{
	(void)state;
	load("{\"views\":1}");
	is("{\"views\":1," PLAIN "}");
	assert_memory_equal(c.loaded.p, "{\"views\":1}", c.loaded.len);
	load("{\"cookie\":null,\"views\":1}");
	is("{" PLAIN ",\"views\":1}");
	load("{}");
	is("{" PLAIN "}");
	/* Node makes do with it. */
	load("{\"cookie\":{}}");
	is("{\"cookie\":{}}");
	assert_int_equal(content_extend(&c, NOW), -1);
	is("{\"cookie\":{}}");
	assert_int_equal(content_ttl(&c, &conf), 86400000);
}

static void
too_large(void **state)
{
	char *doc = malloc(8192);
	size_t n;

	(void)state;
	n = (size_t)sprintf(doc, "{\"a\":\"%05000d\"}", 0);
	assert_int_equal(content_load(&c, &conf, (hostd_buf){ doc, n }, NOW,
	    0), HOSTD_OK);
	/* It may become smaller, not larger. */
	assert_int_equal(set("b", "1"), HOSTD_E_FULL);
	assert_int_equal(set("a", "[1]"), HOSTD_OK);
	assert_int_equal(set("b", "1"), HOSTD_OK);
	n = (size_t)sprintf(doc, "{\"a\":\"%06000d\"}", 0);
	assert_int_equal(content_load(&c, &conf, (hostd_buf){ doc, n }, NOW,
	    0), HOSTD_E_FULL);
	get("b", "1");
	free(doc);
}

/* -- keys -- */

static void
the_rest_stays_byte_for_byte(void **state)
{
	(void)state;
	load(" {\n \"a\" : 1.50 , \"b\":[ 1,2 ]\t,\"cookie\" : { "
	    "\"x\":\"\\u0041\" } , \"\\u0063\":12345678901234567890 }\n ");
	assert_int_equal(set("b", " {\"n\": 1} "), HOSTD_OK);
	is(" {\n \"a\" : 1.50 , \"b\":{\"n\": 1}\t,\"cookie\" : { "
	    "\"x\":\"\\u0041\" } , \"\\u0063\":12345678901234567890 }\n ");
	get("c", "12345678901234567890");
	get("b", "{\"n\": 1}");
	get("a", "1.50");
	get("cookie", "{ \"x\":\"\\u0041\" }");
	del("a");
	is(" {\"b\":{\"n\": 1}\t,\"cookie\" : { \"x\":\"\\u0041\" } , "
	    "\"\\u0063\":12345678901234567890 }\n ");
	del("c");
	is(" {\"b\":{\"n\": 1}\t,\"cookie\" : { \"x\":\"\\u0041\" } }\n ");
	assert_int_equal(set("d\"\n", "null"), HOSTD_OK);
	is(" {\"b\":{\"n\": 1}\t,\"cookie\" : { \"x\":\"\\u0041\" },"
	    "\"d\\\"\\n\":null }\n ");
	get("d\"\n", "null");
}

static void
of_two_of_a_name_the_last_counts(void **state)
{
	(void)state;
	load("{\"a\":1,\"b\":2,\"\\u0061\":3,\"a\":4," PLAIN "}");
	get("a", "4");
	/* Nothing is written that is there already. */
	assert_int_equal(set("a", "4"), HOSTD_OK);
	assert_false(content_is_changed(&c));
	is("{\"a\":1,\"b\":2,\"\\u0061\":3,\"a\":4," PLAIN "}");
	assert_int_equal(set("b", "5"), HOSTD_OK);
	is("{\"a\":1,\"b\":5,\"\\u0061\":3,\"a\":4," PLAIN "}");
	assert_int_equal(set("a", "6"), HOSTD_OK);
	is("{\"a\":6,\"b\":5," PLAIN "}");
	load("{\"a\":1,\"b\":2,\"\\u0061\":3,\"a\":4}");
	del("a");
	get("a", NULL);
	is("{\"b\":2," PLAIN "}");
}

static void
bad_keys_and_values(void **state)
{
	char long_key[CONTENT_KEY_MAX + 2];
	char deep[2 * HOSTD_JSON_DEPTH + 1];

	(void)state;
	load("{" PLAIN "}");
	assert_int_equal(set("", "1"), HOSTD_E_INVAL);
	assert_int_equal(set("cookie", "{}"), HOSTD_E_INVAL);
	assert_int_equal(set("\377", "1"), HOSTD_E_INVAL);
	assert_int_equal(set("a", ""), HOSTD_E_INVAL);
	assert_int_equal(set("a", "1,\"b\":2"), HOSTD_E_INVAL);
	assert_int_equal(set("a", "1}"), HOSTD_E_INVAL);
	assert_int_equal(set("a", "undefined"), HOSTD_E_INVAL);
	del("cookie");
	del("");
	is("{" PLAIN "}");
	memset(long_key, 'k', sizeof(long_key));
	long_key[CONTENT_KEY_MAX + 1] = '\0';
	assert_int_equal(set(long_key, "1"), HOSTD_E_INVAL);
	long_key[CONTENT_KEY_MAX] = '\0';
	assert_int_equal(set(long_key, "1"), HOSTD_OK);
	/* As a whole it could not be loaded again. */
	memset(deep, '[', HOSTD_JSON_DEPTH);
	memset(deep + HOSTD_JSON_DEPTH, ']', HOSTD_JSON_DEPTH);
	assert_int_equal(content_set(&c, text("d"), (hostd_buf){ deep,
	    2 * HOSTD_JSON_DEPTH }), HOSTD_E_INVAL);
	assert_int_equal(content_set(&c, text("d"), (hostd_buf){ deep + 1,
	    2 * HOSTD_JSON_DEPTH - 2 }), HOSTD_OK);
}

static void
names_of_keys(void **state)
{
	struct buf b = { NULL, 0, 0 };

	(void)state;
	load("{" PLAIN ",\"a\":1, \"b\\n\":{\"c\":1}}");
	content_keys(&c, &b);
	assert_memory_equal(b.p, "[\"a\",\"b\\n\"]", b.len);
	b.len = 0;
	load("{}");
	content_keys(&c, &b);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.p, "[]", 2);
	buf_free(&b);
}

/* -- what counts as changed -- */

static void
changed_is_all_but_cookie(void **state)
{
	(void)state;
	load("{\"a\":1," LASTING ",\"b\":2}");
	assert_int_equal(content_extend(&c, NOW + 5000), NOW + 65000);
	assert_false(content_is_changed(&c));
	assert_int_equal(set("a", "2"), HOSTD_OK);
	assert_true(content_is_changed(&c));
	assert_int_equal(set("a", "1"), HOSTD_OK);
	assert_false(content_is_changed(&c));
	del("b");
	assert_true(content_is_changed(&c));
	assert_int_equal(set("b", "2"), HOSTD_OK);
	assert_false(content_is_changed(&c));
	/* Its place counts, for JSON.stringify too. */
	del("a");
	assert_int_equal(set("a", "1"), HOSTD_OK);
	assert_true(content_is_changed(&c));
	content_saving(&c);
	content_saved(&c);
	assert_false(content_is_changed(&c));
	assert_int_equal(set("c", "{}"), HOSTD_OK);
	assert_true(content_is_changed(&c));
	del("none");
}

static void
renewed_is_new(void **state)
{
	(void)state;
	load("{\"a\":1," LASTING "}");
	content_renew(&c, &conf, NOW, 0);
	is("{\"a\":1," PLAIN "}");
	assert_true(c.is_new);
	assert_true(content_is_changed(&c));
	assert_int_equal(c.loaded.len, 0);
	load("{" LASTING "}");
	content_renew(&c, &conf, NOW, 0);
	assert_false(content_is_changed(&c));
	content_saving(&c);
	content_saved(&c);
	assert_false(c.is_new);
}

/* What is set while the store is given the text is not in it. */
static void
changed_while_it_is_saved(void **state)
{
	(void)state;
	load("{\"a\":1," LASTING "}");
	assert_int_equal(set("a", "2"), HOSTD_OK);
	content_saving(&c);
	assert_int_equal(set("a", "3"), HOSTD_OK);
	assert_int_equal(set("b", "1"), HOSTD_OK);
	content_set_max_age(&c, 1000);
	content_saved(&c);
	assert_true(content_is_changed(&c));
	/* Merged is what was set since, and nothing that was saved before. */
	assert_int_equal(content_merge(&c, text("{\"a\":9,\"z\":1," LASTING
	    "}")), HOSTD_OK);
	get("a", "3");
	get("b", "1");
	get("z", "1");
	assert_int_equal(content_ttl(&c, &conf), 1000);
	content_saving(&c);
	content_saved(&c);
	assert_false(content_is_changed(&c));
}

/* One that the store has refused is tried again with all there is. */
static void
changed_while_it_is_refused(void **state)
{
	(void)state;
	load("{\"a\":1," LASTING "}");
	assert_int_equal(set("a", "2"), HOSTD_OK);
	content_set_max_age(&c, 1000);
	content_saving(&c);
	assert_int_equal(set("b", "1"), HOSTD_OK);
	assert_int_equal(content_merge(&c, text("{\"a\":9," LASTING "}")),
	    HOSTD_OK);
	get("a", "2");
	get("b", "1");
	assert_int_equal(content_ttl(&c, &conf), 1000);
}

static void
another_age(void **state)
{
	(void)state;
	load("{\"a\":1," LASTING "}");
	content_set_max_age(&c, 1000);
	assert_true(content_is_changed(&c));
	assert_int_equal(content_extend(&c, NOW), NOW + 1000);
	assert_int_equal(content_ttl(&c, &conf), 1000);
	content_set_max_age(&c, 0);
	assert_int_equal(content_extend(&c, NOW), -1);
	assert_int_equal(content_ttl(&c, &conf), conf.ttl);
}

/* -- how long it lives -- */

static void
extends(const char *doc, int64_t now, int64_t when, const char *want)
{
	load(doc);
	assert_int_equal(content_extend(&c, now), when);
	is(want);
	assert_false(content_is_changed(&c));
}

static void
expires_moves_on(void **state)
{
	(void)state;
	extends("{\"cookie\":{\"expires\":\"2020-01-01T00:00:00.000Z\","
	    "\"x\":[1 ],\"originalMaxAge\":60000},\"a\":1}", NOW, NOW + 60000,
	    "{\"cookie\":{\"expires\":\"2026-11-21T00:09:37.891Z\",\"x\":[1 ],"
	    "\"originalMaxAge\":60000},\"a\":1}");
	/* Of another length, or not there. */
	extends("{\"cookie\":{\"expires\":null,\"originalMaxAge\":6e4}}", NOW,
	    NOW + 60000, "{\"cookie\":{\"expires\":"
	    "\"2026-11-21T00:09:37.891Z\",\"originalMaxAge\":6e4}}");
	extends("{\"cookie\":{\"originalMaxAge\":60000},\"a\":1}", NOW,
	    NOW + 60000, "{\"cookie\":{\"originalMaxAge\":60000,"
	    "\"expires\":\"2026-11-21T00:09:37.891Z\"},\"a\":1}");
	extends("{\"cookie\":{\"originalMaxAge\":null,"
	    "\"expires\":\"2026-11-21T00:09:37.891Z\"}}", NOW, -1,
	    "{\"cookie\":{\"originalMaxAge\":null,\"expires\":null}}");
	extends("{\"cookie\":{\"expires\":1}}", NOW, -1,
	    "{\"cookie\":{\"expires\":null}}");
	/* Beyond what a Date can be, and beyond four digits of a year. */
	extends("{\"cookie\":{\"originalMaxAge\":8640000000000000,"
	    "\"expires\":null}}", NOW, -1, "{\"cookie\":"
	    "{\"originalMaxAge\":8640000000000000,\"expires\":null}}");
	extends("{\"cookie\":{\"originalMaxAge\":253402300800000,"
	    "\"expires\":null}}", 1, 253402300800001, "{\"cookie\":"
	    "{\"originalMaxAge\":253402300800000,"
	    "\"expires\":\"+010000-01-01T00:00:00.001Z\"}}");
	/* Nothing that Node would take for a time. */
	extends("{\"cookie\":{\"originalMaxAge\":\"60000\",\"expires\":null}}",
	    NOW, -1,
	    "{\"cookie\":{\"originalMaxAge\":\"60000\",\"expires\":null}}");
}

static void
ttl_is_max_age_or_ours(void **state)
{
	(void)state;
	load("{" LASTING "}");
	assert_int_equal(content_ttl(&c, &conf), 60000);
	load("{" PLAIN "}");
	assert_int_equal(content_ttl(&c, &conf), 86400000);
	load("{\"cookie\":{\"originalMaxAge\":0}}");
	assert_int_equal(content_ttl(&c, &conf), 0);
	load("{\"cookie\":{\"originalMaxAge\":-5}}");
	assert_int_equal(content_ttl(&c, &conf), -5);
}

/* -- merging -- */

static void
merges(const char *newer, const char *want)
{
	assert_int_equal(content_merge(&c, text(newer)), HOSTD_OK);
	is(want);
	assert_int_equal(c.loaded.len, strlen(newer));
	assert_memory_equal(c.loaded.p, newer, c.loaded.len);
}

static void
changes_of_two_are_merged(void **state)
{
	(void)state;
	load("{" PLAIN ",\"a\":1,\"b\":2,\"c\":3}");
	assert_int_equal(set("a", "10"), HOSTD_OK);
	assert_int_equal(set("n", "\"new\""), HOSTD_OK);
	del("c");
	merges("{" LASTING ",\"a\":1, \"b\":20,\"c\":3,\"m\":[ ]}",
	    "{" LASTING ",\"a\":10, \"b\":20,\"m\":[ ],\"n\":\"new\"}");
	assert_true(content_is_changed(&c));
	/* Once more, as somebody was faster again. */
	merges("{" LASTING ",\"a\":7,\"n\":0}",
	    "{" LASTING ",\"a\":10,\"n\":\"new\"}");
	/* The other has done the same. */
	merges("{" LASTING ",\"a\":10,\"n\":\"new\"}",
	    "{" LASTING ",\"a\":10,\"n\":\"new\"}");
	assert_false(content_is_changed(&c));
}

static void
what_was_changed_back_is_not_ours(void **state)
{
	(void)state;
	load("{" PLAIN ",\"a\":1}");
	assert_int_equal(set("a", "2"), HOSTD_OK);
	assert_int_equal(set("a", "1"), HOSTD_OK);
	assert_int_equal(set("b", "1"), HOSTD_OK);
	merges("{" PLAIN ",\"a\":9}", "{" PLAIN ",\"a\":9,\"b\":1}");
}

static void
what_can_not_be_merged(void **state)
{
	char *doc = malloc(8192);
	size_t n;

	(void)state;
	load("{" PLAIN ",\"a\":1}");
	assert_int_equal(set("a", "22"), HOSTD_OK);
	assert_int_equal(content_merge(&c, text("{\"a\":")), HOSTD_E_INVAL);
	assert_int_equal(content_merge(&c, text("")), HOSTD_E_INVAL);
	n = (size_t)sprintf(doc, "{\"b\":\"%04080d\"}", 0);
	assert_int_equal(content_merge(&c, (hostd_buf){ doc, n }),
	    HOSTD_E_FULL);
	n = (size_t)sprintf(doc, "{\"b\":\"%06000d\"}", 0);
	assert_int_equal(content_merge(&c, (hostd_buf){ doc, n }),
	    HOSTD_E_FULL);
	free(doc);
	is("{" PLAIN ",\"a\":22}");
	assert_true(content_is_changed(&c));
	/* Without a cookie it gets ours. */
	merges("{\"b\":1}", "{\"b\":1,\"a\":22," PLAIN "}");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_one),
		CASE(cookies_as_captured),
		CASE(one_that_is_used_again),
		CASE(what_is_no_session),
		CASE(what_has_no_cookie_gets_one),
		CASE(too_large),
		CASE(the_rest_stays_byte_for_byte),
		CASE(of_two_of_a_name_the_last_counts),
		CASE(bad_keys_and_values),
		CASE(names_of_keys),
		CASE(changed_is_all_but_cookie),
		CASE(renewed_is_new),
		CASE(changed_while_it_is_saved),
		CASE(changed_while_it_is_refused),
		CASE(another_age),
		CASE(expires_moves_on),
		CASE(ttl_is_max_age_or_ours),
		CASE(changes_of_two_are_merged),
		CASE(what_was_changed_back_is_not_ours),
		CASE(what_can_not_be_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
