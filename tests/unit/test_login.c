/* SPDX-License-Identifier: BSD-2-Clause */
/* http_login: what a form says, where one may be sent, pages and counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "form.h"
#include "page.h"
#include "rate.h"
#include "target.h"

static hostd_buf
buf(const char *s)
{
	return (hostd_buf){s, s == NULL ? 0 : strlen(s)};
}

/* -- forms -- */

static struct form_field fields[3];
static char *room;

/* From memory of just that size, into such. */
static const char *
read_bytes(const char *text, size_t n)
{
	static const char *const names[] = {"user", "password", "x y"};
	char *copy = malloc(n > 0 ? n : 1);
	const char *why;
	size_t i;

	for (i = 0; i < 3; i++)
		fields[i] = (struct form_field){names[i], {NULL, 0}};
	free(room);
	room = malloc(n > 0 ? n : 1);
	memcpy(copy, text, n);
	why = form_read((hostd_buf){copy, n}, fields, 3, room);
	free(copy);
	return why;
}

static void
assert_field(int i, const char *want)
{
	if (want == NULL) {
		assert_null(fields[i].value.p);
		return;
	}
	assert_non_null(fields[i].value.p);
	assert_int_equal(fields[i].value.n, strlen(want));
	assert_memory_equal(fields[i].value.p, want, strlen(want));
}

static void
assert_form(const char *text, const char *user, const char *password,
    const char *third)
{
	const char *why = read_bytes(text, strlen(text));

	if (why != NULL)
		fail_msg("%s: %s", text, why);
	assert_field(0, user);
	assert_field(1, password);
	assert_field(2, third);
}

static void
test_form_fields(void **state)
{
	(void)state;
	assert_form("", NULL, NULL, NULL);
	assert_form("user=ada&password=love", "ada", "love", NULL);
	assert_form("password=&user", "", "", NULL);
	assert_form("&&user=a&&", "a", NULL, NULL);
	assert_form("user=a+b%20c%2b%2B&other=1&other=2&x+y==&z", "a b c++",
	    NULL, "=");
	assert_form("%75ser=%C3%A9&x%20y=1", "\xc3\xa9", NULL, "1");
	assert_form("user=a=b&password=%26%3D%25", "a=b", "&=%", NULL);
	assert_form("User=a&users=b&use=c", NULL, NULL, NULL);
	assert_form("user=%f0%90%80%80%ed%9f%bf%ef%bf%bd", "\xf0\x90\x80\x80"
	    "\xed\x9f\xbf\xef\xbf\xbd", NULL, NULL);
}

static void
test_form_wrong(void **state)
{
	static const char *const wrong[] = {"user=%", "user=%4", "user=%g0",
		"user=%0g", "%=1", "user%", "other=%zz", "user=a&user=a",
		"user&%75ser=", "user=a&x+y=1&x%20y=2", "user=%00",
		"user=a%00b", "other=%00", "user=%ff", "user=%c3",
		"user=%c0%af", "user=%ed%a0%80", "user=%f4%90%80%80",
		"user=%e0%80%80", "user=%c3%28", "user=\xff", "other=\xc3"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (read_bytes(wrong[i], strlen(wrong[i])) == NULL)
			fail_msg("%s", wrong[i]);
	assert_non_null(read_bytes("user=a\0b", 8));
}

static void
test_form_many(void **state)
{
	char text[4 * FORM_FIELDS_MAX + 16] = "";
	int i;

	(void)state;
	for (i = 1; i < FORM_FIELDS_MAX; i++)
		strcat(text, "a=1&");
	strcat(text, "user=a");
	assert_form(text, "a", NULL, NULL);
	strcat(text, "&b=");
	assert_non_null(read_bytes(text, strlen(text)));
	free(room);
	room = NULL;
}

/* -- targets -- */

static void
test_target(void **state)
{
	static const struct {
		const char *wish, *want;	/* want NULL: refused */
	} cases[] = {
		{"/", "/"}, {"/a/b?c=d&e=%20", "/a/b?c=d&e=%20"},
		{"/a b\xc3\xa9", "/a%20b%C3%A9"}, {"/#top", "/#top"},
		{"/\"<>", "/%22%3C%3E"}, {"/a//b", "/a//b"},
		{"/?u=https://x/", "/?u=https://x/"},
		{NULL, NULL}, {"", NULL}, {"a", NULL}, {"?a", NULL},
		{"//evil.example", NULL}, {"//", NULL}, {"///a", NULL},
		{"/\\evil.example", NULL}, {"\\/evil", NULL}, {"/a\\b", NULL},
		{"https://evil.example/", NULL}, {"javascript:alert(1)", NULL},
		{"/\t/evil.example", NULL}, {"/\n/evil", NULL},
		{"\t//evil", NULL},
		{"/\r\nSet-Cookie: a=b", NULL}, {" /", NULL}, {" //evil", NULL},
		{"/\x7f", NULL},
	};
	char out[TARGET_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = target_make(buf(cases[i].wish), out);

		if ((rc == 0) != (cases[i].want != NULL) ||
		    (rc == 0 && strcmp(out, cases[i].want) != 0))
			fail_msg("%s: %d %s", cases[i].wish, rc, out);
	}
	assert_int_equal(target_make((hostd_buf){"/a\0b", 4}, out), -1);
}

static void
test_target_long(void **state)
{
	char wish[TARGET_MAX + 1], out[TARGET_SIZE];

	(void)state;
	memset(wish, 0xc3, sizeof(wish));
	wish[0] = '/';
	assert_int_equal(target_make((hostd_buf){wish, TARGET_MAX}, out), 0);
	assert_int_equal(strlen(out), 3 * TARGET_MAX - 2);
	assert_int_equal(target_make((hostd_buf){wish, TARGET_MAX + 1}, out),
	    -1);
}

/* -- pages -- */

static void
assert_page(const char *text, const char *want)
{
	const hostd_buf values[PAGE_VALUES] = {[PAGE_CSRF] = buf("c"),
		[PAGE_USER] = buf("<a href=\"x\">&'"),
		[PAGE_REMEMBER] = buf("<b>"), [PAGE_NEXT] = buf("/?a&b")};
	char why[160], *got;
	struct page *p = page_new(buf(text), why, sizeof(why));
	size_t n;

	if (p == NULL)
		fail_msg("%s: %s", text, why);
	got = page_fill(p, values, &n);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, n);
	free(got);
	page_free(p);
}

