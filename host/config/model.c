/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"
#include "config/files.h"
#include "config/keys.h"
#include "config/model.h"
#include "config/routes.h"
#include "config/schema.h"

#define ERROR_PAGE_MAX	65536

/* -- top level and http -- */

/* The directory that key is about; hostd -p has moved the default. */
static char *
dir_of(const struct builder *b, const char *key, const char *below)
{
	const char *prefix = getenv("HOSTD_PREFIX");

	if (prefix == NULL || is_set(b, key))
		return path_of(b, key);
	return xasprintf("%s/%s", prefix, below);
}

const char *
copy_of(const struct builder *b, const char *file)
{
	return b->files == NULL ? NULL : map_get(b->files, file, strlen(file));
}

static void
build_plugin_state(struct builder *b)
{
	char *path = xasprintf("%s/plugins", b->conf->state_dir);
	const char *copy = copy_of(b, path);

	b->conf->plugin_state = copy == NULL ? path : xstrdup(copy);
	if (copy != NULL)
		free(path);
}

static void
build_top(struct builder *b)
{
	struct conf *c = b->conf;

	c->user = copy_text(b, "user");
	c->group = copy_text(b, "group");
	c->conf_dir = path_of(b, "conf_dir");
	c->plugin_dir = dir_of(b, "plugin_dir", "lib/hostd/plugins");
	c->run_dir = dir_of(b, "run_dir", "var/run/hostd");
	c->state_dir = dir_of(b, "state_dir", "var/lib/hostd");
	build_plugin_state(b);
	c->pid_file = path_of(b, "pid_file");
	c->control = path_of(b, "control");
	if (c->control == NULL)
		c->control = xasprintf("%s/control.sock", c->run_dir);
	c->controllers = copy_list(b, "controllers", &c->ncontrollers);
	c->controllers_pos = *pos_of(b, "controllers");
	c->error_log = build_error_log(b);
	c->log_level = (int)num_of(b, "log_level");
	c->drain_timeout = num_of(b, "drain_timeout");
	c->drain_delay = num_of(b, "drain_delay");
	c->ready_timeout = num_of(b, "ready_timeout");
	c->state_timeout = num_of(b, "state_timeout");
	c->max_state = num_of(b, "max_state");
	c->work_threads = (int)num_of(b, "work_threads");
	c->callback_budget = num_of(b, "callback_budget");
	c->generations_kept = (int)num_of(b, "generations_kept");
	c->watch = (int)num_of(b, "watch");
	build_sandbox(b);
}

/* What the host will send as a header's value (RFC 9110 section 5.5). */
static void
check_field_value(struct builder *b, const char *key, const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; p != NULL && *p != '\0'; p++)
		if ((*p < 0x20 && *p != '\t') || *p == 0x7f) {
			conf_error(b->errs, pos_of(b, key), "\"%s\" has a "
			    "byte (0x%02x) that no header may have", key, *p);
			return;
		}
}

/* Without an age, browsers do not look at it (RFC 6797 section 6.1). */
static void
take_hsts(struct builder *b, struct conf_http *h)
{
	h->hsts = copy_text(b, "hsts");
	check_field_value(b, "hsts", h->hsts);
	if (h->hsts != NULL && strcasestr(h->hsts, "max-age=") == NULL)
		conf_error(b->errs, pos_of(b, "hsts"), "\"hsts\" does not say "
		    "for how long: \"max-age=31536000\"");
}

