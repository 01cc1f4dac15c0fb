/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "pubsub/channel.h"
#include "pubsub/marks.h"

#define ORIGINS_MAX	256

int
channel_name_ok(hostd_buf name)
{
	const unsigned char *p = name.p;
	size_t i;

	if (p == NULL || name.n == 0 || name.n > CHANNEL_NAME_MAX)
		return 0;
	for (i = 0; i < name.n; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return 0;
	return 1;
}

struct channel *
channel_find(struct channels *all, hostd_buf name)
{
	return map_get(&all->map, name.p, name.n);
}

struct channel *
channel_get(struct channels *all, hostd_buf name)
{
	struct channel *ch = channel_find(all, name);

	if (ch != NULL)
		return ch;
	ch = xcalloc(1, sizeof(*ch));
	ch->name = xstrndup(name.p, name.n);
	ch->len = name.n;
	TAILQ_INIT(&ch->subscriptions);
	(void)map_put(&all->map, name.p, name.n, ch);
	return ch;
}

static void
channel_free(struct channel *ch)
{
	free(ch->name);
	free(ch->peers);
	free(ch->origins);
	free(ch);
}

void
channel_settle(struct channels *all, struct channel *ch)
{
	if (channel_is_wanted(ch) || ch->npeers > 0)
		return;
	(void)map_del(&all->map, ch->name, ch->len);
	channel_free(ch);
}

void
channels_settle(struct channels *all)
{
	struct channel **idle = xcalloc(all->map.n + 1, sizeof(*idle));
	struct map_entry *e;
	size_t it = 0, i, n = 0;

	while ((e = map_next(&all->map, &it)) != NULL)
		idle[n++] = e->value;
	for (i = 0; i < n; i++)
		channel_settle(all, idle[i]);
	free(idle);
}

void
channels_free(struct channels *all)
{
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(&all->map, &it)) != NULL)
		channel_free(e->value);
	map_free(&all->map);
}

/* -- subscribers here -- */

struct subscription *
channel_subscription(const struct subscriber *who, hostd_buf name)
{
	struct subscription *sub;

	LIST_FOREACH(sub, &who->subscriptions, of_subscriber)
		if (sub->channel->len == name.n &&
		    memcmp(sub->channel->name, name.p, name.n) == 0)
			return sub;
	return NULL;
}

struct subscription *
channel_subscribe(struct channels *all, struct subscriber *who, hostd_buf name)
{
	struct subscription *sub = channel_subscription(who, name);
	struct channel *ch;
	int wanted;

	if (sub != NULL)
		return sub;
	ch = channel_get(all, name);
	wanted = channel_is_wanted(ch);
	sub = xmalloc(sizeof(*sub));
	sub->subscriber = who;
	sub->channel = ch;
	LIST_INSERT_HEAD(&who->subscriptions, sub, of_subscriber);
	TAILQ_INSERT_TAIL(&ch->subscriptions, sub, of_channel);
	who->n++;
	if (who->is_socket)
		ch->nsockets++;
	else
		ch->nothers++;
	if (!wanted)
		all->interest(all, ch, 1);
	return sub;
}

void
channel_unsubscribe(struct channels *all, struct subscription *sub)
{
	struct channel *ch = sub->channel;

	LIST_REMOVE(sub, of_subscriber);
	TAILQ_REMOVE(&ch->subscriptions, sub, of_channel);
	sub->subscriber->n--;
	if (sub->subscriber->is_socket)
		ch->nsockets--;
	else
		ch->nothers--;
	free(sub);
	if (!channel_is_wanted(ch))
		all->interest(all, ch, 0);
	channel_settle(all, ch);
}

void
subscriber_close(struct channels *all, struct subscriber *who)
{
	struct subscription *sub;

	while ((sub = LIST_FIRST(&who->subscriptions)) != NULL)
		channel_unsubscribe(all, sub);
	marks_unref(who->since);
	who->since = NULL;
}

/* -- others -- */

void
channel_peer_add(struct channel *ch, struct bus_peer *p)
{
	uint32_t i;

	for (i = 0; i < ch->npeers; i++)
		if (ch->peers[i] == p)
			return;
	ch->peers = xrealloc(ch->peers, (ch->npeers + 1) * sizeof(p));
	ch->peers[ch->npeers++] = p;
}

void
channel_peer_del(struct channel *ch, const struct bus_peer *p)
{
	uint32_t i;

	for (i = 0; i < ch->npeers; i++)
		if (ch->peers[i] == p) {
			ch->peers[i] = ch->peers[--ch->npeers];
			return;
		}
}

/*
 * The number's high bits name the process, the low ones count: what one process
 * publishes to one channel comes in that order, if it comes.
 */
#define PROCESS(seq)	((seq) >> 40)

int
channel_is_news(struct channel *ch, uint64_t node, uint64_t seq)
{
	struct channel_origin *o;
	uint32_t i;

	for (i = 0; i < ch->norigins; i++) {
		o = &ch->origins[i];
		if (o->node != node || PROCESS(o->seq) != PROCESS(seq))
			continue;
		if (seq <= o->seq)
			return 0;
		o->seq = seq;
		return 1;
	}
	if (ch->norigins < ORIGINS_MAX) {
		ch->origins = xrealloc(ch->origins, (ch->norigins + 1) *
		    sizeof(*o));
		o = &ch->origins[ch->norigins++];
	} else {
		/* Whoever is forgotten comes in as news again. */
		o = &ch->origins[ch->next_origin++ % ORIGINS_MAX];
	}
	o->node = node;
	o->seq = seq;
	return 1;
}
