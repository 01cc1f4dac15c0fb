/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another worker hands over, perhaps one of another version.  The first
 * byte says what it is: h an HTTP connection, w a WebSocket, m what a socket
 * has heard, s states of instances.
 *
 * What must hold: what does not fit together is refused as a whole, and the
 * connection stays the giver's; what is taken can be served.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "http/conn.h"
#include "http/router.h"
#include "plugin/state_file.h"
#include "pubsub/hub.h"
#include "ws/conn.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct loop loop;
static struct conf conf;
static struct conf_pool pool = { .name = (char *)(uintptr_t)"web" };
static struct board_cell cell;
static struct http_server http;
static struct ws_server sockets;

static void
must(int holds)
{
	if (!holds)
		abort();
}

static int32_t
message(struct ws_handler *h, struct ws_conn *c, hostd_buf msg, uint32_t flags)
{
	(void)h;
	return ws_conn_send(c, msg, flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY));
}

static void
writable(struct ws_handler *h, struct ws_conn *c)
{
	(void)h;
	(void)c;
}

static void
closed(struct ws_handler *h, struct ws_conn *c, int32_t code, hostd_buf why)
{
	(void)h;
	(void)c;
	(void)code;
	(void)why;
}

static struct ws_handler handler = { .name = "test", .moves = 1,
	.message = message, .writable = writable, .close = closed };

static void
set_up(void)
{
	log_set_fd(-1);
	TAILQ_INIT(&conf.error_pages);
	conf.http = (struct conf_http){
		.max_request_line = 512, .max_head = 2048, .max_headers = 16,
		.max_body = 4096, .head_timeout = 1000, .body_timeout = 1000,
		.idle_timeout = 1000, .send_timeout = 1000,
		.lingering_timeout = 1000, .keepalive_requests = 1000,
		.max_connections = 10, .output_high = 65536,
	};
	conf.websocket = (struct conf_websocket){
		.max_message = 4096, .high_water = 65536,
		.max_output = 65536, .close_timeout = 1, .level = 1,
		.memory = 1,
	};
	must(loop_init(&loop) == 0);
	http_server_init(&http, &loop, &conf, router_new(), &cell);
	http.pool = &pool;
	ws_server_init(&sockets, &http);
}

/* The client says something, leaves, and nothing is left behind. */
static void
serve(int client)
{
	(void)send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27,
	    MSG_NOSIGNAL);
	loop_turn(&loop);
	(void)close(client);
	while (http.nconns > 0)
		loop_turn(&loop);
}

static void
refused(const int fds[2])
{
	char c = 'x';

	must(http.nconns == 0 && sockets.nconns == 0);
	must(write(fds[1], &c, 1) == 1 && read(fds[0], &c, 1) == 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
http_record(hostd_buf record)
{
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	if (conn_take(&http, fds[0], &pool, record) == 0)
		serve(fds[1]);
	else
		refused(fds);
}

static void
socket_record(hostd_buf record)
{
	struct unpack u = { record.p, record.n, 0 };
	struct ws_conn *c;
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	c = ws_conn_come(&sockets, &handler, &conf.websocket, fds[0], &u);
	if (c == NULL) {
		refused(fds);
	} else if (record.n % 2 == 0) {
		ws_conn_turn_back(c);
		refused(fds);
	} else {
		ws_conn_came(c);
		/* Else it would not see that its client has left. */
		ws_conn_pause(c, 0);
		serve(fds[1]);
	}
}

static void
marks_record(hostd_buf record)
{
	struct channel ch = { .name = (char *)(uintptr_t)"red", .len = 3 };
	struct delivery d = { .channel = &ch, .node = 1, .seq = 1ull << 40 };
	struct unpack u = { record.p, record.n, 0 };
	struct marks *m = marks_unpack(&u, NULL, 0);
	uint32_t n = 0;
	size_t at = 0;

	if (m == NULL)
		return;
	(void)marks_cover(m, 1, &d);
	(void)marks_cover(m, 2, &d);
	while (marks_channel(m, &at).p != NULL)
		n++;
	must(n == m->nchannels);
	marks_unref(m);
}

static void
state_record(hostd_buf record)
{
	struct state_record r;
	struct state_map map;
	volatile char last;
	int fd = memfd_create("states", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	must(fd != -1 && write(fd, record.p, record.n) == (ssize_t)record.n);
	if (state_map_open(&map, fd) == 0) {
		if (state_map_find(&map, "a", "b", &r) && r.state.n > 0)
			last = ((const char *)r.state.p)[r.state.n - 1];
		state_map_close(&map);
	}
	(void)last;
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostd_buf record = { data + 1, size - 1 };

	if (http.loop == NULL)
		set_up();
	if (size < 1)
		return 0;
	switch (data[0]) {
	case 'h':
		http_record(record);
		break;
	case 'w':
		socket_record(record);
		break;
	case 'm':
		marks_record(record);
		break;
	case 's':
		state_record(record);
		break;
	}
	return 0;
}
