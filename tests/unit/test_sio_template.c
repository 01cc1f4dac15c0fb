/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates of socketio_rules: what may be in them, and what clients make of
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hostd/easy.h>
#include "socketio_rules/template.h"

static hostd_buf args[4];
static struct values values;
static struct template t;
static char why[200];

static int
setup(void **state)
{
	(void)state;
	args[0] = hostd_str("\"tea \\\"\\u0041\"");
	args[1] = hostd_str("{\"a\":{\"b\":[1,\"two\"]}, \"n\":-1.5e3}");
	args[2] = hostd_str("42");
	args[3] = hostd_str("null");
	values.args = args;
	values.nargs = 4;
	values.event = hostd_str("say \"x\"");
	values.id = hostd_str("AbC");
	values.user = hostd_str("Ada");
	values.nsp = hostd_str("/");
	values.auth = hostd_str("{\"token\":\"t\"}");
	values.data = hostd_str("[\"x\"]");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	template_free(&t);
	return 0;
}

static void
json(const char *text, const char *want)
{
	struct hostd_json out = {NULL, 0, 0, 0};
	hostd_buf made;
	int rc;

	assert_int_equal(
	    template_read(&t, hostd_str(text), 1, why, sizeof(why)), 0);
	rc = template_json(&t, &values, &out);
	if (want == NULL)
		assert_int_equal(rc, -1);
	else {
		assert_int_equal(rc, 0);
		made = hostd_json_done(&out);
		assert_true(hostd_json_ok(made));
		assert_int_equal(made.n, strlen(want));
		assert_memory_equal(made.p, want, made.n);
	}
	hostd_json_free(&out);
	template_free(&t);
}

static void
text(const char *from, const char *want)
{
	char room[16];
	int64_t n;

	assert_int_equal(
	    template_read(&t, hostd_str(from), 0, why, sizeof(why)), 0);
	n = template_text(&t, &values, room, sizeof(room));
	if (want == NULL)
		assert_int_equal(n, -1);
	else {
		assert_string_equal(room, want);
		assert_int_equal(n, strlen(want));
	}
	template_free(&t);
}

static void
wrong(const char *from, int is_json)
{
	assert_int_equal(
	    template_read(&t, hostd_str(from), is_json, why, sizeof(why)), -1);
	assert_true(why[0] != '\0');
	template_free(&t);
}

static void
values_of_any_type(void **state)
{
	(void)state;
	json("$0", "\"tea \\\"\\u0041\"");
	json("[$2,$3,$9]", "[42,null,null]");
	json("{\"a\":$1.a,\"n\":$1.n}",
	    "{\"a\":{\"b\":[1,\"two\"]},\"n\":-1.5e3}");
	json("[$1.a.b.1,$1.a.b.2,$1.x.y,$0.x]", "[\"two\",null,null,null]");
	json("[$id,$user,$nsp,$event]", "[\"AbC\",\"Ada\",\"/\",\"say "
	    "\\\"x\\\"\"]");
	json("[$auth,$auth.token,$data.0]", "[{\"token\":\"t\"},\"t\",\"x\"]");
	values.nargs = 2;
	json("{\"all\":$@}", "{\"all\":[\"tea \\\"\\u0041\",{\"a\":{\"b\":[1,"
	    "\"two\"]}, \"n\":-1.5e3}]}");
	values.nargs = 0;
	values.user.p = NULL;
	json("[$@,$user]", "[[],null]");
}

static void
in_strings(void **state)
{
	(void)state;
	json("\"<$0>, $2 $$2 $user.\"", "\"<tea \\\"\\u0041>, 42 $2 Ada.\"");
	json("\"$event\"", "\"say \\\"x\\\"\"");
	json("\"\\\"$1.a.b.0\"", "\"\\\"1\"");
	json("\"$1\"", NULL);
	json("\"$3\"", NULL);
	json("\"$9\"", NULL);
	values.user.p = NULL;
	json("\"$user\"", NULL);
	values.user = hostd_str("\xff");
	json("\"$user\"", NULL);
	json("$user", "null");
}

static void
plain_texts(void **state)
{
	(void)state;
	text("room", "room");
	text("r:$0", "r:tea \"A");
	text("$2:$1.a.b.1", "42:two");
	text("$$$nsp$id", "$/AbC");
	text("\"$2\"", "\"42\"");
	text("$1", NULL);
	text("$3", NULL);
	text("$7", NULL);
	text("$1.n.x", NULL);
	text("123456789012345", "123456789012345");
	text("1234567890123456", NULL);
	text("1234567890123$2", "123456789012342");
	text("12345678901234$2", NULL);
}

static void
mistakes(void **state)
{
	(void)state;
	wrong("$", 0);
	wrong("$what", 0);
	wrong("$idx", 0);
	wrong("a$-", 0);
	wrong("hello", 1);
	wrong("", 1);
	wrong("$0,$1", 1);
	wrong("\"$@\"", 1);
	wrong("\"$0", 1);
	wrong("{$0:1}", 1);
	wrong("$0$1", 1);
	wrong("-$2", 1);
	wrong("1$0", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(values_of_any_type),
	    T(in_strings),
	    T(plain_texts),
	    T(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
