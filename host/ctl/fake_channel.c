/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.channel/1 of the fake host.  Sockets get a message at once; instances,
 * and the answers to questions, have to wait for the next turn.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_channel.h"
#include "ctl/fake_sock.h"

#define NAME_MAX_BYTES 255u
#define OWN_MAX 128u
#define MAX_SUBS 65536u
#define MAX_NAMES 64u /* that something comes to */
#define MAX_MESSAGE (16u << 20)
#define HOSTS "hostd/"

typedef void (*event_fn)(
    struct hostd_inst *, hostd_sub, void *, const struct hostd_channel_event *);
struct sub {
	LIST_ENTRY(sub) entry;
	struct fake *fake;
	uint64_t id;
	event_fn fn;
	void *arg;
	size_t n;
	char name[];
};

static LIST_HEAD(, sub) subs = LIST_HEAD_INITIALIZER(subs);
static struct fake_said_list news = TAILQ_HEAD_INITIALIZER(news);
static uint64_t last_sub, last_seq, npublished;
static int spoken, odd;

static int
is(const char *name, size_t n, hostd_buf b)
{
	return n == b.n && memcmp(name, b.p, n) == 0;
}

/* -- names -- */

void
fake_channel_spoken(void)
{
	spoken = 1;
}

void
fake_channel_odd(void)
{
	spoken = odd = 1;
}

int
fake_channel_is_odd(void)
{
	return odd;
}

int
fake_channel_is_name(hostd_buf b)
{
	const unsigned char *s = b.p;
	size_t i;

	if (s == NULL || b.n == 0 || b.n > NAME_MAX_BYTES)
		return 0;
	for (i = 0; i < b.n; i++)
		if (s[i] < ' ' || s[i] == 0x7f)
			return 0;
	return b.n < sizeof(HOSTS) - 1 ||
	    memcmp(s, HOSTS, sizeof(HOSTS) - 1) != 0;
}

/* Two instances here stand for one of two workers. */
static int
is_own(hostd_buf b)
{
	const size_t n = sizeof(HOSTD_CHANNEL_OWN) - 1;

	return b.p != NULL && b.n > n && b.n <= n + OWN_MAX &&
	    memcmp(b.p, HOSTD_CHANNEL_OWN, n) == 0;
}

int32_t
fake_judge_channel(hostd_buf name, const char *function)
{
	if (name.p == NULL && name.n > 0)
		check_fail("called %s with a name at NULL", function);
	if (fake_channel_is_name(name))
		return HOSTD_OK;
	if (!spoken)
		check_fail("called %s with a name that no channel can have: "
			   "%zu bytes \"%.*s\"",
		    function, name.n, name.n > 40 ? 40 : (int)name.n,
		    name.n == 0 ? "" : (const char *)name.p);
	return HOSTD_E_INVAL;
}

struct fake *
fake_channel_called(const struct hostd_host *host, hostd_buf name,
    const char *function, int32_t *rc)
{
	struct fake *f = fake_called(host, function);

	if (f->ended)
		check_fail("called %s in destroy", function);
	*rc = is_own(name) ? HOSTD_OK : fake_judge_channel(name, function);
	return f;
}

/* -- publishing -- */

size_t
fake_said_size(hostd_buf channel, hostd_buf msg)
{
	return sizeof(struct fake_said) + channel.n + msg.n;
}

void
fake_said_fill(
    struct fake_said *s, hostd_buf channel, hostd_buf msg, uint32_t flags)
{
	s->type = HOSTD_CHANNEL_MESSAGE;
	s->flags = flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY);
	s->time = fake_now();
	s->seq = last_seq;
	memcpy(s->bytes, channel.p, channel.n);
	if (msg.n > 0)
		memcpy(s->bytes + channel.n, msg.p, msg.n);
	s->channel.p = s->bytes;
	s->channel.n = channel.n;
	s->msg.p = s->bytes + channel.n;
	s->msg.n = msg.n;
}

