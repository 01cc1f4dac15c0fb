/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.http/1 of the fake host: takes answers and judges them. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/fake_request.h"
#include "http/trailers.h"

#define FAR_ABOVE (1u << 20) /* pending bytes: E_FULL from here on */
#define MAX_NAME_BYTES 256u

static void
hash_bytes(struct fake_req *r, const void *p, size_t n)
{
	const unsigned char *s = p;
	size_t i;

	for (i = 0; i < n; i++)
		r->hash = (r->hash ^ s[i]) * 1099511628211u;
}

/* The request that a service function was called for; NULL: stale. */
static struct fake_req *
find(const struct hostd_host *host, hostd_req id, const char *function)
{
	return fake_req_find(fake_called(host, function), id, function);
}

static const struct hostd_request *
http_request(const struct hostd_host *host, hostd_req id)
{
	struct fake_req *r = find(host, id, "request");

	return r == NULL ? NULL : fake_req_head(r);
}

static int32_t
http_header(const struct hostd_host *host, hostd_req id, const char *name,
    hostd_buf *out)
{
	struct fake_req *r = find(host, id, "header");
	const struct hostd_request *q;
	uint32_t i;

	if (name == NULL || out == NULL)
		check_fail("called header with NULL");
	if (r == NULL)
		return HOSTD_E_GONE;
	q = fake_req_head(r);
	for (i = 0; i < q->nheaders; i++)
		if (q->headers[i].name.n == strlen(name) &&
		    strncasecmp(q->headers[i].name.p, name, strlen(name)) ==
			0) {
			*out = q->headers[i].value;
			return HOSTD_OK;
		}
	return HOSTD_E_INVAL;
}

static int32_t
http_param(const struct hostd_host *host, hostd_req id, const char *name,
    hostd_buf *out)
{
	struct fake_req *r = find(host, id, "param");
	const char *value;

	if (name == NULL || out == NULL)
		check_fail("called param with NULL");
	if (r == NULL)
		return HOSTD_E_GONE;
	if ((value = fake_route_param(r, name)) == NULL)
		return HOSTD_E_INVAL;
	*out = fake_lend_text(value);
	return HOSTD_OK;
}

static int32_t
http_body_pause(const struct hostd_host *host, hostd_req id, int32_t on)
{
	struct fake_req *r = find(host, id, "body_pause");

	if (r == NULL)
		return HOSTD_E_GONE;
	if (on != 0 && on != 1)
		check_fail("called body_pause with %d", on);
	if (r->fin)
		return HOSTD_E_STATE;
	r->paused = on;
	return HOSTD_OK;
}

/* RFC 9110 section 5.6.2. */
static int
is_token(hostd_buf b)
{
	const unsigned char *s = b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", s[i]) != NULL)
			return 0;
	return b.n > 0 && b.n <= MAX_NAME_BYTES;
}

