/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small host that keeps every promise of the SDK headers to the letter and
 * nothing beyond: what may be late is late, what may be missing can be missing,
 * what is lent is taken back.  It watches the plugin's side of the bargain and
 * ends the case (check_fail) at the first breach.
 *
 * It shares no code with the real host, since it must misbehave at will.  Time
 * is virtual: timers fire in order as soon as nothing else is left to do.
 */
#ifndef CTL_FAKE_H
#define CTL_FAKE_H

#include <sys/queue.h>

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <hostd/auth.h>
#include <hostd/abi.h>
#include <hostd/channel.h>
#include <hostd/control.h>
#include <hostd/fetch.h>
#include <hostd/health.h>
#include <hostd/http.h>
#include <hostd/metrics.h>
#include <hostd/net.h>
#include <hostd/offer.h>
#include <hostd/op.h>
#include <hostd/pubsub.h>
#include <hostd/ready.h>
#include <hostd/session.h>
#include <hostd/status.h>
#include <hostd/timer.h>
#include <hostd/tls.h>
#include <hostd/trace.h>
#include <hostd/work.h>
#include <hostd/worker.h>
#include <hostd/ws.h>

#include "ctl/check.h"
#include "plugin/module.h"

#define FAKE_METRICS 128
#define FAKE_DEPENDENCIES 32
#define FAKE_TABLES 23		/* beside "host" */
#define FAKE_READY_MS 10000u	/* within which an instance must be ready */

struct fake_conf;
struct fake_req;

/* How the tables of an instance look. */
struct fake_shape {
	const char *missing;	/* get_ext answers NULL for this id */
	const char *cut;	/* the table to cut short: "host", or an id */
	size_t cut_at;		/* bytes of it that there are */
	unsigned extra;		/* members behind each table's end, all traps */
	uint32_t minor;		/* the host's abi_minor */
};

struct fake_metric {
	uint32_t type, nlabels, metric;	/* index of its metric */
	char name[64];
};

/* One instance and the host as it sees it. */
struct fake {
	LIST_ENTRY(fake) entry;
	unsigned number;		/* 1, 2, ... for messages */
	const struct module *m;
	struct hostd_host *host;	/* its tables, guarded memory */
	void *tables[FAKE_TABLES];	/* in the order of fake_tables */
	struct fake_shape shape;
	struct fake_conf *conf;
	struct hostd_inst *inst;
	int creating, started, draining, destroying;
	int ended;			/* destroy runs */
	struct fake_metric metrics[FAKE_METRICS];
	uint32_t nmetrics;
	uint32_t ndependencies;
	uint32_t nsubs;			/* of channels */
	int no_subs;			/* it may have no more of them */
	struct {
		int up, full;		/* full: publish returned AGAIN */
		int fresh;		/* all is to be subscribed */
		uint64_t ups, taken, delivered;
	} backend;
	struct {
		unsigned holds, all;	/* of readiness: now, and ever */
		char reason[128];	/* the last one's */
		char refused[200];	/* it will not do, and why */
	} ready;
	char err[240];			/* create's, when it failed */
};

/* fake_host.c */
struct fake *fake_create(const struct module *, const struct fake_set *,
	    const struct fake_shape *);
int	fake_alive(const struct fake *);	/* create returned OK */
void	fake_start(struct fake *);
void	fake_drain(struct fake *, uint32_t deadline_ms);
/* Ends its requests, work, timers and posts, then destroy (when alive). */
void	fake_destroy(struct fake *);
/* create, which must succeed, and start. */
struct fake *fake_serve(const struct module *, const struct check *);
struct module *fake_load(const struct check *);
/* One after the other, from NULL to NULL. */
struct fake *fake_next(struct fake *);

/* Around every callback. */
void	fake_enter(struct fake *, const char *callback,
	    const struct fake_req *);
void	fake_leave(struct fake *);
/* How many callbacks there have been. */
uint64_t fake_callbacks(void);
/* Lent to the callback that runs: gone when it returns. */
void	*fake_lend(size_t n);
hostd_buf fake_lend_copy(const void *, size_t n);
hostd_buf fake_lend_text(const char *);

/*
 * At the start of every service function: whose host is it?  Ends the case
 * when it is nobody's, another instance's, or the wrong thread for [loop].
 */
struct fake *fake_called(const struct hostd_host *, const char *function);
struct fake *fake_called_any(const struct hostd_host *, const char *function);
int	fake_on_loop(void);

/* fake_tables.c: the tables, as what they are made of. */
struct fake_member {
	const char *name;
	size_t offset;
	uint32_t since;		/* minor */
};
struct fake_table {
	const char *id;		/* "host", or the extension's */
	size_t size;
	const void *full;
	const struct fake_member *members;	/* ends with name NULL */
};
extern const struct fake_table fake_tables[];	/* "host", then extensions;
						   ends with id NULL */
/* One of them in guarded memory, in that shape. */
void	*fake_table_make(const struct fake_table *, const struct fake_shape *);

