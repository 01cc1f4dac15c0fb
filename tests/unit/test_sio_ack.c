/* SPDX-License-Identifier: BSD-2-Clause */
/* Acknowledgements: who owes what to whom, and for how long. */
#include "sio_case.h"

static char got[256];

static void
answer(struct hostd_inst *i, void *arg, int32_t status,
    const struct hostd_sio_args *args)
{
	size_t n = strlen(got);

	assert_ptr_equal(i, in);
	assert_int_equal(args != NULL, status == HOSTD_OK);
	(void)snprintf(got + n, sizeof(got) - n, "%s %d;", (const char *)arg,
	    (int)status);
}

static void
expect(struct sio_socket *s, uint64_t id, uint32_t timeout, const char *name)
{
	assert_int_equal(ack_expect(s, id, timeout, answer,
	    (void *)(uintptr_t)name), HOSTD_OK);
}

/* The timer, when it is due. */
static void
pass(uint64_t until)
{
	void (*fn)(struct hostd_inst *, hostd_timer, void *);

	while ((fn = timer.fn) != NULL && timer.due <= until) {
		now = timer.due > now ? timer.due : now;
		timer.fn = NULL;
		fn(in, (hostd_timer){ timer.started }, NULL);
	}
	now = until;
}

static int
begin(void **state)
{
	got[0] = '\0';
	return set_up(state);
}

static void
an_answer_is_told_once(void **state)
{
	static const struct hostd_sio_args none = { sizeof(none), 0, NULL,
	    NULL, 0, 0 };
	struct sio_socket *s = enter("/");

	(void)state;
	expect(s, 0, 0, "a");
	expect(s, 1, 0, "b");
	ack_came(s, 7, &none);
	ack_came(s, 1, &none);
	ack_came(s, 1, &none);
	ack_came(s, 0, &none);
	assert_string_equal(got, "b 0;a 0;");
	assert_int_equal(s->nacks, 0);
	expect(s, 2, 0, "c");
	ack_unexpect(s, 2);
	ack_came(s, 2, &none);
	assert_string_equal(got, "b 0;a 0;");
}

static void
limits_are_of_each(void **state)
{
	static const struct hostd_sio_args none = { sizeof(none), 0, NULL,
	    NULL, 0, 0 };
	struct sio_socket *s = enter("/"), *t = enter("/");

	(void)state;
	expect(s, 1, 300, "300");
	expect(s, 2, 100, "100");
	expect(t, 3, 200, "200");
	expect(t, 4, 50, "50");
	ack_came(t, 4, &none);
	pass(now + 99);
	assert_string_equal(got, "50 0;");
	pass(now + 1);
	assert_string_equal(got, "50 0;100 -6;");
	ack_came(t, 3, &none);
	pass(now + 1000);
	assert_string_equal(got, "50 0;100 -6;200 0;300 -6;");
	assert_null(timer.fn);
}

static void
who_goes_answers_nothing_more(void **state)
{
	struct sio_socket *s = enter("/");

	(void)state;
	expect(s, 1, 100, "a");
	expect(s, 2, 0, "b");
	acks_gone(s);
	pass(now + 1000);
	assert_string_equal(got, "a -3;b -3;");
}

static void
one_socket_owes_no_more_than_that(void **state)
{
	struct sio_socket *s = enter("/");

	(void)state;
	expect(s, 1, 0, "a");
	expect(s, 2, 0, "b");
	expect(s, 3, 0, "c");
	assert_int_equal(ack_expect(s, 4, 0, answer, NULL), HOSTD_E_FULL);
	ack_unexpect(s, 3);
	expect(s, 5, 0, "d");
	acks_gone(s);
	assert_string_equal(got, "a -3;b -3;d -3;");
}

static int
is_b(void *arg, const void *owner)
{
	(void)owner;
	return strcmp(arg, "b") == 0;
}

