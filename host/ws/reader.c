/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "ws/deflate.h"
#include "ws/mask.h"
#include "ws/reader.h"

#define CONTROL_MAX	125
#define DIRECT_MIN	8192	/* less is not worth a read of its own */
#define TRUST		(1u << 20)	/* announced lengths get memory at
					   once */

static int
reader_fail(struct ws_reader *r, unsigned code)
{
	r->error = (uint16_t)code;
	return -1;
}

static void
put_sequence(struct ws_reader *r)
{
	if (r->sequence != NULL)
		ws_sequence_put(&r->pool->sequences, r->sequence);
	r->sequence = NULL;
}

static void
put_inflater(struct ws_reader *r)
{
	if (r->inflater != NULL)
		ws_inflater_put(r->pool->zpool, r->inflater);
	r->inflater = NULL;
}

void
ws_reader_close(struct ws_reader *r)
{
	put_sequence(r);
	put_inflater(r);
	buf_free(&r->msg);
	free(r->control);
	r->control = NULL;
}

/* -- messages -- */

static void
message_begin(struct ws_reader *r)
{
	r->in_message = 1;
	r->flags = (uint8_t)(ws_head_opcode(&r->frame) == WS_TEXT ?
	    HOSTD_WS_TEXT : HOSTD_WS_BINARY) | HOSTD_WS_FIRST;
	r->packed = (r->frame.first & WS_RSV1) != 0;
	r->total = 0;
	memset(&r->utf8, 0, sizeof(r->utf8));
}

static int
message_tell(struct ws_reader *r, const char *p, size_t n, int last)
{
	hostd_buf b = { p, n };
	uint32_t flags = r->flags | (last ? HOSTD_WS_FIN : 0);

	r->flags &= (uint8_t)~HOSTD_WS_FIRST;
	if (last) {
		r->in_message = 0;
		put_sequence(r);
		if (!r->takeover)
			put_inflater(r);
	}
	return r->ops->message(r, b, flags);
}

/* What is in msg was told: its memory is for messages in progress only. */
static int
message_tell_collected(struct ws_reader *r, int last)
{
	struct buf msg = r->msg;
	int rc;

	/* Told from a copy of the head, for the op may close the reader. */
	r->msg = (struct buf){ NULL, 0, 0 };
	rc = message_tell(r, msg.p, msg.len, last);
	buf_free(&msg);
	return rc;
}

/* Text may not be what it says, and is noticed where it is not. */
static int
check_text(struct ws_reader *r, const char *p, size_t n, int last)
{
	if (!(r->flags & HOSTD_WS_TEXT))
		return 0;
	if (utf8_feed(&r->utf8, p, n) == -1 ||
	    (last && !utf8_is_whole(&r->utf8)))
		return reader_fail(r, HOSTD_WS_BAD_DATA);
	return 0;
}

/* Uncompressed bytes at p; in_place: they are the end of msg already. */
static int
plain_part(struct ws_reader *r, const char *p, size_t n, int last, int in_place)
{
	r->total += n;
	if (check_text(r, p, n, last) == -1)
		return -1;
	if (!in_place && (r->fragments || (last && r->msg.len == 0)))
		return n > 0 || last ? message_tell(r, p, n, last) : 0;
	if (!in_place && n > 0) {
		if (r->msg.len == 0 && r->frame.len <= TRUST)
			(void)buf_reserve(&r->msg, (size_t)r->frame.len);
		buf_append(&r->msg, p, n);
	}
	return last || r->fragments ? message_tell_collected(r, last) : 0;
}

static int
inflate_part(struct ws_reader *r, const char *p, size_t n, int last)
{
	size_t had = r->msg.len, more;
	int rc;

	if (r->inflater == NULL)
		r->inflater = ws_inflater_get(r->pool->zpool, r->bits);
	if (r->inflater == NULL)
		return reader_fail(r, HOSTD_WS_SERVER_ERROR);
	rc = ws_inflate(r->inflater, p, n, last, &r->msg,
	    (size_t)(r->max - r->total) + had);
	if (rc == WS_INFLATE_TOO_BIG)
		return reader_fail(r, HOSTD_WS_TOO_BIG);
	if (rc != WS_INFLATE_OK)
		return reader_fail(r, HOSTD_WS_BAD_DATA);
	more = r->msg.len - had;
	r->total += more;
	if (check_text(r, more > 0 ? r->msg.p + had : "", more, last) == -1)
		return -1;
	if (last || (r->fragments && r->msg.len > 0))
		return message_tell_collected(r, last);
	return 0;
}

/* -- control frames -- */

