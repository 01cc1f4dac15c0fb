/* SPDX-License-Identifier: BSD-2-Clause */
/* Heads: what the host and plugins see of one, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/parse.h"

#define MAX_HEADERS 10
#define HOST "Host: h\r\n"

static struct parser *parser;
static struct http_req *req;
static char *head;

static int
setup(void **state)
{
	(void)state;
	parser = parser_new(MAX_HEADERS);
	req = NULL;
	head = NULL;
	return 0;
}

static void
forget(void)
{
	if (req != NULL) {
		free(req->own_path);
		free(req->own_host);
	}
	free(req);
	free(head);
	req = NULL;
	head = NULL;
}

static int
teardown(void **state)
{
	(void)state;
	forget();
	parser_free(parser);
	return 0;
}

/* The status for a head, which ends with its empty line. */
static int
parse(const char *text)
{
	size_t n = strlen(text);

	forget();
	req = calloc(1, sizeof(*req) + MAX_HEADERS * sizeof(hostd_hdr));
	head = malloc(n);
	assert_non_null(req);
	assert_non_null(head);
	memcpy(head, text, n);
	return parse_head(parser, req, head, n);
}

static int
parse_line(const char *line)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s\r\n" HOST "\r\n", line);
	return parse(text);
}

/* A GET with these header lines, each with its CRLF. */
static int
parse_headers(const char *lines)
{
	char text[1024];

	(void)snprintf(
	    text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "%s\r\n", lines);
	return parse(text);
}

static int
parse_host(const char *host)
{
	char text[512];

	(void)snprintf(
	    text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	return parse(text);
}

static void
assert_text(hostd_buf b, const char *want)
{
	assert_int_equal(b.n, strlen(want));
	if (b.n > 0)
		assert_memory_equal(b.p, want, b.n);
}

static void
a_whole_head(void **state)
{
	(void)state;
	assert_int_equal(parse("POST /a/b?c=d HTTP/1.1\r\nHost: Ex.COM:80\r\n"
			       "content-length: 12\r\nX-y:   z w \t\r\nE:\r\n"
			       "\r\n"),
	    0);
	assert_int_equal(req->view.method, HOSTD_METHOD_POST);
	assert_text(req->view.method_name, "POST");
	assert_text(req->view.target, "/a/b?c=d");
	assert_text(req->view.path, "/a/b");
	assert_text(req->view.query, "c=d");
	assert_text(req->view.host, "ex.com");
	assert_text(req->host_as_sent, "Ex.COM");
	assert_int_equal(req->view.nheaders, 4);
	assert_text(req->headers[2].name, "X-y");
	assert_text(req->headers[2].value, "z w");
	assert_text(req->headers[3].name, "E");
	assert_text(req->headers[3].value, "");
	assert_int_equal(req->view.content_length, 12);
	assert_int_equal(req->body, BODY_LENGTH);
	assert_false(req->body_done);
	assert_int_equal(req->minor, 1);
	assert_int_equal(req->view.flags, 0);
	assert_true(req->keepalive);
	assert_true(req->continue_sent);
	assert_text(request_known(req, KNOWN_HOST), "Ex.COM:80");
	assert_null(request_known(req, KNOWN_REFERER).p);
}

static void
methods(void **state)
{
	static const char *const names[] = {"GET", "HEAD", "POST", "PUT",
	    "DELETE", "OPTIONS", "PATCH", "TRACE"};
	char line[64];
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(line, sizeof(line), "%s / HTTP/1.1", names[i]);
		assert_int_equal(parse_line(line), 0);
		assert_int_equal(req->view.method, i + 1);
		assert_text(req->view.method_name, names[i]);
	}
	assert_int_equal(parse_line("PURGE / HTTP/1.1"), 0);
	assert_int_equal(req->view.method, HOSTD_METHOD_OTHER);
	assert_text(req->view.method_name, "PURGE");
	assert_int_equal(parse_line("FOO / HTTP/1.1"), 501);
	assert_int_equal(parse_line("GETT / HTTP/1.1"), 501);
	assert_int_equal(parse_line("get / HTTP/1.1"), 501);
	assert_int_equal(parse_line("CONNECT a:80 HTTP/1.1"), 501);
	assert_int_equal(parse_line("G(T / HTTP/1.1"), 400);
}

