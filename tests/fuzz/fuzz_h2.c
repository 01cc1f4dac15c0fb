/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole connection of HTTP/2 behind a socket pair: nghttp2, streams, requests
 * and their answers, of handlers that echo, wait, send a lot, a file, another
 * protocol, and less than they have promised.
 *
 * The first byte of the input has options, the second says in how large pieces
 * what comes behind the preface arrives: the bytes themselves, or frames whose
 * headers are made here of four bytes, so that their lengths are right.
 *
 * What must hold: each headers() has one end(), a client that has gone leaves
 * nothing behind, no stream, no descriptor; and that within a few turns.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/request_log.h"
#include "http/response.h"
#include "http/router.h"
#include "http/server.h"
#include "http2/server.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define OPT_FRAMES	0x01	/* made here */
#define OPT_DEAF	0x02	/* the client reads nothing until it ends */
#define OPT_HALF	0x04	/* it ends by its FIN, and reads on */
#define OPT_DRAIN	0x08	/* the worker ends in between */
#define OPT_NARROW	0x10	/* small windows of ours */

#define TURNS_MAX	200
#define SOURCE		200000	/* bytes of a long answer */
#define WAITING_MAX	128
#define PREFACE		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static struct loop loop;
static struct conf conf;
static struct board_cell cell;
static struct http_server server;
static struct http2_server http2;
static struct loop_task spin;
static uint64_t waiting[WAITING_MAX];	/* requests that were deferred */
static size_t nwaiting;
static int begun, ended, file = -1;

/* -- another protocol: an echo -- */

struct other {
	struct stream stream;	/* first */
	struct http_upgrade upgrade;
	struct other *next;
	int over;
};

static struct other *others, *dead;

static void
other_end(struct other *o)
{
	struct other **at;

	for (at = &others; *at != o; at = &(*at)->next)
		;
	*at = o->next;
	stream_close(&o->stream);
	leases_end(&o->upgrade.leases);
	http_server_ended(&server);
	o->next = dead;
	dead = o;
}

static void
other_sent(struct stream *s)
{
	struct other *o = (struct other *)(void *)s;

	if (o->over && stream_pending(s) == 0)
		other_end(o);
}

static void
other_readable(struct stream *s)
{
	struct other *o = (struct other *)(void *)s;
	char buf[512];
	ssize_t n = stream_read(s, buf, sizeof(buf));

	if (n > 0) {
		stream_write(s, buf, (size_t)n);
		if (s->can_read)
			stream_read_again(s);
	} else if ((n == 0 || errno != EAGAIN) && !o->over) {
		o->over = 1;
		stream_shutdown(s);
	}
	stream_flush_later(s);
}

static void
other_failed(struct stream *s, int error)
{
	(void)error;
	other_end((struct other *)(void *)s);
}

static void
other_half_closed(struct stream *s)
{
	(void)s;
}

static const struct stream_ops other_ops = {
	other_readable, other_sent, other_failed, other_half_closed
};

static struct other *
other_of(struct http_upgrade *u)
{
	return (struct other *)(void *)((char *)u -
	    offsetof(struct other, upgrade));
}

static void
other_taken(struct http_upgrade *u, struct stream *from, const char *p,
    size_t n)
{
	struct other *o = other_of(u);

	stream_move(&o->stream, from, &other_ops);
	o->next = others;
	others = o;
	stream_write(&o->stream, p, n);
	other_readable(&o->stream);
}

static void
other_lost(struct http_upgrade *u, int why)
{
	(void)why;
	leases_end(&u->leases);
	free(other_of(u));
}

static int32_t
upgrade(struct http_req *r)
{
	struct other *o = xcalloc(1, sizeof(*o));

	o->upgrade.taken = other_taken;
	o->upgrade.lost = other_lost;
	return response_upgrade(r, "echo", NULL, 0, &o->upgrade);
}

/* -- handlers -- */

static char
path_of(const struct http_req *r)
{
	return r->view.path.n > 1 ? ((const char *)r->view.path.p)[1] : 'e';
}

static void
release(void *owner, void *arg)
{
	(void)arg;
	++*(int *)owner;
}

/* As long as there is room. */
static int32_t
source(struct http_req *r)
{
	static const char bytes[8192];
	static const hostd_hdr trailer = { { "x-sum", 5 }, { "1", 1 } };
	static int released;
	int32_t rc = HOSTD_OK;

	while (r->phase == RESP_BEGUN && rc == HOSTD_OK &&
	    r->body_out < SOURCE)
		rc = response_write_ref(r, (hostd_buf){ bytes, sizeof(bytes) },
		    release, &released, NULL);
	if (r->phase == RESP_BEGUN && r->body_out >= SOURCE)
		return response_finish_trailers(r, &trailer, 1);
	return HOSTD_OK;
}

