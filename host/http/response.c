/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "http/blame.h"
#include "http/conn.h"
#include "http/framed.h"
#include "http/guard.h"
#include "http/packed.h"
#include "http/plain.h"
#include "http/response.h"
#include "http/server.h"

#define INLINE_BODY	16384	/* copied in one piece with the head */
#define ERRANDS_MAX	4	/* of a request, that add to its head */
#define HSTS		"Strict-Transport-Security"
#define FULL_FACTOR	4	/* of high water: nothing is taken beyond */

/* Names that only the host may set. */
static int
is_owned(hostd_buf name)
{
	switch (name.n) {
	case 4:
		return strncasecmp(name.p, "date", 4) == 0;
	case 6:
		return strncasecmp(name.p, "server", 6) == 0;
	case 7:
		return strncasecmp(name.p, "upgrade", 7) == 0;
	case 10:
		return strncasecmp(name.p, "connection", 10) == 0 ||
		    strncasecmp(name.p, "keep-alive", 10) == 0;
	case 14:
		return strncasecmp(name.p, "content-length", 14) == 0;
	case 17:
		return strncasecmp(name.p, "transfer-encoding", 17) == 0;
	default:
		return 0;
	}
}

/* NULL, or why the header may not be sent. */
static const char *
check_header(const hostd_hdr *h)
{
	if (h->name.p == NULL || !is_token(h->name.p, h->name.n))
		return "it has no proper name (RFC 9110 section 5.1)";
	if (is_owned(h->name))
		return "it is the host's to set";
	if (h->value.n > 0 && (h->value.p == NULL ||
	    !is_field_value(h->value.p, h->value.n)))
		return "its value has bytes that no header may have "
		    "(RFC 9110 section 5.5)";
	return NULL;
}

/* Bytes the headers take, or -1 when one of them may not be sent. */
static ssize_t
check_headers(struct http_req *r, const hostd_hdr *h, uint32_t n)
{
	const char *why;
	size_t total = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if ((why = check_header(&h[i])) != NULL) {
			blame(r, "header %.*s is refused: %s",
			    h[i].name.p == NULL ? 0 : (int)(h[i].name.n < 64 ?
			    h[i].name.n : 64), (const char *)h[i].name.p, why);
			return -1;
		}
		total += h[i].name.n + h[i].value.n + PLAIN_FIELD;
	}
	return (ssize_t)total;
}

/* May an answer be begun?  Bytes the headers take, or a code. */
static ssize_t
check_head(struct http_req *r, int status, const hostd_hdr *h, uint32_t nhdrs)
{
	ssize_t size;

	if (r->phase != RESP_NONE) {
		blame(r, "a second answer is refused");
		return HOSTD_E_STATE;
	}
	if ((status < 200 && r->upgrade == NULL) || status > 599) {
		blame(r, "status %d is refused: it must be 200 to 599",
		    status);
		return HOSTD_E_INVAL;
	}
	size = check_headers(r, h, nhdrs);
	return size < 0 ? HOSTD_E_INVAL : size;
}

/* How the body ends, and whether the connection goes on. */
static void
decide_framing(struct http_req *r, int status, int64_t length)
{
	struct http_server *srv = r->server;

	r->status = status;
	r->length = length;
	r->head_only = r->view.method == HOSTD_METHOD_HEAD ||
	    has_no_body(status);
	if (r->conn->framed != NULL)
		return;
	r->chunked_out = length < 0 && r->minor >= 1 && !has_no_body(status);
	if (length < 0 && r->minor == 0 && !r->head_only)
		r->keepalive = 0;
	/* The client may or may not send the body it announced. */
	if (!r->continue_sent && !r->body_done)
		r->keepalive = 0;
	if ((srv->draining && (srv->give == NULL || r->conn->stays)) ||
	    srv->leaving ||
	    r->conn->nreqs >= srv->limits->keepalive_requests)
		r->keepalive = 0;
}

/* What errands have to say in the head; at most max headers. */
static uint32_t
errand_headers(struct http_req *r, int status, hostd_hdr *out, uint32_t max)
{
	struct http_errand *e;
	uint32_t n = 0;

	LIST_FOREACH(e, &r->errands, link)
		if (e->head != NULL && n + ERRAND_HEADERS <= max)
			n += e->head(e, r, status, out + n);
	return n;
}

