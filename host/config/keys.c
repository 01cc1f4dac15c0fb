/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's own keys: what hostd.conf(5) is made of. */
#include <stddef.h>
#include <string.h>
#include "config/keys.h"
#include "config/model.h"

const char *const conf_log_levels[] = { "debug", "info", "warn", "error",
    NULL };
static const char *const matches[] = { "auto", "exact", "prefix", NULL };
static const char *const over_limits[] = { "wait", "503", NULL };
static const char *const proxy_protocols[] = { "off", "v1", "v2", NULL };
static const char *const checks[] = { "http", "tcp", NULL };
static const char *const session_uses[] = { "off", "optional", "required",
	NULL };
static const char *const traces[] = { "off", "w3c", NULL };
/* In the order of enum sandbox_mode. */
static const char *const sandboxes[] = { "off", "log", "on", NULL };
static const char *const slow_peers[] = { "close", "drop", NULL };

static const struct hostd_key top_keys[] = {
	KEY("user", STRING, "nobody", "Workers run as this user when hostd is "
	    "started as root."),
	KEY("group", STRING, NULL, "And as this group; default: the user's."),
	KEY("conf_dir", PATH, "conf.d", "Directory whose *.conf files are "
	    "read, and whose *.so files are loaded as plugins with their "
	    "defaults, in name order."),
	KEY("plugin_dir", PATH, HOSTD_PLUGIN_DIR, "Where a plugin's module "
	    "is looked for when it is not an absolute path."),
	KEY("run_dir", PATH, HOSTD_RUN_DIR, "Directory for generations and "
	    "the control socket."),
	KEY("state_dir", PATH, HOSTD_STATE_DIR, "Directory for what is to be "
	    "there after the machine's restart: secrets that are made once, "
	    "sessions.  It is made when it is needed."),
	KEY("pid_file", PATH, NULL, "File to write the master's pid to."),
	KEY("control", PATH, NULL, "Path of the socket for hostctl; "
	    "default: control.sock in run_dir."),
	KEY("controllers", LIST, NULL, "Plugins, by the names of their blocks, "
	    "that may do what hostctl can: reload, drain, scale, restart, and "
	    "read the error log.  Default: none."),
	KEY("error_log", STRING, "stderr", "File for the error log, or "
	    "\"stderr\", \"stdout\", or \"syslog:...\" as in access_log."),
	KEY_ENUM("log_level", "info", conf_log_levels, "Least severe lines to "
	    "log."),
	KEY_RANGE("drain_timeout", DURATION, "30s", 0, DAY, "How long a worker "
	    "that is replaced may take to finish; 0: as long as it takes."),
	KEY_RANGE("drain_delay", DURATION, "0s", 0, DAY, "How long hostd goes "
	    "on serving when it is told to end, after it has said that it is "
	    "not ready any more: for load balancers to notice."),
	KEY_RANGE("ready_timeout", DURATION, "10s", 100, DAY, "How long a new "
	    "worker may take to get ready."),
	KEY_RANGE("state_timeout", DURATION, "2s", 10, DAY, "How long plugins "
	    "of a worker that is replaced may take to save their state, and "
	    "then the new worker to get ready, before the worker goes on "
	    "without: nobody accepts meanwhile."),
	KEY_RANGE("max_state", SIZE, "64m", 4096, (int64_t)4 << 30, "Bytes of "
	    "the state that one plugin saves for its successor."),
	KEY_RANGE("work_threads", INT, "4", 1, 128, "Threads of each worker "
	    "for what plugins must not do on its loop, such as reading "
	    "files."),
	KEY_RANGE("callback_budget", DURATION, "100ms", 1, DAY, "A plugin's "
	    "callback that takes longer is logged."),
	KEY_RANGE("generations_kept", INT, "3", 1, 100, "How many generations "
	    "are kept, beside the one that serves, to go back to."),
	KEY("watch", BOOL, "off", "Reload when a configuration file or a "
	    "plugin changes; for development."),
	KEY_ENUM("sandbox", "off", sandboxes, "Keep workers to the files and "
	    "system calls that they need: \"on\" ends one that tries anything "
	    "else, \"log\" only tells of it."),
	KEY("sandbox_paths", LIST, NULL, "More that they may reach, with all "
	    "that is below: \"r:/path\" to read, \"rw:/path\" to write as "
	    "well, \"rx:/path\" to execute."),
	KEY("sandbox_calls", LIST, NULL, "More system calls that they may "
	    "make, as \"ptrace\"; \"exec\": all that executing programs "
	    "takes."),
	KEY("chroot", PATH, NULL, "Root directory of workers, which has to "
	    "have in it whatever they need, by the same paths.  Needs root."),
	KEY("core", STRING, NULL, "Size of workers' core files: \"off\", "
	    "\"on\" for any, or a size; default: as hostd was started."),
};

