/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instance of socketio_redis: a worker as a node of a cluster of Socket.IO
 * whose nodes speak as @socket.io/redis-adapter does.
 *
 *   node    Redis, or those of a cluster: connections to publish, to subscribe
 *   link    what is published and subscribed by them
 *   space   the channels of a namespace, and its rooms here
 *   tell    what others are told        heard   what they tell
 *   sharded the same as createShardedAdapter has it
 *   ask     what others are asked       asked   what they ask
 *   words   words under names that all see
 *
 * A node has a uid: what is the machine's, then what is the worker's.  Workers
 * of one machine tell each other without Redis, so what they have told is
 * dropped here.
 */
#ifndef SOCKETIO_REDIS_ADAPTER_H
#define SOCKETIO_REDIS_ADAPTER_H

#include <sys/queue.h>
#include <msgpack/sbuffer.h>
#include <hostd/easy.h>
#include <hostd/json_write.h>
#include <hostd/metrics.h>
#include <hostd/ready.h>
#include <hostd/socketio_adapter.h>
#include <hostd/timer.h>
#include <redis/client.h>
#include <redis/presence.h>
#include <redis/settings.h>
#include <redis/survey.h>
#include <socketio/table.h>
#include "unpack.h"

#define KEY_MAX		64
#define UID_MACHINE	8
#define UID_LEN		(UID_MACHINE + 4)
#define RID_LEN		6
#define SHARDED_AROUND	4	/* levels of a message around an argument */
#define REQUEST_MS	5000	/* to answer what says no time, as Node */

/* What comes by a subscription. */
enum role { BROADCASTS, REQUESTS, RESPONSES, ANSWERS, ROLES, ROOM };

/* Sharded: which rooms have channels of their own. */
enum subscription { STATIC = 1, DYNAMIC, DYNAMIC_PRIVATE };

struct channel {
	struct table_entry entry;	/* of channels */
	struct space *space;
	enum role role;
	int is_awaited;			/* it is not in force yet */
	int is_echo;			/* it is subscribed once more, see
					   link_sync */
};

struct space {
	struct table_entry entry;	/* of spaces */
	struct hostd_inst *in;
	hostd_buf name;
	struct channel channels[ROLES];	/* sharded: the first and the last */
	struct table rooms;		/* that have sockets here */
	unsigned waiting;		/* subscriptions not in force yet */
};

/* One Redis. */
struct node {
	LIST_ENTRY(node) link;
	struct hostd_inst *in;
	struct redis_client *pub, *sub;	/* NULL: not needed */
	struct redis_node_addr at;
	int wanted;			/* it is in the map */
	int is_asked;			/* by link_sync */
};

enum mode { MODE_UNKNOWN, MODE_PLAIN, MODE_CLUSTER };

struct names {
	hostd_buf *v;
	uint32_t n, size;
};

/* A message that has come, in memory that is used again and again. */
struct heard {
	struct unpacked unpacked;
	hostd_buf json;			/* of it, or the message */
	char *texts;			/* strings that had escapes */
	size_t used, size;
	uint64_t id;			/* in all workers */
	struct names rooms, except, list, args;
	struct hostd_json mended;	/* lists of names that had numbers */
	struct hostd_sio_remote *sockets;
	uint32_t nsockets;
};

struct counted {
	const struct hostd_metrics_api *api;	/* NULL: not served */
	uint32_t published, received, ignored;
};

struct hostd_inst {
	const struct hostd_host *host;
	const struct hostd_sio_adapter_api *api;
	struct redis_host redis;
	struct redis_settings settings;
	struct redis_presence presence;
	enum mode mode;
	struct node home;		/* of the URL; it knows its cluster */
	LIST_HEAD(, node) nodes;	/* of a cluster */
	struct redis_slots *map;
	struct node *owners[REDIS_NODES];	/* as the map counts them */
	struct redis_survey survey;
	LIST_HEAD(, asker) askers;	/* of words */
	hostd_buf key;
	int on_own_channel;		/* where questions are answered */
	int sharded;			/* enum subscription; 0: not */
	char uid[UID_LEN + 1];
	uint64_t seed;			/* of ids of questions */
	struct table spaces, channels, asking, asked;
	uint64_t last_ref;
	unsigned waiting;		/* subscriptions not in force yet */
	uint64_t started_ms;
	const struct hostd_ready_api *ready;	/* not NULL: the worker is
						   held back */
	hostd_timer ready_late;
	uint32_t hold_ms;
	unsigned echoes;		/* that are to come */
	int up;
	int said, refused;		/* that it is lost; that it refuses */
	char why[256];			/* it is lost */
	msgpack_sbuffer out;		/* what is to be published */
	struct hostd_json json;		/* the same */
	struct heard heard;
	struct counted counted;
	uint64_t ignored, ignored_said;	/* messages; when it was logged */
};

