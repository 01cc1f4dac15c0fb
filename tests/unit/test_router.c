/* SPDX-License-Identifier: BSD-2-Clause */
/* The router: the most specific route, by host, path and method. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/router.h"

static struct router *ro;
static struct http_req req;
static struct buf allow;
static struct http_route *found;

static int
setup(void **state)
{
	(void)state;
	ro = router_new();
	memset(&req, 0, sizeof(req));
	found = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	router_free(ro);
	buf_free(&allow);
	return 0;
}

static struct http_route *
add(const char *pattern, int is_prefix, const char *method, const char *host)
{
	char *methods[] = {(char *)(uintptr_t)method};
	char *hosts[] = {(char *)(uintptr_t)host};
	struct http_route *rt =
	    route_new(pattern, is_prefix, methods, method != NULL);

	router_add(ro, rt, hosts, host != NULL);
	return rt;
}

static int
find(const char *method, const char *host, const char *path, unsigned skip)
{
	static const char *const names[] = {"", "GET", "HEAD", "POST", "PUT",
	    "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"};
	uint32_t i;

	req.view.method = HOSTD_METHOD_OTHER;
	for (i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], method) == 0)
			req.view.method = i;
	req.view.method_name = (hostd_buf){method, strlen(method)};
	req.view.host = (hostd_buf){host, strlen(host)};
	req.view.path = (hostd_buf){path, strlen(path)};
	found = NULL;
	return router_find(ro, &req, skip, &found, &allow);
}

/* GET path goes to rt with that rest. */
static void
assert_goes(const char *path, const struct http_route *rt, const char *rest)
{
	assert_int_equal(find("GET", "h", path, 0), 0);
	assert_ptr_equal(found, rt);
	assert_int_equal(req.view.rest.n, strlen(rest));
	assert_memory_equal(req.view.rest.p, rest, strlen(rest));
}

static void
assert_param(unsigned i, const char *name, const char *value)
{
	assert_true(i < req.nparams);
	assert_int_equal(req.params[i].name.n, strlen(name));
	assert_memory_equal(req.params[i].name.p, name, strlen(name));
	assert_int_equal(req.params[i].value.n, strlen(value));
	assert_memory_equal(req.params[i].value.p, value, strlen(value));
}

static void
assert_allowed(const char *list)
{
	assert_int_equal(allow.len, strlen(list));
	assert_memory_equal(allow.p, list, allow.len);
}

static void
without_routes_nothing_is_found(void **state)
{
	(void)state;
	assert_int_equal(find("GET", "", "/", 0), 404);
	assert_int_equal(find("OPTIONS", "h", "*", 0), 404);
	assert_int_equal(allow.len, 0);
}

static void
exact_is_exact(void **state)
{
	struct http_route *a = add("/a", 0, NULL, NULL);

	(void)state;
	assert_goes("/a", a, "");
	assert_int_equal(find("GET", "h", "/a/", 0), 404);
	assert_int_equal(find("GET", "h", "/ab", 0), 404);
	assert_int_equal(find("GET", "h", "/A", 0), 404);
	assert_int_equal(find("GET", "h", "/", 0), 404);
}

static void
exact_before_longer_prefix(void **state)
{
	struct http_route *p = add("/a/b", 1, NULL, NULL);
	struct http_route *e = add("/a/b", 0, NULL, NULL);

	(void)state;
	assert_goes("/a/b", e, "");
	assert_goes("/a/b/c", p, "c");
}

static void
the_longest_prefix_wins(void **state)
{
	struct http_route *root = add("/", 1, NULL, NULL);
	struct http_route *a = add("/a/", 1, NULL, NULL);
	struct http_route *abc = add("/a/b/c/", 1, NULL, NULL);

	(void)state;
	assert_goes("/", root, "");
	assert_goes("/x/y", root, "x/y");
	assert_goes("/a", root, "a");
	assert_goes("/a/", a, "");
	assert_goes("/a/b/c", a, "b/c");
	assert_goes("/a/b/c/", abc, "");
	assert_goes("/a/b/c/d/e", abc, "d/e");
	assert_goes("/a/b/cc/d", a, "b/cc/d");
	assert_int_equal(find("OPTIONS", "h", "*", 0), 404);
}