static int
check_close(struct ws_reader *r, const unsigned char *p, size_t n)
{
	if (n == 0)
		return 0;
	if (n == 1 || !ws_close_code_ok((unsigned)p[0] << 8 | p[1]))
		return reader_fail(r, HOSTD_WS_PROTOCOL);
	if (!utf8_is_valid(p + 2, n - 2))
		return reader_fail(r, HOSTD_WS_BAD_DATA);
	return 0;
}

static int
control_part(struct ws_reader *r, const char *p, size_t n, int last)
{
	unsigned opcode = ws_head_opcode(&r->frame);
	size_t had = (size_t)r->done - n;
	hostd_buf b = { p, n };

	if (!last || had > 0) {
		if (r->control == NULL)
			r->control = xmalloc(CONTROL_MAX);
		memcpy(r->control + had, p, n);
		b = (hostd_buf){ r->control, had + n };
	}
	if (!last)
		return 0;
	if (opcode == WS_CLOSE && check_close(r, b.p, b.n) == -1)
		return -1;
	if (!r->in_message)
		put_sequence(r);
	return r->ops->control(r, opcode, b);
}

/* -- frames -- */

static int
frame_begin(struct ws_reader *r)
{
	struct ws_head *f = &r->frame;

	if (r->sequence == NULL)
		r->sequence = ws_sequence_get(&r->pool->sequences, r->deflate);
	if (!ws_sequence_take(r->sequence, f->first))
		return reader_fail(r, HOSTD_WS_PROTOCOL);
	r->in_frame = 1;
	r->done = 0;
	if (ws_head_is_control(f))
		return 0;
	if (ws_head_opcode(f) != WS_CONT)
		message_begin(r);
	if (!r->packed && f->len > r->max - r->total)
		return reader_fail(r, HOSTD_WS_TOO_BIG);
	return 0;
}

/* n bytes of payload, still masked.  The frame's end is told as well. */
static int
frame_part(struct ws_reader *r, char *p, size_t n, int in_place)
{
	int ends = r->done + n == r->frame.len, last;

	ws_unmask(p, n, r->frame.key, (size_t)r->done);
	r->done += n;
	r->in_frame = !ends;
	if (ws_head_is_control(&r->frame))
		return control_part(r, p, n, ends);
	last = ends && (r->frame.first & WS_FIN);
	return r->packed ? inflate_part(r, p, n, last) :
	    plain_part(r, p, n, last, in_place);
}

/* Bytes of p that belong to a frame's header; its end starts the frame. */
static size_t
take_head(struct ws_reader *r, const char *p, size_t n)
{
	size_t had = r->nhead, k = WS_HEAD_MAX - had < n ?
	    WS_HEAD_MAX - had : n;
	int size;

	if (had == 0) {
		size = ws_head_parse(&r->frame, p, n);
	} else {
		memcpy(r->head + had, p, k);
		size = ws_head_parse(&r->frame, r->head, had + k);
	}
	if (size > 0) {
		r->nhead = 0;
		(void)frame_begin(r);
		return (size_t)size - had;
	}
	if (size < 0) {
		(void)reader_fail(r, HOSTD_WS_PROTOCOL);
		return n;
	}
	if (had == 0)
		memcpy(r->head, p, k);
	r->nhead = (uint8_t)(had + k);
	return n;
}

size_t
ws_reader_feed(struct ws_reader *r, char *p, size_t n)
{
	size_t used = 0, k;
	uint64_t left;

	while (used < n && r->error == 0) {
		if (!r->in_frame) {
			used += take_head(r, p + used, n - used);
			if (!r->in_frame || r->error != 0)
				continue;
			if (used == n && r->frame.len > 0)
				break;
		}
		left = r->frame.len - r->done;
		k = left < n - used ? (size_t)left : n - used;
		used += k;
		if (frame_part(r, p + used - k, k, 0) != 0)
			break;
	}
	return used;
}

char *
ws_reader_direct(struct ws_reader *r, size_t *room)
{
	uint64_t left = r->frame.len - r->done;
	size_t want;

	if (!r->in_frame || r->packed || r->fragments || left < DIRECT_MIN ||
	    ws_head_is_control(&r->frame) || r->msg.len == 0)
		return NULL;
	/* Who only announces a lot does not get it. */
	want = left <= TRUST ? (size_t)left : r->msg.len + DIRECT_MIN;
	if (want > left)
		want = (size_t)left;
	*room = want;
	return buf_reserve(&r->msg, want);
}

void
ws_reader_got(struct ws_reader *r, size_t n)
{
	char *p = r->msg.p + r->msg.len;

	r->msg.len += n;
	(void)frame_part(r, p, n, 1);
}
