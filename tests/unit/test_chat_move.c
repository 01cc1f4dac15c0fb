/* SPDX-License-Identifier: BSD-2-Clause */
/* ws_chat's connections, from one worker to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "chat.h"

#define ADA	1u		/* her handle; in either worker */

/* A worker with one connection, and what its host was asked to do. */
static struct worker {
	struct hostd_inst inst;
	struct member member;
	hostd_ws ws;
	char done[400];		/* "list:chat//lobby " for each */
	void (*timer)(struct hostd_inst *, hostd_timer, void *);
	void (*answer)(struct hostd_inst *, void *, int32_t,
	    const hostd_buf *, uint32_t);
	void *arg;
} old, heir, *here;
static struct hostd_host host;
static char state[4096];
static size_t nstate, room_for;

/* -- the host -- */

static void
note(const char *what, hostd_buf of)
{
	size_t n = strlen(here->done);

	(void)snprintf(here->done + n, sizeof(here->done) - n, "%s:%.*s ",
	    what, (int)of.n, (const char *)of.p);
}

static uint64_t
now_ms(const struct hostd_host *h)
{
	(void)h;
	return 1000;
}

static int32_t
ws_send(const struct hostd_host *h, hostd_ws ws, hostd_buf msg, uint32_t flags)
{
	(void)h;
	assert_int_equal(flags, HOSTD_WS_TEXT);
	assert_int_equal(ws.id, ADA);
	note("send", msg);
	return HOSTD_OK;
}

static void *
ws_data(const struct hostd_host *h, hostd_ws ws)
{
	(void)h;
	return ws.id == here->ws.id ? &here->member : NULL;
}

static int32_t
ws_subscribe(const struct hostd_host *h, hostd_ws ws, hostd_buf name)
{
	(void)h;
	(void)ws;
	note("in", name);
	return HOSTD_OK;
}

static int32_t
ws_unsubscribe(const struct hostd_host *h, hostd_ws ws, hostd_buf name)
{
	(void)h;
	(void)ws;
	note("out", name);
	return HOSTD_OK;
}

static int32_t
ws_set_label(const struct hostd_host *h, hostd_ws ws, hostd_buf label)
{
	(void)h;
	(void)ws;
	note("label", label);
	return HOSTD_OK;
}

static int32_t
ws_members(const struct hostd_host *h, hostd_buf name, hostd_ws *out,
    uint32_t max, uint32_t *total)
{
	(void)h;
	(void)name;
	if (max > 0)
		out[0].id = ADA;
	*total = 1;
	return HOSTD_OK;
}

static const struct hostd_ws_api ws_api = {
	.struct_size = sizeof(ws_api), .send = ws_send, .data = ws_data,
	.subscribe = ws_subscribe, .unsubscribe = ws_unsubscribe,
	.set_label = ws_set_label, .members = ws_members
};

static int32_t
publish(const struct hostd_host *h, hostd_buf name, hostd_buf msg,
    uint32_t flags, hostd_ws except)
{
	(void)h;
	(void)msg;
	(void)flags;
	(void)except;
	note("publish", name);
	return HOSTD_OK;
}

static int32_t
subscribe(const struct hostd_host *h, hostd_buf name,
    void (*fn)(struct hostd_inst *, hostd_sub, void *,
    const struct hostd_channel_event *), void *arg, hostd_sub *out)
{
	(void)h;
	(void)name;
	(void)fn;
	(void)arg;
	out->id = 1;
	return HOSTD_OK;
}

static int32_t
unsubscribe(const struct hostd_host *h, hostd_sub sub)
{
	(void)h;
	(void)sub;
	return HOSTD_OK;
}

static int32_t
list(const struct hostd_host *h, hostd_buf name,
    void (*fn)(struct hostd_inst *, void *, int32_t, const hostd_buf *,
    uint32_t), void *arg)
{
	(void)h;
	note("list", name);
	here->answer = fn;
	here->arg = arg;
	return HOSTD_OK;
}

static int32_t
keep(const struct hostd_host *h, hostd_buf name, uint32_t max, uint32_t age)
{
	(void)h;
	(void)name;
	(void)max;
	(void)age;
	return HOSTD_OK;
}

static int32_t
replay(const struct hostd_host *h, hostd_buf name, uint64_t node, uint64_t seq,
    void (*fn)(struct hostd_inst *, void *, int32_t,
    const struct hostd_channel_event *), void *arg)
{
	(void)h;
	(void)node;
	(void)seq;
	(void)fn;
	(void)arg;
	note("replay", name);
	return HOSTD_OK;
}

