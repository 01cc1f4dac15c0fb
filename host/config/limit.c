/* SPDX-License-Identifier: BSD-2-Clause */
/* The blocks budget, limit_req and limit_conn, and what keys of requests are
 * made of. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"
#include "config/keys.h"

#define SECOND_US	1000000
#define RATE_MAX	SECOND_US	/* a second */

static const struct hostd_key budget_keys[] = {
	KEY_RANGE("max_connections", INT, "0", 0, INT32_MAX, "Open connections "
	    "of all workers; 0: any."),
	KEY_RANGE("max_memory", SIZE, "0", 0, INT64_MAX, "Memory of all "
	    "workers together, as hostctl list shows it (RSS); 0: any."),
	KEY_RANGE("resume", INT, "90", 1, 100, "Percent of these at which "
	    "requests are answered again."),
	KEY_RANGE("retry_after", DURATION, "10s", 1000, DAY, "What those are "
	    "told that are turned away."),
};

const struct conf_rows budget_rows = CONF_ROWS(budget_keys);

static const struct hostd_key limit_req_keys[] = {
	KEY_REQ("rate", STRING, "How many requests of one key pass on average: "
	    "\"10/s\" a second, or \"30/m\" a minute."),
	KEY_RANGE("burst", INT, "0", 0, 1000000, "How many may come too early "
	    "before the next is refused."),
	KEY_RANGE("delay", INT, "0", 0, 1000000, "How many of these are let "
	    "through at once; those above it wait until their time has come."),
	KEY("nodelay", BOOL, "off", "None of them waits."),
	KEY("key", STRING, "$remote_addr", "What requests are told apart by: "
	    "text with the variables $remote_addr, $remote_user, $host, $uri, "
	    "$request_method, $route, $http_NAME, $cookie_NAME, $arg_NAME and "
	    "$jwt_claim_NAME.  A request in which all of them are empty is not "
	    "limited."),
	KEY_RANGE("ipv6_prefix", INT, "64", 1, 128, "Bits of an IPv6 address "
	    "that $remote_addr is."),
	KEY_RANGE("status", INT, "429", 400, 599, "What a request gets that is "
	    "refused; Retry-After says when the next one would not be."),
	KEY("dry_run", BOOL, "off", "Nobody is refused or waits, but it is "
	    "counted and logged who would be."),
	KEY_ENUM("log_level", "warn", conf_log_levels, "Of the line in the "
	    "error log that says who is refused, at most every 5 seconds."),
};

const struct conf_rows limit_req_rows = CONF_ROWS(limit_req_keys);

static const struct hostd_key limit_conn_keys[] = {
	{ sizeof(struct hostd_key), HOSTD_KEY_INT, HOSTD_KEY_REQUIRED, "max",
	    NULL, "How many requests of one key are "
	    "answered at the same time, all workers together.  A WebSocket "
	    "counts as long as it is open.", 1, 60000, NULL },
	KEY("key", STRING, "$remote_addr", "As of limit_req."),
	KEY_RANGE("ipv6_prefix", INT, "64", 1, 128, "As of limit_req."),
	KEY_RANGE("status", INT, "503", 400, 599, "What a request gets that is "
	    "refused."),
	KEY("dry_run", BOOL, "off", "As of limit_req."),
	KEY_ENUM("log_level", "warn", conf_log_levels, "As of limit_req."),
};

const struct conf_rows limit_conn_rows = CONF_ROWS(limit_conn_keys);

/* -- keys -- */

static const struct {
	const char *name;	/* one that ends in "_" has more behind it */
	int what;
} variables[] = {
	{ "remote_addr", CONF_KEY_ADDR },
	{ "binary_remote_addr", CONF_KEY_ADDR },
	{ "remote_user", CONF_KEY_USER }, { "auth_user", CONF_KEY_USER },
	{ "host", CONF_KEY_HOST }, { "uri", CONF_KEY_URI },
	{ "request_method", CONF_KEY_METHOD }, { "route", CONF_KEY_ROUTE },
	{ "http_", CONF_KEY_HEADER }, { "cookie_", CONF_KEY_COOKIE },
	{ "arg_", CONF_KEY_ARG }, { "jwt_claim_", CONF_KEY_CLAIM },
};