static const struct hostd_key pool_keys[] = {
	KEY("workers", STRING, "auto", "Number of worker processes, 1 to 256, "
	    "\"auto\": one per core, or -1: one per core but one."),
	KEY_RANGE("max_restarts", INT, "5", 0, 1000, "How often workers may "
	    "crash within min_uptime of a reload; once more, and the "
	    "generation before serves again.  A worker that has "
	    "ended more often in a row, never up for min_uptime, is tried "
	    "again at the longest pause only.  0: as often as they like."),
	KEY_RANGE("min_uptime", DURATION, "30s", 1, DAY, "A worker that has "
	    "served for so long has started well, and a generation has proved "
	    "itself."),
	KEY_RANGE("max_memory", SIZE, "0", 0, INT64_MAX, "A worker that has "
	    "more than this resident (RSS, as hostctl list shows it) for three "
	    "seconds is replaced by a new one, without cutting anybody off; "
	    "0: any."),
	KEY_RANGE("watchdog", DURATION, "30s", 0, DAY, "A worker whose loop "
	    "has not turned for so long is killed and replaced: it is stopped, "
	    "or a plugin does not return.  0: never."),
	KEY("restart_at", STRING, NULL, "When all workers are replaced by new "
	    "ones, one after the other, as crontab(5) writes it: \"minute "
	    "hour day month weekday\", local time."),
	KEY("env", LIST, NULL, "\"NAME=value\" each: variables of the "
	    "workers' environment.  Plugins are tried with those of all "
	    "pools, of the first where they differ."),
	KEY("affinity", STRING, NULL, "Which cpus workers run on: \"0-3,5\", "
	    "or \"auto\": each on one, in turn; default: any."),
	KEY_RANGE("nice", INT, NULL, -20, 19, "Scheduling priority, 19 is the "
	    "lowest; less than hostd's own needs root.  Default: hostd's."),
	KEY("balance", BOOL, "off", "A worker that has far more connections "
	    "than the others of the pool on average passes new and idle ones "
	    "on to them."),
	KEY_RANGE("queue_timeout", DURATION, "5s", 1, DAY, "How long a request "
	    "that came to another pool waits until a worker of this one takes "
	    "it (503)."),
};

