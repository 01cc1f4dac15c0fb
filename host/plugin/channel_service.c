/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.channel/1: publish, an instance's own subscriptions, questions. */
#include <endian.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/channel.h>
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/room_service.h"
#include "pubsub/envelope.h"
#include "pubsub/history.h"
#include "pubsub/hub.h"
#include "pubsub/largest.h"
#include "ws/conn.h"
#include "ws/message.h"

#define SUBS_MAX	65536	/* of an instance */

struct plugin_sub {
	struct subscriber subscriber;	/* first */
	LIST_ENTRY(plugin_sub) link;
	struct instance *in;
	hostd_sub id;
	void (*fn)(struct hostd_inst *, hostd_sub, void *,
	    const struct hostd_channel_event *);
	void *arg;
};

/* An event until it is told, later in the turn. */
struct plugin_news {
	STAILQ_ENTRY(plugin_news) link;
	hostd_sub id;
	uint64_t node, seq;
	struct ws_message *message;	/* NULL: a gap */
	size_t len;
	char channel[];
};

/* -- names -- */

/* A channel of the instance's own has another name for everybody else, at the
 * end of which is the one that it is given here. */
struct real_name {
	char bytes[CHANNEL_NAME_MAX];
};

static size_t
own_at(const struct instance *in)
{
	return sizeof(HUB_OF_PREFIX) - 1 + strlen(in->conf->name) + 1;
}

static int
is_own(hostd_buf name)
{
	const size_t n = sizeof(HOSTD_CHANNEL_OWN) - 1;

	return name.p != NULL && name.n > n &&
	    memcmp(name.p, HOSTD_CHANNEL_OWN, n) == 0;
}

/* Leaves in name what the hub knows it by. */
static int32_t
own_name(const struct instance *in, hostd_buf *name, struct real_name *real)
{
	size_t at = own_at(in);

	if (at + name->n > sizeof(real->bytes))
		return HOSTD_E_INVAL;
	memcpy(real->bytes, HUB_OF_PREFIX, sizeof(HUB_OF_PREFIX) - 1);
	memcpy(real->bytes + sizeof(HUB_OF_PREFIX) - 1, in->conf->name,
	    strlen(in->conf->name));
	real->bytes[at - 1] = '/';
	memcpy(real->bytes + at, name->p, name->n);
	*name = (hostd_buf){ real->bytes, at + name->n };
	return channel_name_ok(*name) ? HOSTD_OK : HOSTD_E_INVAL;
}

/* What the plugin knows it by. */
static hostd_buf
given_name(const struct instance *in, const char *name, size_t n)
{
	const size_t of = sizeof(HUB_OF_PREFIX) - 1;
	size_t at = 0;

	if (n > of && memcmp(name, HUB_OF_PREFIX, of) == 0)
		at = own_at(in);
	return (hostd_buf){ name + at, n - at };
}

/* The checks that every function starts with. */
static int32_t
channel_check(const struct hostd_host *host, hostd_buf *name,
    struct real_name *real, const char *function)
{
	int32_t rc = instance_check_thread(host->ctx, function);

	if (rc != HOSTD_OK)
		return rc;
	if (is_own(*name))
		return own_name(host->ctx, name, real);
	return room_name_ok(*name) ? HOSTD_OK : HOSTD_E_INVAL;
}

/* -- publishing -- */

