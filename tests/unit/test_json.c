/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON that is looked at where it lies, beside what jansson says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include <hostd/json.h>
#include <hostd/json_write.h>
#include "base/buf.h"

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static int
is_value(const char *s)
{
	return hostd_json_ok(text(s));
}

static void
values_of_each_type(void **state)
{
	static const char *const good[] = { "null", "true", "false", "0", "-0",
		"10", "-1.5e+10", "1E-2", "1e5", "0.25", "\"\"", "\"a\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\x7f\"",
		"\"\303\251\360\237\230\200\"", "{}", "[]", " [ ] ", "\t{\r\n}",
		"[1,2,[3]]", "{\"a\":1,\"a\":2}", "{ \"\" : [ { } ] }",
		"123456789012345678901234567890", "1e999",
		"\"\\u0000\"", "\"\\ud800\"", "\"\\udc00x\"" };
	static const char *const bad[] = { "", " ", "nul", "nulll", "True",
		"+1", "01", "-", "-01", "1.", ".5", "1e", "1e+", "0x1", "1 2",
		"\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u123g\"",
		"\"\n\"", "\"\x01\"", "'a'", "{", "}", "[", "]", "[1,]",
		"[,1]", "[1 2]", "[[1]", "[1]]", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{,}", "{a:1}", "{1:1}", "{\"a\" 1}", "[1}",
		"{\"a\":1]", "NaN", "Infinity", "undefined", "\"\\", "[\"",
		"\"\200\"", "\"\303\"", "\"\300\200\"", "\"\355\240\200\"",
		"\357\273\277{}", "//a\n1", "\f1", "\302\2401", "\"a\"\"b\"" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!is_value(good[i]))
			fail_msg("refused: %s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_value(bad[i]))
			fail_msg("taken: %s", bad[i]);
	assert_false(hostd_json_ok((hostd_buf){ "\"a\0b\"", 5 }));
	assert_false(hostd_json_ok((hostd_buf){ "1\0", 2 }));
	assert_true(hostd_json_ok((hostd_buf){ "12", 1 }));
}

static void
what_it_is(void **state)
{
	(void)state;
	assert_true(hostd_json_is_object(text(" {\"a\":1} ")));
	assert_true(hostd_json_is_array(text("[]")));
	assert_true(hostd_json_is_string(text("\"\"")));
	assert_true(hostd_json_is_number(text("-1")));
	assert_true(hostd_json_is_number(text("0.5")));
	assert_true(hostd_json_is(text("null"), "null"));
	assert_false(hostd_json_is(text("nul"), "null"));
	assert_false(hostd_json_is((hostd_buf){ NULL, 0 }, ""));
	assert_false(hostd_json_is_object(text("[]")));
	assert_int_equal(hostd_json_first(text("  ")), 0);
	assert_int_equal(hostd_json_first((hostd_buf){ NULL, 0 }), 0);
	assert_false(hostd_json_ok((hostd_buf){ NULL, 0 }));
}

static size_t
nest(char *p, unsigned depth)
{
	memset(p, '[', depth);
	memset(p + depth, ']', depth);
	return 2 * (size_t)depth;
}

static int
may_be_within(const char *p, size_t n, unsigned depth)
{
	return hostd_json_scan(p, p + n, depth) == p + n;
}

static void
nesting_has_a_limit(void **state)
{
	char p[2 * (HOSTD_JSON_DEPTH + 2)];

	(void)state;
	assert_true(may_be_within(p, nest(p, HOSTD_JSON_DEPTH), 0));
	assert_false(may_be_within(p, nest(p, HOSTD_JSON_DEPTH + 1), 0));
	assert_true(may_be_within(p, nest(p, HOSTD_JSON_DEPTH - 1), 1));
	assert_false(may_be_within(p, nest(p, HOSTD_JSON_DEPTH), 1));
	/* Side by side is not deep. */
	assert_true(is_value("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
	    "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
	    "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
	    "[],[],[],[],[],[],[],[]]"));
}

static void
says(const char *string, const char *bytes)
{
	char room[64];
	size_t n = strlen(bytes);

	assert_true(hostd_json_says(text(string), text(bytes)));
	assert_int_equal(hostd_json_text(text(string), room, strlen(string)),
	    n);
	assert_memory_equal(room, bytes, n + 1);
	assert_int_equal(hostd_json_text(text(string), room, n + 1), n);
	assert_int_equal(hostd_json_text(text(string), room, n), -1);
}

static void
strings_say(void **state)
{
	(void)state;
	says("\"\"", "");
	says("\"user\"", "user");
	says("\"us\\u0065r\"", "user");
	says("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	says("\"\\u00e9\"", "\303\251");
	says("\"\\u20AC\"", "\342\202\254");
	says("\"\\ud83d\\ude00\"", "\360\237\230\200");
	/* Halves of pairs are no UTF-8, so no key that is asked for. */
	says("\"\\ud83d\"", "\355\240\275");
	says("\"\\ud83d\\u0041\"", "\355\240\275A");
	says("\"\\ude00\\ud83d\"", "\355\270\200\355\240\275");
	assert_false(hostd_json_says(text("\"user\""), text("use")));
	assert_false(hostd_json_says(text("\"use\""), text("user")));
	assert_false(hostd_json_says(text("\"\\n\""), text("\\n")));
	assert_true(hostd_json_says(text("\"a\\u0000b\""),
	    (hostd_buf){ "a\0b", 3 }));
}

static void
quoted(const char *bytes, size_t n, const char *want)
{
	hostd_buf b = { bytes, n };
	char room[64];

	assert_int_equal(hostd_json_quoted(b), strlen(want));
	assert_int_equal(hostd_json_quote(room, b), strlen(want));
	assert_memory_equal(room, want, strlen(want));
}

static void
strings_are_written_as_by_stringify(void **state)
{
	(void)state;
	quoted("", 0, "\"\"");
	quoted("a/b\177", 4, "\"a/b\177\"");
	quoted("\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	quoted("\0\1\037", 3, "\"\\u0000\\u0001\\u001f\"");
	quoted("\303\251", 2, "\"\303\251\"");
}

static void
got(const char *object, const char *key, const char *want)
{
	hostd_buf v = hostd_json_find(text(object), text(key));

	if (want == NULL) {
		assert_null(v.p);
		return;
	}
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

static void
members_are_found(void **state)
{
	static const char o[] = " { \"a\" : 1 , "
	    "\"b\":\"}\\\"{\",\"c\":[{\"a\":9}],\"\":null,\"a\":{ \"x\" : [ ] "
	    "} ,\"\\u0064\":true } ";

	(void)state;
	assert_true(is_value(o));
	got(o, "a", "{ \"x\" : [ ] }");
	got(o, "b", "\"}\\\"{\"");
	got(o, "c", "[{\"a\":9}]");
	got(o, "", "null");
	got(o, "d", "true");
	got(o, "x", NULL);
	got("{}", "a", NULL);
	got(" { } ", "", NULL);
	got("{\"a\":-1.5e3}", "a", "-1.5e3");
}

static void
items_are_found(void **state)
{
	hostd_buf list = text(" [ 1 , \"],\\\"[\" ,[2,3],{\"a\":[ ]} ] ");
	struct hostd_json_walk w = hostd_json_walk(list);
	static const char *const want[] = { "1", "\"],\\\"[\"", "[2,3]",
		"{\"a\":[ ]}" };
	hostd_buf v;
	uint32_t i;

	(void)state;
	assert_true(hostd_json_ok(list));
	for (i = 0; hostd_json_next(&w, &v); i++) {
		assert_true(i < 4);
		assert_true(hostd_json_is(v, want[i]));
		assert_true(hostd_json_is(hostd_json_item(list, i), want[i]));
	}
	assert_int_equal(i, 4);
	assert_null(hostd_json_item(list, 4).p);
	assert_null(hostd_json_item(text("[]"), 0).p);
	assert_null(hostd_json_item(text("{\"a\":1}"), 0).p);
	assert_null(hostd_json_get(text("[1]"), "a").p);
	assert_null(hostd_json_get((hostd_buf){ NULL, 0 }, "a").p);
}

/* Bytes that look like ends of strings only to who looks at eight at once. */
static void
every_byte_at_every_place(void **state)
{
	char s[40];
	size_t at;
	int c;

	(void)state;
	for (at = 1; at < sizeof(s) - 1; at++)
		for (c = 0; c < 128; c++) {
			memset(s, 'a', sizeof(s));
			s[0] = s[sizeof(s) - 1] = '"';
			s[at] = (char)c;
			assert_int_equal(hostd_json_ok((hostd_buf){ s,
			    sizeof(s) }), c >= 0x20 && c != '"' &&
			    c != '\\');
		}
}

static void
what_is_made(void **state)
{
	static const char want[] = "{\"a\":[1,\"x\\n\",null,[],{}],\"b\":-7,"
	    "\"c\":0.1,\"d\":null,\"e\":{\"_placeholder\":true,\"num\":3}}";
	struct hostd_json j = { NULL, 0, 0, 0 };
	hostd_buf b;

	(void)state;
	hostd_json_begin(&j, '{');
	hostd_json_key(&j, "a");
	hostd_json_begin(&j, '[');
	hostd_json_raw(&j, text("1"));
	hostd_json_str(&j, "x\n");
	hostd_json_str(&j, NULL);
	hostd_json_begin(&j, '[');
	hostd_json_end(&j, ']');
	hostd_json_begin(&j, '{');
	hostd_json_end(&j, '}');
	hostd_json_end(&j, ']');
	hostd_json_key(&j, "b");
	hostd_json_int64(&j, -7);
	hostd_json_key(&j, "c");
	hostd_json_double(&j, 0.1);
	hostd_json_key(&j, "d");
	hostd_json_double(&j, strtod("inf", NULL));
	hostd_json_key(&j, "e");
	hostd_json_placeholder(&j, 3);
	hostd_json_end(&j, '}');
	b = hostd_json_done(&j);
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	assert_true(hostd_json_ok(b));
	hostd_json_free(&j);
}

static void
numbers(void **state)
{
	static const struct { const char *text; int is; int64_t n; } rows[] = {
		{ "0", 1, 0 }, { "-0", 1, 0 }, { "86400000", 1, 86400000 },
		{ "1e3", 1, 1000 }, { "1.9", 1, 1 }, { "-1.9", 1, -1 },
		{ "9007199254740992", 1, 9007199254740992 },
		{ "9007199254740994", 0, 0 }, { "1e999", 0, 0 },
		{ "null", 0, 0 }, { "\"1\"", 0, 0 }, { "", 0, 0 },
		{ "[1]", 0, 0 }
	};
	int64_t n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = 0;
		assert_int_equal(hostd_json_int(text(rows[i].text), &n),
		    rows[i].is);
		assert_int_equal(n, rows[i].n);
	}
}

/* -- beside jansson -- */

/* xorshift: the same texts at each run. */
static uint64_t seed = 88172645463325252u;

static unsigned
below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 11) % n;
}

