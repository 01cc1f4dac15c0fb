/* SPDX-License-Identifier: BSD-2-Clause */
/* Two workers in one loop: what is given is taken, refused, or comes back. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/handover.h"
#include "loop_case.h"

struct side {
	struct handover h;		/* first */
	struct chan_msg msg;
	int refuse;
	int taken, room;
	unsigned kind;
	int fd;				/* the last one taken */
	struct buf record;
};

struct gift {
	struct handover_item item;	/* first */
	int done;
	enum handover_answer answer;
};

static struct side *giver, *taker;
static int conn[2];			/* what is given, and its other end */

static enum handover_answer
take(struct handover *h, unsigned kind, int fd, hostd_buf record)
{
	struct side *s = (struct side *)(void *)h;

	if (s->refuse)
		return HANDOVER_REFUSED;
	s->taken++;
	s->kind = kind;
	s->record.len = 0;
	buf_append(&s->record, record.p, record.n);
	if (s->fd != -1)
		(void)close(s->fd);
	s->fd = fd;
	return HANDOVER_TAKEN;
}

static void
room(struct handover *h)
{
	((struct side *)(void *)h)->room++;
}

static void
done(struct handover_item *item, enum handover_answer answer)
{
	struct gift *g = (struct gift *)(void *)item;

	assert_false(g->done);
	g->done = 1;
	g->answer = answer;
}

static struct side *
side_new(int fd)
{
	struct chan_peer who = { .slot = 3, .pool = "web" };
	struct side *s = xcalloc(1, sizeof(*s));

	s->fd = -1;
	s->h.take = take;
	s->h.room = room;
	handover_init(&s->h, &loop, &s->msg);
	handover_add(&s->h, fd, &who);
	return s;
}

static void
side_free(struct side *s)
{
	handover_close(&s->h);
	buf_free(&s->record);
	if (s->fd != -1)
		(void)close(s->fd);
	free(s);
}

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	loop_open();
	assert_int_equal(chan_pair(fds), 0);
	giver = side_new(fds[0]);
	taker = side_new(fds[1]);
	return socketpair(AF_UNIX, SOCK_STREAM, 0, conn);
}

static int
teardown(void **state)
{
	(void)state;
	if (giver != NULL)
		side_free(giver);
	if (taker != NULL)
		side_free(taker);
	(void)close(conn[0]);
	(void)close(conn[1]);
	loop_end();
	return 0;
}

static struct handover_peer *
peer(struct side *s)
{
	return TAILQ_FIRST(&s->h.peers);
}

static int
give(struct gift *g, const void *p, size_t n)
{
	memset(g, 0, sizeof(*g));
	g->item.done = done;
	return handover_give(peer(giver), 7, conn[0], (hostd_buf){ p, n },
	    &g->item);
}

static void
is_taken(void **state)
{
	struct gift g;
	char c;

	(void)state;
	assert_int_equal(give(&g, "record", 6), 0);
	until(&g.done, 1);
	assert_int_equal(g.answer, HANDOVER_TAKEN);
	assert_int_equal(taker->kind, 7);
	assert_int_equal(taker->record.len, 6);
	assert_memory_equal(taker->record.p, "record", 6);
	/* It is the same connection. */
	assert_int_equal(write(conn[1], "x", 1), 1);
	assert_int_equal(read(taker->fd, &c, 1), 1);
	assert_int_equal(c, 'x');
	assert_true(giver->room > 0);
}

static void
a_long_record_comes_whole(void **state)
{
	char *long_one = xmalloc(HANDOVER_RECORD_MAX + 1);
	struct gift a, b;
	size_t i;

	(void)state;
	for (i = 0; i <= HANDOVER_RECORD_MAX; i++)
		long_one[i] = (char)(i * 31 + i / 251);
	assert_int_equal(give(&a, long_one, HANDOVER_RECORD_MAX + 1), -1);
	assert_int_equal(give(&a, long_one, 0), -1);
	assert_int_equal(give(&a, long_one, HANDOVER_RECORD_MAX), 0);
	assert_int_equal(give(&b, long_one, 100000), 0);
	until(&a.done, 1);
	until(&b.done, 1);
	assert_true(a.answer == HANDOVER_TAKEN &&
	    b.answer == HANDOVER_TAKEN);
	assert_int_equal(taker->taken, 2);
	assert_int_equal(taker->record.len, 100000);
	assert_memory_equal(taker->record.p, long_one, 100000);
	free(long_one);
}

