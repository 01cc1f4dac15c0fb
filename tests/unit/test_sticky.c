/* SPDX-License-Identifier: BSD-2-Clause */
/* sticky_cookie: who comes back goes where he was. */
#include <hostd/state.h>
#include "balancer_case.h"

static const uint32_t three[] = { 1, 1, 1, 0 };
static const char *const secret[] = { "secret",
    "0123456789abcdef0123456789abcdef", "ttl", "1h", "secure", "on", NULL };
static const char *const learn[] = { "mode", "learn", "name", "sid",
    "learn_ttl", "10s", "learn_max", "64", NULL };

static struct balancer_case a, b;
static char cookie_line[512];
static hostd_hdr cookie_header = { { "Cookie", 6 }, { cookie_line, 0 } };

static struct hostd_request
request_with(const char *cookies)
{
	struct hostd_request rq = { .struct_size = sizeof(rq) };

	if (cookies == NULL)
		return rq;
	(void)snprintf(cookie_line, sizeof(cookie_line), "%s", cookies);
	cookie_header.value.n = strlen(cookie_line);
	rq.headers = &cookie_header;
	rq.nheaders = 1;
	return rq;
}

/* For a request; k is left for what follows. */
static int
case_pick_for(struct balancer_case *c, const struct hostd_request *rq,
    struct hostd_pick *k)
{
	case_pick_init(c, k);
	if (c->ops->key != NULL && c->ops->key(c->inst, c->data, rq, c->room,
	    &k->key) != HOSTD_OK)
		memset(&k->key, 0, sizeof(k->key));
	return case_ask(c, k);
}

/* The server of a request; its answer's Set-Cookie in set, "" for none. */
static int
ask(struct balancer_case *c, const char *cookies, char *set, size_t size)
{
	struct hostd_request rq = request_with(cookies);
	struct hostd_pick k;
	hostd_buf out = { NULL, 0 };
	char room[512];
	int at = case_pick_for(c, &rq, &k);

	set[0] = '\0';
	if (at >= 0 && c->ops->cookie(c->inst, c->data, (uint32_t)at + 1, &k,
	    room, sizeof(room), &out) == HOSTD_OK)
		(void)snprintf(set, size, "%.*s", (int)out.n,
		    (const char *)out.p);
	return at;
}

static void
a_client_stays(void **state)
{
	char set[512], other[512], mine[512];
	int at, i;

	(void)state;
	case_open(&a, "./sticky_cookie.so", secret, three);
	at = ask(&a, NULL, set, sizeof(set));
	assert_non_null(strstr(set, "; Path=/; Max-Age=3600; Secure; "
	    "HttpOnly; SameSite=Lax"));
	assert_int_equal(strncmp(set, "route=", 6), 0);
	assert_int_equal(strcspn(set, ";"), 6 + 22);
	assert_null(strstr(set, "10.0.0"));
	(void)snprintf(mine, sizeof(mine), "a=b; %.28s; c=d", set);
	for (i = 0; i < 100; i++) {
		assert_int_equal(ask(&a, mine, other, sizeof(other)), at);
		assert_string_equal(other, "");
	}
	/* Draining: still. Down: another one, and its cookie. */
	a.peers[at].flags = HOSTD_PEER_DRAINING;
	case_update(&a);
	assert_int_equal(ask(&a, mine, other, sizeof(other)), at);
	a.peers[at].flags = HOSTD_PEER_DOWN;
	case_update(&a);
	assert_int_not_equal(ask(&a, mine, other, sizeof(other)), at);
	assert_int_equal(strncmp(other, "route=", 6), 0);
	assert_int_not_equal(strncmp(other, set, 28), 0);
	case_close(&a);
}

/* A cookie of another path, or one that somebody has set for a domain above,
 * comes first: the one that is ours still counts. */
