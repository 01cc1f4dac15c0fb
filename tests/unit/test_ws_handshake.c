/* SPDX-License-Identifier: BSD-2-Clause */
/* The opening handshake: who may come in, and what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/parse.h"
#include "ws/handshake.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_HEADERS 16
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static struct parser *parser;
static struct http_req *req;
static char head[2048];

static int
setup(void **state)
{
	(void)state;
	parser = parser_new(MAX_HEADERS);
	req = NULL;
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
	req = NULL;
}

static int
teardown(void **state)
{
	(void)state;
	forget();
	parser_free(parser);
	return 0;
}

static void
ask(const char *line, const char *headers)
{
	int n = snprintf(head, sizeof(head), "%s\r\n%s\r\n", line, headers);

	assert_true(n > 0 && (size_t)n < sizeof(head));
	forget();
	req = calloc(1, sizeof(*req) + MAX_HEADERS * sizeof(hostd_hdr));
	assert_non_null(req);
	assert_int_equal(parse_head(parser, req, head, (size_t)n), 0);
}

#define GET "GET /chat HTTP/1.1"
#define HOST "Host: h\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEYED "Sec-WebSocket-Key: " KEY "\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define GOOD HOST UPGRADE CONNECTION KEYED VERSION

static void
knows_an_upgrade(void **state)
{
	static const char *const yes[] = {"Upgrade: websocket\r\n",
	    "upgrade: WebSocket\r\n", "UPGRADE:WEBSOCKET\r\n",
	    "Upgrade: h2c, websocket\r\n", "Upgrade: websocket ,h2c\r\n",
	    "Upgrade:,,\twebsocket\t,\r\n",
	    "Upgrade: h2c\r\nUpgrade: websocket\r\n",
	    "Upgrade:\r\nUpgrade: websocket\r\n"};
	static const char *const no[] = {"", "Upgrade:\r\n", "Upgrade: ,\r\n",
	    "Upgrade: h2c\r\n", "Upgrade: websockets\r\n",
	    "Upgrade: websocke\r\n", "Upgrade: websocket/13\r\n",
	    "Upgrade: web socket\r\n", "Upgrade: x websocket\r\n",
	    "X-Upgrade: websocket\r\n", "Upgraded: websocket\r\n",
	    "Connection: websocket\r\n"};
	char headers[128];
	size_t i;

	(void)state;
	for (i = 0; i < N(yes) + N(no); i++) {
		(void)snprintf(headers, sizeof(headers), HOST "%s",
		    i < N(yes) ? yes[i] : no[i - N(yes)]);
		ask(GET, headers);
		if (ws_handshake_is_upgrade(req) != (i < N(yes)))
			fail_msg("%s", headers);
	}
}

static void
assert_status(const char *line, const char *headers, int want)
{
	int got;

	ask(line, headers);
	got = ws_handshake_check(req);
	if (got != want)
		fail_msg("%d, not %d: %s\n%s", got, want, line, headers);
}

static void
lets_good_ones_in(void **state)
{
	(void)state;
	assert_status(GET, GOOD, 0);
	assert_status("GET http://h/chat HTTP/1.1", GOOD, 0);
	assert_status(GET,
	    HOST UPGRADE KEYED VERSION "connection: keep-alive , UPGRADE\r\n",
	    0);
	assert_status(GET,
	    HOST UPGRADE KEYED VERSION
	    "Connection: keep-alive\r\nConnection: upgrade\r\n",
	    0);
	assert_status(GET,
	    HOST UPGRADE CONNECTION
	    "SEC-WEBSOCKET-KEY:  x3JJHMbDL1EzLkh9GBhXDw== \r\n"
	    "sec-websocket-version:13\r\n",
	    0);
	assert_status(GET, GOOD "Content-Length: 0\r\n", 0);
}

static void
answers_other_methods(void **state)
{
	(void)state;
	assert_status("POST /chat HTTP/1.1", GOOD, 405);
	assert_status("HEAD /chat HTTP/1.1", GOOD, 405);
	assert_status("OPTIONS /chat HTTP/1.1", GOOD, 405);
	assert_status("PUT /chat HTTP/1.1", GOOD, 405);
	assert_status("PROPFIND /chat HTTP/1.1", HOST, 405);
}

static void
refuses_what_is_no_upgrade(void **state)
{
	(void)state;
	assert_status("GET /chat HTTP/1.0", GOOD, 400);
	assert_status(GET, GOOD "Content-Length: 1\r\n", 400);
	assert_status(GET, GOOD "Transfer-Encoding: chunked\r\n", 400);
	assert_status(GET, HOST UPGRADE KEYED VERSION, 400);
	assert_status(
	    GET, HOST UPGRADE KEYED VERSION "Connection: keep-alive\r\n", 400);
	assert_status(GET,
	    HOST UPGRADE KEYED VERSION "Connection: upgrades, pgrade\r\n", 400);
}

/* The key in place of the good one. */
static void
assert_key(const char *key, int want)
{
	char headers[512];

	(void)snprintf(headers, sizeof(headers),
	    HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: %s\r\n", key);
	assert_status(GET, headers, want);
}

static void
refuses_bad_keys(void **state)
{
	static const char *const bad[] = {"", "=", "==", "dGhlIHNhbXBsZSBub25j",
	    "dGhlIHNhbXBsZSBub25jZQ",
	    "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
	    "dGhlIHNhbXBsZSBub25jZQQ=", "dGhlIHNhbXBsZSBub25jZQQQ",
	    "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25j=Q==",
	    "dGhlIHNhbXBsZSBub25jZWE=", "dGhl IHNhbXBsZSBub25jZ==",
	    "dGhlIHNhbXBs-SBub25jZQ==", "dGhlIHNhbXBs_SBub25jZQ==",
	    "dGhlIHNhbXBs\xc3SBub25jZQ==", "ZGdobElITmhiWEJzWlNCdWIyNWpaUT09"};
	size_t i;

	(void)state;
	assert_key(KEY, 0);
	assert_key("AAAAAAAAAAAAAAAAAAAAAA==", 0);
	assert_key("+/+/+/+/+/+/+/+/+/+/+w==", 0);
	for (i = 0; i < N(bad); i++)
		assert_key(bad[i], 400);
	assert_status(GET, HOST UPGRADE CONNECTION VERSION, 400);
	assert_status(GET, GOOD KEYED, 400);
}

static void
wants_version_13(void **state)
{
	static const char *const bad[] = {
	    "", "8", "1", "3", "013", "13.0", "130", "13, 8", "x"};
	char headers[512];
	size_t i;

	(void)state;
	assert_status(GET, HOST UPGRADE CONNECTION KEYED, 426);
	assert_status(GET, GOOD VERSION, 426);
	for (i = 0; i < N(bad); i++) {
		(void)snprintf(headers, sizeof(headers),
		    HOST UPGRADE CONNECTION KEYED
		    "Sec-WebSocket-Version: %s\r\n",
		    bad[i]);
		assert_status(GET, headers, 426);
	}
}

static void
assert_accepts(const char *key, const char *want)
{
	char out[WS_ACCEPT_SIZE + 1];

	memset(out, '#', sizeof(out));
	ws_handshake_accept((hostd_buf){key, strlen(key)}, out);
	assert_string_equal(out, want);
	assert_int_equal(out[WS_ACCEPT_SIZE], '#');
}

static void
proves_that_it_understood(void **state)
{
	(void)state;
	/* RFC 6455 sections 1.3; and one made with openssl(1). */
	assert_accepts(KEY, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_accepts(
	    "x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

static int
offers(const char *name)
{
	return ws_handshake_offers(req, (hostd_buf){name, strlen(name)});
}

static void
finds_subprotocols(void **state)
{
	(void)state;
	ask(GET,
	    GOOD "Sec-WebSocket-Protocol: chat, superchat\r\n"
		 "sec-websocket-protocol: mqtt ,,v1.amqp\r\n");
	assert_true(offers("chat"));
	assert_true(offers("superchat"));
	assert_true(offers("mqtt"));
	assert_true(offers("v1.amqp"));
	assert_false(offers("Chat"));
	assert_false(offers("MQTT"));
	assert_false(offers("cha"));
	assert_false(offers("chats"));
	assert_false(offers("hat"));
	assert_false(offers("chat, superchat"));
	assert_false(offers("v1"));
	assert_false(offers(""));
	ask(GET, GOOD);
	assert_false(offers("chat"));
	assert_false(offers(""));
}

struct page {
	const char *pattern, *host, *origin;
	int ok;
};

static void
assert_page(const struct page *c)
{
	char headers[512], *pattern = strdup(c->pattern);
	int got;

	assert_non_null(pattern);
	(void)snprintf(headers, sizeof(headers),
	    "Host: %s\r\nOrigin: %s\r\n" UPGRADE, c->host, c->origin);
	ask(GET, headers);
	got = ws_handshake_origin_ok(req, &pattern, 1);
	free(pattern);
	if (got != c->ok)
		fail_msg("%d, not %d: %s at %s by \"%s\"", got, c->ok,
		    c->origin, c->host, c->pattern);
}

static void
lets_any_page_in(void **state)
{
	static const char *const origins[] = {
	    "http://a", "null", "", "file://", "what ever", "https://a/"};
	struct page c = {"*", "h", NULL, 1};
	size_t i;

	(void)state;
	for (i = 0; i < N(origins); i++) {
		c.origin = origins[i];
		assert_page(&c);
		assert_true(ws_handshake_origin_ok(req, NULL, 0));
	}
}

static void
lets_its_own_pages_in(void **state)
{
	static const struct page cases[] = {
	    {"same", "example.com", "http://example.com", 1},
	    {"same", "example.com", "https://example.com", 1},
	    {"same", "Example.COM", "https://exaMple.com", 1},
	    {"same", "example.com:80", "http://example.com", 1},
	    {"same", "example.com", "http://example.com:80", 1},
	    {"same", "example.com:443", "https://example.com", 1},
	    {"same", "example.com", "https://example.com:443", 1},
	    {"same", "example.com:8080", "http://example.com:8080", 1},
	    {"same", "example.com:", "http://example.com", 1},
	    {"same", "127.0.0.1:81", "http://127.0.0.1:81", 1},
	    {"same", "[::1]:81", "http://[::1]:81", 1},
	    {"same", "[::1]", "http://[::1]", 1},
	    {"same", "example.com", "http://example.com:8080", 0},
	    {"same", "example.com:8080", "http://example.com", 0},
	    {"same", "example.com:443", "http://example.com", 0},
	    {"same", "example.com:80", "https://example.com", 0},
	    {"same", "example.com:81", "http://example.com:82", 0},
	    {"same", "example.com", "http://example.org", 0},
	    {"same", "example.com", "http://www.example.com", 0},
	    {"same", "www.example.com", "http://example.com", 0},
	    {"same", "example.com", "http://example.com.evil.org", 0},
	    {"same", "example.com", "http://evil.org/example.com", 0},
	    {"same", "example.com", "http://example.com/", 0},
	    {"same", "example.com", "http://a@example.com", 0},
	    {"same", "example.com", "http://*.example.com", 0},
	    {"same", "example.com", "example.com", 0},
	    {"same", "example.com", "//example.com", 0},
	    {"same", "example.com", "null", 0}, {"same", "example.com", "", 0},
	    {"same", "example.com", "http://", 0},
	    {"same", "example.com", "http://example.com:x", 0},
	    {"same", "example.com", "http://example.com:4294967376", 0},
	    {"same", "[::1]", "http://[::2]", 0},
	    {"same", "[::1]", "http://[::1", 0},
	    {"same", "[::1]", "http://[::1]x", 0}};
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++)
		assert_page(&cases[i]);
}

static void
lets_named_pages_in(void **state)
{
	static const struct page cases[] = {
	    {"https://example.com", "h", "https://example.com", 1},
	    {"https://Example.com", "h", "HTTPS://example.COM", 1},
	    {"https://example.com:443", "h", "https://example.com", 1},
	    {"https://example.com", "h", "https://example.com:443", 1},
	    {"http://example.com:81", "h", "http://example.com:81", 1},
	    {"http://[::1]:81", "h", "http://[::1]:81", 1},
	    {"app://local", "h", "app://local", 1},
	    {"https://example.com", "example.com", "http://example.com", 0},
	    {"https://example.com", "h", "http://example.com:443", 0},
	    {"app://local", "h", "other://local", 0},
	    {"https://example.com", "h", "https://example.com:444", 0},
	    {"https://example.com:444", "h", "https://example.com", 0},
	    {"https://example.com", "h", "https://www.example.com", 0},
	    {"https://example.com", "h", "https://example.co", 0},
	    {"https://example.com", "h", "https://example.comm", 0},
	    {"https://example.com", "h", "https://example.com.evil.org", 0},
	    {"https://example.com", "h", "https://evil.org", 0},
	    {"https://example.com", "h", "null", 0},
	    {"app://local", "h", "app://local:80", 0},
	    {"null", "h", "null", 0}};
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++)
		assert_page(&cases[i]);
}

#define BELOW "https://*.example.com"

static void
lets_what_is_below_in(void **state)
{
	static const struct page cases[] = {
	    {BELOW, "h", "https://www.example.com", 1},
	    {BELOW, "h", "https://a.b.example.com", 1},
	    {BELOW, "h", "https://WWW.Example.com:443", 1},
	    {BELOW ":8443", "h", "https://www.example.com:8443", 1},
	    {BELOW, "h", "https://example.com", 0},
	    {BELOW, "h", "https://.example.com", 0},
	    {BELOW, "h", "https://wwwexample.com", 0},
	    {BELOW, "h", "https://www.example.com.evil.org", 0},
	    {BELOW, "h", "https://evil.org/.example.com", 0},
	    {BELOW, "h", "https://evil.org#.example.com", 0},
	    {BELOW, "h", "https://evil.org?.example.com", 0},
	    {BELOW, "h", "https://evil.org\\.example.com", 0},
	    {BELOW, "h", "https://evil.org:80.example.com", 0},
	    {BELOW, "h", "https://u@www.example.com", 0},
	    {BELOW, "h", "https://evil.org https://www.example.com", 0},
	    {BELOW, "h", "https://*.example.com", 0},
	    {BELOW, "h", "https://*.www.example.com", 0},
	    {BELOW, "h", "https://a*.example.com", 0},
	    {BELOW, "h", "app://www.example.com:443", 0},
	    {BELOW, "h", "http://www.example.com", 0},
	    {BELOW, "h", "https://www.example.com:8443", 0},
	    {BELOW ":8443", "h", "https://www.example.com", 0}};
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++)
		assert_page(&cases[i]);
}

static void
lets_in_who_one_pattern_knows(void **state)
{
	static char own[] = "same", below[] = BELOW, one[] = "http://b";
	char *const patterns[] = {own, below, one};

	(void)state;
	ask(GET, "Host: a\r\nOrigin: http://b\r\n");
	assert_true(ws_handshake_origin_ok(req, patterns, 3));
	assert_false(ws_handshake_origin_ok(req, patterns, 2));
	ask(GET, "Host: a\r\nOrigin: https://x.example.com\r\n");
	assert_true(ws_handshake_origin_ok(req, patterns, 3));
	assert_false(ws_handshake_origin_ok(req, patterns, 1));
	ask(GET, "Host: a\r\norigin: http://a\r\n");
	assert_true(ws_handshake_origin_ok(req, patterns, 3));
	ask(GET, "Host: a\r\nOrigin: http://c\r\n");
	assert_false(ws_handshake_origin_ok(req, patterns, 3));
	ask(GET, "Host: a\r\n");
	assert_true(ws_handshake_origin_ok(req, patterns, 3));
	ask(GET, "Host: a\r\nOrigin: http://b\r\nOrigin: http://b\r\n");
	assert_false(ws_handshake_origin_ok(req, patterns, 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(knows_an_upgrade),
	    T(lets_good_ones_in),
	    T(answers_other_methods),
	    T(refuses_what_is_no_upgrade),
	    T(refuses_bad_keys),
	    T(wants_version_13),
	    T(proves_that_it_understood),
	    T(finds_subprotocols),
	    T(lets_any_page_in),
	    T(lets_its_own_pages_in),
	    T(lets_named_pages_in),
	    T(lets_what_is_below_in),
	    T(lets_in_who_one_pattern_knows),
	};

	return cmocka_run_group_tests_name("ws handshake", tests, NULL, NULL);
}
