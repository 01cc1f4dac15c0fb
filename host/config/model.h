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
#include "base/map.h"
#include "config/cron.h"
#include "config/tree.h"
#include "base/accesslog.h"
#include "net/addr.h"
#include "net/cidr.h"
#include "sandbox/sandbox.h"

/*
 * One file that configuration comes from.  name is what errors show; path is
 * what is read (the same, or a generation's copy).
 */
struct conf_source {
	char *name;
	char *path;
	int is_module;		/* a .so dropped into conf_dir */
};

struct conf_sources {
	struct conf_source *v;
	size_t n;
};

/*
 * The main file and, in name order, every *.conf and *.so of its conf_dir.
 * Also checks that each is owned by root or the running user and not
 * writable by others.  Errors are added; what could be found is returned.
 */
void	conf_sources_find(struct conf_sources *, const char *main_file,
	    struct conf_errors *);
void	conf_sources_add(struct conf_sources *, const char *name,
	    const char *path, int is_module);
void	conf_sources_free(struct conf_sources *);
/* Would a file of that name in conf_dir be one? */
int	conf_is_source(const char *name);

/*
 * Owned by root or the effective user, and not writable by group or others?
 * The same for the directory it is in.  0, or -1 with a reason that says what
 * to do in why.  Used for configuration and plugins alike.
 */
int	conf_file_trusted(const char *path, char *why, size_t size);

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

/* What was read from one.  p is NUL-ended; NULL: there is nothing. */
struct conf_text {
	char *path;
	char *p;
	size_t n;
};

/* A server's certificate, which was looked at: it can be read, and the key is
 * its own.  Times are seconds of unix time. */
struct conf_certificate {
	TAILQ_ENTRY(conf_certificate) entry;
	struct conf_pos pos;
	char *name;		/* of the block */
	struct conf_text chain;	/* PEM, the certificate itself comes first */
	struct conf_text key;	/* PEM */
	struct conf_text password;	/* of the key, without line end */
	struct conf_text ocsp;	/* DER, to be stapled */
	int64_t ocsp_until;	/* nobody is to get it any more; 0: no end */
	char **names;		/* lower case, or "*.example.com" */
	size_t nnames;
	int64_t not_before, not_after;
	int allow_expired;
};

enum conf_client_certificates { CONF_CLIENT_OFF, CONF_CLIENT_OPTIONAL,
	CONF_CLIENT_REQUIRED, CONF_CLIENT_OPTIONAL_NO_CA };

#define CONF_TICKET_KEY_MAX	80	/* bytes: name, HMAC, AES */

/* Keys of tickets that several machines share, as nginx has them. */
struct conf_ticket_key {
	char p[CONF_TICKET_KEY_MAX];
	size_t n;		/* 48: AES-128, 80: AES-256 */
};

/* How TLS is spoken at some addresses.  ms. */
struct conf_tls {
	TAILQ_ENTRY(conf_tls) entry;
	struct conf_pos pos;
	char *name;
	struct conf_certificate **certificates;	/* the first is the default */
	size_t ncertificates;
	int strict_sni;
	int min_version, max_version;	/* 0x0303, 0x0304 */
	char *ciphers;		/* of TLS 1.2, as OpenSSL writes them; NULL:
				   defaults, here and below */
	char *suites;		/* of TLS 1.3 */
	char *groups;
	int client_certificates;	/* enum conf_client_certificates */
	struct conf_text client_ca;	/* PEM */
	int client_verify_depth;
	int64_t session_timeout;
	int tickets;
	int64_t ticket_rotation;
	struct conf_ticket_key *ticket_keys;	/* the first encrypts */
	size_t nticket_keys;		/* 0: hostd makes them */
	int64_t handshake_timeout;
	int http2;		/* enum conf_http2 */
};

/* Who may come, by the first that is about an address. */
struct conf_access {
	struct conf_rule {
		struct cidr net;
		int all;	/* any address */
		int deny;
	} *v;
	size_t n;		/* 0: anybody */
};

/* Is HTTP/2 offered?  AUTO: where every route is the listen block's pool's, as a
 * stream can't go to another one. */
enum conf_http2 { CONF_HTTP2_AUTO, CONF_HTTP2_ON, CONF_HTTP2_OFF };

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

/* One server of a group, or what holds for those that say nothing else. */
struct conf_server {
	TAILQ_ENTRY(conf_server) entry;
	struct conf_pos pos;
	char *name;		/* as written: "app.example.com:3000" */
	char *host;		/* name, address, or path of a unix socket */
	uint16_t port;		/* not for unix sockets */
	struct addr addr;	/* len 0: host is to be resolved */
	int weight;
	int max_fails;		/* within fail_timeout; 0: any */
	int64_t fail_timeout;	/* ms, and for so long it is left alone */
	int64_t slow_start;	/* ms; 0: none */
	int max_conns;		/* of the machine; 0: any */
	int backup, down;
	int drain;		/* takes only what sticks to it */
	int added;		/* by upstream_changes alone */
};

