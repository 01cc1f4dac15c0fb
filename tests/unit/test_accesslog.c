/* SPDX-License-Identifier: BSD-2-Clause */
/* Access logs: what a format says, and nothing that a client could forge. */
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <cmocka.h>

#include "http/conn.h"
#include "http/identity.h"
#include "http/request_log.h"
#include "http/sent.h"
#include "http/server.h"
#include "scratch.h"

static struct access_logs logs;
static struct http_conn conn;
static struct http_server server;
static struct http_req *req;
static char text[1 << 16];
static hostd_hdr told[2];	/* headers of the answer */
static uint32_t ntold;
static struct sent_names names;

static hostd_buf
buf_of(const char *s)
{
	return (hostd_buf){s, s == NULL ? 0 : strlen(s)};
}

static void
add_header(enum http_known known, const char *name, const char *value)
{
	req->headers[req->view.nheaders].name = buf_of(name);
	req->headers[req->view.nheaders].value = buf_of(value);
	req->view.nheaders++;
	if (known != KNOWN_N)
		req->known[known] = (uint8_t)req->view.nheaders;
}

static int
setup(void **state)
{
	(void)state;
	scratch_make();
	memset(&logs, 0, sizeof(logs));
	memset(&conn, 0, sizeof(conn));
	req = calloc(1, sizeof(*req) + 8 * sizeof(hostd_hdr));
	assert_non_null(req);
	conn.nreqs = 7;
	req->conn = &conn;
	req->server = &server;
	req->view.headers = req->headers;
	req->view.method_name = buf_of("GET");
	req->view.target = buf_of("/a%20b?c");
	req->view.path = buf_of("/a b");
	req->view.query = buf_of("c");
	req->view.host = buf_of("h");
	req->view.peer = buf_of("192.0.2.1");
	req->minor = 1;
	req->status = 200;
	req->head_len = 100;
	req->head_out = 150;
	req->start_ms = 1000;
	add_header(KNOWN_USER_AGENT, "User-Agent", "ua/1");
	add_header(KNOWN_N, "X-Some-Thing", "some");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	access_logs_free(&logs);
	sent_names_free(&names);
	free(req);
	scratch_remove();
	return 0;
}

static int
open_log(const char *name)
{
	return open(scratch_path(name), O_RDWR | O_CREAT | O_APPEND, 0600);
}

