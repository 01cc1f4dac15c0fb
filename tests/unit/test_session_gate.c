/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions that are in their cookie, in a store that fails, or required. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "session_case.h"

static char login[] = "/login", login_next[] = "/login?next=";
static char user[] = "user";

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
