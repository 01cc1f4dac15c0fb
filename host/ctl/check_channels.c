/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes by channels, whatever the plugin does with it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_sockets.h"
#include "ctl/check_usage.h"
#include "ctl/check_use.h"

#define CLIENTS 4
#define MESSAGE_MAX (1u << 20)
#define STORM 200

/* Clients that wait for whatever comes: streams and sockets. */
struct crowd {
	struct fake *f;
	struct fake_req *r[CLIENTS];
	struct fake_sock *s[CLIENTS];
};

static void
crowd_come(struct crowd *k, enum fake_room room)
{
	struct fake_spec get = {.method = "GET", .room = room};
	struct fake_spec up = sockets_plain();
	unsigned kinds = check_kinds(k->f->m), i, w;

	up.room = room;
	for (i = 0; i < CLIENTS; i++) {
		if ((kinds & CHECK_HTTP) != 0)
			k->r[i] = fake_req_start(k->f, &get);
		if ((kinds & CHECK_WS) != 0)
			k->s[i] = fake_sock_open(k->f, &up);
		for (w = 0; w < 3 && k->s[i] != NULL; w++)
			sockets_say(k->s[i], w, HOSTD_WS_TEXT);
	}
	while (fake_turn() > 0)
		;
}

static void
crowd_turn(struct crowd *k)
{
	int i;

	(void)fake_turn();
	for (i = 0; i < CLIENTS; i++)
		if (k->r[i] != NULL)
			(void)fake_req_step(k->r[i]);
}

static void
crowd_leave(struct crowd *k, int i)
{
	if (k->r[i] != NULL)
		fake_req_end(k->r[i], HOSTD_END_GONE);
	if (k->s[i] != NULL)
		fake_sock_cut(k->s[i]);
}

static void
crowd_free(struct crowd *k)
{
	int i;

	for (i = 0; i < CLIENTS; i++) {
		if (k->r[i] != NULL)
			fake_req_free(k->r[i]);
		if (k->s[i] != NULL)
			fake_sock_free(k->s[i]);
	}
}

/* A message to every channel that it listens to. */
static void
bring(const void *p, size_t n, uint32_t flags)
{
	hostd_buf b = {p, n};

	fake_channel_elsewhere(b, flags, 0);
}

static void
bring_all(struct crowd *k)
{
	static const char *const texts[] = {"hello", "", "{}", "[1,2]",
	    "{\"type\":\"message\"}", "\r\n\r\ndata: x\n", "caf\303\251"};
	static const char bytes[] = "\000\377\200";
	char *large = xcalloc(1, MESSAGE_MAX);
	hostd_buf none = {NULL, 0};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bring(texts[i], strlen(texts[i]), HOSTD_WS_TEXT);
		if (i % 2 == 0)
			crowd_turn(k);
	}
	for (i = 0; i < 2; i++)
		bring(fake_word((unsigned)i).p, fake_word((unsigned)i).n,
		    HOSTD_WS_TEXT);
	bring(bytes, sizeof(bytes), HOSTD_WS_BINARY);
	fake_channel_elsewhere(none, 0, 1);
	bring(large, MESSAGE_MAX, HOSTD_WS_BINARY);
	crowd_turn(k);
	memset(large, 'x', MESSAGE_MAX);
	bring(large, MESSAGE_MAX, HOSTD_WS_TEXT);
	crowd_turn(k);
	free(large);
}

static void
case_events(const struct check *c, const void *arg)
{
	struct crowd k = {.f = fake_serve(fake_load(c), c)};
	int i;

	fake_channel_odd();
	crowd_come(&k, *(const enum fake_room *)arg);
	bring_all(&k);
	/* Clients leave while events are on their way. */
	for (i = 0; i < CLIENTS; i++) {
		bring("hello", 5, HOSTD_WS_TEXT);
		crowd_leave(&k, i);
		bring("hello", 5, HOSTD_WS_BINARY);
		if (i % 2 == 0)
			fake_settle();
	}
	bring_all(&k);
	fake_settle();
	fake_destroy(k.f);
	crowd_free(&k);
}

/* It ends while events and answers are on their way. */
static void
case_ends(const struct check *c, const void *arg)
{
	struct crowd k = {.f = fake_serve(fake_load(c), c)};
	int i;

	(void)arg;
	fake_channel_odd();
	crowd_come(&k, ROOM_ENOUGH);
	for (i = 0; i < STORM; i++)
		bring("hello", 5, HOSTD_WS_TEXT);
	fake_drain(k.f, 0);
	bring("hello", 5, HOSTD_WS_TEXT);
	fake_destroy(k.f);
	fake_settle();
	crowd_free(&k);
}

/* An instance may be at its limit, too. */
static void
case_full(const struct check *c, const void *arg)
{
	struct crowd k = {.f = fake_serve(fake_load(c), c)};
	int i;

	(void)arg;
	k.f->no_subs = 1;
	crowd_come(&k, ROOM_ENOUGH);
	check_use(k.f);
	for (i = 0; i < CLIENTS; i++)
		crowd_leave(&k, i);
	fake_settle();
	fake_destroy(k.f);
	crowd_free(&k);
}

static void
round_events(void *arg)
{
	struct crowd *k = arg;
	hostd_buf none = {NULL, 0};

	bring("hello", 5, HOSTD_WS_TEXT);
	crowd_turn(k);
	bring("hello", 5, HOSTD_WS_BINARY);
	fake_channel_elsewhere(none, 0, 1);
	crowd_turn(k);
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct crowd k = {.f = fake_serve(fake_load(c), c)};

	(void)arg;
	fake_channel_odd();
	crowd_come(&k, ROOM_ENOUGH);
	check_rounds(round_events, &k, "an event");
	fake_destroy(k.f);
	crowd_free(&k);
}

/* Does anybody listen when all is quiet? */
static void
case_listens(const struct check *c, const void *arg)
{
	struct crowd k = {.f = fake_serve(fake_load(c), c)};

	(void)arg;
	crowd_come(&k, ROOM_ENOUGH);
	check_report()->value[0] = fake_channel_listeners();
	fake_destroy(k.f);
	crowd_free(&k);
}

void
check_channels(struct check *c)
{
	static const enum fake_room enough = ROOM_ENOUGH, none = ROOM_NONE;

	if (check_run(c, case_listens, NULL) == CHECK_PASS &&
	    check_last()->value[0] == 0) {
		check_result(
		    c, "events", CHECK_SKIP, "it listens to no channel");
		return;
	}
	check_simple(c, "events", case_events, &enough);
	check_simple(c, "events, slow", case_events, &none);
	check_simple(c, "events at end", case_ends, NULL);
	check_simple(c, "no listening", case_full, NULL);
	check_simple(c, "event leaks", case_leaks, NULL);
}
