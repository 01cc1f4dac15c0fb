/* SPDX-License-Identifier: BSD-2-Clause */
/* How the balancers that come with hostd spread 10 000 requests. */
#include <arpa/inet.h>
#include "balancer_case.h"

#define PICKS	10000

static struct balancer_case a, b;

static const uint32_t equal3[] = { 1, 1, 1, 0 };

/* Within percent of what is wanted. */
static void
assert_near(double is, double wanted, double percent)
{
	if (is < wanted * (100 - percent) / 100 ||
	    is > wanted * (100 + percent) / 100)
		fail_msg("%g is not within %g %% of %g", is, percent, wanted);
}

static int
case_pick(struct balancer_case *c)
{
	struct hostd_pick k;

	case_pick_init(c, &k);
	return case_ask(c, &k);
}

static void
count_picks(struct balancer_case *c, uint32_t *counts, int hold)
{
	int i, at;

	memset(counts, 0, CASE_SERVERS * sizeof(*counts));
	for (i = 0; i < PICKS; i++) {
		at = case_pick(c);
		assert_true(at >= 0);
		counts[at]++;
		if (hold)
			c->load[at].inflight++;
	}
}

/* What all of them have to get right. */
static void
keeps_the_rules(const char *so, const char *const *sets)
{
	static const uint32_t none[] = { 0 };
	uint32_t tried[3], i;
	struct hostd_pick k;
	int at;

	case_open(&a, so, sets, equal3);
	case_pick_init(&a, &k);
	k.tried = tried;
	for (i = 0; i < 3; i++) {
		at = case_ask(&a, &k);
		assert_true(at >= 0);
		tried[k.ntried++] = (uint32_t)at + 1;
	}
	assert_int_equal(case_ask(&a, &k), -1);
	a.peers[0].flags = HOSTD_PEER_DOWN;
	a.peers[1].flags = HOSTD_PEER_DRAINING;
	case_update(&a);
	for (i = 0; i < 100; i++)
		assert_int_equal(case_pick(&a), 2);
	a.peers[2].weight = 0;
	case_update(&a);
	assert_int_equal(case_pick(&a), -1);
	case_close(&a);
	case_open(&a, so, sets, none);
	assert_int_equal(case_pick(&a), -1);
	case_close(&a);
}

static void
all_keep_the_rules(void **state)
{
	static const char *const secret[] = { "secret",
	    "0123456789abcdef0123456789abcdef", NULL };
	static const char *const learn[] = { "mode", "learn", NULL };
	static const char *const bounded[] = { "load_factor", "125", NULL };

	(void)state;
	keeps_the_rules("./round_robin.so", NULL);
	keeps_the_rules("./least_conn.so", NULL);
	keeps_the_rules("./random_two.so", NULL);
	keeps_the_rules("./ip_hash.so", NULL);
	keeps_the_rules("./hash.so", NULL);
	keeps_the_rules("./hash.so", bounded);
	keeps_the_rules("./least_time.so", NULL);
	keeps_the_rules("./sticky_cookie.so", secret);
	keeps_the_rules("./sticky_cookie.so", learn);
}

/* -- round_robin -- */

static void
round_robin_is_smooth(void **state)
{
	static const uint32_t weights[] = { 5, 1, 1, 0 };
	static const int wanted[] = { 0, 0, 1, 0, 2, 0, 0 };
	uint32_t n[CASE_SERVERS];
	size_t i;

	(void)state;
	case_open(&a, "./round_robin.so", NULL, weights);
	for (i = 0; i < 14; i++)
		assert_int_equal(case_pick(&a), wanted[i % 7]);
	count_picks(&a, n, 0);
	assert_in_range(n[0], PICKS * 5 / 7 - 5, PICKS * 5 / 7 + 5);
	assert_in_range(n[1], PICKS / 7 - 2, PICKS / 7 + 2);
	assert_in_range(n[2], PICKS / 7 - 2, PICKS / 7 + 2);
	case_close(&a);
}

static void
round_robin_heeds_slow_starts(void **state)
{
	uint32_t n[CASE_SERVERS];

	(void)state;
	case_open(&a, "./round_robin.so", NULL, equal3);
	a.peers[1].share = 64;
	case_update(&a);
	count_picks(&a, n, 0);
	assert_near(n[1], PICKS * 0.25 / 2.25, 1);
	assert_near(n[0], PICKS / 2.25, 1);
	case_close(&a);
}

/* Turns go on over a change of others: nobody is given two at once. */
static void
round_robin_goes_on(void **state)
{
	(void)state;
	case_open(&a, "./round_robin.so", NULL, equal3);
	assert_int_equal(case_pick(&a), 0);
	case_update(&a);
	assert_int_equal(case_pick(&a), 1);
	case_update(&a);
	assert_int_equal(case_pick(&a), 2);
	case_close(&a);
}

