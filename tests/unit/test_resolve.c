/* SPDX-License-Identifier: BSD-2-Clause */
/* Names are asked of a server of our own, in the same loop. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "loop_case.h"
#include "net/addr.h"
#include "upstream/resolve.h"

#define MAX_RECORDS	8
#define RCODE_SERVFAIL	2
#define RCODE_NXDOMAIN	3
#define SILENT		-1

/* What the server says of a family. */
struct zone {
	int rcode;
	uint32_t ttl;
	int n;
	uint8_t last[MAX_RECORDS];	/* last byte of each address */
};

static struct loop_fd server;
static char server_text[32];
static struct zone a, aaaa;
static uint8_t first;			/* byte of IPv4 addresses */
static int asked, done;
static struct resolve r;

static void
put16(uint8_t **p, unsigned v)
{
	*(*p)++ = (uint8_t)(v >> 8);
	*(*p)++ = (uint8_t)v;
}

static void
put_record(uint8_t **p, int v6, uint32_t ttl, uint8_t last)
{
	put16(p, 0xc00c);
	put16(p, v6 ? 28 : 1);
	put16(p, 1);
	put16(p, ttl >> 16);
	put16(p, ttl & 0xffff);
	put16(p, v6 ? 16 : 4);
	memset(*p, 0, 16);
	if (v6) {
		(*p)[0] = 0x20;
		(*p)[1] = 0x01;
		(*p)[15] = last;
	} else {
		(*p)[0] = first;
		(*p)[3] = last;
	}
	*p += v6 ? 16 : 4;
}

static void
answer(struct loop_fd *io, uint32_t events)
{
	uint8_t q[512], *p;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(io->fd, q, sizeof(q), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);
	uint8_t out[2048];
	const struct zone *z;
	int i, v6;

	(void)events;
	if (n < 17)
		return;
	asked++;
	v6 = q[n - 3] == 28;
	z = v6 ? &aaaa : &a;
	if (z->rcode == SILENT)
		return;
	memcpy(out, q, (size_t)n);
	out[2] = 0x81;
	out[3] = (uint8_t)(0x80 | z->rcode);
	out[7] = (uint8_t)z->n;
	out[11] = 0;
	p = out + n;
	for (i = 0; i < z->n; i++)
		put_record(&p, v6, z->ttl, z->last[i]);
	(void)sendto(io->fd, out, (size_t)(p - out), 0,
	    (struct sockaddr *)&from, len);
}