struct delivery {
	hostd_buf channel, msg;
	uint32_t flags;
	uint64_t except;
};

static int
deliver_sock(struct fake_sock *s, void *arg)
{
	struct delivery *d = arg;

	if (fake_sock_is_open(s) && s->id != d->except &&
	    fake_sock_room(s, d->channel) != NULL)
		(void)fake_sock_take(s, d->msg, d->flags);
	return 0;
}

static void
deliver_subs(hostd_buf channel, hostd_buf msg, uint32_t flags, uint32_t type)
{
	struct fake_said *event;
	struct sub *s;

	LIST_FOREACH(s, &subs, entry) {
		if (!is(s->name, s->n, channel))
			continue;
		event = xcalloc(1, fake_said_size(channel, msg));
		fake_said_fill(event, channel, msg, flags);
		event->type = type;
		event->sub = s->id;
		if (type == HOSTD_CHANNEL_GAP)
			event->seq = 0;
		TAILQ_INSERT_TAIL(&news, event, entry);
	}
}

void
fake_channel_say(
    hostd_buf channel, hostd_buf msg, uint32_t flags, uint64_t except)
{
	struct delivery d = {channel, msg, flags, except};

	last_seq++;
	fake_sock_each(deliver_sock, &d);
	deliver_subs(channel, msg, flags, HOSTD_CHANNEL_MESSAGE);
	fake_ask_note(channel, msg, flags);
}