static void
others_of_its_name(void **state)
{
	char set[512], mine[512], other[512];
	int at, i;

	(void)state;
	case_open(&a, "./sticky_cookie.so", secret, three);
	at = ask(&a, NULL, set, sizeof(set));
	(void)snprintf(mine, sizeof(mine), "route=forged; route=; "
	    "x=y; route=%.22s; route=AAAAAAAAAAAAAAAAAAAAAA", set + 6);
	for (i = 0; i < 10; i++) {
		assert_int_equal(ask(&a, mine, other, sizeof(other)), at);
		assert_string_equal(other, "");
	}
	/* None is: a new one, every time. */
	(void)ask(&a, "route=a; route=b; route=c", other, sizeof(other));
	assert_int_equal(strncmp(other, "route=", 6), 0);
	case_close(&a);
}

static void
all_machines_agree(void **state)
{
	char set[512], other[512];
	int at;

	(void)state;
	case_open(&a, "./sticky_cookie.so", secret, three);
	case_open(&b, "./sticky_cookie.so", secret, three);
	(void)ask(&b, NULL, set, sizeof(set));
	(void)ask(&b, NULL, set, sizeof(set));
	at = ask(&b, NULL, set, sizeof(set));
	set[28] = '\0';
	assert_int_equal(ask(&a, set, other, sizeof(other)), at);
	assert_string_equal(other, "");
	case_close(&a);
	case_close(&b);
}

/* Another secret's, a part, a changed one: as if there were none. */
static void
a_client_cannot_choose(void **state)
{
	static const char *const its[] = { "secret",
	    "another secret, as long as it must be", NULL };
	char set[512], forged[64], other[512];
	int seen[3] = { 0 }, i;

	(void)state;
	case_open(&a, "./sticky_cookie.so", its, three);
	(void)ask(&a, NULL, set, sizeof(set));
	case_close(&a);
	case_open(&a, "./sticky_cookie.so", secret, three);
	(void)snprintf(forged, sizeof(forged), "%.28s", set);
	for (i = 0; i < 9; i++) {
		seen[ask(&a, forged, other, sizeof(other))]++;
		assert_string_not_equal(other, "");
	}
	assert_true(seen[0] == 3 && seen[1] == 3 && seen[2] == 3);
	forged[0] = '\0';
	(void)ask(&a, NULL, set, sizeof(set));
	(void)snprintf(forged, sizeof(forged), "%.27s", set);
	(void)ask(&a, forged, other, sizeof(other));
	assert_string_not_equal(other, "");
	(void)ask(&a, "route=; x=", other, sizeof(other));
	assert_string_not_equal(other, "");
	case_close(&a);
}