/* Active checks.  ms. */
struct conf_health {
	int type;		/* enum conf_check */
	char *method, *path, *host;	/* HTTP; host NULL: the server's */
	struct conf_span { int from, to; } *statuses;
	size_t nstatuses;
	char *body;		/* HTTP: has to be in it; NULL: any */
	int port;		/* 0: the server's */
	int64_t interval, jitter, timeout;
	int rise, fall;
};

enum conf_check { CONF_CHECK_NONE, CONF_CHECK_TCP, CONF_CHECK_HTTP };

/* What the table of servers (upstream/table.h) has room for. */
#define CONF_UPSTREAM_MAX	63
#define CONF_SERVER_MAX		191

/* TLS to the servers of an upstream. */
struct conf_upstream_tls {
	int on;
	int verify;
	char *name;		/* NULL: that of the server */
	struct conf_text ca;	/* p NULL: the system's */
	struct conf_text chain, key;	/* ours; p NULL: none */
	int min_version, max_version;	/* 0x0303, 0x0304 */
};

struct conf_upstream {
	TAILQ_ENTRY(conf_upstream) entry;
	struct conf_pos pos;
	char *name;
	struct conf_plugin *balancer;
	char *balancer_name;
	struct conf_pos balancer_pos;
	TAILQ_HEAD(conf_servers, conf_server) servers;
	struct conf_servers removed;	/* by an upstream_changes block */
	int changed;			/* by an upstream_changes block, so it
					   may be without any */
	struct conf_server rules;	/* of servers that say nothing else */
	int keepalive;			/* idle connections to the group that a
					   worker keeps */
	int64_t keepalive_requests;
	int64_t keepalive_timeout;	/* ms */
	int64_t connect_timeout;	/* ms */
	int proxy_protocol;		/* sent to servers: 0, 1 or 2 */
	char **resolvers;		/* "192.0.2.53", "[::1]:5353"; none: the
					   system's */
	size_t nresolvers;
	int64_t resolve_min, resolve_max;	/* ms; whatever the TTL says */
	int64_t resolve_timeout;	/* ms */
	struct conf_upstream_tls tls;
	struct conf_health health;
};