/* Cookies have names as "connect.sid". */
static int
is_name_byte(char c, int is_cookie)
{
	return (is_cookie && (c == '.' || c == '-')) ||
	    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

/* A header is written as nginx does: in lower case, with "_" for "-". */
static void
header_name(char *s)
{
	for (; *s != '\0'; s++) {
		if (*s >= 'A' && *s <= 'Z')
			*s |= 0x20;
		if (*s == '_')
			*s = '-';
	}
}

/* What the n bytes at name stand for; 0, or -1: nothing. */
static int
variable_find(struct conf_key_part *p, const char *name, size_t n)
{
	size_t i, len;

	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		len = strlen(variables[i].name);
		if (variables[i].name[len - 1] == '_' ? n <= len : n != len)
			continue;
		if (memcmp(variables[i].name, name, len) != 0)
			continue;
		p->what = variables[i].what;
		p->text = xstrndup(name + len, n - len);
		if (p->what == CONF_KEY_HEADER)
			header_name(p->text);
		return 0;
	}
	return -1;
}

/* The one that begins behind the "$" at s; returns where it ends, or NULL. */
static const char *
variable_parse(struct conf_key_part *p, const char *s)
{
	int is_cookie = strncmp(s, "cookie_", 7) == 0;
	const char *end;

	for (end = s; is_name_byte(*end, is_cookie); end++)
		;
	return variable_find(p, s, (size_t)(end - s)) == -1 ? NULL : end;
}

const char *
conf_key_parse(struct conf_key *k, const char *text)
{
	struct conf_key_part *p;
	const char *at = text;
	int variables_n = 0;
	size_t n;

	memset(k, 0, sizeof(*k));
	while (*at != '\0') {
		k->v = xrealloc(k->v, (k->n + 1) * sizeof(*k->v));
		p = &k->v[k->n++];
		p->what = CONF_KEY_TEXT;
		p->text = NULL;
		if (*at == '$') {
			variables_n++;
			at = variable_parse(p, at + 1);
			if (at == NULL)
				return "has a variable that is none of "
				    "$remote_addr, $remote_user, $host, $uri, "
				    "$request_method, $route, $http_NAME, "
				    "$cookie_NAME, $arg_NAME and "
				    "$jwt_claim_NAME";
			continue;
		}
		n = strcspn(at, "$");
		p->text = xstrndup(at, n);
		at += n;
	}
	return variables_n > 0 ? NULL : "has no variable, so that all requests "
	    "would be one; write $host or $route for that";
}

void
conf_key_free(struct conf_key *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		free(k->v[i].text);
	free(k->v);
}

/* -- the blocks -- */

/* "10/s", "10r/s", "30/m": us that one takes; 0: it is none. */
static int64_t
rate_parse(const char *text)
{
	size_t n = strcspn(text, "r/");
	char *number = xstrndup(text, n);
	const char *unit = text + n + (text[n] == 'r');
	int64_t rate, us = 0;

	if (strcmp(unit, "/s") == 0)
		us = SECOND_US;
	else if (strcmp(unit, "/m") == 0)
		us = (int64_t)60 * SECOND_US;
	if (us != 0 && int_parse(number, &rate) == 0 && rate > 0 &&
	    rate <= us)
		us /= rate;
	else
		us = 0;
	free(number);
	return us;
}