static const struct hostd_key listen_keys[] = {
	KEY_REQ("address", STRING, "\"0.0.0.0:8080\", \"[::]:8080\", \"*:80\", "
	    "\"8080\" or \"unix:/path\"."),
	KEY("pool", STRING, NULL, "Pool whose workers accept; default: the "
	    "first one."),
	KEY_RANGE("backlog", INT, "511", 1, 65535, "Length of the queue of "
	    "connections not yet accepted."),
	KEY("permissions", STRING, "0666", "Of a unix socket, in octal."),
	KEY("v6only", BOOL, "on", "An IPv6 socket takes no IPv4 connections."),
	KEY_RANGE("max_connections_per_address", INT, NULL, 0, 60000, "As in "
	    "http, of connections to this address."),
	KEY("access", LIST, NULL, "Who may connect, by the first of these that "
	    "is about its address: \"allow 192.0.2.0/24\", \"deny all\"; "
	    "others are closed at once.  Default: anybody."),
	KEY_ENUM("mode", "http", conf_modes, "What comes here: requests, which "
	    "routes answer, or streams of bytes, which go to a server of an "
	    "upstream as they are."),
	KEY("upstream", STRING, NULL, "Stream: the upstream that connections "
	    "go to, but those of an sni block."),
	KEY("proxy_protocol", BOOL, "off", "Connections begin with a header "
	    "of the PROXY protocol, version 1 or 2, which says whose they "
	    "are; others are closed.  Only for what nobody but a proxy can "
	    "reach."),
	KEY("tls", STRING, NULL, "The tls block by which TLS is spoken here "
	    "(HTTPS); default: none is."),
	KEY("redirect_https", STRING, "off", "Requests are sent on to the same "
	    "with https: \"on\", a port if it is not 443, or a host and port, "
	    "\"www.example.com:8443\".  Not those below "
	    "/.well-known/acme-challenge/."),
	KEY_RANGE("idle_timeout", DURATION, "10m", 1, DAY, "Stream: a "
	    "connection is closed when no byte has gone either way for so "
	    "long."),
	KEY_RANGE("hello_timeout", DURATION, "5s", 1, DAY, "How long a "
	    "connection may take to say what is waited for: the PROXY "
	    "protocol's header, and with sni blocks the first message of "
	    "TLS."),
};

static const struct hostd_key sni_keys[] = {
	KEY_REQ("upstream", STRING, "The upstream that they go to."),
};

static const struct hostd_key upstream_keys[] = {
	KEY("balancer", STRING, "round_robin", "Plugin that picks the server: "
	    "the name of a plugin block, or of a module in plugin_dir without "
	    "its .so, which then has its defaults."),
	KEY("any_server", BOOL, "off", "Plugins may ask any address, by the "
	    "settings of this group, instead of one of its servers, of which "
	    "it then needs none: for plugins that know their own nodes, such "
	    "as socketio."),
	KEY_RANGE("weight", INT, "1", 1, 65535, "Of servers that say nothing "
	    "else, as all keys down to slow_start."),
	KEY_RANGE("max_fails", INT, "1", 0, 1000000, "After so many failures "
	    "within fail_timeout a server is left alone; 0: never."),
	KEY_RANGE("fail_timeout", DURATION, "10s", 1, DAY, "For so long; then "
	    "one request tries it."),
	KEY_RANGE("max_conns", INT, "0", 0, INT32_MAX, "Requests and "
	    "connections that a server has at once, of all workers; 0: any "
	    "number."),
	KEY_RANGE("slow_start", DURATION, "0", 0, DAY, "How long a server that "
	    "is back takes to get its whole share; 0: it has it at once."),
	KEY_RANGE("keepalive", INT, "32", 0, 65535, "Idle connections to the "
	    "servers that each worker keeps open; 0: none."),
	KEY_RANGE("keepalive_requests", INT, "1000", 1, INT64_MAX, "Requests "
	    "sent on one connection, then it is closed."),
	KEY_RANGE("keepalive_timeout", DURATION, "60s", 1, DAY, "An idle "
	    "connection is closed after so long."),
	KEY_RANGE("connect_timeout", DURATION, "5s", 1, DAY, "How long "
	    "connecting may take."),
	KEY_ENUM("proxy_protocol", "off", proxy_protocols, "Header of the "
	    "PROXY protocol that connections to servers begin with.  The port "
	    "in it is 0 for a request whose client's address is what another "
	    "proxy has said (real_ip_from, or a listen block's "
	    "proxy_protocol)."),
	KEY("resolvers", LIST, NULL, "Name servers, as \"192.0.2.53\" or "
	    "\"[2001:db8::53]:5353\"; default: the system's."),
	KEY_RANGE("resolve_min", DURATION, "1s", 100, DAY, "Names are asked "
	    "for again when their time to live ends, but not before this."),
	KEY_RANGE("resolve_max", DURATION, "1h", 100, DAY, "And at the latest "
	    "after this."),
	KEY_RANGE("resolve_timeout", DURATION, "5s", 10, DAY, "How long an "
	    "answer may take; without one servers stay as they were."),
	KEY("tls", BOOL, "off", "Connections to the servers, and checks of "
	    "them, speak TLS."),
	KEY("tls_verify", BOOL, "on", "A server's certificate must be of its "
	    "name, and by an authority that is trusted.  When off, whoever can "
	    "get between can read and change all."),
	KEY("tls_name", STRING, NULL, "That name, which servers are told as "
	    "well (SNI); default: what is before the port in the server's "
	    "own."),
	KEY("tls_ca", PATH, NULL, "Certificates, in PEM, of authorities that "
	    "are trusted; default: the system's."),
	KEY("tls_certificate", PATH, NULL, "Our certificate, in PEM, for "
	    "servers that ask who we are; the chain behind it."),
	KEY("tls_key", PATH, NULL, "Its private key, which nobody else may "
	    "read."),
	KEY("tls_versions", LIST, "1.2, 1.3", "Of TLS."),
	KEY("tls_session_reuse", BOOL, "on", "Another connection to the same "
	    "server goes on with the last one's session, which spares both "
	    "the long part of a handshake."),
};

