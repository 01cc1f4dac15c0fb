/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed configuration: what is built, and every mistake in one run. */
#include <netinet/in.h>

#include "base/log.h"
#include "conf_case.h"
#include "config/schema.h"

static void
assert_path(const char *path, const char *want)
{
	assert_non_null(path);
	assert_string_equal(scratch_strip(path), want);
}

static void
defaults(void **state)
{
	(void)state;
	load(LISTEN);
	no_errors();
	assert_string_equal(conf->user, "nobody");
	assert_null(conf->group);
	assert_null(conf->pid_file);
	assert_path(conf->conf_dir, "conf.d");
	assert_string_equal(conf->error_log, "stderr");
	assert_int_equal(conf->log_level, LOG_LVL_INFO);
	assert_int_equal(conf->drain_timeout, 30000);
	assert_int_equal(conf->http.max_head, 16384);
	assert_int_equal(conf->http.max_headers, 100);
	assert_int_equal(conf->http.idle_timeout, 60000);
	assert_string_equal(conf->http.server, "hostd");
	assert_false(conf->http.over_limit_503);
	assert_string_equal(TAILQ_FIRST(&conf->pools)->name, "web");
	assert_true(TAILQ_FIRST(&conf->pools)->workers >= 1);
	assert_true(TAILQ_EMPTY(&conf->plugins));
	assert_true(TAILQ_EMPTY(&conf->routes));
}

static void
pools_and_listens(void **state)
{
	const struct conf_listen *l;
	const struct conf_pool *p;

	(void)state;
	load(
	    "listen \"b\" { address = \"[::1]:81\"  pool = two v6only = off }\n"
	    "pool \"one\" { workers = auto }\npool \"two\" { workers = 3 }\n"
	    "listen \"a\" { address = \"127.0.0.1:80\" backlog = 5 }\n"
	    "listen \"c\" { address = \"unix:/x.sock\"  "
	    "permissions = 0600 }\n");
	no_errors();
	p = TAILQ_FIRST(&conf->pools);
	assert_string_equal(p->name, "one");
	assert_int_equal(TAILQ_NEXT(p, entry)->workers, 3);
	l = TAILQ_FIRST(&conf->listens);
	assert_string_equal(l->pool->name, "two");
	assert_int_equal(l->addr.ss.ss_family, AF_INET6);
	assert_false(l->v6only);
	l = TAILQ_NEXT(l, entry);
	assert_string_equal(l->pool->name, "one");
	assert_string_equal(l->address, "127.0.0.1:80");
	assert_int_equal(l->backlog, 5);
	assert_true(l->v6only);
	l = TAILQ_NEXT(l, entry);
	assert_true(addr_is_unix(&l->addr));
	assert_int_equal(l->permissions, 0600);
	assert_int_equal(l->pos.line, 5);
}

static void
what_workers_are_given(void **state)
{
	const struct conf_pool *p;

	(void)state;
	load(LISTEN
	    "pool \"a\" { workers = -1  max_memory = 64m  watchdog = 0\n"
	    "restart_at = \"0 4 * * sun\"  env = {\"A=1\", \"_b2=x=y\", "
	    "\"C=\"}\n affinity = \"0-2,5\"  nice = -20 }\n"
	    "pool \"b\" { affinity = auto  env = \"A=2\" }\n"
	    "pool \"c\" { }\n");
	no_errors();
	p = TAILQ_FIRST(&conf->pools);
	assert_true(p->workers >= 1);
	assert_int_equal(p->max_memory, 64 << 20);
	assert_int_equal(p->watchdog, 0);
	assert_true(p->restarts);
	assert_int_equal(p->restart_at.hours, 1 << 4);
	assert_int_equal(p->nenv, 3);
	assert_string_equal(p->env[1], "_b2=x=y");
	assert_int_equal(p->affinity, CONF_AFFINITY_LIST);
	assert_int_equal(CPU_COUNT(&p->cpus), 4);
	assert_true(CPU_ISSET(5, &p->cpus));
	assert_true(p->has_nice);
	assert_int_equal(p->nice, -20);
	p = TAILQ_NEXT(p, entry);
	assert_int_equal(p->affinity, CONF_AFFINITY_AUTO);
	assert_string_equal(p->env[0], "A=2");
	p = TAILQ_NEXT(p, entry);
	assert_int_equal(p->affinity, CONF_AFFINITY_ANY);
	assert_int_equal(p->max_memory, 0);
	assert_int_equal(p->watchdog, 30000);
	assert_false(p->restarts);
	assert_int_equal(p->nenv, 0);
	assert_false(p->has_nice);
}