static struct conf_limit *
limit_new(struct builder *b, const struct conf_node *n, int kind)
{
	struct conf_limit *l = xcalloc(1, sizeof(*l));
	const char *text = text_of(b, "key");
	const char *why;

	l->pos = n->pos;
	l->kind = kind;
	l->name = xstrdup(n->title);
	l->status = (int)num_of(b, "status");
	l->dry_run = num_of(b, "dry_run") != 0;
	l->ipv6_prefix = (int)num_of(b, "ipv6_prefix");
	l->log_level = (int)num_of(b, "log_level");
	l->key_text = xstrdup(text != NULL ? text : "");
	if (strlen(l->name) > CONF_LIMIT_MAX || l->name[0] == '\0')
		conf_error(b->errs, &l->pos, "%s \"%.32s\": a name has 1 to "
		    "%d bytes", n->name, l->name, CONF_LIMIT_MAX);
	if (text != NULL && (why = conf_key_parse(&l->key, text)) != NULL)
		conf_error(b->errs, pos_of(b, "key"), "key \"%s\" %s", text,
		    why);
	TAILQ_INSERT_TAIL(&b->conf->limits, l, entry);
	return l;
}

void
build_limit_req(struct builder *b, const struct conf_node *n)
{
	struct conf_limit *l = limit_new(b, n, CONF_LIMIT_REQ);
	const char *rate = text_of(b, "rate");

	l->rate = xstrdup(rate != NULL ? rate : "");
	l->burst = num_of(b, "burst");
	l->delay = num_of(b, "delay");
	if (num_of(b, "nodelay") != 0) {
		if (is_set(b, "delay"))
			conf_error(b->errs, pos_of(b, "delay"), "\"delay\" "
			    "says nothing beside nodelay = on");
		l->delay = l->burst;
	}
	l->cost_us = rate == NULL ? 0 : rate_parse(rate);
	if (rate != NULL && l->cost_us == 0)
		conf_error(b->errs, pos_of(b, "rate"), "rate \"%s\" is not a "
		    "number of requests a second or a minute, as \"10/s\" or "
		    "\"30/m\", up to %d/s", rate, RATE_MAX);
}

void
build_limit_conn(struct builder *b, const struct conf_node *n)
{
	limit_new(b, n, CONF_LIMIT_CONN)->max = num_of(b, "max");
}

void
free_limit(struct conf_limit *l)
{
	conf_key_free(&l->key);
	free(l->key_text);
	free(l->rate);
	free(l->name);
	free(l);
}

/* -- lists of them -- */

static struct conf_limit *
find_limit(struct builder *b, int kind, const char *what, const char *name,
    const struct conf_pos *pos)
{
	const char *names[257];
	struct conf_limit *l;
	size_t i = 0;

	TAILQ_FOREACH(l, &b->conf->limits, entry) {
		if (l->kind != kind)
			continue;
		if (strcmp(l->name, name) == 0)
			return l;
		if (i < 256)
			names[i++] = l->name;
	}
	names[i] = NULL;
	no_such(b, pos, what, name, names);
	return NULL;
}

static void
take_list(struct builder *b, int kind, const char *key,
    struct conf_limits *list)
{
	const struct conf_val *v = conf_val(&b->vals, key);
	struct conf_limit *l;
	size_t i;

	if (!v->is_set)
		return;
	free(list->v);
	list->v = xcalloc(v->nitems + 1, sizeof(struct conf_limit *));
	list->n = 0;
	for (i = 0; i < v->nitems; i++)
		if ((l = find_limit(b, kind, key, v->items[i],
		    &v->pos)) != NULL)
			list->v[list->n++] = l;
}

void
build_limits(struct builder *b, struct conf_limits *reqs,
    struct conf_limits *conns)
{
	take_list(b, CONF_LIMIT_REQ, "limit_req", reqs);
	take_list(b, CONF_LIMIT_CONN, "limit_conn", conns);
}

void
conf_limits_copy(struct conf_limits *to, const struct conf_limits *from)
{
	to->n = from->n;
	to->v = xcalloc(from->n + 1, sizeof(struct conf_limit *));
	if (from->n > 0)
		memcpy(to->v, from->v, from->n * sizeof(struct conf_limit *));
}
