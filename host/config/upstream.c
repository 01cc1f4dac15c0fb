/* SPDX-License-Identifier: BSD-2-Clause */
/* The block upstream, what is in it, and what hands have changed since. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_.-"

static struct conf_upstream *
upstream_named(const struct conf *c, const char *name)
{
	struct conf_upstream *u;

	TAILQ_FOREACH(u, &c->upstreams, entry)
		if (strcmp(u->name, name) == 0)
			return u;
	return NULL;
}

struct conf_upstream *
find_upstream(struct builder *b, const char *name, const struct conf_pos *pos)
{
	const char *names[257];
	struct conf_upstream *u;
	size_t i = 0;

	if (name == NULL)
		return NULL;	/* it has no value, which has been said */
	u = upstream_named(b->conf, name);
	if (u != NULL)
		return u;
	TAILQ_FOREACH(u, &b->conf->upstreams, entry)
		if (i < 256)
			names[i++] = u->name;
	names[i] = NULL;
	no_such(b, pos, "upstream", name, names);
	return NULL;
}

/* -- servers -- */

static struct conf_server *
server_like(const struct conf_upstream *u, const struct conf_server *want)
{
	struct conf_server *s;

	TAILQ_FOREACH(s, &u->servers, entry)
		if (conf_server_same(s, want))
			return s;
	return NULL;
}

static void
take_rules(const struct builder *b, struct conf_server *s)
{
	if (is_set(b, "weight"))
		s->weight = (int)num_of(b, "weight");
	if (is_set(b, "max_fails"))
		s->max_fails = (int)num_of(b, "max_fails");
	if (is_set(b, "fail_timeout"))
		s->fail_timeout = num_of(b, "fail_timeout");
	if (is_set(b, "slow_start"))
		s->slow_start = num_of(b, "slow_start");
	if (is_set(b, "max_conns"))
		s->max_conns = (int)num_of(b, "max_conns");
	if (is_set(b, "backup"))
		s->backup = (int)num_of(b, "backup");
	if (is_set(b, "down"))
		s->down = (int)num_of(b, "down");
	if (is_set(b, "drain"))
		s->drain = (int)num_of(b, "drain");
}

/* A server of that group's rules, not in its list yet; NULL and an error.  Its
 * keys are the present block's. */
static struct conf_server *
server_new(struct builder *b, const struct conf_upstream *u,
    const struct conf_node *n)
{
	struct conf_server *s;
	const char *why;

	if (!n->is_block || n->title == NULL) {
		conf_error(b->errs, &n->pos, "\"server\" is a block with a "
		    "title: server \"address:port\" { ... }");
		return NULL;
	}
	enter_block(b, n, NULL);
	s = xmalloc(sizeof(*s));
	*s = u->rules;
	s->pos = n->pos;
	if (conf_server_parse(n->title, s, &why) == 0)
		return s;
	conf_error(b->errs, &n->pos, "server \"%s\": %s", n->title, why);
	free(s);
	return NULL;
}

static void
build_server(struct builder *b, struct conf_upstream *u,
    const struct conf_node *n)
{
	struct conf_server *s = server_new(b, u, n), *other;

	if (s == NULL)
		return;
	take_rules(b, s);
	if (is_set(b, "removed"))
		conf_error(b->errs, pos_of(b, "removed"), "\"removed\" is for "
		    "upstream_changes; leave the server out instead");
	if (is_set(b, "added"))
		conf_error(b->errs, pos_of(b, "added"), "\"added\" is for "
		    "upstream_changes");
	other = server_like(u, s);
	if (other != NULL)
		conf_error(b->errs, &n->pos, "server \"%s\" of upstream \"%s\" "
		    "is already defined at %s:%d", s->name, u->name,
		    other->pos.file, other->pos.line);
	TAILQ_INSERT_TAIL(&u->servers, s, entry);
}

/* -- health -- */

int
span_parse(char *text, int *first, int *last)
{
	char *dash = strchr(text, '-');
	int64_t from, to;
	int rc;

	if (text[0] >= '1' && text[0] <= '5' &&
	    strcmp(text + 1, "xx") == 0) {
		*first = (text[0] - '0') * 100;
		*last = *first + 99;
		return 0;
	}
	if (dash != NULL)
		*dash = '\0';
	rc = int_parse(text, &from);
	to = from;
	if (dash != NULL) {
		rc |= int_parse(dash + 1, &to);
		*dash = '-';
	}
	if (rc != 0 || from < 100 || to > 599 || from > to)
		return -1;
	*first = (int)from;
	*last = (int)to;
	return 0;
}