static void
build_http(struct builder *b)
{
	struct conf_http *h = &b->conf->http;

	h->max_request_line = num_of(b, "max_request_line");
	h->max_head = num_of(b, "max_head");
	h->max_headers = num_of(b, "max_headers");
	h->max_body = num_of(b, "max_body");
	h->head_timeout = num_of(b, "head_timeout");
	h->body_timeout = num_of(b, "body_timeout");
	h->idle_timeout = num_of(b, "idle_timeout");
	h->send_timeout = num_of(b, "send_timeout");
	h->defer_timeout = num_of(b, "defer_timeout");
	h->lingering_timeout = num_of(b, "lingering_timeout");
	h->keepalive_requests = num_of(b, "keepalive_requests");
	h->max_connections = num_of(b, "max_connections");
	h->over_limit_503 = num_of(b, "over_limit") == 1;
	h->output_high = num_of(b, "output_high");
	h->h2c = num_of(b, "h2c") != 0;
	h->max_streams = num_of(b, "max_concurrent_streams");
	h->stream_window = num_of(b, "stream_window");
	h->connection_window = num_of(b, "connection_window");
	h->server = copy_text(b, "server");
	if (h->max_request_line > h->max_head)
		conf_error(b->errs, pos_of(b, "max_request_line"),
		    "\"max_request_line\" is more than \"max_head\", which "
		    "includes it");
	if (h->connection_window < h->stream_window)
		conf_error(b->errs, pos_of(b, "connection_window"),
		    "\"connection_window\" is less than \"stream_window\", "
		    "and is for all streams of a connection; make it several "
		    "times as large");
	check_field_value(b, "server", h->server);
	h->max_per_address = num_of(b, "max_connections_per_address");
	h->per_address_prefix = (int)num_of(b, "per_address_prefix");
	build_networks(b, "per_address_exempt", &h->per_address_exempt);
	h->min_body_rate = num_of(b, "min_body_rate");
	h->min_send_rate = num_of(b, "min_send_rate");
	h->limit_rate = num_of(b, "limit_rate");
	h->limit_rate_after = num_of(b, "limit_rate_after");
	build_access(b, &h->access);
	build_limits(b, &h->limit_reqs, &h->limit_conns);
	take_hsts(b, h);
	build_real_ip(b);
	build_trace(b);
}

/* -- blocks -- */

static struct conf_plugin *
add_plugin(struct builder *b, const char *name, char *file,
    const struct conf_node *n, int bare)
{
	struct conf_plugin *p = xcalloc(1, sizeof(*p)), *other;

	p->pos = n->pos;
	p->name = xstrdup(name);
	p->file = file;
	p->node = n;
	p->bare = bare;
	if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
		conf_error(b->errs, &p->pos, "the name of plugin \"%s\" may "
		    "have only letters, digits, \"_\" and \"-\"", name);
	TAILQ_FOREACH(other, &b->conf->plugins, entry)
		if (strcmp(other->name, name) == 0)
			conf_error(b->errs, &p->pos, "plugin \"%s\" is already "
			    "defined at %s:%d", name, other->pos.file,
			    other->pos.line);
	TAILQ_INSERT_TAIL(&b->conf->plugins, p, entry);
	return p;
}

/* One of the keys that a plugin's block has besides the plugin's own: the last
 * there is, or NULL. */
static const struct conf_node *
host_key(struct builder *b, const struct conf_node *n, const char *key)
{
	const struct conf_node *c, *found = NULL;

	TAILQ_FOREACH(c, &n->children, entry) {
		if (strcmp(c->name, key) != 0)
			continue;
		if (found != NULL || c->nvalues != 1)
			conf_error(b->errs, &c->pos, "\"%s\" takes one "
			    "value, once", key);
		if (c->nvalues > 0)
			found = c;
	}
	return found;
}

static void
build_plugin(struct builder *b, const struct conf_node *n)
{
	const struct conf_node *file_key = host_key(b, n, "module");
	const struct conf_node *pool_key = host_key(b, n, "pool");
	const struct conf_node *by_key = host_key(b, n, "offered_by");
	const char *module = file_key ? file_key->values[0].text : NULL;
	struct conf_plugin *p;
	char *file;

	if (module == NULL || module[0] == '\0') {
		conf_error(b->errs, &n->pos, "plugin \"%s\" needs the key "
		    "\"module\", the name of its .so file", n->title);
		return;
	}
	file = module[0] == '/' ? xstrdup(module) :
	    xasprintf("%s/%s", b->conf->plugin_dir, module);
	p = add_plugin(b, n->title, file, n, 0);
	if (pool_key != NULL)
		p->pool = find_pool(b, pool_key->values[0].text,
		    &pool_key->pos);
	if (by_key != NULL) {
		p->offered_by = xstrdup(by_key->values[0].text);
		p->offered_by_pos = by_key->pos;
	}
}

struct conf_plugin *
find_plugin(struct builder *b, const char *name, const struct conf_pos *pos)
{
	const char *names[257];
	struct conf_plugin *p;
	size_t i = 0;

	TAILQ_FOREACH(p, &b->conf->plugins, entry) {
		if (strcmp(p->name, name) == 0)
			return p;
		if (i < 256)
			names[i++] = p->name;
	}
	names[i] = NULL;
	no_such(b, pos, "plugin", name, names);
	return NULL;
}

