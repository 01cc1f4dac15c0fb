/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes of the configuration: patterns, hosts, methods, double claims. */
#include "conf_case.h"

static void
patterns_of_routes(void **state)
{
	static const struct {
		const char *path, *why;
	} bad[] = {
	    {"", "does not start with \"/\""},
	    {"a", "does not start with \"/\""},
	    {"/%41", "has one of % ? #; write the decoded path"},
	    {"/a?b", "has one of % ? #; write the decoded path"},
	    {"/a#b", "has one of % ? #; write the decoded path"},
	    {"//", "has an empty segment (\"//\")"},
	    {"/a//b", "has an empty segment (\"//\")"},
	    {"/./a", "has a dot segment, which no request's path keeps"},
	    {"/a/..", "has a dot segment, which no request's path keeps"},
	    {"/:", "has a parameter whose name is not [a-z0-9_]+"},
	    {"/:A", "has a parameter whose name is not [a-z0-9_]+"},
	    {"/:a-b", "has a parameter whose name is not [a-z0-9_]+"},
	    {"/:a/:a", "has two parameters of one name"},
	    {"/:a/:b/:c/:d/:e/:f/:g/:h/:i", "has more than 8 parameters"},
	};
	static const char *const good[] = {"/", "/a", "/a/", "/.a", "/...",
	    "/a..", "/:a/:b/:c/:d/:e/:f/:g/:h", "/:a_1", "/v1:x", "/\xc3\xa9",
	    "/a b"};
	struct conf_plugin plugin = {.name = (char *)(uintptr_t) "p"};
	char want[256];
	size_t i;

	(void)state;
	load(LISTEN);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(conf_route_add(conf, bad[i].path, &plugin, &errs));
		(void)snprintf(want, sizeof(want),
		    "plugin \"p\": its route \"%s\" %s", bad[i].path,
		    bad[i].why);
		last_error(want);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_non_null(conf_route_add(conf, good[i], &plugin, &errs));
	assert_null(TAILQ_NEXT(last, entry));
}

static const struct conf_route *
next_pool(const struct conf_route *r, const char *want)
{
	if (want == NULL)
		assert_null(r->pool);
	else
		assert_string_equal(r->pool->name, want);
	return TAILQ_NEXT(r, entry);
}

static void
pools_of_routes(void **state)
{
	const struct conf_route *r;

	(void)state;
	load(LISTEN "route \"/a\" { plugin = p }\n"
		    "route \"/b\" { plugin = p  pool = socket }\n"
		    "route \"/c\" { plugin = q }\n"
		    "route \"/d\" { plugin = q  pool = web }\n"
		    "plugin \"p\" { module = x }\n"
		    "plugin \"q\" { pool = socket  module = x }\n"
		    "pool \"web\" { }\npool \"socket\" { balance = on\n"
		    "queue_timeout = 250ms }\n");
	no_errors();
	assert_false(TAILQ_FIRST(&conf->pools)->balance);
	assert_int_equal(TAILQ_FIRST(&conf->pools)->queue_timeout, 5000);
	r = TAILQ_FIRST(&conf->routes);
	r = next_pool(r, NULL);
	assert_true(r->pool->balance);
	assert_int_equal(r->pool->queue_timeout, 250);
	r = next_pool(r, "socket");
	r = next_pool(r, "socket");
	assert_null(next_pool(r, "web"));
	/* One that a plugin brings itself. */
	r = conf_route_add(conf, "/e", r->plugin, &errs);
	assert_null(next_pool(r, "socket"));
}

static void
pools_that_are_not_there(void **state)
{
	(void)state;
	load(LISTEN "pool \"web\" { }\npool \"socket\" { }\n"
		    "plugin \"p\" {\nmodule = x\npool = sockets\n}\n"
		    "plugin \"q\" {\nmodule = x\npool = web\npool = web\n}\n"
		    "plugin \"r\" {\nmodule = x\npool = {}\n}\n"
		    "route \"/a\" {\nplugin = p\npool = wb\n}\n");
	next_error("hostd.conf:6: there is no pool \"sockets\"; did you mean "
		   "\"socket\"?");
	next_error("hostd.conf:11: \"pool\" takes one value, once");
	next_error("hostd.conf:15: \"pool\" takes one value, once");
	next_error("hostd.conf:19: there is no pool \"wb\"; did you mean "
		   "\"web\"?");
	assert_null(TAILQ_NEXT(last, entry));
}