static void
a_prefix_ends_at_a_segment(void **state)
{
	struct http_route *a = add("/img", 1, NULL, NULL);

	(void)state;
	assert_goes("/img", a, "");
	assert_goes("/img/", a, "");
	assert_goes("/img/x", a, "x");
	assert_int_equal(find("GET", "h", "/imgs", 0), 404);
}

/* One took the place of the other, so that "/x" could not be reached. */
static void
a_slash_makes_another_prefix(void **state)
{
	struct http_route *bare = add("/x", 1, NULL, NULL);
	struct http_route *dir = add("/x/", 1, NULL, NULL);

	(void)state;
	assert_goes("/x", bare, "");
	assert_goes("/x/", dir, "");
	assert_goes("/x/y", dir, "y");
	assert_int_equal(find("GET", "h", "/x/y", 1), 0);
	assert_ptr_equal(found, bare);
	assert_int_equal(find("GET", "h", "/x/y", 2), 404);
}

static void
parameters_take_one_segment(void **state)
{
	struct http_route *r = add("/u/:id/posts/:post", 0, NULL, NULL);

	(void)state;
	assert_goes("/u/42/posts/7a", r, "");
	assert_int_equal(req.nparams, 2);
	assert_param(0, "id", "42");
	assert_param(1, "post", "7a");
	assert_int_equal(find("GET", "h", "/u//posts/7", 0), 404);
	assert_int_equal(find("GET", "h", "/u/4/2/posts/7", 0), 404);
	assert_int_equal(find("GET", "h", "/u/42/posts/", 0), 404);
	assert_int_equal(find("GET", "h", "/u/42/posts/7/", 0), 404);
	assert_int_equal(find("GET", "h", "/u/42/posts", 0), 404);
	assert_int_equal(req.nparams, 0);
}

static void
parameters_of_a_prefix_leave_the_rest(void **state)
{
	struct http_route *dir = add("/u/:id/", 1, NULL, NULL);
	struct http_route *bare = add("/g/:id", 1, NULL, NULL);

	(void)state;
	assert_goes("/u/42/a/b", dir, "a/b");
	assert_param(0, "id", "42");
	assert_goes("/u/42/", dir, "");
	assert_int_equal(find("GET", "h", "/u/42", 0), 404);
	assert_goes("/g/1", bare, "");
	assert_goes("/g/1/x", bare, "x");
	assert_param(0, "id", "1");
}

static void
literals_before_parameters(void **state)
{
	struct http_route *any = add("/:a/:b", 0, NULL, NULL);
	struct http_route *one = add("/u/:b", 0, NULL, NULL);
	struct http_route *all = add("/u/me", 0, NULL, NULL);
	struct http_route *prefix = add("/u/", 1, NULL, NULL);

	(void)state;
	assert_goes("/u/me", all, "");
	assert_int_equal(req.nparams, 0);
	assert_goes("/u/you", one, "");
	assert_param(0, "b", "you");
	assert_goes("/v/you", any, "");
	assert_param(0, "a", "v");
	/* What the patterns do not match is the prefix's, without theirs. */
	assert_goes("/u/a/b", prefix, "a/b");
	assert_int_equal(req.nparams, 0);
}

/* The order in which they were added decided. */
static void
a_whole_pattern_before_a_prefix(void **state)
{
	struct http_route *p1 = add("/a/:x", 1, NULL, NULL);
	struct http_route *e1 = add("/a/:x", 0, NULL, NULL);
	struct http_route *e2 = add("/b/:x", 0, NULL, NULL);
	struct http_route *p2 = add("/b/:x", 1, NULL, NULL);

	(void)state;
	assert_goes("/a/1", e1, "");
	assert_goes("/a/1/2", p1, "2");
	assert_goes("/b/1", e2, "");
	assert_goes("/b/1/2", p2, "2");
}

