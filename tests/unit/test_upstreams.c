/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of servers, as generations, names and time have it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>

#include "conf_case.h"
#include "master/master.h"

static struct master master;
static struct generation gens[4];
static struct conf *confs[4];

static int
begin(void **state)
{
	setup(state);
	memset(&master, 0, sizeof(master));
	memset(gens, 0, sizeof(gens));
	memset(confs, 0, sizeof(confs));
	TAILQ_INIT(&master.generations);
	return up_table_create(&master.servers);
}

static int
end(void **state)
{
	size_t i;

	up_table_close(&master.servers);
	for (i = 0; i < 4; i++)
		if (confs[i] != NULL)
			conf_free(confs[i]);
	conf = NULL;
	return teardown(state);
}

static struct generation *
generation(int n, const char *text)
{
	struct generation *g = &gens[n];
	char name[32];

	(void)snprintf(name, sizeof(name), "%d.conf", n);
	conf_sources_free(&sources);
	scratch_puts(name, text);
	conf_sources_add(&sources, scratch_path(name), scratch_path(name), 0);
	confs[n] = conf_load(&sources, NULL, &errs);
	no_errors();
	g->n = (uint32_t)n;
	g->conf = confs[n];
	TAILQ_INSERT_TAIL(&master.generations, g, link);
	return g;
}

static void
serve(struct generation *g)
{
	upstreams_stage(&master, g->conf, &errs);
	no_errors();
	(void)upstreams_commit(&master, g);
	master.gen = g;
}

/* Entries in use, and what is said of the server: NULL for the next one. */
static struct up_entry *
entry(const char *server)
{
	return entry_next(&master.servers, NULL, "app", server);
}

static int
count(const char *server)
{
	struct up_entry *e = NULL;
	int n = 0;

	while ((e = entry_next(&master.servers, e, "app", server)) != NULL)
		n += (e->flags & UP_STALE) == 0;
	return n;
}

static void
look_long(void)
{
	int i;

	for (i = 0; i < 10; i++)
		upstreams_look(&master);
}

#define ONE LISTEN "upstream \"app\" {\nserver \"10.0.0.1:1\" { weight = 3 }\n}"
#define TWO LISTEN "upstream \"app\" {\nserver \"10.0.0.1:1\" { }\n" \
	"server \"10.0.0.2:1\" { backup = on  drain = on  max_conns = 4 }\n}"
#define NAMED LISTEN "upstream \"app\" {\nserver \"a:80\" { weight = 3 }\n}"

static void
a_generation_that_comes_leaves_what_is_there(void **state)
{
	struct generation *g;
	uint32_t id;

	(void)state;
	serve(generation(1, ONE));
	id = entry("10.0.0.1:1")->id;
	g = generation(2, TWO);
	upstreams_stage(&master, g->conf, &errs);
	assert_int_equal(entry("10.0.0.1:1")->weight, 3);
	assert_int_equal(entry("10.0.0.2:1")->flags, UP_BACKUP | UP_DRAINING);
	assert_int_equal(entry("10.0.0.2:1")->max_conns, 4);
	assert_int_equal(entry("10.0.0.2:1")->addr.ss.ss_family, AF_INET);
	assert_int_equal(upstreams_commit(&master, g), 0);
	assert_int_equal(entry("10.0.0.1:1")->weight, 1);
	assert_int_equal(entry("10.0.0.1:1")->id, id);
}

static void
what_hands_have_changed_is_reset(void **state)
{
	struct generation *g;
	struct up_entry *e;

	(void)state;
	serve(generation(1, TWO));
	entry("10.0.0.1:1")->flags |= UP_DOWN;
	up_table_begin(&master.servers);
	e = entry_make(&master.servers, "app", "10.0.0.3:1");
	e->flags = UP_ADDED;
	up_table_end(&master.servers);
	g = generation(2, TWO);
	upstreams_stage(&master, g->conf, &errs);
	assert_int_equal(upstreams_commit(&master, g), 2);
	assert_int_equal(entry("10.0.0.1:1")->flags, 0);
	assert_int_equal(e->flags, UP_STALE);
	master.gen = g;
	look_long();
	assert_null(entry("10.0.0.3:1"));
	assert_int_equal(upstreams_commit(&master, g), 0);
}