static void
versions(void **state)
{
	static const struct {
		const char *line;
		int status;
	} cases[] = {{"GET / HTTP/1.1", 0}, {"GET / HTTP/1.0", 0},
	    {"GET / HTTP/1.2", 505}, {"GET / HTTP/0.9", 505},
	    {"GET / HTTP/2.0", 505}, {"GET / HTTP/9.9", 505},
	    {"PRI * HTTP/2.0", 505}, {"GET / http/1.1", 400},
	    {"GET / HTTP/1.10", 400}, {"GET / HTTP/11", 400},
	    {"GET / HTTP/1,1", 505}, {"GET / HTTPS/1.1", 400},
	    {"GET / RTSP/1.0", 400}, {"GET / ICE/1.0", 400},
	    {"GET / HTTP/x.y", 505}, {"GET / HTTP/", 400}, {"GET / 1.1", 400}};
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		status = parse_line(cases[i].line);
		if (status != cases[i].status)
			fail_msg("%s: %d", cases[i].line, status);
	}
	assert_int_equal(parse_line("GET / HTTP/1.0"), 0);
	assert_int_equal(req->minor, 0);
	assert_int_equal(req->view.flags, HOSTD_REQ_HTTP10);
}

static void
targets(void **state)
{
	static const struct {
		const char *target, *path, *query, *host;
	} cases[] = {
	    {"/", "/", NULL, "h"},
	    {"/a?", "/a", "", "h"},
	    {"/a?b?c/../%zz", "/a", "b?c/../%zz", "h"},
	    {"/%41/../b//c", "/b/c", NULL, "h"},
	    {"http://A.b", "/", NULL, "a.b"},
	    {"http://a.b:81/", "/", NULL, "a.b"},
	    {"HTTP://a.b/c/./d?e", "/c/d", "e", "a.b"},
	    {"https://a.b?x=1", "/", "x=1", "a.b"},
	    {"http://[::1]:8080/x", "/x", NULL, "[::1]"},
	};
	char line[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(
		    line, sizeof(line), "GET %s HTTP/1.1", cases[i].target);
		assert_int_equal(parse_line(line), 0);
		assert_text(req->view.target, cases[i].target);
		assert_text(req->view.path, cases[i].path);
		assert_text(req->view.host, cases[i].host);
		if (cases[i].query != NULL)
			assert_text(req->view.query, cases[i].query);
		assert_int_equal(
		    req->view.query.p != NULL, cases[i].query != NULL);
	}
	assert_int_equal(parse_line("OPTIONS * HTTP/1.1"), 0);
	assert_text(req->view.path, "*");
	assert_int_equal(parse_line("OPTIONS http://h HTTP/1.1"), 0);
	assert_text(req->view.path, "*");
}

static void
bad_targets(void **state)
{
	static const char *const bad[] = {"*", "a", "h:80", "/..", "/%", "/%00",
	    "/%zz", "/a#b", "/a?b#c", "#", "?", "http://", "http:///a",
	    "http://?a", "http://u@h/", "http://u:p@h/", "http://h#f",
	    "http://h?x#f", "http://h/#f", "http://h:x/", "http://h:123456/",
	    "http://:80/", "http://[::1/", "http://a_b c/", "ftp://h/",
	    "//h/..%2f..", "http:/h/", "http://h/../..", "http://[::1]x/",
	    "http://[x]/", "http://h%41/"};
	char line[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line), "GET %s HTTP/1.1", bad[i]);
		if (parse_line(line) != 400)
			fail_msg("%s is not refused", bad[i]);
	}
}

static void
hosts(void **state)
{
	static const char *const good[] = {"a", "a:", "a:80", "a:65535",
	    "A.b-c_d.e", "1.2.3.4:5", "[::1]", "[::1]:80",
	    "[2001:db8::192.0.2.1]", "a.", "x~!$&'*+"};
	static const char *const bad[] = {"", ":", ":80", "a b", "a,b", "a/b",
	    "a@b", "a:80x", "a:-1", "a:123456", "a:80:80", "[::1", "::1",
	    "[::1]80", "[::1]:x", "[]", "[]:80", "[a b]", "[\"]", "[::1%25x]",
	    "[g]", "[[::1]]", "a?b", "a#b", "a%41", "a\\b", "<a>", "a|b",
	    "\xc3\xa9", "a\tb", "\"a\""};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (parse_host(good[i]) != 0)
			fail_msg("%s is refused", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse_host(bad[i]) != 400)
			fail_msg("%s is not refused", bad[i]);
	assert_int_equal(parse_host("[2001:DB8::A]:80"), 0);
	assert_text(req->view.host, "[2001:db8::a]");
	assert_text(req->host_as_sent, "[2001:DB8::A]");
	assert_int_equal(parse("GET / HTTP/1.1\r\n\r\n"), 400);
	assert_int_equal(parse("GET http://h/ HTTP/1.1\r\n\r\n"), 400);
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	assert_int_equal(req->view.host.n, 0);
	assert_int_equal(parse_headers("Host: h\r\n"), 400);
	assert_int_equal(parse_headers("hOST: other\r\n"), 400);
}

