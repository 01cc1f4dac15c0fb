/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of ws_chat, and how its parts fit together. */
#ifndef WS_CHAT_CHAT_H
#define WS_CHAT_CHAT_H

#include <sys/queue.h>
#include <jansson.h>
#include <hostd/easy.h>
#include <hostd/state.h>
#include <hostd/status.h>
#include <hostd/timer.h>

#define CHANNEL_MAX	255	/* bytes: hostd.channel/1 */
#define NAME_MAX_CHARS	63	/* so that it fits a label in any script */
#define PREFIX_MAX	100	/* bytes; leaves room for the name of a room */
#define QUESTIONS_MAX	8	/* of a connection: each asks all workers */
#define LIST_MAX	1000	/* names in a list: hostd.channel/1 */

TAILQ_HEAD(rooms, room);
TAILQ_HEAD(questions, question);
STAILQ_HEAD(mails, mail);

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timer;
	const struct hostd_status_api *status;	/* NULL: not served */
	void *rooms;			/* room.c's tree */
	struct rooms open;		/* with seats */
	struct rooms idle;		/* nobody here; oldest first */
	uint32_t nidle;
	hostd_timer care;		/* while a room is open */
	struct questions questions;	/* asked, not answered */
	struct mails mails;		/* on their way to rooms */
	int mailing;
	uint32_t nstale, nrefreshing;	/* rooms */
	int calling;			/* the roll of a room */
	uint64_t next_call;		/* no roll is due before */
	char *welcome;			/* NULL until the first connection */
	uint64_t origin, count;		/* make the ids */
	uint64_t dice;
	/* the configuration */
	hostd_buf prefix, user_key;	/* [instance] */
	uint32_t history, history_age, max_rooms, idle_rooms, max_name,
	    max_text, roll_call;
};

/* -- room.c: the rooms of this worker, and what is kept of them -- */

/* A message that was heard; at 0: none. */
struct mark {
	uint64_t node, seq, at;
};

struct room {
	hostd_buf name;			/* first: the tree's key */
	TAILQ_ENTRY(room) link;		/* of open or idle */
	uint32_t seats;			/* connections of this worker in it */
	uint64_t idle_since;
	/* while it is open */
	hostd_sub talk, door;
	struct {
		struct mark older, newer;
		struct mark since;	/* what came behind may be new */
		uint64_t at;		/* not before */
		int stale, asked;
	} refresh;
	struct {
		json_t *people;		/* name -> connections: who is there, */
		int known;		/* once all were asked, */
		int doubt;		/* or were others by the last answer */
		json_t *stirred;	/* have come or gone since we asked */
		uint64_t at;		/* when it is due */
	} roll;
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
/* NULL: there is none. */
struct room *room_find(const struct hostd_inst *, hostd_buf name);
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
	int login;			/* that is the name of a login */
	hostd_req upgrade;		/* what it was before */
};

/* It has that name, if a member may, and no other. */
void	member_log_in(const struct hostd_inst *, struct member *,
	    hostd_buf name);