static void
test_page(void **state)
{
	static const char *const wrong[] = {"", "no form", "{{csrf", "{{csrf}",
		"{{csrf}}{{", "{{csrf}}{{}}", "{{csrf}}{{ csr f }}",
		"{{csrf}}{{password}}", "{{CSRF}}", "{{{csrf}}}"};
	char why[160];
	size_t i;

	(void)state;
	assert_page("{{csrf}}", "c");
	assert_page("a{{ csrf }}b{{title}}{c}}", "acb{c}}");
	assert_page("{{user}}{{csrf}}{{user}}", "&lt;a href=&quot;x&quot;&gt;"
	    "&amp;&#39;c&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
	assert_page("{{csrf}}{{remember}}{{next}}", "c<b>/?a&amp;b");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why[0] = '\0';
		if (page_new(buf(wrong[i]), why, sizeof(why)) != NULL ||
		    why[0] == '\0')
			fail_msg("%s: %s", wrong[i], why);
	}
}

/* -- counting -- */

static struct rate *
rate_new(void)
{
	struct rate *r = calloc(1, sizeof(*r));

	assert_int_equal(rate_init(r), 0);
	return r;
}

static void
test_rate(void **state)
{
	const struct rate_limit l = {3, 30000}, none = {0, 30000};
	struct rate_tag ada = rate_tag_of('u', buf("ada"));
	struct rate_tag other = rate_tag_of('a', buf("ada"));
	struct rate *r = rate_new();
	uint64_t now = 1000;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(rate_wait(r, l, &ada, now), 0);
		rate_put(r, l, &ada, now);
	}
	assert_int_equal(rate_wait(r, l, &ada, now), 10000);
	assert_int_equal(rate_wait(r, none, &ada, now), 0);
	assert_int_equal(rate_wait(r, l, &other, now), 0);
	assert_int_equal(rate_wait(r, l, &ada, now + 9999), 1);
	assert_int_equal(rate_wait(r, l, &ada, now + 10000), 0);
	/* What was no failure is taken back. */
	rate_put(r, l, &ada, now + 10000);
	assert_int_equal(rate_wait(r, l, &ada, now + 10000), 10000);
	rate_take_back(r, l, &ada, now + 10000);
	assert_int_equal(rate_wait(r, l, &ada, now + 10000), 0);
	/* Told by many, it is not full for longer than a full one is. */
	for (i = 0; i < 100; i++)
		rate_put(r, l, &ada, now + 10000);
	assert_in_range(rate_wait(r, l, &ada, now + 10000), 10000, 20000);
	assert_int_equal(rate_wait(r, l, &ada, now + 30000), 0);
	rate_put(r, none, &other, now);
	rate_take_back(r, none, &other, now);
	rate_take_back(r, l, &other, now);
	assert_int_equal(rate_wait(r, l, &other, now), 0);
	free(r);
}

/* However many there are, who is full stays. */
static void
test_rate_crowd(void **state)
{
	const struct rate_limit l = {5, 60000};
	struct rate_tag ada = rate_tag_of('u', buf("ada")), t;
	struct rate *r = rate_new();
	char name[16];
	int i, j;

	(void)state;
	for (i = 0; i < 5; i++)
		rate_put(r, l, &ada, 1000);
	for (i = 0; i < 4 * RATE_ROWS * RATE_WAYS; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		t = rate_tag_of('u', buf(name));
		rate_put(r, l, &t, 1000);
	}
	assert_int_equal(rate_wait(r, l, &ada, 1000), 12000);
	for (j = 0, i = 0; i < RATE_ROWS * RATE_WAYS; i++)
		j += r->places[i].empty_us > 0;
	assert_in_range(j, RATE_ROWS * RATE_WAYS * 9 / 10,
	    RATE_ROWS * RATE_WAYS);
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form_fields),
		cmocka_unit_test(test_form_wrong),
		cmocka_unit_test(test_form_many),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_target_long),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
