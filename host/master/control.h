/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket.  A client sends one JSON object per line,
 *
 *	{"cmd": "reload"}
 *
 * and gets any number of {"progress": text, ...} and {"error": text}, then
 * {"ok": true, ...} or {"ok": false}.  Only root and our own user may,
 * but no worker.
 */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#include <jansson.h>
#include <sys/queue.h>
#include "base/buf.h"
#include "master/events.h"
#include "master/master.h"
#include "master/record.h"

struct control_client;
struct control_write;

/* Somebody who does not come by the socket, and is told all the same. */
struct control_visitor {
	/* A line of an answer; the last one has "ok", and then it ends. */
	void (*told)(void *arg, const json_t *line);
	/* It has ended, whether there was an answer or not. */
	void (*ended)(void *arg);
	void *arg;
};

/* What is here goes on over an upgrade: control_save. */
struct control_client {
	TAILQ_ENTRY(control_client) link;
	struct control *control;
	uv_pipe_t pipe;
	uv_timer_t idle;
	int handles;		/* not yet closed */
	int closing;
	struct control_visitor visitor;	/* told NULL: it is at the socket */
	int busy;		/* a request is being worked on */
	int follows;		/* wants events as they come */
	json_t *waiting;	/* a request whose turn comes later, or NULL */
	struct buf in;
	TAILQ_HEAD(, control_write) out;	/* not yet taken by the
						   kernel */
	struct buf unsent;	/* restored, for control_resume */
};

struct control {
	struct master *m;
	char *path;
	uv_pipe_t server;
	TAILQ_HEAD(, control_client) clients;
	int nclients;		/* at the socket */
};

/* NULL with a reason in why: another hostd answers there, ... */
struct control *control_open(struct master *, const char *path, char *why,
	    size_t size);
/* Handles close in the loop's next turn; free it after that. */
void	control_close(struct control *);
void	control_free(struct control *);

/* For a master's successor: the socket, who is connected, what has been read
 * and not worked on, and what has not been sent.  NULL: there is no socket. */
json_t *control_save(const struct control *, struct record *);
struct control *control_restore(struct master *, const json_t *,
	    struct record *);
/* Send what the one before could not. */
void	control_resume(struct control *);

/* Have a visitor's request worked on.  What it is told may come at once. */
void	control_visit(struct control *, const struct control_visitor *,
	    const json_t *request);

/* One line; takes the reference. */
void	control_say(struct control_client *, json_t *);
void	control_progress(struct control_client *, const char *text);
void	control_error(struct control_client *, const char *text);
/* To all that follow. */
void	control_event(struct control *, const struct event *);
/* Text that may come from files and plugins, and need not be UTF-8. */
json_t	*control_text(const char *);
/* The last line of an answer; more may be NULL, its members are added. */
void	control_end(struct control_client *, int ok, json_t *more);

/* ---- command.c ---- */

/* Work on a request; control_end is called now or later. */
void	command_run(struct control_client *, const json_t *request);
/* Nothing is under way any more: whoever waited first comes next. */
void	command_next(struct control *);
/* The client will not hear the end of it. */
void	command_forget(struct control_client *);
/* All there is to stop has stopped: tell those who asked for it. */
void	command_stopped(struct control *);

#endif