static const char *
read_log(const char *name)
{
	int fd = open_log(name);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	(void)close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

/* The line for the request in this format. */
static const char *
line_of(const char *format)
{
	access_logs_free(&logs);
	memset(&logs, 0, sizeof(logs));
	(void)unlink(scratch_path("log"));
	access_logs_add(&logs, &request_log_kind, format);
	access_logs_set_fd(&logs, 0, open_log("log"));
	request_log_want(&logs, &names);
	req->sent.told = 0;
	if (ntold > 0)
		sent_note(&req->sent, &names, told, ntold);
	request_log_note(&logs, req, 175, 3042);
	access_logs_flush(&logs);
	return read_log("log");
}

static void
custom_formats(void **state)
{
	(void)state;
	assert_string_equal(
	    line_of("$remote_addr $request_method"), "192.0.2.1 GET\n");
	assert_string_equal(
	    line_of("<$request>$status"), "<GET /a%20b?c HTTP/1.1>200\n");
	assert_string_equal(
	    line_of("$uri|$args|$request_uri|$host"), "/a b|c|/a%20b?c|h\n");
	assert_string_equal(line_of("$bytes_sent $body_bytes_sent "
				    "$request_length $request_time"),
	    "175 25 100 2.042\n");
	assert_string_equal(
	    line_of("$http_user_agent $http_x_some_thing $http_none"),
	    "ua/1 some -\n");
	assert_string_equal(
	    line_of("a${status}b$connection_requests"), "a200b7\n");
	assert_string_equal(line_of("no variable"), "no variable\n");
	assert_string_equal(line_of(""), "\n");
}

/* What a token says is as foreign as what a header says. */
static void
who_it_was(void **state)
{
	(void)state;
	assert_string_equal(line_of("$remote_user $jwt_claim_sub"), "- -\n");
	req->who = identity_new(buf_of("eve\n\"x"),
	    buf_of("{\"role\":\"a\",\"userId\": 7 ,\"s\":\"\\u000a\\\"\", "
		   "\"l\":[1,\"2\"],\"role\":\"b\"}"));
	assert_string_equal(line_of("$remote_user"), "eve\\x0A\\x22x\n");
	assert_string_equal(
	    line_of("$jwt_claim_role $jwt_claim_userId ${jwt_claim_l}"),
	    "b 7 [1,\\x222\\x22]\n");
	assert_string_equal(
	    line_of("$jwt_claim_s $jwt_claim_none"), "\\x0A\\x22 -\n");
	identity_unref(req->who);
}

/* Wherever a URL has them, of whatever route it is. */
static void
tokens_in_urls(void **state)
{
	static struct conf conf;
	static struct conf_auth auth;
	char name[] = "token", other[] = "t";
	struct conf_token from[] = { { CONF_TOKEN_HEADER, NULL },
		{ CONF_TOKEN_QUERY, name }, { CONF_TOKEN_COOKIE, other },
		{ CONF_TOKEN_QUERY, other } };

	(void)state;
	TAILQ_INIT(&conf.auths);
	TAILQ_INSERT_TAIL(&conf.auths, &auth, entry);
	auth.from = from;
	auth.nfrom = 4;
	veil_init(&server.veil, &conf);
	req->view.target = buf_of("/token=1?a=b&token=2.\"3&atoken=4&t=5"
	    "&token=6");
	req->view.query = buf_of("token=7&&t=&token&token=8=9&tt=1;t=2#t=3");
	add_header(KNOWN_REFERER, "Referer", "http://a/?token=10#token=11");
	assert_string_equal(line_of("$request"), "GET /token=1?a=b&token=***"
	    "&atoken=4&t=***&token=*** HTTP/1.1\n");
	assert_string_equal(line_of("$request_uri $uri"), "/token=1?a=b&"
	    "token=***&atoken=4&t=***&token=*** /a b\n");
	assert_string_equal(line_of("$args"), "token=***&&t=***&token&"
	    "token=***&tt=1;t=***#t=***\n");
	assert_string_equal(line_of("$http_referer"),
	    "http://a/?token=***#token=***\n");
	assert_null(strstr(line_of("json"), "token=2"));
	assert_null(strstr(text, "token=10"));
	req->view.target = req->view.query = buf_of("");
	assert_string_equal(line_of("$args $request_uri"), "- -\n");
	veil_free(&server.veil);
}

static void
what_the_client_was_told(void **state)
{
	static char room[2 * SENT_ROOM];
	static const char all[] = "$request_id|$sent_http_x_request_id|"
	    "$upstream_cache_status|$sent_http_none";

	(void)state;
	ntold = 0;
	assert_string_equal(line_of(all), "-|-|-|-\n");
	told[0] = (hostd_hdr){buf_of("x-request-id"), buf_of("a\"b")};
	told[1] = (hostd_hdr){buf_of("X-Cache-Status"), buf_of("HIT")};
	ntold = 2;
	assert_string_equal(line_of(all), "a\\x22b|a\\x22b|HIT|-\n");
	/* What is too long is cut, and leaves no room for others. */
	memset(room, 'x', sizeof(room) - 1);
	told[0].value = buf_of(room);
	assert_int_equal(strlen(line_of(all)), 2 * SENT_ROOM + 6);
	ntold = 0;
	assert_int_equal(access_format_check(&request_log_kind, "$sent_http_",
	    room, 32), -1);
	assert_string_equal(room, "$sent_http_");
}

static void
note_try(const char *addr, int status, int connect_ms, int header_ms,
    int response_ms)
{
	struct http_try *t = tries_add(&req->tries);

	(void)snprintf(t->addr, sizeof(t->addr), "%s", addr);
	t->status = status;
	t->connect_ms = connect_ms;
	t->header_ms = header_ms;
	t->response_ms = response_ms;
}

static void
servers_that_were_asked(void **state)
{
	static const char all[] =
	    "$upstream_addr|$upstream_status|$upstream_connect_time|"
	    "$upstream_header_time|$upstream_response_time";

	(void)state;
	assert_string_equal(line_of(all), "-|-|-|-|-\n");
	note_try("192.0.2.1:80", 0, -1, -1, 2);
	assert_string_equal(line_of(all), "192.0.2.1:80|-|-|-|0.002\n");
	note_try("unix:/a", 200, 0, 41, 12345);
	assert_string_equal(line_of(all),
	    "192.0.2.1:80, unix:/a|-, 200|-, 0.000|-, 0.041|0.002, 12.345\n");
	(void)tries_add(&req->tries);
	assert_string_equal(line_of("$upstream_addr"),
	    "192.0.2.1:80, unix:/a, -\n");
}

static void
more_servers_than_are_remembered(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < TRIES_MAX + 2; i++)
		note_try("a", 500 + i, 0, 0, 0);
	assert_string_equal(line_of("$upstream_status"),
	    "500, 501, 502, 503, 504, 505, 506, 509\n");
}