/* -- least_conn, random_two, least_time -- */

static void
least_conn_evens_out(void **state)
{
	static const uint32_t weights[] = { 1, 2, 1, 0 };
	uint32_t n[CASE_SERVERS];

	(void)state;
	case_open(&a, "./least_conn.so", NULL, weights);
	/* Of other workers. */
	a.load[0].inflight = 1000;
	count_picks(&a, n, 1);
	assert_in_range(a.load[0].inflight, 2749, 2751);
	assert_in_range(a.load[1].inflight, 5499, 5501);
	assert_in_range(a.load[2].inflight, 2749, 2751);
	case_close(&a);
}

static void
least_conn_takes_turns_among_equals(void **state)
{
	uint32_t n[CASE_SERVERS];

	(void)state;
	case_open(&a, "./least_conn.so", NULL, equal3);
	count_picks(&a, n, 0);
	assert_in_range(n[0], PICKS / 3 - 1, PICKS / 3 + 1);
	assert_in_range(n[1], PICKS / 3 - 1, PICKS / 3 + 1);
	case_close(&a);
}

static void
random_two_is_by_weight_and_load(void **state)
{
	static const uint32_t weights[] = { 1, 3, 1, 1, 0 };
	static const uint32_t ten[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 };
	uint32_t n[CASE_SERVERS], i, most = 0, least = PICKS;

	(void)state;
	case_open(&a, "./random_two.so", NULL, weights);
	count_picks(&a, n, 0);
	assert_near(n[1], PICKS / 2.0, 5);
	assert_near(n[0], PICKS / 6.0, 10);
	case_close(&a);
	/* One at random would be some 200 apart, the better of two is not. */
	case_open(&a, "./random_two.so", NULL, ten);
	count_picks(&a, n, 1);
	for (i = 0; i < 10; i++) {
		most = n[i] > most ? n[i] : most;
		least = n[i] < least ? n[i] : least;
	}
	assert_in_range(most - least, 0, 20);
	case_close(&a);
}

static void
least_time_prefers_the_fast(void **state)
{
	uint32_t n[CASE_SERVERS];

	(void)state;
	case_open(&a, "./least_time.so", NULL, equal3);
	a.load[0].latency_us = 10000;
	a.load[1].latency_us = 1000;
	a.load[2].latency_us = 3000;
	count_picks(&a, n, 0);
	assert_near(n[1], PICKS * (63 + 1 / 3.0) / 64, 2);
	assert_true(n[0] > 20 && n[2] > 20);	/* found out about */
	/* Each at hand makes it slower: 1000 us times 6 is 3000 times 2. */
	count_picks(&a, n, 1);
	assert_near(a.load[1].inflight, PICKS * 30 / 43.0, 5);
	assert_near(a.load[2].inflight, PICKS * 10 / 43.0, 5);
	assert_near(a.load[0].inflight, PICKS * 3 / 43.0, 10);
	case_close(&a);
}

/* -- ip_hash -- */

