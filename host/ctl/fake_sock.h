/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One WebSocket of the fake host: its upgrade, what its client says and does,
 * what it was sent.
 */
#ifndef CTL_FAKE_SOCK_H
#define CTL_FAKE_SOCK_H

#include <hostd/ws.h>

#include "ctl/fake_request.h"

#define FAKE_LABEL	255u
#define FAKE_REASON	123u

enum fake_sock_state {
	SOCK_ASKED,		/* on_upgrade was called */
	SOCK_ACCEPTED,		/* on_open will be */
	SOCK_OPEN,
	SOCK_CLOSING,		/* the host has sent a close */
	SOCK_ENDED		/* refused, passed, or closed */
};

/* On its way to another instance. */
enum fake_moving {
	MOVE_NOT,
	MOVE_CALLED,		/* save or moved runs: nothing may be done */
	MOVE_LOADED,		/* load runs: nothing may be sent */
	MOVE_UNDECIDED		/* saved: it may go or stay */
};

/* It is in a room. */
struct fake_room_of {
	LIST_ENTRY(fake_room_of) entry;
	size_t n;
	char name[];
};

struct fake_sock {
	LIST_ENTRY(fake_sock) entry;
	uint64_t id;			/* 0: not open */
	struct fake *fake;
	const struct hostd_ws_ops *ops;
	struct fake_spec spec;
	struct fake_req *req;		/* while it is not decided */
	enum fake_sock_state state;
	void *d;
	char *path, *protocol;		/* protocol NULL: none */
	uint64_t opened_ms;
	char label[FAKE_LABEL];
	size_t nlabel;
	LIST_HEAD(, fake_room_of) rooms;
	uint32_t nrooms;

	int paused, late;		/* late: one more may come, though */
	uint64_t pending;		/* bytes above high water */
	int refused;			/* E_FULL was given */
	int want_writable;
	int32_t code;			/* what the host has closed with */
	enum fake_moving moving;

	int32_t status;			/* of the answer; 101: open, once */
	uint64_t received, bytes;	/* messages that its client got */
};

/* -- fake_sock.c -- */

/* One of that path: not asked for yet, and without a name. */
struct fake_sock *fake_sock_make(struct fake *, const struct fake_spec *,
	    const char *path);
/* Give it a handle, and take all away that is the plugin's. */
void	fake_sock_name(struct fake_sock *);
void	fake_sock_over(struct fake_sock *);
/* The upgrade of that request: on_upgrade, and on_refused with its end. */
struct fake_sock *fake_sock_new(struct fake_req *);
int32_t	fake_sock_ask(struct fake_sock *);
void	fake_sock_refuse(struct fake_sock *, int why);
void	fake_sock_pass(struct fake_sock *);
/* It is accepted; protocol p NULL: none. */
void	fake_sock_accept(struct fake_sock *, hostd_buf protocol);
/* on_open. */
void	fake_sock_go(struct fake_sock *);

/* Ask for one and wait until it is decided.  Kept until fake_sock_free. */
struct fake_sock *fake_sock_open(struct fake *, const struct fake_spec *);
static inline int
fake_sock_is_open(const struct fake_sock *s)
{
	return s->state == SOCK_OPEN || s->state == SOCK_CLOSING;
}

/*
 * What the client does.  A message: flags TEXT or BINARY; handlers of fragments
 * get it in parts of that many bytes, 0: whole.
 */
void	fake_sock_say(struct fake_sock *, const void *, size_t n,
	    uint32_t flags, size_t part);
/* One part, with all its flags. */
void	fake_sock_part(struct fake_sock *, const void *, size_t n,
	    uint32_t flags);
/* A close; code 0: without one. */
void	fake_sock_close(struct fake_sock *, int32_t code, const char *reason);
void	fake_sock_cut(struct fake_sock *);
/* The host closes it: on_close follows in the next turn. */
void	fake_sock_dismiss(struct fake_sock *, int32_t code);

/* What is next for each: on_open, on_writable, on_close.  How many there
 * were. */
unsigned fake_sock_turn(void);
/* Before destroy: the worker ends. */
void	fake_sock_end_all(struct fake *);
void	fake_sock_free(struct fake_sock *);

/* By handle; NULL: stale.  Ends the case when it is another instance's. */
struct fake_sock *fake_sock_find(struct fake *, hostd_ws, const char *function);
/* All of them, until fn returns other than 0. */
void	fake_sock_each(int (*fn)(struct fake_sock *, void *), void *);

/* What clients say and offer from now on: the i-th word comes round again. */
void	fake_client_choose(const char *const *words, const char *protocols);
hostd_buf fake_word(unsigned i);
const char *fake_offer(void);

/* -- fake_ws.c -- */

/* Is this a message that may be sent?  Ends the case when not, or returns
 * E_INVAL when a client may be to blame. */
int32_t	fake_judge_message(hostd_buf, uint32_t flags, const char *function);
/* Take one for its client; codes of send. */
int32_t	fake_sock_take(struct fake_sock *, hostd_buf, uint32_t flags);
/* May the plugin do that now?  OK, E_STATE, or the end. */
int32_t	fake_judge_moving(const struct fake_sock *, const char *function,
	    int sends);
void	fake_sock_join(struct fake_sock *, hostd_buf name);
struct fake_room_of *fake_sock_room(struct fake_sock *, hostd_buf name);
void	fake_sock_leave_all(struct fake_sock *);

#endif
