/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of http_login, and how its parts fit together. */
#ifndef HTTP_LOGIN_LOGIN_H
#define HTTP_LOGIN_LOGIN_H

#include <hostd/auth.h>
#include <hostd/easy.h>
#include <hostd/session.h>
#include <csrf/csrf.h>
#include "page.h"
#include "rate.h"

#define FORM_MAX	8192	/* bytes of a body */
#define COOKIE_MAX	160	/* of the line that sets a cookie */

/* Keys of sessions. */
#define KEY_CSRF	"csrf"
#define KEY_SINCE	"login_at"	/* ms since 1970 */
#define KEY_REMEMBER	"remember"

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_auth_api *auth;
	uint64_t origin;		/* of what it tells the other workers */
	struct rate *rate;
	struct page *form, *inside;	/* for who has logged in */
	char *form_text, *inside_text;	/* of files; NULL: ours */
	/* the configuration; texts are [instance] */
	hostd_buf users, key, home, goodbye, title;
	int64_t remember_ms;
	struct rate_limit of_user, of_address;
	int secure;
};

/* -- http_login.c -- */

enum action { ACTION_FORM, ACTION_LOGOUT, ACTION_WHOAMI };

/* One request: the host's bytes, as long as it lasts. */
struct visit {
	hostd_req req;
	enum action action;
	int json;		/* the client wants that, no page */
	int sends;		/* a form: the answer waits for it */
	int remember;
	char *room;		/* the form's values are in there */
	size_t room_size;
	hostd_buf user, next, csrf;
	struct rate_tag of_user, of_address;
	int32_t (*then)(struct hostd_inst *, struct visit *, hostd_session);
};

/*
 * With the session of the request, do what comes next, now or later.  What
 * on_headers and on_body return.
 */
int32_t	visit_with_session(struct hostd_inst *, struct visit *,
	    int32_t (*then)(struct hostd_inst *, struct visit *,
	    hostd_session));
/* Later: what comes of an answer that could not be given. */
void	visit_settle(struct hostd_inst *, struct visit *, int32_t rc);

/* -- settings.c: the keys of the configuration, and the pages -- */

extern const struct hostd_key *const settings_keys[];
int32_t	settings_read(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);

/* -- answer.c: pages and JSON, not to be kept and not to be framed -- */

/* A form, with what to tell; retry_s above 0: not before. */
int32_t	answer_form(struct hostd_inst *, struct visit *, int32_t status,
	    const char *message, uint32_t retry_s);
/* Something is wrong with the request. */
int32_t	answer_error(struct hostd_inst *, struct visit *, int32_t status,
	    const char *message);
/* For who has logged in; value is what the session has of him. */
int32_t	answer_inside(struct hostd_inst *, struct visit *, hostd_buf value,
	    hostd_buf csrf);
/* The same as JSON; value.p NULL: nobody. */
int32_t	answer_who(struct hostd_inst *, struct visit *, hostd_buf value,
	    hostd_buf csrf);
/* It is done; go there, unless next says where. */
int32_t	answer_done(struct hostd_inst *, struct visit *, hostd_buf to,
	    hostd_buf value, hostd_buf csrf);
int32_t	answer_method(struct hostd_inst *, struct visit *, const char *allow,
	    int is_options);

/* -- builtin.c: the pages when there are no files of one's own -- */

extern const char builtin_form[], builtin_inside[], builtin_remember[];

/* -- enter.c: logging in -- */

/* The form was sent. */
int32_t	enter(struct hostd_inst *, struct visit *, hostd_buf password);
/* Logins that have failed, from worker to worker. */
#define ENTER_CHANNEL HOSTD_CHANNEL_OWN "failed"
/* It is asked for. */
int32_t	enter_show(struct hostd_inst *, struct visit *, hostd_session);
void	enter_failed_elsewhere(struct hostd_inst *, hostd_sub, void *arg,
	    const struct hostd_channel_event *);

/* -- leave.c: logging out, and who one is -- */

int32_t	leave(struct hostd_inst *, struct visit *, hostd_session);
int32_t	leave_whoami(struct hostd_inst *, struct visit *, hostd_session);
/* What the session has of its user, as JSON; p NULL: nobody is logged in. */
hostd_buf user_of(struct hostd_inst *, hostd_session);

/* -- token.c: what a form has to have that others can't know -- */

/* The session's, of which it is made if need be; n 0: it can't be. */
hostd_buf token_of_session(struct hostd_inst *, hostd_session);
/* That of the forms of somebody who has not logged in, which his cookie has,
 * into token; 0: he has none. */
int	token_of_cookie(struct hostd_inst *, hostd_req, char token[TOKEN_SIZE]);
/* The cookie's line, into out; an empty token takes it away. */
void	token_cookie(const struct hostd_inst *, hostd_req, const char *token,
	    char out[COOKIE_MAX]);
/* What was sent with the form: a field, or the header X-CSRF-Token. */
hostd_buf token_sent(struct hostd_inst *, const struct visit *);

#endif
