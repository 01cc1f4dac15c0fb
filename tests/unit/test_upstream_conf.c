/* SPDX-License-Identifier: BSD-2-Clause */
/* Upstreams, and the listeners that go there: what is built, what is wrong. */
#include "conf_case.h"

static struct conf_server *
server_at(const struct conf_upstream *u, int i)
{
	struct conf_server *s = TAILQ_FIRST(&u->servers);

	while (i-- > 0)
		s = TAILQ_NEXT(s, entry);
	return s;
}

static void
defaults(void **state)
{
	const struct conf_upstream *u;
	const struct conf_plugin *p;
	const struct conf_server *s;

	(void)state;
	load(LISTEN "plugin_dir = \"/p\"\n"
	    "upstream \"app\" {\nserver \"10.0.0.1:3000\" { } }\n");
	no_errors();
	u = TAILQ_FIRST(&conf->upstreams);
	assert_string_equal(u->name, "app");
	assert_int_equal(u->keepalive, 32);
	assert_int_equal(u->keepalive_requests, 1000);
	assert_int_equal(u->keepalive_timeout, 60000);
	assert_int_equal(u->connect_timeout, 5000);
	assert_int_equal(u->proxy_protocol, 0);
	assert_int_equal(u->nresolvers, 0);
	assert_int_equal(u->resolve_min, 1000);
	assert_int_equal(u->resolve_max, 3600000);
	assert_int_equal(u->health.type, CONF_CHECK_NONE);
	s = server_at(u, 0);
	assert_string_equal(s->name, "10.0.0.1:3000");
	assert_string_equal(s->host, "10.0.0.1");
	assert_int_equal(s->port, 3000);
	assert_int_equal(s->weight, 1);
	assert_int_equal(s->max_fails, 1);
	assert_int_equal(s->fail_timeout, 10000);
	assert_int_equal(s->slow_start, 0);
	assert_int_equal(s->max_conns, 0);
	assert_false(s->backup || s->down || s->drain);
	p = u->balancer;
	assert_string_equal(p->name, "round_robin");
	assert_string_equal(p->file, "/p/round_robin.so");
	assert_true(p->bare);
	assert_int_equal(p->pos.line, 3);
	assert_ptr_equal(p, TAILQ_FIRST(&conf->plugins));
}

static void
servers_have_the_rules_of_their_group(void **state)
{
	const struct conf_upstream *u;
	const struct conf_server *s;

	(void)state;
	load(LISTEN "upstream \"app\" {\n"
	    "weight = 5  max_fails = 3  fail_timeout = 1m  max_conns = 9\n"
	    "slow_start = 20s  keepalive = 0  proxy_protocol = v2\n"
	    "resolvers = {\"192.0.2.53\", \"::1\", \"[::1]:5353\"}\n"
	    "server \"app.Internal:80\" { }\n"
	    "server \"[2001:db8::1]:81\" { weight = 2  max_fails = 0\n"
	    "backup = on  down = on  drain = on }\n"
	    "server \"unix:/run/app.sock\" { slow_start = 0 }\n}\n");
	no_errors();
	u = TAILQ_FIRST(&conf->upstreams);
	assert_int_equal(u->proxy_protocol, 2);
	assert_int_equal(u->nresolvers, 3);
	s = server_at(u, 0);
	assert_string_equal(s->host, "app.Internal");
	assert_int_equal(s->addr.len, 0);
	assert_int_equal(s->weight, 5);
	assert_int_equal(s->max_fails, 3);
	assert_int_equal(s->fail_timeout, 60000);
	assert_int_equal(s->max_conns, 9);
	assert_int_equal(s->slow_start, 20000);
	s = server_at(u, 1);
	assert_string_equal(s->host, "2001:db8::1");
	assert_int_equal(s->addr.ss.ss_family, AF_INET6);
	assert_int_equal(s->weight, 2);
	assert_int_equal(s->max_fails, 0);
	assert_true(s->backup && s->down && s->drain);
	s = server_at(u, 2);
	assert_string_equal(s->host, "/run/app.sock");
	assert_true(addr_is_unix(&s->addr));
	assert_int_equal(s->slow_start, 0);
}