static void
what_a_request_lacks(void **state)
{
	(void)state;
	memset(&req->view, 0, sizeof(req->view));
	memset(req->known, 0, sizeof(req->known));
	req->minor = 0;
	req->status = 400;
	assert_string_equal(line_of("$request|$host|$args|$remote_addr|"
				    "$http_referer|$content_length|"
				    "$server_protocol"),
	    "-|-|-|-|-|-|HTTP/1.0\n");
	/* More sent than a head: never a negative number. */
	req->head_out = 1000;
	assert_string_equal(line_of("$body_bytes_sent"), "0\n");
}

static void
combined(void **state)
{
	const char *line = line_of("combined"), *p;

	(void)state;
	assert_int_equal(strncmp(line, "192.0.2.1 - - [", 15), 0);
	p = strchr(line, ']');
	assert_non_null(p);
	assert_string_equal(
	    p, "] \"GET /a%20b?c HTTP/1.1\" 200 25 \"-\" \"ua/1\"\n");
}

static void
nothing_can_forge_a_line(void **state)
{
	(void)state;
	req->headers[0].value = buf_of("a\"b\\c\r\n\x1b\x7f\xc3\xa9\td");
	assert_string_equal(line_of("\"$http_user_agent\""),
	    "\"a\\x22b\\x5Cc\\x0D\\x0A\\x1B\\x7F\\xC3\\xA9\\x09d\"\n");
}

static void
numbers_of_any_length(void **state)
{
	uint64_t n = 1, k;
	char want[32];

	(void)state;
	req->head_len = 0;
	for (k = 0; k < 20; k++, n *= 10) {
		req->body_seen = n;
		(void)snprintf(want, sizeof(want), "%" PRIu64 "\n", n);
		assert_string_equal(line_of("$request_length"), want);
		req->body_seen = n - 1;
		(void)snprintf(want, sizeof(want), "%" PRIu64 "\n", n - 1);
		assert_string_equal(line_of("$request_length"), want);
	}
	req->body_seen = UINT64_MAX;
	assert_string_equal(line_of("$request_length"),
	    "18446744073709551615\n");
}

static void
json_is_json(void **state)
{
	json_error_t err;
	const char *line;
	json_t *o;

	(void)state;
	req->headers[0].value = buf_of("a\"b\\c\r\n\x1b\x7f\xff\t}");
	req->view.target = buf_of("/\"},{\"");
	line = line_of("json");
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	o = json_loads(line, 0, &err);
	if (o == NULL)
		fail_msg("%s: %s", err.text, line);
	assert_string_equal(
	    json_string_value(json_object_get(o, "uri")), "/\"},{\"");
	assert_string_equal(json_string_value(json_object_get(o, "user_agent")),
	    "a\"b\\c\r\n\x1b\x7f\xc3\xbf\t}");
	assert_int_equal(json_integer_value(json_object_get(o, "status")), 200);
	assert_int_equal(
	    json_integer_value(json_object_get(o, "pid")), getpid());
	json_decref(o);
}

static void
formats_are_checked(void **state)
{
	static const char *const good[] = {"combined", "json", "", "x",
	    "$status", "${status}x", "$http_a", "$http_a_b1",
	    "$jwt_claim_userId", "100% $uri"};
	static const struct {
		const char *format, *bad;
	} wrong[] = {{"$", "$"}, {"$$", "$"}, {"$foo", "$foo"},
	    {"$status $statu", "$statu"}, {"$statusx", "$statusx"},
	    {"$http_", "$http_"},
	    {"$jwt_claim_", "$jwt_claim_"}, {"$Status", "$Status"},
	    {"a $ b", "$"}};
	char bad[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(
		    access_format_check(&request_log_kind, good[i], bad,
		    sizeof(bad)), 0);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
		    access_format_check(&request_log_kind, wrong[i].format,
		    bad, sizeof(bad)), -1);
		assert_string_equal(bad, wrong[i].bad);
	}
	assert_int_equal(access_format_check(&request_log_kind, "${status",
	    bad, 64), -1);
	assert_int_equal(access_format_check(&request_log_kind, "${}", bad,
	    64), -1);
	assert_int_equal(access_format_check(&request_log_kind, "${foo}", bad,
	    64), -1);
}