/* Browsers are told to come by TLS only, when they have. */
static uint32_t
hsts_header(const struct http_req *r, const hostd_hdr *h, uint32_t n,
    hostd_hdr *out)
{
	const char *value = r->server->limits->hsts;
	uint32_t i;

	if (value == NULL || (r->view.flags & HOSTD_REQ_TLS) == 0)
		return 0;
	for (i = 0; i < n; i++)
		if (h[i].name.n == sizeof(HSTS) - 1 &&
		    strncasecmp(h[i].name.p, HSTS, sizeof(HSTS) - 1) == 0)
			return 0;
	*out = (hostd_hdr){ { HSTS, sizeof(HSTS) - 1 },
		{ value, strlen(value) } };
	return 1;
}

static size_t
headers_size(const hostd_hdr *h, uint32_t n)
{
	size_t size = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		size += h[i].name.n + h[i].value.n + PLAIN_FIELD;
	return size;
}

/* The n bytes that are about to be queued are a part of another kind. */
static void
note_part(struct http_req *r, enum framed_kind kind, size_t n)
{
	if (r->conn->framed != NULL)
		framed_mark(r->conn->framed, kind, r->conn->stream.queued, n);
}

/* Queue the head and, behind it, n bytes of body, in one piece. */
static int32_t
queue_head(struct http_req *r, int status, const hostd_hdr *h, uint32_t nhdrs,
    int64_t length, hostd_buf body)
{
	struct stream *s = &r->conn->stream;
	hostd_hdr more[ERRANDS_MAX * ERRAND_HEADERS + 1];
	ssize_t size = check_head(r, status, h, nhdrs);
	uint32_t nmore;
	char *start, *p;

	if (size < 0)
		return (int32_t)size;
	nmore = errand_headers(r, status, more, ERRANDS_MAX * ERRAND_HEADERS);
	nmore += hsts_header(r, h, nhdrs, more + nmore);
	decide_framing(r, status, length);
	if (r->server->sent.n > 0)
		sent_note(&r->sent, &r->server->sent, h, nhdrs);
	if (r->head_only)
		body.n = 0;
	http_server_stamp(r->server);
	r->out_start = s->queued;
	start = stream_reserve(s, PLAIN_ROOM + PACKED_ROOM(nhdrs + nmore) +
	    (size_t)size + headers_size(more, nmore) + body.n);
	if (r->conn->framed == NULL)
		p = plain_answer(start, r, h, nhdrs, more, nmore);
	else
		p = packed_answer(start, r, h, nhdrs, more, nmore);
	r->head_out = (uint64_t)(p - start);
	note_part(r, FRAMED_HEAD, (size_t)r->head_out);
	if (body.n > 0)
		memcpy(p, body.p, body.n);
	stream_commit(s, (size_t)(p - start) + body.n);
	r->phase = RESP_BEGUN;
	return HOSTD_OK;
}

static void
response_done(struct http_req *r)
{
	/* What follows an upgrade has an end of its own. */
	if (r->conn->framed != NULL && r->upgrade == NULL) {
		note_part(r, FRAMED_END, 1);
		stream_write(&r->conn->stream, "", 1);
	}
	r->phase = RESP_FINISHED;
	r->out_end = r->conn->stream.queued;
	conn_wake(r->conn);
}

int32_t
response_whole(struct http_req *r, int status, const hostd_hdr *h,
    uint32_t nhdrs, hostd_buf body)
{
	hostd_buf none = { NULL, 0 };
	int inlined = body.n <= INLINE_BODY;
	int32_t rc;

	if (body.n > 0 && body.p == NULL)
		return HOSTD_E_INVAL;
	rc = queue_head(r, status, h, nhdrs, (int64_t)body.n,
	    inlined ? body : none);
	if (rc != HOSTD_OK)
		return rc;
	if (!inlined && !r->head_only)
		stream_write(&r->conn->stream, body.p, body.n);
	r->body_out = body.n;
	response_done(r);
	return HOSTD_OK;
}