static void
framing(void **state)
{
	static const struct {
		const char *lines;
		int status, body;
		int64_t length;
	} cases[] = {
	    {"", 0, BODY_NONE, 0},
	    {"Content-Length: 0\r\n", 0, BODY_NONE, 0},
	    {"Content-Length: 000\r\n", 0, BODY_NONE, 0},
	    {"Content-Length: 1\r\n", 0, BODY_LENGTH, 1},
	    {"Content-Length:\t7 \r\n", 0, BODY_LENGTH, 7},
	    {"Content-Length: 999999999999999999\r\n", 0, BODY_LENGTH,
		INT64_C(999999999999999999)},
	    {"Transfer-Encoding: chunked\r\n", 0, BODY_CHUNKED, -1},
	    {"transfer-encoding:ChunKed  \r\n", 0, BODY_CHUNKED, -1},
	    {"Content-Length:\r\n", 400, 0, 0},
	    {"Content-Length: -1\r\n", 400, 0, 0},
	    {"Content-Length: +1\r\n", 400, 0, 0},
	    {"Content-Length: 1 2\r\n", 400, 0, 0},
	    {"Content-Length: 1,1\r\n", 400, 0, 0},
	    {"Content-Length: 0x1\r\n", 400, 0, 0},
	    {"Content-Length: 1.0\r\n", 400, 0, 0},
	    {"Content-Length: 1e1\r\n", 400, 0, 0},
	    {"Content-Length: 9223372036854775808\r\n", 400, 0, 0},
	    {"Content-Length: 18446744073709551617\r\n", 400, 0, 0},
	    {"Content-Length: 1\r\nContent-Length: 1\r\n", 400, 0, 0},
	    {"Content-Length: 1\r\ncontent-length: 2\r\n", 400, 0, 0},
	    {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400, 0, 0},
	    {"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400, 0, 0},
	    {"Transfer-Encoding:\r\n", 400, 0, 0},
	    {"Transfer-Encoding: identity\r\n", 400, 0, 0},
	    {"Transfer-Encoding: gzip, chunked\r\n", 400, 0, 0},
	    {"Transfer-Encoding: chunked, chunked\r\n", 400, 0, 0},
	    {"Transfer-Encoding: chunked, gzip\r\n", 400, 0, 0},
	    {"Transfer-Encoding: chunked,\r\n", 400, 0, 0},
	    {"Transfer-Encoding: xchunked\r\n", 400, 0, 0},
	    {"Transfer-Encoding: chunke\r\n", 400, 0, 0},
	    {"Transfer-Encoding: \"chunked\"\r\n", 400, 0, 0},
	    {"Transfer-Encoding: chunked;q=1\r\n", 400, 0, 0},
	    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		400, 0, 0},
	    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		400, 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse_headers(cases[i].lines) != cases[i].status)
			fail_msg("not %d: %s", cases[i].status, cases[i].lines);
		if (cases[i].status != 0)
			continue;
		assert_int_equal(req->body, cases[i].body);
		assert_int_equal(req->body_done, cases[i].body == BODY_NONE);
		assert_true(req->view.content_length == cases[i].length);
	}
	assert_int_equal(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked"
			       "\r\n\r\n"),
	    400);
}

static void
keeping_the_connection(void **state)
{
	static const struct {
		const char *minor, *lines;
		int keep;
	} cases[] = {
	    {"1", "", 1},
	    {"1", "Connection: close\r\n", 0},
	    {"1", "Connection: keep-alive\r\n", 1},
	    {"1", "connection: Foo ,\tCLOSE , bar\r\n", 0},
	    {"1", "Connection: closed\r\n", 1},
	    {"1", "Connection: not close\r\n", 1},
	    {"1", "Connection: a\r\nX: y\r\nConnection: close\r\n", 0},
	    {"1", "Connection: keep-alive, close\r\n", 0},
	    {"1", "Connection:\r\n", 1},
	    {"1", "Connection: ,,\r\n", 1},
	    {"1", "Proxy-Connection: close\r\n", 1},
	    {"0", "", 0},
	    {"0", "Connection: Keep-Alive\r\n", 1},
	    {"0", "Connection: keep-alive, close\r\n", 0},
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "GET / HTTP/1.%s\r\n" HOST "%s\r\n", cases[i].minor,
		    cases[i].lines);
		assert_int_equal(parse(text), 0);
		if (req->keepalive != cases[i].keep)
			fail_msg("1.%s %s", cases[i].minor, cases[i].lines);
	}
}