struct conf_plugin *
plugin_or_module(struct builder *b, const char *name,
    const struct conf_pos *pos)
{
	struct conf_plugin *p;

	if (name == NULL)
		return NULL;	/* it has no value, which has been said */
	TAILQ_FOREACH(p, &b->conf->plugins, entry)
		if (strcmp(p->name, name) == 0)
			return p;
	return add_bare_plugin(b, name, xasprintf("%s/%s.so",
	    b->conf->plugin_dir, name), pos);
}

static void
check_route_words(struct builder *b, struct conf_route *r)
{
	size_t i, k;

	for (i = 0; i < r->nmethods; i++)
		if (strspn(r->methods[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") !=
		    strlen(r->methods[i]) || r->methods[i][0] == '\0')
			conf_error(b->errs, pos_of(b, "methods"), "method "
			    "\"%s\" is not a word of capital letters",
			    r->methods[i]);
	for (i = 0; i < r->nhosts; i++) {
		for (k = 0; r->hosts[i][k] != '\0'; k++)
			if (r->hosts[i][k] >= 'A' && r->hosts[i][k] <= 'Z')
				r->hosts[i][k] |= 0x20;
		if (r->hosts[i][0] == '\0' || strpbrk(r->hosts[i], "/ ") ||
		    (strchr(r->hosts[i], '*') != NULL &&
		    (strncmp(r->hosts[i], "*.", 2) != 0 ||
		    strchr(r->hosts[i] + 1, '*') != NULL)))
			conf_error(b->errs, pos_of(b, "host"), "host \"%s\" "
			    "is neither a name nor \"*.name\"", r->hosts[i]);
	}
}

/* What a route says itself. */
static void
take_number(struct builder *b, const char *key, int64_t *to)
{
	if (is_set(b, key))
		*to = num_of(b, key);
}

/* http's holds before it is known which route it is. */
static void
build_head(struct builder *b, const char *key, int64_t most, int64_t *n)
{
	take_number(b, key, n);
	if (*n > most)
		conf_error(b->errs, pos_of(b, key), "\"%s\" is more than that "
		    "of http, %lld, which holds for all routes", key,
		    (long long)most);
}

static void
build_route(struct builder *b, const struct conf_node *n)
{
	const char *name = text_of(b, "plugin");
	const char *why = route_pattern_check(n->title);
	struct conf_plugin *p = NULL;
	struct conf_route *r;

	if (why != NULL)
		conf_error(b->errs, &n->pos, "route \"%s\" %s", n->title, why);
	if (name != NULL)
		p = find_plugin(b, name, pos_of(b, "plugin"));
	if (why != NULL || p == NULL)
		return;
	r = conf_route_add(b->conf, n->title, p, b->errs);
	r->pos = n->pos;
	r->match = (int)num_of(b, "match");
	r->hosts = copy_list(b, "host", &r->nhosts);
	r->methods = copy_list(b, "methods", &r->nmethods);
	take_number(b, "max_body", &r->max_body);
	build_head(b, "max_head", b->conf->http.max_head, &r->max_head);
	build_head(b, "max_headers", b->conf->http.max_headers,
	    &r->max_headers);
	take_number(b, "defer_timeout", &r->defer_timeout);
	if (is_set(b, "pool"))
		r->pool = find_pool(b, text_of(b, "pool"), pos_of(b, "pool"));
	if (is_set(b, "upstream"))
		r->upstream = find_upstream(b, text_of(b, "upstream"),
		    pos_of(b, "upstream"));
	if (is_set(b, "auth"))
		r->auth = find_auth(b, text_of(b, "auth"), pos_of(b, "auth"));
	take_number(b, "body_timeout", &r->body_timeout);
	take_number(b, "send_timeout", &r->send_timeout);
	take_number(b, "min_body_rate", &r->min_body_rate);
	take_number(b, "min_send_rate", &r->min_send_rate);
	take_number(b, "limit_rate", &r->limit_rate);
	take_number(b, "limit_rate_after", &r->limit_rate_after);
	r->shed = num_of(b, "shed") != 0;
	build_access(b, &r->access);
	build_limits(b, &r->limit_reqs, &r->limit_conns);
	build_route_session(b, r);
	check_route_words(b, r);
	build_route_websocket(b, n, r);
}

static void
build_error_page(struct builder *b, const struct conf_node *n)
{
	struct conf_error_page *e;
	const char *copy = NULL;
	int64_t status = 0;

	if (int_parse(n->title, &status) == -1 || status < 400 || status > 599)
		conf_error(b->errs, &n->pos, "error_page \"%s\": the title "
		    "must be a status from 400 to 599", n->title);
	if (text_of(b, "file") == NULL)
		return;
	e = xcalloc(1, sizeof(*e));
	e->pos = n->pos;
	e->status = (int)status;
	e->file = path_of(b, "file");
	e->type = copy_text(b, "type");
	check_field_value(b, "type", e->type);
	if (b->files != NULL)
		copy = map_get(b->files, e->file, strlen(e->file));
	e->body = conf_read_file(copy != NULL ? copy : e->file,
	    ERROR_PAGE_MAX, &e->len);
	if (e->body == NULL)
		conf_error(b->errs, pos_of(b, "file"), "error page %s: %s",
		    e->file, strerror(errno));
	TAILQ_INSERT_TAIL(&b->conf->error_pages, e, entry);
}

static const char *const in_upstream[] = { "server", "health", NULL };
static const char *const in_changes[] = { "server", NULL };
static const char *const in_listen[] = { "sni", NULL };
static const char *const in_route[] = { "websocket", NULL };

static const struct {
	const char *name;
	void (*build)(struct builder *, const struct conf_node *);
	const char *const *nested;
} block_builders[] = {
	/* in the order they refer to each other */
	{ "limit_req", build_limit_req, NULL },
	{ "limit_conn", build_limit_conn, NULL },
	{ "pool", build_pool, NULL },
	{ "upstream", build_upstream, in_upstream },
	{ "upstream_changes", build_upstream_changes, in_changes },
	{ "session", build_session, NULL },
	{ "certificate", build_certificate, NULL },
	{ "tls", build_tls, NULL },
	{ "listen", build_listen, in_listen },
	{ "plugin", build_plugin, NULL },
	{ "auth", build_auth, NULL },
	{ "route", build_route, in_route },
	{ "error_page", build_error_page, NULL },
	{ "access_log", build_access_log, NULL },
};

static int
title_taken(const struct builder *b, const struct conf_node *n)
{
	const struct conf_node *o;

	for (o = TAILQ_FIRST(&b->conf->tree->children); o != n;
	    o = TAILQ_NEXT(o, entry))
		if (o->is_block && o->title != NULL &&
		    strcmp(o->name, n->name) == 0 &&
		    strcmp(o->title, n->title) == 0) {
			conf_error(b->errs, &n->pos, "%s \"%s\" is already "
			    "defined at %s:%d", n->name, n->title,
			    o->pos.file, o->pos.line);
			return 1;
		}
	return 0;
}

static void
build_block(struct builder *b, size_t i, const struct conf_node *n)
{
	const char *name = block_builders[i].name;
	int is_plugin = strcmp(name, "plugin") == 0;
	int is_route = strcmp(name, "route") == 0;

	if (!n->is_block || n->title == NULL) {
		conf_error(b->errs, &n->pos, "\"%s\" is a block with a title: "
		    "%s \"name\" { ... }", name, name);
		return;
	}
	/* Routes of one path may differ in host and method; plugins tell
	 * their own story. */
	if (!is_plugin && !is_route && title_taken(b, n))
		return;
	if (!is_plugin)
		(void)conf_check(n, conf_block_rows(name),
		    block_builders[i].nested, &b->vals, b->errs);
	block_builders[i].build(b, n);
	conf_values_free(&b->vals);
}

static size_t
block_index(const char *name)
{
	size_t i;

	for (i = 0; strcmp(block_builders[i].name, name) != 0; i++)
		;
	return i;
}

static void
build_blocks(struct builder *b, const char *name)
{
	const struct conf_node *n;
	size_t i = block_index(name);

	TAILQ_FOREACH(n, &b->conf->tree->children, entry)
		if (strcmp(n->name, name) == 0)
			build_block(b, i, n);
}

/* -- the whole -- */

/* A block that nobody has written: all of its keys are at their defaults. */
static struct conf_node *
empty_block(struct builder *b, const char *name, const char *file)
{
	struct conf_node *n = xcalloc(1, sizeof(*n));

	TAILQ_INIT(&n->children);
	n->name = xstrdup(name);
	n->is_block = 1;
	n->pos.file = file;
	n->pos.line = 1;
	TAILQ_INSERT_TAIL(&b->conf->tree->children, n, entry);
	return n;
}

struct conf_plugin *
add_bare_plugin(struct builder *b, const char *name, char *file,
    const struct conf_pos *pos)
{
	struct conf_node *n = empty_block(b, "plugin", pos->file);

	n->pos = *pos;
	return add_plugin(b, name, file, n, 1);
}

static void
build_bare(struct builder *b, const struct conf_source *s)
{
	struct conf_pos pos = { conf_intern(s->name), 1 };
	const char *base = strrchr(s->name, '/');
	char *name;

	base = base == NULL ? s->name : base + 1;
	name = xstrndup(base, strlen(base) - 3);
	(void)add_bare_plugin(b, name, xstrdup(s->name), &pos);
	free(name);
}

static struct conf *
conf_new(void)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	TAILQ_INIT(&c->pools);
	TAILQ_INIT(&c->files);
	TAILQ_INIT(&c->certificates);
	TAILQ_INIT(&c->tls);
	TAILQ_INIT(&c->listens);
	TAILQ_INIT(&c->plugins);
	TAILQ_INIT(&c->upstreams);
	TAILQ_INIT(&c->auths);
	TAILQ_INIT(&c->sessions);
	TAILQ_INIT(&c->limits);
	TAILQ_INIT(&c->routes);
	TAILQ_INIT(&c->error_pages);
	TAILQ_INIT(&c->access_logs);
	c->tree = conf_root_new();
	return c;
}

static void
default_pool(struct builder *b)
{
	struct conf_node *n;

	if (!TAILQ_EMPTY(&b->conf->pools))
		return;
	n = empty_block(b, "pool", b->main_file);
	n->title = xstrdup("web");
	build_block(b, block_index("pool"), n);
}

struct conf *
conf_load(const struct conf_sources *s, const struct map *files,
    struct conf_errors *errs)
{
	struct builder b = { .conf = conf_new(), .errs = errs, .files = files };
	struct conf_pos main_pos = { NULL, 1 };
	size_t i;

	b.main_file = s->n > 0 ? conf_intern(s->v[0].name) : "";
	b.conf->file = b.main_file;
	for (i = 0; i < s->n; i++)
		if (!s->v[i].is_module)
			(void)conf_parse_file(b.conf->tree, s->v[i].name,
			    s->v[i].path, errs);
	(void)conf_check(b.conf->tree, conf_block_rows(""), conf_block_names,
	    &b.vals, errs);
	build_top(&b);
	conf_values_free(&b.vals);
	build_blocks(&b, "limit_req");
	build_blocks(&b, "limit_conn");
	conf_block_only(&b, "http", build_http);
	conf_block_only(&b, "budget", build_budget);
	conf_block_only(&b, "websocket", build_websocket);
	conf_block_only(&b, "pubsub", build_pubsub);
	build_blocks(&b, "pool");
	default_pool(&b);
	build_blocks(&b, "upstream");
	build_blocks(&b, "upstream_changes");
	build_blocks(&b, "session");
	build_blocks(&b, "certificate");
	build_blocks(&b, "tls");
	build_blocks(&b, "listen");
	build_blocks(&b, "plugin");
	for (i = 0; i < s->n; i++)
		if (s->v[i].is_module)
			build_bare(&b, &s->v[i]);
	finish_controllers(&b);
	finish_upstreams(&b);
	build_blocks(&b, "auth");
	finish_sessions(&b);
	build_blocks(&b, "route");
	build_blocks(&b, "error_page");
	build_blocks(&b, "access_log");
	main_pos.file = b.main_file;
	if (s->n > 0 && TAILQ_EMPTY(&b.conf->listens))
		conf_error(errs, &main_pos, "there is no listen block; add "
		    "listen \"main\" { address = \"8080\" }");
	return b.conf;
}
