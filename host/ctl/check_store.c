/* SPDX-License-Identifier: BSD-2-Clause */
/* A session_store that is asked for all sorts of sessions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_store.h"
#include "ctl/check_usage.h"

#define SHORT_MS 300u
#define ENDS 500 /* waits of 20 ms at most until something has ended */
#define TRIES 10
#define MANY 200
#define LARGEST 65536u /* that every store has to take, but for its limit */

hostd_buf
store_text(const char *s)
{
	return (hostd_buf){s, strlen(s)};
}

hostd_buf
store_bytes(size_t n, unsigned seed)
{
	static unsigned char bytes[FAKE_STORE_MAX];
	size_t i;

	for (i = 0; i < n && i < sizeof(bytes); i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (unsigned char)(i < 256 ? i : seed >> 16);
	}
	return (hostd_buf){bytes, n < sizeof(bytes) ? n : sizeof(bytes)};
}

/* -- calls -- */

static int32_t
end(struct fake_op *o, const char *callback, int expects)
{
	int32_t status = fake_store_wait(o, callback, expects);

	fake_op_free(o);
	return status;
}

int32_t
store_get(struct fake *f, hostd_buf key, hostd_buf *out)
{
	static struct buf copy;
	struct fake_op *o = fake_store_get(f, key);
	int32_t status = fake_store_wait(o, "get", 0);

	*out = fake_op_result(o);
	copy.len = 0;
	if (out->p != NULL) {
		buf_append(&copy, out->p, out->n);
		buf_append(&copy, "", 1);
		out->p = copy.p;
	}
	fake_op_free(o);
	return status;
}

int32_t
store_set(struct fake *f, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect)
{
	return end(fake_store_set(f, key, value, ttl_ms, expect), "set",
	    expect != NULL);
}

int32_t
store_touch(struct fake *f, hostd_buf key, uint64_t ttl_ms)
{
	return end(fake_store_touch(f, key, ttl_ms), "touch", 0);
}

int32_t
store_del(struct fake *f, hostd_buf key)
{
	return end(fake_store_del(f, key), "del", 0);
}

int
store_has(struct fake *f, hostd_buf key, hostd_buf want)
{
	hostd_buf out;
	int32_t status = store_get(f, key, &out);

	if (status != HOSTD_OK)
		check_fail("get of \"%.*s\" was answered with %d",
		    key.n > 60 ? 60 : (int)key.n, (const char *)key.p, status);
	if (out.p == NULL)
		return 0;
	if (out.n != want.n || memcmp(out.p, want.p, want.n) != 0)
		check_fail("get of \"%.*s\" does not give what was set: %zu "
			   "bytes instead of %zu, or others",
		    key.n > 60 ? 60 : (int)key.n, (const char *)key.p, out.n,
		    want.n);
	return 1;
}

/* By whichever clock: the loop's goes on by itself, the wall's takes its
 * time. */
void
store_await_end(struct fake *f, hostd_buf key)
{
	hostd_buf out = {"", 0};
	int i;

	check_where("waiting for the end of \"%.*s\"", (int)key.n,
	    (const char *)key.p);
	for (i = 0; i < ENDS; i++) {
		fake_advance(fake_now() + SHORT_MS);
		while (fake_turn() > 0 || fake_tick(fake_now()))
			;
		if (store_get(f, key, &out) == HOSTD_OK && out.p == NULL)
			return;
		(void)fake_wait();
	}
	check_fail("\"%.*s\" is still there long after its end", (int)key.n,
	    (const char *)key.p);
}

/* -- those that keep something -- */

static void
must(int32_t status, const char *what)
{
	if (status != HOSTD_OK)
		check_fail("%s was answered with %d", what, status);
}

static void
keep(struct fake *f, const char *key, const char *value, uint64_t ttl_ms)
{
	must(store_set(f, store_text(key), store_text(value), ttl_ms, NULL),
	    "set");
}

static int
has(struct fake *f, const char *key, const char *value)
{
	return store_has(f, store_text(key), store_text(value));
}

static void
must_have(struct fake *f, const char *key, const char *value, const char *when)
{
	if (!has(f, key, value))
		check_fail("\"%.60s\" is not there %s", key, when);
}

static void
must_not_have(struct fake *f, const char *key, const char *when)
{
	hostd_buf out;

	must(store_get(f, store_text(key), &out), "get");
	if (out.p != NULL)
		check_fail("\"%.60s\" is there %s", key, when);
}

/* One with which it can be told what it keeps. */
static struct fake *
serve(struct module *m, const struct check *c)
{
	struct fake *f = fake_serve(m, c);
	int32_t status = store_set(f, store_text("first"), store_text("{}"),
	    STORE_HOUR, NULL);

	if (status == HOSTD_E_IO || status == HOSTD_E_TIMEOUT)
		check_skip("it keeps nothing with the servers that there are "
			   "here");
	must(status, "set");
	return f;
}