void
fake_judge_header(const hostd_hdr *h)
{
	static const char *const owned[] = {"Connection", "Content-Length",
	    "Date", "Keep-Alive", "Server", "Transfer-Encoding", "Upgrade",
	    NULL};
	const unsigned char *s = h->value.p;
	size_t i;

	if (h->name.p == NULL || !is_token(h->name))
		check_fail("sent a header with a bad name");
	for (i = 0; owned[i] != NULL; i++)
		if (h->name.n == strlen(owned[i]) &&
		    strncasecmp(h->name.p, owned[i], h->name.n) == 0)
			check_fail("sent the header %s, which is the host's",
			    owned[i]);
	if (s == NULL && h->value.n > 0)
		check_fail("sent a header with a NULL value");
	for (i = 0; i < h->value.n; i++)
		if ((s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
			check_fail("sent a header %.*s with byte 0x%02x in its "
				   "value",
			    (int)h->name.n, (const char *)h->name.p, s[i]);
}

/* What begin and respond have in common. */
static int32_t
start_answer(struct fake_req *r, int32_t status, const hostd_hdr *hdrs,
    uint32_t nhdrs, const char *function)
{
	uint32_t i;

	if (r->ending || r->aborted)
		return HOSTD_E_STATE;
	if (r->begun)
		check_fail("called %s after it had begun an answer", function);
	if (status < 200 || status > 599)
		check_fail("called %s with status %d", function, status);
	if (hdrs == NULL && nhdrs > 0)
		check_fail(
		    "called %s with %u headers at NULL", function, nhdrs);
	for (i = 0; i < nhdrs; i++)
		fake_judge_header(&hdrs[i]);
	r->begun = 1;
	r->status = status;
	r->hash = 14695981039346656037u ^ (uint64_t)status;
	return HOSTD_OK;
}

static int32_t
http_respond(const struct hostd_host *host, hostd_req id, int32_t status,
    const hostd_hdr *hdrs, uint32_t nhdrs, hostd_buf body)
{
	struct fake_req *r = find(host, id, "respond");
	int32_t rc;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (body.p == NULL && body.n > 0)
		check_fail("called respond with a body at NULL");
	if ((rc = start_answer(r, status, hdrs, nhdrs, "respond")) != HOSTD_OK)
		return rc;
	hash_bytes(r, body.p, body.n);
	r->sent = body.n;
	r->finished = 1;
	return HOSTD_OK;
}

static int32_t
http_begin(const struct hostd_host *host, hostd_req id, int32_t status,
    const hostd_hdr *hdrs, uint32_t nhdrs, int64_t length)
{
	struct fake_req *r = find(host, id, "begin");

	if (r == NULL)
		return HOSTD_E_GONE;
	if (length < -1)
		check_fail("called begin with length %lld", (long long)length);
	r->length = length;
	return start_answer(r, status, hdrs, nhdrs, "begin");
}

/* Is there room for n more bytes?  The code that the send returns. */
static int32_t
take(struct fake_req *r, uint64_t n, const char *function)
{
	if (r->ending || r->aborted)
		return HOSTD_E_STATE;
	if (!r->begun || r->finished)
		check_fail("called %s %s", function,
		    r->begun ? "after finish" : "before begin");
	if (r->length >= 0 && n > (uint64_t)r->length - r->sent)
		check_fail("sent more than the %lld bytes promised to begin",
		    (long long)r->length);
	if (r->spec.room == ROOM_ENOUGH)
		return HOSTD_OK;
	r->want_writable = 1;
	if (r->pending > FAR_ABOVE ||
	    (r->spec.room == ROOM_NONE && !r->refused)) {
		r->refused = 1;
		return HOSTD_E_FULL;
	}
	r->pending += n;
	r->refused = 0;
	return HOSTD_AGAIN;
}

static int32_t
http_write(const struct hostd_host *host, hostd_req id, hostd_buf b)
{
	struct fake_req *r = find(host, id, "write");
	int32_t rc;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (b.p == NULL && b.n > 0)
		check_fail("called write with NULL");
	if ((rc = take(r, b.n, "write")) < 0)
		return rc;
	hash_bytes(r, b.p, b.n);
	r->sent += b.n;
	return rc;
}

static void
owe_release(struct fake_req *r, void (*fn)(struct hostd_inst *, void *),
    void *arg, int fd)
{
	struct fake_release *e, **at = &r->releases;

	e = xcalloc(1, sizeof(*e));
	e->fn = fn;
	e->arg = arg;
	e->fd = fd;
	while (*at != NULL)
		at = &(*at)->next;
	*at = e;
}

static int32_t
http_write_ref(const struct hostd_host *host, hostd_req id, hostd_buf b,
    void (*release)(struct hostd_inst *, void *), void *arg)
{
	struct fake_req *r = find(host, id, "write_ref");
	int32_t rc;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (b.p == NULL && b.n > 0)
		check_fail("called write_ref with NULL");
	if (release == NULL)
		check_fail("called write_ref without a release function");
	if ((rc = take(r, b.n, "write_ref")) < 0)
		return rc;
	hash_bytes(r, b.p, b.n);
	r->sent += b.n;
	r->want_writable = 1;
	owe_release(r, release, arg, -1);
	return rc;
}

/* The file's bytes count as sent now; whether the descriptor stayed open is
 * seen when it is released. */
static void
hash_file(struct fake_req *r, int fd, uint64_t off, uint64_t len)
{
	char buf[16384];
	size_t want;
	ssize_t n;

	while (len > 0) {
		want = len < sizeof(buf) ? (size_t)len : sizeof(buf);
		if ((n = pread(fd, buf, want, (off_t)off)) <= 0)
			check_fail("called write_file for bytes that the file "
				   "does not have");
		hash_bytes(r, buf, (size_t)n);
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
}

static int32_t
http_write_file(const struct hostd_host *host, hostd_req id, int32_t fd,
    uint64_t off, uint64_t len, void (*release)(struct hostd_inst *, void *),
    void *arg)
{
	struct fake_req *r = find(host, id, "write_file");
	int32_t rc;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (fcntl(fd, F_GETFD) == -1)
		check_fail("called write_file with descriptor %d, which is "
			   "not open",
		    fd);
	if (release == NULL)
		check_fail("called write_file without a release function");
	if ((rc = take(r, len, "write_file")) < 0)
		return rc;
	hash_file(r, fd, off, len);
	r->sent += len;
	r->want_writable = 1;
	owe_release(r, release, arg, fd);
	return HOSTD_AGAIN;
}

static int32_t
http_finish(const struct hostd_host *host, hostd_req id)
{
	struct fake_req *r = find(host, id, "finish");
	int bodiless;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->ending || r->aborted)
		return HOSTD_E_STATE;
	if (!r->begun || r->finished)
		check_fail(
		    "called finish %s", r->begun ? "twice" : "before begin");
	bodiless = strcmp(r->spec.method, "HEAD") == 0 || r->status == 204 ||
	    r->status == 304;
	if (r->length >= 0 && r->sent < (uint64_t)r->length && !bodiless)
		check_fail("finished after %llu of the %lld bytes promised to "
			   "begin",
		    (unsigned long long)r->sent, (long long)r->length);
	r->finished = 1;
	return HOSTD_OK;
}

static int32_t
http_abort(const struct hostd_host *host, hostd_req id)
{
	struct fake_req *r = find(host, id, "abort");

	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->ending)
		return HOSTD_E_STATE;
	r->aborted = 1;
	return HOSTD_OK;
}

static int32_t
http_inform(const struct hostd_host *host, hostd_req id, int32_t status,
    const hostd_hdr *hdrs, uint32_t nhdrs)
{
	struct fake_req *r = find(host, id, "inform");
	uint32_t i;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->ending || r->aborted || r->begun)
		return HOSTD_E_STATE;
	if (status < 102 || status > 199)
		check_fail("called inform with status %d", status);
	if (hdrs == NULL && nhdrs > 0)
		check_fail("called inform with %u headers at NULL", nhdrs);
	for (i = 0; i < nhdrs; i++)
		fake_judge_header(&hdrs[i]);
	return HOSTD_OK;
}

