/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of a WebSocket with what its plugin knows of it: one of another
 * version, or one that is cut short, is refused before the plugin hears of it
 * or as if it had not, and then the connection is still the giver's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <hostd/state.h>
#include "base/log.h"
#include "base/pack.h"
#include "http/router.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/room_service.h"
#include "plugin/ws_move.h"
#include "loop_case.h"

#define RECORD_VERSION	2	/* what this hostd writes */
#define STATE_VERSION	7

static struct conf conf;
static struct conf_pubsub pubsub = { .queue = 1 << 16, .history = 1 << 16,
	.query_timeout = 100 };
static struct conf_plugin plugin = { .name = (char *)(uintptr_t)"talk" };
static struct conf_websocket websocket = { .max_message = 1000,
	.high_water = 100000, .max_output = 100000 };
static struct conf_route route = { .path = (char *)(uintptr_t)"/talk",
	.plugin = &plugin, .websocket = &websocket };
static struct module module = { .desc = { .id = "test.talk" } };
static struct board board;
static struct router *router;
static struct http_server http;
static struct ws_server srv;
static struct plugins all;
static struct instance in;
static int fds[2];
static int loads;

static int32_t
load(struct hostd_inst *inst, hostd_ws ws, void *data, uint32_t version,
    hostd_buf state)
{
	(void)inst;
	(void)ws;
	(void)data;
	assert_int_equal(version, STATE_VERSION);
	assert_int_equal(state.n, 5);
	assert_memory_equal(state.p, "state", 5);
	loads++;
	return HOSTD_OK;
}

static const struct hostd_p_ws_state ws_state = {
	.version = STATE_VERSION,
	.load = load,
};

static void
handler_close(struct ws_handler *h, struct ws_conn *c, int32_t code,
    hostd_buf reason)
{
	(void)h;
	(void)code;
	(void)reason;
	room_service_leave_all(&in, c);
}

static void
open_plugins(void)
{
	memset(&all, 0, sizeof(all));
	memset(&in, 0, sizeof(in));
	all.loop = &loop;
	all.conf = &conf;
	all.board = &board;
	all.cell = &board.cells[0];
	all.server = &http;
	all.sockets = &srv;
	TAILQ_INIT(&all.instances);
	hub_init(&all.hub, &loop, &board, &board.cells[0], &pubsub);
	hub_serve(&all.hub, &http.sio);
	in.all = &all;
	in.conf = &plugin;
	in.module = &module;
	in.ws_state = &ws_state;
	in.ws_handler.name = plugin.name;
	in.ws_handler.moves = 1;
	in.ws_handler.close = handler_close;
	TAILQ_INSERT_TAIL(&all.instances, &in, link);
}

static int
setup(void **state)
{
	(void)state;
	log_set_level(LOG_LVL_ERROR);
	loop_open();
	memset(&conf, 0, sizeof(conf));
	TAILQ_INIT(&conf.error_pages);
	TAILQ_INIT(&conf.access_logs);
	TAILQ_INIT(&conf.routes);
	TAILQ_INSERT_TAIL(&conf.routes, &route, entry);
	conf.http.max_headers = 10;
	conf.callback_budget = 60000;
	conf.websocket.level = 6;
	conf.websocket.memory = 8;
	assert_int_equal(board_create(&board), 0);
	router = router_new();
	http_server_init(&http, &loop, &conf, router, &board.cells[0]);
	ws_server_init(&srv, &http);
	open_plugins();
	loads = 0;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
}

static int
teardown(void **state)
{
	(void)state;
	ws_server_close(&srv);
	hub_stop(&all.hub);
	hub_close(&all.hub);
	http_server_close(&http);
	router_free(router);
	board_close(&board);
	loop_end();
	(void)close(fds[1]);
	return 0;
}

static void
pack_conn(struct buf *b)
{
	struct ws_conn *c = ws_conn_new(&srv, &in.ws_handler, &websocket);
	struct buf packed = { NULL, 0, 0 };

	ws_conn_keep_texts(c, (hostd_buf){ "::1", 3 },
	    (hostd_buf){ "/talk", 5 }, (hostd_buf){ NULL, 0 });
	ws_conn_pack(c, &packed);
	pack_bytes(b, packed.p, packed.len);
	ws_conn_discard(c);
	buf_free(&packed);
}

/* As another worker's plugin/ws_move.c writes it; in no channel. */
static void
pack(struct buf *b, uint32_t version)
{
	pack_u32(b, version);
	pack_text(b, plugin.name);
	pack_text(b, module.desc.id);
	pack_text(b, route.path);
	pack_u32(b, STATE_VERSION);
	pack_bytes(b, "state", 5);
	pack_conn(b);
	hub_give(&all.hub, NULL, b);
}

static enum handover_answer
take(uint32_t version, size_t less)
{
	struct buf b = { NULL, 0, 0 };
	enum handover_answer answer;
	char *copy;

	pack(&b, version);
	assert_true(less <= b.len);
	/* Of that size, for whoever reads beyond. */
	copy = malloc(b.len - less + (less == b.len));
	assert_non_null(copy);
	memcpy(copy, b.p, b.len - less);
	answer = ws_move_take(&all, fds[0], (hostd_buf){ copy, b.len - less });
	free(copy);
	buf_free(&b);
	return answer;
}

static size_t
record_size(void)
{
	struct buf b = { NULL, 0, 0 };
	size_t n;

	pack(&b, RECORD_VERSION);
	n = b.len;
	buf_free(&b);
	return n;
}

static void
assert_givers(void)
{
	char byte;

	assert_int_equal(srv.nconns, 0);
	assert_int_equal(http.nconns, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	turn();
	assert_int_equal(read(fds[0], &byte, 1), 1);
}

static void
of_this_version(void **state)
{
	(void)state;
	assert_int_equal(take(RECORD_VERSION, 0), HANDOVER_TAKEN);
	assert_int_equal(loads, 1);
	assert_int_equal(srv.nconns, 1);
}

static void
of_another_version(void **state)
{
	(void)state;
	assert_int_equal(take(RECORD_VERSION + 1, 0), HANDOVER_REFUSED);
	assert_int_equal(take(RECORD_VERSION - 1, 0), HANDOVER_REFUSED);
	assert_int_equal(take(UINT32_MAX, 0), HANDOVER_REFUSED);
	assert_int_equal(loads, 0);
	assert_givers();
	(void)close(fds[0]);
}

static void
cut_short(void **state)
{
	size_t less, n = record_size();

	(void)state;
	for (less = 1; less <= n; less++)
		assert_int_equal(take(RECORD_VERSION, less), HANDOVER_REFUSED);
	assert_int_equal(loads, 0);
	assert_givers();
	(void)close(fds[0]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(of_this_version),
	    T(of_another_version),
	    T(cut_short),
	};

	return cmocka_run_group_tests_name("ws state", tests, NULL, NULL);
}