struct conf_plugin {
	TAILQ_ENTRY(conf_plugin) entry;
	struct conf_pos pos;
	char *name;
	char *file;		/* absolute path of the .so */
	struct conf_pool *pool;	/* of routes that name none; may be NULL */
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

enum conf_secure { CONF_SECURE_OFF, CONF_SECURE_ON, CONF_SECURE_AUTO };
enum conf_samesite { CONF_SAMESITE_OFF, CONF_SAMESITE_LAX,
	CONF_SAMESITE_STRICT, CONF_SAMESITE_NONE };
enum conf_priority { CONF_PRIORITY_OFF, CONF_PRIORITY_LOW,
	CONF_PRIORITY_MEDIUM, CONF_PRIORITY_HIGH };

/* What names of blocks, and of their cookies, have room for. */
#define CONF_SESSION_MAX	63
#define CONF_COOKIE_MAX		128

/* One kind of sessions: where they are kept, and the cookie that names them.
 * Bytes and ms. */
struct conf_session {
	TAILQ_ENTRY(conf_session) entry;
	struct conf_pos pos;
	char *name;		/* of the block */
	struct conf_plugin *store;
	char *store_name;
	struct conf_pos store_pos;
	char *cookie;		/* its name: "connect.sid" */
	char *path;		/* of the cookie */
	char *domain;		/* NULL: none, the host that was asked */
	int secure;		/* enum conf_secure */
	int httponly, partitioned;
	int samesite;		/* enum conf_samesite */
	int priority;		/* enum conf_priority */
	char *secrets;		/* one in each line; NULL: not read yet, as it
				   is made */
	char *secret_file;	/* where they are; NULL: not in a file */
	int secret_is_made;	/* once, by us, in that file */
	int64_t max_age;	/* of the cookie; 0: until the browser ends */
	int64_t ttl;		/* in the store, where max_age is 0 */
	int rolling, resave, save_uninitialized;
	int64_t max_size;	/* of one document */
	int64_t timeout;	/* of one call of the store */
	int anonymous;		/* a store that fails: as if there were none;
				   else 503 */
	char *login;		/* where browsers are sent; NULL: 401 */
	char *required_key;	/* NULL: any session will do */
};

/* What a route does with a request's session. */
enum conf_session_use { CONF_SESSION_OFF, CONF_SESSION_OPTIONAL,
	CONF_SESSION_REQUIRED };

/* How clients of a route say who they are. */
struct conf_auth {
	TAILQ_ENTRY(conf_auth) entry;
	struct conf_pos pos;
	char *name;
	int type;		/* enum conf_auth_type */
	char *realm;
	int64_t remember;	/* ms */
	/* JWT */
	int algorithm;		/* enum conf_jwt */
	char *secret, *secret_file, *secret_env;	/* one of these five; */
	char *key_file, *jwks_file;			/* the others NULL */
	char *issuer;		/* NULL: any */
	char **audience;
	size_t naudience;	/* 0: any */
	int64_t leeway;		/* ms */
	char *user_claim;
	struct conf_token {
		int where;	/* enum conf_token_where */
		char *name;	/* or prefix; not of the header */
	} *from;
	size_t nfrom;
	/* BASIC */
	char *users_file;
};

enum conf_auth_type { CONF_AUTH_JWT, CONF_AUTH_BASIC };
enum conf_jwt { CONF_JWT_HS256, CONF_JWT_HS384, CONF_JWT_HS512,
	CONF_JWT_RS256, CONF_JWT_ES256, CONF_JWT_EDDSA };
enum conf_token_where { CONF_TOKEN_HEADER, CONF_TOKEN_COOKIE,
	CONF_TOKEN_QUERY, CONF_TOKEN_SUBPROTOCOL };

/* What tells requests apart: pieces, one behind the other. */
struct conf_key {
	struct conf_key_part {
		int what;	/* enum conf_key_what */
		char *text;	/* itself, or the name behind the prefix */
	} *v;
	size_t n;
};

enum conf_key_what { CONF_KEY_TEXT, CONF_KEY_ADDR, CONF_KEY_USER,
	CONF_KEY_HOST, CONF_KEY_URI, CONF_KEY_METHOD, CONF_KEY_ROUTE,
	CONF_KEY_HEADER, CONF_KEY_COOKIE, CONF_KEY_ARG, CONF_KEY_CLAIM };

enum conf_limit_kind { CONF_LIMIT_REQ, CONF_LIMIT_CONN };

/* What the table of limits (limit/table.h) has room for. */
#define CONF_LIMIT_MAX	63

/* How often, or how many at a time, requests of one key may come. */
struct conf_limit {
	TAILQ_ENTRY(conf_limit) entry;
	struct conf_pos pos;
	char *name;
	int kind;		/* enum conf_limit_kind */
	struct conf_key key;
	int ipv6_prefix;	/* bits of an address that count */
	int status;
	int dry_run;
	/* REQ */
	int64_t cost_us;	/* of one request: 1 / rate */
	int64_t burst, delay;	/* requests; those above delay wait */
	/* CONN */
	int64_t max;
};

/* What the whole node may have. */
struct conf_budget {
	int64_t max_connections;	/* 0: any */
	int64_t max_memory;		/* bytes, of all workers; 0: any */
	int resume;			/* percent of it: below that again */
	int64_t retry_after;		/* ms */
};

struct conf_limits {
	struct conf_limit **v;
	size_t n;
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
	int match;		/* enum conf_match */
	int64_t max_body;	/* bytes */
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
	char *state_dir;	/* what outlives us, and the machine's restart */
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

/* How often keys of tickets may change within the time that they are good
 * for. */
#define CONF_TICKET_ROTATIONS	28

/* How often hostd makes new keys for tickets, and how long they are good for;
 * ms.  0: nobody uses any. */
int	conf_ticket_times(const struct conf *, int64_t *rotation,
	    int64_t *lifetime);

/* Add a route with the defaults of http { }, for a plugin that brings its own.
 * NULL and an error when the pattern is bad. */
struct conf_route *conf_route_add(struct conf *, const char *path,
	    struct conf_plugin *, struct conf_errors *);
/*
 * "app.example.com:3000", "192.0.2.1:80", "[2001:db8::1]:80", "unix:/path":
 * sets name, host, port and addr, which conf_server_free frees.  0, or -1 with
 * a reason in *why (a constant text) and nothing to free.
 */
int	conf_server_parse(const char *text, struct conf_server *,
	    const char **why);
void	conf_server_free(struct conf_server *);
/* The same one?  However they are written. */
int	conf_server_same(const struct conf_server *, const struct conf_server *);

/* May that instance use hostd.control/1 in workers of that pool?  If it has
 * routes, only where these are answered. */
int	conf_is_controller(const struct conf *, const char *instance,
	    const char *pool);
/* NULL, or what is wrong with it, to follow its text; to be freed either way. */
const char *conf_key_parse(struct conf_key *, const char *text);
void	conf_key_free(struct conf_key *);
/* to: of its own. */
void	conf_access_copy(struct conf_access *to, const struct conf_access *);
void	conf_limits_copy(struct conf_limits *to, const struct conf_limits *);

/* Errors for routes that claim the same host, path and method.  Returns how
 * many. */
int	conf_routes_conflict(const struct conf *, struct conf_errors *);

/* The host's own keys by block, for documentation and tests: "" is the top
 * level.  NULL-ended; NULL for an unknown block. */
const struct hostd_key *const *conf_block_rows(const char *block);

#endif
