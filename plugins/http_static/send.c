/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include "static.h"

#define SMALL 16384	/* the host copies up to this in one piece */
#define PART_HEAD_MAX (PAIR_VALUE_MAX + 160)

int32_t
send_status(struct hostd_inst *in, hostd_req req, int status)
{
	hostd_buf none = { NULL, 0 };

	return in->easy.http->respond(in->easy.host, req, status, NULL, 0,
	    none);
}

static void
release(struct hostd_inst *in, void *arg)
{
	(void)in;
	file_unref(arg);
}

/* Queue a part of the file; its reference goes with the bytes. */
static int32_t
write_part(struct hostd_inst *in, hostd_req req, struct file *f,
    uint64_t from, uint64_t len)
{
	const struct hostd_http_api *http = in->easy.http;
	hostd_buf b;
	int32_t rc;

	file_ref(f);
	if (f->content != NULL) {
		b.p = f->content + from;
		b.n = (size_t)len;
		rc = http->write_ref(in->easy.host, req, b, release, f);
	} else
		rc = http->write_file(in->easy.host, req, f->fd, from, len,
		    release, f);
	if (rc < 0)
		file_unref(f);
	return rc;
}

static int32_t
send_whole(struct hostd_inst *in, hostd_req req, struct file *f)
{
	const struct hostd_http_api *http = in->easy.http;
	hostd_buf b = { f->content, (size_t)f->size };
	int32_t rc;

	if (f->content != NULL && f->size <= SMALL)
		return http->respond(in->easy.host, req, 200, f->headers,
		    f->nheaders, b);
	rc = http->begin(in->easy.host, req, 200, f->headers, f->nheaders,
	    (int64_t)f->size);
	if (rc == HOSTD_OK)
		rc = write_part(in, req, f, 0, f->size);
	return rc < 0 ? rc : http->finish(in->easy.host, req);
}

static hostd_hdr
range_header(char *text, size_t size, const struct range *r, uint64_t total)
{
	if (r == NULL)
		(void)snprintf(text, size, "bytes */%" PRIu64, total);
	else
		(void)snprintf(text, size, "bytes %" PRIu64 "-%" PRIu64 "/%"
		    PRIu64, r->from, r->from + r->len - 1, total);
	return hostd_header("Content-Range", text);
}

static int32_t
send_one_range(struct hostd_inst *in, hostd_req req, struct file *f,
    const struct range *r)
{
	const struct hostd_http_api *http = in->easy.http;
	hostd_hdr h[FILE_HEADERS + 1];
	char text[80];
	int32_t rc;

	memcpy(h, f->headers, f->nheaders * sizeof(h[0]));
	h[f->nheaders] = range_header(text, sizeof(text), r, f->size);
	rc = http->begin(in->easy.host, req, 206, h, f->nheaders + 1,
	    (int64_t)r->len);
	if (rc == HOSTD_OK)
		rc = write_part(in, req, f, r->from, r->len);
	return rc < 0 ? rc : http->finish(in->easy.host, req);
}

static int32_t
send_unsatisfiable(struct hostd_inst *in, hostd_req req, const struct file *f)
{
	hostd_buf none = { NULL, 0 };
	hostd_hdr h;
	char text[80];

	h = range_header(text, sizeof(text), NULL, f->size);
	return in->easy.http->respond(in->easy.host, req, 416, &h, 1, none);
}

/* -- multipart/byteranges -- */

static int
part_head(const struct transfer *t, char *out, size_t size)
{
	const struct range *r = &t->ranges[t->i];

	return snprintf(out, size, "\r\n--%s\r\nContent-Type: %s\r\n"
	    "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
	    "\r\n\r\n", t->boundary, t->file->type, r->from,
	    r->from + r->len - 1, t->file->size);
}

static int64_t
multipart_length(struct transfer *t)
{
	char head[PART_HEAD_MAX];
	int64_t total = 0;

	for (t->i = 0; t->i < t->n; t->i++)
		total += part_head(t, head, sizeof(head)) +
		    (int64_t)t->ranges[t->i].len;
	t->i = 0;
	return total + (int64_t)strlen(t->boundary) + 8;
}

static int32_t
write_text(struct hostd_inst *in, hostd_req req, const char *text, int n)
{
	hostd_buf b = { text, (size_t)n };

	return in->easy.http->write(in->easy.host, req, b);
}