static void
is_refused(void **state)
{
	struct gift g;
	char c;

	(void)state;
	taker->refuse = 1;
	assert_int_equal(give(&g, "record", 6), 0);
	until(&g.done, 1);
	assert_int_equal(g.answer, HANDOVER_REFUSED);
	/* The taker has kept nothing of it. */
	assert_int_equal(write(conn[1], "x", 1), 1);
	assert_int_equal(read(conn[0], &c, 1), 1);
	(void)close(conn[0]);
	conn[0] = -1;
	assert_int_equal(read(conn[1], &c, 1), 0);
}

static void
comes_back_when_the_taker_ends(void **state)
{
	struct gift g;

	(void)state;
	assert_int_equal(give(&g, "record", 6), 0);
	side_free(taker);
	taker = NULL;
	until(&g.done, 1);
	assert_int_equal(g.answer, HANDOVER_ELSEWHERE);
	assert_null(peer(giver));
}

/* It has said so, and died: the giver must not go on with it. */
static void
stays_given_when_the_taker_ends_later(void **state)
{
	struct gift g;

	(void)state;
	assert_int_equal(give(&g, "record", 6), 0);
	loop_del(&loop, &peer(giver)->io);
	until(&taker->taken, 1);
	side_free(taker);
	taker = NULL;
	assert_int_equal(loop_add(&loop, &peer(giver)->io,
	    EPOLLIN | EPOLLOUT | EPOLLET), 0);
	until(&g.done, 1);
	assert_int_equal(g.answer, HANDOVER_TAKEN);
}

/* Killed, with something unread, which resets the channel. */
static void
stays_given_when_the_taker_is_killed(void **state)
{
	struct gift a, b;

	(void)state;
	assert_int_equal(give(&a, "record", 6), 0);
	loop_del(&loop, &peer(giver)->io);
	until(&taker->taken, 1);
	loop_del(&loop, &peer(taker)->io);
	assert_int_equal(give(&b, "record", 6), 0);
	(void)close(peer(taker)->io.fd);
	peer(taker)->io.fd = -1;
	assert_int_equal(loop_add(&loop, &peer(giver)->io,
	    EPOLLIN | EPOLLOUT | EPOLLET), 0);
	until(&b.done, 1);
	assert_int_equal(a.answer, HANDOVER_TAKEN);
	assert_int_equal(b.answer, HANDOVER_ELSEWHERE);
	assert_int_equal(a.item.next, 0);
	assert_int_equal(b.item.next, 1);
}

/* It lies in the channel, and the taker will find it there. */
static void
is_the_takers_when_the_giver_ends(void **state)
{
	struct gift g;

	(void)state;
	assert_int_equal(give(&g, "record", 6), 0);
	side_free(giver);
	giver = NULL;
	assert_true(g.done);
	assert_int_equal(g.answer, HANDOVER_TAKEN);
	until(&taker->taken, 1);
}

static void
is_heard_before_the_giver_ends(void **state)
{
	struct gift g;
	int i;

	(void)state;
	taker->refuse = 1;
	assert_int_equal(give(&g, "record", 6), 0);
	loop_del(&loop, &peer(giver)->io);
	for (i = 0; i < 5; i++)
		turn();
	side_free(giver);
	giver = NULL;
	assert_true(g.done);
	assert_int_equal(g.answer, HANDOVER_REFUSED);
}

/* So many that not all are in the channel; returns how many are. */
static int
give_too_many(struct gift *all, int n)
{
	static char part[10000];
	int i, sent = 0;

	loop_del(&loop, &peer(taker)->io);
	for (i = 0; i < n; i++) {
		assert_int_equal(give(&all[i], part, sizeof(part)), 0);
		sent += all[i].item.sent;
	}
	assert_true(sent > 0 && sent < n);
	return sent;
}

static void
taker_goes_on(void)
{
	assert_int_equal(loop_add(&loop, &peer(taker)->io,
	    EPOLLIN | EPOLLOUT | EPOLLET), 0);
}

/* Each of them is somebody's, and nobody's twice. */
static void
comes_back_when_it_was_not_sent(void **state)
{
	enum { N = 100 };
	struct gift all[N];
	int i, sent;

	(void)state;
	sent = give_too_many(all, N);
	side_free(giver);
	giver = NULL;
	for (i = 0; i < N; i++)
		assert_int_equal(all[i].answer, i < sent ? HANDOVER_TAKEN :
		    HANDOVER_ELSEWHERE);
	taker_goes_on();
	while (peer(taker) != NULL)
		turn();
	assert_int_equal(taker->taken, sent);
}