/* -- node.c -- */

int	nodes_open(struct hostd_inst *);
void	nodes_close(struct hostd_inst *);
/* Who has this; NULL: nobody is known. */
struct node *node_of(const struct hostd_inst *, hostd_buf channel);
struct node *node_of_key(const struct hostd_inst *, hostd_buf key);
/* All, starting with NULL; NULL behind the last. */
struct node *node_next(const struct hostd_inst *, const struct node *);
int	nodes_are_up(const struct hostd_inst *);
/* What is known may be wrong: nothing is subscribed any more, and it is looked
 * for again. */
void	nodes_anew(struct hostd_inst *);

/* -- link.c -- */

extern const struct redis_client_ops link_client_ops;
/* Until they can be reached this worker is not ready, for hold_ms at most: it
 * would not hear what sockets that come to it are told. */
void	link_hold(struct hostd_inst *);
/* It is, as far as that is known elsewhere. */
void	link_settled(struct hostd_inst *);
/* Has all come that was published before? */
void	link_sync(struct hostd_inst *);
/* The others can't be reached. */
void	link_lost(struct hostd_inst *, const char *why);
void	link_subscribe(struct hostd_inst *, struct channel *, int on);
/* This channel is not waited for any more. */
void	link_forget(struct hostd_inst *, struct channel *);
/* OK, AGAIN, or negative: not taken. */
int32_t	link_publish(struct hostd_inst *, hostd_buf channel, hostd_buf);
/* What came by this channel is of no use. */
void	link_ignore(struct hostd_inst *, hostd_buf channel, const char *why);
/* Redis does not do what it was asked for; this is said once. */
void	link_refused(struct hostd_inst *, const char *command,
	    const redisReply *);
int32_t	link_counts(struct hostd_inst *, struct hostd_err *);

/* -- space.c -- */

void	space_open(struct hostd_inst *, hostd_buf name);
void	space_close(struct hostd_inst *, hostd_buf name);
void	space_room(struct hostd_inst *, hostd_buf name, hostd_buf room,
	    int32_t on);
int32_t	space_is_apart(struct hostd_inst *, hostd_buf name, hostd_buf room);
struct space *space_find(const struct hostd_inst *, hostd_buf name);
int	space_has(const struct space *, hostd_buf room);
void	spaces_free(struct hostd_inst *);
/* key, kind, "#", nsp, "#", and of more than 0 bytes tail and "#": malloc'ed; p
 * NULL: out of memory. */
hostd_buf channel_name(const struct hostd_inst *, const char *kind,
	    hostd_buf nsp, hostd_buf tail);

/* -- tell.c -- */

int32_t	tell(struct hostd_inst *, const struct hostd_sio_order *);
/* The two maps of a broadcast, and of a question to clients. */
int	write_packet(struct hostd_inst *, hostd_buf nsp, hostd_buf name,
	    const struct hostd_sio_args *);
int	write_opts(struct hostd_inst *, const struct hostd_sio_to *,
	    uint32_t timeout_ms);
void	write_json_names(struct hostd_json *, const char *name,
	    const hostd_buf *, uint32_t n);
/* The same of JSON: "opts":{"rooms":[...],"except":[...]} */
void	write_json_opts(struct hostd_json *, const struct hostd_sio_to *);
/* One argument; Buffers as JSON.stringify writes them. */
void	write_json_arg(struct hostd_json *, hostd_buf json,
	    const struct hostd_sio_args *);