/* Was taken for a parameter when another segment had one. */
static void
a_colon_inside_a_segment_is_a_colon(void **state)
{
	struct http_route *r = add("/v1:batch/:id", 0, NULL, NULL);

	(void)state;
	assert_goes("/v1:batch/7", r, "");
	assert_int_equal(req.nparams, 1);
	assert_param(0, "id", "7");
	assert_int_equal(find("GET", "h", "/v1other/7", 0), 404);
}

static void
as_many_parameters_as_there_is_room_for(void **state)
{
	struct http_route *r = add("/:a/:b/:c/:d/:e/:f/:g/:h", 0, NULL, NULL);

	(void)state;
	(void)add("/:a/:b/:c/:d/:e/:f/:g/:h/:i", 0, NULL, NULL);
	assert_goes("/1/2/3/4/5/6/7/8", r, "");
	assert_int_equal(req.nparams, REQ_MAX_PARAMS);
	assert_param(7, "h", "8");
	assert_int_equal(find("GET", "h", "/1/2/3/4/5/6/7/8/9", 0), 404);
}

static void
methods_tell_routes_apart(void **state)
{
	struct http_route *get = add("/a", 0, "GET", NULL);
	struct http_route *put = add("/a", 0, "PUT", NULL);
	struct http_route *purge = add("/a", 0, "PURGE", NULL);

	(void)state;
	assert_goes("/a", get, "");
	assert_int_equal(find("HEAD", "h", "/a", 0), 0);
	assert_ptr_equal(found, get);
	assert_int_equal(find("PUT", "h", "/a", 0), 0);
	assert_ptr_equal(found, put);
	assert_int_equal(find("PURGE", "h", "/a", 0), 0);
	assert_ptr_equal(found, purge);
	assert_int_equal(find("DELETE", "h", "/a", 0), 405);
	assert_allowed("PURGE, PUT, GET, HEAD");
	assert_int_equal(find("PURG", "h", "/a", 0), 405);
	assert_int_equal(find("PURGES", "h", "/a", 0), 405);
	assert_null(found);
}

static void
methods_of_patterns_and_prefixes(void **state)
{
	struct http_route *get = add("/:id", 0, "GET", NULL);
	struct http_route *post = add("/:id", 0, "POST", NULL);

	(void)state;
	(void)add("/p/", 1, "GET", NULL);
	assert_goes("/1", get, "");
	assert_int_equal(find("POST", "h", "/1", 0), 0);
	assert_ptr_equal(found, post);
	assert_int_equal(find("PUT", "h", "/1", 0), 405);
	assert_allowed("POST, GET, HEAD");
	assert_int_equal(find("POST", "h", "/p/x", 0), 405);
	assert_allowed("GET, HEAD");
}

/* The most specific pattern decides, also when a wider one would take it. */
static void
the_most_specific_pattern_refuses_for_all(void **state)
{
	struct http_route *all = add("/", 1, NULL, NULL);

	(void)state;
	(void)add("/a", 0, "POST", NULL);
	assert_int_equal(find("GET", "h", "/a", 0), 405);
	assert_allowed("POST");
	assert_goes("/b", all, "b");
	assert_int_equal(allow.len, 0);
}

static void
hosts_by_how_much_they_say(void **state)
{
	struct http_route *any = add("/", 1, NULL, NULL);
	struct http_route *wide = add("/", 1, NULL, "*.example.com");
	struct http_route *narrow = add("/", 1, NULL, "*.eu.example.com");
	struct http_route *exact = add("/", 1, NULL, "a.eu.example.com");

	(void)state;
	assert_int_equal(find("GET", "a.eu.example.com", "/", 0), 0);
	assert_ptr_equal(found, exact);
	assert_int_equal(find("GET", "b.eu.example.com", "/", 0), 0);
	assert_ptr_equal(found, narrow);
	assert_int_equal(find("GET", "eu.example.com", "/", 0), 0);
	assert_ptr_equal(found, wide);
	assert_int_equal(find("GET", "x.y.example.com", "/", 0), 0);
	assert_ptr_equal(found, wide);
	assert_int_equal(find("GET", "example.com", "/", 0), 0);
	assert_ptr_equal(found, any);
	assert_int_equal(find("GET", "notexample.com", "/", 0), 0);
	assert_ptr_equal(found, any);
	assert_int_equal(find("GET", "", "/", 0), 0);
	assert_ptr_equal(found, any);
	assert_int_equal(find("GET", ".", "/", 0), 0);
	assert_ptr_equal(found, any);
}