static void
what_a_file_has_taken_over_is_not(void **state)
{
	struct generation *g;
	struct up_entry *e;

	(void)state;
	serve(generation(1, ONE));
	up_table_begin(&master.servers);
	e = entry_make(&master.servers, "app", "10.0.0.2:1");
	e->flags = UP_ADDED | UP_BACKUP | UP_DRAINING;
	e->max_conns = 4;
	up_table_end(&master.servers);
	g = generation(2, TWO);
	upstreams_stage(&master, g->conf, &errs);
	assert_int_equal(count("10.0.0.2:1"), 1);
	assert_int_equal(upstreams_commit(&master, g), 0);
	assert_int_equal(e->flags, UP_BACKUP | UP_DRAINING);
}

static void
entries_go_when_nobody_has_them_and_nobody_is_there(void **state)
{
	struct generation *old;
	unsigned i;

	(void)state;
	old = generation(1, TWO);
	serve(old);
	i = (unsigned)(entry("10.0.0.2:1") - master.servers.entries);
	up_table_join(&master.servers, 0);
	serve(generation(2, ONE));
	old->users = 1;
	look_long();
	assert_non_null(entry("10.0.0.2:1"));
	old->users = 0;
	up_count_of(&master.servers, 0, i)->inflight = 1;
	look_long();
	assert_non_null(entry("10.0.0.2:1"));
	up_count_of(&master.servers, 0, i)->inflight = 0;
	up_count_of(&master.servers, 0, i)->idle = 1;
	look_long();
	assert_non_null(entry("10.0.0.2:1"));
	up_count_of(&master.servers, 0, i)->idle = 0;
	upstreams_look(&master);
	assert_non_null(entry("10.0.0.2:1"));
	look_long();
	assert_null(entry("10.0.0.2:1"));
	assert_non_null(entry("10.0.0.1:1"));
}

/* -- names -- */

static struct chan_resolved
answer(const char *server, const char *const *list)
{
	struct chan_resolved r = { .n = 0 };
	const char *why;

	(void)snprintf(r.group, sizeof(r.group), "app");
	(void)snprintf(r.server, sizeof(r.server), "%s", server);
	for (; *list != NULL; list++)
		assert_int_equal(addr_parse(*list, &r.addrs[r.n++], &why), 0);
	return r;
}

static void
resolved(const char *server, const char *a, const char *b)
{
	const char *const list[] = { a, b, NULL };
	struct chan_resolved r = answer(server, list);

	upstreams_resolved(&master.children, &r);
}

/* The one with that address, in use or not. */
static struct up_entry *
at(const char *address)
{
	struct up_entry *e = NULL;
	char text[ADDR_TEXT_MAX];

	while ((e = entry_next(&master.servers, e, "app", "a:80")) != NULL)
		if (e->addr.len > 0 && strcmp(addr_format(&e->addr, text,
		    sizeof(text)), address) == 0)
			return e;
	return NULL;
}

static void
a_name_leads_to_entries(void **state)
{
	uint32_t id, changes;

	(void)state;
	serve(generation(1, NAMED));
	id = entry("a:80")->id;
	assert_int_equal(entry("a:80")->addr.len, 0);
	resolved("a:80", "10.0.0.1:80", "[::1]:80");
	assert_int_equal(count("a:80"), 2);
	assert_true(at("10.0.0.1:80")->id == id || at("[::1]:80")->id == id);
	assert_int_equal(at("10.0.0.1:80")->weight, 3);
	assert_int_equal(at("[::1]:80")->weight, 3);
	id = at("[::1]:80")->id;
	changes = up_changes(&master.servers);
	resolved("a:80", "[::1]:80", "10.0.0.1:80");
	assert_int_equal(up_changes(&master.servers), changes);
	resolved("a:80", "[::1]:80", NULL);
	assert_int_equal(count("a:80"), 1);
	assert_int_equal(at("10.0.0.1:80")->flags, UP_STALE);
	/* It is back before it is forgotten. */
	resolved("a:80", "[::1]:80", "10.0.0.1:80");
	assert_int_equal(at("10.0.0.1:80")->flags, 0);
	resolved("a:80", "[::1]:80", "10.0.0.2:80");
	look_long();
	assert_null(at("10.0.0.1:80"));
	assert_int_equal(at("[::1]:80")->id, id);
	assert_int_equal(count("a:80"), 2);
}