/* OK, or what is wrong with these arguments: nobody could read them. */
int32_t	args_check(const struct hostd_sio_args *, unsigned depth);
/* Is this uid one of our machine's? */
int	uid_is_ours(const struct hostd_inst *, hostd_buf uid);

/* -- heard.c -- */

void	heard_broadcast(struct space *, hostd_buf channel, hostd_buf message);
void	heard_request(struct space *, hostd_buf channel, hostd_buf message);
void	heard_free(struct heard *);
/* Start with a message that came by this channel: JSON, or MessagePack. -1: it
 * is neither. */
int	heard_begin(struct heard *, hostd_buf channel, hostd_buf message);
/* A string, or the digits of a number; 0: it is neither. */
int	heard_text(struct heard *, hostd_buf json, hostd_buf *out);
/* A list of those: 0; none is an empty one; -1: it is another thing, or out of
 * memory. */
int	heard_names(struct heard *, hostd_buf json, struct names *);
/* The same as JSON, which has strings only; it is good as long as no more of
 * the message is asked for than was in it. */
hostd_buf heard_strings(struct heard *, hostd_buf json);
/* The values of a list, as they are. */
int	heard_values(struct names *, hostd_buf json);
/* What rooms and except are, and flags: of an object only, since without them
 * everybody would be meant.  0, or -1. */
int	heard_opts(struct space *, hostd_buf opts, struct hostd_sio_to *);
/* [name, arguments ...] */
int	heard_event_of(struct heard *, hostd_buf data, hostd_buf *name,
	    struct hostd_sio_args *);
/* A member that is a text; p NULL: there is none. */
hostd_buf heard_member(struct heard *, hostd_buf object, const char *name);

/* -- ask.c -- */

int32_t	ask(struct hostd_inst *, const struct hostd_sio_question *,
	    uint64_t id);
void	ask_cancel(struct hostd_inst *, uint64_t id);
/* Its subscriptions are in force. */
void	ask_space_ready(struct space *);
/* The namespace, or all (NULL), can't be answered any more. */
void	ask_gone(struct hostd_inst *, const struct space *);
void	ask_free(struct hostd_inst *);
void	heard_response(struct space *, hostd_buf channel, hostd_buf message);
/* The body of an answer, which was read: 0, or -1: it is none.  type is looked
 * at where clients were asked. */
#define HEARD_COUNT	8	/* how many there are */
#define HEARD_CLIENT	9	/* what one has said */
int	heard_answer(struct space *, hostd_buf body, int64_t type);
/* Is it we who have asked this? */
int	ask_is_own(const struct hostd_inst *, hostd_buf rid);

/* -- asked.c -- */

/* Somebody asks, under the id rid; q is what. */
void	asked(struct space *, hostd_buf rid, hostd_buf uid, int only_ids,
	    const struct hostd_sio_question *);
void	answer(struct hostd_inst *, uint64_t ref,
	    const struct hostd_sio_reply *);
void	asked_free(struct hostd_inst *);

/* -- sharded.c -- */

int	sharded_has_channel(const struct hostd_inst *, hostd_buf room);
int32_t	sharded_tell(struct hostd_inst *, const struct hostd_sio_order *);
/* p NULL: out of memory. */
hostd_buf sharded_question(struct hostd_inst *,
	    const struct hostd_sio_question *, hostd_buf rid);
void	heard_sharded(struct space *, hostd_buf channel, hostd_buf message);
/* Around what an answer says; args: of what is in it, or NULL. */
void	sharded_begin(struct hostd_inst *, int type, hostd_buf rid);
hostd_buf sharded_end(struct hostd_inst *, hostd_buf nsp,
	    const struct hostd_sio_args *);

/* -- words.c -- */

int32_t	words_set(struct hostd_inst *, hostd_buf name, hostd_buf value,
	    uint32_t ttl_ms);
int32_t	words_get(struct hostd_inst *, hostd_buf name,
	    void (*done)(void *, int32_t, hostd_buf), void *arg);
/* This client is about to be freed. */
void	words_gone(struct hostd_inst *, const struct redis_client *);
void	words_free(struct hostd_inst *);

#endif
