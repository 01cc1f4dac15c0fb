/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of a request: who may hear what, and from where on. */
#include <channel/pattern.h>
#include "sse.h"

#define HEADERS_MAX 8

/* -- pages of other origins (the Fetch standard's CORS protocol) -- */

static int
is_same(hostd_buf a, hostd_buf b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* Headers that let the page read the answer; how many. */
static uint32_t
allow_origin(const struct hostd_inst *in, hostd_req req, hostd_hdr *h)
{
	hostd_buf origin;
	uint32_t i, n = 0;

	if (in->norigins == 0)
		return 0;
	h[n++] = hostd_header("Vary", "Origin");
	if (in->easy.http->header(in->easy.host, req, "Origin", &origin) !=
	    HOSTD_OK)
		return n;
	for (i = 0; i < in->norigins; i++)
		if (is_same(in->origins[i], hostd_str("*")) ||
		    is_same(in->origins[i], origin)) {
			h[n] = hostd_header("Access-Control-Allow-Origin", "");
			h[n++].value = in->origins[i];
			break;
		}
	return n;
}

static int32_t
answer_method(struct hostd_inst *in, hostd_req req, uint32_t method)
{
	int asks = method == HOSTD_METHOD_OPTIONS;
	hostd_hdr h[HEADERS_MAX];
	uint32_t n = 0;

	h[n++] = hostd_header("Allow", "GET, HEAD, OPTIONS");
	if (asks)
		n += allow_origin(in, req, h + n);
	/* Vary, and the origin that is allowed. */
	if (n == 3) {
		h[n++] = hostd_header("Access-Control-Allow-Methods",
		    "GET, HEAD");
		h[n++] = hostd_header("Access-Control-Allow-Headers",
		    "Last-Event-ID, Cache-Control");
		h[n++] = hostd_header("Access-Control-Max-Age", "86400");
	}
	return in->easy.http->respond(in->easy.host, req, asks ? 204 : 405, h,
	    n, hostd_str(NULL));
}

/* -- what is asked for -- */

/* The channel's name to out; n 0: there is none. */
static hostd_buf
get_channel(const struct hostd_inst *in, hostd_req req,
    const struct hostd_request *r, char out[CHANNEL_MAX])
{
	hostd_buf name, b = { out, 0 };

	if (in->easy.http->param(in->easy.host, req, "channel", &name) !=
	    HOSTD_OK)
		name = r->rest;
	if (name.n == 0 || in->prefix.n + name.n > CHANNEL_MAX ||
	    !pattern_match(in->channels, in->nchannels, name))
		return b;
	memcpy(out, in->prefix.p, in->prefix.n);
	memcpy(out + in->prefix.n, name.p, name.n);
	b.n = in->prefix.n + name.n;
	return b;
}

/* n digits of that base at p, and all of them. */
static int
read_number(const char *p, size_t n, int base, uint64_t *out)
{
	char text[24], *end;

	if (n == 0 || n >= sizeof(text) ||
	    strspn(p, "0123456789abcdef") < n)
		return -1;
	memcpy(text, p, n);
	text[n] = '\0';
	*out = strtoull(text, &end, base);
	return *end == '\0' ? 0 : -1;
}

/* "<node>-<seq>", or "0": everything.  An id that is none of ours is one that
 * nobody remembers. */
static void
read_id(struct client *c, hostd_buf value)
{
	char text[48];
	const char *dash;

	c->since = SINCE_ID;
	c->id = (struct event_id){ 0, 0 };
	if (value.n >= sizeof(text))
		return;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	if (strcmp(text, "0") == 0)
		c->since = SINCE_EVER;
	else if ((dash = strchr(text, '-')) != NULL && (read_number(text,
	    (size_t)(dash - text), 16, &c->id.node) == -1 || read_number(
	    dash + 1, strlen(dash + 1), 10, &c->id.seq) == -1))
		c->id = (struct event_id){ 0, 0 };
}

/* The value of last_event_id in a query; p NULL: there is none. */
static hostd_buf
find_in_query(hostd_buf query)
{
	static const char key[] = "last_event_id=";
	const size_t k = sizeof(key) - 1;
	const char *p = query.p, *end = p + query.n, *stop;
	hostd_buf b = { NULL, 0 };

	for (; p != NULL && p < end; p = stop + 1) {
		stop = memchr(p, '&', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - p) < k || memcmp(p, key, k) != 0)
			continue;
		b.p = p + k;
		b.n = (size_t)(stop - p) - k;
		break;
	}
	return b;
}

/* A browser that comes back says it in a header; a page that begins can say it
 * in the address only, and the header is newer then. */
static void
read_since(const struct hostd_inst *in, struct client *c, hostd_req req,
    const struct hostd_request *r)
{
	hostd_buf value;

	c->since = SINCE_NOW;
	if (in->easy.http->header(in->easy.host, req, "Last-Event-ID",
	    &value) != HOSTD_OK || value.n == 0)
		value = find_in_query(r->query);
	if (value.p != NULL && value.n > 0)
		read_id(c, value);
}

/* -- answering -- */

int32_t
request_begin(struct hostd_inst *in, hostd_req req)
{
	hostd_hdr h[HEADERS_MAX];
	uint32_t n = 0;

	h[n++] = hostd_header("Content-Type", "text/event-stream");
	h[n++] = hostd_header("Cache-Control", "no-store");
	/* nginx, and what learned it from there, would wait for more. */
	h[n++] = hostd_header("X-Accel-Buffering", "no");
	n += allow_origin(in, req, h + n);
	return in->easy.http->begin(in->easy.host, req, 200, h, n, -1);
}

static int32_t
answer_status(struct hostd_inst *in, hostd_req req, int32_t status)
{
	return in->easy.http->respond(in->easy.host, req, status, NULL, 0,
	    hostd_str(NULL));
}

static int32_t
answer_head(struct hostd_inst *in, hostd_req req)
{
	int32_t rc = request_begin(in, req);

	return rc < 0 ? rc : in->easy.http->finish(in->easy.host, req);
}

static int32_t
open_stream(struct hostd_inst *in, hostd_req req, struct client *c,
    hostd_buf channel)
{
	int32_t rc;

	c->req = req;
	rc = topic_enter(in, c, channel);
	if (c->topic != NULL)
		return rc;
	return answer_status(in, req, rc == HOSTD_E_INVAL ? 404 : 503);
}

int32_t
request_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	char name[CHANNEL_MAX];
	hostd_buf channel;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->method != HOSTD_METHOD_GET && r->method != HOSTD_METHOD_HEAD)
		return answer_method(in, req, r->method);
	channel = get_channel(in, req, r, name);
	if (channel.n == 0)
		return answer_status(in, req, 404);
	if (r->method == HOSTD_METHOD_HEAD)
		return answer_head(in, req);
	read_since(in, d, req, r);
	return open_stream(in, req, d, channel);
}
