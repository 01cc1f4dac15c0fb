/* SPDX-License-Identifier: BSD-2-Clause */
/* Two workers in one loop: a connection goes to the one whose route it asks
 * for, and is never nobody's and never of both. */
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
#include "http/response.h"
#include "http/router.h"
#include "http/server.h"
#include "http_case.h"

#define ASK(path)	"GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* A worker. */
struct side {
	struct handover h;		/* first */
	struct chan_msg msg;
	struct http_server srv;
	struct http_handler handler;
	struct board_cell *cell;
	struct router *router;
	uint64_t lease;			/* of what it gives; 0: it does not */
	int asked;
};

static struct conf_pool near_pool = { .name = (char *)(uintptr_t)"near" };
static struct conf_pool far_pool = { .name = (char *)(uintptr_t)"far" };
static struct side *near, *far;

/* -- workers -- */

static struct side *
side_of(struct http_server *srv)
{
	return (struct side *)(void *)((char *)srv -
	    offsetof(struct side, srv));
}

static int32_t
headers(struct http_handler *h, struct http_req *r)
{
	struct side *s = side_of(r->server);

	(void)h;
	s->asked++;
	return response_whole(r, 200, NULL, 0, (hostd_buf){ s->srv.pool->name,
	    strlen(s->srv.pool->name) });
}

static void
end(struct http_handler *h, struct http_req *r, int why)
{
	(void)h;
	(void)r;
	(void)why;
}

static struct handover_peer *
peer(struct side *s)
{
	return TAILQ_FIRST(&s->h.peers);
}

static int
pass(struct http_server *srv, struct http_conn *c)
{
	struct side *s = side_of(srv);

	return s->lease == 0 || c->away.refused > 0 ? -1 :
	    conn_give(c, peer(s), s->lease);
}

static enum handover_answer
take(struct handover *h, unsigned kind, int fd, hostd_buf record)
{
	struct side *s = (struct side *)(void *)h;

	assert_int_equal(kind, HANDOVER_HTTP);
	return conn_take(&s->srv, fd, &near_pool, record) == 0 ?
	    HANDOVER_TAKEN : HANDOVER_REFUSED;
}

static void
room(struct handover *h)
{
	http_server_pass(&((struct side *)(void *)h)->srv);
}

static void
add_route(struct side *s, const char *path, const struct conf_pool *pool)
{
	struct http_route *rt = route_new(path, 0, NULL, 0);

	rt->handler = &s->handler;
	rt->pool = pool;
	rt->max_body = 100;
	router_add(s->router, rt, NULL, 0);
}

static struct side *
side_new(const struct conf_pool *pool, int fd)
{
	struct chan_peer who = { .slot = 3, .pool = "x" };
	struct side *s = xcalloc(1, sizeof(*s));

	s->handler.headers = headers;
	s->handler.end = end;
	s->lease = 60000;
	s->cell = aligned_alloc(64, sizeof(*s->cell));
	assert_non_null(s->cell);
	memset(s->cell, 0, sizeof(*s->cell));
	s->router = router_new();
	add_route(s, "/near", &near_pool);
	add_route(s, "/far", &far_pool);
	add_route(s, "/home", NULL);
	http_server_init(&s->srv, &loop, &conf, s->router, s->cell);
	s->srv.pool = pool;
	s->srv.pass = pass;
	s->h.take = take;
	s->h.room = room;
	handover_init(&s->h, &loop, &s->msg);
	handover_add(&s->h, fd, &who);
	return s;
}

static void
side_free(struct side *s)
{
	handover_close(&s->h);
	http_server_close(&s->srv);
	router_free(s->router);
	free(s->cell);
	free(s);
}

static int
setup(void **state)
{
	int chan[2];

	(void)state;
	log_set_fd(-1);
	near_pool.queue_timeout = far_pool.queue_timeout = 60000;
	limits_open();
	loop_open();
	assert_int_equal(chan_pair(chan), 0);
	near = side_new(&near_pool, chan[0]);
	far = side_new(&far_pool, chan[1]);
	(void)client_open(&near->srv);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	side_free(near);
	side_free(far);
	client_close();
	loop_end();
	return 0;
}

