/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Publish and subscribe in one worker: to the subscribers here, over the bus to
 * the other workers of the machine, and by a backend to other nodes.
 *
 * Every worker subscribes at the backend for itself, and gets what other nodes
 * publish; what comes back of its own node's was on the bus already and is
 * dropped by its origin.
 */
#ifndef PUBSUB_HUB_H
#define PUBSUB_HUB_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>
#include "base/board.h"
#include "config/model.h"
#include "net/stream.h"
#include "net/wheel.h"
#include "pubsub/bequest.h"
#include "pubsub/bus.h"
#include "pubsub/channel.h"
#include "pubsub/history.h"
#include "pubsub/hold.h"
#include "pubsub/marks.h"
#include "pubsub/nodes.h"
#include "pubsub/query.h"

#define HUB_OWN_PREFIX	"hostd/"	/* channels that are ours */
#define HUB_OF_PREFIX	"hostd/of/"	/* but for those that are an instance's
					   own */
#define HUB_DEPARTED	64		/* workers that have ended,
					   remembered */

struct hub;
struct ws_message;

/* A message on its way to a subscriber. */
struct delivery {
	struct channel *channel;
	uint64_t node, seq, time;
	uint32_t flags;			/* HOSTD_WS_* */
	int gap;			/* no message: some may be missing */
	hostd_buf payload;
	const struct subscriber *except;
	struct ws_message *message;	/* NULL until somebody needs it */
};

/* The frame, made once; the delivery's reference. */
struct ws_message *delivery_message(struct delivery *);

/* The plugin room's side of a backend; codes of hostd_pubsub_ops.  Called from
 * the loop only, never while a plugin's call is on its way. */
struct hub_backend {
	const char *name;		/* of the plugin, for the log */
	uint32_t max_envelope;		/* 0: ours */
	int32_t (*publish)(struct hub_backend *, hostd_buf channel,
	    hostd_buf envelope);
	int32_t (*subscribe)(struct hub_backend *, hostd_buf channel, int on);
};

/* A process of another node. */
struct hub_remote {
	uint64_t node, process;
	uint64_t heard_ms;
	int silent;		/* it owes an answer: nobody waits for
				   another */
};

struct hub {
	struct loop *loop;
	struct board_cell *cell;
	const struct conf_pubsub *conf;
	uint64_t node;			/* of the machine */
	uint64_t process;		/* of this worker, within it */
	uint64_t count;			/* messages published */
	uint64_t clock;			/* time of the last one seen */
	struct channels channels;
	struct histories histories;
	struct bus bus;
	struct queries queries;
	struct bequest bequest;
	struct hold_ask hold;		/* of our sockets, by another */
	LIST_HEAD(, hold) holds;	/* by us, of others' */
	struct marks *last_marks;	/* of a socket that came */
	uint64_t departed[HUB_DEPARTED];	/* their last messages */
	unsigned next_departed;

	struct hub_backend *backend;	/* NULL: none */
	int up, full, was_up;
	int left;			/* has said that it ends */
	int spoke_alone;		/* others have not heard all */
	unsigned own_due;		/* our channels that are not in force */
	STAILQ_HEAD(, outgoing) outbox;	/* for the backend, this turn */
	struct loop_task post;
	struct loop_task resubscribe;
	struct wheel_timer heartbeat;
	struct wheel_timer others_gap;
	struct hub_remote *remotes;
	size_t nremotes;
	int crowded;			/* there were too many; logged */
	char inbox[64];			/* our channel for replies */
};

void	hub_init(struct hub *, struct loop *, struct board *,
	    struct board_cell *, const struct conf_pubsub *);
/* From now on other workers may be added to the bus. */
void	hub_serve(struct hub *, struct stream_io *);
/* Other nodes need not wait for our answers any more. */
void	hub_drain(struct hub *);
/* The backend is called no more. */
void	hub_stop(struct hub *);
void	hub_close(struct hub *);

/* HOSTD_OK or HOSTD_AGAIN.  name, payload and flags are checked. */
int32_t	hub_publish(struct hub *, hostd_buf name, hostd_buf payload,
	    uint32_t flags, const struct subscriber *except);
/* Owner wants nothing kept any more. */
void	hub_forget(struct hub *, const void *owner);
/* Keep messages for owner; max 0: no more. */
void	hub_keep(struct hub *, hostd_buf name, const void *owner, uint32_t max,
	    uint32_t age_ms);

/* -- the backend's side: codes of hostd_pubsub_api -- */

int32_t	hub_up(struct hub *);
int32_t	hub_down(struct hub *, const char *reason);
int32_t	hub_deliver(struct hub *, hostd_buf channel, hostd_buf envelope);
/* name NULL: of any channel. */
void	hub_gap(struct hub *, const hostd_buf *name);
void	hub_writable(struct hub *);
int32_t	hub_subscribed(struct hub *, hostd_buf channel);

/* -- for the other files here -- */

/* Queue for the backend: what follows the header is payload. */
void	outbox_publish(struct hub *, hostd_buf channel,
	    const struct envelope *);
void	outbox_subscribe(struct hub *, hostd_buf channel, int on);
/* Say it all now. */
void	outbox_post(struct hub *);
void	outbox_init(struct hub *);
void	outbox_close(struct hub *);

void	hub_deliver_envelope(struct hub *, struct channel *,
	    const struct envelope *);
/* Microseconds since 1970. */
uint64_t hub_now_us(void);
/* A message of that time was seen. */
void	hub_saw(struct hub *, uint64_t time);
/* Owner wants nothing kept of this channel; to be followed by
 * channels_settle. */
void	hub_unkeep(struct hub *, struct channel *, const void *owner);

/* To another node's process, or to all of them (remote NULL). */
void	hub_send_remote(struct hub *, const struct hub_remote *,
	    struct envelope *);

#endif