static void
each_log_its_own_format(void **state)
{
	(void)state;
	access_logs_add(&logs, &request_log_kind, "a $status");
	access_logs_add(&logs, &request_log_kind, "b $uri");
	access_logs_add(&logs, &request_log_kind, "off");
	assert_false(access_logs_want(&logs, &request_log_kind));
	access_logs_set_fd(&logs, 0, open_log("a"));
	access_logs_set_fd(&logs, 1, open_log("b"));
	access_logs_set_fd(&logs, 9, open_log("c"));
	assert_true(access_logs_want(&logs, &request_log_kind));
	request_log_note(&logs, req, 1, 1);
	request_log_note(&logs, req, 1, 1);
	assert_string_equal(read_log("a"), "");
	access_logs_flush(&logs);
	assert_string_equal(read_log("a"), "a 200\na 200\n");
	assert_string_equal(read_log("b"), "b /a b\nb /a b\n");
	/* Reopened: the lines to come go to the new file. */
	access_logs_set_fd(&logs, 0, open_log("a2"));
	request_log_note(&logs, req, 1, 1);
	access_logs_flush(&logs);
	assert_string_equal(read_log("a2"), "a 200\n");
	assert_string_equal(read_log("a"), "a 200\na 200\n");
	access_logs_set_fd(&logs, 0, -1);
	access_logs_set_fd(&logs, 1, -1);
	assert_false(access_logs_want(&logs, &request_log_kind));
}

/* A pipe that nobody reads: whole lines are lost and counted, none waits. */
static void
never_waits(void **state)
{
	size_t lines = 0, i;
	ssize_t n;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	access_logs_add(&logs, &request_log_kind,
	    "$request $http_user_agent $status");
	access_logs_set_fd(&logs, 0, fds[1]);
	for (i = 0; i < 50000; i++) {
		request_log_note(&logs, req, 1, 1);
		access_logs_flush(&logs);
	}
	assert_true(logs.dropped > 0);
	while ((n = read(fds[0], text, sizeof(text))) > 0) {
		for (i = 0; i < (size_t)n; i++)
			lines += text[i] == '\n';
		access_logs_flush(&logs);
	}
	assert_int_equal(lines + logs.dropped, 50000);
	(void)close(fds[0]);
}

/* The reader has gone: what can't ever be written does not pile up. */
static void
a_broken_pipe_is_dropped(void **state)
{
	int fds[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	(void)close(fds[0]);
	access_logs_add(&logs, &request_log_kind, "$status");
	access_logs_set_fd(&logs, 0, fds[1]);
	request_log_note(&logs, req, 1, 1);
	request_log_note(&logs, req, 1, 1);
	access_logs_flush(&logs);
	assert_int_equal(logs.dropped, 2);
	assert_int_equal(logs.v[0].out.len, 0);
}

/* Each byte at each place, as what looks at several at once could miss one. */
/* One byte of a value, wherever it is, and however long that is. */
static void
check_byte(int c, int at, int len)
{
	char value[20], want[64];
	int n = c < 0x20 || c >= 0x7f || c == '"' || c == '\\';

	memset(value, 'x', sizeof(value));
	value[len] = '\0';
	value[at] = (char)c;
	req->view.path = buf_of(value);
	(void)snprintf(want, sizeof(want), n ? "%.*s\\x%02X%s\n" :
	    "%.*s%c%s\n", at, value, c, value + at + 1);
	logs.v[0].out.len = 0;
	request_log_note(&logs, req, 175, 3042);
	assert_int_equal(logs.v[0].out.len, strlen(want));
	assert_memory_equal(logs.v[0].out.p, want, strlen(want));
}

static void
every_byte_everywhere(void **state)
{
	int c, at, len;

	(void)state;
	(void)line_of("$uri");
	for (c = 1; c < 256; c++)
		for (len = 1; len < 20; len++)
			for (at = 0; at < len; at++)
				check_byte(c, at, len);
	logs.v[0].out.len = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(custom_formats),
	    T(every_byte_everywhere),
	    T(numbers_of_any_length),
	    T(what_the_client_was_told),
	    T(what_a_request_lacks),
	    T(servers_that_were_asked),
	    T(more_servers_than_are_remembered),
	    T(combined),
	    T(nothing_can_forge_a_line),
	    T(json_is_json),
	    T(who_it_was),
	    T(tokens_in_urls),
	    T(formats_are_checked),
	    T(each_log_its_own_format),
	    T(never_waits),
	    T(a_broken_pipe_is_dropped),
	};

	return cmocka_run_group_tests_name("accesslog", tests, NULL, NULL);
}
