/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of a WebSocket: what goes in comes out, or nothing does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/pack.h"
#include "http/identity.h"
#include "http/router.h"
#include "ws/conn.h"
#include "ws/deflate.h"
#include "ws/message.h"
#include "loop_case.h"

static struct conf conf;
static struct board_cell *cell;
static struct router *router;
static struct http_server http;
static struct ws_server srv;
static struct ws_handler handler = { .name = "test", .moves = 1 };
static int fds[2];
static int heard, moved;

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static void
handler_close(struct ws_handler *h, struct ws_conn *c, int32_t code,
    hostd_buf reason)
{
	(void)h;
	(void)c;
	(void)code;
	(void)reason;
}

static int32_t
handler_message(struct ws_handler *h, struct ws_conn *c, hostd_buf msg,
    uint32_t flags)
{
	(void)h;
	(void)c;
	(void)flags;
	assert_int_equal(msg.n, 5);
	assert_memory_equal(msg.p, "hello", 5);
	heard++;
	return HOSTD_OK;
}

static void
handler_moved(struct ws_handler *h, struct ws_conn *c)
{
	(void)h;
	(void)c;
	moved++;
}

static int
setup(void **state)
{
	(void)state;
	loop_open();
	memset(&conf, 0, sizeof(conf));
	TAILQ_INIT(&conf.error_pages);
	TAILQ_INIT(&conf.access_logs);
	conf.http.max_headers = 10;
	conf.websocket.max_message = 1000;
	conf.websocket.high_water = conf.websocket.max_output = 100000;
	conf.websocket.level = 6;
	conf.websocket.memory = 8;
	cell = aligned_alloc(64, sizeof(*cell));
	memset(cell, 0, sizeof(*cell));
	router = router_new();
	http_server_init(&http, &loop, &conf, router, cell);
	ws_server_init(&srv, &http);
	handler.close = handler_close;
	handler.message = handler_message;
	handler.moved = handler_moved;
	heard = moved = 0;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
}

static int
teardown(void **state)
{
	(void)state;
	ws_server_close(&srv);
	http_server_close(&http);
	router_free(router);
	free(cell);
	loop_end();
	(void)close(fds[1]);
	return 0;
}

/* One that has all there can be. */
static struct ws_conn *
conn_new(void)
{
	struct ws_conn *c = ws_conn_new(&srv, &handler, &conf.websocket);
	struct buf out = { NULL, 0, 0 };

	ws_conn_keep_texts(c, text("127.0.0.1"), text("/chat"), text("v2"));
	c->label = xstrndup("me", 2);
	c->label_len = 2;
	c->who = identity_new(text("alice"), text("{\"sub\":\"alice\"}"));
	c->deflate = c->reader.deflate = 1;
	c->params = (struct ws_deflate_params){ 1, 1, 11, 12 };
	c->reader.takeover = 1;
	c->reader.bits = 12;
	c->deflater = ws_deflater_get(srv.readers.zpool, 11);
	assert_int_equal(ws_deflate(c->deflater, "window", 6, &out), 0);
	c->reader.inflater = ws_inflater_get(srv.readers.zpool, 12);
	out.len = 0;
	c->paused = 1;
	c->opened_ms = 5;
	c->heard_ms = 6;
	c->rate_ms = 7;
	c->tokens = -3;
	c->reader.nhead = 1;
	c->reader.head[0] = 0x81;
	buf_append(&c->in, "\x85", 1);
	buf_free(&out);
	return c;
}

static void
pack(struct buf *b)
{
	struct ws_conn *c = conn_new();

	ws_conn_pack(c, b);
	ws_conn_discard(c);
}

static struct ws_conn *
come(const char *p, size_t n)
{
	struct unpack u = { p, n, 0 };

	return ws_conn_come(&srv, &handler, &conf.websocket, fds[0], &u);
}

static void
all_of_it_comes(void **state)
{
	/* "window" again is but a pointer into the window. */
	struct buf b = { NULL, 0, 0 }, packed = { NULL, 0, 0 };
	struct ws_conn *c;

	(void)state;
	pack(&b);
	c = come(b.p, b.len);
	assert_non_null(c);
	assert_int_equal(c->state, WS_COMING);
	assert_int_equal(srv.nconns, 1);
	assert_int_equal(http.nconns, 1);
	assert_memory_equal(ws_conn_peer(c).p, "127.0.0.1", 9);
	assert_memory_equal(ws_conn_path(c).p, "/chat", 5);
	assert_memory_equal(ws_conn_protocol(c).p, "v2", 2);
	assert_memory_equal(c->label, "me", 2);
	assert_non_null(c->who);
	assert_int_equal(c->who->user.n, 5);
	assert_memory_equal(c->who->user.p, "alice", 5);
	assert_int_equal(c->who->claims.n, 15);
	assert_memory_equal(c->who->claims.p, "{\"sub\":\"alice\"}", 15);
	assert_true(c->paused && c->deflate && c->reader.deflate);
	assert_int_equal(c->params.server_bits, 11);
	assert_int_equal(c->reader.bits, 12);
	assert_int_equal(c->opened_ms, 5);
	assert_int_equal(c->heard_ms, 6);
	assert_int_equal(c->tokens, -3);
	assert_int_equal(ws_deflate(c->deflater, "window", 6, &packed), 0);
	assert_true(packed.len < 6);
	/* The header goes on where it was. */
	assert_int_equal(c->in.len, 2);
	assert_memory_equal(c->in.p, "\x81\x85", 2);
	ws_conn_came(c);
	assert_int_equal(c->state, WS_OPEN);
	ws_conn_pause(c, 0);
	assert_int_equal(write(fds[1], "\0\0\0\0hello", 9), 9);
	until(&heard, 1);
	buf_free(&b);
	buf_free(&packed);
}