static int
setup(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	(void)state;
	loop_open();
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_DGRAM, 0);
	server.ready = answer;
	assert_int_equal(bind(server.fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(getsockname(server.fd, (struct sockaddr *)&in, &len),
	    0);
	(void)snprintf(server_text, sizeof(server_text), "127.0.0.1:%u",
	    ntohs(in.sin_port));
	assert_int_equal(loop_add(&loop, &server, EPOLLIN), 0);
	memset(&a, 0, sizeof(a));
	memset(&aaaa, 0, sizeof(aaaa));
	memset(&r, 0, sizeof(r));
	asked = done = 0;
	first = 127;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	loop_del(&loop, &server);
	close(server.fd);
	loop_end();
	return 0;
}

static void
is_done(struct resolve *res)
{
	assert_ptr_equal(res, &r);
	done++;
}

static void
start(uint32_t timeout_ms)
{
	char *servers[] = { server_text };
	struct resolve_to to = {
		.host = "app.test",
		.port = 3000,
		.servers = servers,
		.nservers = 1,
		.timeout_ms = timeout_ms,
	};
	int was = done;

	r.loop = &loop;
	r.done = is_done;
	assert_int_equal(resolve_start(&r, &to), ARES_SUCCESS);
	assert_int_equal(done, was);
}

static void
is_addr(const struct addr *addr, const char *want)
{
	char text[ADDR_TEXT_MAX];

	assert_string_equal(addr_format(addr, text, sizeof(text)), want);
}

static void
test_both_families(void **state)
{
	(void)state;
	a = (struct zone){ .ttl = 30, .n = 2, .last = { 9, 7 } };
	aaaa = (struct zone){ .ttl = 60, .n = 1, .last = { 1 } };
	start(2000);
	until(&done, 1);
	assert_int_equal(asked, 2);
	assert_int_equal(r.v4.status, ARES_SUCCESS);
	assert_int_equal(r.v4.n, 2);
	is_addr(&r.v4.addrs[0], "127.0.0.7:3000");
	is_addr(&r.v4.addrs[1], "127.0.0.9:3000");
	assert_int_equal(r.v4.ttl, 30);
	assert_string_equal(r.v4.name, "app.test");
	assert_int_equal(r.v6.n, 1);
	is_addr(&r.v6.addrs[0], "[2001::1]:3000");
	assert_int_equal(r.v6.ttl, 60);
}

static void
test_no_such_name(void **state)
{
	(void)state;
	a.rcode = aaaa.rcode = RCODE_NXDOMAIN;
	start(2000);
	until(&done, 1);
	assert_int_equal(r.v4.status, ARES_ENOTFOUND);
	assert_int_equal(r.v6.status, ARES_ENOTFOUND);
}

/* Without an address of one family there is nothing wrong with the other. */
static void
test_no_address(void **state)
{
	(void)state;
	a = (struct zone){ .ttl = 5, .n = 1, .last = { 1 } };
	start(2000);
	until(&done, 1);
	assert_int_equal(r.v4.status, ARES_SUCCESS);
	assert_int_equal(r.v6.status, ARES_ENODATA);
	assert_int_equal(r.v6.n, 0);
}

/* 0.0.0.0 and :: would lead to ourselves. */
static void
test_nowhere(void **state)
{
	(void)state;
	first = 0;
	a = (struct zone){ .ttl = 5, .n = 1, .last = { 0 } };
	start(2000);
	until(&done, 1);
	assert_int_equal(r.v4.status, ARES_ENODATA);
	a = (struct zone){ .ttl = 5, .n = 2, .last = { 0, 1 } };
	start(2000);
	until(&done, 2);
	assert_int_equal(r.v4.status, ARES_SUCCESS);
	assert_int_equal(r.v4.n, 1);
	is_addr(&r.v4.addrs[0], "0.0.0.1:3000");
}

static void
test_failure_of_one(void **state)
{
	(void)state;
	a = (struct zone){ .ttl = 5, .n = 1, .last = { 1 } };
	aaaa.rcode = RCODE_SERVFAIL;
	start(2000);
	until(&done, 1);
	assert_int_equal(r.v4.status, ARES_SUCCESS);
	assert_int_not_equal(r.v6.status, ARES_SUCCESS);
	assert_int_not_equal(r.v6.status, ARES_ENODATA);
	assert_int_not_equal(r.v6.status, ARES_ENOTFOUND);
}

/* The time limit is for all of it; what has come by then counts. */
static void
test_silence(void **state)
{
	(void)state;
	a = (struct zone){ .ttl = 5, .n = 1, .last = { 1 } };
	aaaa.rcode = SILENT;
	start(400);
	until(&asked, 2);
	turn();
	clock_now += 400;
	until(&done, 1);
	assert_int_equal(r.v4.status, ARES_SUCCESS);
	assert_int_equal(r.v6.status, ARES_ETIMEOUT);
	a.rcode = SILENT;
	start(100);
	until(&done, 2);
	assert_int_equal(r.v4.status, ARES_ETIMEOUT);
	assert_int_equal(r.v4.n, 0);
}

static void
test_cancel(void **state)
{
	int i;

	(void)state;
	a = (struct zone){ .ttl = 5, .n = 1, .last = { 1 } };
	start(2000);
	resolve_cancel(&r);
	resolve_cancel(&r);
	for (i = 0; i < 20; i++)
		turn();
	assert_int_equal(done, 0);
}

/* Of the system's, those in /etc/hosts; nobody is asked. */
static void
test_hosts(void **state)
{
	struct resolve_to to = { .host = "localhost", .port = 80,
		.timeout_ms = 2000 };

	(void)state;
	r.loop = &loop;
	r.done = is_done;
	assert_int_equal(resolve_start(&r, &to), ARES_SUCCESS);
	until(&done, 1);
	assert_int_equal(r.v4.status, ARES_SUCCESS);
	is_addr(&r.v4.addrs[0], "127.0.0.1:80");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both_families, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_no_such_name, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_no_address, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_nowhere, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_failure_of_one, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_silence, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
