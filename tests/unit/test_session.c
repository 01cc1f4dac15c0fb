/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of requests, in a store that answers at once, later, or wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
#include "session/gate.h"
#include "session/id.h"
#include "session/session.h"
#include "session/visit.h"
#include "store_case.h"

#define COOKIE	"Cookie: connect.sid=s:" SID ".+8GzCJ7LSbgy2qwLoDJX+olBn7dq" \
	"SjH4ZLCvcGsKQrs\r\n"
#define HEAD	" HTTP/1.1\r\nHost: a\r\n"
#define NOW	1795219717891ll

static char name[] = "main", cookie[] = "connect.sid", path[] = "/";
static char login[] = "/login", login_next[] = "/login?next=";
static char user[] = "user";
static struct conf_session block;
static struct http_server srv;
static struct board_cell *cell;
static struct router *router;
static struct http_handler handler;
static struct session_kind kind;
static struct session_gate gate;

/* -- an application -- */

static struct session_wait wait;
static struct http_req *waiting;
static int nready, nended;

/* What it does with a session is its path. */
static void
use(struct http_req *r, struct session *s)
{
	const char *do_it = (const char *)r->view.path.p + 1;
	hostd_buf value = { "none", 4 };

	if (strncmp(do_it, "set", 3) == 0)
		assert_int_equal(session_set(s, text("user"), text("42")),
		    HOSTD_OK);
	else if (strncmp(do_it, "new", 3) == 0) {
		assert_int_equal(session_regenerate(s), HOSTD_OK);
		assert_int_equal(session_set(s, text("user"), text("42")),
		    HOSTD_OK);
	} else if (strncmp(do_it, "end", 3) == 0) {
		assert_int_equal(session_destroy(s), HOSTD_OK);
		assert_int_equal(session_set(s, text("user"), text("42")),
		    HOSTD_E_STATE);
	} else if (session_get(s, text("user"), &value) != HOSTD_OK)
		value = text("none");
	assert_int_equal(response_whole(r, 200, NULL, 0, value), HOSTD_OK);
	assert_int_equal(session_set(s, text("user"), text("1")),
	    HOSTD_E_STATE);
}

static void
is_there(struct session_wait *w, struct session *s, int32_t status)
{
	struct http_req *r = waiting;

	(void)w;
	waiting = NULL;
	if (s == NULL) {
		nended++;
		return;
	}
	nready++;
	if (status == HOSTD_OK)
		use(r, s);
	else
		response_error(r, 503, NULL);
}

static int32_t
headers(struct http_handler *h, struct http_req *r)
{
	struct session *s;
	int32_t rc;

	(void)h;
	if (r->view.path.n == 1)
		return response_whole(r, 200, NULL, 0, text("no session"));
	wait.ready = is_there;
	waiting = r;
	rc = session_open(&kind, r, &wait, &s);
	if (rc == HOSTD_DEFER)
		return rc;
	waiting = NULL;
	if (rc != HOSTD_OK)
		return response_whole(r, 503, NULL, 0, text("no store"));
	use(r, s);
	return HOSTD_OK;
}

static void
end(struct http_handler *h, struct http_req *r, int why)
{
	(void)h;
	(void)r;
	(void)why;
}

static void
add_route(const char *pattern, int prefix, int required)
{
	struct http_route *rt = route_new(pattern, prefix, NULL, 0);

	rt->handler = &handler;
	rt->defer_ms = 60000;
	if (required)
		route_add_gate(rt, &gate.gate);
	router_add(router, rt, NULL, 0);
}

static int64_t
now(void)
{
	return NOW;
}

static void
set_up_block(void)
{
	store_open();
	nready = nended = 0;
	waiting = NULL;
	block = (struct conf_session){ .name = name, .cookie = cookie,
		.path = path, .httponly = 1, .max_size = 4096,
		.ttl = 86400000, .timeout = 1000 };
}