static const struct hostd_key server_keys[] = {
	KEY_RANGE("weight", INT, NULL, 1, 65535, "Its share, as against those "
	    "of the others; this and all keys down to slow_start: default as "
	    "in upstream."),
	KEY_RANGE("max_fails", INT, NULL, 0, 1000000, "As in upstream."),
	KEY_RANGE("fail_timeout", DURATION, NULL, 1, DAY, "As in upstream."),
	KEY_RANGE("max_conns", INT, NULL, 0, INT32_MAX, "As in upstream."),
	KEY_RANGE("slow_start", DURATION, NULL, 0, DAY, "As in upstream."),
	KEY("backup", BOOL, "off", "Serves only when no other server can."),
	KEY("down", BOOL, "off", "Does not serve."),
	KEY("drain", BOOL, "off", "Takes nothing but requests that stick to "
	    "it."),
	KEY("added", BOOL, "off", "Only in upstream_changes: the group gets "
	    "this server when it does not have it."),
	KEY("removed", BOOL, "off", "Only in upstream_changes: the group is "
	    "without this server."),
};

static const struct hostd_key health_keys[] = {
	KEY_ENUM("type", "http", checks, "Whether a request is answered, or "
	    "just a connection accepted."),
	KEY("method", STRING, "GET", "Of the request."),
	KEY("path", STRING, "/", "What is asked for."),
	KEY("host", STRING, NULL, "The Host header; default: the server as "
	    "configured."),
	KEY("status", LIST, "200-399", "Statuses that are right, and ranges "
	    "of them."),
	KEY("body", STRING, NULL, "Text that must be in the first 64k of the "
	    "answer's body; default: any will do."),
	KEY_RANGE("port", INT, "0", 0, 65535, "The port that is asked; 0: the "
	    "server's."),
	KEY_RANGE("interval", DURATION, "5s", 50, DAY, "Between two checks of "
	    "a server."),
	KEY_RANGE("jitter", DURATION, "1s", 0, DAY, "And as much at random, "
	    "at most."),
	KEY_RANGE("timeout", DURATION, "2s", 1, DAY, "How long a check may "
	    "take."),
	KEY_RANGE("rise", INT, "2", 1, 1000, "Checks in a row that bring a "
	    "server back."),
	KEY_RANGE("fall", INT, "3", 1, 1000, "Failed ones in a row that take "
	    "it out."),
};

static const struct hostd_key no_keys[] = {
	{ 0 },
};

