/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The typed configuration: everything of it but the plugins' own keys, which
 * only code that has loaded the plugin can check (conf_check on plugin->node).
 */
#ifndef CONFIG_MODEL_H
#define CONFIG_MODEL_H

#include <sched.h>
#include <stdint.h>
#include <sys/queue.h>
#include <hostd/abi.h>
#include "base/accesslog.h"
#include "base/map.h"
#include "config/cron.h"
#include "config/model_auth.h"
#include "config/model_limit.h"
#include "config/model_session.h"
#include "config/model_tls.h"
#include "config/model_upstream.h"
#include "config/sources.h"
#include "config/tree.h"
#include "net/addr.h"
#include "net/cidr.h"
#include "sandbox/sandbox.h"

struct conf_pool {
	TAILQ_ENTRY(conf_pool) entry;
	struct conf_pos pos;
	char *name;
	int workers;		/* resolved: at least 1 */
	int max_restarts;	/* 0: any */
	int64_t min_uptime;	/* ms */
	int64_t max_memory;	/* bytes resident; 0: any */
	int64_t watchdog;	/* ms without a turn of the loop; 0: any */
	int restarts;		/* at the times of restart_at */
	struct cron restart_at;
	char **env;		/* "NAME=value" */
	size_t nenv;
	int affinity;		/* enum conf_affinity */
	cpu_set_t cpus;		/* of a list */
	struct conf_pos affinity_pos;
	int has_nice;		/* else it stays as hostd's own */
	int nice;
	struct conf_pos nice_pos;
	int balance;		/* connections go from the full to the empty */
	int64_t queue_timeout;	/* ms; requests of other pools wait so long */
};

/* Which cpus a worker may run on: any, one each in turn, or those of a list. */
enum conf_affinity { CONF_AFFINITY_ANY, CONF_AFFINITY_AUTO,
	CONF_AFFINITY_LIST };

/* A file that something in the configuration is read from: a generation has a
 * copy of it. */
struct conf_file {
	TAILQ_ENTRY(conf_file) entry;
	struct conf_pos pos;
	char *path;
};

struct conf_listen {
	TAILQ_ENTRY(conf_listen) entry;
	struct conf_pos pos;
	char *name, *address;	/* as written */
	struct addr addr;
	struct conf_pool *pool;
	int backlog;
	int permissions;	/* unix: permission bits */
	int v6only;
	int mode;		/* enum conf_mode */
	int proxy_protocol;	/* connections begin with its header */
	struct conf_tls *tls;	/* NULL: none is spoken */
	char *redirect_https;	/* "", ":8443", "host", "host:8443": requests
				   go there; NULL: they stay */
	struct conf_upstream *upstream;	/* STREAM: where to; may be NULL with
					   snis: others are closed */
	TAILQ_HEAD(, conf_sni) snis;	/* STREAM: by the TLS server name */
	int64_t idle_timeout;	/* STREAM: ms without a byte either way */
	int64_t hello_timeout;	/* ms for a ClientHello, and for the header of
				   the PROXY protocol */
	struct conf_access access;	/* to connect */
	int64_t max_per_address;	/* connections; 0: any */
};

/* What comes to an address: HTTP, or bytes for a server. */
enum conf_mode { CONF_MODE_HTTP, CONF_MODE_STREAM };

/* TLS connections to names go there, unread. */
struct conf_sni {
	TAILQ_ENTRY(conf_sni) entry;
	struct conf_pos pos;
	char *name;		/* lower case; "*.example.com" is a wildcard */
	struct conf_upstream *upstream;
};

struct conf_plugin {
	TAILQ_ENTRY(conf_plugin) entry;
	struct conf_pos pos;
	char *name;
	char *file;		/* absolute path of the .so */
	struct conf_pool *pool;	/* of routes that name none; may be NULL */
	char *offered_by;	/* whose kind it is of; NULL: the only one's */
	struct conf_pos offered_by_pos;
	int bare;		/* dropped in as a .so, no block */
	const struct conf_node *node;	/* its keys; an empty block when bare */
};

/* What holds for WebSockets: of all routes, or of one.  Bytes and ms. */
struct conf_websocket {
	char **origins;
	size_t norigins;		/* 0: any */
	int64_t max_message;
	int64_t message_timeout;
	int64_t message_rate, message_burst;	/* 0: any */
	int64_t ping_interval;		/* 0: never */
	int64_t pong_timeout, close_timeout;
	int64_t high_water, max_output;
	int slow_close;			/* else: drop */
	int64_t max_channels;
	int deflate;
	int64_t deflate_min;
	int server_takeover, client_takeover;
	int server_bits, client_bits;
	int level, memory;		/* of all routes */
};

