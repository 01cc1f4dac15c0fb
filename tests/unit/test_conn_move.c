/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of an HTTP connection that goes on elsewhere: one of a newer hostd
 * is read as far as it is known, one of another version or one that is cut
 * short is refused, and then the connection is still the giver's.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_case.h"
#include "base/mem.h"
#include "base/pack.h"
#include "http/conn.h"
#include "http/server.h"
#include "net/handover.h"

#define U32	sizeof(uint32_t)
#define TAIL	(4 * U32)	/* what older ones do not tell */

static struct conf *conf;
static struct board_cell cell;
static struct http_server giver, taker;
static struct handover ours, theirs;
static struct chan_msg msgs[2];
static struct buf record;
static int nrecords;
static int conn[2];		/* the server's end, and its peer's */

/* Keeps the record; the giver goes on with the connection. */
static enum handover_answer
take(struct handover *h, unsigned kind, int fd, hostd_buf r)
{
	(void)h;
	(void)fd;
	assert_int_equal(kind, HANDOVER_HTTP);
	buf_append(&record, r.p, r.n);
	nrecords++;
	return HANDOVER_REFUSED;
}

static void
room(struct handover *h)
{
	(void)h;
}

static void
handover_open(struct handover *h, struct chan_msg *msg, int fd)
{
	static const struct chan_peer who = { .pool = "web" };

	memset(h, 0, sizeof(*h));
	h->take = take;
	h->room = room;
	handover_init(h, &loop, msg);
	handover_add(h, fd, &who);
}

static struct conf *
conf_default(void)
{
	struct conf_sources none = { 0 };
	struct conf_errors errors;
	struct conf *c;

	conf_errors_init(&errors);
	c = conf_load(&none, NULL, &errors);
	assert_true(TAILQ_EMPTY(&errors));
	return c;
}

/* A connection with bytes that were read already, given away and back. */
static void
record_make(void)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNIX };
	struct http_conn *c;

	c = conn_open(&giver, conn[0], (struct sockaddr *)&sa);
	assert_non_null(c);
	buf_append(&c->in, "GET / HT", 8);
	assert_int_equal(conn_give(c, TAILQ_FIRST(&ours.peers), 0), 0);
	until(&nrecords, 1);
}

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	loop_open();
	conf = conf_default();
	memset(&cell, 0, sizeof(cell));
	memset(&record, 0, sizeof(record));
	nrecords = 0;
	http_server_init(&giver, &loop, conf, NULL, &cell);
	http_server_init(&taker, &loop, conf, NULL, &cell);
	assert_int_equal(chan_pair(fds), 0);
	handover_open(&ours, &msgs[0], fds[0]);
	handover_open(&theirs, &msgs[1], fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    conn), 0);
	record_make();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	handover_close(&ours);
	handover_close(&theirs);
	http_server_close(&giver);
	http_server_close(&taker);
	(void)close(conn[1]);
	buf_free(&record);
	conf_free(conf);
	loop_end();
	return 0;
}

/* As a connection of its own. */
static int
take_record(size_t len)
{
	int fd = dup(conn[0]), rc;

	assert_int_not_equal(fd, -1);
	rc = conn_take(&taker, fd, NULL, (hostd_buf){ record.p, len });
	if (rc == -1) {
		/* Still the caller's, and open. */
		assert_int_equal(taker.nconns, 0);
		assert_int_equal(close(fd), 0);
	}
	return rc;
}

static void
assert_taken(void)
{
	const struct http_conn *c = TAILQ_FIRST(&taker.conns);

	assert_int_equal(taker.nconns, 1);
	assert_int_equal(c->in.len, 8);
	assert_memory_equal(c->in.p, "GET / HT", 8);
}

static void
as_it_is(void **state)
{
	(void)state;
	assert_int_equal(take_record(record.len), 0);
	assert_taken();
}

static void
of_a_newer_one(void **state)
{
	(void)state;
	buf_append(&record, "what it knows more", 18);
	assert_int_equal(take_record(record.len), 0);
	assert_taken();
}

static void
of_another_version(void **state)
{
	uint32_t version;

	(void)state;
	memcpy(&version, record.p, sizeof(version));
	version++;
	memcpy(record.p, &version, sizeof(version));
	assert_int_equal(take_record(record.len), -1);
	version = 0;
	memcpy(record.p, &version, sizeof(version));
	assert_int_equal(take_record(record.len), -1);
}

static void
is_not_ready(struct loop_fd *fd, uint32_t events)
{
	(void)fd;
	fail_msg("event %x of a connection that was closed", events);
}

static void
cut_short(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < record.len; n++)
		if (n != record.len - TAIL && n != record.len - TAIL + U32 &&
		    n != record.len - 2 * U32 && n != record.len - U32)
			assert_int_equal(take_record(n), -1);
}

/* It does not know that headers of the PROXY protocol may be waited for, of
 * leases, of a budget, and of rates. */
static void
of_an_older_one(void **state)
{
	(void)state;
	assert_int_equal(take_record(record.len - TAIL), 0);
	assert_taken();
	assert_int_equal(TAILQ_FIRST(&taker.conns)->proxy_ms, 0);
	assert_int_equal(TAILQ_FIRST(&taker.conns)->shed, 0);
}

static void
above_the_budget(void **state)
{
	(void)state;
	record.p[record.len - 2 * U32] = 1;
	assert_int_equal(take_record(record.len), 0);
	assert_taken();
	assert_int_equal(TAILQ_FIRST(&taker.conns)->shed, 1);
}