/* What a client may ask for: the request, checked to be an object. */
int32_t	member_join(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
int32_t	member_leave(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
int32_t	member_message(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
int32_t	member_list(struct hostd_inst *, hostd_ws, struct member *,
	    const json_t *);
int	member_is_in(const struct member *, hostd_buf room);
/* The connection has ended: it leaves all rooms. */
void	member_gone(struct hostd_inst *, struct member *);
/* The same without a word to anybody. */
void	member_forget(struct hostd_inst *, struct member *);
/* Into an object, and out of it: "name", "login", "rooms", and "stale", those
 * in which it may have missed something.  The host keeps its label and its
 * channels. */
int	member_pack(const struct member *, json_t *);
int32_t	member_unpack(struct hostd_inst *, struct member *, const json_t *);

/* -- login.c: who has logged in -- */

/* What on_upgrade returns. */
int32_t	login_look(struct hostd_inst *, hostd_req, struct member *);

/* -- move.c: a connection goes on in another worker -- */

extern const struct hostd_p_ws_state move_table;

/* -- question.c: what is asked of all workers, and answered later -- */

/* Send the messages that are kept of a room. */
int32_t	question_history(struct hostd_inst *, hostd_ws, const struct room *);
/* The same for refresh_answer: those behind a message. */
int32_t	question_refresh(struct hostd_inst *, const struct room *,
	    const struct mark *);
/* Send the names of those who are in a room. */
int32_t	question_members(struct hostd_inst *, hostd_ws, hostd_buf room);
/* The same for roll_answer. */
int32_t	question_roll(struct hostd_inst *, const struct room *);
/* What a connection has no answer to yet, in an object; and ask it again. */
int	questions_pack(const struct hostd_inst *, hostd_ws, json_t *);
int32_t	questions_unpack(struct hostd_inst *, hostd_ws, const json_t *);
void	questions_free(struct hostd_inst *);

/* -- watch.c: what befalls the rooms that are open -- */

void	watch_open(struct hostd_inst *, struct room *);
void	watch_close(struct hostd_inst *, struct room *);
/* Some of ms, so that not all do the same at the same moment. */
uint64_t watch_jitter(struct hostd_inst *, uint64_t ms);

/* -- refresh.c: what may have been missed is sent anew -- */

void	refresh_heard(const struct hostd_inst *, struct room *,
	    const struct hostd_channel_event *);
void	refresh_gap(struct hostd_inst *, struct room *);
/* Ask for the next that are due. */
void	refresh_next(struct hostd_inst *);
/* text: what to send, of n bytes, ours from now on; NULL: nothing. */
void	refresh_answer(struct hostd_inst *, hostd_buf room, char *text,
	    size_t n);
void	refresh_end(struct hostd_inst *, struct room *);

/* -- roll.c: those who have gone without a word, or come -- */

void	roll_begin(struct hostd_inst *, struct room *);
void	roll_heard(struct room *, const struct hostd_channel_event *);
void	roll_gap(struct hostd_inst *, struct room *);
/* Call the next that is due. */
void	roll_next(struct hostd_inst *);
void	roll_answer(struct hostd_inst *, hostd_buf room, int32_t status,
	    const hostd_buf *labels, uint32_t n);
void	roll_end(struct room *);

/* -- mail.c: a text for all here who are in a room, a part of them in each turn
 * of the loop -- */

/* The text, of n bytes, is ours from now on; NULL: out of memory. */
void	mail_room(struct hostd_inst *, const struct room *, char *text,
	    size_t n);
/* Those that a connection has not had yet, in an object; and send it these.  Of
 * a room whose are too long it is added to "stale". */
int	mails_pack(const struct hostd_inst *, hostd_ws, json_t *);
int32_t	mails_unpack(struct hostd_inst *, hostd_ws, const json_t *);
void	mails_free(struct hostd_inst *);

/* -- reply.c: JSON on its way out.  All take the object, and bear NULL: out of
 * memory. -- */

int32_t	reply_send(struct hostd_inst *, hostd_ws, json_t *);
int32_t	reply_publish(struct hostd_inst *, enum room_channel, hostd_buf room,
	    json_t *);
int32_t	reply_error(struct hostd_inst *, hostd_ws, const char *code,
	    const char *text);
/* {"type": type, "room": room, "name": name, "id": a new one}. */
json_t	*reply_news(struct hostd_inst *, const char *type, hostd_buf room,
	    hostd_buf name);
/* The first that a connection hears; user.p NULL: it has not logged in. */
int32_t	reply_welcome(struct hostd_inst *, hostd_ws, hostd_buf user);

/* -- words.c: what may be a name -- */

/* Characters in UTF-8 that is known to be valid. */
size_t	words_length(hostd_buf);
/* NULL, or what is wrong with a name of at most max characters. */
const char *words_check_name(hostd_buf, uint32_t max);

#endif