struct conf_pubsub {
	char *backend;			/* name; NULL: none was said */
	struct conf_pos pos;		/* of it */
	int64_t queue;			/* bytes for each worker */
	int64_t history;		/* bytes that a worker remembers */
	int64_t query_timeout;		/* ms */
};

struct conf_route {
	TAILQ_ENTRY(conf_route) entry;
	struct conf_pos pos;
	char *path;		/* the pattern */
	char **hosts;		/* lower case; "*.example.com" is a wildcard */
	size_t nhosts;		/* 0: any host */
	char **methods;
	size_t nmethods;	/* 0: any method */
	struct conf_plugin *plugin;
	struct conf_pool *pool;	/* who answers; NULL: the listen block's */
	struct conf_upstream *upstream;	/* for the plugin; may be NULL */
	int session;		/* enum conf_session_use */
	struct conf_session *sessions;	/* which; NULL: there are none */
	struct conf_auth *auth;	/* who may come in; NULL: anybody */
	struct conf_limits limit_reqs, limit_conns;
	struct conf_access access;
	int shed;		/* turned away above the budget */
	int64_t body_timeout, send_timeout;	/* ms */
	int64_t min_body_rate, min_send_rate;	/* bytes a second; 0: any */
	int64_t limit_rate;	/* the same, 0: none */
	int64_t limit_rate_after;	/* bytes before it holds */
	int match;		/* enum conf_match */
	int64_t max_body;	/* bytes */
	int64_t max_head, max_headers;	/* 0: only the server's hold */
	int64_t defer_timeout;	/* ms */
	struct conf_websocket *websocket;	/* its own, or conf's */
};

/* How a route's path is compared.  AUTO: a pattern that ends in "/" matches
 * everything below it, another one only itself. */
enum conf_match { CONF_MATCH_AUTO, CONF_MATCH_EXACT, CONF_MATCH_PREFIX };

struct conf_error_page {
	TAILQ_ENTRY(conf_error_page) entry;
	struct conf_pos pos;
	int status;
	char *file;		/* absolute path as configured */
	char *type;		/* Content-Type */
	char *body;		/* content of the file, read at load */
	size_t len;
};

enum conf_log { CONF_LOG_HTTP, CONF_LOG_STREAM };

struct conf_access_log {
	TAILQ_ENTRY(conf_access_log) entry;
	struct conf_pos pos;
	int kind;		/* enum conf_log */
	char *path;		/* absolute; "off", "stdout", "stderr" and
				   "syslog:..." as they are */
	struct syslog *syslog;	/* NULL: it is none */
	struct access_when when;
	char *format;		/* "combined", "json", or nginx variables */
};

/* Limits and time limits of HTTP/1.  Bytes and milliseconds. */
struct conf_http {
	int64_t max_request_line;	/* 414 */
	int64_t max_head;		/* 431 */
	int64_t max_headers;		/* 431 */
	int64_t max_body;		/* 413 */
	int64_t head_timeout;		/* first byte to end of head: 408 */
	int64_t body_timeout;		/* between two reads of a body: 408 */
	int64_t idle_timeout;		/* between requests: close */
	int64_t send_timeout;		/* between two writes: close */
	int64_t defer_timeout;		/* a plugin that owes an answer: 504 */
	int64_t lingering_timeout;	/* reading on after an early close */
	int64_t keepalive_requests;	/* then Connection: close */
	int64_t max_connections;	/* per worker */
	int over_limit_503;		/* else: stop accepting */
	int64_t output_high;		/* high water of pending output */
	int h2c;			/* HTTP/2 without TLS, if a client
					   begins with it */
	int64_t max_streams;		/* of a connection of HTTP/2 */
	int64_t stream_window;		/* what a client may send ahead */
	int64_t connection_window;
	char *hsts;			/* Strict-Transport-Security; NULL:
					   none */
	char *server;			/* Server header; "" for none */
	struct cidrs real_ip_from;	/* whose word on a client's address is
					   taken */
	char *real_ip_header;
	int real_ip_recursive;
	int trace;			/* enum conf_trace */
	struct cidrs trace_trust;	/* whose traces go on here; none:
					   everybody's */
	int64_t trace_sample;		/* of new ones, parts of RATIO_ONE */
	int64_t max_per_address;	/* connections; 0: any */
	int per_address_prefix;		/* bits of an IPv6 address */
	struct cidrs per_address_exempt;
	struct conf_access access;	/* of routes that have none */
	int64_t min_body_rate, min_send_rate, limit_rate;	/* the same */
	int64_t limit_rate_after;
	struct conf_limits limit_reqs, limit_conns;	/* of routes that say
							   nothing of them */
};