static const struct hostd_channel_api channel_api = {
	.struct_size = sizeof(channel_api), .publish = publish,
	.subscribe = subscribe, .unsubscribe = unsubscribe, .list = list,
	.keep = keep, .replay = replay
};

static int32_t
timer_start(const struct hostd_host *h, uint64_t ms, uint64_t repeat,
    void (*fn)(struct hostd_inst *, hostd_timer, void *), void *arg,
    hostd_timer *out)
{
	(void)h;
	(void)ms;
	(void)arg;
	if (repeat == 0)
		here->timer = fn;
	out->id = 1;
	return HOSTD_OK;
}

static int32_t
timer_stop(const struct hostd_host *h, hostd_timer timer)
{
	(void)h;
	(void)timer;
	return HOSTD_OK;
}

static const struct hostd_timer_api timer_api = {
	.struct_size = sizeof(timer_api), .start = timer_start,
	.stop = timer_stop
};

static int32_t
put(void *arg, hostd_buf part)
{
	assert_ptr_equal(arg, &nstate);
	if (part.n > room_for - nstate)
		return HOSTD_E_FULL;
	memcpy(state + nstate, part.p, part.n);
	nstate += part.n;
	return HOSTD_OK;
}

/* -- two workers -- */

static void
begin(struct worker *w)
{
	struct hostd_inst *in = &w->inst;

	memset(w, 0, sizeof(*w));
	in->easy = (struct hostd_easy){ .host = &host, .ws = &ws_api,
	    .channel = &channel_api };
	in->timer = &timer_api;
	TAILQ_INIT(&in->open);
	TAILQ_INIT(&in->idle);
	TAILQ_INIT(&in->questions);
	STAILQ_INIT(&in->mails);
	in->prefix = hostd_str("chat/");
	in->history = 10;
	in->history_age = 60000;
	in->max_rooms = 5;
	in->idle_rooms = 5;
	in->max_name = 32;
	in->max_text = 100;
	in->roll_call = 20000;
	w->ws.id = ADA;
}

static void
end(struct worker *w)
{
	here = w;
	member_forget(&w->inst, &w->member);
	questions_free(&w->inst);
	mails_free(&w->inst);
	rooms_free(&w->inst);
}

static int
setup(void **unused)
{
	(void)unused;
	host.struct_size = sizeof(host);
	host.now_ms = now_ms;
	begin(&old);
	begin(&heir);
	here = &old;
	nstate = 0;
	room_for = sizeof(state);
	return 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	end(&old);
	end(&heir);
	return 0;
}

static void
ask(int32_t (*fn)(struct hostd_inst *, hostd_ws, struct member *,
    const json_t *), const char *request)
{
	json_t *o = json_loads(request, 0, NULL);

	assert_non_null(o);
	assert_true(fn(&old.inst, old.ws, &old.member, o) >= 0);
	json_decref(o);
}

static int32_t
save(void)
{
	here = &old;
	old.done[0] = '\0';
	return move_table.save(&old.inst, old.ws, &old.member, put, &nstate);
}

static int32_t
load(uint32_t version)
{
	hostd_buf b = { state, nstate };

	here = &heir;
	return move_table.load(&heir.inst, heir.ws, &heir.member, version, b);
}

static void
move(void)
{
	assert_int_equal(save(), HOSTD_OK);
	assert_string_equal(old.done, "");
	assert_int_equal(load(move_table.version), HOSTD_OK);
	here = &old;
	move_table.moved(&old.inst, old.ws, &old.member);
	here = &heir;
}

static int
is_in(const char *room)
{
	return member_is_in(&heir.member, hostd_str(room));
}

static void
has_nothing(const struct worker *w)
{
	assert_null(w->member.name);
	assert_int_equal(w->member.nseats, 0);
	assert_true(TAILQ_EMPTY(&w->inst.open));
}

/* -- the tests -- */

static void
one_who_is_nowhere(void **unused)
{
	(void)unused;
	move();
	has_nothing(&heir);
	assert_string_equal(heir.done, "");
}

/* The answers have come, so that nothing is asked again. */
static void
answer_all(void)
{
	questions_free(&old.inst);
}

static void
name_and_rooms(void **unused)
{
	(void)unused;
	ask(member_join, "{\"room\":\"lobby\",\"name\":\"Ada\"}");
	ask(member_join, "{\"room\":\"caf\\u00e9\"}");
	answer_all();
	move();
	assert_true(is_in("lobby") && is_in("caf\303\251"));
	assert_int_equal(heir.member.nseats, 2);
	assert_int_equal(heir.member.name_len, 3);
	assert_memory_equal(heir.member.name, "Ada", 3);
	/* Nobody is told, and the host keeps what it knows. */
	assert_string_equal(heir.done, "");
	has_nothing(&old);
	assert_string_equal(old.done, "");
}

