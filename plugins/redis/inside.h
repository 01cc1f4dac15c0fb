/* SPDX-License-Identifier: BSD-2-Clause */
/* A client as client.c (its connection) and command.c (what is said over it)
 * see it; nobody else. */
#ifndef REDIS_INSIDE_H
#define REDIS_INSIDE_H

#include "backoff.h"
#include "client.h"
#include "queue.h"
#include "reader.h"

enum client_state {
	ASLEEP,		/* waits for its retry, or was not started */
	CONNECTING,
	GREETING,
	UP,
	ENDING		/* waits for on_close */
};

struct redis_client {
	const struct redis_host *h;
	const struct redis_client_ops *ops;
	void *arg;
	char *name;
	char *where;		/* name and port, for messages */
	uint32_t port;
	unsigned flags;
	enum client_state state;
	int was_up;
	int freed;		/* as soon as nobody is in it */
	int in_calls;
	int owed;		/* writable */
	hostd_conn conn;
	hostd_timer timer;	/* the only one: what for depends on state */
	struct redis_reader reader;
	struct redis_queue queue;
	size_t wanted, held;	/* subscriptions: bytes asked for, in force */
	struct backoff backoff;
	uint64_t heard_ms, up_ms;
	uint64_t owed_ms;	/* since when answers are owed */
	uint64_t look_ms;	/* when the timer is due */
	int silent;		/* since it was asked for a sign of life */
	char why[256];		/* of ENDING */
};

/* Greeting or up. */
static inline int
client_is_open(const struct redis_client *c)
{
	return !c->freed && (c->state == GREETING || c->state == UP);
}

void	client_drop(struct redis_client *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* q says whose the answer is; its channel is taken.  HOSTD_OK, or a negative
 * code of send. */
int32_t	client_send(struct redis_client *, struct redis_queued *q, int argc,
	    const char *const *argv, const size_t *lens);
/* A command is on its way that may not be left unanswered. */
void	client_expect_answer(struct redis_client *);
/* Those that have come. */
void	client_read_answers(struct redis_client *);

#endif
