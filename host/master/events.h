/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has happened here: the last EVENTS_KEPT events, by number and time, for
 * hostctl events.  Adding one also writes its line into the error log, with the
 * level of its kind, so that nobody has to say the same thing twice.
 */
#ifndef MASTER_EVENTS_H
#define MASTER_EVENTS_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#define EVENTS_KEPT	1024
#define EVENT_TEXT_MAX	1200

struct child;
struct master;

enum event_kind {
	EVENT_NODE_STARTED,
	EVENT_NODE_STOPPING,
	EVENT_NODE_DRAINING,	/* told not to be ready any more */
	EVENT_NODE_RESUMED,
	EVENT_NODE_UPGRADED,	/* the master has executed another hostd */
	EVENT_WORKER_STARTED,
	EVENT_WORKER_READY,
	EVENT_WORKER_FAILED,	/* did not get ready */
	EVENT_WORKER_DRAINING,
	EVENT_WORKER_ENDED,	/* as it was told to */
	EVENT_WORKER_DIED,
	EVENT_WORKER_STUCK,	/* in a callback, or not answering */
	EVENT_WORKER_KILLED,	/* by the master */
	EVENT_WORKER_MEMORY,	/* over its limit: to be replaced */
	EVENT_WORKER_RESTART,	/* to be replaced by one like it */
	EVENT_WORKER_GIVEN_UP,	/* crashes too often to be restarted */
	EVENT_WORKER_SIGNALLED,	/* hostctl signal */
	EVENT_POOL_SCALED,
	EVENT_POOL_STOPPED,
	EVENT_POOL_STARTED,
	EVENT_POOL_RESTARTED,
	EVENT_POOL_DELETED,
	EVENT_POOL_REFUSED,	/* to be changed as it was asked for */
	EVENT_RELOAD_BEGUN,
	EVENT_RELOAD_CANARY,	/* a part of the workers is the new
				   generation's */
	EVENT_RELOAD_DONE,
	EVENT_RELOAD_REFUSED,
	EVENT_RELOAD_ROLLED_BACK,
	EVENT_LOGS_REOPENED,
	EVENT_LOGS_FLUSHED,
	EVENT_UPSTREAM_CHANGED,	/* hostctl upstream */
	EVENT_LIMIT_RESET,	/* hostctl limits reset */
	EVENT_PLUGIN_COMMAND,	/* one that changes something, by hostctl */
	EVENT_CONTROL_ASKED,	/* a change, by a plugin */
	EVENT_NODE_SHEDDING,	/* above its budget, or no more */
	EVENT_OTHER,		/* of a kind that only another version knows */
	EVENT_KINDS
};

struct event {
	uint64_t n;		/* from 1 on, without gaps */
	uint64_t time_ms;	/* unix time */
	enum event_kind kind;
	char worker[96];	/* "web.0"; "": not of one */
	pid_t pid;
	uint32_t generation;
	char *text;
};

/* Zeroed is empty.  Goes on over an upgrade, numbers too. */
struct events {
	struct event ring[EVENTS_KEPT];
	uint64_t added;		/* the last one's number */
};

void	events_free(struct events *);

/* Of the node, a pool or a reload; and of one worker, who is named before the
 * text in the log: "web.0 (pid 7, generation 1) " and text. */
void	event_add(struct master *, enum event_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	event_worker(struct master *, enum event_kind, const struct child *,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The one with that number, NULL when it is forgotten or still to come. */
const struct event *events_get(const struct events *, uint64_t n);
/* "worker.died" */
const char *event_kind_name(enum event_kind);
/*
 * {"n": 7, "time_ms": ..., "time": "2026-01-31T12:00:00.123Z",
 *  "event": "worker.died", "worker": "web.0", "pid": 7, "generation": 1,
 *  "text": "died: SIGSEGV in plugin chat, on_message; ..."}; of other than
 * workers without the three.
 */
json_t	*event_json(const struct event *);

/* For a master's successor. */
json_t	*events_save(const struct events *);
void	events_restore(struct events *, const json_t *);

#endif