static void
a_balancer_is_a_block_or_a_module(void **state)
{
	const struct conf_upstream *u;

	(void)state;
	load(LISTEN "plugin_dir = \"/p\"\n"
	    "upstream \"a\" { balancer = mine  server \"h:1\" { } }\n"
	    "upstream \"b\" { balancer = hash  server \"h:1\" { } }\n"
	    "upstream \"c\" { balancer = hash  server \"h:1\" { } }\n"
	    "upstream \"d\" { balancer = \"../x\"  server \"h:1\" { } }\n"
	    "plugin \"mine\" { module = \"hash.so\"  key = \"$uri\" }\n");
	u = TAILQ_FIRST(&conf->upstreams);
	assert_string_equal(u->balancer->name, "mine");
	assert_false(u->balancer->bare);
	u = TAILQ_NEXT(u, entry);
	assert_string_equal(u->balancer->file, "/p/hash.so");
	assert_ptr_equal(TAILQ_NEXT(u, entry)->balancer, u->balancer);
	last_error("hostd.conf:6: the name of plugin \"../x\" may have only "
		   "letters, digits, \"_\" and \"-\"");
}

static void
health(void **state)
{
	const struct conf_upstream *u;
	const struct conf_health *h;

	(void)state;
	load(LISTEN "upstream \"a\" { server \"h:1\" { } health { } }\n"
	    "upstream \"b\" { server \"h:1\" { } health { type = http\n"
	    "path = \"/up?x=1\"  method = HEAD  host = \"app:80\"\n"
	    "status = {\"2xx\", \"304\"}  body = \"ok\"  interval = 50ms\n"
	    "jitter = 0  timeout = 1s  rise = 1  fall = 9  port = 81 } }\n"
	    "upstream \"c\" { server \"h:1\" { } health { type = tcp } }\n");
	no_errors();
	u = TAILQ_FIRST(&conf->upstreams);
	h = &u->health;
	assert_int_equal(h->type, CONF_CHECK_HTTP);
	assert_string_equal(h->path, "/");
	assert_string_equal(h->method, "GET");
	assert_null(h->host);
	assert_null(h->body);
	assert_int_equal(h->nstatuses, 1);
	assert_int_equal(h->statuses[0].from, 200);
	assert_int_equal(h->statuses[0].to, 399);
	assert_int_equal(h->interval, 5000);
	assert_int_equal(h->rise, 2);
	u = TAILQ_NEXT(u, entry);
	h = &u->health;
	assert_int_equal(h->nstatuses, 2);
	assert_int_equal(h->statuses[0].from, 200);
	assert_int_equal(h->statuses[0].to, 299);
	assert_int_equal(h->statuses[1].from, 304);
	assert_int_equal(h->statuses[1].to, 304);
	assert_string_equal(h->host, "app:80");
	assert_int_equal(h->jitter, 0);
	assert_int_equal(h->port, 81);
	assert_int_equal(TAILQ_NEXT(u, entry)->health.type, CONF_CHECK_TCP);
}

static void
wrong_checks(void **state)
{
	(void)state;
	load(LISTEN "upstream \"a\" { server \"h:1\" { } health {\n"
	    "path = \"up\"\nmethod = get\nhost = \"a b\"\nrise = 0\n"
	    "status = {\"99\", \"300-200\", \"6xx\", \"200-600\", "
	    "\"200\"} } }\n"
	    "upstream \"b\" { server \"h:1\" { } health { type = tcp\n"
	    "path = \"/\"\n} }\n"
	    "upstream \"c\" { server \"h:1\" { } health { } health { }\n"
	    "health \"x\" { } }\n");
	next_error("hostd.conf:6: \"rise\" must be from 1 to 1000");
	next_error("hostd.conf:7: status \"99\" is neither one from 100 to 599 "
		   "nor a range of them, as \"200-399\" or \"2xx\"");
	next_error("hostd.conf:7: status \"300-200\" is neither one from 100 "
		   "to 599 nor a range of them, as \"200-399\" or \"2xx\"");
	next_error("hostd.conf:7: status \"6xx\" is neither one from 100 to "
		   "599 nor a range of them, as \"200-399\" or \"2xx\"");
	next_error("hostd.conf:7: status \"200-600\" is neither one from 100 "
		   "to 599 nor a range of them, as \"200-399\" or \"2xx\"");
	next_error("hostd.conf:4: method \"get\" is not a word of capital "
		   "letters");
	next_error("hostd.conf:3: path \"up\" does not start with \"/\", or "
		   "has a byte that must be escaped with %");
	next_error("hostd.conf:5: host \"a b\" is not a host's name");
	next_error("hostd.conf:9: \"path\" is for type = http");
	next_error("hostd.conf:11: health is already defined at "
		   "hostd.conf:11");
	last_error("hostd.conf:12: \"health\" is a block without a title: "
		   "health { ... }");
}

