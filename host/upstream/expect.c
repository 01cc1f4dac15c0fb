/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "base/version.h"
#include "http/answer.h"
#include "upstream/expect.h"
#include "upstream/table.h"

#define HEAD_MAX	16384
#define HEADERS_MAX	100
#define INFORMED_MAX	8
#define BODY_MAX	(1u << 20)	/* that is looked through */

/* -- the request -- */

/* The port that everybody assumes is left out. */
static void
put_host(struct buf *b, const char *server)
{
	size_t n = strlen(server);

	if (strncmp(server, "unix:", 5) == 0)
		buf_puts(b, "localhost");
	else if (n > 3 && strcmp(server + n - 3, ":80") == 0)
		buf_append(b, server, n - 3);
	else
		buf_append(b, server, n);
}

void
expect_request(struct buf *b, const struct conf_health *conf,
    const char *server)
{
	buf_printf(b, "%s %s HTTP/1.1\r\nHost: ", conf->method, conf->path);
	if (conf->host != NULL)
		buf_puts(b, conf->host);
	else
		put_host(b, server);
	buf_printf(b, "\r\nUser-Agent: hostd/%s (health check)\r\n"
	    "Accept: */*\r\nConnection: close\r\n\r\n", version_text);
}

/* -- the answer -- */

void
expect_init(struct expect *e, const struct conf_health *conf)
{
	memset(e, 0, sizeof(*e));
	e->conf = conf;
}

void
expect_free(struct expect *e)
{
	buf_free(&e->in);
}

static enum expect_verdict
expect_bad(struct expect *e, uint32_t why, uint32_t what)
{
	e->why = why;
	e->what = what;
	return EXPECT_BAD;
}

static int
is_expected(const struct conf_health *conf, int status)
{
	size_t i;

	for (i = 0; i < conf->nstatuses; i++)
		if (status >= conf->statuses[i].from &&
		    status <= conf->statuses[i].to)
			return 1;
	return 0;
}

/* Look for the text in what has come and in the end of what came before. */
static enum expect_verdict
take_body(struct expect *e, const char *p, size_t n)
{
	size_t want = strlen(e->conf->body);

	e->seen += n;
	buf_append(&e->in, p, n);
	if (memmem(e->in.p, e->in.len, e->conf->body, want) != NULL)
		return EXPECT_GOOD;
	if (e->seen > BODY_MAX)
		return expect_bad(e, UP_WHY_BODY, 0);
	if (e->in.len >= want)
		buf_consume(&e->in, e->in.len - want + 1);
	return EXPECT_MORE;
}

static enum expect_verdict
feed_length(struct expect *e, const char *p, size_t n)
{
	enum expect_verdict v;

	if (n > e->left)
		n = (size_t)e->left;
	e->left -= n;
	v = take_body(e, p, n);
	return v == EXPECT_MORE && e->left == 0 ?
	    expect_bad(e, UP_WHY_BODY, 0) : v;
}

static enum expect_verdict
feed_chunked(struct expect *e, const char *p, size_t n)
{
	enum expect_verdict v;
	const char *data;
	size_t used, ndata;
	int rc;

	while (n > 0) {
		rc = chunked_feed(&e->chunked, p, n, &used, &data, &ndata);
		if (rc == CHUNKED_BAD)
			return expect_bad(e, UP_WHY_NOT_HTTP, 0);
		if (ndata > 0 && (v = take_body(e, data, ndata)) != EXPECT_MORE)
			return v;
		if (rc == CHUNKED_DONE)
			return expect_bad(e, UP_WHY_BODY, 0);
		p += used;
		n -= used;
	}
	return EXPECT_MORE;
}

static enum expect_verdict
feed_body(struct expect *e, const char *p, size_t n)
{
	if (e->body == ANSWER_EMPTY || (e->body == ANSWER_LENGTH &&
	    e->left == 0))
		return expect_bad(e, UP_WHY_BODY, 0);
	if (n == 0)
		return EXPECT_MORE;
	if (e->body == ANSWER_LENGTH)
		return feed_length(e, p, n);
	if (e->body == ANSWER_CHUNKED)
		return feed_chunked(e, p, n);
	return take_body(e, p, n);
}

/* A whole head of n bytes is at the front of e->in. */
static enum expect_verdict
take_head(struct expect *e, size_t n)
{
	hostd_hdr room[HEADERS_MAX];
	struct answer a = { .headers = room, .max = HEADERS_MAX,
		.to_head = strcmp(e->conf->method, "HEAD") == 0 };
	const char *why;

	if (answer_head(&a, e->in.p, n, &why) == -1)
		return expect_bad(e, UP_WHY_NOT_HTTP, 0);
	if (a.status < 200 && a.status != 101) {
		memset(&e->guard, 0, sizeof(e->guard));
		return ++e->informed > INFORMED_MAX ?
		    expect_bad(e, UP_WHY_NOT_HTTP, 0) : EXPECT_MORE;
	}
	if (!is_expected(e->conf, a.status))
		return expect_bad(e, UP_WHY_STATUS, (uint32_t)a.status);
	if (e->conf->body == NULL || e->conf->body[0] == '\0')
		return EXPECT_GOOD;
	e->in_body = 1;
	e->body = a.body;
	e->left = a.length > 0 ? (uint64_t)a.length : 0;
	return EXPECT_MORE;
}

/* What came behind the head is the first of the body. */
static enum expect_verdict
turn_to_body(struct expect *e)
{
	struct buf rest = e->in;
	enum expect_verdict v;

	memset(&e->in, 0, sizeof(e->in));
	v = feed_body(e, rest.p, rest.len);
	buf_free(&rest);
	return v;
}

enum expect_verdict
expect_feed(struct expect *e, const char *p, size_t n)
{
	static const struct guard_limits limits = { .request_line = 4096,
		.head = HEAD_MAX, .headers = HEADERS_MAX, .answers = 1 };
	enum expect_verdict v;
	int head;

	if (e->in_body)
		return feed_body(e, p, n);
	buf_append(&e->in, p, n);
	for (;;) {
		head = guard_head(&e->guard, &limits, e->in.p, e->in.len);
		if (head < 0)
			return expect_bad(e, UP_WHY_NOT_HTTP, 0);
		if (head == 0)
			return EXPECT_MORE;
		if ((v = take_head(e, (size_t)head)) != EXPECT_MORE)
			return v;
		buf_consume(&e->in, (size_t)head);
		if (e->in_body)
			return turn_to_body(e);
	}
}

enum expect_verdict
expect_end(struct expect *e)
{
	return expect_bad(e, e->in_body && e->body == ANSWER_CLOSE ?
	    UP_WHY_BODY : UP_WHY_IO, 0);
}
