/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a WebSocket that closes may take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ws/conn.h"

#define LIMIT	100
#define BEGAN	5000

static struct conf_websocket conf;
static struct ws_conn conn;

static int
setup(void **state)
{
	(void)state;
	memset(&conf, 0, sizeof(conf));
	memset(&conn, 0, sizeof(conn));
	conf.close_timeout = LIMIT;
	conn.conf = &conf;
	conn.state_ms = BEGAN;
	return 0;
}

static void
a_close_has_its_time(void **state)
{
	static const enum ws_state states[] = { WS_CLOSING, WS_LINGER };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		conn.state = (uint8_t)states[i];
		/* What had moved before is of no account. */
		for (conn.moved_ms = 0; conn.moved_ms <= BEGAN;
		    conn.moved_ms += 1000)
			assert_int_equal(ws_conn_deadline(&conn),
			    BEGAN + LIMIT);
	}
}

static void
it_begins_anew_while_output_moves(void **state)
{
	(void)state;
	conn.state = WS_LINGER;
	conn.moved_ms = BEGAN + 90;
	assert_int_equal(ws_conn_deadline(&conn), BEGAN + 90 + LIMIT);
	conn.moved_ms = BEGAN + 20 * LIMIT;
	assert_int_equal(ws_conn_deadline(&conn), BEGAN + 21 * LIMIT);
}

static void
but_not_for_ever(void **state)
{
	(void)state;
	conn.state = WS_CLOSING;
	conn.moved_ms = BEGAN + 59 * LIMIT + 1;
	assert_int_equal(ws_conn_deadline(&conn), BEGAN + 60 * LIMIT);
	conn.moved_ms = BEGAN + 1000 * LIMIT;
	assert_int_equal(ws_conn_deadline(&conn), BEGAN + 60 * LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_close_has_its_time, setup),
	    cmocka_unit_test_setup(it_begins_anew_while_output_moves, setup),
	    cmocka_unit_test_setup(but_not_for_ever, setup),
	};

	return cmocka_run_group_tests_name("ws timer", tests, NULL, NULL);
}