static void
wrong_servers(void **state)
{
	(void)state;
	load(LISTEN "upstream \"a\" {\nserver \"10.0.0.1\" { }\n"
	    "server \"10.0.0.256:1\" { }\nserver \"h:0\" { }\n"
	    "server \"h:65536\" { }\nserver \"2001:db8::1:80\" { }\n"
	    "server \"[::g]:80\" { }\nserver \"unix:x\" { }\n"
	    "server \"a b:80\" { }\nserver \":80\" { }\n"
	    "server \"*:80\" { }\nserver \"0.0.0.0:80\" { }"
	    " server \"[::]:80\" { }\n"
	    "server \"H:1\" { weight = 0 }\nserver \"h:1\" { }\n"
	    "server \"[::1]:1\" { weight = 65536 }\n"
	    "server \"[0::1]:1\" { removed = on  added = on }\n"
	    "server { }\nserver = \"x:1\"\nserver \"\" { }\n}\n");
	next_error("hostd.conf:3: server \"10.0.0.1\": the port is missing; "
		   "write \"name:80\", \"192.0.2.1:80\", "
		   "\"[2001:db8::1]:80\" or \"unix:/path\"");
	next_error("hostd.conf:4: server \"10.0.0.256:1\": it is not an "
		   "IPv4 address");
	next_error("hostd.conf:5: server \"h:0\": the port is not a number "
		   "from 1 to 65535");
	next_error("hostd.conf:6: server \"h:65536\": the port is not a number "
		   "from 1 to 65535");
	next_error("hostd.conf:7: server \"2001:db8::1:80\": an IPv6 address "
		   "is written in brackets, as \"[2001:db8::1]:80\"");
	next_error("hostd.conf:8: server \"[::g]:80\": what is in the brackets "
		   "is not an IPv6 address");
	next_error("hostd.conf:9: server \"unix:x\": the path does not start "
		   "with \"/\"");
	next_error("hostd.conf:10: server \"a b:80\": it is neither a host "
		   "name nor an address");
	next_error("hostd.conf:11: server \":80\": it is neither a host name "
		   "nor an address");
	next_error("hostd.conf:12: server \"*:80\": it is neither a host name "
		   "nor an address");
	next_error("hostd.conf:13: server \"0.0.0.0:80\": it is not the "
		   "address of a server");
	next_error("hostd.conf:13: server \"[::]:80\": it is not the "
		   "address of a server");
	next_error("hostd.conf:14: \"weight\" must be from 1 to 65535");
	next_error("hostd.conf:15: server \"h:1\" of upstream \"a\" is already "
		   "defined at hostd.conf:14");
	next_error("hostd.conf:16: \"weight\" must be from 1 to 65535");
	next_error("hostd.conf:17: \"removed\" is for upstream_changes; leave "
		   "the server out instead");
	next_error("hostd.conf:17: \"added\" is for upstream_changes");
	next_error("hostd.conf:17: server \"[0::1]:1\" of upstream \"a\" is "
		   "already defined at hostd.conf:16");
	next_error("hostd.conf:18: \"server\" is a block with a title: server "
		   "\"address:port\" { ... }");
	next_error("hostd.conf:19: \"server\" is a block with a title: server "
		   "\"address:port\" { ... }");
	last_error("hostd.conf:20: server \"\": the port is missing; write "
		   "\"name:80\", \"192.0.2.1:80\", \"[2001:db8::1]:80\" or "
		   "\"unix:/path\"");
}

static void
wrong_groups(void **state)
{
	(void)state;
	load(LISTEN "upstream \"app\" { }\n"
	    "upstream \"a b\" { server \"h:1\" { } }\n"
	    "upstream \"app\" { server \"h:1\" { } }\n"
	    "upstream \"c\" { servr \"h:1\" { }\n resolve_min = 2s  "
	    "resolve_max = 1s\nresolvers = {\"x\", \"53\"} }\n"
	    "server \"h:1\" { }\n"
	    "plugin \"p\" { module = p }\n"
	    "route \"/\" { plugin = p  upstream = \"ap\" }\n");
	next_error("hostd.conf:8: unknown block \"server\"");
	next_error("hostd.conf:3: the name of upstream \"a b\" may have up to "
		   "63 letters, digits, \"_\", \"-\" and \".\"");
	next_error("hostd.conf:4: upstream \"app\" is already defined at "
		   "hostd.conf:2");
	next_error("hostd.conf:5: unknown block \"servr\"; did you mean "
		   "\"server\"?");
	next_error("hostd.conf:7: resolver \"x\" is not an address; write "
		   "\"192.0.2.53\", \"2001:db8::53\" or, with a port, "
		   "\"192.0.2.53:5353\"");
	next_error("hostd.conf:7: resolver \"53\" is not an address; write "
		   "\"192.0.2.53\", \"2001:db8::53\" or, with a port, "
		   "\"192.0.2.53:5353\"");
	next_error("hostd.conf:6: \"resolve_min\" is more than "
		   "\"resolve_max\"");
	next_error("hostd.conf:2: upstream \"app\" has no server; add server "
		   "\"address:port\" { }");
	next_error("hostd.conf:5: upstream \"c\" has no server; add server "
		   "\"address:port\" { }");
	last_error("hostd.conf:10: there is no upstream \"ap\"; did you mean "
		   "\"app\"?");
}