/* -- the client -- */

#define hear_from(who) hear("HTTP/1.1 200", "\r\n\r\n" who)

static void
count(size_t at_near, size_t at_far)
{
	int turns;

	for (turns = 0; turns < TURNS_MAX && (near->srv.nconns != at_near ||
	    far->srv.nconns != at_far); turns++)
		turn();
	assert_int_equal(near->srv.nconns, at_near);
	assert_int_equal(far->srv.nconns, at_far);
}

/* -- there and back -- */

static void
goes_to_whose_route_it_is(void **state)
{
	(void)state;
	say(ASK("/near"));
	hear_from("near");
	say(ASK("/far"));
	hear_from("far");
	count(0, 1);
	say(ASK("/far"));
	hear_from("far");
	say(ASK("/near"));
	hear_from("near");
	count(1, 0);
	assert_int_equal(near->asked, 2);
	assert_int_equal(far->asked, 2);
	assert_int_equal(near->cell->counters.accepted, 1);
	assert_int_equal(far->cell->counters.accepted, 0);
	assert_int_equal(near->cell->counters.closed, 0);
}

static void
a_route_of_no_pool_is_of_its_home(void **state)
{
	(void)state;
	say(ASK("/far"));
	hear_from("far");
	say(ASK("/home"));
	hear_from("near");
	count(1, 0);
}

static void
all_that_was_sent_goes_along(void **state)
{
	(void)state;
	say(ASK("/near") ASK("/far") ASK("/far") ASK("/near") ASK("/far")
	    "GET /nea");
	until(&far->asked, 3);
	hear_from("far");
	assert_int_equal(near->asked, 2);
	say("r HTTP/1.1\r\nHost: a\r\n\r\n");
	hear_from("near");
}

/* -- those that are not taken -- */

static void
nobody_is_there(void **state)
{
	(void)state;
	far_pool.queue_timeout = 1;
	near->lease = 0;
	say(ASK("/far") ASK("/near"));
	hear("HTTP/1.1 503", "\r\n\r\nnear");
	assert_int_equal(far->asked, 0);
	assert_true(TAILQ_EMPTY(&near->srv.away));
}

static void
has_waited_twice_in_one_turn(void **state)
{
	struct http_conn *c = TAILQ_FIRST(&near->srv.conns);

	(void)state;
	near->lease = 0;
	far_pool.queue_timeout = 60000;
	say(ASK("/far") ASK("/near"));
	c->stream.can_read = 1;
	c->stream.ops->readable(&c->stream);
	assert_int_equal(c->state, CONN_AWAY);
	/* Somebody looks for a taker, and then its own time is over. */
	far_pool.queue_timeout = 0;
	http_server_pass(&near->srv);
	assert_int_equal(c->timer.deadline, 0);
	conn_waited(c);
	hear("HTTP/1.1 503", "\r\n\r\nnear");
}

static void
waits_until_there_is_somebody(void **state)
{
	int turns;

	(void)state;
	near->lease = 0;
	say(ASK("/far") ASK("/far") ASK("/near"));
	for (turns = 0; TAILQ_EMPTY(&near->srv.away) && turns < TURNS_MAX;
	    turns++)
		turn();
	assert_false(TAILQ_EMPTY(&near->srv.away));
	near->lease = 60000;
	http_server_pass(&near->srv);
	assert_true(TAILQ_EMPTY(&near->srv.away));
	hear_from("near");
	assert_int_equal(far->asked, 2);
}

static void
more_than_it_may_have_are_refused(void **state)
{
	(void)state;
	far_pool.queue_timeout = 1;
	conf.http.max_connections = 0;
	say(ASK("/far"));
	hear("HTTP/1.1 503", "</h1>\n");
	count(1, 0);
}

static void
nobody_admits_to_it(void **state)
{
	(void)state;
	/* Each of them thinks that it is the other's. */
	add_route(near, "/moot", &far_pool);
	add_route(far, "/moot", &near_pool);
	say(ASK("/moot"));
	hear("HTTP/1.1 503", "</h1>\n");
	assert_int_equal(near->asked + far->asked, 0);
	say(ASK("/near"));
	hear_from("near");
	count(1, 0);
}

