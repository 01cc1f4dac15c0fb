/* SPDX-License-Identifier: BSD-2-Clause */
/* Gates before a handler, and answers that are held, let go and taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/gate.h"
#include "http/response.h"
#include "http/router.h"
#include "http/server.h"
#include "http_case.h"

#define ASK(path)	"GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST		"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"

static struct conf_pool pool = { .name = (char *)(uintptr_t)"pool" };
static struct conf_pool other = { .name = (char *)(uintptr_t)"other" };
static struct http_server srv;
static struct board_cell *cell;
static struct router *router;
static struct http_handler handler;
static struct http_gate gates[2];

/* What happened. */
static struct http_req *waiting, *answered;
static struct http_errand errand;
static int32_t gate_says[2];
static int nentered[2], nhandled, nended, nforsaken, npassed_on, why_ended;
static size_t nbody;
static int holds;
static hostd_hdr added[ERRAND_HEADERS];
static uint32_t nadded;
static const char large[40000];

/* -- gates and handlers -- */

static void
forsaken(struct http_errand *e)
{
	(void)e;
	waiting = NULL;
	nforsaken++;
}

static uint32_t
add_headers(struct http_errand *e, struct http_req *r, int status,
    hostd_hdr *out)
{
	int i;

	(void)e;
	(void)status;
	for (i = 0; i < holds; i++)
		response_hold(r);
	memcpy(out, added, nadded * sizeof(*out));
	return nadded;
}

static int32_t
enter(struct http_gate *g, struct http_req *r)
{
	size_t i = (size_t)(g - gates);

	nentered[i]++;
	if (gate_says[i] == HOSTD_E_GONE)
		response_error(r, 401, NULL);
	if (gate_says[i] == HOSTD_DEFER) {
		waiting = r;
		LIST_INSERT_HEAD(&r->errands, &errand, link);
	}
	return gate_says[i];
}

static int32_t
headers(struct http_handler *h, struct http_req *r)
{
	(void)h;
	nhandled++;
	if (strcmp(r->route->pattern, "/pass") == 0)
		return HOSTD_PASS;
	if (r->body != BODY_NONE && strcmp(r->route->pattern, "/early") != 0)
		return HOSTD_OK;
	answered = r;
	if (strcmp(r->route->pattern, "/large") == 0)
		return response_whole(r, 200, NULL, 0, (hostd_buf){ large,
		    sizeof(large) });
	if (holds && errand.link.le_prev == NULL)
		LIST_INSERT_HEAD(&r->errands, &errand, link);
	if (strcmp(r->route->pattern, "/broken") == 0)
		return response_begin(r, 200, NULL, 0, 5) == HOSTD_OK ?
		    response_finish(r) : HOSTD_E_GONE;
	return response_whole(r, 200, NULL, 0, (hostd_buf){ "hello", 5 });
}

static int32_t
body(struct http_handler *h, struct http_req *r, hostd_buf part, int fin)
{
	(void)h;
	nbody += part.n;
	return !fin ? HOSTD_OK : response_whole(r, 200, NULL, 0,
	    (hostd_buf){ "thanks", 6 });
}

static void
end(struct http_handler *h, struct http_req *r, int why)
{
	(void)h;
	(void)r;
	why_ended = why;
	nended++;
}

static int
pass(struct http_server *s, struct http_conn *c)
{
	(void)s;
	(void)c;
	npassed_on++;
	return -1;
}

static void
add_route(const char *path, int prefix, const struct conf_pool *of)
{
	struct http_route *rt = route_new(path, prefix, NULL, 0);

	rt->handler = &handler;
	rt->pool = of;
	rt->max_body = 100;
	rt->defer_ms = 60000;
	rt->gates = xcalloc(2, sizeof(struct http_gate *));
	rt->gates[0] = &gates[0];
	rt->gates[1] = &gates[1];
	rt->ngates = 2;
	router_add(router, rt, NULL, 0);
}

static int
setup(void **state)
{
	int i;

	(void)state;
	log_set_fd(-1);
	limits_open();
	handler = (struct http_handler){ .headers = headers, .body = body,
		.wants_body = 1, .end = end };
	for (i = 0; i < 2; i++) {
		gates[i] = (struct http_gate){ .name = "gate",
			.enter = enter };
		gate_says[i] = HOSTD_OK;
		nentered[i] = 0;
	}
	errand = (struct http_errand){ .ended = forsaken,
		.head = add_headers };
	waiting = answered = NULL;
	nhandled = nended = nforsaken = npassed_on = holds = 0;
	nbody = 0;
	nadded = 0;
	loop_open();
	cell = aligned_alloc(64, sizeof(*cell));
	assert_non_null(cell);
	memset(cell, 0, sizeof(*cell));
	router = router_new();
	add_route("/", 1, NULL);
	add_route("/pass", 0, NULL);
	add_route("/pass", 1, &other);
	add_route("/early", 0, NULL);
	add_route("/large", 0, NULL);
	add_route("/broken", 0, NULL);
	http_server_init(&srv, &loop, &conf, router, cell);
	srv.pool = &pool;
	srv.pass = pass;
	(void)client_open(&srv);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	http_server_close(&srv);
	router_free(router);
	free(cell);
	client_close();
	loop_end();
	return 0;
}