static const char *
pick(const char *const *list, unsigned n)
{
	return list[below(n)];
}

static void
make_string(struct buf *b)
{
	static const char *const parts[] = { "a", "user", " ", "{", "]", ",",
		"\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00",
		"\303\251", "\360\237\230\200", "\177", "\\u0001" };
	static const char *const wrong[] = { "\n", "\\x", "\\u00g0", "\\ud83",
		"\377", "\303", "\300\200", "\\", "\"" };
	unsigned n = below(4);

	buf_puts(b, "\"");
	while (n-- > 0)
		buf_puts(b, below(40) == 0 ? pick(wrong, 9) : pick(parts, 16));
	buf_puts(b, "\"");
}

static void
make_number(struct buf *b)
{
	static const char *const good[] = { "0", "-0", "1", "-12", "1.5",
		"-0.25", "1e3", "2E-2", "3.5e+1", "42" };
	static const char *const wrong[] = { "01", "1.", ".5", "-", "+1", "1e",
		"0x10", "1_0", "NaN" };

	buf_puts(b, below(30) == 0 ? pick(wrong, 9) : pick(good, 10));
}

static void	make_value(struct buf *, unsigned);

static void
make_list(struct buf *b, unsigned depth, int is_object)
{
	static const char *const between[] = { ",", " , ", ",\n", "\t,\r\n" };
	static const char *const wrong[] = { ",,", " ", ";", "," };
	unsigned n = below(4);

	buf_puts(b, is_object ? "{" : "[");
	while (n-- > 0) {
		if (is_object) {
			make_string(b);
			buf_puts(b, below(60) == 0 ? "=" : " : ");
		}
		make_value(b, depth + 1);
		if (n > 0)
			buf_puts(b, below(60) == 0 ? pick(wrong, 4) :
			    pick(between, 4));
		else if (below(60) == 0)
			buf_puts(b, ",");
	}
	buf_puts(b, below(80) == 0 ? "" : is_object ? "}" : "]");
}