/* -- those that are taken late -- */

/* The first connection of near, given to far, which has not looked yet. */
static struct http_conn *
given(void)
{
	struct http_conn *c = TAILQ_FIRST(&near->srv.conns);

	say(ASK("/far"));
	c->stream.can_read = 1;
	c->stream.ops->readable(&c->stream);
	assert_int_equal(c->state, CONN_MOVING);
	return c;
}

static void
is_not_taken_late(void **state)
{
	struct http_conn *c;

	(void)state;
	near->lease = 1;
	c = given();
	near->lease = 60000;
	clock_now += 2;
	conn_waited(c);
	assert_int_equal(c->state, CONN_AWAY);
	assert_int_equal(near->srv.nconns, 1);
	/* Now it looks, and finds it twice in its channel. */
	hear_from("far");
	count(0, 1);
	assert_int_equal(far->asked, 1);
	say(ASK("/near"));
	hear_from("near");
}

static void
was_taken_and_is_heard_of_late(void **state)
{
	struct http_conn *c = given();

	(void)state;
	handover_hear(peer(far));
	assert_int_equal(far->srv.nconns, 1);
	conn_waited(c);
	assert_int_equal(near->srv.nconns, 0);
	hear_from("far");
	assert_int_equal(far->asked, 1);
	assert_int_equal(near->asked, 0);
}

static void
comes_back_and_its_client_leaves(void **state)
{
	struct http_conn *c = given();

	(void)state;
	near->lease = 0;
	conn_waited(c);
	assert_int_equal(c->state, CONN_AWAY);
	(void)shutdown(client, SHUT_RDWR);
	client_close();
	/* There is a descriptor of it in the channel still. */
	c->stream.ops->failed(&c->stream, ECONNRESET);
	assert_int_equal(near->srv.nconns, 0);
	turn();
	turn();
	assert_int_equal(near->srv.nconns, 0);
}

static enum handover_answer
refuse(struct handover *h, unsigned kind, int fd, hostd_buf record)
{
	(void)h;
	(void)kind;
	(void)fd;
	(void)record;
	return HANDOVER_REFUSED;
}

static int
give_for_good(struct http_server *srv, struct http_conn *c)
{
	return conn_give(c, peer(side_of(srv)), 0);
}

static void
room_for_all(struct handover *h)
{
	http_server_give(&((struct side *)(void *)h)->srv);
}

/* It was a choice, and is refused; but meanwhile near ends, and all must go. */
static void
is_refused_and_given_again(void **state)
{
	struct http_conn *c = TAILQ_FIRST(&near->srv.conns);

	(void)state;
	far->h.take = refuse;
	assert_int_equal(conn_give(c, peer(near), 60000), 0);
	handover_hear(peer(far));
	far->h.take = take;
	near->srv.give = give_for_good;
	near->h.room = room_for_all;
	conn_waited(c);
	assert_int_equal(c->state, CONN_MOVING);
	assert_non_null(c->move);
	count(0, 1);
	say(ASK("/far"));
	hear_from("far");
}

static void
the_taker_ends(void **state)
{
	struct http_conn *c = given();

	(void)state;
	near->lease = 0;
	far_pool.queue_timeout = 1;
	handover_close(&far->h);
	TAILQ_INIT(&far->h.peers);
	hear("HTTP/1.1 503", "</h1>\n");
	assert_ptr_equal(TAILQ_FIRST(&near->srv.conns), c);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(goes_to_whose_route_it_is),
		TEST(a_route_of_no_pool_is_of_its_home),
		TEST(all_that_was_sent_goes_along),
		TEST(nobody_is_there),
		TEST(has_waited_twice_in_one_turn),
		TEST(waits_until_there_is_somebody),
		TEST(more_than_it_may_have_are_refused),
		TEST(nobody_admits_to_it),
		TEST(is_not_taken_late),
		TEST(was_taken_and_is_heard_of_late),
		TEST(comes_back_and_its_client_leaves),
		TEST(is_refused_and_given_again),
		TEST(the_taker_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