static void
no_more_than_the_window(void **state)
{
	struct gift *all = xcalloc(HANDOVER_WINDOW + 1, sizeof(*all));
	int i;

	(void)state;
	for (i = 0; i < HANDOVER_WINDOW; i++)
		assert_int_equal(give(&all[i], "record", 6), 0);
	assert_int_equal(give(&all[i], "record", 6), -1);
	until(&taker->taken, HANDOVER_WINDOW);
	until(&all[HANDOVER_WINDOW - 1].done, 1);
	for (i = 0; i < HANDOVER_WINDOW; i++)
		assert_int_equal(all[i].answer, HANDOVER_TAKEN);
	assert_int_equal(give(&all[i], "record", 6), 0);
	until(&all[i].done, 1);
	free(all);
}

/* However few they are. */
static void
no_more_bytes_than_wait(void **state)
{
	char *big = xcalloc(1, HANDOVER_RECORD_MAX);
	struct gift all[8];
	size_t bytes = 0;
	int i, n = 0;

	(void)state;
	loop_del(&loop, &peer(taker)->io);
	while (n < 8 && give(&all[n], big, HANDOVER_RECORD_MAX) == 0)
		n++;
	/* What is in the channel, what waits, and the one that was too much. */
	assert_true(n > 1 && n < 5);
	assert_false(handover_has_room(peer(giver)));
	bytes = peer(giver)->waiting;
	assert_true(bytes >= HANDOVER_QUEUE &&
	    bytes < HANDOVER_QUEUE + HANDOVER_RECORD_MAX);
	giver->room = 0;
	assert_int_equal(loop_add(&loop, &peer(taker)->io,
	    EPOLLIN | EPOLLOUT | EPOLLET), 0);
	until(&all[n - 1].done, 1);
	for (i = 0; i < n; i++)
		assert_int_equal(all[i].answer, HANDOVER_TAKEN);
	assert_true(giver->room > 0);
	assert_true(handover_has_room(peer(giver)));
	assert_int_equal(peer(giver)->waiting, 0);
	free(big);
}

/* Nobody takes what its giver would not hear of soon. */
static void
a_channel_that_takes_no_answer(void **state)
{
	char *big = xcalloc(1, HANDOVER_RECORD_MAX);
	struct gift back[2], g;
	int i;

	(void)state;
	memset(back, 0, sizeof(back));
	loop_del(&loop, &peer(giver)->io);
	for (i = 0; i < 2; i++) {
		back[i].item.done = done;
		assert_int_equal(handover_give(peer(taker), 7, conn[0],
		    (hostd_buf){ big, HANDOVER_RECORD_MAX },
		    &back[i].item), 0);
	}
	assert_int_equal(give(&g, "record", 6), 0);
	for (i = 0; i < 5; i++)
		turn();
	assert_int_equal(taker->taken, 0);
	assert_int_equal(loop_add(&loop, &peer(giver)->io,
	    EPOLLIN | EPOLLOUT | EPOLLET), 0);
	until(&g.done, 1);
	assert_int_equal(g.answer, HANDOVER_ELSEWHERE);
	until(&back[1].done, 1);
	assert_int_equal(give(&g, "record", 6), 0);
	until(&g.done, 1);
	assert_int_equal(g.answer, HANDOVER_TAKEN);
	free(big);
}

/* All that fit, and then none, whatever their number. */
static void
a_channel_that_fills_up_with_answers(void **state)
{
	enum { MORE = 20 * HANDOVER_WINDOW };
	struct gift *all = xcalloc(MORE, sizeof(*all));
	int i, taken = 0;

	(void)state;
	loop_del(&loop, &peer(giver)->io);
	for (i = 0; i < MORE; i++) {
		/* As if it had been heard of all before. */
		peer(giver)->ngiven = 0;
		assert_int_equal(give(&all[i], "record", 6), 0);
		turn();
	}
	assert_true(taker->taken > HANDOVER_WINDOW);
	assert_true(taker->taken < MORE);
	peer(giver)->ngiven = MORE;
	taken = taker->taken;
	assert_int_equal(loop_add(&loop, &peer(giver)->io,
	    EPOLLIN | EPOLLOUT | EPOLLET), 0);
	until(&all[MORE - 1].done, 1);
	for (i = 0; i < MORE; i++)
		assert_int_equal(all[i].answer, i < taken ? HANDOVER_TAKEN :
		    HANDOVER_ELSEWHERE);
	free(all);
}