static int
setup(void **state)
{
	char why[256];

	(void)state;
	log_set_fd(-1);
	limits_open();
	handler = (struct http_handler){ .headers = headers, .end = end };
	set_up_block();
	loop_open();
	session_kind_init(&kind, &block, &store,
	    secrets_new("keyboard cat", 12, why, sizeof(why)), &loop, now);
	assert_non_null(kind.secrets);
	session_gate_init(&gate, &kind);
	cell = aligned_alloc(64, sizeof(*cell));
	assert_non_null(cell);
	memset(cell, 0, sizeof(*cell));
	router = router_new();
	add_route("/", 1, 0);
	add_route("/only", 1, 1);
	add_route("/login", 0, 1);
	http_server_init(&srv, &loop, &conf, router, cell);
	(void)client_open(&srv);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	http_server_close(&srv);
	session_kind_close(&kind);
	store_close();
	secrets_free(kind.secrets);
	router_free(router);
	free(cell);
	client_close();
	loop_end();
	return 0;
}

static void
until_asked(void)
{
	int turns;

	for (turns = 0; asked == NULL && turns < TURNS_MAX; turns++)
		turn();
	assert_non_null(asked);
}

static int
has_cookie(void)
{
	return strstr(heard, "\r\nSet-Cookie: connect.sid=s%3A") != NULL;
}

/* -- what is stored, and which cookie is sent -- */

static void
nobody_asks(void **state)
{
	(void)state;
	say("GET /" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "no session");
	called("");
	assert_false(has_cookie());
}

