/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One configured instance of a plugin in this worker, and the brackets around
 * every call into it.
 */
#ifndef PLUGIN_INSTANCE_H
#define PLUGIN_INSTANCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/board.h"
#include "config/schema.h"
#include "http/request.h"
#include "net/loop.h"
#include "plugin/module.h"
#include "pubsub/hub.h"
#include "session/store.h"
#include "upstream/group.h"
#include "ws/conn.h"

struct offer_use;
struct op;
struct plugin_ask;
struct plugins;
struct plugin_sub;
struct plugin_timer;
struct plugin_work;
struct fetch;
struct net_conn;

struct instance {
	TAILQ_ENTRY(instance) link;
	struct plugins *all;
	const struct module *module;
	const struct conf_plugin *conf;
	struct conf_values values;
	struct hostd_host host;		/* what the plugin holds; ctx is us */
	struct hostd_inst *inst;	/* the plugin's; set by create */
	uint32_t index;			/* names it on the board */
	int creating;			/* metrics may be defined */
	int created;
	int started;			/* start has returned */
	uint32_t holds;			/* of readiness */
	char hold_reason[128];		/* the last one's */
	int ending;			/* nothing new is taken */
	int stays;			/* a worker that drains waits for it */
	/* What it provides; NULL: not that. */
	const struct hostd_http_ops *route;
	const struct hostd_ws_ops *ws;
	const struct hostd_pubsub_ops *pubsub;
	const struct hostd_balancer_ops *picks;
	const struct hostd_session_store_ops *keeps;
	const struct hostd_p_state *state;
	const struct hostd_p_ws_state *ws_state;
	struct http_handler http;	/* of its routes, upgrades included */
	struct ws_handler ws_handler;
	struct hub_backend backend;
	struct up_balancer balancer;
	struct session_store store;
	LIST_HEAD(, plugin_sub) subs;	/* of hostd.channel/1 */
	uint32_t nsubs;
	LIST_HEAD(, plugin_timer) timers;
	uint32_t ntimers;
	LIST_HEAD(, plugin_work) works;
	LIST_HEAD(, net_conn) conns;	/* outgoing */
	uint32_t nconns;
	LIST_HEAD(, fetch) fetches;	/* exchanges with servers */
	uint32_t nfetches;
	LIST_HEAD(, op) ops;		/* answers that it owes */
	LIST_HEAD(, offer_use) uses;	/* of what others offer */
	LIST_HEAD(, plugin_ask) asks;	/* and those that the master owes it */
	uint32_t nasks;
};

/*
 * Make the instance of conf: check its keys (errors are added) and call
 * create.  NULL when refused.
 */
struct instance *instance_new(struct plugins *, const struct module *,
	    const struct conf_plugin *, struct conf_errors *);
int	instance_start(struct instance *, struct conf_errors *);
void	instance_drain(struct instance *, uint32_t deadline_ms);
/* End its timers, posts, connections and works; returns how many works are on a
 * thread still and must be waited for. */
size_t	instance_stop(struct instance *);
void	instance_destroy(struct instance *);

/*
 * Say on the board whose code runs now; returns a time for instance_leave,
 * which warns when the callback took longer than the budget.
 */
uint64_t instance_enter(struct instance *, enum board_callback);
void	instance_leave(struct instance *, uint64_t entered);

/* The same for what may be called from within another plugin's call: that one
 * goes on afterwards, and is told so on the board. */
struct instance_outer {
	uint64_t entered, entered_ms;
	uint32_t plugin, callback;
};
void	instance_enter_within(struct instance *, enum board_callback,
	    struct instance_outer *);
void	instance_leave_within(struct instance *,
	    const struct instance_outer *);

/* The same for a call about a request: what is logged meanwhile is about its
 * trace. */
struct request_call {
	uint64_t entered;
	const char *traced;
};
void	request_enter(struct instance *, const struct http_req *,
	    enum board_callback, struct request_call *);
void	request_leave(struct instance *, const struct request_call *);

/* The tables behind get_ext, one file each. */
const struct hostd_auth_api *auth_service(void);
const struct hostd_http_api *http_service(void);
const struct hostd_timer_api *timer_service(void);
const struct hostd_health_api *health_service(void);
const struct hostd_ready_api *ready_service(void);
const struct hostd_work_api *work_service(void);
const struct hostd_worker_api *worker_service(void);
void	instance_stay(struct instance *, int on);
const struct hostd_metrics_api *metrics_service(void);
const struct hostd_status_api *status_service(void);
const struct hostd_net_api *net_service(void);
const struct hostd_fetch_api *fetch_service(void);
const struct hostd_ws_api *ws_service(void);
const struct hostd_channel_api *channel_service(void);
const struct hostd_pubsub_api *pubsub_service(void);
const struct hostd_balancer_api *balancer_service(void);
const struct hostd_offer_api *offer_service(void);
const struct hostd_op_api *op_service(void);
const struct hostd_session_api *session_service(void);
const struct hostd_trace_api *trace_service(void);
const struct hostd_tls_api *tls_service(void);
const struct hostd_control_api *control_service(void);

/* hostd_host's own functions. */
void	core_service_bind(struct instance *);
/* hostd_conf over values. */
void	conf_view_bind(struct conf_values *);
/* The handlers over the plugin's tables. */
void	http_binding_init(struct instance *);
void	ws_binding_init(struct instance *);
void	pubsub_binding_init(struct instance *);
void	balancer_binding_init(struct instance *);
void	store_binding_init(struct instance *);

/* Whose sockets these are. */
struct instance *ws_instance(struct ws_handler *);

/* Upgrades among the requests of an instance's routes. */
int	ws_is_upgrade(const struct instance *, const struct http_req *);
int32_t	ws_upgrade_headers(struct instance *, struct http_req *);
void	ws_upgrade_end(struct instance *, struct http_req *, int why);

/* A request that a handle names, if it is this instance's, answered or not. */
int32_t	http_look(const struct hostd_host *, hostd_req, const char *function,
	    struct http_req **);
/* What a handle names, if it is this instance's: HOSTD_OK, E_GONE, E_THREAD.
 * The request is still the plugin's to answer. */
int32_t	http_find(const struct hostd_host *, hostd_req, const char *function,
	    struct http_req **);
int32_t	ws_find(const struct hostd_host *, hostd_ws, const char *function,
	    struct ws_conn **);

/* hostd.channel/1's part of struct plugins. */
void	channel_service_init(struct plugins *);
void	channel_service_close(struct plugins *);

void	store_service_close(struct plugins *);

/* Session blocks. */
void	session_service_init(struct plugins *, struct conf_errors *);
void	session_service_close(struct plugins *);

/* For instance_stop. */
void	timer_service_stop(struct instance *);
void	channel_service_stop(struct instance *);
void	op_service_stop(struct instance *);
void	control_service_stop(struct instance *);
size_t	work_service_cancel(struct instance *);

/*
 * 0, or HOSTD_E_THREAD and a log line that blames the plugin when this is not
 * the loop's thread.
 */
int32_t	instance_check_thread(struct instance *, const char *function);

#endif