static void
questions_are_asked_again(void **unused)
{
	hostd_buf label = hostd_str("Ada");

	(void)unused;
	ask(member_join, "{\"room\":\"lobby\",\"name\":\"Ada\"}");
	ask(member_list, "{\"room\":\"lobby\"}");
	move();
	assert_string_equal(heir.done,
	    "replay:chat/lobby list:chat//lobby ");
	assert_int_equal(heir.member.nquestions, 2);
	heir.answer(&heir.inst, heir.arg, HOSTD_OK, &label, 1);
	assert_int_equal(heir.member.nquestions, 1);
	assert_non_null(strstr(heir.done, "send:{"));
	/* What comes there now is nobody's. */
	here = &old;
	old.ws.id = 0;
	old.answer(&old.inst, old.arg, HOSTD_OK, &label, 1);
}

static void
mail_comes_after(void **unused)
{
	hostd_timer timer = { 1 };

	(void)unused;
	ask(member_join, "{\"room\":\"lobby\",\"name\":\"Ada\"}");
	answer_all();
	mail_room(&old.inst, room_find(&old.inst, hostd_str("lobby")),
	    strdup("\"news\""), 6);
	move();
	assert_string_equal(heir.done, "");
	heir.timer(&heir.inst, timer, NULL);
	assert_string_equal(heir.done, "send:\"news\" ");
}

/* What is too long to be taken along is asked for there, as are gaps. */
static void
what_may_be_missing(void **unused)
{
	struct room *lobby, *hall;
	char *text;

	(void)unused;
	ask(member_join, "{\"room\":\"lobby\",\"name\":\"Ada\"}");
	ask(member_join, "{\"room\":\"hall\"}");
	ask(member_join, "{\"room\":\"attic\"}");
	answer_all();
	lobby = room_find(&old.inst, hostd_str("lobby"));
	hall = room_find(&old.inst, hostd_str("hall"));
	text = malloc(100001);
	memset(text, 'x', 100000);
	text[100000] = '\0';
	mail_room(&old.inst, lobby, text, 100000);
	refresh_gap(&old.inst, hall);
	move();
	assert_int_equal(heir.inst.nstale, 2);
	assert_true(room_find(&heir.inst, hostd_str("lobby"))->refresh.stale);
	assert_true(room_find(&heir.inst, hostd_str("hall"))->refresh.stale);
}

static void
refused(uint32_t version, int32_t code)
{
	assert_int_equal(load(version), code);
	has_nothing(&heir);
}

static void
another_prefix_or_version(void **unused)
{
	(void)unused;
	ask(member_join, "{\"room\":\"lobby\",\"name\":\"Ada\"}");
	assert_int_equal(save(), HOSTD_OK);
	refused(move_table.version + 1, HOSTD_E_NOTSUP);
	heir.inst.prefix = hostd_str("talk/");
	refused(move_table.version, HOSTD_E_NOTSUP);
}

static void
what_is_not_sound(void **unused)
{
	static const char *const bad[] = {
		"", "x", "[]", "{}", "{\"prefix\":5}",
		"{\"prefix\":\"chat/\",\"rooms\":[\"lobby\"]}",
		"{\"prefix\":\"chat/\",\"name\":\"\",\"rooms\":[]}",
		"{\"prefix\":\"chat/\",\"name\":\"Ada\",\"rooms\":[\"/a\"]}",
		"{\"prefix\":\"chat/\",\"name\":\"Ada\",\"rooms\":[5]}",
		"{\"prefix\":\"chat/\",\"name\":\"Ada\","
		"\"rooms\":[\"a\",\"a\"]}",
		"{\"prefix\":\"chat/\",\"name\":\"Ada\",\"rooms\":[\"a\"],"
		"\"mails\":[{\"room\":\"a\"}]}",
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		nstate = strlen(bad[i]);
		memcpy(state, bad[i], nstate);
		here = &heir;
		assert_true(load(move_table.version) < 0);
		has_nothing(&heir);
	}
}

static void
no_room_for_it(void **unused)
{
	(void)unused;
	ask(member_join, "{\"room\":\"lobby\",\"name\":\"Ada\"}");
	room_for = 10;
	assert_int_equal(save(), HOSTD_E_FULL);
	assert_true(member_is_in(&old.member, hostd_str("lobby")));
	/* It stays, and ends as others do. */
	member_gone(&old.inst, &old.member);
	assert_string_equal(old.done, "publish:chat//lobby ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_who_is_nowhere, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(name_and_rooms, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(questions_are_asked_again,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(mail_comes_after, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(what_may_be_missing, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(another_prefix_or_version,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_sound, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(no_room_for_it, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