static void
new_and_not_changed(void **state)
{
	(void)state;
	say("GET /get" HEAD "\r\n");
	hear("HTTP/1.1 200", "none");
	called("");
	assert_false(has_cookie());
	block.save_uninitialized = 1;
	say("GET /get" HEAD "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_non_null(strstr(calls, "set "));
	assert_true(has_cookie());
}

static void
new_and_changed(void **state)
{
	struct map_entry *e;
	size_t it = 0;

	(void)state;
	say("GET /set" HEAD "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_true(has_cookie());
	assert_int_equal(kept.n, 1);
	e = map_next(&kept, &it);
	assert_int_equal(e->len, SESSION_ID_LEN);
	assert_non_null(strstr(heard, e->key));
	assert_non_null(strstr(e->value, "\"user\":42"));
}

static void
only_read(void **state)
{
	(void)state;
	has(BARE ",\"user\":7}");
	say("GET /get" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "7");
	called("get MlB, touch MlB");
	assert_false(has_cookie());
	block.rolling = 1;
	say("GET /get" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "7");
	called("get MlB, touch MlB");
	assert_true(has_cookie());
	block.rolling = 0;
	block.resave = 1;
	say("GET /get" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "7");
	called("get MlB, set MlB");
	assert_false(has_cookie());
	is_kept(BARE ",\"user\":7}");
}

static void
changed(void **state)
{
	(void)state;
	has(BARE ",\"user\":7}");
	say("GET /set" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	called("get MlB, set MlB");
	assert_false(has_cookie());
	is_kept(BARE ",\"user\":42}");
	/* One with an end has its cookie sent again. */
	has("{\"cookie\":{\"originalMaxAge\":86400000,\"expires\":null}}");
	say("GET /set" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_non_null(strstr(heard, "; Path=/; "
	    "Expires=Sun, 22 Nov 2026 00:08:37 GMT; HttpOnly\r\n"));
}

static void
unknown_ids_are_not_taken(void **state)
{
	(void)state;
	say("GET /set" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_true(has_cookie());
	assert_null(strstr(heard, SID));
	is_kept(NULL);
	assert_int_equal(kept.n, 1);
	calls[0] = '\0';
	say("GET /get" HEAD "Cookie: connect.sid=s:" SID ".x\r\n\r\n");
	hear("HTTP/1.1 200", "none");
	called("");
}

static void
another_id_at_login(void **state)
{
	(void)state;
	has(BARE ",\"cart\":[1]}");
	say("GET /new" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_true(has_cookie());
	assert_null(strstr(heard, SID));
	is_kept(NULL);
	assert_int_equal(kept.n, 1);
	/* The old one goes when the new one is there. */
	assert_non_null(strstr(calls, "set "));
	assert_non_null(strstr(strstr(calls, "set "), ", del MlB"));
}

static void
the_end_of_one(void **state)
{
	(void)state;
	has(BARE ",\"user\":7}");
	say("GET /end" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	called("get MlB, del MlB");
	assert_false(has_cookie());
	is_kept(NULL);
}

/* -- a store that takes its time -- */

static void
nothing_is_said_before_it_is_stored(void **state)
{
	(void)state;
	has(BARE ",\"user\":7}");
	later = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	until_asked();
	hear_nothing();
	store_speaks();
	assert_int_equal(nready, 1);
	called("get MlB, set MlB");
	hear_nothing();
	store_speaks();
	hear("HTTP/1.1 200", "none");
	is_kept(BARE ",\"user\":42}");
}

static void
nobody_waits_for_a_touch(void **state)
{
	(void)state;
	has(BARE ",\"user\":7}");
	later = 1;
	say("GET /get" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();
	hear("HTTP/1.1 200", "7");
	called("get MlB, touch MlB");
	store_speaks();
	assert_true(LIST_EMPTY(&kind.used));
}

static void
the_client_leaves(void **state)
{
	int turns;

	(void)state;
	has(BARE ",\"user\":7}");
	later = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	until_asked();
	client_close();
	for (turns = 0; !LIST_EMPTY(&kind.used) && turns < TURNS_MAX; turns++)
		turn();
	called("get MlB, cancel ");
	assert_int_equal(nready, 0);
	assert_int_equal(nended, 1);
}

static void
what_is_being_stored_is_stored(void **state)
{
	int turns;

	(void)state;
	has(BARE ",\"user\":7}");
	later = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();
	client_close();
	for (turns = 0; turns < 50; turns++)
		turn();
	assert_non_null(asked);
	store_speaks();
	called("get MlB, set MlB");
	for (turns = 0; !LIST_EMPTY(&kind.used) && turns < TURNS_MAX; turns++)
		turn();
	assert_true(LIST_EMPTY(&kind.used));
}

/* -- two at a time -- */

static void
changes_of_another_stay(void **state)
{
	(void)state;
	has(BARE ",\"a\":1}");
	meanwhile = BARE ",\"a\":2,\"b\":[ ]}";
	say("GET /set" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	called("get MlB, set MlB, get MlB, set MlB");
	is_kept(BARE ",\"a\":2,\"b\":[ ],\"user\":42}");
}

static void
logged_out_stays_logged_out(void **state)
{
	(void)state;
	has(BARE ",\"a\":1}");
	later = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();			/* loaded, and to be stored */
	free(map_del(&kept, SID, strlen(SID)));
	asked_status = HOSTD_E_STATE;	/* as it is not there any more */
	store_speaks();
	store_speaks();
	hear("HTTP/1.1 200", "none");
	called("get MlB, set MlB, get MlB");
	is_kept(NULL);
}

static void
the_last_one_wins_without_comparing(void **state)
{
	(void)state;
	store.flags = 0;
	has(BARE ",\"a\":1}");
	meanwhile = BARE ",\"a\":2}";
	say("GET /set" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	called("get MlB, set MlB");
	is_kept(BARE ",\"a\":1,\"user\":42}");
}

/* It is asked again, or the client has an answer. */
static int
asked_again(void)
{
	int turns;
	char c;

	for (turns = 0; asked == NULL && turns < TURNS_MAX; turns++) {
		if (recv(client, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
			return 0;
		turn();
	}
	return asked != NULL;
}

static void
not_for_ever(void **state)
{
	int i;

	(void)state;
	has(BARE ",\"a\":1}");
	later = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();
	for (i = 0; i < 1000 && asked_again(); i++) {
		/* Each time somebody was faster. */
		if (asked_value == NULL)
			asked_status = HOSTD_E_STATE;
		store_speaks();
	}
	assert_in_range(i, 4, 200);
	hear("HTTP/1.1 503", "</h1>\n");
}

/* The client goes while it rests from that. */
static void
somebody_leaves_who_rests(void **state)
{
	int i;

	(void)state;
	has(BARE ",\"a\":1}");
	later = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();
	for (i = 0; asked != NULL; i++) {
		if (asked_value == NULL)
			asked_status = HOSTD_E_STATE;
		store_speaks();
	}
	assert_in_range(i, 4, 30);
	(void)close(client);
	client = -1;
	/* It goes on, and what was changed is stored. */
	later = 0;
	for (i = 0; i < TURNS_MAX && strstr(map_get(&kept, SID, strlen(SID)),
	    "user") == NULL; i++)
		turn();
	is_kept(BARE ",\"a\":1,\"user\":42}");
}

/* -- one that keeps nothing -- */

#define TOKEN	"connect.sid=s%3ATOKEN."

static void
tokens_are_made_at_once(void **state)
{
	(void)state;
	store.flags = HOSTD_STORE_STATELESS;
	say("GET /set" HEAD "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_non_null(strstr(heard, "Set-Cookie: " TOKEN));
	called("set ");
	/* Another content is another token, always. */
	has(BARE ",\"user\":7}");
	say("GET /set" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_non_null(strstr(heard, "Set-Cookie: " TOKEN));
	called("get MlB, set ");
	say("GET /get" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "7");
	assert_false(has_cookie());
}

/* Nothing but the cookie has it. */
static void
tokens_end_with_the_cookie(void **state)
{
	static const char gone[] = "Set-Cookie: connect.sid=; Path=/; "
	    "Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly";

	(void)state;
	store.flags = HOSTD_STORE_STATELESS;
	has(BARE ",\"user\":7}");
	say("GET /end" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_non_null(strstr(heard, gone));
	/* There was none. */
	say("GET /end" HEAD "\r\n");
	hear("HTTP/1.1 200", "none");
	assert_false(has_cookie());
}

static void
tokens_live_on_with_a_new_one(void **state)
{
	(void)state;
	store.flags = HOSTD_STORE_STATELESS;
	has(BARE ",\"user\":7}");
	block.rolling = 1;
	say("GET /get" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "7");
	assert_non_null(strstr(heard, "Set-Cookie: " TOKEN));
	called("get MlB, set ");
	block.rolling = 0;
	block.resave = 1;
	say("GET /get" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "7");
	assert_non_null(strstr(heard, "Set-Cookie: " TOKEN));
}

static void
tokens_that_come_late(void **state)
{
	(void)state;
	store.flags = HOSTD_STORE_STATELESS;
	later = 1;
	say("GET /set" HEAD "\r\n");
	hear("HTTP/1.1 503", "</h1>\n");
	called("set , cancel ");
	assert_false(has_cookie());
}

/* -- a store that fails -- */

static void
loading_fails(void **state)
{
	(void)state;
	fails = HOSTD_E_IO;
	say("GET /get" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 503", "no store");
	called("get MlB");
	block.anonymous = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "none");
	called("get MlB");
	assert_false(has_cookie());
}

static void
garbage_is_no_session(void **state)
{
	(void)state;
	has("{\"cookie\":");
	later = 1;
	say("GET /get" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();
	hear("HTTP/1.1 503", "</h1>\n");
	is_kept("{\"cookie\":");
}

static void
storing_fails(void **state)
{
	(void)state;
	has(BARE ",\"user\":7}");
	later = 1;
	say("GET /set" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();
	asked_status = HOSTD_E_TIMEOUT;
	store_speaks();
	hear("HTTP/1.1 503", "</h1>\n");
}

static void
storing_fails_at_once(void **state)
{
	(void)state;
	fails = HOSTD_E_FULL;
	say("GET /set" HEAD "\r\n");
	hear("HTTP/1.1 503", "</h1>\n");
	assert_false(has_cookie());
}

static void
touching_fails(void **state)
{
	(void)state;
	has(BARE ",\"user\":7}");
	later = 1;
	say("GET /get" HEAD COOKIE "\r\n");
	until_asked();
	store_speaks();
	asked_status = HOSTD_E_IO;
	store_speaks();
	hear("HTTP/1.1 200", "7");
}

/* -- routes that need one -- */

static void
required(void **state)
{
	(void)state;
	say("GET /only" HEAD "\r\n");
	hear("HTTP/1.1 401", "</h1>\n");
	say("GET /only" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 401", "</h1>\n");
	called("get MlB");
	has(BARE ",\"user\":7}");
	say("GET /only" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "7");
	/* Loaded once for both. */
	called("get MlB, touch MlB");
	later = 1;
	say("GET /only" HEAD COOKIE "\r\n");
	until_asked();
	hear_nothing();
	store_speaks();
	hear("HTTP/1.1 200", "7");
	store_speaks();
}

static void
required_with_a_key(void **state)
{
	(void)state;
	block.required_key = user;
	has(BARE ",\"cart\":7}");
	say("GET /only" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 401", "</h1>\n");
	has(BARE ",\"user\":null}");
	say("GET /only" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 401", "</h1>\n");
	has(BARE ",\"user\":0}");
	say("GET /only" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 200", "0");
}

static void
browsers_are_sent_to_the_login(void **state)
{
	(void)state;
	block.login = login;
	say("GET /only" HEAD "Accept: text/html,*/*\r\n\r\n");
	hear("HTTP/1.1 303", "\r\n\r\n");
	assert_non_null(strstr(heard, "\r\nLocation: /login\r\n"));
	say("GET /only" HEAD "Accept: application/json\r\n\r\n");
	hear("HTTP/1.1 401", "</h1>\n");
	say("POST /only" HEAD "Accept: text/html\r\n"
	    "Content-Length: 0\r\n\r\n");
	hear("HTTP/1.1 401", "</h1>\n");
	block.login = login_next;
	say("GET /only?a=1&b" HEAD "Accept: text/html\r\n\r\n");
	hear("HTTP/1.1 303", "\r\n\r\n");
	assert_non_null(strstr(heard, "\r\nLocation: /login?next="
	    "%2Fonly%3Fa%3D1%26b\r\n"));
	/* Which is open to all, though its route is not. */
	say("GET /login" HEAD "Accept: text/html\r\n\r\n");
	hear("HTTP/1.1 200", "none");
}

static void
required_of_a_store_that_fails(void **state)
{
	(void)state;
	fails = HOSTD_E_IO;
	say("GET /only" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 503", "</h1>\n");
	block.anonymous = 1;
	say("GET /only" HEAD COOKIE "\r\n");
	hear("HTTP/1.1 401", "</h1>\n");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nobody_asks),
		CASE(new_and_not_changed),
		CASE(new_and_changed),
		CASE(only_read),
		CASE(changed),
		CASE(unknown_ids_are_not_taken),
		CASE(another_id_at_login),
		CASE(the_end_of_one),
		CASE(nothing_is_said_before_it_is_stored),
		CASE(nobody_waits_for_a_touch),
		CASE(the_client_leaves),
		CASE(what_is_being_stored_is_stored),
		CASE(changes_of_another_stay),
		CASE(logged_out_stays_logged_out),
		CASE(the_last_one_wins_without_comparing),
		CASE(not_for_ever),
		CASE(somebody_leaves_who_rests),
		CASE(tokens_are_made_at_once),
		CASE(tokens_end_with_the_cookie),
		CASE(tokens_live_on_with_a_new_one),
		CASE(tokens_that_come_late),
		CASE(loading_fails),
		CASE(garbage_is_no_session),
		CASE(storing_fails),
		CASE(storing_fails_at_once),
		CASE(touching_fails),
		CASE(required),
		CASE(required_with_a_key),
		CASE(browsers_are_sent_to_the_login),
		CASE(required_of_a_store_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