static void
a_part_of_it_does_not(void **state)
{
	struct buf b = { NULL, 0, 0 };
	size_t n;
	char *copy;

	(void)state;
	pack(&b);
	for (n = 0; n <= b.len; n++) {
		/* A byte less, or one more. */
		copy = xcalloc(1, b.len + 1);
		memcpy(copy, b.p, n);
		assert_null(come(copy, n == b.len ? n + 1 : n));
		assert_int_equal(srv.nconns, 0);
		assert_int_equal(http.nconns, 0);
		free(copy);
	}
	/* The socket was never touched. */
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(fds[0], &n, 1), 1);
	(void)close(fds[0]);
	buf_free(&b);
}

static void
turned_back_it_is_the_givers(void **state)
{
	struct buf b = { NULL, 0, 0 };
	struct ws_conn *c;
	char byte;

	(void)state;
	pack(&b);
	c = come(b.p, b.len);
	assert_non_null(c);
	ws_conn_turn_back(c);
	assert_int_equal(srv.nconns, 0);
	assert_int_equal(http.nconns, 0);
	turn();
	assert_int_equal(write(fds[1], "x", 1), 1);
	turn();
	assert_int_equal(read(fds[0], &byte, 1), 1);
	(void)close(fds[0]);
	buf_free(&b);
}

static void
comes_to_one_whose_clients_leave(void **state)
{
	struct buf b = { NULL, 0, 0 };
	struct ws_conn *c;

	(void)state;
	http_server_leave(&http, 1, 1000);
	ws_server_leave(&srv, 1, 1000);
	pack(&b);
	c = come(b.p, b.len);
	assert_non_null(c);
	ws_conn_came(c);
	assert_in_range(c->leave_ms, loop.now_ms, loop.now_ms + 1000);
	/* Or may stay after all. */
	http_server_leave(&http, 0, 0);
	ws_server_leave(&srv, 0, 0);
	assert_int_equal(c->leave_ms, 0);
	buf_free(&b);
}

static void
is_no_matter(struct handover *h)
{
	(void)h;
}

/* Given, and said to meanwhile: what is said is the other worker's to send. */
static void
nothing_is_sent_when_its_giver_ends(void **state)
{
	static const struct chan_peer who = { .pool = "web" };
	struct handover h = { .room = is_no_matter };
	struct buf b = { NULL, 0, 0 };
	struct ws_message *late;
	struct chan_msg msg;
	struct ws_conn *c;
	int ends[2];

	(void)state;
	pack(&b);
	c = come(b.p, b.len);
	assert_non_null(c);
	ws_conn_came(c);
	assert_int_equal(chan_pair(ends), 0);
	handover_init(&h, &loop, &msg);
	handover_add(&h, ends[0], &who);
	ws_conn_hold(c);
	assert_int_equal(ws_conn_give(c, TAILQ_FIRST(&h.peers),
	    (hostd_buf){ b.p, b.len }), 0);
	late = ws_message_new(text("late"), HOSTD_WS_TEXT);
	assert_int_equal(ws_conn_send_message(c, late), 0);
	ws_message_unref(late);
	handover_close(&h);
	assert_int_equal(moved, 1);
	assert_int_equal(srv.nconns, 0);
	turn();
	/* Until the other worker reads what it was given. */
	assert_int_equal(chan_recv(ends[1], &msg), 1);
	assert_int_equal(msg.nfds, 1);
	assert_int_equal(read(fds[1], msg.data, 1), -1);
	chan_close_fds(&msg);
	(void)close(ends[1]);
	buf_free(&b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(all_of_it_comes),
	    T(a_part_of_it_does_not),
	    T(turned_back_it_is_the_givers),
	    T(comes_to_one_whose_clients_leave),
	    T(nothing_is_sent_when_its_giver_ends),
	};

	return cmocka_run_group_tests_name("ws move", tests, NULL, NULL);
}
