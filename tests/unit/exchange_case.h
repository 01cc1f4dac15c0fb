/* SPDX-License-Identifier: BSD-2-Clause */
/* A group of servers that the test plays itself, and one exchange with them. */
#ifndef UNIT_EXCHANGE_CASE_H
#define UNIT_EXCHANGE_CASE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_case.h"
#include "upstream/exchange.h"

#define SERVERS	3
#define GET_A "GET /a HTTP/1.1\r\nHost: app\r\n\r\n"
#define OK_5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"

static struct up_table table;
static struct conf conf;
static struct conf_upstream app;
static struct conf_server servers[SERVERS];
static char names[SERVERS][32];
static int listeners[SERVERS];
static struct upstreams all;
static struct up_balancer balancer;
static uint32_t nreports;
static struct hostd_report reports[16];
static uint32_t reported[16];

/* What the owner was told. */
static struct up_exchange x;
static struct hostd_fetch_request ask;
static struct buf told_head, told_body;
static int ninfos, nheads, nfins, nends, nwritable, told_status, told_tries;
static int64_t told_length;
static int32_t end_status;
static char end_text[600];
static void (*in_head)(void), (*in_body)(void);

/* -- a balancer that takes the first -- */

struct known {
	uint32_t ids[SERVERS], n;
};

static int32_t
first_update(
    struct up_balancer *b, void *data, const struct hostd_peer *const *peers)
{
	struct known *d = data;

	(void)b;
	for (d->n = 0; peers[d->n] != NULL; d->n++)
		d->ids[d->n] = peers[d->n]->flags & HOSTD_PEER_DOWN
		    ? 0
		    : peers[d->n]->id;
	return HOSTD_OK;
}

static int32_t
first_pick(struct up_balancer *b, void *data, const struct hostd_pick *k,
    uint32_t *id)
{
	const struct known *d = data;
	uint32_t i, j;

	(void)b;
	for (i = 0; i < d->n; i++) {
		for (j = 0; j < k->ntried && k->tried[j] != d->ids[i]; j++)
			;
		if (d->ids[i] != 0 && j == k->ntried) {
			*id = d->ids[i];
			return HOSTD_OK;
		}
	}
	return HOSTD_E_FULL;
}

static void
first_report(struct up_balancer *b, void *data, uint32_t id,
    const struct hostd_report *r)
{
	(void)b;
	(void)data;
	reported[nreports] = id;
	reports[nreports++ % 16] = *r;
}

/* -- servers -- */