static void
make_value(struct buf *b, unsigned depth)
{
	static const char *const words[] = { "null", "true", "false" };
	static const char *const wrong[] = { "nul", "True", "", "undefined" };

	switch (below(depth > 5 ? 4 : 7)) {
	case 0:
		buf_puts(b, below(40) == 0 ? pick(wrong, 4) : pick(words, 3));
		break;
	case 1:
		make_number(b);
		break;
	case 2:
	case 3:
		make_string(b);
		break;
	case 4:
		make_list(b, depth, 0);
		break;
	default:
		make_list(b, depth, 1);
	}
}

/* Bytes changed, taken out and put in, whatever they are. */
static void
spoil(struct buf *b)
{
	static const char bytes[] = "{}[]\",:\\ 0-e.tn\x01\x80\xc3";
	unsigned n = below(3), at;

	while (n-- > 0 && b->len > 0) {
		at = below((unsigned)b->len);
		if (below(2) == 0) {
			b->p[at] = bytes[below(sizeof(bytes) - 1)];
			continue;
		}
		memmove(b->p + at, b->p + at + 1, b->len - at - 1);
		b->len--;
	}
}

/* jansson does not want halves of pairs, nor NUL in a key.  Numbers beyond
 * doubles, which it does not want either, are not made. */
static int
may_differ(const struct buf *b)
{
	return memmem(b->p, b->len, "\\u0000", 6) != NULL ||
	    memmem(b->p, b->len, "\\ud8", 4) != NULL ||
	    memmem(b->p, b->len, "\\ude", 4) != NULL;
}