static void
changes_come_after_all_blocks(void **state)
{
	const struct conf_upstream *u;

	(void)state;
	add_source("hostd.conf", LISTEN);
	add_source("a.conf", "upstream_changes \"app\" {\n"
	    "server \"new:1\" { added = on  weight = 7 }\n"
	    "server \"not-there:1\" { weight = 9 }\n"
	    "server \"OLD:1\" { down = on }\n"
	    "server \"gone:1\" { removed = on }\n"
	    "server \"never:1\" { removed = on } }\n"
	    "upstream_changes \"none\" { server \"x:1\" { removed = on } }\n");
	add_source("b.conf", "upstream \"app\" { weight = 3  max_fails = 8\n"
	    "server \"old:1\" { weight = 4 }\nserver \"gone:1\" { } }\n"
	    "upstream \"none\" { server \"x:1\" { } }\n");
	conf = conf_load(&sources, NULL, &errs);
	no_errors();
	u = TAILQ_FIRST(&conf->upstreams);
	assert_string_equal(server_at(u, 0)->name, "old:1");
	assert_int_equal(server_at(u, 0)->weight, 4);
	assert_true(server_at(u, 0)->down);
	assert_string_equal(server_at(u, 1)->name, "new:1");
	assert_int_equal(server_at(u, 1)->weight, 7);
	assert_int_equal(server_at(u, 1)->max_fails, 8);
	assert_null(server_at(u, 2));
	assert_true(TAILQ_EMPTY(&TAILQ_NEXT(u, entry)->servers));
}

static void
changes_of_nothing(void **state)
{
	(void)state;
	load(LISTEN "upstream_changes \"app\" {\nserver \"x\" { } }\n"
	    "upstream \"b\" { server \"h:1\" { } }\n"
	    "upstream_changes \"b\" { server \"x\" { }\nweight = 1 }\n"
	    "upstream_changes \"b\" { }\n");
	next_error("hostd.conf:2: changes of upstream \"app\", which is not "
		   "there any more; remove this block, or the file");
	next_error("hostd.conf:6: unknown key \"weight\"");
	next_error("hostd.conf:5: server \"x\": the port is missing; write "
		   "\"name:80\", \"192.0.2.1:80\", \"[2001:db8::1]:80\" or "
		   "\"unix:/path\"");
	last_error("hostd.conf:7: upstream_changes \"b\" is already defined at "
		   "hostd.conf:5");
}

static void
streams(void **state)
{
	const struct conf_listen *l;
	const struct conf_sni *s;

	(void)state;
	load("listen \"db\" { address = \"5432\"  mode = stream\n"
	    "upstream = db idle_timeout = 1h  proxy_protocol = on  "
	    "hello_timeout = 1s }\n"
	    "listen \"tls\" { address = \"443\"  mode = stream\n"
	    "sni \"*.Example.com\" { upstream = db }\n"
	    "sni \"Example.com.\" { upstream = web } }\n"
	    "listen \"http\" { address = \"80\"  proxy_protocol = on }\n"
	    "upstream \"db\" { server \"h:1\" { } }\n"
	    "upstream \"web\" { server \"h:1\" { } }\n");
	no_errors();
	l = TAILQ_FIRST(&conf->listens);
	assert_int_equal(l->mode, CONF_MODE_STREAM);
	assert_string_equal(l->upstream->name, "db");
	assert_int_equal(l->idle_timeout, 3600000);
	assert_int_equal(l->hello_timeout, 1000);
	assert_true(l->proxy_protocol);
	l = TAILQ_NEXT(l, entry);
	assert_null(l->upstream);
	s = TAILQ_FIRST(&l->snis);
	assert_string_equal(s->name, "*.example.com");
	assert_string_equal(s->upstream->name, "db");
	assert_string_equal(TAILQ_NEXT(s, entry)->upstream->name, "web");
	l = TAILQ_NEXT(l, entry);
	assert_int_equal(l->mode, CONF_MODE_HTTP);
	assert_int_equal(l->permissions, 0666);
	assert_true(l->proxy_protocol);
}

