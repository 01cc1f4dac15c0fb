/* SPDX-License-Identifier: BSD-2-Clause */
/* ws_chat after gaps: what it asks for, of which rooms, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "chat.h"

static uint64_t now;
static struct hostd_inst inst;
static struct room rooms[10];
static struct {
	const struct room *room;
	struct mark since;
} asked[32];
static size_t nasked, nmailed;

static uint64_t
fake_now(const struct hostd_host *host)
{
	(void)host;
	return now;
}

static const struct hostd_host host = { .now_ms = fake_now };

/* -- what refresh.c calls -- */

int32_t
question_refresh(struct hostd_inst *in, const struct room *room,
    const struct mark *since)
{
	(void)in;
	asked[nasked].room = room;
	asked[nasked++].since = *since;
	return HOSTD_OK;
}

struct room *
room_find(const struct hostd_inst *in, hostd_buf name)
{
	struct room *room;

	TAILQ_FOREACH(room, &in->open, link)
		if (room->name.p == name.p)
			return room;
	return NULL;
}

void
mail_room(struct hostd_inst *in, const struct room *room, char *text, size_t n)
{
	(void)in;
	(void)room;
	assert_int_equal(n, 1);
	free(text);
	nmailed++;
}

uint64_t
watch_jitter(struct hostd_inst *in, uint64_t ms)
{
	(void)in;
	return ms;
}

/* -- the tests -- */

static int
setup(void **state)
{
	size_t i;

	(void)state;
	memset(&inst, 0, sizeof(inst));
	memset(rooms, 0, sizeof(rooms));
	inst.easy.host = &host;
	TAILQ_INIT(&inst.open);
	STAILQ_INIT(&inst.mails);
	for (i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		rooms[i].name = (hostd_buf){ &rooms[i], 1 };
		rooms[i].seats = 1;
		TAILQ_INSERT_TAIL(&inst.open, &rooms[i], link);
	}
	now = 1000000;
	nasked = nmailed = 0;
	return 0;
}

static void
hear(struct room *room, uint64_t seq)
{
	struct hostd_channel_event ev = { .node = 1, .seq = seq };

	refresh_heard(&inst, room, &ev);
}

/* Ticks for so long; how many were asked for. */
static size_t
pass(uint64_t ms)
{
	size_t before = nasked;
	uint64_t end = now + ms;

	while (now < end) {
		now += 100;
		refresh_next(&inst);
	}
	return nasked - before;
}

static void
answer(struct room *room)
{
	refresh_answer(&inst, room->name, calloc(1, 1), 1);
}

static void
test_nothing_without_a_gap(void **state)
{
	(void)state;
	hear(&rooms[0], 1);
	assert_int_equal(pass(60000), 0);
}

static void
test_only_that_room(void **state)
{
	(void)state;
	refresh_gap(&inst, &rooms[3]);
	assert_int_equal(pass(400), 0);
	assert_int_equal(pass(60000), 1);
	assert_ptr_equal(asked[0].room, &rooms[3]);
	answer(&rooms[3]);
	assert_int_equal(nmailed, 1);
	assert_int_equal(pass(60000), 0);
}

/* Nothing heard, or only lately: something may be missing before it. */
static void
test_all_when_nothing_is_sure(void **state)
{
	(void)state;
	refresh_gap(&inst, &rooms[0]);
	hear(&rooms[1], 5);
	now += 29999;
	refresh_gap(&inst, &rooms[1]);
	assert_int_equal(pass(2000), 2);
	assert_int_equal(asked[0].since.seq, 0);
	assert_int_equal(asked[1].since.seq, 0);
}

static void
test_behind_what_is_sure(void **state)
{
	(void)state;
	hear(&rooms[0], 5);
	now += 30000;
	refresh_gap(&inst, &rooms[0]);
	assert_int_equal(pass(2000), 1);
	assert_int_equal(asked[0].since.node, 1);
	assert_int_equal(asked[0].since.seq, 5);
}

/* Of a room that talks all the time it is neither the last nor the first. */
static void
test_sure_moves_on(void **state)
{
	uint64_t seq;

	(void)state;
	for (seq = 1; seq <= 1000; seq++, now += 1000)
		hear(&rooms[0], seq);
	refresh_gap(&inst, &rooms[0]);
	assert_int_equal(pass(2000), 1);
	assert_in_range(asked[0].since.seq, 1000 - 62, 1000 - 30);
}

static void
test_the_first_of_two_gaps_counts(void **state)
{
	(void)state;
	hear(&rooms[0], 5);
	now += 30000;
	refresh_gap(&inst, &rooms[0]);
	inst.nrefreshing = 4;		/* others are in the way */
	hear(&rooms[0], 6);
	assert_int_equal(pass(40000), 0);
	refresh_gap(&inst, &rooms[0]);
	inst.nrefreshing = 0;
	assert_int_equal(pass(200), 1);
	assert_int_equal(asked[0].since.seq, 5);
}

/* Gaps all the time: one answer at a time, and 5 s apart. */
static void
test_a_storm(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 600; i++) {
		refresh_gap(&inst, &rooms[0]);
		(void)pass(100);
		if (rooms[0].refresh.asked && i >= 100)
			answer(&rooms[0]);
	}
	assert_in_range(nasked, 9, 11);
}

/* Not all at once, and not before those of others are sent. */
static void
test_rooms_take_turns(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 10; i++)
		refresh_gap(&inst, &rooms[i]);
	now += 10000;
	assert_int_equal(pass(100), 2);
	assert_int_equal(pass(1000), 2);
	for (i = 0; i < 4; i++)
		answer(&rooms[i]);
	inst.mails.stqh_first = (struct mail *)(void *)&inst;
	assert_int_equal(pass(1000), 0);
	STAILQ_INIT(&inst.mails);
	assert_int_equal(pass(1000), 4);
	for (i = 4; i < 8; i++)
		answer(&rooms[i]);
	assert_int_equal(pass(60000), 2);
	assert_int_equal(inst.nstale, 0);
}

static void
test_a_room_that_closes(void **state)
{
	(void)state;
	refresh_gap(&inst, &rooms[0]);
	refresh_end(&inst, &rooms[0]);
	assert_int_equal(inst.nstale, 0);
	assert_int_equal(pass(2000), 0);
	refresh_gap(&inst, &rooms[1]);
	assert_int_equal(pass(2000), 1);
	refresh_end(&inst, &rooms[1]);
	rooms[1].seats = 0;
	answer(&rooms[1]);
	assert_int_equal(nmailed, 0);
	assert_int_equal(inst.nrefreshing, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_without_a_gap, setup),
		cmocka_unit_test_setup(test_only_that_room, setup),
		cmocka_unit_test_setup(test_all_when_nothing_is_sure, setup),
		cmocka_unit_test_setup(test_behind_what_is_sure, setup),
		cmocka_unit_test_setup(test_sure_moves_on, setup),
		cmocka_unit_test_setup(test_the_first_of_two_gaps_counts,
		    setup),
		cmocka_unit_test_setup(test_a_storm, setup),
		cmocka_unit_test_setup(test_rooms_take_turns, setup),
		cmocka_unit_test_setup(test_a_room_that_closes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
