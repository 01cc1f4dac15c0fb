/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as the HTML standard has them, section "Server-sent events". */
#include <inttypes.h>
#include "sse.h"

#define HEAD_MAX 96	/* id, event, and the empty line at the end */

static struct frame *
frame_new(size_t room)
{
	struct frame *f = malloc(sizeof(*f) + room);

	if (f == NULL)
		return NULL;
	f->refs = 1;
	f->id.node = f->id.seq = 0;
	f->n = 0;
	return f;
}

struct frame *
frame_hold(struct frame *f)
{
	f->refs++;
	return f;
}

void
frame_drop(struct frame *f)
{
	if (--f->refs == 0)
		free(f);
}

static void
put(struct frame *f, const void *p, size_t n)
{
	memcpy(f->bytes + f->n, p, n);
	f->n += n;
}

static void
put_id(struct frame *f)
{
	f->n += (size_t)snprintf(f->bytes + f->n, HEAD_MAX,
	    "id: %016" PRIx64 "-%" PRIu64 "\n", f->id.node, f->id.seq);
}

/* -- text -- */

static int
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static size_t
count_lines(const char *p, size_t n)
{
	size_t i, lines = 1;

	for (i = 0; i < n; i++)
		if (is_line_end(p[i]))
			lines++;
	return lines;
}

/* CR LF, LF and CR all end a line, and the client sees LF. */
static void
put_lines(struct frame *f, const char *p, size_t n)
{
	size_t k;

	for (;;) {
		for (k = 0; k < n && !is_line_end(p[k]); k++)
			;
		put(f, "data: ", 6);
		put(f, p, k);
		put(f, "\n", 1);
		if (k == n)
			return;
		k += k + 1 < n && p[k] == '\r' && p[k + 1] == '\n' ? 2 : 1;
		p += k;
		n -= k;
	}
}

static struct frame *
frame_text(const struct hostd_channel_event *ev)
{
	const char *p = ev->msg.n > 0 ? ev->msg.p : "";
	struct frame *f = frame_new(HEAD_MAX + ev->msg.n +
	    7 * count_lines(p, ev->msg.n));

	if (f == NULL)
		return NULL;
	f->id = (struct event_id){ ev->node, ev->seq };
	put_id(f);
	put_lines(f, p, ev->msg.n);
	put(f, "\n", 1);
	return f;
}

/* -- bytes -- */

static void
put_base64(struct frame *f, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char group[4];
	uint32_t bits;

	for (; n > 0; p += 3, n -= n < 3 ? n : 3) {
		bits = (uint32_t)p[0] << 16 |
		    (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
		group[0] = digits[bits >> 18];
		group[1] = digits[bits >> 12 & 63];
		group[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
		group[3] = n > 2 ? digits[bits & 63] : '=';
		put(f, group, 4);
	}
}

static struct frame *
frame_binary(const struct hostd_channel_event *ev)
{
	struct frame *f = frame_new(HEAD_MAX + ev->msg.n / 3 * 4 + 4 + 7);

	if (f == NULL)
		return NULL;
	f->id = (struct event_id){ ev->node, ev->seq };
	put_id(f);
	put(f, "event: binary\ndata: ", 20);
	put_base64(f, ev->msg.p, ev->msg.n);
	put(f, "\n\n", 2);
	return f;
}

struct frame *
frame_message(const struct hostd_channel_event *ev)
{
	return ev->flags & HOSTD_WS_BINARY ? frame_binary(ev) : frame_text(ev);
}

/* It has no id: what the client has last seen is what it was. */
struct frame *
frame_gap(void)
{
	static const char text[] =
	    "event: gap\ndata: messages may be missing\n\n";
	struct frame *f = frame_new(sizeof(text));

	if (f != NULL)
		put(f, text, sizeof(text) - 1);
	return f;
}

/* -- lists -- */

int
frames_add(struct frame_refs *list, struct frame *f, size_t from)
{
	struct frame_ref *r = malloc(sizeof(*r));

	if (r == NULL)
		return -1;
	r->frame = frame_hold(f);
	r->from = from;
	STAILQ_INSERT_TAIL(list, r, link);
	return 0;
}

struct frame *
frames_join(const struct frame_refs *list)
{
	const struct frame_ref *r;
	struct frame *all;
	size_t n = 0;

	STAILQ_FOREACH(r, list, link)
		n += r->frame->n;
	if ((all = frame_new(n)) == NULL)
		return NULL;
	STAILQ_FOREACH(r, list, link)
		put(all, r->frame->bytes, r->frame->n);
	return all;
}

void
frames_drop_first(struct frame_refs *list)
{
	struct frame_ref *r = STAILQ_FIRST(list);

	STAILQ_REMOVE_HEAD(list, link);
	frame_drop(r->frame);
	free(r);
}

void
frames_drop(struct frame_refs *list)
{
	while (!STAILQ_EMPTY(list))
		frames_drop_first(list);
}