static void
what_nobody_wants_is_forgotten(void **state)
{
	struct sio_socket *s = enter("/");

	(void)state;
	expect(s, 1, 10, "a");
	expect(s, 2, 20, "b");
	acks_forget(in, answer, is_b, NULL);
	expect(s, 3, 30, "c");
	pass(now + 100);
	assert_string_equal(got, "a -6;c -6;");
}

static void
random_limits_come_in_order(void **state)
{
	struct sio_socket *s = enter("/");
	static char names[200][8];
	uint64_t x = 88172645463325252u;
	unsigned i, at, last = 0;
	char *p, *end;

	(void)state;
	in->opt.max_acks = 200;
	for (i = 0; i < 200; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		at = 1 + (unsigned)(x % 1000);
		(void)snprintf(names[i], sizeof(names[i]), "%u", at);
		expect(s, i, at, names[i]);
	}
	for (i = 0; i < 200; i += 3)
		ack_unexpect(s, i);
	for (i = 0; i <= 1000; i++) {
		got[0] = '\0';
		pass(1000 + i);
		for (p = got; *p != '\0'; p = strchr(end, ';') + 1) {
			at = (unsigned)strtoul(p, &end, 10);
			assert_int_equal(at, i);
			last++;
		}
	}
	assert_int_equal(last, 133);
	assert_int_equal(s->nacks, 0);
}

/* -- what is owed to them -- */

static int64_t
take(hostd_sio_ack ack)
{
	struct owed_to to;

	return ack_take(in, ack, &to) == -1 ? -1 : (int64_t)to.id;
}

static void
what_is_owed_is_taken_once(void **state)
{
	struct sio_socket *s = enter("/"), *t = enter("/");
	hostd_sio_ack a, b, c;

	(void)state;
	a = ack_owe(s, 0);
	b = ack_owe(s, 5);
	c = ack_owe(t, 9);
	assert_int_equal(take(a), 0);
	assert_int_equal(take(a), -1);
	assert_int_equal(take((hostd_sio_ack){ 0 }), -1);
	assert_int_equal(take((hostd_sio_ack){ UINT64_MAX }), -1);
	acks_gone(s);
	assert_int_equal(take(b), -1);
	assert_int_equal(take(c), 9);
	a = ack_owe(s, 6);
	assert_int_equal(take(b), -1);
	ack_cancel(in, a);
	assert_int_equal(take(a), -1);
	assert_int_equal(s->nowed, 0);
}

static void
the_oldest_gives_way(void **state)
{
	struct sio_socket *s = enter("/");
	hostd_sio_ack ack[5];
	uint64_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		ack[i] = ack_owe(s, i);
	assert_int_equal(take(ack[0]), -1);
	assert_int_equal(take(ack[2]), 2);
	ack[4] = ack_owe(s, 4);
	assert_int_equal(s->nowed, 3);
	(void)ack_owe(s, 5);
	assert_int_equal(take(ack[1]), -1);
	assert_int_equal(take(ack[3]), 3);
	assert_int_equal(take(ack[4]), 4);
}

static void
others_are_owed_too(void **state)
{
	char who[] = "other";
	hostd_sio_ack ack = ack_owe_other(in, answer, who);
	struct owed_to to;

	(void)state;
	assert_int_equal(ack_take(in, ack, &to), 0);
	assert_null(to.socket);
	to.fn(in, to.arg, HOSTD_E_TIMEOUT, NULL);
	assert_string_equal(got, "other -6;");
	assert_int_equal(ack_take(in, ack, &to), -1);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, begin, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(an_answer_is_told_once),
		CASE(limits_are_of_each),
		CASE(who_goes_answers_nothing_more),
		CASE(one_socket_owes_no_more_than_that),
		CASE(what_nobody_wants_is_forgotten),
		CASE(random_limits_come_in_order),
		CASE(what_is_owed_is_taken_once),
		CASE(the_oldest_gives_way),
		CASE(others_are_owed_too),
	};

	return cmocka_run_group_tests_name("sio_ack", tests, NULL, NULL);
}