static const struct hostd_key plugin_keys[] = {
	KEY_REQ("module", STRING, "The plugin's .so file; in plugin_dir unless "
	    "absolute.  All keys but these three are the plugin's own."),
	KEY("offered_by", STRING, NULL, "For a plugin of a kind that another "
	    "one offers: the name of that one's block; needed only when "
	    "several offer it."),
	KEY("pool", STRING, NULL, "Pool of its routes that name none, the one "
	    "that it brings itself included."),
};

static const struct hostd_key route_keys[] = {
	KEY_REQ("plugin", STRING, "Name of the plugin block that answers."),
	KEY("host", LIST, NULL, "Host names, \"*.example.com\" for all below "
	    "one; default: any."),
	KEY("methods", LIST, NULL, "Methods served, HEAD comes with GET; "
	    "default: any."),
	KEY_ENUM("match", "auto", matches, "\"exact\", \"prefix\" (everything "
	    "below), or \"auto\": prefix when the path ends in \"/\"."),
	KEY_RANGE("max_body", SIZE, NULL, 0, INT64_MAX, "As in http, for this "
	    "route."),
	KEY_RANGE("max_head", SIZE, NULL, 256, 60 << 10, "As in http, for this "
	    "route, as HTTP/1.1 writes the head; at most what it is there."),
	KEY_RANGE("max_headers", INT, NULL, 1, 255, "As in http, for this "
	    "route; at most what it is there."),
	KEY_RANGE("defer_timeout", DURATION, NULL, 1, DAY, "As in http, for "
	    "this route."),
	KEY("pool", STRING, NULL, "Pool whose workers answer; default: the "
	    "plugin's, else that of the listen block that the request came "
	    "to."),
	KEY("upstream", STRING, NULL, "The upstream whose servers the plugin "
	    "asks."),
	KEY("auth", STRING, NULL, "The auth block by which clients have to say "
	    "who they are (401); default: anybody may come."),
	KEY_ENUM("session", "optional", session_uses, "Whether requests need a "
	    "session.  \"optional\" costs nothing until the plugin asks for "
	    "one; without one that is \"required\", browsers are sent to the "
	    "session block's login, and others get status 401."),
	KEY("sessions", STRING, NULL, "Which session block; default: the first "
	    "one."),
	KEY_RANGE("body_timeout", DURATION, NULL, 1, DAY, "As in http, for "
	    "this route."),
	KEY_RANGE("send_timeout", DURATION, NULL, 1, DAY, "As in http, for "
	    "this route."),
	KEY_RANGE("min_body_rate", SIZE, NULL, 0, INT32_MAX, "As in http, for "
	    "this route."),
	KEY_RANGE("min_send_rate", SIZE, NULL, 0, INT32_MAX, "As in http, for "
	    "this route."),
	KEY_RANGE("limit_rate", SIZE, NULL, 0, INT64_MAX, "As in http, for "
	    "this route."),
	KEY_RANGE("limit_rate_after", SIZE, NULL, 0, INT64_MAX, "As in http, "
	    "for this route."),
	KEY("access", LIST, NULL, "As in http, for this route."),
	KEY("shed", BOOL, "on", "Its requests are turned away (503) while the "
	    "node is above its budget; off for what tells whether it is "
	    "well."),
	KEY("limit_req", LIST, NULL, "Names of limit_req blocks that hold for "
	    "its requests, all of them; { } for none; default: those of "
	    "http."),
	KEY("limit_conn", LIST, NULL, "The same of limit_conn blocks."),
};

