/* SPDX-License-Identifier: BSD-2-Clause */
/* A route whose application uses its session as the path says. */
#ifndef UNIT_SESSION_CASE_H
#define UNIT_SESSION_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
static inline void
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

static inline void
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

static inline int32_t
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

static inline void
end(struct http_handler *h, struct http_req *r, int why)
{
	(void)h;
	(void)r;
	(void)why;
}

static inline void
add_route(const char *pattern, int prefix, int required)
{
	struct http_route *rt = route_new(pattern, prefix, NULL, 0);

	rt->handler = &handler;
	rt->defer_ms = 60000;
	if (required)
		route_add_gate(rt, &gate.gate);
	router_add(router, rt, NULL, 0);
}

static inline int64_t
now(void)
{
	return NOW;
}

static inline void
set_up_block(void)
{
	store_open();
	nready = nended = 0;
	waiting = NULL;
	block = (struct conf_session){ .name = name, .cookie = cookie,
		.path = path, .httponly = 1, .max_size = 4096,
		.ttl = 86400000, .timeout = 1000 };
}

static inline int
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

static inline int
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

static inline void
until_asked(void)
{
	int turns;

	for (turns = 0; asked == NULL && turns < TURNS_MAX; turns++)
		turn();
	assert_non_null(asked);
}

static inline int
has_cookie(void)
{
	return strstr(heard, "\r\nSet-Cookie: connect.sid=s%3A") != NULL;
}

#endif