int32_t
response_upgrade(struct http_req *r, const char *protocol, const hostd_hdr *h,
    uint32_t nhdrs, struct http_upgrade *upgrade)
{
	hostd_buf none = { NULL, 0 };
	int32_t rc;

	r->upgrade = upgrade;
	r->upgrade_to = protocol;
	rc = queue_head(r, 101, h, nhdrs, 0, none);
	if (rc == HOSTD_OK)
		response_done(r);
	else
		r->upgrade = NULL;
	return rc;
}

int32_t
response_begin(struct http_req *r, int status, const hostd_hdr *h,
    uint32_t nhdrs, int64_t length)
{
	hostd_buf none = { NULL, 0 };
	int32_t rc;

	if (length < -1)
		return HOSTD_E_INVAL;
	rc = queue_head(r, status, h, nhdrs, length, none);
	if (rc == HOSTD_OK)
		conn_wake(r->conn);
	return rc;
}

/* May n more body bytes be queued? */
static int32_t
check_write(struct http_req *r, uint64_t n)
{
	if (r->phase != RESP_BEGUN)
		return HOSTD_E_STATE;
	if (r->length >= 0 && n > (uint64_t)r->length - r->body_out) {
		blame(r, "more bytes than the %lld promised; the connection "
		    "is cut", (long long)r->length);
		r->cut = 1;
		conn_wake(r->conn);
		return HOSTD_E_INVAL;
	}
	if (stream_pending(&r->conn->stream) >
	    (uint64_t)r->server->limits->output_high * FULL_FACTOR) {
		r->high = 1;
		return HOSTD_E_FULL;
	}
	return HOSTD_OK;
}

static void
chunk_open(struct http_req *r, uint64_t n)
{
	char line[24];

	if (r->chunked_out && n > 0)
		stream_write(&r->conn->stream, line, (size_t)snprintf(line,
		    sizeof(line), "%llx\r\n", (unsigned long long)n));
}

static int32_t
chunk_close(struct http_req *r, uint64_t n)
{
	if (r->chunked_out && !r->head_only && n > 0)
		stream_write(&r->conn->stream, "\r\n", 2);
	r->body_out += n;
	conn_wake(r->conn);
	if (stream_pending(&r->conn->stream) <=
	    (uint64_t)r->server->limits->output_high)
		return HOSTD_OK;
	r->high = 1;
	return HOSTD_AGAIN;
}

int32_t
response_write(struct http_req *r, hostd_buf b)
{
	int32_t rc;

	if (b.n > 0 && b.p == NULL)
		return HOSTD_E_INVAL;
	if ((rc = check_write(r, b.n)) != HOSTD_OK)
		return rc;
	if (!r->head_only) {
		chunk_open(r, b.n);
		stream_write(&r->conn->stream, b.p, b.n);
	}
	return chunk_close(r, b.n);
}

int32_t
response_write_ref(struct http_req *r, hostd_buf b, response_release release,
    void *owner, void *arg)
{
	int32_t rc;

	if (release == NULL || (b.n > 0 && b.p == NULL))
		return HOSTD_E_INVAL;
	if ((rc = check_write(r, b.n)) != HOSTD_OK)
		return rc;
	if (!r->head_only)
		chunk_open(r, b.n);
	/* Queued even when nothing is sent, so that the release comes later. */
	stream_write_ref(&r->conn->stream, b.p, r->head_only ? 0 : b.n,
	    release, owner, arg);
	return chunk_close(r, b.n);
}

int32_t
response_write_file(struct http_req *r, int fd, uint64_t off, uint64_t len,
    response_release release, void *owner, void *arg)
{
	int32_t rc;

	if (release == NULL || fd < 0 || off > INT64_MAX || len > INT64_MAX)
		return HOSTD_E_INVAL;
	if ((rc = check_write(r, len)) != HOSTD_OK)
		return rc;
	if (r->head_only || len == 0) {
		stream_write_ref(&r->conn->stream, "", 0, release, owner, arg);
	} else {
		chunk_open(r, len);
		stream_write_file(&r->conn->stream, fd, off, len, release,
		    owner, arg);
	}
	return chunk_close(r, len);
}

