/* SPDX-License-Identifier: BSD-2-Clause */
/* What workers tell each other of Socket.IO, and what they remember of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hostd/easy.h>
#include "socketio/line.h"
#include "socketio/log.h"
#include "socketio/order.h"

static unsigned messages;

void
eio_message_ref(struct eio_message *m)
{
	m->refs++;
}

void
eio_message_unref(struct eio_message *m)
{
	if (--m->refs > 0)
		return;
	messages--;
	free(m);
}

size_t
eio_message_size(const struct eio_message *m)
{
	return m->text.n;
}

static struct eio_message *
message(size_t size)
{
	struct eio_message *m = calloc(1, sizeof(*m));

	m->refs = 1;
	m->text.n = size;
	messages++;
	return m;
}

/* -- marks -- */

static void
test_marks_rise(void **state)
{
	struct marks m = { NULL, 0, 0 }, copy;
	struct pack b = { NULL, 0, 0, 0 };
	struct unpack u;
	uint64_t i;

	(void)state;
	for (i = 1; i <= 20; i++)
		assert_int_equal(marks_raise(&m, i, i * 10, i), 0);
	assert_int_equal(marks_raise(&m, 7, 3, 100), 0);
	assert_int_equal(marks_get(&m, 7), 70);
	assert_int_equal(marks_get(&m, 21), 0);
	pack_u32(&b, m.n);
	marks_pack_all(&b, &m);
	u = (struct unpack){ b.p, b.n, 0 };
	assert_int_equal(marks_unpack(&copy, &u), 0);
	assert_true(unpack_ok(&u));
	assert_int_equal(copy.n, 20);
	assert_int_equal(marks_get(&copy, 20), 200);
	marks_free(&copy);

	/* Those that were not heard of late are forgotten, but for 7. */
	marks_forget(&m, 15);
	assert_int_equal(marks_get(&m, 7), 70);
	assert_int_equal(marks_get(&m, 14), 0);
	assert_int_equal(marks_get(&m, 15), 150);
	marks_free(&m);
	pack_free(&b);
}

static void
test_marks_cut_short(void **state)
{
	struct marks m = { NULL, 0, 0 }, copy;
	struct pack b = { NULL, 0, 0, 0 };
	struct unpack u;
	size_t n;

	(void)state;
	(void)marks_raise(&m, 1, 2, 3);
	(void)marks_raise(&m, 4, 5, 6);
	pack_u32(&b, m.n);
	marks_pack_all(&b, &m);
	for (n = 0; n < b.n; n++) {
		u = (struct unpack){ b.p, n, 0 };
		assert_int_equal(marks_unpack(&copy, &u), -1);
		marks_free(&copy);
	}
	marks_free(&m);
	pack_free(&b);
}

/* -- the log -- */

static void
add(struct order_log *log, uint64_t process, uint64_t seq, size_t size,
    uint64_t ms)
{
	struct eio_message *m = message(size);

	assert_int_equal(log_add(log, process, seq, hostd_str("head"), m, ms),
	    0);
	eio_message_unref(m);
}

/* Its entries, as "2.5 4.1". */
static const char *
text_of(const struct order_log *log)
{
	static char text[256];
	struct log_entry *e;
	size_t n = 0;

	text[0] = '\0';
	STAILQ_FOREACH(e, &log->all, link)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u.%u",
		    n > 0 ? " " : "", (unsigned)e->process, (unsigned)e->seq);
	return text;
}

static void
test_log_is_bounded(void **state)
{
	struct order_log log;
	struct marks m = { NULL, 0, 0 };

	(void)state;
	log_init(&log, 2000);
	add(&log, 2, 1, 500, 10);
	add(&log, 4, 1, 500, 20);
	add(&log, 2, 2, 500, 30);
	assert_string_equal(text_of(&log), "2.1 4.1 2.2");
	assert_true(log_covers(&log, &m));
	add(&log, 2, 3, 500, 40);
	assert_string_equal(text_of(&log), "4.1 2.2 2.3");
	/* Who has not heard 2.1 can't have all of it any more. */
	assert_false(log_covers(&log, &m));
	(void)marks_raise(&m, 2, 1, 0);
	assert_true(log_covers(&log, &m));
	log_trim(&log, 40);
	assert_string_equal(text_of(&log), "2.3");
	assert_false(log_covers(&log, &m));
	assert_non_null(log_find(&log, 2, 3));
	assert_null(log_find(&log, 2, 2));
	/* What came by the adapter does not count. */
	(void)marks_raise(&log.dropped, 5, 7, 0);
	(void)marks_raise(&m, 2, 2, 0);
	(void)marks_raise(&m, 4, 1, 0);
	assert_true(log_covers(&log, &m));
	/* One that has no room at all. */
	add(&log, 6, 9, 5000, 50);
	assert_string_equal(text_of(&log), "");
	assert_int_equal(log.bytes, 0);
	log_free(&log);
	marks_free(&m);
	assert_int_equal(messages, 0);
}

