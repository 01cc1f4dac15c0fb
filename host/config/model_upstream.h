/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed configuration: upstreams and their servers. */
#ifndef CONFIG_MODEL_UPSTREAM_H
#define CONFIG_MODEL_UPSTREAM_H

#include <stdint.h>
#include <sys/queue.h>
#include "config/model_tls.h"
#include "config/tree.h"
#include "net/addr.h"

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
	int any_server;			/* plugins may ask any address */
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

/*
 * "app.example.com:3000", "192.0.2.1:80", "[2001:db8::1]:80", "unix:/path":
 * sets name, host, port and addr, which conf_server_free frees.  0, or -1 with
 * a reason in *why (a constant text) and nothing to free.
 */
int	conf_server_parse(const char *text, struct conf_server *,
	    const char **why);
void	conf_server_free(struct conf_server *);
/* The same one?  However they are written. */
int	conf_server_same(const struct conf_server *,
	    const struct conf_server *);

#endif
