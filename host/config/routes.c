/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes of the model: patterns, and claims that collide. */
#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "base/mem.h"
#include "config/model.h"
#include "config/routes.h"

/* -- patterns -- */

static const char *
check_segment(const char *p, size_t n, struct map *names)
{
	if (n == 0)
		return "has an empty segment (\"//\")";
	if (p[0] != ':')
		return n <= 2 && strspn(p, ".") >= n ?
		    "has a dot segment, which no request's path keeps" : NULL;
	if (n == 1 || strspn(p + 1,
	    "abcdefghijklmnopqrstuvwxyz0123456789_") < n - 1)
		return "has a parameter whose name is not [a-z0-9_]+";
	if (map_put(names, p, n, names) != NULL)
		return "has two parameters of one name";
	return names->n > 8 ? "has more than 8 parameters" : NULL;
}

const char *
route_pattern_check(const char *path)
{
	struct map names = { NULL, 0, 0 };
	const char *p = path, *why = NULL;
	size_t n;

	if (path[0] != '/')
		return "does not start with \"/\"";
	if (strpbrk(path, "%?#") != NULL)
		return "has one of % ? #; write the decoded path";
	for (p++; *p != '\0' && why == NULL; p += n + (p[n] == '/')) {
		n = strcspn(p, "/");
		why = check_segment(p, n, &names);
	}
	map_free(&names);
	return why;
}

struct conf_route *
conf_route_add(struct conf *c, const char *path, struct conf_plugin *plugin,
    struct conf_errors *errs)
{
	const char *why = route_pattern_check(path);
	struct conf_route *r;

	if (why != NULL) {
		conf_error(errs, &plugin->pos, "plugin \"%s\": its route "
		    "\"%s\" %s", plugin->name, path, why);
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	r->pos = plugin->pos;
	r->path = xstrdup(path);
	r->plugin = plugin;
	r->pool = plugin->pool;
	r->match = CONF_MATCH_AUTO;
	r->max_body = c->http.max_body;
	r->defer_timeout = c->http.defer_timeout;
	r->session = CONF_SESSION_OPTIONAL;
	r->sessions = TAILQ_FIRST(&c->sessions);
	r->body_timeout = c->http.body_timeout;
	r->send_timeout = c->http.send_timeout;
	r->min_body_rate = c->http.min_body_rate;
	r->min_send_rate = c->http.min_send_rate;
	r->limit_rate = c->http.limit_rate;
	r->limit_rate_after = c->http.limit_rate_after;
	r->shed = 1;
	conf_access_copy(&r->access, &c->http.access);
	conf_limits_copy(&r->limit_reqs, &c->http.limit_reqs);
	conf_limits_copy(&r->limit_conns, &c->http.limit_conns);
	r->websocket = &c->websocket;
	TAILQ_INSERT_TAIL(&c->routes, r, entry);
	return r;
}

/* -- conflicts -- */

/* Two patterns match the same paths when they differ in nothing but the names
 * of parameters. */
static int
same_pattern(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0') {
		if (*a == ':' && *b == ':' && a[-1] == '/') {
			a += strcspn(a, "/");
			b += strcspn(b, "/");
			continue;
		}
		if (*a++ != *b++)
			return 0;
	}
	return *a == *b;
}

static int
is_prefix(const struct conf_route *r)
{
	return r->match == CONF_MATCH_PREFIX || (r->match == CONF_MATCH_AUTO &&
	    r->path[strlen(r->path) - 1] == '/');
}

/* Do the lists share a word?  An empty list means every word, but a host of
 * one route's own is more specific than any host. */
static int
lists_meet(char *const *a, size_t na, char *const *b, size_t nb, int empty_all)
{
	size_t i, k;

	if (na == 0 || nb == 0)
		return empty_all ? 1 : na == nb;
	for (i = 0; i < na; i++)
		for (k = 0; k < nb; k++)
			if (strcmp(a[i], b[k]) == 0)
				return 1;
	return 0;
}

static int
routes_collide(const struct conf_route *a, const struct conf_route *b)
{
	return is_prefix(a) == is_prefix(b) && same_pattern(a->path, b->path) &&
	    lists_meet(a->hosts, a->nhosts, b->hosts, b->nhosts, 0) &&
	    lists_meet(a->methods, a->nmethods, b->methods, b->nmethods, 1);
}

int
conf_routes_conflict(const struct conf *c, struct conf_errors *errs)
{
	const struct conf_route *a, *b;
	int n = 0;

	TAILQ_FOREACH(b, &c->routes, entry)
		for (a = TAILQ_FIRST(&c->routes); a != b;
		    a = TAILQ_NEXT(a, entry)) {
			if (!routes_collide(a, b))
				continue;
			conf_error(errs, &b->pos, "route \"%s\" of plugin "
			    "\"%s\" is already taken by plugin \"%s\" at "
			    "%s:%d", b->path, b->plugin->name, a->plugin->name,
			    a->pos.file, a->pos.line);
			n++;
		}
	return n;
}
