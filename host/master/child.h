/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process started by the master: a worker or a probe.  Knows how to start
 * it, talk to it, end it, and say what became of it; what that means is the
 * owner's business.
 */
#ifndef MASTER_CHILD_H
#define MASTER_CHILD_H

#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>
#include "base/board.h"
#include "config/model.h"
#include "limit/table.h"
#include "master/record.h"
#include "net/chan.h"
#include "upstream/table.h"

struct child;

struct child_ops {
	/* READY, CLOSED, CREATED, STATE, SAVED, HELD or REPORT.  FAILED comes
	 * back as the cause. */
	void (*message)(struct child *, const struct chan_msg *);
	/* It has ended.  The child is freed on return. */
	void (*exited)(struct child *, const char *cause);
	/* Its loop does not turn, or turns again; may be NULL. */
	void (*silent)(struct child *, int is);
};

struct output;

/* A message that waits for room in the channel. */
struct child_out {
	TAILQ_ENTRY(child_out) entry;
	enum chan_type type;
	size_t len;
	int fds[2];		/* duplicates */
	int nfds;
	char data[sizeof(struct chan_init)];
};

/* What is here goes on over an upgrade: child_save.c. */
struct child {
	LIST_ENTRY(child) link;
	struct children *all;
	const struct child_ops *ops;
	void *owner;
	pid_t pid;
	int fd;			/* our end of the channel; -1: closed */
	int cell;		/* of the board */
	enum chan_role role;
	int ready;		/* has said READY */
	int failed;		/* has said FAILED */
	int ending;		/* was told to drain or stop */
	int killing;		/* next signal of the escalation */
	int killed;		/* stopped or ended by somebody else */
	uint32_t generation;
	uint64_t started;	/* ms, of uv_now */
	int elsewhere;		/* writes to the board of another version */
	int calls;		/* knows CHAN_CALL */
	/* What pulse.c knows of it. */
	int64_t watchdog;	/* ms; 0: none */
	uint64_t beat;		/* as it was at the last look */
	uint64_t silent_ms;	/* for how long it has not turned its loop */
	int asked;		/* to turn it */
	int silent;		/* and the owner has been told */
	int stuck;		/* and the log */
	int aborted;		/* and has been killed for it */
	char name[96];		/* "web.0", "probe" */
	char why[1024];		/* from FAILED, or why we have killed it */
	char held[256];		/* what its getting ready waits for, or "" */
	uv_poll_t poll;
	uv_timer_t timer;
	int handles;		/* not yet closed */
	TAILQ_HEAD(, child_out) out;	/* the channel was full */
	struct output *output[2];	/* see master/output.h */
};

/* What all children share. */
struct children {
	LIST_HEAD(, child) list;
	uv_loop_t *loop;
	struct board *board;
	struct up_table *servers;
	struct tls_tickets *tickets;	/* NULL: nobody serves */
	struct limit_table *limits;
	int restoring;		/* so nothing may be sent yet */
	int board_is_new;	/* made at an upgrade: restored ones don't
				   have it */
	const char *exe;	/* absolute path of hostd */
	uv_signal_t sigchld;
	uv_timer_t second;	/* for what they write */
	void (*empty)(struct children *);	/* the last has ended; or
						   NULL */
	/* A name of a server leads there now; or NULL. */
	void (*resolved)(struct children *, const struct chan_resolved *);
	/* It answers a CALL, and it will answer none any more; or NULL. */
	void (*called)(struct child *, const struct chan_msg *);
	void (*left)(struct child *);
	/* It asks for what an instance of it wants. */
	void (*asked)(struct child *, const struct chan_msg *);
	/* Somebody has ended who is not in the list; or NULL. */
	void (*other)(struct children *, pid_t, int status);
	int error_log;		/* descriptor that is passed on, */
	const char *error_log_is;	/* and what it is; NULL: stderr */
};

struct child_opts {
	enum chan_role role;
	const char *pool;	/* "" for a probe */
	const struct conf *conf;
	const struct conf_pool *given;	/* NULL for a probe */
	uint32_t slot;
	uint32_t generation;
	uint32_t restarts;
	const char *snapshot;
	int64_t ready_timeout;	/* ms */
};

/* Started and sent INIT; the owner sends the rest and START.  NULL with a
 * reason in why. */
struct child *child_spawn(struct children *, const struct child_opts *,
	    const struct child_ops *, void *owner, char *why, size_t size);
/* Queued when the channel is full.  Descriptors stay the caller's. */
void	child_send_fds(struct child *, enum chan_type, const void *,
	    size_t len, const int *fds, int nfds);
void	child_send(struct child *, enum chan_type, const void *, size_t len,
	    int fd);
/* Now or never: 0, or -1 when it does not take it. */
int	child_try(struct child *, enum chan_type, const void *, size_t len);
/* Tell it to finish; after ms, signals help.  0: no limit.  last: nobody
 * follows. */
void	child_drain(struct child *, int64_t ms, int last);
/* Tell it to end now; after a second, signals help. */
void	child_stop(struct child *);
void	child_kill(struct child *, const char *why);
/* What child_ops.exited is told, unless something was before. */
void	child_blame(struct child *, const char *why);

/* Watches for their ends; exe and error_log are the caller's to fill in. */
void	children_init(struct children *, uv_loop_t *, struct board *,
	    struct up_table *, struct limit_table *);
/* See who has ended. */
void	children_reap(struct children *);
/* Kills those there are, without a word to their owners. */
void	children_close(struct children *);

/* ---- cause.c ---- */

#define CHILD_NO_EXEC	127	/* exit status: it could not be executed */

/* Why it has ended, with that status of wait(2). */
void	cause_ended(const struct child *, int status, char *why, size_t size);
/* Why it is not ready. */
void	cause_late(const struct child *, char *why, size_t size);

/* ---- child_exec.c ---- */

/* A process whose channel is fd and whose output goes there; -1 with errno. */
pid_t	child_fork(const char *exe, const char *title,
	    const struct child_opts *, int fd, const int output[2]);

/* ---- child_save.c ---- */

json_t *child_save(const struct child *, struct record *);
/* NULL: it is no child's. */
struct child *child_restore(struct children *, const struct child_opts *,
	    const json_t *, struct record *);

/* What that uses of child.c. */
struct child *child_new(struct children *, const struct child_opts *, int fd,
	    int cell);
struct child_out *child_queue(struct child *, enum chan_type, const void *,
	    size_t len);
void	child_cell_fill(struct child *, const struct child_opts *);
void	child_poll(struct child *);
void	child_late(uv_timer_t *);	/* not ready by ready_timeout */
void	child_escalate(uv_timer_t *);	/* not gone by its deadline */

#endif