/* As the taker of a process that may have no more descriptors. */
static void
none_is_left_for_it(void **state)
{
	struct rlimit was, none;
	struct gift a, b;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(give(&a, "record", 6), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	until(&a.done, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(a.answer, HANDOVER_REFUSED);
	assert_int_equal(taker->taken, 0);
	assert_int_equal(give(&b, "record", 6), 0);
	until(&b.done, 1);
	assert_int_equal(b.answer, HANDOVER_TAKEN);
}

/* The kernel lets a user have only so many on their way. */
static void
too_many_on_their_way(void **state)
{
	enum { N = 60 };
	struct rlimit was, few;
	struct gift all[N];
	uid_t uid = geteuid();
	int i;

	(void)state;
	loop_del(&loop, &peer(taker)->io);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(seteuid(uid == 0 ? 65534 : uid), 0);
	for (i = 0; i < N; i++)
		assert_int_equal(give(&all[i], "record", 6), 0);
	turn();
	assert_false(STAILQ_EMPTY(&peer(giver)->out));
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(loop_add(&loop, &peer(taker)->io,
	    EPOLLIN | EPOLLOUT | EPOLLET), 0);
	until(&all[N - 1].done, 1);
	for (i = 0; i < N; i++)
		assert_int_equal(all[i].answer, HANDOVER_TAKEN);
}

static void
nonsense_ends_the_channel(void **state)
{
	struct chan_moved m = { .id = 99,
		.answer = HANDOVER_TAKEN };

	(void)state;
	log_set_level(LOG_LVL_ERROR + 1);
	assert_int_equal(chan_send(peer(taker)->io.fd, CHAN_MOVED, &m,
	    sizeof(m), NULL, 0), 0);
	while (peer(giver) != NULL)
		loop_turn(&loop);
	while (peer(taker) != NULL)
		loop_turn(&loop);
}

/* What the giver does not want to hear of any more, it has not any more. */
static void
nonsense_leaves_each_with_one(void **state)
{
	enum { N = 100 };
	struct gift all[N];
	struct chan_moved m = { .answer = HANDOVER_TAKEN };
	int i, sent;

	(void)state;
	log_set_level(LOG_LVL_ERROR + 1);
	sent = give_too_many(all, N);
	/* That one it can't have. */
	m.id = all[N - 1].item.id;
	assert_int_equal(chan_send(peer(taker)->io.fd, CHAN_MOVED, &m,
	    sizeof(m), NULL, 0), 0);
	while (peer(giver) != NULL)
		turn();
	for (i = 0; i < N; i++)
		assert_int_equal(all[i].answer, i < sent ? HANDOVER_TAKEN :
		    HANDOVER_ELSEWHERE);
	taker_goes_on();
	while (peer(taker) != NULL)
		turn();
	assert_int_equal(taker->taken, sent);
}

/* And what the taker does not want to read, it does not take. */
static void
nonsense_of_the_giver(void **state)
{
	struct chan_moved m = { .id = 99, .answer = HANDOVER_TAKEN };
	struct gift a, b;

	(void)state;
	log_set_level(LOG_LVL_ERROR + 1);
	loop_del(&loop, &peer(taker)->io);
	assert_int_equal(give(&a, "record", 6), 0);
	assert_int_equal(chan_send(peer(giver)->io.fd, CHAN_MOVED, &m,
	    sizeof(m), NULL, 0), 0);
	assert_int_equal(give(&b, "record", 6), 0);
	taker_goes_on();
	until(&b.done, 1);
	assert_int_equal(taker->taken, 1);
	assert_int_equal(a.answer, HANDOVER_TAKEN);
	assert_int_equal(b.answer, HANDOVER_ELSEWHERE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(is_taken),
		CASE(a_long_record_comes_whole),
		CASE(is_refused),
		CASE(comes_back_when_the_taker_ends),
		CASE(stays_given_when_the_taker_ends_later),
		CASE(stays_given_when_the_taker_is_killed),
		CASE(is_the_takers_when_the_giver_ends),
		CASE(is_heard_before_the_giver_ends),
		CASE(comes_back_when_it_was_not_sent),
		CASE(no_more_than_the_window),
		CASE(no_more_bytes_than_wait),
		CASE(a_channel_that_takes_no_answer),
		CASE(a_channel_that_fills_up_with_answers),
		CASE(none_is_left_for_it),
		CASE(too_many_on_their_way),
		CASE(nonsense_ends_the_channel),
		CASE(nonsense_leaves_each_with_one),
		CASE(nonsense_of_the_giver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