static void
hosts_and_methods_of_routes(void **state)
{
	(void)state;
	load(LISTEN "plugin \"p\" { module = x }\n"
		    "route \"/a\" { plugin = p methods = {get} }\n"
		    "route \"/b\" { plugin = p methods = {\"\"} }\n"
		    "route \"/c\" { plugin = p host = {\"\"} }\n"
		    "route \"/d\" { plugin = p host = {\"a.*\"} }\n"
		    "route \"/e\" { plugin = p host = {\"*.*.a\"} }\n"
		    "route \"/f\" { plugin = p host = {\"*\"} }\n"
		    "route \"/g\" { plugin = p host = {\"a/b\"} }\n"
		    "route \"/h\" { plugin = p host = {\"*.A\", \"B\"} }\n");
	next_error("hostd.conf:3: method \"get\" is not a word of capital "
		   "letters");
	next_error("hostd.conf:4: method \"\" is not a word of capital "
		   "letters");
	next_error("hostd.conf:5: host \"\" is neither a name nor \"*.name\"");
	next_error("hostd.conf:6: host \"a.*\" is neither a name nor "
		   "\"*.name\"");
	next_error("hostd.conf:7: host \"*.*.a\" is neither a name nor "
		   "\"*.name\"");
	next_error("hostd.conf:8: host \"*\" is neither a name nor "
		   "\"*.name\"");
	last_error("hostd.conf:9: host \"a/b\" is neither a name nor "
		   "\"*.name\"");
}

#define PLUGINS "plugin \"p\" { module = p }\nplugin \"q\" { module = q }\n"

static void
a_route_of_two_plugins_names_both(void **state)
{
	(void)state;
	load(LISTEN PLUGINS
	    "route \"/a\" { plugin = p }\nroute \"/a\" { plugin = q }\n");
	last_error("hostd.conf:5: route \"/a\" of plugin \"q\" is already "
		   "taken by plugin \"p\" at hostd.conf:4");
}

static void
routes_that_collide(void **state)
{
	static const char *const pairs[][2] = {
	    {"\"/a/\" { plugin = p }", "\"/a/\" { plugin = q match = prefix }"},
	    {"\"/a\" { plugin = p }", "\"/a\" { plugin = q match = exact }"},
	    {"\"/:x/b\" { plugin = p }", "\"/:y/b\" { plugin = q }"},
	    {"\"/a\" { plugin = p methods = GET }", "\"/a\" { plugin = q }"},
	    {"\"/a\" { plugin = p methods = {GET, PUT} }",
		"\"/a\" { plugin = q methods = {POST, PUT} }"},
	    {"\"/a\" { plugin = p host = \"h\" }",
		"\"/a\" { plugin = q host = {\"g\", \"H\"} }"},
	    {"\"/a\" { plugin = p }", "\"/a\" { plugin = p }"},
	};
	struct conf_error *e;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    LISTEN PLUGINS "route %s\nroute %s\n", pairs[i][0],
		    pairs[i][1]);
		load(text);
		e = TAILQ_FIRST(&errs);
		assert_non_null(e);
		assert_non_null(strstr(e->text,
		    "is already taken by plugin "
		    "\"p\" at "));
		assert_null(TAILQ_NEXT(e, entry));
		conf_free(conf);
		conf_errors_free(&errs);
		conf_sources_free(&sources);
	}
	conf = NULL;
}

static void
routes_that_do_not_collide(void **state)
{
	(void)state;
	load(LISTEN PLUGINS "route \"/a\" { plugin = p }\n"
			    "route \"/a\" { plugin = q match = prefix }\n"
			    "route \"/a/\" { plugin = q }\n"
			    "route \"/a\" { plugin = q host = \"h\" }\n"
			    "route \"/b\" { plugin = p methods = GET }\n"
			    "route \"/b\" { plugin = q methods = POST }\n"
			    "route \"/c\" { plugin = p host = \"h\" }\n"
			    "route \"/c\" { plugin = q host = \"*.h\" }\n"
			    "route \"/:x/b\" { plugin = p }\n"
			    "route \"/:x/:y\" { plugin = q }\n"
			    "route \"/v1:a/:x\" { plugin = p }\n"
			    "route \"/v1:b/:x\" { plugin = q }\n");
	no_errors();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(patterns_of_routes),
	    T(pools_of_routes),
	    T(pools_that_are_not_there),
	    T(hosts_and_methods_of_routes),
	    T(a_route_of_two_plugins_names_both),
	    T(routes_that_collide),
	    T(routes_that_do_not_collide),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
