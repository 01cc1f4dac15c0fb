/* SPDX-License-Identifier: BSD-2-Clause */
/* One request of the fake host: what is sent, what has happened. */
#ifndef CTL_FAKE_REQUEST_H
#define CTL_FAKE_REQUEST_H

#include "ctl/fake.h"

/* When the client leaves. */
enum fake_gone {
	GONE_NEVER,
	GONE_HEAD,		/* after on_headers */
	GONE_BODY,		/* after the first part of the body */
	GONE_WAIT,		/* when the plugin makes it wait */
	GONE_BEGUN		/* after the answer has begun */
};

/* What write answers. */
enum fake_room {
	ROOM_ENOUGH,		/* OK */
	ROOM_LITTLE,		/* AGAIN, each time */
	ROOM_NONE		/* E_FULL first, then AGAIN */
};

struct fake_spec {
	const char *method;
	const char *path;	/* NULL: the plugin's default route */
	const char *query;	/* NULL: none */
	const char *body;
	size_t nbody;
	size_t part;		/* bytes per on_body; 0: all at once */
	int chunked;
	const char *const *headers;	/* name, value, ..., NULL */
	enum fake_gone gone;
	enum fake_room room;
	int late_release;	/* after on_end, when the client left */
	/* Of a WebSocket. */
	int upgrade;
	const char *protocols;	/* offered, as in the header; NULL: none */
	int slow_close;		/* slow_peer = close */
	int no_rooms;		/* max_channels = 0 */
};

struct fake_req {
	LIST_ENTRY(fake_req) entry;
	uint64_t id;
	struct fake *fake;
	const struct hostd_http_ops *ops;	/* NULL: an upgrade */
	struct fake_sock *sock;		/* what it wants to be, or NULL */
	struct fake_spec spec;
	char *path, *rest;
	void *d;

	size_t fed;		/* bytes of the body given */
	int fin;		/* the last part was given */
	int paused;
	int deferred;		/* the last return value */
	int passed, ended, why;
	int32_t code;		/* with which a callback failed */

	int begun, finished, aborted;
	int32_t status;
	int64_t length;		/* promised; -1: none */
	uint64_t sent, hash;	/* of the answer's body */
	uint64_t pending;	/* bytes above high water */
	int refused;		/* E_FULL was given */
	int want_writable;
	int asking;		/* on_headers or on_upgrade runs */
	int given;		/* to another worker */
	int ending;		/* on_end runs, or it was given */
	struct hostd_request *head;	/* lent to callback number head_of */
	uint64_t head_of;

	/* Promises to call back. */
	struct fake_release {
		struct fake_release *next;
		void (*fn)(struct hostd_inst *, void *);
		void *arg;
		int fd;			/* -1: memory */
	} *releases;
};

/* on_headers is called.  Kept until fake_req_free. */
struct fake_req *fake_req_start(struct fake *, const struct fake_spec *);
/* Give it what is next for it: body, on_writable, on_end.  0: nothing is. */
int	fake_req_step(struct fake_req *);
/* Until it has ended, or HOSTD_END_TIMEOUT after the defer time limit. */
void	fake_req_run(struct fake_req *);
void	fake_req_end(struct fake_req *, int why);
/* Start, run, free; *out is the state at the end. */
void	fake_request(struct fake *, const struct fake_spec *,
	    struct fake_req *out);
void	fake_req_free(struct fake_req *);
/* Ends those of that instance. */
void	fake_req_end_all(struct fake *, int why);

/* By handle; NULL: stale.  Ends the case when it is another instance's. */
struct fake_req *fake_req_find(struct fake *, hostd_req,
	    const char *function);
/* Its head, lent to the callback that runs. */
const struct hostd_request *fake_req_head(struct fake_req *);
/* Value of ":name" in its route, or NULL. */
const char *fake_route_param(const struct fake_req *, const char *name);
/* Of requests, or of upgrades: the pattern that is served by default;
 * static. */
const char *fake_pattern(const struct module *, int upgrade);
/* A path that the pattern matches; static. */
const char *fake_route(const struct module *, int upgrade);
/* Ask for this path instead; NULL: as above. */
void	fake_route_choose(const char *path);
/* What gets requests or upgrades; NULL: nothing does. */
const struct module_provide *fake_provide(const struct module *, int upgrade);
/* Ends the case when it may not be sent. */
void	fake_judge_header(const hostd_hdr *);

#endif