static int32_t
api_publish(const struct hostd_host *host, hostd_buf name, hostd_buf msg,
    uint32_t flags, hostd_ws except)
{
	struct instance *in = host->ctx;
	const struct subscriber *but = NULL;
	hostd_buf none = { NULL, 0 };
	struct ws_conn *c;
	struct real_name real;
	int32_t rc;

	if ((rc = channel_check(host, &name, &real, "publish")) != HOSTD_OK)
		return rc;
	if (msg.n > ENVELOPE_MAX ||
	    ws_check_message(msg, flags, in->all->sockets == NULL ? none :
	    in->all->sockets->text) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (except.id != 0 && ws_find(host, except, "publish", &c) == HOSTD_OK)
		but = room_service_subscriber(c);
	return hub_publish(&in->all->hub, name, msg, flags, but);
}

/* -- subscriptions -- */

static void
sub_tell(struct plugin_sub *ps, const struct plugin_news *news)
{
	struct hostd_channel_event ev = { .struct_size = sizeof(ev) };
	struct instance *in = ps->in;
	uint64_t entered;

	ev.type = HOSTD_CHANNEL_GAP;
	ev.channel = given_name(in, news->channel, news->len);
	if (news->message != NULL) {
		ev.type = HOSTD_CHANNEL_MESSAGE;
		ev.flags = news->message->flags &
		    (HOSTD_WS_TEXT | HOSTD_WS_BINARY);
		ev.node = news->node;
		ev.seq = news->seq;
		ev.msg = ws_message_payload(news->message);
	}
	entered = instance_enter(in, BOARD_CB_CHANNEL);
	ps->fn(in->inst, ps->id, ps->arg, &ev);
	instance_leave(in, entered);
}

static void
news_free(struct plugin_news *news)
{
	if (news->message != NULL)
		ws_message_unref(news->message);
	free(news);
}

/* What comes while this runs is told in the next turn. */
static void
news_run(struct loop_task *t)
{
	struct plugins *all = (struct plugins *)(void *)((char *)t -
	    offsetof(struct plugins, news_task));
	struct plugin_newses now = STAILQ_HEAD_INITIALIZER(now);
	struct plugin_news *news;
	struct plugin_sub *ps;

	STAILQ_CONCAT(&now, &all->news);
	while ((news = STAILQ_FIRST(&now)) != NULL) {
		STAILQ_REMOVE_HEAD(&now, link);
		ps = handle_get(&all->subs, news->id.id);
		if (ps != NULL)
			sub_tell(ps, news);
		news_free(news);
	}
}

static void
sub_deliver(struct subscriber *s, struct delivery *d)
{
	struct plugin_sub *ps = (struct plugin_sub *)(void *)s;
	struct plugins *all = ps->in->all;
	struct plugin_news *news = xmalloc(sizeof(*news) + d->channel->len);

	news->id = ps->id;
	news->node = d->node;
	news->seq = d->seq;
	news->message = d->gap ? NULL : ws_message_ref(delivery_message(d));
	news->len = d->channel->len;
	memcpy(news->channel, d->channel->name, d->channel->len);
	STAILQ_INSERT_TAIL(&all->news, news, link);
	loop_defer(all->loop, &all->news_task);
}

static int32_t
api_subscribe(const struct hostd_host *host, hostd_buf name,
    void (*fn)(struct hostd_inst *, hostd_sub, void *,
    const struct hostd_channel_event *), void *arg, hostd_sub *out)
{
	struct instance *in = host->ctx;
	struct plugin_sub *ps;
	struct real_name real;
	int32_t rc;

	if ((rc = channel_check(host, &name, &real, "subscribe")) != HOSTD_OK)
		return rc;
	if (fn == NULL || out == NULL)
		return HOSTD_E_INVAL;
	if (in->nsubs >= SUBS_MAX || in->ending)
		return HOSTD_E_FULL;
	ps = xcalloc(1, sizeof(*ps));
	LIST_INIT(&ps->subscriber.subscriptions);
	ps->subscriber.deliver = sub_deliver;
	ps->in = in;
	ps->fn = fn;
	ps->arg = arg;
	ps->id.id = handle_new(&in->all->subs, ps);
	LIST_INSERT_HEAD(&in->subs, ps, link);
	in->nsubs++;
	(void)channel_subscribe(&in->all->hub.channels, &ps->subscriber, name);
	*out = ps->id;
	return HOSTD_OK;
}

static void
sub_end(struct plugin_sub *ps)
{
	struct instance *in = ps->in;

	subscriber_close(&in->all->hub.channels, &ps->subscriber);
	handle_free(&in->all->subs, ps->id.id);
	LIST_REMOVE(ps, link);
	in->nsubs--;
	free(ps);
}

static int32_t
api_unsubscribe(const struct hostd_host *host, hostd_sub id)
{
	struct instance *in = host->ctx;
	struct plugin_sub *ps;
	int32_t rc;

	if ((rc = instance_check_thread(in, "unsubscribe")) != 0)
		return rc;
	ps = handle_get(&in->all->subs, id.id);
	if (ps == NULL || ps->in != in) {
		board_add(&in->all->cell->counters.stale_handles, 1);
		return HOSTD_E_GONE;
	}
	sub_end(ps);
	return HOSTD_OK;
}

/* -- questions -- */

static int32_t
api_count_here(const struct hostd_host *host, hostd_buf name, uint32_t *out)
{
	struct instance *in = host->ctx;
	struct channel *ch;
	struct real_name real;
	int32_t rc;

	if ((rc = channel_check(host, &name, &real, "count_here")) != HOSTD_OK)
		return rc;
	if (out == NULL)
		return HOSTD_E_INVAL;
	ch = channel_find(&in->all->hub.channels, name);
	*out = ch == NULL ? 0 : ch->nsockets;
	return HOSTD_OK;
}

/* What a plugin asked, until it is answered; the query's to free. */
union ask_fn {
	void (*count)(struct hostd_inst *, void *, int32_t, uint64_t);
	void (*list)(struct hostd_inst *, void *, int32_t, const hostd_buf *,
	    uint32_t);
	void (*replay)(struct hostd_inst *, void *, int32_t,
	    const struct hostd_channel_event *);
	void (*largest)(struct hostd_inst *, void *, int32_t,
	    const hostd_channel_size *, uint32_t);
};

struct ask {
	union ask_fn fn;
	void *arg;
	uint64_t node, seq;
	uint32_t max;
	size_t len;
	char channel[CHANNEL_NAME_MAX];
};

static void
count_done(void *owner, void *arg, int32_t status, struct buf *answers)
{
	struct instance *in = owner;
	struct ask *a = arg;
	uint64_t entered, n, total = 0;
	size_t i;

	for (i = 0; i + sizeof(n) <= answers->len; i += sizeof(n)) {
		memcpy(&n, answers->p + i, sizeof(n));
		total += le64toh(n);
	}
	entered = instance_enter(in, BOARD_CB_CHANNEL);
	a->fn.count(in->inst, a->arg, status, total);
	instance_leave(in, entered);
}

static void
list_done(void *owner, void *arg, int32_t status, struct buf *answers)
{
	hostd_buf labels[ROOM_LIST_MAX];
	struct instance *in = owner;
	struct ask *a = arg;
	const unsigned char *p = (const unsigned char *)answers->p;
	size_t i = 0;
	uint32_t n = 0;
	uint64_t entered;

	while (n < ROOM_LIST_MAX && i < answers->len &&
	    i + 1 + p[i] <= answers->len) {
		labels[n++] = (hostd_buf){ p + i + 1, p[i] };
		i += 1u + p[i];
	}
	entered = instance_enter(in, BOARD_CB_CHANNEL);
	a->fn.list(in->inst, a->arg, status, labels, n);
	instance_leave(in, entered);
}

/* By time, then by who said it, then in their order. */
static int
past_compare(const void *x, const void *y)
{
	const struct envelope *a = x, *b = y;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return a->seq == b->seq ? 0 : a->seq < b->seq ? -1 : 1;
}

/* All envelopes in order, what several have told once.  Returns how many. */
static size_t
past_sort(struct envelope *v, const struct buf *answers)
{
	size_t at = 0, n = 0, i, k = 0;
	int64_t used;

	while (at < answers->len && (used = envelope_parse(&v[n],
	    answers->p + at, answers->len - at)) > 0) {
		at += (size_t)used;
		n++;
	}
	qsort(v, n, sizeof(*v), past_compare);
	for (i = 0; i < n; i++)
		if (k == 0 || past_compare(&v[k - 1], &v[i]) != 0)
			v[k++] = v[i];
	return k;
}

static void
past_tell(struct instance *in, const struct ask *a, int32_t status,
    const struct envelope *e)
{
	struct hostd_channel_event ev = { .struct_size = sizeof(ev),
		.type = HOSTD_CHANNEL_MESSAGE };
	uint64_t entered;

	if (e != NULL) {
		if (e->type == ENV_GAP)
			ev.type = HOSTD_CHANNEL_GAP;
		ev.flags = e->flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY);
		ev.node = e->node;
		ev.seq = e->seq;
		ev.channel = given_name(in, a->channel, a->len);
		ev.msg = e->payload;
	}
	entered = instance_enter(in, BOARD_CB_CHANNEL);
	a->fn.replay(in->inst, a->arg, status, e == NULL ? NULL : &ev);
	instance_leave(in, entered);
}