/* What nginx 1.22 has said, asked through its realip module. */
static void
ip_hash_as(const uint32_t *weights, int down, int v6, const char *wanted)
{
	unsigned char addr[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	struct hostd_pick k;
	uint64_t low;
	size_t i, j;

	case_open(&a, "./ip_hash.so", NULL, weights);
	if (down != -1)
		a.peers[down].flags = HOSTD_PEER_DOWN;
	case_update(&a);
	for (i = 0; wanted[i] != '\0'; i++) {
		case_pick_init(&a, &k);
		k.client.p = addr;
		k.client.n = v6 ? 16 : 4;
		low = i * 0x9e3779b97f4a7c15u;
		for (j = 0; v6 && j < 8; j++)
			addr[15 - j] = (unsigned char)(low >> 8 * j);
		if (!v6) {
			addr[0] = (unsigned char)((i * 37 + 11) % 223 + 1);
			addr[1] = (unsigned char)(i * 91 % 256);
			addr[2] = (unsigned char)((i * 53 + 7) % 256);
			addr[3] = (unsigned char)(i * 29 % 256);
		}
		assert_int_equal(case_ask(&a, &k), wanted[i] - '0');
	}
	case_close(&a);
}

static void
ip_hash_is_that_of_nginx(void **state)
{
	static const uint32_t w512[] = { 5, 1, 2, 0 }, w4[] = { 1, 2, 1, 3, 0 };

	(void)state;
	ip_hash_as(equal3, -1, 0, "2222210000222221100022222100022222001002");
	ip_hash_as(w512, -1, 0, "0020120000011202020100200000002012120001");
	ip_hash_as(equal3, 1, 0, "2222200000222222000022222200022222002002");
	ip_hash_as(w4, -1, 1, "111233333311032111133133");
}

/* -- hash -- */

/* Where key i belongs; a stream's is its client's address. */
static int
hash_place(struct balancer_case *c, uint32_t i)
{
	struct hostd_pick k;

	case_pick_init(c, &k);
	i = htonl(i * 2654435761u);
	k.flags = HOSTD_PICK_STREAM;
	k.client.p = &i;
	k.client.n = sizeof(i);
	return case_ask(c, &k);
}

static void
hash_spreads_by_weight(void **state)
{
	static const uint32_t weights[] = { 1, 2, 1, 1, 0 };
	uint32_t n[CASE_SERVERS] = { 0 }, i;

	(void)state;
	case_open(&a, "./hash.so", NULL, weights);
	for (i = 0; i < PICKS; i++)
		n[hash_place(&a, i)]++;
	assert_near(n[0], PICKS / 5.0, 20);
	assert_near(n[1], PICKS * 2 / 5.0, 20);
	assert_near(n[2], PICKS / 5.0, 20);
	assert_near(n[3], PICKS / 5.0, 20);
	case_close(&a);
}

/* Only the keys of the one that goes move, and they come back.  Weights are up
 * to most. */
static void
hash_moves_few(uint32_t n, uint32_t most)
{
	static int before[PICKS];
	uint32_t weights[CASE_SERVERS + 1] = { 0 }, i, moved = 0, gone = n / 2;

	for (i = 0; i < n; i++)
		weights[i] = most - i * 7 % most;
	weights[gone] = (most + 1) / 2;
	case_open(&a, "./hash.so", NULL, weights);
	case_open(&b, "./hash.so", NULL, weights);
	for (i = 0; i < PICKS; i++)
		before[i] = hash_place(&a, i);
	a.peers[gone].weight = 0;
	b.peers[gone].flags = HOSTD_PEER_DOWN;
	case_update(&a);
	case_update(&b);
	for (i = 0; i < PICKS; i++) {
		assert_int_equal(hash_place(&a, i), hash_place(&b, i));
		if (hash_place(&a, i) == before[i])
			continue;
		assert_int_equal(before[i], gone);
		moved++;
	}
	assert_true(moved <= PICKS / n + PICKS / 20);
	a.peers[gone].weight = weights[gone];
	case_update(&a);
	for (i = 0; i < PICKS; i++)
		assert_int_equal(hash_place(&a, i), before[i]);
	case_close(&a);
	case_close(&b);
}

static void
hash_is_consistent(void **state)
{
	(void)state;
	hash_moves_few(3, 1);
	hash_moves_few(5, 1);
	hash_moves_few(10, 1);
	/* Bug: with large weights all places were others when one went. */
	hash_moves_few(3, 100);
	hash_moves_few(100, 1);
	hash_moves_few(100, 100);
	hash_moves_few(100, 65535);
}

/* A part as large as it should be, whatever the weights are. */
static void
hash_spreads_by_any_weight(void **state)
{
	uint32_t weights[101] = { 0 }, n[CASE_SERVERS] = { 0 }, i, total = 0;
	double want, off = 0;

	(void)state;
	for (i = 0; i < 100; i++)
		total += weights[i] = i + 1;
	case_open(&a, "./hash.so", NULL, weights);
	for (i = 0; i < PICKS * 10; i++)
		n[hash_place(&a, i)]++;
	for (i = 0; i < 100; i++) {
		want = PICKS * 10.0 * weights[i] / total;
		off += (n[i] - want) * (n[i] - want) / want;
	}
	/* Chi-squared of 99: more comes once in 10000 times. */
	assert_true(off < 158);
	case_close(&a);
}

/* Keys move to the one that has more weight now, and from nobody else. */
static void
hash_moves_what_a_weight_says(void **state)
{
	static const uint32_t weights[] = { 30, 30, 30, 30, 0 };
	static int before[PICKS];
	uint32_t i, moved = 0;

	(void)state;
	case_open(&a, "./hash.so", NULL, weights);
	for (i = 0; i < PICKS; i++)
		before[i] = hash_place(&a, i);
	a.peers[2].weight = 60;
	case_update(&a);
	for (i = 0; i < PICKS; i++)
		if (hash_place(&a, i) != before[i]) {
			assert_int_equal(hash_place(&a, i), 2);
			moved++;
		}
	/* From a quarter to two fifths. */
	assert_near(moved, PICKS * 0.15, 10);
	case_close(&a);
}

static void
hash_loads_are_bounded(void **state)
{
	static const char *const sets[] = { "load_factor", "125", NULL };
	uint32_t i, at;

	(void)state;
	case_open(&a, "./hash.so", sets, equal3);
	/* One key that everybody wants. */
	for (i = 0; i < 900; i++) {
		at = (uint32_t)hash_place(&a, 7);
		a.load[at].inflight++;
		assert_true(a.load[at].inflight <= (i + 1) * 1.25 / 3 + 1);
	}
	for (i = 0; i < 3; i++)
		assert_in_range(a.load[i].inflight, 100, 376);
	/* With room it is where it belongs. */
	memset(a.load, 0, sizeof(a.load));
	at = (uint32_t)hash_place(&a, 7);
	a.load[(at + 1) % 3].inflight = 50;
	assert_int_equal(hash_place(&a, 7), at);
	case_close(&a);
}

/* Of its keys a starting server takes a part, that only grows. */
static void
hash_heeds_slow_starts(void **state)
{
	static int before[PICKS];
	uint32_t i, share, has, last = 0;

	(void)state;
	case_open(&a, "./hash.so", NULL, equal3);
	for (i = 0; i < PICKS; i++)
		before[i] = hash_place(&a, i);
	for (share = 1; share <= 256; share += 51) {
		a.peers[1].share = share;
		case_update(&a);
		for (has = 0, i = 0; i < PICKS; i++) {
			if (hash_place(&a, i) == 1)
				has++;
			else if (before[i] != 1)
				assert_int_equal(hash_place(&a, i), before[i]);
		}
		assert_true(has > last || share == 1);
		last = has;
	}
	assert_int_equal(share - 51, 256);
	case_close(&a);
}

static const hostd_hdr rq_headers[] = {
	{ { "Cookie", 6 }, { "x=1; user=ada ;u=2", 18 } },
	{ { "X-Api-Key", 9 }, { "k1", 2 } },
};

static struct hostd_request
request_make(const char *path, const char *query)
{
	struct hostd_request rq = { .struct_size = sizeof(rq) };

	rq.headers = rq_headers;
	rq.nheaders = 2;
	rq.path.p = path;
	rq.path.n = strlen(path);
	rq.query.p = query;
	rq.query.n = query == NULL ? 0 : strlen(query);
	rq.peer.p = "192.0.2.7";
	rq.peer.n = 9;
	return rq;
}

/* Which of two requests has which key. */
static int
same_key(const char *text, const struct hostd_request *p,
    const struct hostd_request *q)
{
	const char *sets[] = { "key", text, NULL };
	char room[HOSTD_BALANCER_ROOM];
	hostd_buf x, y;
	int same;

	case_open(&a, "./hash.so", sets, equal3);
	assert_int_equal(a.ops->key(a.inst, a.data, p, a.room, &x), HOSTD_OK);
	assert_int_equal(a.ops->key(a.inst, a.data, q, room, &y), HOSTD_OK);
	same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	case_close(&a);
	return same;
}

static void
hash_keys_are_variables(void **state)
{
	struct hostd_request p = request_make("/a", "id=1&x=2");
	struct hostd_request q = request_make("/b", "x=3&id=1");
	hostd_buf out;

	(void)state;
	assert_true(same_key("$arg_id", &p, &q));
	assert_false(same_key("$arg_x", &p, &q));
	assert_false(same_key("$uri", &p, &q));
	assert_false(same_key("$args", &p, &q));
	assert_true(same_key("$remote_addr", &p, &q));
	assert_true(same_key("$cookie_user/${http_x_api_key}", &p, &q));
	assert_false(same_key("$cookie_user$uri", &p, &q));
	{
		static const char *const sets[] = { "key", "$cookie_us", NULL };

		case_open(&a, "./hash.so", sets, equal3);
		assert_int_equal(a.ops->key(a.inst, a.data, &p, a.room, &out),
		    HOSTD_PASS);
		case_close(&a);
	}
}

static void
hash_refuses_bad_keys(void **state)
{
	static const char *const bad[] = { "text", "$nothing", "$arg_", "$",
	    "${uri", "$uri$", "${uri}}$" };
	const char *sets[] = { "key", NULL, NULL };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sets[1] = bad[i];
		assert_int_equal(case_create(&a, "./hash.so", sets),
		    HOSTD_E_INVAL);
		assert_int_equal(strncmp(a.error, "key: ", 5), 0);
	}
}

#define TEST(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_keep_the_rules),
		TEST(round_robin_is_smooth),
		TEST(round_robin_heeds_slow_starts),
		TEST(round_robin_goes_on),
		TEST(least_conn_evens_out),
		TEST(least_conn_takes_turns_among_equals),
		TEST(random_two_is_by_weight_and_load),
		TEST(least_time_prefers_the_fast),
		TEST(ip_hash_is_that_of_nginx),
		TEST(hash_spreads_by_weight),
		TEST(hash_is_consistent),
		TEST(hash_spreads_by_any_weight),
		TEST(hash_moves_what_a_weight_says),
		TEST(hash_loads_are_bounded),
		TEST(hash_heeds_slow_starts),
		TEST(hash_keys_are_variables),
		TEST(hash_refuses_bad_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