static const struct hostd_key http_keys[] = {
	KEY_RANGE("max_request_line", SIZE, "8k", 64, 60 << 10, "Longest "
	    "request line (414)."),
	KEY_RANGE("max_head", SIZE, "16k", 256, 60 << 10, "Largest request "
	    "head (431)."),
	KEY_RANGE("max_headers", INT, "100", 1, 255, "Most header lines of a "
	    "request (431)."),
	KEY_RANGE("max_body", SIZE, "1m", 0, INT64_MAX, "Largest request body "
	    "(413)."),
	KEY_RANGE("head_timeout", DURATION, "10s", 1, DAY, "From the first "
	    "byte of a head to its last (408), and from connecting to the "
	    "first byte."),
	KEY_RANGE("body_timeout", DURATION, "30s", 1, DAY, "Between two reads "
	    "of a body (408)."),
	KEY_RANGE("idle_timeout", DURATION, "60s", 1, DAY, "Between two "
	    "requests of a connection, then it is closed."),
	KEY_RANGE("send_timeout", DURATION, "30s", 1, DAY, "A client that "
	    "takes nothing of its answer for so long is cut off."),
	KEY_RANGE("defer_timeout", DURATION, "30s", 1, DAY, "A plugin that "
	    "takes longer to begin its answer loses the request (504).  Time "
	    "in which it waits for a server of an upstream does not count: "
	    "limits of its own hold then, as http_proxy's read_timeout."),
	KEY_RANGE("lingering_timeout", DURATION, "5s", 1, DAY, "How long a "
	    "client may take to notice that its connection was closed early, "
	    "and how long one that has closed its side may wait for more of an "
	    "answer."),
	KEY_RANGE("keepalive_requests", INT, "100000", 1, INT64_MAX, "Requests "
	    "answered on one connection, then it is closed."),
	KEY_RANGE("max_connections", INT, "16384", 1, 1 << 20, "Open "
	    "connections of one worker."),
	KEY_ENUM("over_limit", "wait", over_limits, "What a connection above "
	    "max_connections gets: wait its turn, or status 503."),
	KEY_RANGE("output_high", SIZE, "64k", 1024, 1 << 30, "High water of a "
	    "connection's pending output."),
	KEY("h2c", BOOL, "off", "Speak HTTP/2 without TLS with clients that "
	    "begin with its preface (prior knowledge)."),
	KEY_RANGE("max_concurrent_streams", INT, "128", 1, 65535, "Requests "
	    "that a connection of HTTP/2 may have at once; more are refused, "
	    "and may be sent again."),
	KEY_RANGE("stream_window", SIZE, "64k", 1024, 1 << 30, "What a client "
	    "of HTTP/2 may send of one body before it was read."),
	KEY_RANGE("connection_window", SIZE, "1m", 65535, 1 << 30, "The same "
	    "of all bodies of a connection: at most so much waits in memory. "
	    " With several times stream_window a request whose body is not "
	    "read holds up no other."),
	KEY_RANGE("server", STRING, "hostd", 0, 64, "Value of the Server "
	    "header; \"\" for none."),
	KEY("hsts", STRING, NULL, "Value of Strict-Transport-Security, as "
	    "\"max-age=31536000; includeSubDomains\", in answers over TLS; "
	    "default: none."),
	KEY("real_ip_from", LIST, NULL, "Networks of proxies whose word on "
	    "a client's address is taken: \"192.0.2.0/24\", "
	    "\"2001:db8::/32\", \"unix\".  That address is what plugins, "
	    "balancers and logs see; default: nobody's."),
	KEY("real_ip_header", STRING, "X-Forwarded-For", "Where such a proxy "
	    "writes it: X-Forwarded-For, X-Real-IP, Forwarded (RFC 7239), or "
	    "another header with addresses."),
	KEY_RANGE("min_body_rate", SIZE, "64", 0, INT32_MAX, "Bytes a second "
	    "of a body: one that comes in drops does not get body_timeout anew "
	    "for each, but the time that its bytes take at this rate (408); "
	    "0: any."),
	KEY_RANGE("min_send_rate", SIZE, "64", 0, INT32_MAX, "The same of "
	    "answers that clients read, and send_timeout."),
	KEY_RANGE("limit_rate", SIZE, "0", 0, INT64_MAX, "Bytes a second at "
	    "which each answer is sent, over TCP; 0: as fast as it can be."),
	KEY_RANGE("limit_rate_after", SIZE, "0", 0, INT64_MAX, "Bytes of each "
	    "answer that are sent before limit_rate holds."),
	KEY_RANGE("max_connections_per_address", INT, "0", 0, 60000, "Open "
	    "connections of one address, in all workers together; more are "
	    "closed before a byte is read.  0: any."),
	KEY_RANGE("per_address_prefix", INT, "64", 1, 128, "Bits of an IPv6 "
	    "address that count for this."),
	KEY("per_address_exempt", LIST, NULL, "Networks of which any number "
	    "of connections is taken."),
	KEY("access", LIST, NULL, "Who may ask, by the first of these that is "
	    "about its address (403): \"allow 192.0.2.0/24\", "
	    "\"deny all\"; default: anybody."),
	KEY("limit_req", LIST, NULL, "Names of limit_req blocks that hold for "
	    "routes which name none."),
	KEY("limit_conn", LIST, NULL, "The same of limit_conn blocks."),
	KEY("real_ip_recursive", BOOL, "off", "Take the last address of it "
	    "that is not such a proxy's, not just the last one."),
	KEY_ENUM("trace", "off", traces, "Traces (W3C Trace Context): a "
	    "request's traceparent is read, or one is made; servers of "
	    "upstreams get it with our span in it, and logs may tell of it."),
	KEY("trace_trust", LIST, NULL, "Networks of clients whose traces go on "
	    "here, as in real_ip_from; requests of others begin new ones.  "
	    "Default: everybody's."),
	KEY("trace_sample", STRING, "1", "Share of new traces that are marked "
	    "as sampled, from 0 to 1, as 0.01; what callers have decided "
	    "stays."),
};

