/* SPDX-License-Identifier: BSD-2-Clause */
/* ws_chat's roll calls: who is said to have left or joined without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "chat.h"

static uint64_t now;
static struct hostd_inst inst;
static struct room room;
static unsigned ncalls;
static char told[256];		/* "left:Ada " for each */

static uint64_t
fake_now(const struct hostd_host *host)
{
	(void)host;
	return now;
}

static const struct hostd_host host = { .now_ms = fake_now };

/* -- what roll.c calls -- */

int32_t
question_roll(struct hostd_inst *in, const struct room *r)
{
	(void)in;
	assert_ptr_equal(r, &room);
	ncalls++;
	return HOSTD_OK;
}

struct room *
room_find(const struct hostd_inst *in, hostd_buf name)
{
	(void)in;
	(void)name;
	return &room;
}

json_t *
reply_news(struct hostd_inst *in, const char *type, hostd_buf where,
    hostd_buf name)
{
	(void)in;
	(void)where;
	return json_pack("{s:s,s:s%}", "type", type, "name",
	    (const char *)name.p, name.n);
}

void
mail_room(struct hostd_inst *in, const struct room *r, char *text, size_t n)
{
	json_t *o = json_loadb(text, n, 0, NULL);
	size_t len = strlen(told);

	(void)in;
	assert_ptr_equal(r, &room);
	(void)snprintf(told + len, sizeof(told) - len, "%s:%s ",
	    json_string_value(json_object_get(o, "type")),
	    json_string_value(json_object_get(o, "name")));
	json_decref(o);
	free(text);
}

uint64_t
watch_jitter(struct hostd_inst *in, uint64_t ms)
{
	(void)in;
	return ms / 2;
}

/* -- the tests -- */

/* Ticks until the roll is called; how long it took. */
static uint64_t
until_called(void)
{
	uint64_t start = now;
	unsigned before = ncalls;

	while (ncalls == before) {
		now += 100;
		assert_in_range(now - start, 0, 60000);
		roll_next(&inst);
	}
	return now - start;
}

/* Names with a space behind each. */
static void
answer_as(int32_t status, const char *names)
{
	hostd_buf labels[8];
	uint32_t n = 0;

	for (; *names != '\0'; names += labels[n++].n + 1)
		labels[n] = (hostd_buf){ names, strcspn(names, " ") };
	roll_answer(&inst, room.name, status, labels, n);
}

static void
answer(const char *names)
{
	answer_as(HOSTD_OK, names);
}

static void
hear(const char *text)
{
	struct hostd_channel_event ev = { .msg = hostd_str(text) };

	roll_heard(&room, &ev);
}

static int
setup(void **state)
{
	(void)state;
	memset(&inst, 0, sizeof(inst));
	memset(&room, 0, sizeof(room));
	inst.easy.host = &host;
	inst.roll_call = 20000;
	TAILQ_INIT(&inst.open);
	TAILQ_INSERT_TAIL(&inst.open, &room, link);
	now = 1000000;
	ncalls = 0;
	told[0] = '\0';
	roll_begin(&inst, &room);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	roll_end(&room);
	return 0;
}

static void
begin(const char *names)
{
	assert_in_range(until_called(), 100, 300);
	answer(names);
	assert_string_equal(told, "");
}

static void
test_nothing_has_changed(void **state)
{
	(void)state;
	begin("Ada Bob ");
	assert_in_range(until_called(), 15000, 25100);
	answer("Bob Ada ");
	assert_in_range(until_called(), 15000, 25100);
	answer("Ada Bob ");
	assert_string_equal(told, "");
}

static void
test_gone_without_a_word(void **state)
{
	(void)state;
	begin("Ada Bob ");
	(void)until_called();
	answer("Ada ");
	assert_string_equal(told, "");
	assert_in_range(until_called(), 1900, 2100);
	answer("Ada ");
	assert_string_equal(told, "left:Bob ");
	(void)until_called();
	answer("Ada ");
	assert_string_equal(told, "left:Bob ");
}

static void
test_come_without_a_word(void **state)
{
	(void)state;
	begin("Ada ");
	(void)until_called();
	answer("Ada Bob ");
	(void)until_called();
	answer("Ada Bob ");
	assert_string_equal(told, "joined:Bob ");
}