static void
expectations(void **state)
{
	(void)state;
	assert_int_equal(parse_headers("Expect: 100-Continue\r\n"
				       "Content-Length: 3\r\n"),
	    0);
	assert_false(req->continue_sent);
	assert_int_equal(parse_headers("Expect: 100-continue\r\n"
				       "Transfer-Encoding: chunked\r\n"),
	    0);
	assert_false(req->continue_sent);
	assert_int_equal(parse_headers("Expect: 100-continue\r\n"), 0);
	assert_true(req->continue_sent);
	assert_int_equal(parse_headers("Expect: 200-ok\r\n"), 417);
	assert_int_equal(parse_headers("Expect:\r\n"), 417);
	assert_int_equal(
	    parse_headers("Expect: 100-continue, 100-continue\r\n"), 417);
	assert_int_equal(parse_headers("Expect: 100-continue\r\n"
				       "Expect: 100-continue\r\n"),
	    400);
	assert_int_equal(parse("GET / HTTP/1.0\r\nExpect: x\r\n\r\n"), 0);
	assert_true(req->continue_sent);
}

static void
upgrades(void **state)
{
	(void)state;
	assert_int_equal(parse_headers("Upgrade: websocket\r\n"
				       "Connection: keep-alive, Upgrade\r\n"),
	    0);
	assert_int_equal(req->view.flags, HOSTD_REQ_UPGRADE);
	assert_int_equal(parse_headers("Upgrade: websocket\r\n"), 0);
	assert_int_equal(req->view.flags, 0);
	assert_int_equal(parse_headers("Connection: upgrade\r\n"), 0);
	assert_int_equal(req->view.flags, 0);
	assert_int_equal(parse("GET / HTTP/1.0\r\nUpgrade: x\r\n"
			       "Connection: upgrade\r\n\r\n"),
	    0);
	assert_int_equal(req->view.flags, HOSTD_REQ_HTTP10);
}

static void
the_number_of_headers(void **state)
{
	char lines[256] = "";
	size_t i;

	(void)state;
	for (i = 1; i < MAX_HEADERS; i++)
		(void)strcat(lines, "a: b\r\n");
	assert_int_equal(parse_headers(lines), 0);
	assert_int_equal(req->view.nheaders, MAX_HEADERS);
	(void)strcat(lines, "a: b\r\n");
	assert_int_equal(parse_headers(lines), 431);
	/* One refused head leaves nothing behind for the next. */
	assert_int_equal(parse_headers(""), 0);
	assert_int_equal(req->view.nheaders, 1);
}

static void
headers_by_name(void **state)
{
	const hostd_hdr *h;

	(void)state;
	assert_int_equal(
	    parse_headers("X-A: 1\r\nx-a: 2\r\nReferer: r\r\n"), 0);
	h = request_header(req, "x-A", 3);
	assert_non_null(h);
	assert_text(h->value, "1");
	assert_null(request_header(req, "x-", 2));
	assert_null(request_header(req, "x-ab", 4));
	assert_text(request_known(req, KNOWN_REFERER), "r");
}

/* What was understood of a refused head is there for the log. */
static void
refused_heads_show_their_line(void **state)
{
	(void)state;
	assert_int_equal(parse_line("GET /%00 HTTP/1.1"), 400);
	assert_text(req->view.method_name, "GET");
	assert_text(req->view.target, "/%00");
	assert_int_equal(parse_line("NOPE / HTTP/1.1"), 501);
	assert_text(req->view.method_name, "NOPE");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(a_whole_head),
	    T(methods),
	    T(versions),
	    T(targets),
	    T(bad_targets),
	    T(hosts),
	    T(framing),
	    T(keeping_the_connection),
	    T(expectations),
	    T(upgrades),
	    T(the_number_of_headers),
	    T(headers_by_name),
	    T(refused_heads_show_their_line),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
