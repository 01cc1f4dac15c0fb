/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed configuration: who may come, how often, and how many at a time. */
#ifndef CONFIG_MODEL_LIMIT_H
#define CONFIG_MODEL_LIMIT_H

#include <stdint.h>
#include <sys/queue.h>
#include "config/tree.h"
#include "net/cidr.h"

/* Who may come, by the first that is about an address. */
struct conf_access {
	struct conf_rule {
		struct cidr net;
		int all;	/* any address */
		int deny;
	} *v;
	size_t n;		/* 0: anybody */
};

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
	char *key_text;		/* as it was written */
	int log_level;		/* enum log_level: of those refused */
	int ipv6_prefix;	/* bits of an address that count */
	int status;
	int dry_run;
	/* REQ */
	char *rate;		/* as it was written */
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

/* NULL, or what is wrong with it, to follow its text; to be freed either
 * way. */
const char *conf_key_parse(struct conf_key *, const char *text);
void	conf_key_free(struct conf_key *);
/* to: of its own. */
void	conf_access_copy(struct conf_access *to, const struct conf_access *);
void	conf_limits_copy(struct conf_limits *to, const struct conf_limits *);

#endif
