/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a WebSocket client may send.  The input is a byte of options, a byte
 * that says in what pieces it comes, and then the bytes of the connection.
 *
 * What must hold: messages are within the limit, text is UTF-8, parts come in
 * order, control frames are whole and small, nothing comes behind an error; and
 * in whatever pieces the bytes come, what is told is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "ws/deflate.h"
#include "ws/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define OPT_DEFLATE	0x01
#define OPT_TAKEOVER	0x02
#define OPT_FRAGMENTS	0x04
#define OPT_DIRECT	0x08
#define MAX(opt)	((size_t)64 << ((opt) >> 4))

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* One connection, and all that it told, in a form that pieces don't change. */
struct witness {
	struct ws_reader reader;	/* first */
	struct utf8 utf8;
	struct buf told;
	size_t total;
	int open, closed;
};

static int
witness_message(struct ws_reader *r, hostd_buf b, uint32_t flags)
{
	struct witness *w = (struct witness *)(void *)r;
	uint32_t type = flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY);

	must(r->error == 0);
	must(type == HOSTD_WS_TEXT || type == HOSTD_WS_BINARY);
	must(((flags & HOSTD_WS_FIRST) != 0) == !w->open);
	if (!w->open) {
		w->total = 0;
		memset(&w->utf8, 0, sizeof(w->utf8));
		buf_puts(&w->told, type == HOSTD_WS_TEXT ? "T" : "B");
	}
	must(r->fragments || (flags & HOSTD_WS_FIN));
	w->total += b.n;
	must(w->total <= r->max);
	if (type == HOSTD_WS_TEXT)
		must(utf8_feed(&w->utf8, b.p, b.n) == 0);
	buf_append(&w->told, b.p, b.n);
	w->open = (flags & HOSTD_WS_FIN) == 0;
	if (w->open)
		return 0;
	must(type != HOSTD_WS_TEXT || utf8_is_whole(&w->utf8));
	buf_puts(&w->told, ".");
	return 0;
}

static int
witness_control(struct ws_reader *r, unsigned opcode, hostd_buf b)
{
	struct witness *w = (struct witness *)(void *)r;
	char c = (char)opcode;

	must(r->error == 0 && b.n <= 125);
	must(opcode == WS_CLOSE || opcode == WS_PING || opcode == WS_PONG);
	must(opcode != WS_CLOSE || b.n != 1);
	/* Between the parts of a message it may come sooner or later than they
	 * do, by how the bytes came. */
	if (!w->open) {
		buf_append(&w->told, &c, 1);
		buf_append(&w->told, b.p, b.n);
	}
	w->closed = opcode == WS_CLOSE;
	return w->closed;
}

static const struct ws_reader_ops ops = { witness_message, witness_control };
static struct ws_reader_pool pool;

/* Where the reader wants its bytes, as a connection does it. */
static size_t
feed_direct(struct ws_reader *r, const uint8_t *p, size_t n)
{
	size_t room = 0;
	char *to = ws_reader_direct(r, &room);

	if (to == NULL)
		return 0;
	if (n > room)
		n = room;
	memcpy(to, p, n);
	ws_reader_got(r, n);
	return n;
}

static size_t
feed_copy(struct ws_reader *r, const uint8_t *p, size_t n)
{
	char *copy = malloc(n);
	size_t used;

	must(copy != NULL);
	memcpy(copy, p, n);
	used = ws_reader_feed(r, copy, n);
	free(copy);
	must(used <= n && (used == n || used > 0 || r->error != 0));
	return used;
}

static void
witness_run(struct witness *w, uint8_t opt, const uint8_t *p, size_t n,
    size_t step)
{
	struct ws_reader *r = &w->reader;
	size_t at = 0, k;

	memset(w, 0, sizeof(*w));
	r->ops = &ops;
	r->pool = &pool;
	r->max = MAX(opt);
	r->deflate = (opt & OPT_DEFLATE) != 0;
	r->takeover = r->deflate && (opt & OPT_TAKEOVER);
	r->bits = 15;
	r->fragments = (opt & OPT_FRAGMENTS) != 0;
	while (at < n && !w->closed && r->error == 0) {
		k = n - at < step ? n - at : step;
		if (opt & OPT_DIRECT && (k = feed_direct(r, p + at, k)) > 0) {
			at += k;
			continue;
		}
		k = n - at < step ? n - at : step;
		at += feed_copy(r, p + at, k);
	}
	must(r->msg.len <= r->max);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct witness whole, pieces;

	if (n < 2)
		return 0;
	if (pool.zpool == NULL)
		pool.zpool = ws_zpool_new(1, 8);
	witness_run(&whole, p[0] & ~OPT_DIRECT, p + 2, n - 2, n);
	witness_run(&pieces, p[0], p + 2, n - 2, p[1] % 32u + 1);
	/* A text that is bad, and too big when it is inflated: which is noticed
	 * first depends on the pieces. */
	must((whole.reader.error == 0) == (pieces.reader.error == 0));
	if (!(p[0] & OPT_DEFLATE))
		must(whole.reader.error == pieces.reader.error);
	/* What was told of a message that turned out bad differs by pieces. */
	if (whole.reader.error == 0 && !whole.open && !pieces.open)
		must(whole.told.len == pieces.told.len &&
		    (whole.told.len == 0 || memcmp(whole.told.p, pieces.told.p,
		    whole.told.len) == 0));
	ws_reader_close(&whole.reader);
	ws_reader_close(&pieces.reader);
	buf_free(&whole.told);
	buf_free(&pieces.told);
	return 0;
}