/* -- the client -- */

/* -- gates -- */

static void
all_let_it_pass(void **state)
{
	(void)state;
	say(ASK("/"));
	hear("HTTP/1.1 200", "hello");
	assert_int_equal(nentered[0], 1);
	assert_int_equal(nentered[1], 1);
}

static void
one_answers(void **state)
{
	(void)state;
	gate_says[0] = HOSTD_E_GONE;
	say(ASK("/") ASK("/"));
	hear_with("HTTP/1.1 401", "HTTP/1.1 401", "</h1>\n");
	assert_int_equal(nentered[1], 0);
	assert_int_equal(nhandled, 0);
	assert_int_equal(nended, 0);
}

static void
one_takes_its_time(void **state)
{
	(void)state;
	gate_says[0] = HOSTD_DEFER;
	say(ASK("/"));
	until(&nentered[0], 1);
	hear_nothing();
	assert_int_equal(nentered[1], 0);
	gate_open(waiting);
	hear("HTTP/1.1 200", "hello");
	assert_int_equal(nentered[0], 1);
	assert_int_equal(nentered[1], 1);
	/* It was opened once. */
	assert_int_equal(nhandled, 1);
}

static void
it_answers_later(void **state)
{
	(void)state;
	gate_says[1] = HOSTD_DEFER;
	say(ASK("/"));
	until(&nentered[1], 1);
	hear_nothing();
	response_error(waiting, 403, NULL);
	gate_says[1] = HOSTD_OK;
	say(ASK("/"));
	hear_with("HTTP/1.1 403", "HTTP/1.1 200", "hello");
	assert_int_equal(nhandled, 1);
	assert_int_equal(nforsaken, 1);
}

static void
no_body_is_read_meanwhile(void **state)
{
	(void)state;
	gate_says[0] = HOSTD_DEFER;
	say(POST "Expect: 100-continue\r\n\r\n");
	until(&nentered[0], 1);
	hear_nothing();
	say("12");
	hear_nothing();
	assert_int_equal(nbody, 0);
	gate_open(waiting);
	say("345");
	hear("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200", "thanks");
	assert_int_equal(nbody, 5);
}

static void
the_client_leaves(void **state)
{
	(void)state;
	gate_says[0] = HOSTD_DEFER;
	say(ASK("/"));
	until(&nentered[0], 1);
	client_close();
	until(&nforsaken, 1);
	assert_null(waiting);
	assert_int_equal(nhandled, 0);
	assert_int_equal(nended, 0);
}

static void
it_takes_too_long(void **state)
{
	struct http_conn *c = TAILQ_FIRST(&srv.conns);

	(void)state;
	gate_says[0] = HOSTD_DEFER;
	say(ASK("/"));
	until(&nentered[0], 1);
	conn_timeout(&c->timer);
	hear("HTTP/1.1 504", "</h1>\n");
	assert_int_equal(nforsaken, 1);
	assert_int_equal(nhandled, 0);
}

/* The next route is another pool's: it gets the request as it came. */
static void
passed_on_after_a_gate(void **state)
{
	struct http_conn *c = TAILQ_FIRST(&srv.conns);
	int turns;

	(void)state;
	other.queue_timeout = 60000;
	gate_says[0] = HOSTD_DEFER;
	say(ASK("/pass") ASK("/"));
	until(&nentered[0], 1);
	gate_open(waiting);
	for (turns = 0; npassed_on == 0 && turns < TURNS_MAX; turns++)
		turn();
	assert_int_equal(npassed_on, 1);
	/* What was done for it here is not done for it there. */
	assert_int_equal(nforsaken, 1);
	assert_int_equal(c->state, CONN_AWAY);
	assert_int_equal(c->away.skip, 1);
	assert_int_equal(c->in.len, strlen(ASK("/pass") ASK("/")));
	assert_memory_equal(c->in.p, ASK("/pass") ASK("/"), c->in.len);
}

/* -- answers that wait -- */

