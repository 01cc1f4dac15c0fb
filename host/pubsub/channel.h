/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels of one worker: names, who is subscribed here, and which other
 * workers have subscribers.  A channel exists as long as anybody cares.
 */
#ifndef PUBSUB_CHANNEL_H
#define PUBSUB_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <hostd/abi.h>
#include "base/map.h"

struct bus_peer;
struct channel;
struct delivery;
struct history;
struct marks;
struct subscriber;
struct subscription;

#define CHANNEL_NAME_MAX	255

/* Who may be subscribed to many channels: a socket, or one function of a
 * plugin. */
struct subscriber {
	LIST_HEAD(, subscription) subscriptions;
	uint32_t n;
	int is_socket;
	struct marks *since;	/* came from another worker, which had
				   delivered what these cover; or NULL */
	/* A message, or a gap.  May not subscribe, nor end anything. */
	void (*deliver)(struct subscriber *, struct delivery *);
};

struct subscription {
	LIST_ENTRY(subscription) of_subscriber;
	TAILQ_ENTRY(subscription) of_channel;
	struct subscriber *subscriber;
	struct channel *channel;
};

/* The last message of one process of another node, to notice what comes
 * twice. */
struct channel_origin {
	uint64_t node;
	uint64_t seq;
};

struct channel {
	char *name;
	size_t len;
	TAILQ_HEAD(, subscription) subscriptions;
	uint32_t nsockets, nothers;	/* subscribers here */
	struct bus_peer **peers;	/* workers that have some */
	uint32_t npeers;
	struct history *history;	/* NULL: nobody wants it kept */
	int gap_due;			/* told when the backend has it again */
	int due;			/* not in force at the backend */
	uint32_t hold_round;		/* it was named in; see hold.h */
	struct channel_origin *origins;
	uint32_t norigins, next_origin;
};

struct channels {
	struct map map;			/* name -> struct channel */
	/* The first subscriber here has come (on), or the last has gone. */
	void (*interest)(struct channels *, struct channel *, int on);
};

int	channel_name_ok(hostd_buf);

/* NULL when nobody cares. */
struct channel *channel_find(struct channels *, hostd_buf name);
/* The same, made when it is not there; to be followed by channel_settle. */
struct channel *channel_get(struct channels *, hostd_buf name);
/* Forget it if nobody cares any more. */
void	channel_settle(struct channels *, struct channel *);
/* All that nobody cares about. */
void	channels_settle(struct channels *);
void	channels_free(struct channels *);

/* Twice is once.  Returns the subscription. */
struct subscription *channel_subscribe(struct channels *, struct subscriber *,
	    hostd_buf name);
/* NULL when it is not subscribed. */
struct subscription *channel_subscription(const struct subscriber *,
	    hostd_buf name);
void	channel_unsubscribe(struct channels *, struct subscription *);
/* From everything. */
void	subscriber_close(struct channels *, struct subscriber *);

/* Another worker has subscribers, or none any more. */
void	channel_peer_add(struct channel *, struct bus_peer *);
void	channel_peer_del(struct channel *, const struct bus_peer *);

/* Is this message of another node news? */
int	channel_is_news(struct channel *, uint64_t node, uint64_t seq);

static inline int
channel_is_wanted(const struct channel *ch)
{
	return ch->nsockets + ch->nothers > 0 || ch->history != NULL;
}

static inline hostd_buf
channel_name(const struct channel *ch)
{
	return (hostd_buf){ ch->name, ch->len };
}

#endif