/* Has the body all of the bytes that were promised?  A code. */
static int32_t
check_finish(struct http_req *r)
{
	if (r->phase != RESP_BEGUN)
		return HOSTD_E_STATE;
	if (r->length >= 0 && !r->head_only &&
	    r->body_out != (uint64_t)r->length) {
		blame(r, "finished with %llu of the %lld bytes promised; the "
		    "connection is cut", (unsigned long long)r->body_out,
		    (long long)r->length);
		r->cut = 1;
		conn_wake(r->conn);
		return HOSTD_E_INVAL;
	}
	return HOSTD_OK;
}

int32_t
response_finish(struct http_req *r)
{
	int32_t rc = check_finish(r);

	if (rc != HOSTD_OK)
		return rc;
	if (r->chunked_out && !r->head_only)
		stream_write(&r->conn->stream, "0\r\n\r\n", 5);
	response_done(r);
	return HOSTD_OK;
}

static int32_t
check_trailers(struct http_req *r, const hostd_hdr *h, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!is_trailer(h[i].name)) {
			blame(r, "header %.*s is refused: it may not come "
			    "behind a body (RFC 9110 section 6.5.1)",
			    (int)h[i].name.n, (const char *)h[i].name.p);
			return HOSTD_E_INVAL;
		}
	return HOSTD_OK;
}

int32_t
response_finish_trailers(struct http_req *r, const hostd_hdr *h, uint32_t n)
{
	struct stream *s = &r->conn->stream;
	ssize_t size;
	char *start, *p;
	int32_t rc;

	if (r->phase != RESP_BEGUN)
		return HOSTD_E_STATE;
	if ((size = check_headers(r, h, n)) < 0 ||
	    check_trailers(r, h, n) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if ((rc = check_finish(r)) != HOSTD_OK)
		return rc;
	if (r->conn->framed != NULL && !r->head_only && n > 0) {
		start = stream_reserve(s, PACKED_ROOM(n) + (size_t)size);
		p = packed_head(start, 0, h, n);
		note_part(r, FRAMED_TRAILERS, (size_t)(p - start));
		stream_commit(s, (size_t)(p - start));
	} else if (r->chunked_out && !r->head_only) {
		start = stream_reserve(s, (size_t)size + 5);
		p = plain_trailers(start, h, n);
		stream_commit(s, (size_t)(p - start));
	}
	response_done(r);
	return HOSTD_OK;
}

static void
queue_interim(struct http_req *r, int status, const hostd_hdr *h, uint32_t n,
    size_t size)
{
	struct stream *s = &r->conn->stream;
	char *p, *start = stream_reserve(s, PLAIN_ROOM + PACKED_ROOM(n) +
	    size);

	if (r->conn->framed != NULL) {
		p = packed_head(start, status, h, n);
		note_part(r, FRAMED_INTERIM, (size_t)(p - start));
	} else {
		p = plain_head(start, status, h, n);
	}
	stream_commit(s, (size_t)(p - start));
}

int32_t
response_inform(struct http_req *r, int status, const hostd_hdr *h,
    uint32_t n)
{
	ssize_t size;

	if (r->phase != RESP_NONE)
		return HOSTD_E_STATE;
	if (status < 102 || status > 199) {
		blame(r, "interim status %d is refused: it must be 102 to 199",
		    status);
		return HOSTD_E_INVAL;
	}
	if ((size = check_headers(r, h, n)) < 0)
		return HOSTD_E_INVAL;
	if (r->minor == 0)
		return HOSTD_OK;
	if (stream_pending(&r->conn->stream) >
	    (uint64_t)r->server->limits->output_high)
		return HOSTD_E_FULL;
	queue_interim(r, status, h, n, (size_t)size);
	conn_wake(r->conn);
	return HOSTD_OK;
}

void
response_continue(struct http_req *r)
{
	r->continue_sent = 1;
	if (r->conn->framed == NULL)
		stream_write(&r->conn->stream,
		    "HTTP/1.1 100 Continue\r\n\r\n", 25);
	else
		queue_interim(r, 100, NULL, 0, 0);
}