static void
replay_done(void *owner, void *arg, int32_t status, struct buf *answers)
{
	struct envelope *v = xcalloc(answers->len / ENVELOPE_HEAD + 1,
	    sizeof(*v));
	size_t i, n = past_sort(v, answers), from = 0;
	struct instance *in = owner;
	struct ask *a = arg;

	for (i = 0; i < n; i++)
		if (v[i].type != ENV_GAP && v[i].node == a->node &&
		    v[i].seq == a->seq)
			from = i + 1;
	for (i = from; i < n; i++)
		past_tell(in, a, HOSTD_OK, &v[i]);
	past_tell(in, a, status, NULL);
	free(v);
}

static void
largest_done(void *owner, void *arg, int32_t status, struct buf *answers)
{
	hostd_channel_size sizes[LARGEST_MAX];
	struct instance *in = owner;
	struct ask *a = arg;
	size_t n = largest_sum(answers, sizes, a->max);
	uint64_t entered = instance_enter(in, BOARD_CB_CHANNEL);

	a->fn.largest(in->inst, a->arg, status, sizes, (uint32_t)n);
	instance_leave(in, entered);
}

static int32_t
ask(const struct hostd_host *host, enum query_kind kind, hostd_buf name,
    query_done done, const struct ask *about)
{
	struct instance *in = host->ctx;
	struct ask *a;

	if (in->ending)
		return HOSTD_E_STATE;
	a = xmalloc(sizeof(*a));
	*a = *about;
	a->len = name.n;
	if (name.n > 0)
		memcpy(a->channel, name.p, name.n);
	query_start(&in->all->hub, kind, name, done, in, a);
	return HOSTD_OK;
}

