/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <strings.h>
#include "http/answer.h"
#include "http/field.h"

/* What of a head decides about framing. */
struct framing {
	hostd_buf length, coding, upgrade;
	int close, keep, named;		/* by Connection */
};

/* The guard has seen to it that there are digits. */
static const char *
read_status(struct answer *a, const char *p)
{
	if (p[5] != '1' || (p[7] != '0' && p[7] != '1'))
		return "it is not of HTTP/1.0 or HTTP/1.1";
	a->minor = p[7] - '0';
	a->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	if (a->status < 100 || a->status > 599)
		return "its status is none (RFC 9110 section 15)";
	return NULL;
}

static int
is_named(const hostd_hdr *h, const char *name)
{
	return strncasecmp(h->name.p, name, h->name.n) == 0;
}

static const char *
note_once(hostd_buf *to, const hostd_hdr *h, const char *twice)
{
	if (to->p != NULL)
		return twice;
	*to = h->value;
	return NULL;
}

static void
note_connection(struct framing *f, hostd_buf v)
{
	f->close |= field_has(v, "close");
	f->keep |= field_has(v, "keep-alive");
	f->named |= field_has(v, "upgrade");
}

static const char *
note_field(struct framing *f, const hostd_hdr *h)
{
	switch (h->name.n) {
	case 7:
		if (is_named(h, "upgrade"))
			return note_once(&f->upgrade, h,
			    "it has two Upgrade lines");
		break;
	case 10:
		if (is_named(h, "connection"))
			note_connection(f, h->value);
		break;
	case 14:
		if (is_named(h, "content-length"))
			return note_once(&f->length, h,
			    "it has two Content-Length lines");
		break;
	case 17:
		if (is_named(h, "transfer-encoding"))
			return note_once(&f->coding, h,
			    "it has two Transfer-Encoding lines");
		break;
	}
	return NULL;
}

static hostd_buf
trim(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (p < end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (hostd_buf){ p, (size_t)(end - p) };
}

static const char *
read_fields(struct answer *a, struct framing *f, const char *p,
    const char *end)
{
	const char *colon, *eol, *why;
	hostd_hdr *h;

	for (; *p != '\r'; p = eol + 2) {
		if (a->nheaders == a->max)
			return "it has too many headers";
		h = &a->headers[a->nheaders++];
		eol = memchr(p, '\r', (size_t)(end - p));
		colon = memchr(p, ':', (size_t)(eol - p));
		h->name = (hostd_buf){ p, (size_t)(colon - p) };
		h->value = trim(colon + 1, eol);
		if ((why = note_field(f, h)) != NULL)
			return why;
	}
	return NULL;
}

static int
has_no_body(const struct answer *a)
{
	return a->status < 200 || a->status == 204 || a->status == 304 ||
	    a->to_head;
}

/* Transfer-Encoding: nothing but the one coding that delimits a body, and
 * nothing beside it that says something else (RFC 9112 section 6.1). */
static const char *
check_coding(const struct answer *a, const struct framing *f)
{
	if (f->length.p != NULL)
		return "it has both Content-Length and Transfer-Encoding";
	if (a->minor == 0)
		return "it is of HTTP/1.0 and has a Transfer-Encoding";
	if (a->status < 200 || a->status == 204)
		return "it has a Transfer-Encoding, but can't have a body";
	if (f->coding.n != 7 || strncasecmp(f->coding.p, "chunked", 7) != 0)
		return "its Transfer-Encoding is not \"chunked\"";
	return NULL;
}

static const char *
check_framing(struct answer *a, const struct framing *f)
{
	const char *why;
	int64_t length = -1;

	if (f->coding.p != NULL && (why = check_coding(a, f)) != NULL)
		return why;
	if (f->length.p != NULL && field_length(f->length, &length) == -1)
		return "its Content-Length is not a number";
	a->body = ANSWER_EMPTY;
	a->length = 0;
	if (length > 0 && (a->status < 200 || a->status == 204))
		return "it has a Content-Length, but can't have a body";
	if (has_no_body(a))
		return NULL;
	a->length = length;
	if (f->coding.p != NULL)
		a->body = ANSWER_CHUNKED;
	else if (length > 0)
		a->body = ANSWER_LENGTH;
	else if (length < 0)
		a->body = ANSWER_CLOSE;
	return NULL;
}

int
answer_head(struct answer *a, const char *p, size_t n, const char **why)
{
	struct framing f;
	const char *first = memchr(p, '\r', n);

	memset(&f, 0, sizeof(f));
	a->nheaders = 0;
	if ((*why = read_status(a, p)) != NULL ||
	    (*why = read_fields(a, &f, first + 2, p + n)) != NULL ||
	    (*why = check_framing(a, &f)) != NULL)
		return -1;
	a->keepalive = !f.close && (a->minor >= 1 || f.keep) &&
	    a->body != ANSWER_CLOSE;
	a->upgrade = f.named ? f.upgrade : (hostd_buf){ NULL, 0 };
	return 0;
}