static void
test_back_when_asked_again(void **state)
{
	(void)state;
	begin("Ada Bob ");
	(void)until_called();
	answer("Ada ");
	(void)until_called();
	answer("Ada Bob ");
	assert_string_equal(told, "");
}

/* Word and answers cross: of those who stir nothing is said. */
static void
test_stirring(void **state)
{
	(void)state;
	begin("Ada Bob Eve ");
	(void)until_called();
	hear("{\"type\":\"joined\",\"name\":\"Kim\"}");
	hear("{\"type\":\"left\",\"name\":\"Bob\"}");
	answer("Ada Bob ");
	hear("{\"type\":\"joined\",\"name\":\"Tom\"}");
	(void)until_called();
	answer("Ada ");
	assert_string_equal(told, "left:Eve ");
	/* What was heard of them has counted. */
	(void)until_called();
	answer("Ada Kim Tom ");
	(void)until_called();
	answer("Ada Kim Tom ");
	assert_string_equal(told, "left:Eve ");
}

static void
test_told_in_the_usual_way(void **state)
{
	(void)state;
	begin("Ada ");
	hear("{\"type\":\"joined\",\"name\":\"Bob\"}");
	hear("{\"type\":\"left\",\"name\":\"Ada\"}");
	(void)until_called();
	answer("Bob ");
	assert_in_range(until_called(), 15000, 25100);
	assert_string_equal(told, "");
}

static void
test_one_of_two_connections(void **state)
{
	(void)state;
	begin("Ada Bob Bob ");
	(void)until_called();
	answer("Ada Bob ");
	assert_in_range(until_called(), 15000, 25100);
	answer("Ada Bob ");
	assert_string_equal(told, "");
	/* And it is one that is known of now. */
	hear("{\"type\":\"left\",\"name\":\"Bob\"}");
	(void)until_called();
	answer("Ada ");
	assert_in_range(until_called(), 15000, 25100);
	assert_string_equal(told, "");
}

static void
test_not_all_have_answered(void **state)
{
	(void)state;
	begin("Ada Bob ");
	(void)until_called();
	answer_as(HOSTD_E_TIMEOUT, "Ada ");
	assert_in_range(until_called(), 15000, 25100);
	answer("Ada ");
	(void)until_called();
	answer_as(HOSTD_E_TIMEOUT, "Ada ");
	(void)until_called();
	answer("Ada ");
	assert_string_equal(told, "");
}

static void
test_more_than_a_list_has(void **state)
{
	static hostd_buf labels[1000];

	(void)state;
	begin("Ada Bob ");
	for (size_t i = 0; i < 1000; i++)
		labels[i] = hostd_str("Eve");
	for (int i = 0; i < 3; i++) {
		(void)until_called();
		roll_answer(&inst, room.name, HOSTD_OK, labels, 1000);
	}
	assert_string_equal(told, "");
}

static void
test_sooner_after_a_gap(void **state)
{
	(void)state;
	begin("Ada ");
	roll_gap(&inst, &room);
	assert_in_range(until_called(), 3000, 6100);
	roll_gap(&inst, &room);
	answer("Ada ");
	assert_in_range(until_called(), 3000, 6100);
}

static void
test_nonsense(void **state)
{
	(void)state;
	begin("Ada ");
	hear("[]");
	hear("{\"type\":\"left\"}");
	hear("{\"type\":\"left\",\"name\":\"Nobody\"}");
	hear("{\"type\":\"weather\",\"name\":\"Ada\"}");
	(void)until_called();
	answer("Ada ");
	assert_in_range(until_called(), 15000, 25100);
	assert_string_equal(told, "");
}

static void
test_never(void **state)
{
	(void)state;
	roll_end(&room);
	inst.roll_call = 0;
	roll_begin(&inst, &room);
	roll_gap(&inst, &room);
	hear("{\"type\":\"left\",\"name\":\"Ada\"}");
	for (int i = 0; i < 1000; i++, now += 100)
		roll_next(&inst);
	assert_int_equal(ncalls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_has_changed),
		TEST(test_gone_without_a_word),
		TEST(test_come_without_a_word),
		TEST(test_back_when_asked_again),
		TEST(test_stirring),
		TEST(test_told_in_the_usual_way),
		TEST(test_one_of_two_connections),
		TEST(test_not_all_have_answered),
		TEST(test_more_than_a_list_has),
		TEST(test_sooner_after_a_gap),
		TEST(test_nonsense),
		TEST(test_never),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