/* Ops are answered, whatever is there to answer them. */
static void
case_answers(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	unsigned i, failed = 0;
	hostd_buf out;

	(void)arg;
	for (i = 0; i < MANY; i++) {
		hostd_buf key = store_text(i % 2 ? "a" : "b");

		failed += store_set(f, key, store_text("{}"), STORE_HOUR,
			      NULL) != HOSTD_OK;
		failed += store_get(f, key, &out) != HOSTD_OK;
		failed += store_touch(f, key, STORE_HOUR) != HOSTD_OK;
		failed += store_del(f, key) != HOSTD_OK;
	}
	check_note("%u of %u could not be done", failed, 4 * MANY);
	fake_destroy(f);
}

static void
case_keys(const struct check *c, const void *arg)
{
	static const char *const odd[] = {"a", "A", "aa", "aaa", "-1", "0",
	    "*", "?", "[a-z]", "%s%n", "../../etc/passwd", "/", ".", "..",
	    "{x}", "{x}y", "sess:a", "\"'\\", "$1", "#", "a,b;c=d", "~",
	    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"};
	const unsigned n = sizeof(odd) / sizeof(odd[0]);
	struct fake *f = serve(fake_load(c), c);
	char longest[2][HOSTD_STORE_KEY_MAX + 1];
	unsigned i;

	(void)arg;
	for (i = 0; i < n; i++)
		must_not_have(f, odd[i], "before it was set");
	for (i = 0; i < n; i++)
		keep(f, odd[i], odd[n - 1 - i], STORE_HOUR);
	for (i = 0; i < n; i++)
		must_have(f, odd[i], odd[n - 1 - i], "when others were set");
	for (i = 0; i < 2; i++) {
		memset(longest[i], 'k', HOSTD_STORE_KEY_MAX);
		longest[i][HOSTD_STORE_KEY_MAX - 1] = (char)('1' + i);
		longest[i][HOSTD_STORE_KEY_MAX] = '\0';
		keep(f, longest[i], i ? "two" : "one", STORE_HOUR);
	}
	must_have(f, longest[0], "one", "though it was set");
	must_have(f, longest[1], "two", "though it was set");
	must(store_del(f, store_text(longest[0])), "del");
	must_not_have(f, longest[0], "after its del");
	must_have(f, longest[1], "two", "after another's del");
	fake_destroy(f);
}

static void
case_values(const struct check *c, const void *arg)
{
	struct fake *f = serve(fake_load(c), c);
	size_t max = fake_store_ops(f)->max_value, n;
	hostd_buf key = store_text("value"), value;
	unsigned i;

	(void)arg;
	if (max == 0 || max > LARGEST)
		max = LARGEST;
	for (i = 0, n = 0;; i++) {
		value = store_bytes(n, i);
		check_where("keeping %zu bytes", n);
		must(store_set(f, key, value, STORE_HOUR, NULL), "set");
		if (!store_has(f, key, value))
			check_fail("a value of %zu bytes is not there", n);
		if (n == max)
			break;
		n = n == 0 ? 1 : n * 3 > max ? max : n * 3;
	}
	keep(f, "value", "\"\\u00e9\\n\"", STORE_HOUR);
	must_have(f, "value", "\"\\u00e9\\n\"", "when it was set again");
	fake_destroy(f);
}

/* -- compare and set -- */

static int32_t
swap(struct fake *f, const char *expect, const char *value, uint64_t ttl_ms)
{
	hostd_buf e = {NULL, 0};

	if (expect != NULL)
		e = store_text(expect);
	return store_set(f, store_text("swap"), store_text(value), ttl_ms, &e);
}

static void
must_swap(struct fake *f, const char *expect, const char *value)
{
	int32_t status = swap(f, expect, value, STORE_HOUR);

	if (status != HOSTD_OK)
		check_fail("set with %s expected, which is so, was answered "
			   "with %d", expect == NULL ? "nothing" : "a value",
		    status);
	must_have(f, "swap", value, "after a set that expected right");
}

static void
must_not_swap(struct fake *f, const char *expect, const char *there)
{
	int32_t status = swap(f, expect, "wrong", STORE_HOUR);

	if (status != HOSTD_E_STATE)
		check_fail("set with %s%s expected, where there is %s, was "
			   "answered with %d instead of HOSTD_E_STATE",
		    expect == NULL ? "nothing" : "the value ",
		    expect == NULL ? "" : expect,
		    there == NULL ? "nothing" : there, status);
	if (there == NULL)
		must_not_have(f, "swap", "after a set that expected wrong");
	else
		must_have(f, "swap", there, "after a set that expected wrong");
}

static void
case_swap(const struct check *c, const void *arg)
{
	struct fake *f = serve(fake_load(c), c);

	(void)arg;
	if ((fake_store_ops(f)->flags & HOSTD_STORE_CAS) == 0)
		check_skip("it does not compare");
	check_where("comparing and setting");
	must_not_swap(f, "one", NULL);
	must_not_swap(f, "", NULL);
	must_swap(f, NULL, "one");
	must_not_swap(f, NULL, "one");
	must_not_swap(f, "", "one");
	must_not_swap(f, "on", "one");
	must_not_swap(f, "onee", "one");
	must_not_swap(f, "onE", "one");
	must_swap(f, "one", "two");
	must_not_swap(f, "one", "two");
	must_swap(f, "two", "two");
	must_swap(f, "two", "");
	must_not_swap(f, NULL, "");
	must_swap(f, "", "three");
	must(store_del(f, store_text("swap")), "del");
	must_not_swap(f, "three", NULL);
	must(swap(f, NULL, "four", SHORT_MS), "set");
	store_await_end(f, store_text("swap"));
	must_not_swap(f, "four", NULL);
	must_swap(f, NULL, "five");
	fake_destroy(f);
}

/* Of many who expect the same, one is right. */
static void
case_race(const struct check *c, const void *arg)
{
	struct fake *f = serve(fake_load(c), c);
	hostd_buf key = store_text("race"), before = store_text("0");
	struct fake_op *o[MANY];
	char value[16];
	unsigned i, won = 0;

	(void)arg;
	if ((fake_store_ops(f)->flags & HOSTD_STORE_CAS) == 0)
		check_skip("it does not compare");
	check_where("setting %d times at once", MANY);
	must(store_set(f, key, before, STORE_HOUR, NULL), "set");
	for (i = 0; i < MANY; i++) {
		(void)snprintf(value, sizeof(value), "%u", i + 1);
		o[i] = fake_store_set(f, key, store_text(value), STORE_HOUR,
		    &before);
	}
	for (i = 0; i < MANY; i++)
		won += end(o[i], "set", 1) == HOSTD_OK;
	if (won != 1)
		check_fail("of %d sets at once that expect the same, %u were "
			   "answered with HOSTD_OK", MANY, won);
	fake_destroy(f);
}

/* -- time -- */

static void
case_ends(const struct check *c, const void *arg)
{
	struct fake *f = serve(fake_load(c), c);

	(void)arg;
	keep(f, "long", "stays", STORE_HOUR);
	keep(f, "ever", "stays", UINT64_C(10) * 365 * 24 * STORE_HOUR);
	keep(f, "longer", "short", SHORT_MS);
	keep(f, "longer", "long", STORE_HOUR);
	keep(f, "shorter", "long", STORE_HOUR);
	keep(f, "shorter", "short", SHORT_MS);
	keep(f, "short", "goes", SHORT_MS);
	store_await_end(f, store_text("short"));
	store_await_end(f, store_text("shorter"));
	must_have(f, "long", "stays", "before its end");
	must_have(f, "ever", "stays", "before its end");
	must_have(f, "longer", "long", "though it was set again for longer");
	must(store_touch(f, store_text("short"), STORE_HOUR), "touch");
	must_not_have(f, "short", "again by a touch after its end");
	keep(f, "short", "back", STORE_HOUR);
	must_have(f, "short", "back", "when it was set after its end");
	fake_destroy(f);
}

static void
case_touch(const struct check *c, const void *arg)
{
	struct fake *f = serve(fake_load(c), c);
	hostd_buf out = {NULL, 0};
	int i;

	(void)arg;
	must(store_touch(f, store_text("none"), STORE_HOUR), "touch");
	must_not_have(f, "none", "by a touch");
	keep(f, "shorter", "goes", STORE_HOUR);
	must(store_touch(f, store_text("shorter"), SHORT_MS), "touch");
	store_await_end(f, store_text("shorter"));
	/* Where the machine is so slow that the other has ended by then,
	 * nothing is learned. */
	for (i = 0; i < TRIES && out.p == NULL; i++) {
		keep(f, "longer", "stays", SHORT_MS);
		keep(f, "other", "goes", SHORT_MS);
		must(store_touch(f, store_text("longer"), STORE_HOUR),
		    "touch");
		must(store_get(f, store_text("other"), &out), "get");
	}
	if (out.p == NULL)
		check_fail("what is kept for %u ms ends at once", SHORT_MS);
	store_await_end(f, store_text("other"));
	must_have(f, "longer", "stays", "though it was touched");
	fake_destroy(f);
}

static void
case_del(const struct check *c, const void *arg)
{
	struct fake *f = serve(fake_load(c), c);
	hostd_buf key = store_text("gone");

	(void)arg;
	must(store_del(f, key), "del of nothing");
	keep(f, "gone", "x", STORE_HOUR);
	keep(f, "gone2", "y", STORE_HOUR);
	must(store_del(f, key), "del");
	must_not_have(f, "gone", "after its del");
	must(store_del(f, key), "a second del");
	must(store_touch(f, key, STORE_HOUR), "touch of nothing");
	must_not_have(f, "gone", "after its del");
	must_have(f, "gone2", "y", "after another's del");
	keep(f, "gone", "z", STORE_HOUR);
	must_have(f, "gone", "z", "when it was set after its del");
	fake_destroy(f);
}

/* -- many, and those who do not wait -- */

static struct fake_op *
start_one(struct fake *f, unsigned i)
{
	char name[32];
	hostd_buf key;

	(void)snprintf(name, sizeof(name), "many%u", i / 4 % 50);
	key = store_text(name);
	switch (i % 4) {
	case 0:
		return fake_store_set(f, key, store_text(name), STORE_HOUR,
		    NULL);
	case 1:
		return fake_store_get(f, key);
	case 2:
		return fake_store_touch(f, key, STORE_HOUR);
	default:
		return fake_store_del(f, store_text("many"));
	}
}

static void
case_many(const struct check *c, const void *arg)
{
	struct fake *f = serve(fake_load(c), c);
	struct fake_op *o[MANY];
	char name[32];
	unsigned i;

	(void)arg;
	check_where("asking for %d things at once", MANY);
	for (i = 0; i < MANY; i++)
		o[i] = start_one(f, i);
	for (i = 0; i < MANY; i++)
		must(end(o[i], "one of many", 0), "one of many");
	for (i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "many%u", i);
		must_have(f, name, name, "though it was set");
	}
	fake_destroy(f);
}