static int32_t
send_file(struct http_req *r, uint64_t length)
{
	static int released;

	if (response_begin(r, 200, NULL, 0, (int64_t)length) != HOSTD_OK)
		return HOSTD_OK;
	(void)response_write_file(r, file, 0, length, release, &released, NULL);
	return response_finish(r);
}

static int32_t
answer(struct http_req *r)
{
	static const hostd_hdr link = { { "Link", 4 }, { "</a>", 4 } };
	hostd_buf hello = { "hello", 5 };

	switch (path_of(r)) {
	case 'd':
		if (nwaiting == WAITING_MAX)
			break;
		waiting[nwaiting++] = r->id;
		return HOSTD_DEFER;
	case 'f':
		return send_file(r, 100000);
	case 'i':
		(void)response_inform(r, 103, &link, 1);
		break;
	case 's':
		(void)response_begin(r, 200, NULL, 0, -1);
		(void)source(r);
		return HOSTD_DEFER;
	case 't':
		/* Longer than it is. */
		return send_file(r, 200000);
	case 'u':
		if (r->view.flags & HOSTD_REQ_UPGRADE)
			return upgrade(r);
		break;
	case 'x':
		(void)response_begin(r, 200, NULL, 0, 10);
		(void)response_write(r, hello);
		(void)response_finish(r);
		return HOSTD_OK;
	case 'z':
		return HOSTD_E_FULL;
	default:
		return HOSTD_OK;
	}
	return response_whole(r, 200, &link, 1, hello);
}

static int32_t
handler_headers(struct http_handler *h, struct http_req *r)
{
	char path = path_of(r);

	(void)h;
	if (path == 'p')
		return HOSTD_PASS;
	begun++;
	r->paused = path == 'd' && !r->body_done;
	return answer(r);
}

static int32_t
handler_body(struct http_handler *h, struct http_req *r, hostd_buf part,
    int fin)
{
	int32_t rc = HOSTD_OK;

	(void)h;
	if (path_of(r) == 's' || path_of(r) == 'd')
		return HOSTD_DEFER;
	if (r->phase == RESP_NONE)
		rc = response_begin(r, 200, NULL, 0, -1);
	if (rc == HOSTD_OK && part.n > 0)
		rc = response_write(r, part);
	if (rc >= 0 && fin)
		rc = response_finish(r);
	return rc < 0 ? rc : HOSTD_OK;
}

static void
handler_writable(struct http_handler *h, struct http_req *r)
{
	(void)h;
	if (path_of(r) == 's')
		(void)source(r);
}

static void
handler_end(struct http_handler *h, struct http_req *r, int why)
{
	size_t i;

	(void)h;
	(void)why;
	ended++;
	for (i = 0; i < nwaiting; i++)
		if (waiting[i] == r->id)
			waiting[i] = 0;
}

static struct http_handler handler = {
	.name = "fuzz", .data_size = 16, .wants_body = 1,
	.headers = handler_headers, .body = handler_body,
	.writable = handler_writable, .end = handler_end
};

/* Those that were deferred before this piece came. */
static void
answer_waiting(void)
{
	hostd_buf late = { "late", 4 };
	struct http_req *r;
	size_t i;

	for (i = 0; i < nwaiting; i++) {
		r = handle_get(&server.handles, waiting[i]);
		if (waiting[i] == 0 || r == NULL)
			continue;
		r->paused = 0;
		if (r->phase == RESP_NONE)
			(void)response_whole(r, 200, NULL, 0, late);
		conn_wake(r->conn);
	}
	nwaiting = 0;
}

/* -- the server -- */

/* Turns of the loop do not wait. */
static void
spin_run(struct loop_task *t)
{
	loop_defer(&loop, t);
}

static void
add_route(struct router *ro, const char *pattern, int is_prefix)
{
	struct http_route *rt = route_new(pattern, is_prefix, NULL, 0);

	rt->handler = &handler;
	rt->max_body = 65536;
	rt->defer_ms = 60000;
	router_add(ro, rt, NULL, 0);
}