static void
reloads_keep_what_names_lead_to(void **state)
{
	uint32_t id;

	(void)state;
	serve(generation(1, NAMED));
	resolved("a:80", "10.0.0.1:80", "10.0.0.2:80");
	resolved("a:80", "10.0.0.1:80", NULL);
	id = at("10.0.0.1:80")->id;
	serve(generation(2, NAMED));
	assert_int_equal(count("a:80"), 1);
	assert_int_equal(at("10.0.0.1:80")->id, id);
	assert_int_equal(at("10.0.0.2:80")->flags, UP_STALE);
}

static void
what_holds_for_all_addresses_holds_for_new_ones(void **state)
{
	(void)state;
	serve(generation(1, NAMED));
	resolved("a:80", "10.0.0.1:80", "10.0.0.2:80");
	at("10.0.0.1:80")->flags |= UP_DRAINING | UP_DOWN;
	at("10.0.0.2:80")->flags |= UP_DRAINING;
	resolved("a:80", "10.0.0.1:80", "10.0.0.3:80");
	assert_int_equal(at("10.0.0.3:80")->flags, UP_DRAINING);
}

static void
nonsense_of_a_worker_is_nothing(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const path[] = { "unix:/x", NULL };
	static const char *const one[] = { "10.0.0.9:80", NULL };
	struct chan_resolved r;
	uint32_t changes;

	(void)state;
	serve(generation(1, LISTEN "upstream \"app\" {\nserver \"a:80\" { }\n"
	    "server \"10.0.0.1:1\" { } }"));
	changes = up_changes(&master.servers);
	r = answer("a:80", none);
	upstreams_resolved(&master.children, &r);
	r = answer("a:80", path);
	upstreams_resolved(&master.children, &r);
	r = answer("10.0.0.1:1", one);
	upstreams_resolved(&master.children, &r);
	r = answer("b:80", one);
	upstreams_resolved(&master.children, &r);
	r = answer("a:80", one);
	memset(r.server, 'a', sizeof(r.server));
	upstreams_resolved(&master.children, &r);
	r = answer("a:80", one);
	r.addrs[0].len = 4711;
	upstreams_resolved(&master.children, &r);
	r.n = UINT32_MAX;
	upstreams_resolved(&master.children, &r);
	assert_int_equal(up_changes(&master.servers), changes);
}

/* Bug: what it had led to before was there again, for good. */
static void
a_name_that_is_back_leads_where_it_leads_now(void **state)
{
	struct up_entry *e = NULL;

	(void)state;
	serve(generation(1, NAMED));
	resolved("a:80", "10.0.0.1:80", "10.0.0.2:80");
	up_table_begin(&master.servers);
	while ((e = entry_next(&master.servers, e, "app", "a:80")) != NULL)
		e->flags |= UP_STALE;
	up_table_end(&master.servers);
	/* Nobody wants it just now. */
	resolved("a:80", "10.0.0.2:80", "10.0.0.3:80");
	assert_int_equal(count("a:80"), 0);
	serve(generation(2, NAMED));
	assert_int_equal(count("a:80"), 3);
	/* The one without an address is why it is said again. */
	resolved("a:80", "10.0.0.2:80", "10.0.0.3:80");
	assert_int_equal(count("a:80"), 2);
	assert_int_equal(at("10.0.0.1:80")->flags, UP_STALE);
	assert_int_equal(at("10.0.0.3:80")->flags, 0);
}