static void
take_statuses(struct builder *b, struct conf_health *h)
{
	size_t i, n;
	char **list = copy_list(b, "status", &n);
	struct conf_span *span;

	h->statuses = xcalloc(n + 1, sizeof(*h->statuses));
	if (n == 0)
		conf_error(b->errs, pos_of(b, "status"), "\"status\" is empty: "
		    "no answer would be right");
	for (i = 0; i < n; i++) {
		span = &h->statuses[h->nstatuses];
		if (span_parse(list[i], &span->from, &span->to) == 0)
			h->nstatuses++;
		else
			conf_error(b->errs, pos_of(b, "status"), "status "
			    "\"%s\" is neither one from 100 to 599 nor a "
			    "range of them, as \"200-399\" or \"2xx\"",
			    list[i]);
		free(list[i]);
	}
	free(list);
}

/* It becomes a part of a request's head. */
static int
is_word(const char *s)
{
	for (; *s > 0x20 && *s < 0x7f; s++)
		;
	return *s == '\0';
}

static void
check_request(struct builder *b, const struct conf_health *h)
{
	static const char *const http_keys[] = { "method", "path", "host",
		"status", "body", NULL };
	size_t i;

	if (h->type == CONF_CHECK_TCP)
		for (i = 0; http_keys[i] != NULL; i++)
			if (is_set(b, http_keys[i]))
				conf_error(b->errs, pos_of(b, http_keys[i]),
				    "\"%s\" is for type = http", http_keys[i]);
	if (*h->method == '\0' || strspn(h->method,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != strlen(h->method))
		conf_error(b->errs, pos_of(b, "method"), "method \"%s\" is not "
		    "a word of capital letters", h->method);
	if (*h->path != '/' || !is_word(h->path) || strchr(h->path, '#'))
		conf_error(b->errs, pos_of(b, "path"), "path \"%s\" does not "
		    "start with \"/\", or has a byte that must be escaped "
		    "with %%", h->path);
	if (h->host != NULL && (*h->host == '\0' || !is_word(h->host) ||
	    strpbrk(h->host, "/?#@") != NULL))
		conf_error(b->errs, pos_of(b, "host"), "host \"%s\" is not a "
		    "host's name", h->host);
}

static void
build_health(struct builder *b, struct conf_upstream *u,
    const struct conf_node *n)
{
	struct conf_health *h = &u->health;

	enter_block(b, n, NULL);
	h->type = num_of(b, "type") == 0 ? CONF_CHECK_HTTP : CONF_CHECK_TCP;
	h->method = copy_text(b, "method");
	h->path = copy_text(b, "path");
	h->host = copy_text(b, "host");
	h->body = copy_text(b, "body");
	h->port = (int)num_of(b, "port");
	h->interval = num_of(b, "interval");
	h->jitter = num_of(b, "jitter");
	h->timeout = num_of(b, "timeout");
	h->rise = (int)num_of(b, "rise");
	h->fall = (int)num_of(b, "fall");
	take_statuses(b, h);
	check_request(b, h);
}

/* -- the group -- */

static int
is_resolver(const char *text)
{
	struct in6_addr raw;
	struct addr a;
	const char *why;

	if (inet_pton(AF_INET, text, &raw) == 1 ||
	    inet_pton(AF_INET6, text, &raw) == 1)
		return 1;
	return strchr(text, ':') != NULL && *text != '*' &&
	    addr_parse(text, &a, &why) == 0 && !addr_is_unix(&a);
}

static void
take_resolving(struct builder *b, struct conf_upstream *u)
{
	size_t i;

	u->resolvers = copy_list(b, "resolvers", &u->nresolvers);
	u->resolve_min = num_of(b, "resolve_min");
	u->resolve_max = num_of(b, "resolve_max");
	u->resolve_timeout = num_of(b, "resolve_timeout");
	for (i = 0; i < u->nresolvers; i++)
		if (!is_resolver(u->resolvers[i]))
			conf_error(b->errs, pos_of(b, "resolvers"), "resolver "
			    "\"%s\" is not an address; write \"192.0.2.53\", "
			    "\"2001:db8::53\" or, with a port, "
			    "\"192.0.2.53:5353\"", u->resolvers[i]);
	if (u->resolve_min > u->resolve_max)
		conf_error(b->errs, pos_of(b, "resolve_min"), "\"resolve_min\" "
		    "is more than \"resolve_max\"");
}

static void
take_group(struct builder *b, struct conf_upstream *u)
{
	u->balancer_name = copy_text(b, "balancer");
	u->balancer_pos = *pos_of(b, "balancer");
	u->any_server = (int)num_of(b, "any_server");
	u->rules.weight = (int)num_of(b, "weight");
	u->rules.max_fails = (int)num_of(b, "max_fails");
	u->rules.fail_timeout = num_of(b, "fail_timeout");
	u->rules.slow_start = num_of(b, "slow_start");
	u->rules.max_conns = (int)num_of(b, "max_conns");
	u->keepalive = (int)num_of(b, "keepalive");
	u->keepalive_requests = num_of(b, "keepalive_requests");
	u->keepalive_timeout = num_of(b, "keepalive_timeout");
	u->connect_timeout = num_of(b, "connect_timeout");
	u->proxy_protocol = (int)num_of(b, "proxy_protocol");
	take_resolving(b, u);
	take_upstream_tls(b, &u->tls);
}

void
build_upstream(struct builder *b, const struct conf_node *n)
{
	struct conf_upstream *u = xcalloc(1, sizeof(*u));
	const struct conf_node *c;
	size_t len = strlen(n->title);

	TAILQ_INIT(&u->servers);
	TAILQ_INIT(&u->removed);
	u->pos = n->pos;
	u->name = xstrdup(n->title);
	if (len == 0 || len > CONF_UPSTREAM_MAX ||
	    strspn(u->name, NAME_CHARS) != len)
		conf_error(b->errs, &u->pos, "the name of upstream \"%s\" may "
		    "have up to %d letters, digits, \"_\", \"-\" and \".\"",
		    u->name, CONF_UPSTREAM_MAX);
	take_group(b, u);
	TAILQ_INSERT_TAIL(&b->conf->upstreams, u, entry);
	if ((c = block_only(b, n, "health")) != NULL)
		build_health(b, u, c);
	TAILQ_FOREACH(c, &n->children, entry)
		if (strcmp(c->name, "server") == 0)
			build_server(b, u, c);
}

/* -- changes -- */

/* What is said of a server that the group has no more is about nothing. */
static void
change_server(struct builder *b, struct conf_upstream *u,
    const struct conf_node *n)
{
	struct conf_server *s = server_new(b, u, n), *other;

	if (s == NULL)
		return;
	other = server_like(u, s);
	if (other == NULL && num_of(b, "added") && !num_of(b, "removed")) {
		take_rules(b, s);
		s->added = 1;
		TAILQ_INSERT_TAIL(&u->servers, s, entry);
		return;
	}
	conf_server_free(s);
	free(s);
	if (other == NULL)
		return;
	if (!num_of(b, "removed")) {
		take_rules(b, other);
		return;
	}
	TAILQ_REMOVE(&u->servers, other, entry);
	TAILQ_INSERT_TAIL(&u->removed, other, entry);
}

void
build_upstream_changes(struct builder *b, const struct conf_node *n)
{
	struct conf_upstream *u = upstream_named(b->conf, n->title);
	const struct conf_node *c;

	if (u == NULL) {
		conf_error(b->errs, &n->pos, "changes of upstream \"%s\", "
		    "which is not there any more; remove this block, or the "
		    "file", n->title);
		return;
	}
	u->changed = 1;
	TAILQ_FOREACH(c, &n->children, entry)
		if (strcmp(c->name, "server") == 0)
			change_server(b, u, c);
}

/* -- the end -- */

void
finish_upstreams(struct builder *b)
{
	struct conf_upstream *u;

	TAILQ_FOREACH(u, &b->conf->upstreams, entry) {
		u->balancer = plugin_or_module(b, u->balancer_name,
		    &u->balancer_pos);
		if (TAILQ_EMPTY(&u->servers) && !u->changed && !u->any_server)
			conf_error(b->errs, &u->pos, "upstream \"%s\" has no "
			    "server; add server \"address:port\" { }",
			    u->name);
	}
}