static void
what_workers_can_not_be_given(void **state)
{
	(void)state;
	load(LISTEN "pool \"a\" {\nworkers = -2\nnice = 20\n"
	    "restart_at = \"* 25 * * *\"\nenv = {\"A=1\", \"2=x\"}\n"
	    "affinity = \"0-\"\n}\n"
	    "pool \"b\" {\nenv = \"=x\"\naffinity = \"3-1\"\n}\n"
	    "pool \"c\" {\nenv = \"A\"\naffinity = \"0,,1\"\n}\n"
	    "pool \"d\" { affinity = 9999 }\n");
	next_error("hostd.conf:4: \"nice\" must be from -20 to 19");
	next_error("hostd.conf:3: \"workers\" must be \"auto\", -1 (all "
		   "cores but one), or from 1 to 256");
	next_error("hostd.conf:5: restart_at \"* 25 * * *\": \"25\" is no "
		   "hour: \"*\", numbers from 0 to 23, ranges and lists of "
		   "them, and steps");
	next_error("hostd.conf:6: \"env\" takes \"NAME=value\", not \"2=x\"");
	next_error("hostd.conf:7: \"affinity\" must be \"auto\" or cpus as "
		   "\"0-3,5\", not \"0-\"");
	next_error("hostd.conf:10: \"env\" takes \"NAME=value\", not \"=x\"");
	next_error("hostd.conf:11: \"affinity\" must be \"auto\" or cpus as "
		   "\"0-3,5\", not \"3-1\"");
	next_error("hostd.conf:14: \"env\" takes \"NAME=value\", not \"A\"");
	next_error("hostd.conf:15: \"affinity\" must be \"auto\" or cpus as "
		   "\"0-3,5\", not \"0,,1\"");
	last_error("hostd.conf:17: \"affinity\" must be \"auto\" or cpus as "
		   "\"0-3,5\", not \"9999\"");
}

static void
plugins_and_routes(void **state)
{
	const struct conf_plugin *p;
	const struct conf_route *r;

	(void)state;
	load(LISTEN "plugin_dir = \"/p\"\nhttp { max_body = 2m }\n"
		    "route \"/b/:id/\" { plugin = b  host = {\"EXAMPLE.com\", "
		    "\"*.x\"} methods = {GET, PURGE} match = exact "
		    "max_body = 7 }\n"
		    "plugin \"a\" { module = \"a.so\" }\n"
		    "plugin \"b\" { module = \"/q/b.so\"  x = 1 }\n"
		    "route \"/\" { plugin = a }\n");
	no_errors();
	p = TAILQ_FIRST(&conf->plugins);
	assert_string_equal(p->file, "/p/a.so");
	p = TAILQ_NEXT(p, entry);
	assert_string_equal(p->name, "b");
	assert_string_equal(p->file, "/q/b.so");
	assert_false(p->bare);
	assert_string_equal(TAILQ_FIRST(&p->node->children)->name, "module");
	r = TAILQ_FIRST(&conf->routes);
	assert_string_equal(r->path, "/b/:id/");
	assert_ptr_equal(r->plugin, p);
	assert_int_equal(r->nhosts, 2);
	assert_string_equal(r->hosts[0], "example.com");
	assert_string_equal(r->hosts[1], "*.x");
	assert_int_equal(r->nmethods, 2);
	assert_int_equal(r->match, CONF_MATCH_EXACT);
	assert_int_equal(r->max_body, 7);
	r = TAILQ_NEXT(r, entry);
	assert_int_equal(r->max_body, 2 << 20);
	assert_int_equal(r->defer_timeout, 30000);
	assert_int_equal(r->match, CONF_MATCH_AUTO);
}