static int32_t
http_finish_trailers(const struct hostd_host *host, hostd_req id,
    const hostd_hdr *hdrs, uint32_t nhdrs)
{
	struct fake_req *r = find(host, id, "finish_trailers");
	uint32_t i;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (hdrs == NULL && nhdrs > 0)
		check_fail("called finish_trailers with %u headers at NULL",
		    nhdrs);
	for (i = 0; i < nhdrs; i++) {
		fake_judge_header(&hdrs[i]);
		if (!is_trailer(hdrs[i].name))
			check_fail("sent the header %.*s as a trailer",
			    (int)hdrs[i].name.n,
			    (const char *)hdrs[i].name.p);
	}
	return http_finish(host, id);
}

/* A chunked body has one. */
static int32_t
http_trailers(const struct hostd_host *host, hostd_req id,
    const hostd_hdr **out, uint32_t *n)
{
	struct fake_req *r = find(host, id, "trailers");
	hostd_hdr *h;

	if (out == NULL || n == NULL)
		check_fail("called trailers with NULL");
	if (r == NULL)
		return HOSTD_E_GONE;
	if (!r->fin)
		return HOSTD_E_STATE;
	*n = r->spec.chunked != 0;
	*out = h = fake_lend(sizeof(*h));
	h->name = fake_lend_text("X-Check");
	h->value = fake_lend_text("behind the body");
	return HOSTD_OK;
}

const struct hostd_http_api fake_http_api = {
    .struct_size = sizeof(struct hostd_http_api),
    .request = http_request,
    .header = http_header,
    .param = http_param,
    .body_pause = http_body_pause,
    .respond = http_respond,
    .begin = http_begin,
    .write = http_write,
    .write_ref = http_write_ref,
    .write_file = http_write_file,
    .finish = http_finish,
    .abort = http_abort,
    .inform = http_inform,
    .finish_trailers = http_finish_trailers,
    .trailers = http_trailers,
};
