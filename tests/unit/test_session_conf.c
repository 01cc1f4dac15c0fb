/* SPDX-License-Identifier: BSD-2-Clause */
/* Session blocks, and the routes that name them. */
#include "conf_case.h"

#define MAIN LISTEN "plugin \"p\" { module = x }\n"

static const struct conf_session *
only(const char *block)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), MAIN "session \"main\" {\n%s\n}\n",
	    block);
	load(text);
	return TAILQ_FIRST(&conf->sessions);
}

static void
defaults(void **state)
{
	const struct conf_session *s;

	(void)state;
	s = only("");
	no_errors();
	assert_string_equal(s->name, "main");
	assert_string_equal(s->cookie, "connect.sid");
	assert_string_equal(s->path, "/");
	assert_null(s->domain);
	assert_int_equal(s->secure, CONF_SECURE_AUTO);
	assert_true(s->httponly);
	assert_int_equal(s->samesite, CONF_SAMESITE_LAX);
	assert_false(s->partitioned);
	assert_int_equal(s->priority, CONF_PRIORITY_OFF);
	assert_int_equal(s->max_age, 0);
	assert_int_equal(s->ttl, 86400000);
	assert_false(s->rolling || s->resave || s->save_uninitialized);
	assert_int_equal(s->max_size, 65536);
	assert_int_equal(s->timeout, 2000);
	assert_false(s->anonymous);
	assert_null(s->login);
	assert_null(s->required_key);
	assert_string_equal(s->store->name, "session_lmdb");
	assert_true(s->store->bare);
}

static void
all_keys(void **state)
{
	const struct conf_session *s;

	(void)state;
	s = only("store = p  name = \"__Host-sid\"  path = \"/\"  secure = on\n"
	    "httponly = off  samesite = none  partitioned = on\n"
	    "priority = medium  secret = { \"new one\", old }\n"
	    "max_age = 30m  ttl = 2d  rolling = on  resave = on\n"
	    "save_uninitialized = on  max_size = 16k  timeout = 50ms\n"
	    "on_error = anonymous  login = \"/login?a=b\"\n"
	    "required_key = \"user\"");
	no_errors();
	assert_ptr_equal(s->store, TAILQ_FIRST(&conf->plugins));
	assert_false(s->store->bare);
	assert_string_equal(s->cookie, "__Host-sid");
	assert_int_equal(s->secure, CONF_SECURE_ON);
	assert_false(s->httponly);
	assert_int_equal(s->samesite, CONF_SAMESITE_NONE);
	assert_true(s->partitioned);
	assert_int_equal(s->priority, CONF_PRIORITY_MEDIUM);
	assert_string_equal(s->secrets, "new one\nold\n");
	assert_null(s->secret_file);
	assert_int_equal(s->max_age, 1800000);
	assert_int_equal(s->ttl, 172800000);
	assert_true(s->rolling && s->resave && s->save_uninitialized);
	assert_int_equal(s->max_size, 16384);
	assert_int_equal(s->timeout, 50);
	assert_true(s->anonymous);
	assert_string_equal(s->login, "/login?a=b");
	assert_string_equal(s->required_key, "user");
}

/* -- the cookie -- */

static void
cookies_that_browsers_drop(void **state)
{
	(void)state;
	(void)only("name = \"__Host-a\"  path = \"/x\"");
	next_error("hostd.conf:4: a cookie of the name \"__Host-a\" needs "
	    "secure = on");
	last_error("hostd.conf:4: a cookie of the name \"__Host-a\" needs "
	    "path = \"/\", and no domain");
}

static void
cookies_that_need_tls(void **state)
{
	(void)state;
	(void)only("name = \"__secure-a\"  secure = off\nsamesite = none\n"
	    "partitioned = on");
	next_error("hostd.conf:4: a cookie of the name \"__secure-a\" needs "
	    "secure = on");
	next_error("hostd.conf:5: browsers take cookies with samesite = none "
	    "only with secure = on or auto");
	last_error("hostd.conf:6: browsers take partitioned cookies only with "
	    "secure = on or auto");
}