static void
paths_start_at_the_main_file(void **state)
{
	const struct conf_access_log *a;

	(void)state;
	load(LISTEN "run_dir = \"run\"\npid_file = \"/x/pid\"\n"
		    "plugin_dir = \"../p\"\nerror_log = \"err.log\"\n"
		    "access_log \"a\" { path = \"access.log\" }\n"
		    "access_log \"b\" { path = off  format = json }\n"
		    "access_log \"c\" { path = stderr }\n");
	no_errors();
	assert_path(conf->run_dir, "run");
	assert_path(conf->control, "run/control.sock");
	assert_string_equal(conf->pid_file, "/x/pid");
	assert_path(conf->plugin_dir, "../p");
	assert_path(conf->error_log, "err.log");
	a = TAILQ_FIRST(&conf->access_logs);
	assert_path(a->path, "access.log");
	assert_string_equal(a->format, "combined");
	a = TAILQ_NEXT(a, entry);
	assert_string_equal(a->path, "off");
	assert_string_equal(a->format, "json");
	assert_string_equal(TAILQ_NEXT(a, entry)->path, "stderr");
}

static void
a_prefix_moves_defaults_only(void **state)
{
	(void)state;
	(void)setenv("HOSTD_PREFIX", "/opt/h", 1);
	load(LISTEN "run_dir = \"/r\"\n");
	no_errors();
	assert_string_equal(conf->plugin_dir, "/opt/h/lib/hostd/plugins");
	assert_string_equal(conf->run_dir, "/r");
	assert_string_equal(conf->control, "/r/control.sock");
}

static void
many_files_are_one_configuration(void **state)
{
	const struct conf_plugin *p;

	(void)state;
	add_source("hostd.conf", LISTEN "route \"/\" { plugin = late }\n");
	add_source("a.conf", "plugin \"late\" { module = \"/late.so\" }\n");
	add_source("b.conf",
	    "log_level = debug\nuser = \"${NOT_SET}\"\n"
	    "pool \"w\" { worker = 1 }\n");
	conf_sources_add(&sources, "/x/conf.d/bare.so", "/gen/1/bare.so", 1);
	conf = conf_load(&sources, NULL, &errs);
	next_error("b.conf:2: the environment variable NOT_SET is not set; set "
		   "it, or write ${NOT_SET:-default}");
	last_error("b.conf:3: unknown key \"worker\"; did you mean "
		   "\"workers\"?");
	assert_int_equal(conf->log_level, LOG_LVL_DEBUG);
	p = TAILQ_NEXT(TAILQ_FIRST(&conf->plugins), entry);
	assert_string_equal(p->name, "bare");
	assert_string_equal(p->file, "/x/conf.d/bare.so");
	assert_true(p->bare);
	assert_true(TAILQ_EMPTY(&p->node->children));
	assert_string_equal(p->pos.file, "/x/conf.d/bare.so");
}

static void
a_missing_file_is_one_error_of_many(void **state)
{
	(void)state;
	add_source("hostd.conf", LISTEN "usr = \"x\"\n");
	conf_sources_add(&sources, "gone.conf", scratch_path("gone.conf"), 0);
	conf = conf_load(&sources, NULL, &errs);
	next_error("gone.conf: No such file or directory");
	last_error("hostd.conf:2: unknown key \"usr\"; did you mean \"user\"?");
}

static void
all_errors_in_one_run(void **state)
{
	(void)state;
	load("usr = x\nlog_level = loud\nhttp {\n\tmax_head = 1\n"
	     "\tmax_heads = 2\n}\npool \"web\" { workers = 0 }\n"
	     "listen \"a\" { address = \"nowhere:80\" }\n"
	     "listen \"b\" { pool = wep }\n"
	     "plugin \"c\" { }\nroute \"/\" { plugin = d }\n"
	     "error_page \"200\" { file = \"none\" }\n"
	     "access_log \"e\" { pth = x }\n");
	next_error("hostd.conf:1: unknown key \"usr\"; did you mean \"user\"?");
	next_error("hostd.conf:2: \"log_level\" must be one of debug, info, "
		   "warn, error, not \"loud\"");
	next_error("hostd.conf:4: \"max_head\" must be from 256 to 60k");
	next_error("hostd.conf:5: unknown key \"max_heads\"; did you mean "
		   "\"max_head\"?");
	next_error("hostd.conf:3: \"max_request_line\" is more than "
		   "\"max_head\", which includes it");
	next_error("hostd.conf:7: \"workers\" must be \"auto\", -1 (all "
		   "cores but one), or from 1 to 256");
	next_error("hostd.conf:8: address \"nowhere:80\": it is not an "
		   "address; write \"127.0.0.1:8080\", \"[::1]:8080\", "
		   "\"*:8080\" or \"unix:/path\"");
	next_error("hostd.conf:9: listen \"b\" needs the key \"address\"");
	next_error("hostd.conf:9: there is no pool \"wep\"; did you mean "
		   "\"web\"?");
	next_error("hostd.conf:10: plugin \"c\" needs the key \"module\", the "
		   "name of its .so file");
	next_error("hostd.conf:11: there is no plugin \"d\"");
	next_error("hostd.conf:12: error_page \"200\": the title must be a "
		   "status from 400 to 599");
	next_error("hostd.conf:12: error page none: No such file or directory");
	next_error("hostd.conf:13: unknown key \"pth\"; did you mean "
		   "\"path\"?");
	last_error("hostd.conf:13: access_log \"e\" needs the key \"path\"");
}