static const struct hostd_key websocket_keys[] = {
	KEY("origins", LIST, NULL, "Pages that may connect: \"*\", \"same\" "
	    "(the host that is asked), \"https://example.com\" or "
	    "\"https://*.example.com\" (403); default: any."),
	KEY_RANGE("max_message", SIZE, "1m", 0, 1 << 30, "Largest message, "
	    "decompressed (1009)."),
	KEY_RANGE("message_timeout", DURATION, "60s", 1, DAY, "From the first "
	    "byte of a message to its last, then the connection is closed "
	    "(1008)."),
	KEY_RANGE("message_rate", INT, "0", 0, INT32_MAX, "Messages a second "
	    "that a connection may send on average (1008); 0: any."),
	KEY_RANGE("message_burst", INT, "0", 0, INT32_MAX, "How many may come "
	    "at once within message_rate; 0: as many as in a second."),
	KEY_RANGE("ping_interval", DURATION, "30s", 0, DAY, "A connection "
	    "that is silent for so long is sent a ping; 0: never."),
	KEY_RANGE("pong_timeout", DURATION, "10s", 1, DAY, "And is closed when "
	    "it stays silent for so long after it."),
	KEY_RANGE("close_timeout", DURATION, "5s", 1, DAY, "How long a client "
	    "may take to answer a close; anew as long as it takes what is "
	    "still pending, at most 60 times."),
	KEY_RANGE("high_water", SIZE, "256k", 1024, 1 << 30, "Pending output "
	    "above which senders are told to wait, volatile messages are "
	    "dropped, and the connection is not read from."),
	KEY_RANGE("max_output", SIZE, "4m", 1024, 1 << 30, "Pending output "
	    "beyond which nothing is taken."),
	KEY_ENUM("slow_peer", "close", slow_peers, "What happens then: the "
	    "connection is closed (1013), or the message is dropped.  One "
	    "larger than max_output itself is always dropped."),
	KEY_RANGE("max_channels", INT, "1000", 0, 1 << 20, "Channels that a "
	    "connection may be subscribed to."),
	KEY("deflate", BOOL, "off", "Offer permessage-deflate."),
	KEY_RANGE("deflate_min", SIZE, "1k", 0, 1 << 30, "Smaller messages are "
	    "sent as they are."),
	KEY("deflate_server_takeover", BOOL, "off", "Keep the compressor's "
	    "window between messages: smaller messages, up to 256k of memory "
	    "for each connection."),
	KEY("deflate_client_takeover", BOOL, "off", "Let clients keep theirs, "
	    "about 40k for each connection."),
	KEY_RANGE("deflate_server_bits", INT, "15", 9, 15, "Largest window of "
	    "ours, as a power of two."),
	KEY_RANGE("deflate_client_bits", INT, "15", 9, 15, "Largest window of "
	    "clients that let us choose."),
	KEY_RANGE("deflate_level", INT, "1", 1, 9, "Effort.  Not for a single "
	    "route."),
	KEY_RANGE("deflate_memory", INT, "8", 1, 9, "zlib's memory level.  Not "
	    "for a single route."),
};