static int32_t
api_count(const struct hostd_host *host, hostd_buf name,
    void (*done)(struct hostd_inst *, void *, int32_t, uint64_t), void *arg)
{
	const struct ask a = { .fn = { .count = done }, .arg = arg };
	struct real_name real;
	int32_t rc;

	if ((rc = channel_check(host, &name, &real, "count")) != HOSTD_OK)
		return rc;
	if (done == NULL)
		return HOSTD_E_INVAL;
	return ask(host, QUERY_COUNT, name, count_done, &a);
}

static int32_t
api_list(const struct hostd_host *host, hostd_buf name,
    void (*done)(struct hostd_inst *, void *, int32_t, const hostd_buf *,
    uint32_t), void *arg)
{
	const struct ask a = { .fn = { .list = done }, .arg = arg };
	struct real_name real;
	int32_t rc;

	if ((rc = channel_check(host, &name, &real, "list")) != HOSTD_OK)
		return rc;
	if (done == NULL)
		return HOSTD_E_INVAL;
	return ask(host, QUERY_LIST, name, list_done, &a);
}

static int32_t
api_keep(const struct hostd_host *host, hostd_buf name, uint32_t max,
    uint32_t max_age_ms)
{
	struct instance *in = host->ctx;
	struct real_name real;
	int32_t rc;

	if ((rc = channel_check(host, &name, &real, "keep")) != HOSTD_OK)
		return rc;
	if (max > HISTORY_MAX || (max > 0 && max_age_ms == 0))
		return HOSTD_E_INVAL;
	hub_keep(&in->all->hub, name, in, max, max_age_ms);
	return HOSTD_OK;
}

static int32_t
api_replay(const struct hostd_host *host, hostd_buf name, uint64_t node,
    uint64_t seq, void (*done)(struct hostd_inst *, void *, int32_t,
    const struct hostd_channel_event *), void *arg)
{
	const struct ask a = { .fn = { .replay = done }, .arg = arg,
		.node = node, .seq = seq };
	struct real_name real;
	int32_t rc;

	if ((rc = channel_check(host, &name, &real, "replay")) != HOSTD_OK)
		return rc;
	if (done == NULL)
		return HOSTD_E_INVAL;
	return ask(host, QUERY_REPLAY, name, replay_done, &a);
}

static int32_t
api_largest(const struct hostd_host *host, uint32_t max,
    void (*done)(struct hostd_inst *, void *, int32_t,
    const hostd_channel_size *, uint32_t), void *arg)
{
	const struct ask a = { .fn = { .largest = done }, .arg = arg,
		.max = max };
	int32_t rc = instance_check_thread(host->ctx, "largest");

	if (rc != HOSTD_OK)
		return rc;
	if (done == NULL || max == 0 || max > LARGEST_MAX)
		return HOSTD_E_INVAL;
	return ask(host, QUERY_LARGEST, (hostd_buf){ "", 0 }, largest_done,
	    &a);
}

/* -- life -- */

void
channel_service_init(struct plugins *all)
{
	STAILQ_INIT(&all->news);
	all->news_task.run = news_run;
}

void
channel_service_stop(struct instance *in)
{
	struct plugin_sub *ps;

	/* One whose create has failed has left nothing to be told. */
	query_forget(&in->all->hub, in, in->created);
	hub_forget(&in->all->hub, in);
	while ((ps = LIST_FIRST(&in->subs)) != NULL)
		sub_end(ps);
}

void
channel_service_close(struct plugins *all)
{
	struct plugin_news *news;

	loop_undefer(all->loop, &all->news_task);
	while ((news = STAILQ_FIRST(&all->news)) != NULL) {
		STAILQ_REMOVE_HEAD(&all->news, link);
		news_free(news);
	}
	handle_table_free(&all->subs);
}

static const struct hostd_channel_api channel_api = {
	.struct_size = sizeof(struct hostd_channel_api),
	.publish = api_publish,
	.subscribe = api_subscribe,
	.unsubscribe = api_unsubscribe,
	.count_here = api_count_here,
	.count = api_count,
	.list = api_list,
	.keep = api_keep,
	.replay = api_replay,
	.largest = api_largest,
};

const struct hostd_channel_api *
channel_service(void)
{
	return &channel_api;
}
