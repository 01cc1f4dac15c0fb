/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All plugins of one worker or probe: loaded from a generation, created,
 * routed, started, drained and destroyed.  The only part of the host, with
 * its services, that knows the SDK's tables.
 */
#ifndef PLUGIN_PLUGINS_H
#define PLUGIN_PLUGINS_H

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>
#include <hostd/worker.h>
#include <hostd/ws.h>
#include "auth/auth.h"
#include "base/board.h"
#include "base/buf.h"
#include "base/handle.h"
#include "base/map.h"
#include "config/model.h"
#include "config/snapshot.h"
#include "limit/limits.h"
#include "net/loop.h"
#include "net/stream.h"
#include "plugin/net_tls.h"
#include "pubsub/hub.h"
#include "session/sessions.h"
#include "upstream/group.h"

struct fetch;
struct fetch_tunnel;
struct http_server;
struct instance;
struct metric_def;
struct module;
struct router;
struct state_file;
struct state_map;
struct ws_server;

struct plugin_post {
	STAILQ_ENTRY(plugin_post) link;
	struct instance *in;
	void (*fn)(struct hostd_inst *, void *);
	void *arg;
};

/* A plugin of the configuration whose module could be loaded. */
struct plugin_loaded {
	const struct conf_plugin *conf;
	const struct module *module;
	struct instance *in;		/* NULL: not created here */
	int done;			/* it will not be created any more */
};

struct plugins {
	struct loop *loop;
	struct conf *conf;
	struct conf_errors *errs;	/* of getting ready */
	const struct conf_pool *pool;	/* ours; NULL: a probe's, of all */
	struct board *board;
	struct board_cell *cell;
	struct http_server *server;	/* set before start */
	struct ws_server *sockets;	/* the same */
	struct hub hub;
	struct upstreams upstreams;
	struct auths auths;
	struct limits limits;
	struct sessions sessions;
	struct handle_table session_handles;
	struct map modules;		/* copy's path -> struct module */
	struct plugin_loaded *loaded;
	size_t nloaded;
	struct handle_table users;	/* of what plugins offer */
	TAILQ_HEAD(instances, instance) instances;
	uint32_t ninstances;
	uint32_t nstays;		/* those that a drain waits for */

	/* post(), from any thread */
	pthread_mutex_t post_lock;
	STAILQ_HEAD(plugin_posts, plugin_post) posts;
	struct plugin_posts posts_running;	/* the loop's own */
	uv_async_t post_async;
	uint64_t post_turn;		/* when they were run last */

	struct handle_table timers;
	size_t nworks;

	struct handle_table conns;	/* outgoing */
	struct stream_io net_io;	/* theirs; loop NULL: none yet */
	struct net_tls_list net_tls;	/* the same */

	struct handle_table fetches;	/* exchanges with servers */
	LIST_HEAD(, fetch) free_fetches;
	struct fetch_tunnel *closed_tunnels;
	struct loop_task reap_tunnels;

	struct board_metric *metrics;	/* our cell's series */
	struct instance *metric_owner[BOARD_METRICS];
	uint32_t nseries;
	struct map series;		/* name -> index + 1 */
	struct metric_def *defs;
	uint32_t ndefs;

	struct handle_table ops;	/* of hostd.op/1 */
	struct store_op *spare_ops;	/* of session stores */
	unsigned nspare_ops;
	struct handle_table subs;	/* of hostd.channel/1 */
	STAILQ_HEAD(plugin_newses, plugin_news) news;
	struct loop_task news_task;
	struct hostd_ws_info ws_info;	/* of the last to be asked for */
	struct hostd_worker_info worker_info;	/* ours, when it was asked for
						   last */

	uint32_t last_ask;		/* of hostd.control/1 */
	int orphaned;			/* the master has gone */
	struct buf status_json, exposition;
	struct health_view *health;	/* the last to be asked for */
	struct buf claim;		/* the last to be asked for */
	struct identity *token_of;	/* and whose token was the last */
	struct buf trace_state;		/* likewise */
	struct buf session_text;	/* the same */
};

/*
 * Load everything that conf names, and create what workers of pool have a use
 * for (NULL: all): not what only routes of other pools name.  Modules come from
 * the snapshot's copies; the tables may be NULL.  All errors are added; the
 * result is usable only without any.
 */
void	plugins_load(struct plugins *, struct loop *, struct conf *,
	    const struct conf_pool *pool, const struct snapshot *,
	    struct board *, struct board_cell *, struct up_table *,
	    struct limit_table *, struct conf_errors *);
/* The router over all routes, default ones included; errors are added. */
struct router *plugins_route(struct plugins *, struct conf_errors *);
int	plugins_start(struct plugins *, struct http_server *,
	    struct ws_server *, struct conf_errors *);
/* Does any instance take its state to a successor, or from a predecessor? */
int	plugins_have_state(const struct plugins *);
/* Those that do save it, each at most max bytes. */
void	plugins_save(struct plugins *, struct state_file *, uint64_t max);
/* Before start: what a predecessor's have left. */
void	plugins_load_state(struct plugins *, const struct state_map *);
/* Does a plugin hold back readiness?  why says which, and what for.  One that
 * will never be ready has added an error instead. */
int	plugins_held(const struct plugins *, char *why, size_t size);
void	plugins_drain(struct plugins *, uint32_t deadline_ms);
/* Once, in a process that serves: a crash leaves its last words in the log, and
 * on a thread of the pool is blamed on the plugin whose work it was doing. */
void	work_service_watch(void);
/* The server must be closed before; waits for work on threads. */
void	plugins_destroy(struct plugins *);

#endif