static const struct hostd_key pubsub_keys[] = {
	KEY("backend", STRING, NULL, "Plugin that carries channels to other "
	    "nodes, or \"none\"; default: the only one that can."),
	KEY_RANGE("queue", SIZE, "16m", 65536, 1 << 30, "Messages waiting for "
	    "a worker that does not take them; more are dropped and counted."),
	KEY_RANGE("history", SIZE, "64m", 65536, 1ll << 40, "Messages that a "
	    "worker remembers for plugins, of all channels; those of channels "
	    "where nothing was said for longest go first."),
	KEY_RANGE("query_timeout", DURATION, "1s", 1, DAY, "How long counting "
	    "and listing subscribers waits for other workers and nodes."),
};

static const struct hostd_key error_page_keys[] = {
	KEY_REQ("file", PATH, "File with the page, at most 64k; "
	    "\"$request_id\" in it becomes the answer's X-Request-ID, or "
	    "\"-\"."),
	KEY("type", STRING, "text/html; charset=utf-8", "Its Content-Type."),
};

#define BLOCK(n, keys) { n, &(const struct conf_rows)CONF_ROWS(keys) }

static const struct {
	const char *name;
	const struct conf_rows *rows;
} blocks[] = {
	BLOCK("", top_keys), BLOCK("pool", pool_keys),
	BLOCK("upstream", upstream_keys), BLOCK("server", server_keys),
	BLOCK("health", health_keys),
	{ "upstream_changes", &(const struct conf_rows){ no_keys, 0 } },
	{ "session", &session_rows },
	{ "certificate", &certificate_rows }, { "tls", &tls_rows },
	BLOCK("listen", listen_keys), BLOCK("sni", sni_keys),
	BLOCK("plugin", plugin_keys),
	{ "auth", &auth_rows },
	{ "budget", &budget_rows }, { "limit_req", &limit_req_rows },
	{ "limit_conn", &limit_conn_rows },
	BLOCK("route", route_keys), BLOCK("http", http_keys),
	BLOCK("websocket", websocket_keys), BLOCK("pubsub", pubsub_keys),
	BLOCK("error_page", error_page_keys),
	{ "access_log", &access_log_rows },
};

#define NBLOCKS (sizeof(blocks) / sizeof(blocks[0]))
#define ROWS_MAX 64

const char *const conf_block_names[] = {
	"pool", "certificate", "tls", "listen", "upstream", "upstream_changes",
	"session", "plugin", "auth", "budget", "limit_req", "limit_conn",
	"route", "http", "websocket", "pubsub", "error_page", "access_log",
	NULL
};

const char *const conf_inner_names[] = { "server", "health", "sni", NULL };

const struct hostd_key *const *
conf_block_rows(const char *block)
{
	static const struct hostd_key *rows[NBLOCKS][ROWS_MAX];
	size_t i, k;

	for (i = 0; i < NBLOCKS; i++) {
		if (strcmp(blocks[i].name, block) != 0)
			continue;
		for (k = 0; k < blocks[i].rows->n; k++)
			rows[i][k] = &blocks[i].rows->keys[k];
		return rows[i];
	}
	return NULL;
}