static void
bad_attributes(void **state)
{
	(void)state;
	(void)only("name = \"a b\"\npath = \"x\"\ndomain = \"-x.example\"\n"
	    "login = \"login page\"");
	next_error("hostd.conf:4: name \"a b\" is not one that a cookie may "
	    "have: up to 128 letters, digits, \"_\", \"-\", \".\" ...");
	next_error("hostd.conf:5: path \"x\" does not start with \"/\", or has "
	    "a byte that no cookie's path may have");
	next_error("hostd.conf:6: domain \"-x.example\" is not a host's name");
	last_error("hostd.conf:7: login \"login page\" is neither a path that "
	    "starts with \"/\" nor \"https://\" and so on, with all other "
	    "bytes escaped with %");
}

static void
domains_and_paths(void **state)
{
	static const char *const bad[] = { "a..b", ".", "a.", "a_b", "a;b",
		"a/", "a:80", "" };
	char block[64];
	size_t i;

	(void)state;
	(void)only("domain = \".X.example\"  path = \"/app:1=~\"");
	no_errors();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf_free(conf);
		conf_sources_free(&sources);
		(void)snprintf(block, sizeof(block), "domain = \"%s\"",
		    bad[i]);
		(void)only(block);
		(void)snprintf(block, sizeof(block), "hostd.conf:4: domain "
		    "\"%s\" is not a host's name", bad[i]);
		last_error(block);
	}
}

/* -- secrets -- */

static void
a_secret_that_is_made(void **state)
{
	const struct conf_session *s;

	(void)state;
	load(MAIN "state_dir = \"/var/lib/hostd\"\nsession \"main\" { }\n");
	no_errors();
	s = TAILQ_FIRST(&conf->sessions);
	assert_null(s->secrets);
	assert_true(s->secret_is_made);
	assert_string_equal(s->secret_file,
	    "/var/lib/hostd/session-main.secret");
}

/* In a worker, where the generation has a copy of it. */
static void
a_secret_that_was_made(void **state)
{
	static const char file[] = "/var/lib/hostd/session-main.secret";
	struct map files = { NULL, 0, 0 };
	char copy[512];

	(void)state;
	scratch_puts("copy", "0123456789abcdef\n");
	(void)snprintf(copy, sizeof(copy), "%s", scratch_path("copy"));
	(void)map_put(&files, file, sizeof(file) - 1, copy);
	add_source("hostd.conf", MAIN "state_dir = \"/var/lib/hostd\"\n"
	    "session \"main\" { }\n");
	conf = conf_load(&sources, &files, &errs);
	no_errors();
	assert_string_equal(TAILQ_FIRST(&conf->sessions)->secrets,
	    "0123456789abcdef\n");
	map_free(&files);
}

static void
secrets_of_a_file(void **state)
{
	const struct conf_session *s;

	(void)state;
	scratch_puts("secrets", "new\nkeyboard cat\n");
	s = only("secret_file = secrets");
	no_errors();
	assert_string_equal(s->secrets, "new\nkeyboard cat\n");
	assert_string_equal(scratch_strip(s->secret_file), "secrets");
	assert_false(s->secret_is_made);
}

static void
files_that_will_not_do(void **state)
{
	(void)state;
	scratch_puts("empty", "\n\n");
	scratch_write("zero", "a\0b", 3);
	scratch_puts("open", "secret\n");
	assert_int_equal(chmod(scratch_path("open"), 0622), 0);
	load(MAIN "session \"a\" { name = a secret_file = empty }\n"
	    "session \"b\" { name = b secret_file = zero }\n"
	    "session \"c\" { name = c secret_file = absent }\n"
	    "session \"d\" { name = d secret_file = open }\n");
	next_error("hostd.conf:3: secret_file empty: there is no secret in it");
	next_error("hostd.conf:4: secret_file zero: it has a byte 0");
	next_error("hostd.conf:5: secret_file: absent: No such file or "
	    "directory");
	last_error("hostd.conf:6: secret_file: open may be written by "
	    "others; chmod go-w open");
}

static void
secrets_of_the_environment(void **state)
{
	const struct conf_session *s;

	(void)state;
	assert_int_equal(setenv("HOSTD_UNIT_SECRET", "one\ntwo", 1), 0);
	s = only("secret_env = HOSTD_UNIT_SECRET");
	assert_int_equal(unsetenv("HOSTD_UNIT_SECRET"), 0);
	no_errors();
	assert_string_equal(s->secrets, "one\ntwo");
	conf_free(conf);
	conf_sources_free(&sources);
	(void)only("secret_env = HOSTD_UNIT_SECRET");
	last_error("hostd.conf:4: hostd's environment has no variable "
	    "\"HOSTD_UNIT_SECRET\"");
}