static inline void
server_open(unsigned i)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	struct up_entry *e;
	const char *why;

	listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_not_equal(listeners[i], -1);
	assert_int_equal(
	    bind(listeners[i], (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(listeners[i], 16), 0);
	(void)getsockname(listeners[i], (struct sockaddr *)&in, &n);
	(void)snprintf(names[i], sizeof(names[i]), "127.0.0.1:%u",
	    ntohs(in.sin_port));
	memset(&servers[i], 0, sizeof(servers[i]));
	servers[i].name = names[i];
	servers[i].weight = 1;
	servers[i].max_fails = 100;
	servers[i].fail_timeout = 10000;
	TAILQ_INSERT_TAIL(&app.servers, &servers[i], entry);
	up_table_begin(&table);
	e = up_entry_new(&table);
	assert_non_null(e);
	(void)snprintf(e->group, sizeof(e->group), "app");
	(void)snprintf(e->server, sizeof(e->server), "%s", names[i]);
	assert_int_equal(addr_parse(names[i], &e->addr, &why), 0);
	e->added_ms = 1;
	up_table_end(&table);
}

static inline struct up_group *
group(void)
{
	return upstreams_find(&all, "app", 3);
}

/* It refuses from now on. */
static inline void
server_refuses(unsigned i)
{
	(void)close(listeners[i]);
	listeners[i] = -1;
}

static inline int
server_accept(unsigned i)
{
	int fd, turns;

	for (turns = 0; turns < TURNS_MAX; turns++) {
		turn();
		fd = accept4(listeners[i], NULL, NULL, SOCK_NONBLOCK);
		if (fd != -1)
			return fd;
	}
	fail_msg("nobody has connected");
	return -1;
}

/* It reads these bytes, and there are no more. */
static inline void
server_reads(int fd, const char *want)
{
	char got[262144];
	size_t n = 0;
	ssize_t r;
	int turns;

	for (turns = 0; turns < TURNS_MAX && n < strlen(want); turns++) {
		turn();
		r = recv(fd, got + n, sizeof(got) - n - 1, 0);
		if (r == 0)
			break;
		if (r > 0)
			n += (size_t)r;
	}
	turn();
	r = recv(fd, got + n, sizeof(got) - n - 1, 0);
	if (r > 0)
		n += (size_t)r;
	got[n] = '\0';
	assert_string_equal(got, want);
}

/* Its connection is closed by us, whatever came before. */
static inline void
server_reads_end(int fd)
{
	ssize_t r = -1;
	int turns;
	char got[4096];

	for (turns = 0; turns < TURNS_MAX && r != 0; turns++) {
		turn();
		r = recv(fd, got, sizeof(got), 0);
		if (r == -1 && errno == ECONNRESET)
			r = 0;
	}
	assert_int_equal(r, 0);
	(void)close(fd);
}

static inline void
server_says(int fd, const char *text)
{
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void
server_resets(int fd)
{
	struct linger hard = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(fd);
}

/* -- the owner -- */

static void
note_headers(const struct hostd_fetch_response *r)
{
	uint32_t i;

	told_head.len = 0;
	for (i = 0; i < r->nheaders; i++)
		buf_printf(&told_head, "%.*s=%.*s;", (int)r->headers[i].name.n,
		    (const char *)r->headers[i].name.p,
		    (int)r->headers[i].value.n,
		    (const char *)r->headers[i].value.p);
	buf_append(&told_head, "", 1);
	told_status = r->status;
	told_tries = (int)r->tries;
	told_length = r->content_length;
}

static void
owner_info(struct up_exchange *e, const struct hostd_fetch_response *r)
{
	(void)e;
	ninfos++;
	note_headers(r);
}

static void
owner_head(struct up_exchange *e, const struct hostd_fetch_response *r)
{
	(void)e;
	assert_int_equal(nheads, 0);
	nheads++;
	note_headers(r);
	if (in_head != NULL)
		in_head();
}

static void
owner_body(struct up_exchange *e, hostd_buf part, int fin)
{
	(void)e;
	assert_int_equal(nheads, 1);
	assert_int_equal(nfins, 0);
	buf_append(&told_body, part.p, part.n);
	nfins += fin;
	if (in_body != NULL)
		in_body();
}

static void
owner_writable(struct up_exchange *e)
{
	(void)e;
	nwritable++;
}

static void
owner_end(struct up_exchange *e, int32_t status, const char *text)
{
	(void)e;
	assert_int_equal(nends, 0);
	nends++;
	end_status = status;
	(void)snprintf(end_text, sizeof(end_text), "%s", text);
}

static const struct up_exchange_ops owner_ops = {
    .info = owner_info,
    .head = owner_head,
    .body = owner_body,
    .writable = owner_writable,
    .end = owner_end,
};

static inline void
assert_body(const char *want)
{
	assert_int_equal(told_body.len, strlen(want));
	assert_memory_equal(told_body.p == NULL ? "" : told_body.p, want,
	    told_body.len);
}

static inline void
assert_ended(int32_t status)
{
	until(&nends, 1);
	if (end_status != status)
		print_message("%s\n", end_text);
	assert_int_equal(end_status, status);
}

/* ask goes out; method "" for GET. */
static inline void
start(const char *method, const char *target)
{
	const char *why = "";

	ninfos = nheads = nfins = nends = nwritable = 0;
	told_body.len = 0;
	ask.struct_size = sizeof(ask);
	ask.method = (hostd_buf){method, strlen(method)};
	ask.target = (hostd_buf){target, strlen(target)};
	x.ops = &owner_ops;
	x.group = group();
	if (exchange_start(&x, &ask, &why) != HOSTD_OK)
		fail_msg("it is refused: %s", why);
}

static inline int
exchange_setup(void **state)
{
	unsigned i;

	(void)state;
	memset(&app, 0, sizeof(app));
	memset(&conf, 0, sizeof(conf));
	memset(&ask, 0, sizeof(ask));
	memset(&x, 0, sizeof(x));
	memset(&balancer, 0, sizeof(balancer));
	nreports = 0;
	in_head = in_body = NULL;
	TAILQ_INIT(&conf.upstreams);
	TAILQ_INIT(&app.servers);
	app.name = (char *)(uintptr_t)"app";
	app.rules.max_fails = 100;
	app.rules.fail_timeout = 10000;
	app.keepalive = 2;
	app.keepalive_requests = 100;
	app.keepalive_timeout = 60000;
	app.connect_timeout = 5000;
	TAILQ_INSERT_TAIL(&conf.upstreams, &app, entry);
	if (up_table_create(&table) == -1)
		return -1;
	up_table_join(&table, 0);
	for (i = 0; i < SERVERS; i++)
		server_open(i);
	loop_open();
	upstreams_init(&all, &loop, &conf, &table, 0);
	links_init(&all);
	balancer.name = "first";
	balancer.data_size = sizeof(struct known);
	balancer.update = first_update;
	balancer.pick = first_pick;
	balancer.report = first_report;
	assert_int_equal(group_bind(group(), &balancer), 0);
	return 0;
}

static inline int
exchange_teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < SERVERS; i++)
		if (listeners[i] != -1)
			(void)close(listeners[i]);
	/* Nothing may be in flight, or leak. */
	for (i = 0; i < SERVERS; i++)
		assert_int_equal(up_inflight(&table, i), 0);
	exchange_free(&x);
	upstreams_close(&all);
	links_free(&all);
	loop_end();
	up_table_close(&table);
	buf_free(&told_head);
	buf_free(&told_body);
	return 0;
}

#endif
