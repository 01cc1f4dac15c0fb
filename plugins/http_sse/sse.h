/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of http_sse, and how its parts fit together. */
#ifndef HTTP_SSE_SSE_H
#define HTTP_SSE_SSE_H

#include <sys/queue.h>
#include <hostd/easy.h>
#include <hostd/timer.h>

#define CHANNEL_MAX	255	/* bytes: hostd.channel/1 */
#define PREFIX_MAX	100	/* bytes */

TAILQ_HEAD(topics, topic);
TAILQ_HEAD(clients, client);
STAILQ_HEAD(frame_refs, frame_ref);

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timer;
	void *topics;			/* topic.c's tree */
	struct topics idle;		/* without clients; oldest first */
	uint32_t nidle;
	struct clients clients;		/* all of them */
	uint32_t nclients;
	uint32_t leaving;		/* clients to send away in each step */
	/* the configuration; texts are [instance] */
	hostd_buf prefix;
	hostd_buf *channels, *origins;
	uint32_t nchannels, norigins;
	uint32_t history, history_age, idle_channels, heartbeat, retry;
	uint64_t max_pending;
};

/* What names a message. */
struct event_id {
	uint64_t node, seq;
};

/* -- frame.c: an event as it is sent, made once for all clients -- */

struct frame {
	uint32_t refs;
	struct event_id id;
	size_t n;
	char bytes[];
};

struct frame_ref {
	STAILQ_ENTRY(frame_ref) link;
	struct frame *frame;
	size_t from;			/* it and what is behind it */
};

/* NULL: out of memory. */
struct frame *frame_message(const struct hostd_channel_event *);
struct frame *frame_gap(void);
struct frame *frame_hold(struct frame *);
void	frame_drop(struct frame *);

/* Lists of references; -1: out of memory, and nothing was added. */
int	frames_add(struct frame_refs *, struct frame *, size_t from);
/* All of them as one; NULL: out of memory. */
struct frame *frames_join(const struct frame_refs *);
void	frames_drop_first(struct frame_refs *);
void	frames_drop(struct frame_refs *);

/* -- client.c: one stream -- */

/* Where it begins. */
enum since {
	SINCE_NOW,
	SINCE_EVER,		/* all that is kept */
	SINCE_ID		/* what came behind a message */
};

struct client {
	TAILQ_ENTRY(client) link;		/* of the topic's */
	TAILQ_ENTRY(client) of_instance;
	hostd_req req;
	struct topic *topic;		/* NULL: no stream */
	struct event_id id;
	enum since since;
	struct frame_refs queue;	/* not taken by the host yet */
	uint64_t pending;		/* bytes in it */
	uint64_t spared;		/* of them, those it has asked for */
	uint8_t waiting;		/* for the replay: it has not begun */
	uint8_t blocked;		/* until on_writable */
	uint8_t cut;			/* on_end is on its way */
	uint8_t spoke;			/* since the last heartbeat */
};

/* Head and first line of the stream.  Codes of begin. */
int32_t	client_begin(struct hostd_inst *, struct client *);
/* A frame, or what is behind its first bytes. */
void	client_send(struct hostd_inst *, struct client *, struct frame *,
	    size_t from);
/* Room again. */
void	client_pump(struct hostd_inst *, struct client *);
void	client_end(struct hostd_inst *, struct client *);
/* A comment to all who have not heard anything lately. */
void	clients_beat(struct hostd_inst *);
/* The next of those that are to leave, the oldest first. */
void	clients_leave(struct hostd_inst *);

/* -- topic.c: a channel that has, or had, clients here -- */

/* Listen to a channel: HOSTD_OK; HOSTD_DEFER, and the stream begins once all
 * workers have heard of that and what was missed is known; or why not: a code
 * of subscribe, E_NOMEM. */
int32_t	topic_enter(struct hostd_inst *, struct client *, hostd_buf channel);
void	topic_leave(struct hostd_inst *, struct client *);
hostd_buf topic_channel(const struct topic *);
/* Idle ones whose messages have all become too old go. */
void	topics_tidy(struct hostd_inst *);
void	topics_free(struct hostd_inst *);

/* -- replay.c: what came before -- */

struct replay;

/* From now on until it is over messages of the channel are held for those who
 * wait; NULL when it can't be asked for. */
struct replay *replay_start(struct hostd_inst *, struct topic *);
/* One that came meanwhile. */
void	replay_hold(struct replay *, const struct hostd_inst *, struct frame *);
void	replay_free(struct replay *);
/* All has come. */
void	replay_finish(struct replay *);
/* Send what a client asked for; r NULL: it could not be asked for. */
void	replay_tell(struct hostd_inst *, struct replay *r, struct client *);
/* topic.c's: it is over. */
void	topic_replayed(struct hostd_inst *, struct topic *);

/* -- request.c -- */

int32_t	request_headers(struct hostd_inst *, hostd_req, void *d);
/* Begin the answer that is a stream.  Codes of begin. */
int32_t	request_begin(struct hostd_inst *, hostd_req);

#endif