static void
wrong_streams(void **state)
{
	(void)state;
	load("upstream \"db\" { server \"h:1\" { } }\n"
	    "listen \"a\" { address = \"1\"  mode = stream }\n"
	    "listen \"b\" { address = \"2\"  upstream = db\n"
	    "idle_timeout = 1s\nsni \"x\" { upstream = db } }\n"
	    "listen \"c\" { address = \"3\"  mode = stream  upstream = dbb\n"
	    "sni \"*\" { upstream = db }\nsni \"a\" { }\n"
	    "sni \"A\" { upstream = db }\nsni { } }\n"
	    "listen \"d\" { address = \"unix:/x\"  mode = 0600 }\n");
	next_error("hostd.conf:2: listen \"a\" needs the key \"upstream\", or "
		   "sni blocks, to know where streams go");
	next_error("hostd.conf:3: \"upstream\" is for mode = stream; routes "
		   "say where requests go");
	next_error("hostd.conf:4: \"idle_timeout\" is for mode = stream; "
		   "routes say where requests go");
	next_error("hostd.conf:5: \"sni\" is for mode = stream; a route's "
		   "\"host\" is what requests are told apart by");
	next_error("hostd.conf:6: there is no upstream \"dbb\"; did you mean "
		   "\"db\"?");
	next_error("hostd.conf:7: sni \"*\" is neither a name nor \"*.name\"");
	next_error("hostd.conf:8: sni \"a\" needs the key \"upstream\"");
	next_error("hostd.conf:9: sni \"a\" is already defined at "
		   "hostd.conf:8");
	next_error("hostd.conf:10: \"sni\" is a block with a title: sni "
		   "\"name\" { ... }");
	next_error("hostd.conf:11: \"mode\" must be one of http, stream, not "
		   "\"0600\"");
	last_error("hostd.conf:11: permissions of a unix socket are the key "
		   "\"permissions\"");
}

/* Each key that is read as a text, given a list, or nothing. */
static void
lists_where_texts_belong(void **state)
{
	(void)state;
	load("upstream \"u\" { balancer = {}  proxy_protocol = {}\n"
	    "weight = {}  keepalive = {a, b}  resolvers = {}\n"
	    "server \"h:1\" { weight = {}  down = {} }\n"
	    "health { type = {} method = {} path = {} host = {} status = {}\n"
	    "body = {} port = {} }\n}\n"
	    "listen \"l\" { address = \"1\"  mode = stream\n"
	    "upstream = {}  idle_timeout = {}\n"
	    "sni \"x\" { upstream = {} }\nsni \"y\" { upstream =\n} }\n"
	    "plugin \"p\" { module = p }\n"
	    "route \"/\" { plugin = p  upstream = {} }\n"
	    "listen \"m\" { address = \"2\"  mode = stream  upstream =\n}\n");
	assert_null(TAILQ_FIRST(&conf->routes)->upstream);
	assert_null(TAILQ_FIRST(&conf->listens)->upstream);
	assert_int_equal(TAILQ_FIRST(&conf->upstreams)->rules.weight, 1);
	assert_string_equal(TAILQ_FIRST(&conf->upstreams)->balancer_name,
	    "round_robin");
	next_error("hostd.conf:10: \"upstream\" has no value");
	next_error("hostd.conf:14: \"upstream\" has no value");
}

static void
a_route_has_an_upstream(void **state)
{
	(void)state;
	load(LISTEN "upstream \"db\" { server \"h:1\" { } }\n"
	    "plugin \"p\" { module = p }\nroute \"/\" { plugin = p }\n"
	    "route \"/a\" { plugin = p  upstream = db }\n");
	no_errors();
	assert_null(TAILQ_FIRST(&conf->routes)->upstream);
	assert_ptr_equal(TAILQ_NEXT(TAILQ_FIRST(&conf->routes), entry)
	    ->upstream, TAILQ_FIRST(&conf->upstreams));
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(defaults),
		CASE(servers_have_the_rules_of_their_group),
		CASE(a_balancer_is_a_block_or_a_module),
		CASE(health),
		CASE(wrong_checks),
		CASE(wrong_servers),
		CASE(wrong_groups),
		CASE(changes_come_after_all_blocks),
		CASE(changes_of_nothing),
		CASE(streams),
		CASE(wrong_streams),
		CASE(lists_where_texts_belong),
		CASE(a_route_has_an_upstream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