enum conf_trace { CONF_TRACE_OFF, CONF_TRACE_W3C };

/* What workers may do, beyond what they need. */
struct conf_sandbox {
	int mode;		/* enum sandbox_mode */
	struct conf_grant { char *path; unsigned access; } *grants;
	size_t ngrants;
	char **calls;		/* system calls, or "exec" */
	size_t ncalls;
	struct conf_pos calls_pos;
	char *chroot;		/* NULL: none */
	struct conf_pos chroot_pos;
	int64_t core;		/* bytes of a core file, or one of these */
};

#define CONF_CORE_INHERITED	(-1)	/* whatever hostd was started with */
#define CONF_CORE_ANY		INT64_MAX

struct conf {
	const char *file;	/* the main one */
	char *user, *group;	/* group: NULL for the user's */
	char *conf_dir, *plugin_dir, *run_dir, *pid_file, *control;
	char *state_dir;	/* what outlives us, and the machine's
				   restart */
	char *plugin_state;	/* of plugins: what they write "$state/" for has
				   a directory for each of them below it */
	char **controllers;	/* instances that may use hostd.control/1 */
	size_t ncontrollers;
	struct conf_pos controllers_pos;
	char *error_log;	/* as path of an access log, but "off" */
	int log_level;		/* enum log_level */
	int64_t drain_timeout;	/* ms; then open connections are closed */
	int64_t drain_delay;	/* ms; not ready, before all is drained */
	int work_threads;	/* of each worker */
	int64_t ready_timeout;	/* ms; a worker or probe not ready by then */
	int64_t state_timeout;	/* ms; a save, or start, that takes longer */
	int64_t max_state;	/* bytes of one instance */
	int64_t callback_budget;	/* ms; a longer callback is logged */
	int generations_kept;	/* beside the one that serves */
	int watch;		/* reload when files change */
	struct conf_sandbox sandbox;
	struct conf_http http;
	struct conf_budget budget;
	struct conf_websocket websocket;
	struct conf_pubsub pubsub;
	TAILQ_HEAD(, conf_session) sessions;
	TAILQ_HEAD(conf_files, conf_file) files;
	TAILQ_HEAD(, conf_certificate) certificates;
	TAILQ_HEAD(, conf_tls) tls;
	TAILQ_HEAD(conf_pools, conf_pool) pools;
	TAILQ_HEAD(, conf_listen) listens;
	TAILQ_HEAD(, conf_plugin) plugins;
	TAILQ_HEAD(, conf_upstream) upstreams;
	TAILQ_HEAD(, conf_auth) auths;
	TAILQ_HEAD(, conf_limit) limits;
	TAILQ_HEAD(, conf_route) routes;
	TAILQ_HEAD(, conf_error_page) error_pages;
	TAILQ_HEAD(, conf_access_log) access_logs;
	struct conf_node *tree;	/* what the nodes above point into */
};

/*
 * Read all sources into one model.  Relative paths in the files are relative
 * to the directory of the main file's name (sources[0].name).  files says
 * where a generation keeps its copies of the files that the configuration
 * names (error pages, certificates), by the name they have there; NULL: read
 * them where they are.  Always returns a model, as good as it could be made; it
 * is to be used only when no error was added.
 */
struct conf *conf_load(const struct conf_sources *, const struct map *files,
	    struct conf_errors *);
void	conf_free(struct conf *);

/* How often hostd makes new keys for tickets, and how long they are good for;
 * ms.  0: nobody uses any. */
int	conf_ticket_times(const struct conf *, int64_t *rotation,
	    int64_t *lifetime);

/* Add a route with the defaults of http { }, for a plugin that brings its own.
 * NULL and an error when the pattern is bad. */
struct conf_route *conf_route_add(struct conf *, const char *path,
	    struct conf_plugin *, struct conf_errors *);

/* May that instance use hostd.control/1 in workers of that pool?  If it has
 * routes, only where these are answered. */
int	conf_is_controller(const struct conf *, const char *instance,
	    const char *pool);

/* Errors for routes that claim the same host, path and method.  Returns how
 * many. */
int	conf_routes_conflict(const struct conf *, struct conf_errors *);

/* The host's own keys by block, for documentation and tests: "" is the top
 * level.  NULL-ended; NULL for an unknown block. */
const struct hostd_key *const *conf_block_rows(const char *block);

#endif