static void
test_log_takes_an_older_one(void **state)
{
	struct order_log log, older;

	(void)state;
	log_init(&log, 100000);
	log_init(&older, 100000);
	add(&older, 2, 1, 10, 1);
	add(&older, 4, 7, 10, 2);
	add(&older, 2, 2, 10, 3);
	add(&older, 6, 4, 10, 4);
	add(&log, 4, 7, 10, 2);
	add(&log, 2, 2, 10, 3);
	add(&log, 4, 8, 10, 5);
	log_prepend(&log, &older);
	assert_string_equal(text_of(&log), "2.1 6.4 4.7 2.2 4.8");
	log_free(&older);
	log_trim(&log, 100);
	assert_int_equal(log.bytes, 0);
	log_free(&log);
	assert_int_equal(messages, 0);
}

/* -- what two workers have heard by the adapter -- */

static void
test_line_tells_what_was_had(void **state)
{
	struct line theirs = { .size = 8 }, ours = { .size = 4 };

	(void)state;
	assert_int_equal(line_open(&theirs), UINT64_MAX);
	assert_int_equal(line_match(&theirs, 7, 1), 0);
	line_match_last(&theirs, &ours, 7);

	/* They are ahead, then we; two have one id. */
	assert_int_equal(line_add(&theirs, 10, 7, 1), 0);
	assert_int_equal(line_add(&theirs, 12, 7, 2), 0);
	assert_int_equal(line_open(&theirs), 10);
	assert_int_equal(line_add(&ours, 100, 7, 3), 0);
	assert_int_equal(line_match(&theirs, 7, 100), 1);
	assert_int_equal(line_open(&theirs), 12);
	assert_int_equal(line_add(&ours, 101, 7, 3), 0);
	assert_int_equal(line_match(&theirs, 7, 101), 1);
	assert_int_equal(line_add(&ours, 102, 7, 4), 0);
	assert_int_equal(line_match(&theirs, 7, 102), 0);
	assert_int_equal(line_open(&theirs), UINT64_MAX);
	assert_int_equal(line_seq(&theirs, &ours, 100), 10);
	assert_int_equal(line_seq(&theirs, &ours, 101), 12);
	assert_int_equal(line_seq(&theirs, &ours, 102), 0);
	assert_int_equal(line_add(&theirs, 15, 7, 5), 0);
	line_match_last(&theirs, &ours, 7);
	assert_int_equal(line_seq(&theirs, &ours, 102), 15);
	assert_true(line_has(&ours, 102));
	assert_false(line_has(&ours, 103));
	line_free(&theirs);
	line_free(&ours);
}

static void
test_line_is_bounded(void **state)
{
	struct line l = { .size = 4 }, ours = { .size = 4 };
	uint64_t i;

	(void)state;
	for (i = 1; i <= 9; i++)
		assert_int_equal(line_add(&l, i, i % 2, i), 0);
	assert_false(line_has(&l, 5));
	assert_true(line_has(&l, 6) && line_has(&l, 9));
	assert_int_equal(line_open(&l), 6);
	assert_int_equal(line_add(&ours, 50, 0, 1), 0);
	assert_int_equal(line_match(&l, 0, 50), 1);
	assert_int_equal(line_seq(&l, &ours, 50), 6);
	line_trim(&l, 9);
	assert_int_equal(line_seq(&l, &ours, 50), 0);
	assert_int_equal(line_open(&l), 9);
	line_trim(&l, 10);
	assert_int_equal(line_open(&l), UINT64_MAX);
	line_free(&l);
	line_free(&ours);
}

/* -- orders -- */

static const hostd_buf rooms[] = { { "a", 1 }, { "", 0 }, { "ccc", 3 } };
static const hostd_buf values[] = { { "1", 1 }, { "\"x\"", 3 } };
static const hostd_buf bins[] = { { "\0\1", 2 } };
static const struct hostd_sio_args args = { sizeof(args), 2, values, bins, 1,
	0 };

