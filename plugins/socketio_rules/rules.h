/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket.IO without code: what is done for events, connects and disconnects is
 * said in the configuration.
 *
 *   template   pure: texts with places
 *   rule       one block, as it was read
 *   rooms      names of rooms, for one occasion
 *   action     one rule, done
 *   relay      channels of hostd.channel/1, to sockets
 */
#ifndef SOCKETIO_RULES_RULES_H
#define SOCKETIO_RULES_RULES_H

#include <sys/queue.h>
#include <hostd/easy.h>
#include <hostd/metrics.h>
#include "template.h"

#define MAX_TEMPLATES	16	/* of one list */

/* In the order of the choices of the key. */
enum action {
	ACTION_NOTHING,
	ACTION_JOIN,
	ACTION_LEAVE,
	ACTION_EMIT,
	ACTION_BROADCAST,
	ACTION_REPLY,
	ACTION_SET,
	ACTION_PUBLISH,
	ACTION_DISCONNECT
};

/* A list of them. */
struct templates {
	struct template v[MAX_TEMPLATES];
	uint32_t n;
};

struct rule {
	hostd_buf event;	/* "*": any; p NULL: of no event */
	enum action action;
	int is_volatile;
	int needs_user, needs_room;
	int of_all_rooms;	/* "$rooms" is among them */
	struct templates rooms, except, args, ack;
	struct template as, channel, message;
	int has_as, has_channel, has_message, has_ack;
	hostd_buf place;	/* a file's name, */
	uint32_t line;		/* for the log */
};

struct rules {
	struct rule *v;
	uint32_t n;
};

struct relay {
	struct hostd_inst *in;
	hostd_buf channel;
	struct rule rule;
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_sio_api *sio;
	const struct hostd_metrics_api *metrics;	/* NULL: not served */
	const char **namespaces;
	int require_user;
	struct rules events, connects, disconnects;
	struct relay *relays;
	uint32_t nrelays;
	uint32_t done, failed;		/* series */
	/* Scratch, of one rule: what is made of its templates. */
	struct hostd_json text, names;
	hostd_buf *rooms;
	uint32_t nrooms, size_rooms;
};

extern const struct hostd_key *const rules_keys[];

/* -- rule.c -- */

int32_t	rules_read(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
void	rules_free(struct hostd_inst *);

/* What goes on: a socket's event, or a message of a channel. */
struct occasion {
	hostd_sio socket;	/* id 0: none */
	struct values values;
	const hostd_buf *bins;
	uint32_t nbins;
	hostd_sio_ack ack;
};

/* -- rooms.c -- */

/* What a rule's rooms and except are for this occasion, in in->rooms: *nrooms
 * of the former, then the latter.  0; -1: one is no name, or no memory. */
int	rooms_make(struct hostd_inst *, const struct rule *,
	    const struct occasion *, uint32_t *nrooms);
/* Is the socket in it? */
int	rooms_has(struct hostd_inst *, hostd_sio, hostd_buf room);
void	rooms_free(struct hostd_inst *);

/* -- action.c -- */

/* HOSTD_OK or negative; *why is a few words for the client. */
int32_t	rule_do(struct hostd_inst *, const struct rule *,
	    const struct occasion *, const char **why);
/* All of them, until one fails.  Those of events: if they are of this one.
 * PASS: none was. */
int32_t	rules_do(struct hostd_inst *, const struct rules *,
	    struct occasion *);
/* What is known of a socket.  -1: it is stale. */
int	occasion_of(struct hostd_inst *, hostd_sio, struct occasion *);

/* -- relay.c -- */

int32_t	relays_start(struct hostd_inst *);

#endif
