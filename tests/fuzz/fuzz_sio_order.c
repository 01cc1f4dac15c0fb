/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What workers of Socket.IO tell each other, which may come from another
 * machine; the first byte says what it is to be.
 *
 * What must hold: what is read lies in the record, and is written again as it
 * was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "socketio/marks.h"
#include "socketio/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
must_be(struct pack *b, const uint8_t *p, size_t n)
{
	must(b->failed || (b->n == n && (n == 0 || memcmp(b->p, p, n) == 0)));
	pack_free(b);
}

static void
an_order(const uint8_t *p, size_t n)
{
	struct unpack u = { (const char *)p, n, 0 };
	struct pack b = { NULL, 0, 0, 0 };
	struct order o;

	if (order_read(&o, &u) == 0) {
		order_pack_head(&b, &o.o);
		if (o.o.type == HOSTD_SIO_BROADCAST)
			order_pack_packet(&b, o.text, o.bins, o.nbins);
		else if (o.o.type == HOSTD_SIO_SERVER_EVENT)
			order_pack_event(&b, o.o.name, o.o.args);
		must_be(&b, p, n);
	}
	order_free(&o);
}

static void
a_question(const uint8_t *p, size_t n)
{
	struct unpack u = { (const char *)p, n, 0 };
	struct pack b = { NULL, 0, 0, 0 };
	struct hostd_sio_question q;
	struct order o;

	if (question_read(&q, &o, &u) == 0) {
		question_pack(&b, &q);
		must_be(&b, p, n);
	}
	order_free(&o);
}

/* Of its flags only one is kept. */
static void
a_reply(const uint8_t *p, size_t n)
{
	struct unpack u = { (const char *)p, n, 0 };
	struct pack b = { NULL, 0, 0, 0 };
	struct reply r;

	if (reply_read(&r, &u) == 0) {
		reply_pack(&b, &r.r);
		must(b.failed || b.n == n);
		pack_free(&b);
	}
	reply_free(&r);
}

static void
some_marks(const uint8_t *p, size_t n)
{
	struct unpack u = { (const char *)p, n, 0 };
	struct marks m;

	if (marks_unpack(&m, &u) == 0)
		must(m.n <= n / (2 * sizeof(uint64_t)));
	marks_free(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const what[])(const uint8_t *, size_t) = { an_order,
	    a_question, a_reply, some_marks };

	if (n > 0)
		what[p[0] % 4](p + 1, n - 1);
	return 0;
}