static void
secrets_that_are_none(void **state)
{
	(void)state;
	scratch_puts("secrets", "new\n");
	load(MAIN "session \"a\" { name = a secret = {} }\n"
	    "session \"b\" { name = b secret = { x, \"\" } }\n"
	    "session \"c\" { name = c secret = \"x\\ny\" }\n"
	    "session \"d\" { name = d secret = x\nsecret_file = secrets }\n");
	next_error("hostd.conf:3: \"secret\" is empty; leave it out for one to "
	    "be made");
	next_error("hostd.conf:4: a secret is empty, or has more than one "
	    "line");
	next_error("hostd.conf:5: a secret is empty, or has more than one "
	    "line");
	last_error("hostd.conf:7: session \"d\" has its secrets of one place: "
	    "\"secret\", \"secret_file\" or \"secret_env\"");
}

/* -- blocks and routes -- */

static void
blocks_that_collide(void **state)
{
	(void)state;
	load(MAIN "session \"a\" { }\nsession \"b\" { path = \"/b\" }\n"
	    "session \"c\" { domain = x.example }\n"
	    "session \"d\" { domain = X.example }\n"
	    "session \"e\" { name = e }\nsession \"e\" { name = f }\n"
	    "session \"a/b\" { name = g }\n");
	next_error("hostd.conf:6: session \"d\" has the cookie of session "
	    "\"c\" at hostd.conf:5; give it another name, or path");
	next_error("hostd.conf:8: session \"e\" is already defined at "
	    "hostd.conf:7");
	last_error("hostd.conf:9: the name of session \"a/b\" may have up to "
	    "63 letters, digits, \"_\" and \"-\"");
}

static const struct conf_route *
next_route(const struct conf_route *r, int use, const char *sessions)
{
	assert_int_equal(r->session, use);
	if (sessions == NULL)
		assert_null(r->sessions);
	else
		assert_string_equal(r->sessions->name, sessions);
	return TAILQ_NEXT(r, entry);
}

static void
routes_have_the_first(void **state)
{
	const struct conf_route *r;

	(void)state;
	load(MAIN "route \"/a\" { plugin = p }\n"
	    "route \"/b\" { plugin = p  session = required }\n"
	    "route \"/c\" { plugin = p  session = off  sessions = two }\n"
	    "route \"/d\" { plugin = p  session = optional  sessions = two }\n"
	    "session \"one\" { }\nsession \"two\" { name = b }\n");
	no_errors();
	r = TAILQ_FIRST(&conf->routes);
	r = next_route(r, CONF_SESSION_OPTIONAL, "one");
	r = next_route(r, CONF_SESSION_REQUIRED, "one");
	r = next_route(r, CONF_SESSION_OFF, "two");
	r = next_route(r, CONF_SESSION_OPTIONAL, "two");
	assert_null(r);
	/* One that a plugin brings itself. */
	r = conf_route_add(conf, "/own", TAILQ_FIRST(&conf->plugins), &errs);
	(void)next_route(r, CONF_SESSION_OPTIONAL, "one");
}

static void
routes_without_any(void **state)
{
	const struct conf_route *r;

	(void)state;
	load(MAIN "route \"/a\" { plugin = p }\n"
	    "route \"/b\" { plugin = p  session = required }\n"
	    "route \"/c\" { plugin = p  sessions = main }\n");
	next_error("hostd.conf:4: there is no session block; add session "
	    "\"main\" { }");
	last_error("hostd.conf:5: there is no session \"main\"");
	r = TAILQ_FIRST(&conf->routes);
	(void)next_route(r, CONF_SESSION_OPTIONAL, NULL);
}

static void
routes_that_name_another(void **state)
{
	(void)state;
	load(MAIN "route \"/a\" { plugin = p  sessions = mian }\n"
	    "session \"main\" { }\n");
	last_error("hostd.conf:3: there is no session \"mian\"; did you mean "
	    "\"main\"?");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(defaults),
		CASE(all_keys),
		CASE(cookies_that_browsers_drop),
		CASE(cookies_that_need_tls),
		CASE(bad_attributes),
		CASE(domains_and_paths),
		CASE(a_secret_that_is_made),
		CASE(a_secret_that_was_made),
		CASE(secrets_of_a_file),
		CASE(files_that_will_not_do),
		CASE(secrets_of_the_environment),
		CASE(secrets_that_are_none),
		CASE(blocks_that_collide),
		CASE(routes_have_the_first),
		CASE(routes_without_any),
		CASE(routes_that_name_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
