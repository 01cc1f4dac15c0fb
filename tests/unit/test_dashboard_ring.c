/* SPDX-License-Identifier: BSD-2-Clause */
/* http_dashboard: what happened between two looks, and the last minutes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ring.h"

static int
look(struct counters *c, uint64_t ms, struct sample *s, const char *text)
{
	json_t *status = json_loads(text, 0, NULL);
	int rc;

	assert_non_null(status);
	rc = sample_take(c, status, ms, s);
	json_decref(status);
	return rc;
}

static void
test_rates(void **state)
{
	struct counters c = { 0 };
	struct sample s;

	(void)state;
	assert_int_equal(look(&c, 1000, &s,
	    "{\"requests\":{\"total\":100,\"bytes_out\":1000,"
	    "\"status\":{\"5xx\":1},\"latency_ms\":{\"buckets\":{\"1\":100}}},"
	    "\"websockets\":{\"active\":3,\"messages_in\":5,"
	    "\"messages_out\":7},\"connections\":{\"active\":9}}"), 0);
	assert_int_equal(look(&c, 3000, &s,
	    "{\"requests\":{\"total\":300,\"bytes_out\":5000,"
	    "\"status\":{\"5xx\":2},\"latency_ms\":{\"buckets\":{\"1\":190,"
	    "\"24\":100,\"6\":10}}},"
	    "\"websockets\":{\"active\":4,\"messages_in\":6,"
	    "\"messages_out\":17},\"connections\":{\"active\":8}}"), 1);
	assert_int_equal(s.time_ms, 3000);
	assert_true(s.requests == 100 && s.bytes == 2000 && s.errors == .5);
	assert_true(s.messages == 5.5);
	assert_true(s.connections == 8 && s.websockets == 4);
	/* 90 took 1 ms, 10 took 6, and 100 took 24: by number, not by text. */
	assert_true(s.p50 == 6 && s.p90 == 24 && s.p99 == 24);
}

static void
test_nothing_to_tell(void **state)
{
	static const char text[] = "{\"requests\":{\"total\":5,"
	    "\"latency_ms\":{\"buckets\":{\"2\":5}}}}";
	struct counters c = { 0 };
	struct sample s;

	(void)state;
	assert_int_equal(look(&c, 1000, &s, text), 0);
	assert_int_equal(look(&c, 2000, &s, text), 1);
	assert_true(s.requests == 0 && s.p50 < 0 && s.p99 < 0);
	/* A clock that was set back, counters that begin anew, and no state. */
	assert_int_equal(look(&c, 1500, &s, text), 0);
	assert_int_equal(look(&c, 2500, &s, "{\"requests\":{\"total\":1,"
	    "\"latency_ms\":{\"buckets\":{\"2\":1}}}}"), 1);
	assert_true(s.requests == 0 && s.p50 < 0);
	assert_int_equal(look(&c, 3500, &s, "[]"), 1);
	assert_true(s.requests == 0 && s.connections == 0);
}

static void
test_many_buckets(void **state)
{
	struct counters c = { 0 };
	json_t *status = json_pack("{s:{s:{s:{}}}}", "requests", "latency_ms",
	    "buckets"), *buckets;
	struct sample s;
	char bound[8];
	int i;

	(void)state;
	assert_int_equal(sample_take(&c, status, 1, &s), 0);
	buckets = json_object_get(json_object_get(json_object_get(status,
	    "requests"), "latency_ms"), "buckets");
	for (i = 1; i <= 2 * RING_BUCKETS; i++) {
		(void)snprintf(bound, sizeof(bound), "%d", i);
		(void)json_object_set_new(buckets, bound, json_integer(1));
	}
	assert_int_equal(sample_take(&c, status, 2, &s), 1);
	assert_int_equal(c.nbuckets, RING_BUCKETS);
	json_decref(status);
}

static void
test_ring(void **state)
{
	struct ring *r = calloc(1, sizeof(*r));
	struct sample s = { .p50 = -1, .requests = 1.239 };
	json_t *list;
	unsigned i;

	(void)state;
	assert_non_null(r);
	for (i = 1; i <= RING_SAMPLES + 5; i++) {
		s.time_ms = i;
		ring_add(r, &s);
	}
	list = ring_json(r);
	assert_int_equal(json_array_size(list), RING_SAMPLES);
	for (i = 0; i < RING_SAMPLES; i++)
		assert_int_equal(json_integer_value(json_array_get(
		    json_array_get(list, i), 0)), i + 6);
	assert_true(json_is_null(json_array_get(json_array_get(list, 0), 3)));
	assert_true(json_real_value(json_array_get(json_array_get(list, 0),
	    1)) == 1.24);
	json_decref(list);
	free(r);
}

static void
test_foreign_ring(void **state)
{
	struct ring *r = calloc(1, sizeof(*r));
	struct sample s = { .time_ms = 1 };

	(void)state;
	assert_non_null(r);
	assert_true(ring_is_sound(r));
	ring_add(r, &s);
	assert_true(ring_is_sound(r));
	r->samples[0].websockets = 1e300;
	assert_false(ring_is_sound(r));
	memset(&r->samples[0].requests, 0xff, sizeof(double));
	r->samples[0].websockets = 0;
	assert_false(ring_is_sound(r));
	r->samples[0].requests = 0;
	r->n = RING_SAMPLES + 1;
	assert_false(ring_is_sound(r));
	r->n = 1;
	r->next = RING_SAMPLES;
	assert_false(ring_is_sound(r));
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_nothing_to_tell),
		cmocka_unit_test(test_many_buckets),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_foreign_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