static int
is(hostd_buf b, const char *text)
{
	return b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

static void
pack_order(struct pack *b, uint32_t type)
{
	struct hostd_sio_to to = { .nsp = { "/chat", 5 }, .rooms = rooms,
		.nrooms = 3, .except = rooms, .nexcept = 1, .flags =
		HOSTD_SIO_VOLATILE };
	struct hostd_sio_order o = { .type = type, .to = &to, .close = 1 };

	if (type == HOSTD_SIO_JOIN) {
		o.rooms = rooms;
		o.nrooms = 3;
	}
	order_pack_head(b, &o);
	if (type == HOSTD_SIO_BROADCAST)
		order_pack_packet(b, hostd_str("2[\"e\"]"), bins, 1);
	else if (type == HOSTD_SIO_SERVER_EVENT)
		order_pack_event(b, hostd_str("name"), &args);
}

static void
test_order(void **state)
{
	struct pack b = { NULL, 0, 0, 0 };
	struct unpack u;
	struct order o;

	(void)state;
	pack_order(&b, HOSTD_SIO_BROADCAST);
	u = (struct unpack){ b.p, b.n, 0 };
	assert_int_equal(order_read(&o, &u), 0);
	assert_true(is(o.to.nsp, "/chat") && is(o.text, "2[\"e\"]"));
	assert_int_equal(o.to.nrooms, 3);
	assert_true(is(o.to.rooms[2], "ccc") && is(o.to.except[0], "a"));
	assert_int_equal(o.nbins, 1);
	assert_int_equal(o.bins[0].n, 2);
	assert_int_equal(o.to.flags, HOSTD_SIO_VOLATILE);
	order_free(&o);

	b.n = 0;
	pack_order(&b, HOSTD_SIO_SERVER_EVENT);
	u = (struct unpack){ b.p, b.n, 0 };
	assert_int_equal(order_read(&o, &u), 0);
	assert_true(is(o.o.name, "name") && is(o.o.args->v[1], "\"x\""));
	order_free(&o);
	pack_free(&b);
}

/* Cut short, with something behind, and with each byte another one: refused or
 * read, but never more than is there. */
static void
test_order_that_is_none(void **state)
{
	uint32_t type;
	struct pack b = { NULL, 0, 0, 0 };
	struct unpack u;
	struct order o;
	char *copy;
	size_t i;

	(void)state;
	for (type = HOSTD_SIO_BROADCAST; type <= HOSTD_SIO_SERVER_EVENT;
	    type++) {
		b.n = 0;
		pack_order(&b, type);
		for (i = 0; i < b.n; i++) {
			copy = malloc(i + 1);
			memcpy(copy, b.p, i);
			u = (struct unpack){ copy, i, 0 };
			assert_int_equal(order_read(&o, &u), -1);
			order_free(&o);
			free(copy);
		}
		for (i = 0; i < b.n; i++) {
			b.p[i] ^= (char)0xff;
			u = (struct unpack){ b.p, b.n, 0 };
			(void)order_read(&o, &u);
			order_free(&o);
			b.p[i] ^= (char)0xff;
		}
		pack_u32(&b, 0);
		u = (struct unpack){ b.p, b.n, 0 };
		assert_int_equal(order_read(&o, &u), -1);
		order_free(&o);
	}
	pack_free(&b);
}

static void
test_question_and_reply(void **state)
{
	struct hostd_sio_remote sockets[2] = {
		{ sizeof(sockets[0]), 0, { "id1", 3 }, { "[]", 2 }, { "{}", 2 },
		    { "{}", 2 } },
		{ sizeof(sockets[0]), 0, { "id2", 3 }, { "[1]", 3 },
		    { "{}", 2 }, { "{}", 2 } }
	};
	struct hostd_sio_to to = { .nsp = { "/", 1 } };
	struct hostd_sio_question q = { .type = HOSTD_SIO_ASK_CLIENTS,
		.to = &to, .name = { "ev", 2 }, .args = &args,
		.timeout_ms = 9 };
	struct hostd_sio_reply r = { .flags = HOSTD_SIO_LAST, .sockets =
		sockets, .nsockets = 2, .clients = 5, .args = &args };
	struct hostd_sio_question got;
	struct pack b = { NULL, 0, 0, 0 };
	struct reply p;
	struct order o;
	struct unpack u;
	size_t n;

	(void)state;
	question_pack(&b, &q);
	u = (struct unpack){ b.p, b.n, 0 };
	assert_int_equal(question_read(&got, &o, &u), 0);
	assert_true(is(got.name, "ev") && is(got.args->v[0], "1"));
	assert_int_equal(got.timeout_ms, 9);
	order_free(&o);

	b.n = 0;
	reply_pack(&b, &r);
	for (n = 0; n <= b.n; n++) {
		u = (struct unpack){ b.p, n, 0 };
		assert_int_equal(reply_read(&p, &u), n == b.n ? 0 : -1);
		if (n == b.n) {
			assert_int_equal(p.r.clients, 5);
			assert_true(is(p.r.sockets[1].rooms, "[1]"));
			assert_int_equal(p.r.args->nbins, 1);
		}
		reply_free(&p);
	}
	pack_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks_rise),
		cmocka_unit_test(test_marks_cut_short),
		cmocka_unit_test(test_log_is_bounded),
		cmocka_unit_test(test_log_takes_an_older_one),
		cmocka_unit_test(test_line_tells_what_was_had),
		cmocka_unit_test(test_line_is_bounded),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_that_is_none),
		cmocka_unit_test(test_question_and_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
