/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of http_dashboard, and how its parts fit together. */
#ifndef HTTP_DASHBOARD_DASHBOARD_H
#define HTTP_DASHBOARD_DASHBOARD_H

#include <sys/queue.h>
#include <hostd/auth.h>
#include <hostd/control.h>
#include <hostd/easy.h>
#include <hostd/status.h>
#include <hostd/timer.h>
#include <csrf/csrf.h>
#include <jansson.h>
#include "ring.h"

#define USER_MAX	255
#define LOG_KEPT	(64 * 1024)	/* bytes, for who comes later */

/* Some words of the configuration. */
struct words {
	hostd_buf *v;
	uint32_t n;
};

struct pending;
struct viewer;

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_auth_api *auth;
	const struct hostd_control_api *control;
	const struct hostd_status_api *status;
	const struct hostd_timer_api *timers;
	/* the configuration; texts are [instance] */
	hostd_buf user_key, title;
	struct words users, operators, origins;
	int is_public, acts;
	LIST_HEAD(, pending) pending;	/* actions that the master is at */
	int warned;			/* that nobody may look */
	/* what is shown */
	TAILQ_HEAD(, viewer) viewers;
	hostd_timer timer;
	unsigned ticks;
	struct counters counters;
	struct ring ring;
	json_t *node;			/* as the master has said; or NULL */
	json_t *rooms;			/* as workers have said; or NULL */
	char *log;			/* the last lines */
	size_t log_n;
	size_t log_fresh;		/* of these, since the last tick */
	char mark[64];			/* how far it was read */
	char log_kind[32];
	int asked_node, asked_log, asked_rooms;	/* and not answered */
};

/* -- who.c: who it is -- */

/* One request, or the upgrade of one. */
struct visit {
	hostd_req req;
	char user[USER_MAX + 1];	/* "": nobody in particular */
	int may_act;
	json_t *order;			/* of an action */
	int32_t (*then)(struct hostd_inst *, struct visit *);
};

/*
 * Find out whether he may look, and call then, now or later; who may not has
 * been answered.  What on_headers and on_upgrade return.
 */
int32_t	who_then(struct hostd_inst *, struct visit *,
	    int32_t (*then)(struct hostd_inst *, struct visit *));
/* Does a page of ours ask?  Browsers say whose page it is. */
int	who_is_ours(struct hostd_inst *, hostd_req);
/* A word of the configuration, or there are none. */
int	words_allow(const struct words *, hostd_buf);

/* -- token.c: what our page knows, and others' don't -- */

/* That of the request's cookie; 0: it has none. */
int	token_of_cookie(struct hostd_inst *, hostd_req,
	    char token[TOKEN_SIZE]);
/* The line that sets the cookie, for the page's path. */
void	token_cookie(struct hostd_inst *, hostd_req, const char *token,
	    char *out, size_t size);
/* Has the request got the cookie's in its header X-CSRF-Token? */
int	token_is_sent(struct hostd_inst *, hostd_req);

/* -- page.c: answers -- */

/* A file of the page; NULL: there is none of that name. */
struct file {
	const char *name, *type;
	const unsigned char *bytes;
	const size_t *n;
};
const struct file *file_find(hostd_buf name);
int32_t	answer_file(struct hostd_inst *, hostd_req, const struct file *);
/* A line of text for people. */
int32_t	answer_text(struct hostd_inst *, hostd_req, int32_t status,
	    const char *text);
/* {"ok": bool, "text": ...} */
int32_t	answer_json(struct hostd_inst *, hostd_req, int32_t status,
	    hostd_buf text);

/* -- action.c: what changes something -- */

/* The body has come. */
int32_t	action_take(struct hostd_inst *, struct visit *, hostd_buf body);
void	action_free(struct hostd_inst *);

/* -- feed.c: what is shown -- */

struct viewer {
	struct visit visit;		/* first */
	TAILQ_ENTRY(viewer) link;
	hostd_ws ws;
	char token[TOKEN_SIZE];
	int behind;			/* has missed something */
};

int32_t	feed_start(struct hostd_inst *);
void	feed_open(struct hostd_inst *, struct viewer *);
void	feed_close(struct hostd_inst *, struct viewer *);
/* All are to come again, to whoever follows us. */
void	feed_drain(struct hostd_inst *);
void	feed_free(struct hostd_inst *);

/* -- watch.c: what the master knows -- */

/* Ask it, if it has answered. */
/* Does the master tell us? */
int	watch_may(const struct hostd_inst *);
void	watch_ask(struct hostd_inst *);
void	watch_free(struct hostd_inst *);

/* -- rooms.c: what workers know together -- */

/* Ask them, if they have answered. */
void	rooms_ask(struct hostd_inst *);
void	rooms_free(struct hostd_inst *);

/* -- settings.c -- */

extern const struct hostd_key *const settings_keys[];
int32_t	settings_read(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
void	settings_free(struct hostd_inst *);

#endif