static void
a_host_without_the_path_leaves_it_to_others(void **state)
{
	struct http_route *any = add("/b", 0, NULL, NULL);
	struct http_route *mine = add("/a", 0, "GET", "h");

	(void)state;
	assert_goes("/a", mine, "");
	assert_goes("/b", any, "");
	assert_int_equal(find("PUT", "h", "/a", 0), 405);
	assert_int_equal(find("PUT", "other", "/a", 0), 404);
}

static void
one_route_for_many_hosts(void **state)
{
	char *methods[] = {
	    (char *)(uintptr_t) "GET", (char *)(uintptr_t) "LINK"};
	char *hosts[] = {(char *)(uintptr_t) "a", (char *)(uintptr_t) "b",
	    (char *)(uintptr_t) "*.c"};
	static const char *const names[] = {"a", "b", "x.c"};
	struct http_route *rt = route_new("/p", 0, methods, 2);
	size_t i;

	(void)state;
	rt->max_body = 17;
	router_add(ro, rt, hosts, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(find("LINK", names[i], "/p", 0), 0);
		assert_int_equal(found->max_body, 17);
		assert_int_equal(find("PUT", names[i], "/p", 0), 405);
		assert_allowed("GET, HEAD, LINK");
	}
	assert_int_equal(find("GET", "c", "/p", 0), 404);
}

static void
passing_asks_the_next_best(void **state)
{
	struct http_route *best = add("/a/b", 0, NULL, "h");
	struct http_route *second = add("/a/:x", 0, NULL, "h");
	struct http_route *third = add("/a/", 1, NULL, "h");
	struct http_route *last = add("/", 1, NULL, NULL);
	struct http_route *const order[] = {best, second, third, last};
	unsigned i;

	(void)state;
	/* In the way of POST, but not of what was passed on. */
	(void)add("/a/b", 0, "POST", NULL);
	for (i = 0; i < 4; i++) {
		assert_int_equal(find("GET", "h", "/a/b", i), 0);
		assert_ptr_equal(found, order[i]);
	}
	assert_int_equal(req.nparams, 0);
	assert_int_equal(find("GET", "h", "/a/b", 4), 404);
	assert_int_equal(find("GET", "h", "/a/b", 1000), 404);
	assert_int_equal(allow.len, 0);
}

static void
many_routes(void **state)
{
	static struct http_route *all[1000];
	char path[32];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		(void)snprintf(path, sizeof(path), "/r%d/", i);
		all[i] = add(path, 1, NULL, NULL);
	}
	for (i = 0; i < 1000; i++) {
		(void)snprintf(path, sizeof(path), "/r%d/x", i);
		assert_goes(path, all[i], "x");
	}
	assert_int_equal(find("GET", "h", "/r1000/x", 0), 404);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(without_routes_nothing_is_found),
	    T(exact_is_exact),
	    T(exact_before_longer_prefix),
	    T(the_longest_prefix_wins),
	    T(a_prefix_ends_at_a_segment),
	    T(a_slash_makes_another_prefix),
	    T(parameters_take_one_segment),
	    T(parameters_of_a_prefix_leave_the_rest),
	    T(literals_before_parameters),
	    T(a_whole_pattern_before_a_prefix),
	    T(a_colon_inside_a_segment_is_a_colon),
	    T(as_many_parameters_as_there_is_room_for),
	    T(methods_tell_routes_apart),
	    T(methods_of_patterns_and_prefixes),
	    T(the_most_specific_pattern_refuses_for_all),
	    T(hosts_by_how_much_they_say),
	    T(a_host_without_the_path_leaves_it_to_others),
	    T(one_route_for_many_hosts),
	    T(passing_asks_the_next_best),
	    T(many_routes),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