/* The host has answered for it; what it says now is of no use. */
static void
case_late(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_op *o[MANY];
	unsigned i;

	(void)arg;
	check_where("answering too late");
	for (i = 0; i < MANY; i++)
		o[i] = start_one(f, i);
	fake_advance(fake_now() + FAKE_STORE_MS);
	for (i = 0; i < MANY; i += 2)
		fake_op_free(o[i]);
	fake_settle();
	for (i = 1; i < MANY; i += 2)
		fake_op_free(o[i]);
	store_use(f);
	fake_destroy(f);
}

static void
case_leave(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake *a = fake_serve(m, c), *b = fake_serve(m, c);
	unsigned i;

	(void)arg;
	for (i = 0; i < MANY; i++)
		(void)start_one(i % 3 ? a : b, i);
	check_where("ending with %d calls open", MANY);
	fake_drain(a, 1000);
	fake_destroy(a);
	store_use(b);
	fake_destroy(b);
}

void
store_use(struct fake *f)
{
	hostd_buf key = store_text("used"), out;

	if (fake_store_ops(f)->flags & HOSTD_STORE_STATELESS) {
		struct fake_op *o = fake_store_set(f, key, store_text("{}"),
		    STORE_HOUR, NULL);

		(void)fake_store_wait(o, "set", 0);
		(void)store_get(f, fake_op_result(o), &out);
		fake_op_free(o);
		return;
	}
	(void)store_set(f, key, store_text("{}"), STORE_HOUR, NULL);
	(void)store_get(f, key, &out);
	(void)store_touch(f, key, STORE_HOUR);
	(void)store_del(f, key);
}

static void
round_use(void *arg)
{
	store_use(arg);
	(void)fake_turn();
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);

	(void)arg;
	check_rounds(round_use, f, "a session");
	fake_destroy(f);
}

void
check_store(struct check *c)
{
	if ((c->kinds & CHECK_STORE) == 0)
		return;
	check_simple(c, "store answers", case_answers, NULL);
	check_stateless(c);
	if ((c->kinds & CHECK_STATELESS) == 0) {
		check_simple(c, "store keys", case_keys, NULL);
		check_simple(c, "store values", case_values, NULL);
		check_simple(c, "compare", case_swap, NULL);
		check_simple(c, "compare race", case_race, NULL);
		check_simple(c, "store ends", case_ends, NULL);
		check_simple(c, "touch", case_touch, NULL);
		check_simple(c, "del", case_del, NULL);
		check_simple(c, "many at once", case_many, NULL);
	}
	check_simple(c, "late answers", case_late, NULL);
	check_simple(c, "calls left", case_leave, NULL);
	check_simple(c, "store leaks", case_leaks, NULL);
}