/* fake_conf.c */
struct fake_conf *fake_conf_new(const struct module *,
	    const struct fake_set *, unsigned number);
void	fake_conf_free(struct fake_conf *);
/* A table over it; lent. */
struct hostd_conf *fake_conf_lend(struct fake_conf *);

/* fake_loop.c */
uint64_t fake_now(void);
/* Queue a callback for the end of the turn. */
enum fake_task { TASK_POST, TASK_RELEASE };
void	fake_queue(struct fake *, enum fake_task,
	    void (*fn)(struct hostd_inst *, void *), void *);
/* Do what is queued and wait for running work.  Returns how much was done. */
unsigned fake_turn(void);
/* Fire the next timer if it is due at or before limit.  0: there is none. */
int	fake_tick(uint64_t limit);
/* Timers and work that are under way. */
unsigned fake_pending(void);
/* Go on with the clock without firing anything. */
void	fake_advance(uint64_t to);
/* Wait a moment of real time for a post of another thread.  0: none came. */
int	fake_wait(void);
/* Let come what still knows of what has ended: timers, posts, work. */
void	fake_settle(void);
/* Before destroy: finish work, run releases, drop timers and posts. */
void	fake_loop_end(struct fake *);

/* fake_channel.c */
int	fake_channel_is_name(hostd_buf);
/*
 * From now on what a plugin makes of its clients' words may be wrong: it is
 * refused, where else it would end the case.  Names of channels after any word,
 * texts after one that is odd.
 */
void	fake_channel_spoken(void);
void	fake_channel_odd(void);
int	fake_channel_is_odd(void);
/* OK, E_INVAL, or the end. */
int32_t	fake_judge_channel(hostd_buf name, const char *function);
/* A message; except: the handle of a socket that is left out. */
void	fake_channel_say(hostd_buf channel, hostd_buf msg, uint32_t flags,
	    uint64_t except);
/* Every channel that an instance listens to has one, or a gap. */
void	fake_channel_elsewhere(hostd_buf msg, uint32_t flags, int gap);
/* How many sockets and instances listen to channels. */
unsigned fake_channel_listeners(void);
/* Events and answers that are due.  How many there were. */
unsigned fake_channel_turn(void);
/* Before destroy: its subscriptions and questions end. */
void	fake_channel_end(struct fake *);

/* fake_pubsub.c: what backends have to carry; they get it in the next turn. */
const struct hostd_pubsub_ops *fake_pubsub_ops(const struct fake *);
void	fake_backend_say(hostd_buf channel, hostd_buf payload);
void	fake_backend_want(hostd_buf channel, int on);
unsigned fake_backend_turn(void);
/* Does it owe `subscribed`? */
int	fake_backend_due(const struct fake *);
/* Before destroy. */
void	fake_backend_end(struct fake *);

/* fake_ready.c: until nothing is held.  -1: it refuses, or takes too long. */
int	fake_ready_wait(struct fake *);

/* fake_fetch.c: as with connections below. */
unsigned fake_fetch_open(void);
unsigned fake_fetch_turn(void);
void	fake_fetch_end(struct fake *);

/* fake_session.c; before destroy: nobody waits for sessions any more. */
void	fake_session_end(struct fake *);
/* 0: those of WebSockets, too, may be such that can't be had. */
void	fake_session_spare(int);
/* How many have been asked for. */
unsigned fake_session_count(void);

/* fake_op.c; before destroy: those that it has not answered are stale. */
void	fake_op_end(struct fake *);

/* fake_net.c */
/* How many connections there are. */
unsigned fake_net_open(void);
/* Let the next thing happen to every connection.  Returns to how many. */
unsigned fake_net_turn(void);
/* Before destroy: on_close of all that are left. */
void	fake_net_end(struct fake *);
/* How many there have been. */
uint64_t fake_net_count(void);

extern const struct hostd_auth_api fake_auth_api;
extern const struct hostd_timer_api fake_timer_api;
extern const struct hostd_ready_api fake_ready_api;
extern const struct hostd_health_api fake_health_api;
extern const struct hostd_work_api fake_work_api;
extern const struct hostd_worker_api fake_worker_api;
extern const struct hostd_metrics_api fake_metrics_api;
extern const struct hostd_session_api fake_session_api;
extern const struct hostd_trace_api fake_trace_api;
extern const struct hostd_tls_api fake_tls_api;
extern const struct hostd_status_api fake_status_api;
extern const struct hostd_control_api fake_control_api;
extern const struct hostd_http_api fake_http_api;
extern const struct hostd_fetch_api fake_fetch_api;
extern const struct hostd_net_api fake_net_api;
extern const struct hostd_offer_api fake_offer_api;
extern const struct hostd_op_api fake_op_api;
extern const struct hostd_ws_api fake_ws_api;
extern const struct hostd_channel_api fake_channel_api;
extern const struct hostd_pubsub_api fake_pubsub_api;
extern const struct hostd_host fake_host_table;

int32_t	fake_post(const struct hostd_host *,
	    void (*)(struct hostd_inst *, void *), void *);

#endif