static int
jansson_takes(const struct buf *b)
{
	json_t *j = json_loadb(b->p, b->len, JSON_DECODE_ANY |
	    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	int takes = j != NULL;

	json_decref(j);
	return takes;
}

static void
jansson_takes_the_same(void **state)
{
	struct buf b = { NULL, 0, 0 };
	unsigned i, taken = 0;
	int ours;

	(void)state;
	for (i = 0; i < 50000; i++) {
		b.len = 0;
		make_value(&b, 0);
		if (below(2) == 0)
			spoil(&b);
		if (may_differ(&b))
			continue;
		ours = hostd_json_ok((hostd_buf){ b.p, b.len });
		taken += (unsigned)ours;
		if (ours != jansson_takes(&b))
			fail_msg("%s: %.*s", ours ? "only ours" :
			    "only jansson", (int)b.len, b.p);
	}
	/* Both kinds have been there. */
	assert_in_range(taken, 10000, 40000);
	buf_free(&b);
}

static void
same_members(json_t *j, hostd_buf object)
{
	struct hostd_json_walk w = hostd_json_walk(object);
	json_t *want, *value;
	hostd_buf name, v;
	int64_t len;
	char *key;

	while (hostd_json_next_member(&w, &name, &v)) {
		key = malloc(name.n);
		len = hostd_json_text(name, key, name.n);
		assert_true(len >= 0);
		want = json_object_get(j, key);
		assert_non_null(want);
		v = hostd_json_find(object, (hostd_buf){ key, (size_t)len });
		value = json_loadb(v.p, v.n, JSON_DECODE_ANY |
		    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
		assert_true(json_equal(value, want));
		json_decref(value);
		free(key);
	}
}

static void
jansson_finds_the_same(void **state)
{
	struct buf b = { NULL, 0, 0 };
	unsigned i, seen = 0;
	json_t *j;

	(void)state;
	for (i = 0; i < 20000; i++) {
		b.len = 0;
		make_list(&b, 0, 1);
		j = json_loadb(b.p, b.len, JSON_ALLOW_NUL |
		    JSON_DECODE_INT_AS_REAL, NULL);
		if (j == NULL)
			continue;
		seen++;
		assert_true(hostd_json_ok((hostd_buf){ b.p, b.len }));
		same_members(j, (hostd_buf){ b.p, b.len });
		json_decref(j);
	}
	assert_true(seen > 5000);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_each_type),
		cmocka_unit_test(what_it_is),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(strings_say),
		cmocka_unit_test(strings_are_written_as_by_stringify),
		cmocka_unit_test(members_are_found),
		cmocka_unit_test(items_are_found),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(what_is_made),
		cmocka_unit_test(numbers),
		cmocka_unit_test(jansson_takes_the_same),
		cmocka_unit_test(jansson_finds_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
