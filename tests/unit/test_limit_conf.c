/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of limits, and what names them. */
#include "conf_case.h"

#define MAIN LISTEN "plugin \"p\" { module = x }\n"

static const struct conf_limit *
only(const char *block)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), MAIN "%s\n", block);
	load(text);
	return TAILQ_FIRST(&conf->limits);
}

static void
rates(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} all[] = {
		{ "10/s", 100000 }, { "10r/s", 100000 }, { "30/m", 2000000 },
		{ "1/m", 60000000 }, { "1000000/s", 1 },
	};
	const struct conf_limit *l;
	char block[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)snprintf(block, sizeof(block), "limit_req \"a\" { rate = "
		    "\"%s\"  burst = 3  nodelay = on }", all[i].text);
		l = only(block);
		no_errors();
		assert_int_equal(l->cost_us, all[i].us);
		assert_int_equal(l->delay, 3);
		assert_int_equal(l->status, 429);
		conf_free(conf);
		conf = NULL;
		conf_sources_free(&sources);
	}
}

static void
keys(void **state)
{
	const struct conf_key *k = &only("limit_conn \"a\" { max = 1  key = "
	    "\"a$remote_addr-$http_X_Api_Key$cookie_connect.sid\" }")->key;

	(void)state;
	no_errors();
	assert_int_equal(k->n, 5);
	assert_int_equal(k->v[0].what, CONF_KEY_TEXT);
	assert_string_equal(k->v[0].text, "a");
	assert_int_equal(k->v[1].what, CONF_KEY_ADDR);
	assert_string_equal(k->v[2].text, "-");
	assert_int_equal(k->v[3].what, CONF_KEY_HEADER);
	assert_string_equal(k->v[3].text, "x-api-key");
	assert_int_equal(k->v[4].what, CONF_KEY_COOKIE);
	assert_string_equal(k->v[4].text, "connect.sid");
}

static void
routes_inherit(void **state)
{
	const struct conf_route *r;

	(void)state;
	load(MAIN
	    "http { limit_req = a }\n"
	    "limit_req \"a\" { rate = \"1/s\" }\n"
	    "limit_req \"b\" { rate = \"1/s\" }\n"
	    "limit_conn \"a\" { max = 3 }\n"
	    "route \"/a\" { plugin = p  limit_conn = a }\n"
	    "route \"/b\" { plugin = p  limit_req = { b, a } }\n"
	    "route \"/none\" { plugin = p  limit_req = { } }\n");
	no_errors();
	r = TAILQ_FIRST(&conf->routes);
	assert_int_equal(r->limit_reqs.n, 1);
	assert_string_equal(r->limit_reqs.v[0]->name, "a");
	assert_int_equal(r->limit_conns.v[0]->max, 3);
	r = TAILQ_NEXT(r, entry);
	assert_int_equal(r->limit_reqs.n, 2);
	assert_string_equal(r->limit_reqs.v[0]->name, "b");
	assert_int_equal(r->limit_conns.n, 0);
	assert_int_equal(TAILQ_NEXT(r, entry)->limit_reqs.n, 0);
}

static void
mistakes(void **state)
{
	(void)state;
	load(MAIN
	    "limit_req \"a\" { rate = \"10/h\" }\n"
	    "limit_req \"b\" { rate = \"1/s\"  key = \"$remote\" }\n"
	    "limit_req \"c\" { rate = \"1/s\"  key = \"all\" }\n"
	    "limit_req \"d\" { rate = \"1/s\"  delay = 1  nodelay = on }\n"
	    "limit_conn \"e\" { }\n"
	    "route \"/\" { plugin = p  limit_req = { a, f }  "
	    "limit_conn = a }\n");
	next_error("hostd.conf:3: rate \"10/h\" is not a number of requests a "
	    "second or a minute, as \"10/s\" or \"30/m\", up to 1000000/s");
	next_error("hostd.conf:4: key \"$remote\" has a variable that is none "
	    "of $remote_addr, $remote_user, $host, $uri, $request_method, "
	    "$route, $http_NAME, $cookie_NAME, $arg_NAME and "
	    "$jwt_claim_NAME");
	next_error("hostd.conf:5: key \"all\" has no variable, so that all "
	    "requests would be one; write $host or $route for that");
	next_error("hostd.conf:6: \"delay\" says nothing beside nodelay = on");
	next_error("hostd.conf:7: limit_conn \"e\" needs the key \"max\"");
	next_error("hostd.conf:8: there is no limit_req \"f\"");
	last_error("hostd.conf:8: there is no limit_conn \"a\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rates, setup, teardown),
		cmocka_unit_test_setup_teardown(keys, setup, teardown),
		cmocka_unit_test_setup_teardown(routes_inherit, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(mistakes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