static int32_t
channel_publish(const struct hostd_host *host, hostd_buf channel, hostd_buf msg,
    uint32_t flags, hostd_ws except)
{
	int32_t rc, judged = fake_judge_message(msg, flags, "publish");
	struct fake *f = fake_channel_called(host, channel, "publish", &rc);

	if (msg.n > MAX_MESSAGE)
		check_fail("called publish with %zu bytes; %u are the most",
		    msg.n, MAX_MESSAGE);
	if (rc != HOSTD_OK || judged != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (except.id != 0)
		(void)fake_sock_find(f, except, "publish");
	fake_channel_say(channel, msg, flags, except.id);
	fake_backend_say(channel, msg);
	/* A worker elsewhere is slow now and then. */
	return npublished++ % 5 == 4 ? HOSTD_AGAIN : HOSTD_OK;
}

/* -- an instance's subscriptions -- */

static int32_t
channel_subscribe(const struct hostd_host *host, hostd_buf channel, event_fn fn,
    void *arg, hostd_sub *out)
{
	int32_t rc;
	struct fake *f = fake_channel_called(host, channel, "subscribe", &rc);
	struct sub *s;

	if (fn == NULL || out == NULL)
		check_fail("called subscribe of hostd.channel/1 without %s",
		    fn == NULL ? "a function" : "room for the handle");
	if (rc != HOSTD_OK)
		return rc;
	if (f->destroying || f->no_subs || f->nsubs >= MAX_SUBS)
		return HOSTD_E_FULL;
	s = xcalloc(1, sizeof(*s) + channel.n);
	s->fake = f;
	s->id = ++last_sub << 32 | 5;
	s->fn = fn;
	s->arg = arg;
	s->n = channel.n;
	memcpy(s->name, channel.p, channel.n);
	LIST_INSERT_HEAD(&subs, s, entry);
	f->nsubs++;
	out->id = s->id;
	return HOSTD_OK;
}

static struct sub *
sub_find(uint64_t id)
{
	struct sub *s;

	LIST_FOREACH(s, &subs, entry)
		if (s->id == id)
			return s;
	return NULL;
}

static void
sub_free(struct sub *s)
{
	LIST_REMOVE(s, entry);
	s->fake->nsubs--;
	free(s);
}

static int32_t
channel_unsubscribe(const struct hostd_host *host, hostd_sub id)
{
	struct fake *f = fake_called(host, "unsubscribe");
	struct sub *s = sub_find(id.id);

	if (s == NULL)
		return HOSTD_E_GONE;
	if (s->fake != f)
		check_fail("instance %u ended a subscription of instance %u",
		    f->number, s->fake->number);
	sub_free(s);
	return HOSTD_OK;
}

const struct hostd_channel_event *
fake_said_lend(const struct fake_said *s)
{
	struct hostd_channel_event *ev = fake_lend(sizeof(*ev));

	ev->struct_size = sizeof(*ev);
	ev->type = s->type;
	ev->channel = fake_lend_copy(s->channel.p, s->channel.n);
	if (s->type == HOSTD_CHANNEL_GAP)
		return ev;
	ev->flags = s->flags;
	ev->node = FAKE_NODE;
	ev->seq = s->seq;
	ev->msg = fake_lend_copy(s->msg.p, s->msg.n);
	return ev;
}

static void
tell(struct fake_said *event)
{
	struct sub *s = sub_find(event->sub);
	hostd_sub id = {event->sub};

	if (s == NULL)
		return;
	fake_enter(s->fake, "the function of a subscription", NULL);
	s->fn(s->fake->inst, id, s->arg, fake_said_lend(event));
	fake_leave(s->fake);
}

/* -- turns -- */

unsigned
fake_channel_turn(void)
{
	struct fake_said_list now = TAILQ_HEAD_INITIALIZER(now);
	struct fake_said *s;
	unsigned n = 0;

	TAILQ_CONCAT(&now, &news, entry);
	for (; (s = TAILQ_FIRST(&now)) != NULL; n++) {
		TAILQ_REMOVE(&now, s, entry);
		tell(s);
		free(s);
	}
	return n + fake_ask_turn();
}

/* Names of rooms that somebody is in, each once. */
struct names {
	hostd_buf name[MAX_NAMES];
	unsigned n, listeners;
};

static void
add_name(struct names *all, const char *p, size_t n)
{
	unsigned i;

	all->listeners++;
	for (i = 0; i < all->n; i++)
		if (is(p, n, all->name[i]))
			return;
	if (i == MAX_NAMES)
		return;
	all->name[i].p = p;
	all->name[i].n = n;
	all->n++;
}

static int
add_rooms(struct fake_sock *s, void *arg)
{
	struct fake_room_of *r;

	LIST_FOREACH(r, &s->rooms, entry)
		add_name(arg, r->name, r->n);
	return 0;
}

static void
all_names(struct names *all)
{
	struct sub *s;

	all->n = all->listeners = 0;
	LIST_FOREACH(s, &subs, entry)
		add_name(all, s->name, s->n);
	fake_sock_each(add_rooms, all);
}

unsigned
fake_channel_listeners(void)
{
	struct names all;

	all_names(&all);
	return all.listeners;
}

void
fake_channel_elsewhere(hostd_buf msg, uint32_t flags, int gap)
{
	struct names all;
	unsigned i;

	all_names(&all);
	for (i = 0; i < all.n; i++)
		if (gap)
			deliver_subs(all.name[i], msg, 0, HOSTD_CHANNEL_GAP);
		else
			fake_channel_say(all.name[i], msg, flags, 0);
}

void
fake_channel_end(struct fake *f)
{
	struct sub *s, *snext;

	for (s = LIST_FIRST(&subs); s != NULL; s = snext) {
		snext = LIST_NEXT(s, entry);
		if (s->fake == f)
			sub_free(s);
	}
	fake_ask_end(f);
}

const struct hostd_channel_api fake_channel_api = {
    .struct_size = sizeof(struct hostd_channel_api),
    .publish = channel_publish,
    .subscribe = channel_subscribe,
    .unsubscribe = channel_unsubscribe,
    .count_here = fake_count_here,
    .count = fake_count,
    .list = fake_list,
    .keep = fake_keep,
    .replay = fake_replay,
    .largest = fake_largest,
};
