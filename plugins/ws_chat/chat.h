/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of ws_chat, and how its parts fit together. */
#ifndef WS_CHAT_CHAT_H
#define WS_CHAT_CHAT_H

#include <sys/queue.h>
#include <jansson.h>
#include <hostd/easy.h>
#include <hostd/status.h>
#include <hostd/timer.h>

#define CHANNEL_MAX	255	/* bytes: hostd.channel/1 */
#define NAME_MAX_CHARS	63	/* so that it fits a label in any script */
#define PREFIX_MAX	100	/* bytes; leaves room for the name of a room */
#define QUESTIONS_MAX	8	/* of a connection: each asks all workers */

TAILQ_HEAD(rooms, room);
TAILQ_HEAD(questions, question);

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timer;
	const struct hostd_status_api *status;	/* NULL: not served */
	void *rooms;			/* room.c's tree */
	struct rooms idle;		/* nobody here; oldest first */
	uint32_t nidle;
	struct questions questions;	/* asked, not answered */
	char *welcome;			/* NULL until the first connection */
	uint64_t origin, count;		/* make the ids */
	int gap;			/* messages may have been lost */
	/* the configuration */
	hostd_buf prefix;		/* [instance] */
	uint32_t history, history_age, max_rooms, idle_rooms, max_name,
	    max_text;
};

/* -- room.c: the rooms of this worker, and what is kept of them -- */

struct room {
	hostd_buf name;			/* first: the tree's key */
	TAILQ_ENTRY(room) link;		/* of idle */
	uint32_t seats;			/* connections of this worker in it */
	uint64_t idle_since;
};

/* A room has two channels: what is said there is kept, who comes and goes is
 * not. */
enum room_channel { ROOM_TALK, ROOM_DOOR };

/* Into out; n 0 when the name is too long for it. */
hostd_buf room_channel(const struct hostd_inst *, enum room_channel,
	    hostd_buf name, char out[CHANNEL_MAX]);
/* One more seat, in a new room if need be; NULL: out of memory. */
struct room *room_enter(struct hostd_inst *, hostd_buf name);
/* One less.  A room that nobody is in is kept for a while. */
void	room_leave(struct hostd_inst *, struct room *);
/* fn for each that has seats. */
void	rooms_each(struct hostd_inst *,
	    void (*fn)(struct hostd_inst *, const struct room *));
/* Idle ones whose messages have all become too old go. */
void	rooms_tidy(struct hostd_inst *);
void	rooms_free(struct hostd_inst *);

/* -- member.c: one connection, and the rooms it is in -- */

struct seat;

struct member {
	LIST_HEAD(, seat) seats;
	uint32_t nseats;
	uint32_t nquestions;		/* not answered yet */
	char *name;			/* NULL before the first join */
	size_t name_len;
};

/* What a client may ask for: the request, checked to be an object. */
int32_t	member_join(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
int32_t	member_leave(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
int32_t	member_message(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
int32_t	member_list(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
/* The connection has ended: it leaves all rooms. */
void	member_gone(struct hostd_inst *, struct member *);

/* -- question.c: what is asked of all workers, and answered later -- */

/* Send the messages that are kept of a room to ws; id 0: to all here who are
 * in it. */
int32_t	question_history(struct hostd_inst *, hostd_ws, const struct room *);
/* Send the names of those who are in a room. */
int32_t	question_members(struct hostd_inst *, hostd_ws, hostd_buf room);
void	questions_free(struct hostd_inst *);

/* -- reply.c: JSON on its way out.  All take the object, and bear NULL: out of
 * memory. -- */

int32_t	reply_send(struct hostd_inst *, hostd_ws, json_t *);
int32_t	reply_publish(struct hostd_inst *, enum room_channel, hostd_buf room,
	    json_t *);
int32_t	reply_error(struct hostd_inst *, hostd_ws, const char *code,
	    const char *text);
/* {"type": type, "room": room, "name": the member's, "id": a new one}. */
json_t	*reply_news(struct hostd_inst *, const char *type, hostd_buf room,
	    const struct member *);
/* The first that a connection hears. */
int32_t	reply_welcome(struct hostd_inst *, hostd_ws);

/* -- words.c: what may be a name -- */

/* Characters in UTF-8 that is known to be valid. */
size_t	words_length(hostd_buf);
/* NULL, or what is wrong with a name of at most max characters. */
const char *words_check_name(hostd_buf, uint32_t max);

#endif
