/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 9111 of the proxy's cache: what may be kept, how long, for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <hostd/easy.h>
#include "cache_control.h"
#include "cache_fresh.h"
#include "cache_vary.h"

#define NOW	INT64_C(784111777)	/* Sun, 06 Nov 1994 08:49:37 GMT */

static struct cache_control
control(const char *value)
{
	struct cache_control c;

	cache_control_init(&c);
	cache_control_add(&c, hostd_str(value));
	return c;
}

static void
directives(void **state)
{
	struct cache_control c;

	(void)state;
	c = control("Public ,, MAX-AGE=60, s-maxage=\"120\" , x=\"a,b\\\",c\"");
	assert_int_equal(c.flags, CC_PUBLIC);
	assert_int_equal(c.max_age, 60);
	assert_int_equal(c.s_maxage, 120);
	c = control("private=\"set-cookie, no-store\"");
	assert_int_equal(c.flags, CC_PRIVATE);
	c = control("no-cache=\"a\",proxy-revalidate");
	assert_int_equal(c.flags, CC_NO_CACHE | CC_MUST_REVALIDATE);
	c = control("stale-while-revalidate=5, stale-if-error=7");
	assert_int_equal(c.stale_while_revalidate, 5);
	assert_int_equal(c.stale_if_error, 7);
	c = control("");
	assert_int_equal(c.flags, 0);
	assert_int_equal(c.max_age, -1);
}

/* What is wrong makes nothing fresher. */
static void
mistakes(void **state)
{
	static const char *const none[] = { "max-age=\"60", "max-age=60 x",
	    "\"max-age\"=60", "=60", "public max-age=60", "max-age==60\"" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_true(control(none[i]).flags & CC_NO_STORE);
	assert_int_equal(control("max-age=-1").max_age, 0);
	assert_int_equal(control("max-age=1.5").max_age, 0);
	assert_int_equal(control("max-age").max_age, 0);
	assert_int_equal(control("max-age= 60").flags, CC_NO_STORE);
	assert_int_equal(control("max-age=60, max-age=10").max_age, 10);
	assert_int_equal(control("max-age=99999999999999999999").max_age,
	    CC_SECONDS_MAX);
}

/* Up to six "name", "value" pairs; judge says what kept would be. */
static int
judge(int status, struct freshness *f, int authorized, const char *const *h)
{
	static const struct fresh_rule rules[] = { { 404, 5 } };
	hostd_hdr hdrs[8];
	struct fresh_facts facts = { .status = status, .headers = hdrs,
	    .authorized = authorized, .now = NOW, .rules = rules, .nrules = 1 };

	for (; h[0] != NULL; h += 2)
		hdrs[facts.nheaders++] = hostd_header(h[0], h[1]);
	return fresh_judge(&facts, f);
}

#define JUDGE(status, f, authorized, ...)				\
	judge(status, f, authorized,					\
	    (const char *const[]){ __VA_ARGS__, NULL })
#define DATE	"Date", "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER	"Expires", "Sun, 06 Nov 1994 08:50:37 GMT"

static void
lifetimes(void **state)
{
	struct freshness f;

	(void)state;
	assert_int_equal(JUDGE(200, &f, 0, DATE, LATER), 0);
	assert_int_equal(f.lifetime, 60);
	assert_int_equal(JUDGE(200, &f, 0, DATE, LATER, "Cache-Control",
	    "max-age=10"), 0);
	assert_int_equal(f.lifetime, 10);
	assert_int_equal(JUDGE(200, &f, 0, DATE, LATER, "Cache-Control",
	    "max-age=10, s-maxage=20"), 0);
	assert_int_equal(f.lifetime, 20);
	assert_true(f.flags & FRESH_NO_STALE);
	/* No guesses. */
	assert_int_equal(JUDGE(200, &f, 0, DATE, "Last-Modified",
	    "Sun, 06 Nov 1984 08:49:37 GMT"), -1);
	assert_int_equal(JUDGE(404, &f, 0, DATE), 0);
	assert_int_equal(f.lifetime, 5);
	/* 0 is how many say "expired". */
	assert_int_equal(JUDGE(200, &f, 0, DATE, "Expires", "0"), -1);
	assert_int_equal(JUDGE(200, &f, 0, DATE, "Expires", "0", "ETag",
	    "\"a\""), 0);
	assert_false(fresh_is(&f, NOW));
}

static void
ages(void **state)
{
	struct freshness f;

	(void)state;
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control", "max-age=100",
	    "Age", "40", DATE), 0);
	assert_int_equal(fresh_age(&f, NOW), 40);
	assert_true(fresh_is(&f, NOW + 59));
	assert_false(fresh_is(&f, NOW + 60));
	assert_int_equal(fresh_over(&f, NOW + 59), 0);
	assert_int_equal(fresh_over(&f, NOW + 70), 10);
	/* An older Date than Age says. */
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control", "max-age=100",
	    "Age", "10", "Date", "Sun, 06 Nov 1994 08:48:37 GMT"), 0);
	assert_int_equal(fresh_age(&f, NOW), 60);
	/* A clock that goes back. */
	assert_false(fresh_is(&f, NOW - 1000));
	assert_int_equal(fresh_age(&f, NOW - 1000), 60);
}