/* Places are taken anew, only rates have counted it for good. */
static void
that_rates_have_counted(void **state)
{
	(void)state;
	record.p[record.len - U32] = (char)0xff;
	assert_int_equal(take_record(record.len), 0);
	assert_taken();
	assert_int_equal(TAILQ_FIRST(&taker.conns)->away.counted, LIMITS_ONCE);
}

/* Whose it is, is still to be said, within the time that is left for it. */
static void
that_waits_for_its_proxy(void **state)
{
	static const char header[] = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
	struct http_conn *c = TAILQ_FIRST(&giver.conns);
	uint32_t ms = 7000;

	(void)state;
	turn();
	memcpy(record.p + record.len - TAIL, &ms, sizeof(ms));
	assert_int_equal(take_record(record.len), 0);
	conn_leave(c);
	c = TAILQ_FIRST(&taker.conns);
	assert_int_equal(c->proxy_ms, 7000);
	assert_int_equal(c->timer_kind, TIMER_PROXY);
	c->in.len = 0;
	buf_append(&c->in, header, 10);
	assert_int_equal(write(conn[1], header + 10, sizeof(header) - 11),
	    sizeof(header) - 11);
	for (ms = 0; ms < TURNS_MAX && c->proxy_ms != 0; ms++)
		turn();
	assert_int_equal(c->proxy_ms, 0);
	assert_int_equal(c->peer_len, 9);
	assert_memory_equal(c->peer, "192.0.2.1", 9);
	turn();
	assert_int_equal(c->timer_kind, TIMER_FIRST);
}

/* The giver, who does not know yet, has it open when the taker closes it. */
static void
closed_at_once(void **state)
{
	struct http_conn *c;

	(void)state;
	assert_int_equal(take_record(record.len), 0);
	turn();
	c = TAILQ_FIRST(&taker.conns);
	conn_close(c, HOSTD_END_DONE);
	/* Another one gets its memory, and none of its events. */
	turn();
	assert_ptr_equal(taker.free_conns, c);
	assert_int_equal(write(conn[1], "x", 1), 1);
	c->stream.io.fd = conn[1];
	c->stream.io.ready = is_not_ready;
	turn();
}

/* What has been read ahead fits in what it is looked at in. */
static void
with_more_input_than_is_read_at_once(void **state)
{
	char *big = xcalloc(1, STREAM_RBUF + 1);
	size_t n;

	(void)state;
	for (n = STREAM_RBUF + 1; n >= STREAM_RBUF; n--) {
		record.len = 0;
		pack_u32(&record, 1);
		pack_bytes(&record, "", 0);
		pack_u32(&record, 0);
		pack_u32(&record, 0);
		pack_u32(&record, 0);
		pack_u64(&record, 0);
		pack_bytes(&record, big, n);
		pack_u64(&record, 0);
		pack_u64(&record, 0);
		pack_u32(&record, 0);
		pack_u32(&record, 0);
		assert_int_equal(take_record(record.len),
		    n > STREAM_RBUF ? -1 : 0);
	}
	free(big);
}

/* What it waits for is the same as before, and so is how long. */
static void
limit_stays_while_others_go(void **state)
{
	struct http_conn *c = TAILQ_FIRST(&giver.conns);
	uint64_t deadline;

	(void)state;
	turn();
	assert_int_equal(c->state, CONN_HEAD);
	wheel_set(&loop.wheel, &c->timer, loop.now_ms + 5000);
	deadline = c->timer.deadline;
	assert_int_equal(c->timer_kind, TIMER_HEAD);
	http_server_leave(&giver, 1, 1000);
	assert_int_equal(c->timer_kind, TIMER_HEAD);
	turn();
	assert_int_equal(c->timer.deadline, deadline);
	http_server_drain(&giver, 0);
	turn();
	assert_int_equal(c->timer_kind, TIMER_HEAD);
	assert_int_equal(c->timer.deadline, deadline);
}

/* One that has said nothing yet gets a moment when nobody follows. */
static void
limit_of_the_first_becomes_shorter(void **state)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNIX };
	struct http_conn *c;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	c = conn_open(&giver, fds[0], (struct sockaddr *)&sa);
	assert_non_null(c);
	assert_int_equal(c->timer_kind, TIMER_FIRST);
	wheel_set(&loop.wheel, &c->timer, loop.now_ms + 500);
	http_server_drain(&giver, 1);
	turn();
	assert_true(c->timer.deadline <= loop.now_ms + 500);
	wheel_set(&loop.wheel, &c->timer, loop.now_ms + 5000);
	http_server_drain(&giver, 1);
	turn();
	assert_int_equal(c->timer_kind, TIMER_FIRST);
	assert_true(c->timer.deadline <= loop.now_ms + 1000);
	(void)close(fds[1]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(as_it_is),
	    T(of_a_newer_one),
	    T(of_another_version),
	    T(cut_short),
	    T(of_an_older_one),
	    T(above_the_budget),
	    T(that_rates_have_counted),
	    T(that_waits_for_its_proxy),
	    T(closed_at_once),
	    T(with_more_input_than_is_read_at_once),
	    T(limit_stays_while_others_go),
	    T(limit_of_the_first_becomes_shorter),
	};

	return cmocka_run_group_tests_name("conn_move", tests, NULL, NULL);
}
