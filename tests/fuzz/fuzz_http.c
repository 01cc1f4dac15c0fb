/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole request path - guard, parser, body, router, answer - behind a
 * socket pair, with a handler that echoes.  The first input byte says in how
 * large pieces the rest arrives, since a parser must not care.
 *
 * What must hold, whatever the bytes: each headers() has exactly one end(),
 * the connection ends when the client has gone, and nothing is left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/request_log.h"
#include "http/response.h"
#include "http/router.h"
#include "http/server.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct loop loop;
static struct conf conf;
static struct board_cell cell;
static struct http_server server;
static int begun, ended;

static int32_t
echo_headers(struct http_handler *h, struct http_req *r)
{
	(void)h;
	begun++;
	if (r->view.path.n > 1 && ((const char *)r->view.path.p)[1] == 'p')
		return begun--, HOSTD_PASS;
	return HOSTD_OK;
}

static int32_t
echo_body(struct http_handler *h, struct http_req *r, hostd_buf part, int fin)
{
	int32_t rc = HOSTD_OK;

	(void)h;
	if (r->phase == RESP_NONE)
		rc = response_begin(r, 200, NULL, 0, -1);
	if (rc == HOSTD_OK && part.n > 0)
		rc = response_write(r, part);
	if (rc >= 0 && fin)
		rc = response_finish(r);
	return rc < 0 ? rc : HOSTD_OK;
}

static void
echo_writable(struct http_handler *h, struct http_req *r)
{
	(void)h;
	(void)r;
}

static void
echo_end(struct http_handler *h, struct http_req *r, int why)
{
	(void)h;
	(void)r;
	(void)why;
	ended++;
}

static struct http_handler echo = {
	.data_size = 16, .wants_body = 1, .headers = echo_headers,
	.body = echo_body, .writable = echo_writable, .end = echo_end
};

static void
add_route(struct router *ro, const char *pattern, int is_prefix)
{
	struct http_route *rt = route_new(pattern, is_prefix, NULL, 0);

	rt->handler = &echo;
	rt->max_body = 4096;
	rt->defer_ms = 1000;
	router_add(ro, rt, NULL, 0);
}

/* Lines are made, and their URLs have secrets; nobody reads them. */
static void
open_logs(void)
{
	size_t i;

	access_logs_add(&server.logs, &request_log_kind, "combined");
	access_logs_add(&server.logs, &request_log_kind, "json");
	request_log_want(&server.logs, &server.sent);
	for (i = 0; i < 2; i++)
		access_logs_set_fd(&server.logs, i,
		    open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static void
set_up(void)
{
	static char name[] = "b";
	static struct conf_token token = { CONF_TOKEN_QUERY, name };
	static struct conf_auth auth = { .from = &token, .nfrom = 1 };
	struct router *ro = router_new();

	log_set_fd(-1);
	TAILQ_INIT(&conf.error_pages);
	TAILQ_INIT(&conf.auths);
	TAILQ_INSERT_TAIL(&conf.auths, &auth, entry);
	conf.http = (struct conf_http){
		.max_request_line = 512, .max_head = 2048, .max_headers = 16,
		.max_body = 4096, .head_timeout = 1000, .body_timeout = 1000,
		.idle_timeout = 1000, .send_timeout = 1000,
		.defer_timeout = 1000, .lingering_timeout = 1000,
		.keepalive_requests = 1000, .max_connections = 10,
		.output_high = 65536,
	};
	if (loop_init(&loop) == -1)
		abort();
	add_route(ro, "/", 1);
	add_route(ro, "/exact", 0);
	add_route(ro, "/a/:one/b/:two", 0);
	http_server_init(&server, &loop, &conf, ro, &cell);
	open_logs();
}

/* What the client would read. */
static void
drain_answers(int fd)
{
	char buf[4096];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	size_t step, n;
	int fds[2];

	if (server.loop == NULL)
		set_up();
	if (size < 1 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds) == -1)
		return 0;
	step = data[0] == 0 ? size : data[0];
	data++;
	size--;
	begun = ended = 0;
	conn_open(&server, fds[0], &sa);
	for (; size > 0 && server.nconns > 0; data += n, size -= n) {
		n = size < step ? size : step;
		if (send(fds[1], data, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		loop_turn(&loop);
		drain_answers(fds[1]);
	}
	close(fds[1]);
	while (server.nconns > 0)
		loop_turn(&loop);
	access_logs_flush(&server.logs);
	if (begun != ended || server.handles.nused != 0)
		abort();
	return 0;
}