/* The next piece; E_FULL: not taken, come again. */
static int32_t
multipart_step(struct hostd_inst *in, hostd_req req, struct transfer *t)
{
	const struct range *r = &t->ranges[t->i];
	char text[PART_HEAD_MAX];
	int32_t rc;

	if (!t->in_body) {
		rc = write_text(in, req, text, part_head(t, text,
		    sizeof(text)));
		if (rc >= 0)
			t->in_body = 1;
		return rc;
	}
	rc = write_part(in, req, t->file, r->from, r->len);
	if (rc >= 0) {
		t->in_body = 0;
		t->i++;
	}
	return rc;
}

static int32_t
multipart_close(struct hostd_inst *in, hostd_req req,
    const struct transfer *t)
{
	char text[64];

	return write_text(in, req, text, snprintf(text, sizeof(text),
	    "\r\n--%s--\r\n", t->boundary));
}

/* AGAIN was taken, E_FULL was not; either way the rest waits its turn. */
void
send_more(struct hostd_inst *in, hostd_req req, struct transfer *t)
{
	int32_t rc = HOSTD_OK;

	if (t->file == NULL)
		return;
	while (rc == HOSTD_OK && t->i < t->n)
		rc = multipart_step(in, req, t);
	if (rc == HOSTD_AGAIN || rc == HOSTD_E_FULL)
		return;
	if (rc == HOSTD_OK)
		rc = multipart_close(in, req, t);
	if (rc == HOSTD_E_FULL)
		return;
	send_end(t);
	if (rc < 0)
		(void)in->easy.http->abort(in->easy.host, req);
	else
		(void)in->easy.http->finish(in->easy.host, req);
}

void
send_end(struct transfer *t)
{
	file_unref(t->file);
	t->file = NULL;
}

static int32_t
send_multipart(struct hostd_inst *in, hostd_req req, struct transfer *t,
    struct file *f)
{
	hostd_hdr h[FILE_HEADERS];
	char type[80];
	uint32_t i;
	int32_t rc;

	t->file = file_ref(f);
	(void)snprintf(t->boundary, sizeof(t->boundary), "%016" PRIx64,
	    req.id * UINT64_C(0x9e3779b97f4a7c15) ^
	    (uint64_t)f->st.st_mtim.tv_nsec);
	(void)snprintf(type, sizeof(type), "multipart/byteranges; "
	    "boundary=%s", t->boundary);
	for (i = 0; i < f->nheaders; i++) {
		h[i] = f->headers[i];
		if (h[i].name.n == 12)
			h[i].value = hostd_str(type);
	}
	rc = in->easy.http->begin(in->easy.host, req, 206, h, f->nheaders,
	    multipart_length(t));
	if (rc == HOSTD_OK)
		send_more(in, req, t);
	return rc;
}

/* -- choosing -- */

/* The coding the client likes best among what there is. */
static struct file *
choose_coding(struct file *f, const struct wanted *w)
{
	struct accepted a;

	if (w->accept_encoding.p == NULL)
		return f;
	encoding_parse(w->accept_encoding, &a);
	if (f->coded[CODING_BR] != NULL && a.br > 0 && a.br >= a.identity &&
	    (a.br >= a.gzip || f->coded[CODING_GZIP] == NULL))
		return f->coded[CODING_BR];
	if (f->coded[CODING_GZIP] != NULL && a.gzip > 0 &&
	    a.gzip >= a.identity)
		return f->coded[CODING_GZIP];
	return a.identity > 0 ? f : NULL;
}

int32_t
send_file(struct hostd_inst *in, hostd_req req, struct transfer *t,
    struct file *f, const struct wanted *w)
{
	hostd_hdr vary = hostd_header("Vary", "Accept-Encoding");
	hostd_buf none = { NULL, 0 };
	int rc, n = RANGE_IGNORE;

	if ((f = choose_coding(f, w)) == NULL)
		return in->easy.http->respond(in->easy.host, req, 406, &vary,
		    1, none);
	rc = conditional_check(&w->cond, f->etag, f->mtime);
	if (rc == 304)
		return in->easy.http->respond(in->easy.host, req, 304,
		    f->headers, f->nvalidators, none);
	if (rc == 412)
		return send_status(in, req, 412);
	if (w->range.p != NULL && !w->head &&
	    conditional_range(&w->cond, f->etag, f->mtime))
		n = range_parse(w->range.p, w->range.n, f->size, t->ranges);
	if (n == RANGE_UNSATISFIABLE)
		return send_unsatisfiable(in, req, f);
	if (n == 1)
		return send_one_range(in, req, f, &t->ranges[0]);
	if (n > 1) {
		t->n = (uint32_t)n;
		return send_multipart(in, req, t, f);
	}
	return send_whole(in, req, f);
}