static void
bad_configurations_are_refused(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const both[] = { "secret", "0123456789abcdef",
	    "secret_file", "/dev/null", NULL };
	static const char *const empty[] = { "secret_file", "/dev/null", NULL };
	static const char *const absent[] = { "secret_file", "/absent", NULL };
	static const char *const name[] = { "secret", "0123456789abcdef",
	    "name", "a b", NULL };
	static const char *const path[] = { "secret", "0123456789abcdef",
	    "path", "/;x", NULL };
	static const char *const same[] = { "secret", "0123456789abcdef",
	    "samesite", "none", NULL };
	static const struct {
		const char *const *sets;
		const char *says;
	} bad[] = {
		{ none, "set either" }, { both, "set either" },
		{ empty, "at least 16" }, { absent, "No such file" },
		{ name, "name: " }, { path, "path and domain" },
		{ same, "samesite: " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(case_create(&a, "./sticky_cookie.so",
		    bad[i].sets), HOSTD_OK);
		if (strstr(a.error, bad[i].says) == NULL)
			fail_msg("\"%s\", wanted: %s", a.error, bad[i].says);
	}
}

/* -- learn -- */

static void
answer(struct balancer_case *c, int at, const char *set_cookie)
{
	hostd_hdr h[2] = { { { "Content-Type", 12 }, { "text/html", 9 } },
	    { { "set-cookie", 10 }, { set_cookie, strlen(set_cookie) } } };
	struct hostd_pick k;

	case_pick_init(c, &k);
	c->ops->answered(c->inst, c->data, (uint32_t)at + 1, &k, 200, h, 2);
}

/* What one worker learns the other knows. */
static void
sessions_are_learned(void **state)
{
	char set[512];
	int i;

	(void)state;
	case_open(&a, "./sticky_cookie.so", learn, three);
	case_open(&b, "./sticky_cookie.so", learn, three);
	answer(&a, 2, "sid=abc; Path=/");
	answer(&a, 1, "sid=def");
	answer(&a, 0, "other=abc");
	answer(&a, 0, "sid=; Max-Age=0");
	for (i = 0; i < 10; i++) {
		assert_int_equal(ask(&a, "sid=abc", set, sizeof(set)), 2);
		assert_string_equal(set, "");
		assert_int_equal(ask(&b, "sid=abc", set, sizeof(set)), 2);
		assert_int_equal(ask(&b, "x=y; sid=def", set, sizeof(set)), 1);
		assert_int_equal(ask(&b, "sid=; sid=unknown; sid=abc", set,
		    sizeof(set)), 2);
	}
	case_close(&a);
	case_close(&b);
}

static void
sessions_are_forgotten(void **state)
{
	int seen[3] = { 0 }, i;
	char set[512];

	(void)state;
	case_open(&a, "./sticky_cookie.so", learn, three);
	case_open(&b, "./sticky_cookie.so", learn, three);
	answer(&a, 2, "sid=abc");
	/* Used in one worker only, it is remembered in both. */
	for (i = 0; i < 4; i++) {
		a.now_ms += 6000;
		b.now_ms += 6000;
		assert_int_equal(ask(&a, "sid=abc", set, sizeof(set)), 2);
	}
	assert_int_equal(ask(&b, "sid=abc", set, sizeof(set)), 2);
	a.now_ms += 10000;
	for (i = 0; i < 9; i++)
		seen[ask(&a, "sid=abc", set, sizeof(set))]++;
	assert_int_equal(seen[0], 3);
	case_close(&a);
	case_close(&b);
}

/* However many there are, memory is what it was; the last ones are known. */
static void
sessions_are_bounded(void **state)
{
	char set[512], line[64];
	int i, known = 0;

	(void)state;
	case_open(&a, "./sticky_cookie.so", learn, three);
	for (i = 0; i < 10000; i++) {
		a.now_ms += 500;
		(void)snprintf(line, sizeof(line), "sid=%d", i);
		answer(&a, 2, line);
	}
	for (i = 9990; i < 10000; i++) {
		(void)snprintf(line, sizeof(line), "sid=%d", i);
		known += ask(&a, line, set, sizeof(set)) == 2;
	}
	assert_int_equal(known, 10);
	case_close(&a);
}

static char saved[4096];
static size_t nsaved;

static int32_t
put(void *arg, hostd_buf part)
{
	(void)arg;
	assert_true(nsaved + part.n <= sizeof(saved));
	memcpy(saved + nsaved, part.p, part.n);
	nsaved += part.n;
	return HOSTD_OK;
}

static void
sessions_go_to_the_successor(void **state)
{
	char set[512];
	hostd_buf b_state;

	(void)state;
	case_open(&a, "./sticky_cookie.so", learn, three);
	answer(&a, 1, "sid=abc");
	assert_int_equal(a.m->state->save(a.inst, put, NULL), HOSTD_OK);
	case_close(&a);
	case_open(&b, "./sticky_cookie.so", learn, three);
	b_state.p = saved;
	b_state.n = nsaved - 1;
	assert_int_equal(b.m->state->load(b.inst, 1, b_state),
	    HOSTD_E_NOTSUP);
	b_state.n = nsaved;
	assert_int_equal(b.m->state->load(b.inst, 1, b_state), HOSTD_OK);
	assert_int_equal(ask(&b, "sid=abc", set, sizeof(set)), 1);
	assert_int_equal(ask(&b, "sid=abc", set, sizeof(set)), 1);
	case_close(&b);
}

#define TEST(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_stays),
		TEST(others_of_its_name),
		TEST(all_machines_agree),
		TEST(a_client_cannot_choose),
		TEST(bad_configurations_are_refused),
		TEST(sessions_are_learned),
		TEST(sessions_are_forgotten),
		TEST(sessions_are_bounded),
		TEST(sessions_go_to_the_successor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
