/* SPDX-License-Identifier: BSD-2-Clause */
/* The cookie as Node's express-session writes and reads it; what is expected
 * was captured from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "session/cookie.h"

#define SID	"MlB0xJYnqvndF9XxQuEvqtVzyKJ-xoeH"
#define CAT_MAC	"+8GzCJ7LSbgy2qwLoDJX+olBn7dqSjH4ZLCvcGsKQrs"
#define ENCODED	"s%3AMlB0xJYnqvndF9XxQuEvqtVzyKJ-xoeH.%2B8GzCJ7LSbgy2qwLoDJX" \
	"%2BolBn7dqSjH4ZLCvcGsKQrs"

static struct secrets *cat;
static char room[COOKIE_ROOM];

static int
setup(void **state)
{
	char why[256];

	(void)state;
	cat = secrets_new("keyboard cat", 12, why, sizeof(why));
	return cat == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	secrets_free(cat);
	return 0;
}

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

/* -- finding -- */

/* In headers one after the other, "" being the last; NULL: not there. */
static void
found(const char *const *headers, const char *want)
{
	hostd_hdr h[8];
	hostd_buf v;
	uint32_t n;

	for (n = 0; *headers[n] != '\0'; n++) {
		h[n].name = text(n % 2 == 0 ? "Cookie" : "cOOKIE");
		h[n].value = text(headers[n]);
	}
	v = cookie_find(h, n, "connect.sid");
	if (want == NULL) {
		assert_null(v.p);
		return;
	}
	assert_non_null(v.p);
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

static void
found_in(const char *header, const char *want)
{
	const char *headers[] = { header, "" };

	found(headers, want);
}

static void
first_of_the_name(void **state)
{
	static const char *const two[] = { "a=1; b=2", "x; connect.sid=1",
		"connect.sid=2", "" };
	hostd_hdr other = { text("Cookie2"), text("connect.sid=1") };

	(void)state;
	found_in("connect.sid=1", "1");
	found_in("a=2;connect.sid=1;b=3", "1");
	found_in("connect.sid=1; connect.sid=2", "1");
	found_in("connect.sid=; connect.sid=2", "");
	found_in(" \tconnect.sid \t= \t1 \t; b", "1");
	found_in("connect.sid=a=b==", "a=b==");
	found_in("connect.sid; connect.sid=2", "2");
	found_in(";;;connect.sid=1;", "1");
	found_in("connect.sid=\"a;b\"", "\"a");
	found_in("Connect.sid=1", NULL);
	found_in("xconnect.sid=1", NULL);
	found_in("connect.sidx=1", NULL);
	found_in("connect.sid", NULL);
	found_in("a=connect.sid=1", NULL);
	found_in("\"connect.sid=1\"", NULL);
	found(two, "1");
	assert_null(cookie_find(&other, 1, "connect.sid").p);
	assert_null(cookie_find(NULL, 0, "connect.sid").p);
}

/* -- decoding -- */

static void
decodes(const char *sent, const char *want)
{
	size_t n = cookie_decode(text(sent), room);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(room, want, n);
}

static void
percents_and_quotes(void **state)
{
	(void)state;
	decodes("", "");
	decodes("abc", "abc");
	decodes("a%20b%3a%3A", "a b::");
	decodes("a+b", "a+b");
	decodes("\"a%20b\"", "a b");
	decodes("\"\"", "");
	decodes("\"", "");
	decodes("\"\"a\"\"", "\"a\"");
	decodes("a\"", "a\"");
	decodes("\"a", "\"a");
	decodes("%22a%22", "\"a\"");
	decodes("%C3%A9", "\303\251");
	decodes("%F0%9F%98%80", "\360\237\230\200");
	/* Latin-1, as Node takes all headers. */
	decodes("\351", "\303\251");
	decodes("\303\251", "\303\203\302\251");
	decodes("\351%C3%A9", "\303\251\303\251");
}

static void
what_is_no_encoding_stays(void **state)
{
	(void)state;
	decodes("%", "%");
	decodes("a%2", "a%2");
	decodes("%20%", "%20%");
	decodes("%zz%41", "%zz%41");
	decodes("%4g", "%4g");
	decodes("%FF", "%FF");
	decodes("%C3", "%C3");
	decodes("%C3\251", "%C3\302\251");
	decodes("%C0%80", "%C0%80");
	decodes("%ED%A0%80", "%ED%A0%80");
	decodes("\"%FF\"", "%FF");
	assert_int_equal(cookie_decode(text("a%00b"), room), 3);
	assert_memory_equal(room, "a\0b", 3);
}

/* -- signatures -- */

static int
opens(const char *sent, struct secrets *s, const char *want)
{
	hostd_buf key = { NULL, 0 };
	int which = cookie_open(text(sent), s, SESSION_KEY_MAX, room, &key);

	if (which >= 0) {
		assert_int_equal(key.n, strlen(want));
		assert_memory_equal(key.p, want, key.n);
	}
	return which;
}

static void
as_captured(void **state)
{
	(void)state;
	assert_int_equal(opens(ENCODED, cat, SID), 0);
	assert_int_equal(opens("s:" SID "." CAT_MAC, cat, SID), 0);
	assert_int_equal(opens("\"" ENCODED "\"", cat, SID), 0);
	assert_int_equal(opens("\"s:" SID "." CAT_MAC "\"", cat, SID), 0);
}

static void
not_signed_so(void **state)
{
	static const char *const sent[] = { "", "s", "s:", "s:.", "s:" SID,
		SID, SID "." CAT_MAC, "S:" SID "." CAT_MAC,
		"j:" SID "." CAT_MAC, " s:" SID "." CAT_MAC,
		"s:" SID "." CAT_MAC "=", "s:" SID "." CAT_MAC "%3D",
		"s:" SID ".", "s:" SID ".." CAT_MAC,
		"s:" SID "x." CAT_MAC, "s:x" SID "." CAT_MAC,
		"s:" SID "." CAT_MAC ".", "s:" SID "." CAT_MAC " ",
		"s%3a" SID ".-8GzCJ7LSbgy2qwLoDJX-olBn7dqSjH4ZLCvcGsKQrs",
		"s:" SID "." CAT_MAC "%", "s:" SID "%2E" CAT_MAC "%00",
		"s:" SID "." CAT_MAC "; Path=/" };
	hostd_buf none = { NULL, 0 }, key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		if (opens(sent[i], cat, "") != -1)
			fail_msg("taken: %s", sent[i]);
	assert_int_equal(cookie_open(none, cat, SESSION_KEY_MAX, room, &key),
	    -1);
}

/* A key of somebody else's making, signed by us. */
static int
round_trip(const char *key, size_t max)
{
	static char path[] = "/", name[] = "sid";
	struct conf_session c = { .cookie = name, .path = path };
	struct buf b = { NULL, 0, 0 };
	hostd_buf got = { NULL, 0 };
	int which;
	char *end;

	cookie_write(&b, &c, cat, text(key), -1, 0);
	end = memchr(b.p, ';', b.len);
	which = cookie_open((hostd_buf){ b.p + 4, (size_t)(end - b.p) - 4 },
	    cat, max, room, &got);
	if (which == 0) {
		assert_int_equal(got.n, strlen(key));
		assert_memory_equal(got.p, key, got.n);
	}
	buf_free(&b);
	return which;
}

static void
keys_of_all_kinds(void **state)
{
	char long_one[SESSION_TOKEN_MAX + 2];

	(void)state;
	assert_int_equal(round_trip("a", SESSION_KEY_MAX), 0);
	assert_int_equal(round_trip("user.42.x", SESSION_KEY_MAX), 0);
	assert_int_equal(round_trip("...", SESSION_KEY_MAX), 0);
	assert_int_equal(round_trip("%25;\"=,", SESSION_KEY_MAX), 0);
	assert_int_equal(round_trip("", SESSION_KEY_MAX), -1);
	assert_int_equal(round_trip("a b", SESSION_KEY_MAX), -1);
	assert_int_equal(round_trip("\303\251", SESSION_KEY_MAX), -1);
	memset(long_one, 'x', sizeof(long_one));
	long_one[SESSION_TOKEN_MAX + 1] = '\0';
	assert_int_equal(round_trip(long_one, SESSION_TOKEN_MAX), -1);
	long_one[SESSION_TOKEN_MAX] = '\0';
	assert_int_equal(round_trip(long_one, SESSION_TOKEN_MAX), 0);
	assert_int_equal(round_trip(long_one, SESSION_KEY_MAX), -1);
}

static void
too_long_to_look_at(void **state)
{
	size_t n = COOKIE_VALUE_MAX + 1;
	char *p = malloc(n);
	hostd_buf key;

	(void)state;
	memset(p, '\351', n);
	assert_int_equal(cookie_open((hostd_buf){ p, n }, cat,
	    SESSION_TOKEN_MAX, room, &key), -1);
	assert_int_equal(cookie_open((hostd_buf){ p, n - 1 }, cat,
	    SESSION_TOKEN_MAX, room, &key), -1);
	assert_int_equal(cookie_decode((hostd_buf){ p, n - 1 }, room),
	    COOKIE_ROOM);
	free(p);
}

static void
secrets_are_rotated(void **state)
{
	char why[256];
	struct secrets *s = secrets_new("new\nkeyboard cat", 16, why,
	    sizeof(why));

	(void)state;
	assert_non_null(s);
	assert_int_equal(opens(ENCODED, s, SID), 1);
	secrets_free(s);
	s = secrets_new("new", 3, why, sizeof(why));
	assert_int_equal(opens(ENCODED, s, SID), -1);
	secrets_free(s);
}

/* -- writing -- */

static void
writes(const struct conf_session *c, int64_t expires_ms, int is_secure,
    const char *want)
{
	struct buf b = { NULL, 0, 0 };

	cookie_write(&b, c, cat, text(SID), expires_ms, is_secure);
	buf_append(&b, "", 1);
	assert_string_equal(b.p, want);
	buf_free(&b);
}

static void
attributes_as_captured(void **state)
{
	static char name[] = "connect.sid", path[] = "/", domain[] =
	    "x.example";
	struct conf_session c = { .cookie = name, .path = path,
		.httponly = 1 };

	(void)state;
	writes(&c, -1, 0, "connect.sid=" ENCODED "; Path=/; HttpOnly");
	c.samesite = CONF_SAMESITE_LAX;
	writes(&c, 1795219777891, 0, "connect.sid=" ENCODED "; Path=/; "
	    "Expires=Sat, 21 Nov 2026 00:09:37 GMT; HttpOnly; SameSite=Lax");
	c.domain = domain;
	c.secure = CONF_SECURE_ON;
	c.partitioned = 1;
	c.priority = CONF_PRIORITY_HIGH;
	c.samesite = CONF_SAMESITE_NONE;
	writes(&c, 1795219781000, 1, "connect.sid=" ENCODED "; "
	    "Domain=x.example; Path=/; Expires=Sat, 21 Nov 2026 00:09:41 GMT; "
	    "HttpOnly; Secure; Partitioned; Priority=High; SameSite=None");
}

static void
attributes_one_by_one(void **state)
{
	static char name[] = "s", path[] = "/app", empty[] = "";
	struct conf_session c = { .cookie = name, .path = path };

	(void)state;
	writes(&c, 0, 0, "s=" ENCODED "; Path=/app; "
	    "Expires=Thu, 01 Jan 1970 00:00:00 GMT");
	c.path = empty;
	c.secure = CONF_SECURE_AUTO;
	c.priority = CONF_PRIORITY_LOW;
	c.samesite = CONF_SAMESITE_STRICT;
	writes(&c, -1, 0, "s=" ENCODED "; Priority=Low; SameSite=Strict");
	c.priority = CONF_PRIORITY_MEDIUM;
	writes(&c, -1, 1, "s=" ENCODED "; Secure; Priority=Medium; "
	    "SameSite=Strict");
}

static void
where_it_goes(void **state)
{
	static char root[] = "/", app[] = "/app";
	struct conf_session c = { .path = root };

	(void)state;
	assert_true(cookie_may_go(&c, 0));
	c.secure = CONF_SECURE_AUTO;
	assert_true(cookie_may_go(&c, 0));
	c.secure = CONF_SECURE_ON;
	assert_false(cookie_may_go(&c, 0));
	assert_true(cookie_may_go(&c, 1));
	assert_true(cookie_covers(&c, text("/")));
	assert_true(cookie_covers(&c, text("/app")));
	c.path = app;
	assert_true(cookie_covers(&c, text("/app")));
	assert_true(cookie_covers(&c, text("/app/x")));
	assert_true(cookie_covers(&c, text("/apple")));
	assert_false(cookie_covers(&c, text("/ap")));
	assert_false(cookie_covers(&c, text("/")));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_of_the_name),
		CASE(percents_and_quotes),
		CASE(what_is_no_encoding_stays),
		CASE(as_captured),
		CASE(not_signed_so),
		CASE(keys_of_all_kinds),
		CASE(too_long_to_look_at),
		CASE(secrets_are_rotated),
		CASE(attributes_as_captured),
		CASE(attributes_one_by_one),
		CASE(where_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
