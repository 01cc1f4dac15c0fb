/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of requests, in a store that answers at once or later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "session_case.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