static void
held_and_let_go(void **state)
{
	(void)state;
	holds = 1;
	added[0] = (hostd_hdr){ { "Set-Cookie", 10 }, { "a=b", 3 } };
	nadded = 1;
	say(ASK("/") ASK("/"));
	until(&nhandled, 1);
	hear_nothing();
	/* Nor is anything done that comes behind it. */
	assert_int_equal(nhandled, 1);
	holds = 0;
	nadded = 0;
	response_let_go(answered);
	hear_with("HTTP/1.1 200", "Set-Cookie: a=b\r\n", "hello");
	until(&nhandled, 2);
	until(&nended, 2);
	assert_int_equal(why_ended, HOSTD_END_DONE);
}

static void
held_and_taken_back(void **state)
{
	(void)state;
	say(ASK("/"));
	hear("HTTP/1.1 200", "hello");
	holds = 1;
	say(ASK("/"));
	until(&nhandled, 2);
	hear_nothing();
	assert_int_equal(nended, 1);
	response_take_back(answered, 503);
	assert_int_equal(nended, 2);
	assert_int_equal(why_ended, HOSTD_END_ERROR);
	assert_int_equal(nforsaken, 1);
	hear_with("HTTP/1.1 503", "Connection: close", "</h1>\n");
	assert_int_equal(cell->counters.status[2], 1);
}

/* All who hold it have to let it go. */
static void
held_twice(void **state)
{
	(void)state;
	holds = 2;
	say(ASK("/"));
	until(&nhandled, 1);
	response_let_go(answered);
	hear_nothing();
	response_let_go(answered);
	hear("HTTP/1.1 200", "hello");
}

/* It is not the client who is slow, however long it takes. */
static void
held_for_long(void **state)
{
	struct http_conn *c = TAILQ_FIRST(&srv.conns);

	(void)state;
	holds = 1;
	say(ASK("/"));
	until(&nhandled, 1);
	hear_nothing();
	assert_int_equal(c->timer_kind, TIMER_NONE);
	(void)shutdown(client, SHUT_WR);
	hear_nothing();
	assert_int_equal(c->timer_kind, TIMER_NONE);
	response_let_go(answered);
	hear("HTTP/1.1 200", "hello");
}

/* The answer is there; that the rest of the request is none does not end what
 * it is held for. */
static void
held_when_the_body_is_bad(void **state)
{
	char c;

	(void)state;
	holds = 1;
	say("POST /early HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	until(&nhandled, 1);
	say("no number\r\n");
	hear_nothing();
	assert_int_equal(nforsaken, 0);
	response_let_go(answered);
	hear("HTTP/1.1 200", "hello");
	until(&nended, 1);
	assert_int_equal(recv(client, &c, 1, MSG_DONTWAIT), 0);
}

/* The answers before it are not. */
static void
held_and_broken(void **state)
{
	struct http_conn *c = TAILQ_FIRST(&srv.conns);
	char text[4096];
	size_t n = 0;
	ssize_t got = -1;
	int turns, room = 4096;

	(void)state;
	assert_int_equal(setsockopt(c->stream.io.fd, SOL_SOCKET, SO_SNDBUF,
	    &room, sizeof(room)), 0);
	holds = 1;
	say(ASK("/large") ASK("/broken"));
	until(&nhandled, 2);
	until(&nforsaken, 1);
	for (turns = 0; got != 0 && turns < TURNS_MAX; turns++) {
		turn();
		got = recv(client, text, sizeof(text), MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
	}
	assert_int_equal(got, 0);
	assert_in_range(n, sizeof(large), sizeof(large) + 300);
	assert_int_equal(cell->counters.requests, 2);
}

static void
held_when_the_client_leaves(void **state)
{
	(void)state;
	holds = 1;
	say(ASK("/"));
	until(&nhandled, 1);
	(void)shutdown(client, SHUT_RDWR);
	client_close();
	http_server_close(&srv);
	assert_int_equal(nforsaken, 1);
	assert_int_equal(nended, 1);
	http_server_init(&srv, &loop, &conf, router, cell);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_let_it_pass),
		CASE(one_answers),
		CASE(one_takes_its_time),
		CASE(it_answers_later),
		CASE(no_body_is_read_meanwhile),
		CASE(the_client_leaves),
		CASE(it_takes_too_long),
		CASE(passed_on_after_a_gate),
		CASE(held_and_let_go),
		CASE(held_and_taken_back),
		CASE(held_twice),
		CASE(held_for_long),
		CASE(held_when_the_body_is_bad),
		CASE(held_and_broken),
		CASE(held_when_the_client_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