static void
nothing_to_listen_to(void **state)
{
	(void)state;
	load("# nothing\n");
	last_error("hostd.conf:1: there is no listen block; add listen "
		   "\"main\" { address = \"8080\" }");
}

static void
blocks_of_the_wrong_shape(void **state)
{
	(void)state;
	load(LISTEN "pool = 3\nlisten { address = \"81\" }\nhttp \"x\" { }\n"
		    "http { }\nhttp { }\nhttp = 1\npools \"x\" { }\n"
		    "user { }\n");
	next_error("hostd.conf:8: unknown block \"pools\"; did you mean "
		   "\"pool\"?");
	next_error("hostd.conf:9: \"user\" is a key, not a block; write user "
		   "= value");
	next_error("hostd.conf:4: \"http\" is a block without a title: http { "
		   "... }");
	next_error("hostd.conf:6: http is already defined at "
		   "hostd.conf:5");
	next_error("hostd.conf:7: \"http\" is a block without a title: http { "
		   "... }");
	next_error("hostd.conf:2: \"pool\" is a block with a title: pool "
		   "\"name\" { ... }");
	last_error("hostd.conf:3: \"listen\" is a block with a title: listen "
		   "\"name\" { ... }");
}

/* Each key that the builders read as a text, given a list: no text came. */
static void
lists_where_texts_belong(void **state)
{
	(void)state;
	load("plugin_dir = {a, b}\nrun_dir = {}\nerror_log = {}\n"
	     "user = {}\ncontrol = {}\nconf_dir = {}\nlog_level = {}\n"
	     "http { server = {}  max_head = {}  over_limit = {} }\n"
	     "pool \"p\" { workers = {1, 2} }\n"
	     "listen \"l\" { address = {} permissions = {} pool = {} "
	     "backlog = {} }\n"
	     "plugin \"x\" { module = {} }\n"
	     "plugin \"y\" { module = {a, b} }\n"
	     "route \"/\" { plugin = {} match = {} }\n"
	     "error_page \"404\" { file = {} type = {} }\n"
	     "access_log \"a\" { path = {} format = {} }\n"
	     "pool \"q\" { workers =\n}\n");
	next_error("hostd.conf:16: \"workers\" has no value");
	next_error("hostd.conf:1: \"plugin_dir\" takes one value, not a list");
	next_error("hostd.conf:2: \"run_dir\" takes one value, not a list");
	assert_string_equal(conf->error_log, "stderr");
	assert_string_equal(conf->http.server, "hostd");
}

static void
addresses_once(void **state)
{
	(void)state;
	load(LISTEN "listen \"b\" { address = \"*:8080\" }\n"
		    "listen \"c\" { address = \"127.0.0.1:8080\" }\n"
		    "listen \"d\" { address = \"unix:/a\" }\n"
		    "listen \"e\" { address = \"unix:/b\" }\n"
		    "listen \"f\" { address = \"unix:/a\" }\n"
		    "listen \"main\" { address = \"9\" }\n"
		    "listen \"x\" { address = \"no:1\" }\n"
		    "listen \"y\" { address = \"no:2\" permissions = 8 }\n");
	next_error("hostd.conf:2: address \"*:8080\" is already listened to by "
		   "\"main\" at hostd.conf:1");
	next_error("hostd.conf:6: address \"unix:/a\" is already listened to "
		   "by \"d\" at hostd.conf:4");
	next_error("hostd.conf:7: listen \"main\" is already defined at "
		   "hostd.conf:1");
	next_error("hostd.conf:8: address \"no:1\": it is not an address; "
		   "write \"127.0.0.1:8080\", \"[::1]:8080\", \"*:8080\" or "
		   "\"unix:/path\"");
	next_error("hostd.conf:9: \"permissions\" must be octal permissions, "
		   "as 0660");
	last_error("hostd.conf:9: address \"no:2\": it is not an address; "
		   "write \"127.0.0.1:8080\", \"[::1]:8080\", \"*:8080\" or "
		   "\"unix:/path\"");
}