static void
open_log(void)
{
	access_logs_add(&server.logs, &request_log_kind, "json");
	request_log_want(&server.logs, &server.sent);
	access_logs_set_fd(&server.logs, 0,
	    open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static void
set_up(void)
{
	struct router *ro = router_new();

	log_set_fd(-1);
	TAILQ_INIT(&conf.error_pages);
	TAILQ_INIT(&conf.auths);
	conf.http = (struct conf_http){
		.max_request_line = 512, .max_head = 2048, .max_headers = 16,
		.max_body = 65536, .head_timeout = 60000,
		.body_timeout = 60000, .idle_timeout = 60000,
		.send_timeout = 60000, .defer_timeout = 60000,
		.lingering_timeout = 60000, .keepalive_requests = 50,
		.max_connections = 10, .output_high = 65536, .h2c = 1,
		.max_streams = 20,
	};
	file = memfd_create("fuzz", MFD_CLOEXEC);
	if (loop_init(&loop) == -1 || file == -1 ||
	    ftruncate(file, 100000) == -1)
		abort();
	spin.run = spin_run;
	add_route(ro, "/", 1);
	add_route(ro, "/exact", 0);
	http_server_init(&server, &loop, &conf, ro, &cell);
	http2_server_init(&http2, &server);
	open_log();
	loop_defer(&loop, &spin);
}

/* -- the client -- */

static int
hear(int fd)
{
	char buf[65536];
	ssize_t n;
	int heard = 0;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		heard = 1;
	return heard;
}

static void
one_turn(void)
{
	struct other *o;

	loop_turn(&loop);
	while ((o = dead) != NULL) {
		dead = o->next;
		free(o);
	}
}

static int
say(int fd, const void *p, size_t n, int options)
{
	if (send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
		return -1;
	one_turn();
	if ((options & OPT_DEAF) == 0)
		(void)hear(fd);
	return 0;
}

/* The next frame of the input: how much of that it was. */
static size_t
make_frame(struct buf *b, const uint8_t *p, size_t n)
{
	static const uint8_t zeros[255 << 6];
	size_t len = n < 4 ? 0 : p[3], used, more = 0;
	uint8_t head[9] = { 0 };

	if (n < 4)
		return n;
	used = 4 + (len < n - 4 ? len : n - 4);
	if (p[0] & 0x80)
		more = len << 6;
	len = used - 4 + more;
	head[0] = (uint8_t)(len >> 16);
	head[1] = (uint8_t)(len >> 8);
	head[2] = (uint8_t)len;
	head[3] = p[0] & 0x7f;
	head[4] = p[1];
	head[8] = p[2];
	buf_append(b, head, sizeof(head));
	buf_append(b, p + 4, used - 4);
	buf_append(b, zeros, more);
	return used;
}

static void
talk(int fd, const uint8_t *p, size_t n, size_t step, int options)
{
	struct buf all = { NULL, 0, 0 };
	size_t at, part;

	buf_puts(&all, PREFACE);
	while (n > 0 && (options & OPT_FRAMES)) {
		part = make_frame(&all, p, n);
		p += part;
		n -= part;
	}
	buf_append(&all, p, n);
	/* What is small comes in pieces, what is large in a few. */
	step = step == 0 ? all.len : step + all.len / 256;
	for (at = 0; at < all.len && server.nconns > 0; at += part) {
		part = all.len - at < step ? all.len - at : step;
		if (say(fd, all.p + at, part, options) == -1)
			break;
		if ((options & OPT_DRAIN) && at >= all.len / 2 &&
		    !server.draining)
			http_server_drain(&server, 0);
		answer_waiting();
	}
	buf_free(&all);
}

static void
leave(int fd, int options)
{
	int turns;

	if (options & OPT_HALF) {
		(void)shutdown(fd, SHUT_WR);
		for (turns = 0; turns < TURNS_MAX && server.nconns > 0;
		    turns++) {
			one_turn();
			if (hear(fd))
				turns = 0;
		}
	}
	close(fd);
	for (turns = 0; server.nconns > 0; turns++) {
		if (turns == TURNS_MAX)
			abort();
		one_turn();
	}
	one_turn();
}

static void
check_nothing_left(void)
{
	access_logs_flush(&server.logs);
	if (begun != ended || server.handles.nused != 0 || others != NULL ||
	    server.nidle != 0 || !TAILQ_EMPTY(&server.conns) ||
	    !TAILQ_EMPTY(&http2.conns) || http2.closed != NULL)
		abort();
}

/* The lowest that is free. */
static int
next_fd(void)
{
	int fd = dup(file);

	close(fd);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	int fds[2], lowest;

	if (server.loop == NULL)
		set_up();
	lowest = next_fd();
	if (size < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds) == -1)
		return 0;
	begun = ended = 0;
	server.draining = 0;
	conf.http.stream_window = data[0] & OPT_NARROW ? 100 : 65536;
	conf.http.connection_window = data[0] & OPT_NARROW ? 65535 : 1 << 20;
	conn_open(&server, fds[0], &sa);
	talk(fds[1], data + 2, size - 2, data[1], data[0]);
	answer_waiting();
	leave(fds[1], data[0]);
	check_nothing_left();
	if (next_fd() != lowest)
		abort();
	return 0;
}