/* -- workers that went bad -- */

static void
scribble(uint64_t *p, size_t n, uint64_t *random)
{
	for (; n >= sizeof(*p); n -= sizeof(*p), p++) {
		*random = *random * 6364136223846793005u + 1442695040888963407u;
		/* Small numbers, too, and all bits. */
		*p = *random >> 60 == 0 ? UINT64_MAX :
		    *random >> (*random >> 58);
	}
}

/* All that a worker can write: what all workers do, and three rows. */
static void
scribble_for_ever(void)
{
	struct up_table t;
	uint64_t random = 1;

	if (up_table_attach(&t, dup(master.servers.reader),
	    dup(master.servers.live_fd)) == -1)
		_exit(1);
	for (;;) {
		scribble((void *)t.live, sizeof(*t.live), &random);
		scribble((void *)t.health, sizeof(*t.health) * 64, &random);
		scribble((void *)up_count_of(&t, 0, 0),
		    sizeof(*t.counts) * 64, &random);
		scribble((void *)up_count_of(&t, 1, 0),
		    sizeof(*t.counts) * 64, &random);
	}
}

static void
see_all(void)
{
	json_t *list = up_table_json(&master.servers, master.gen->conf, NULL);

	/* Some that leave may seem to have requests. */
	assert_true(json_array_size(json_object_get(
	    json_array_get(list, 0), "servers")) >= 3);
	json_decref(list);
}

static void
nothing_that_a_worker_writes_hurts_the_master(void **state)
{
	struct generation *g = generation(1, LISTEN "upstream \"app\" {\n"
	    "slow_start = 1m\n health { }\n server \"10.0.0.1:1\" { }\n"
	    "server \"a:80\" { } }");
	int i, status;
	pid_t pid;

	(void)state;
	up_table_join(&master.servers, 1);
	serve(g);
	if ((pid = fork()) == 0)
		scribble_for_ever();
	assert_int_not_equal(pid, -1);
	for (i = 0; i < 300; i++) {
		upstreams_stage(&master, g->conf, &errs);
		(void)upstreams_commit(&master, g);
		resolved("a:80", i % 2 ? "10.0.0.1:80" : "10.0.0.2:80",
		    "10.0.0.3:80");
		upstreams_look(&master);
		see_all();
		up_table_join(&master.servers, (unsigned)i % 2);
		up_table_retire(&master.servers, (unsigned)i % 2);
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	no_errors();
	assert_int_equal(count("10.0.0.1:1"), 1);
	assert_int_equal(count("a:80"), 2);
}

static void
as_many_as_there_is_room_for(void **state)
{
	struct up_entry *e;
	int i;

	(void)state;
	serve(generation(1, NAMED));
	up_table_begin(&master.servers);
	for (i = 0; i < UP_ENTRIES - 2; i++) {
		e = entry_make(&master.servers, "other", "x:1");
		assert_non_null(e);
	}
	up_table_end(&master.servers);
	resolved("a:80", "10.0.0.1:80", "10.0.0.2:80");
	assert_int_equal(count("a:80"), 2);
	resolved("a:80", "10.0.0.3:80", "10.0.0.4:80");
	assert_int_equal(count("a:80"), 0);
	assert_null(at("10.0.0.3:80"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_generation_that_comes_leaves_what_is_there),
		T(what_hands_have_changed_is_reset),
		T(what_a_file_has_taken_over_is_not),
		T(entries_go_when_nobody_has_them_and_nobody_is_there),
		T(a_name_leads_to_entries),
		T(reloads_keep_what_names_lead_to),
		T(what_holds_for_all_addresses_holds_for_new_ones),
		T(nonsense_of_a_worker_is_nothing),
		T(as_many_as_there_is_room_for),
		T(a_name_that_is_back_leads_where_it_leads_now),
		T(nothing_that_a_worker_writes_hurts_the_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