static void
names_of_plugins(void **state)
{
	(void)state;
	load(LISTEN "plugin \"a b\" { module = \"a.so\" }\n"
		    "plugin \"chat\" { module = \"a.so\" }\n"
		    "plugin \"chat\" { module = \"b.so\" }\n"
		    "plugin \"d\" { module = \"\" }\n"
		    "plugin \"e\" { module = x module = y }\n"
		    "plugin \"\" { module = x }\n"
		    "route \"/\" { plugin = chta }\n");
	next_error("hostd.conf:2: the name of plugin \"a b\" may have only "
		   "letters, digits, \"_\" and \"-\"");
	next_error("hostd.conf:4: plugin \"chat\" is already defined at "
		   "hostd.conf:3");
	next_error("hostd.conf:5: plugin \"d\" needs the key \"module\", the "
		   "name of its .so file");
	next_error("hostd.conf:6: \"module\" takes one value, once");
	next_error("hostd.conf:7: the name of plugin \"\" may have only "
		   "letters, digits, \"_\" and \"-\"");
	last_error("hostd.conf:8: there is no plugin \"chta\"; did you mean "
		   "\"chat\"?");
}

static void
error_pages(void **state)
{
	const struct conf_error_page *e;
	struct map files = {NULL, 0, 0};
	static char big[65537];

	(void)state;
	scratch_puts("404.html", "as it is now");
	scratch_puts("copy", "as it was");
	memset(big, 'x', sizeof(big));
	scratch_write("big", big, sizeof(big));
	add_source("hostd.conf",
	    LISTEN "error_page \"404\" { file = \"404.html\" }\n"
		   "error_page \"500\" { file = \"big\" }\n"
		   "error_page \"xyz\" { file = \"404.html\" }\n"
		   "error_page \"404\" { file = \"copy\" }\n");
	conf = conf_load(&sources, NULL, &errs);
	e = TAILQ_FIRST(&conf->error_pages);
	assert_int_equal(e->status, 404);
	assert_int_equal(e->len, 12);
	assert_memory_equal(e->body, "as it is now", 12);
	assert_string_equal(e->type, "text/html; charset=utf-8");
	next_error("hostd.conf:3: error page big: File too large");
	next_error("hostd.conf:4: error_page \"xyz\": the title must be a "
		   "status from 400 to 599");
	last_error("hostd.conf:5: error_page \"404\" is already defined at "
		   "hostd.conf:2");
	conf_free(conf);

	/* A generation reads its own copy. */
	(void)map_put(&files, scratch_path("404.html"),
	    strlen(scratch_path("404.html")),
	    (void *)(uintptr_t)scratch_path("copy"));
	conf = conf_load(&sources, &files, &errs);
	e = TAILQ_FIRST(&conf->error_pages);
	assert_memory_equal(e->body, "as it was", 9);
	map_free(&files);
}

/* Every row of the host's own keys is sound, and so is its default. */
static void
the_hosts_own_keys(void **state)
{
	static const char *const names[] = {"", "pool", "listen", "plugin",
	    "route", "http", "error_page", "access_log"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_non_null(conf_block_rows(names[i]));
		assert_int_equal(
		    conf_rows_check(conf_block_rows(names[i]), names[i], &errs),
		    0);
	}
	assert_null(conf_block_rows("upstrea"));
	no_errors();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(defaults),
	    T(pools_and_listens),
	    T(what_workers_are_given),
	    T(what_workers_can_not_be_given),
	    T(plugins_and_routes),
	    T(paths_start_at_the_main_file),
	    T(a_prefix_moves_defaults_only),
	    T(many_files_are_one_configuration),
	    T(a_missing_file_is_one_error_of_many),
	    T(all_errors_in_one_run),
	    T(nothing_to_listen_to),
	    T(blocks_of_the_wrong_shape),
	    T(lists_where_texts_belong),
	    T(addresses_once),
	    T(names_of_plugins),
	    T(error_pages),
	    T(the_hosts_own_keys),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