static void
not_kept(void **state)
{
	static const char *const cc[] = { "no-store, max-age=9",
	    "private, max-age=9", "max-age=0", "no-cache", "max-age=9\"" };
	struct freshness f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cc) / sizeof(cc[0]); i++)
		assert_int_equal(JUDGE(200, &f, 0, "Cache-Control", cc[i]),
		    -1);
	assert_int_equal(JUDGE(206, &f, 0, "Cache-Control", "max-age=9"), -1);
	assert_int_equal(JUDGE(304, &f, 0, "Cache-Control", "max-age=9"), -1);
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control", "max-age=9",
	    "Set-Cookie", "a=b"), -1);
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control", "max-age=9",
	    "Vary", "Accept, *"), -1);
	/* Two lines say it. */
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control", "max-age=9",
	    "cache-control", "no-store"), -1);
}

static void
authorized(void **state)
{
	static const char *const shared[] = { "public, max-age=9",
	    "s-maxage=9", "must-revalidate, max-age=9" };
	struct freshness f;
	size_t i;

	(void)state;
	assert_int_equal(JUDGE(200, &f, 1, "Cache-Control", "max-age=9"), -1);
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		assert_int_equal(JUDGE(200, &f, 1, "Cache-Control",
		    shared[i]), 0);
		assert_true(f.flags & FRESH_SHARED);
	}
}

static void
stale(void **state)
{
	struct freshness f;

	(void)state;
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control",
	    "s-maxage=9, stale-while-revalidate=60"), 0);
	assert_false(f.flags & FRESH_NO_STALE);
	assert_int_equal(f.while_revalidate, 60);
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control",
	    "max-age=9, must-revalidate, stale-if-error=60"), 0);
	assert_true(f.flags & FRESH_NO_STALE);
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control",
	    "no-cache, max-age=9", "ETag", "\"a\""), 0);
	assert_false(fresh_is(&f, NOW));
	assert_int_equal(JUDGE(200, &f, 0, "Cache-Control", "no-cache",
	    "ETag", "\"a\""), 0);
	assert_true(f.flags & FRESH_NO_STALE);
	assert_false(fresh_is(&f, NOW));
}

static void
varying(void **state)
{
	hostd_hdr answer[] = { hostd_header("Vary", "Accept-Encoding, X-A"),
	    hostd_header("VARY", "cookie") };
	hostd_hdr a[] = { hostd_header("accept-encoding", "gzip"),
	    hostd_header("Cookie", "x") };
	hostd_hdr b[] = { hostd_header("Accept-Encoding", "gzip"),
	    hostd_header("COOKIE", "x"), hostd_header("X-B", "1") };
	hostd_hdr c[] = { hostd_header("Accept-Encoding", "gzip"),
	    hostd_header("Cookie", "x"), hostd_header("X-A", "") };
	hostd_hdr bad = hostd_header("Vary", "a/b"), many;
	char names[VARY_MAX], longer[2 * VARY_MAX];

	(void)state;
	assert_true(vary_names(answer, 2, names) > 0);
	assert_string_equal(names, "accept-encoding,x-a,cookie");
	assert_true(vary_hash(names, a, 2) == vary_hash(names, b, 3));
	assert_true(vary_hash(names, a, 2) != vary_hash(names, c, 3));
	assert_true(vary_hash("", a, 2) == 0);
	/* Of SipHash-2-4's own. */
	assert_true(cache_hash(0, "", 0) == UINT64_C(0x1e924b9d737700d7));
	assert_int_equal(vary_names(a, 2, names), 0);
	assert_int_equal(vary_names(&bad, 1, names), -1);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	many = hostd_header("Vary", longer);
	assert_int_equal(vary_names(&many, 1, names), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directives),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(ages),
		cmocka_unit_test(not_kept),
		cmocka_unit_test(authorized),
		cmocka_unit_test(stale),
		cmocka_unit_test(varying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
