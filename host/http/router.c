/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "base/mem.h"
#include "http/router.h"

/* Routes whose pattern has parameters, most specific first. */
struct param_list {
	struct http_route **v;
	size_t n;
};

/* One host's routes. */
struct vhost {
	struct map exact;	/* path -> struct http_route */
	struct map prefix;	/* "/a" and "/a/" are two of them -> same */
	struct param_list params;
};

struct router {
	struct map hosts;	/* exact names -> struct vhost */
	struct map suffixes;	/* ".example.com" -> struct vhost */
	struct vhost any;
};

/* Where a search stands. */
struct search {
	struct http_req *req;
	unsigned skip;
	struct buf *allow;
	struct http_route *found;
	int path_matched;
};

static const char *const method_names[] = {
	"", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH",
	"TRACE", "CONNECT"
};
#define NMETHODS (sizeof(method_names) / sizeof(method_names[0]))

struct router *
router_new(void)
{
	return xcalloc(1, sizeof(struct router));
}

struct http_route *
route_new(const char *pattern, int is_prefix, char *const *methods,
    size_t nmethods)
{
	struct http_route *rt = xcalloc(1, sizeof(*rt));
	size_t i, m;

	rt->pattern = xstrdup(pattern);
	rt->is_prefix = is_prefix;
	rt->others = xcalloc(nmethods + 1, sizeof(char *));
	for (i = 0; i < nmethods; i++) {
		for (m = 1; m < NMETHODS; m++)
			if (strcmp(method_names[m], methods[i]) == 0)
				break;
		if (m < NMETHODS)
			rt->methods |= 1u << m;
		else
			rt->others[rt->nothers++] = xstrdup(methods[i]);
	}
	/* Whoever answers GET answers HEAD (RFC 9110 section 9.3.2). */
	if (rt->methods & 1u << HOSTD_METHOD_GET)
		rt->methods |= 1u << HOSTD_METHOD_HEAD;
	return rt;
}

void
route_add_gate(struct http_route *rt, struct http_gate *g)
{
	rt->gates = xrealloc(rt->gates,
	    (rt->ngates + 1) * sizeof(struct http_gate *));
	rt->gates[rt->ngates++] = g;
}

static void
route_free_all(struct http_route *rt)
{
	struct http_route *next;
	size_t i;

	for (; rt != NULL; rt = next) {
		next = rt->next;
		for (i = 0; i < rt->nothers; i++)
			free(rt->others[i]);
		free(rt->others);
		free(rt->gates);
		free(rt->pattern);
		free(rt);
	}
}

/* Does a parameter start at p in a pattern?  Elsewhere ":" is a colon. */
static int
is_param(const char *p)
{
	return p[0] == ':' && p[-1] == '/';
}

/* -- building -- */

static size_t
literal_length(const char *pattern)
{
	size_t n = 0;

	while (*pattern != '\0')
		if (n > 0 && is_param(pattern))
			pattern += strcspn(pattern, "/");
		else {
			pattern++;
			n++;
		}
	return n;
}

/* Which of two patterns is asked first. */
static size_t
specificity(const struct http_route *rt)
{
	return 2 * literal_length(rt->pattern) + !rt->is_prefix;
}

static void
params_add(struct param_list *l, struct http_route *rt)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i]->pattern, rt->pattern) == 0 &&
		    l->v[i]->is_prefix == rt->is_prefix) {
			rt->next = l->v[i];
			l->v[i] = rt;
			return;
		}
	l->v = xrealloc(l->v, (l->n + 1) * sizeof(struct http_route *));
	for (i = l->n++; i > 0 && specificity(l->v[i - 1]) < specificity(rt);
	    i--)
		l->v[i] = l->v[i - 1];
	l->v[i] = rt;
}

static void
vhost_add(struct vhost *vh, struct http_route *rt)
{
	size_t n = strlen(rt->pattern);
	struct map *m;

	if (strstr(rt->pattern, "/:") != NULL) {
		params_add(&vh->params, rt);
		return;
	}
	m = rt->is_prefix ? &vh->prefix : &vh->exact;
	rt->next = map_get(m, rt->pattern, n);
	map_put(m, rt->pattern, n, rt);
}

static struct vhost *
router_vhost(struct router *ro, const char *host)
{
	struct map *m = &ro->hosts;
	struct vhost *vh;

	if (host[0] == '*') {
		m = &ro->suffixes;
		host++;
	}
	if ((vh = map_get(m, host, strlen(host))) == NULL) {
		vh = xcalloc(1, sizeof(*vh));
		map_put(m, host, strlen(host), vh);
	}
	return vh;
}

static struct http_route *
route_copy(const struct http_route *rt)
{
	struct http_route *copy = xmalloc(sizeof(*copy));
	size_t i;

	*copy = *rt;
	copy->pattern = xstrdup(rt->pattern);
	copy->others = xcalloc(rt->nothers + 1, sizeof(char *));
	for (i = 0; i < rt->nothers; i++)
		copy->others[i] = xstrdup(rt->others[i]);
	return copy;
}

void
router_add(struct router *ro, struct http_route *rt, char *const *hosts,
    size_t nhosts)
{
	size_t i;

	if (nhosts == 0) {
		vhost_add(&ro->any, rt);
		return;
	}
	for (i = 0; i < nhosts; i++)
		vhost_add(router_vhost(ro, hosts[i]),
		    i + 1 < nhosts ? route_copy(rt) : rt);
}

static void
routes_free(struct map *m)
{
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(m, &it)) != NULL)
		route_free_all(e->value);
	map_free(m);
}

static void
vhost_free(struct vhost *vh)
{
	size_t i;

	routes_free(&vh->exact);
	routes_free(&vh->prefix);
	for (i = 0; i < vh->params.n; i++)
		route_free_all(vh->params.v[i]);
	free(vh->params.v);
}

static void
vhosts_free(struct map *m)
{
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(m, &it)) != NULL) {
		vhost_free(e->value);
		free(e->value);
	}
	map_free(m);
}

void
router_free(struct router *ro)
{
	vhost_free(&ro->any);
	vhosts_free(&ro->hosts);
	vhosts_free(&ro->suffixes);
	free(ro);
}

/* -- finding -- */

static int
route_takes(const struct http_route *rt, const struct http_req *r)
{
	hostd_buf name = r->view.method_name;
	size_t i;

	if (rt->methods == 0 && rt->nothers == 0)
		return 1;
	if (r->view.method != HOSTD_METHOD_OTHER)
		return rt->methods >> r->view.method & 1;
	for (i = 0; i < rt->nothers; i++)
		if (strlen(rt->others[i]) == name.n &&
		    memcmp(rt->others[i], name.p, name.n) == 0)
			return 1;
	return 0;
}

static void
allow_add(struct buf *allow, const char *name)
{
	if (allow->len > 0)
		buf_puts(allow, ", ");
	buf_puts(allow, name);
}

static void
list_allowed(struct buf *allow, const struct http_route *rt)
{
	uint32_t seen = 0;
	size_t i;

	for (; rt != NULL; rt = rt->next) {
		for (i = 1; i < NMETHODS; i++)
			if ((rt->methods & ~seen) >> i & 1)
				allow_add(allow, method_names[i]);
		seen |= rt->methods;
		for (i = 0; i < rt->nothers; i++)
			allow_add(allow, rt->others[i]);
	}
}

/* The routes of one pattern match the path: 1 when the search is over. */
static int
search_pattern(struct search *s, struct http_route *first)
{
	struct http_route *rt;

	for (rt = first; rt != NULL; rt = rt->next) {
		if (!route_takes(rt, s->req))
			continue;
		if (s->skip > 0) {
			s->skip--;
			s->path_matched = 1;
			continue;
		}
		s->found = rt;
		return 1;
	}
	/* Somebody more specific took it and passed: not a 405. */
	if (s->path_matched)
		return 0;
	list_allowed(s->allow, first);
	return s->allow->len > 0;
}

static void
set_rest(struct http_req *r, size_t from)
{
	const char *p = r->view.path.p;

	while (from < r->view.path.n && p[from] == '/')
		from++;
	r->view.rest = (hostd_buf){ p + from, r->view.path.n - from };
}

/* Match path against a pattern with parameters; fills params and rest. */
static int
match_params(const struct http_route *rt, struct http_req *r)
{
	const char *pat = rt->pattern, *p = r->view.path.p;
	const char *end = p + r->view.path.n, *name, *value;

	r->nparams = 0;
	while (*pat != '\0') {
		if (*pat != ':' || !is_param(pat)) {
			if (p == end || *p != *pat)
				return 0;
			pat++;
			p++;
			continue;
		}
		name = ++pat;
		while (*pat != '\0' && *pat != '/')
			pat++;
		for (value = p; p < end && *p != '/'; p++)
			;
		if (p == value || r->nparams == REQ_MAX_PARAMS)
			return 0;
		r->params[r->nparams].name =
		    (hostd_buf){ name, (size_t)(pat - name) };
		r->params[r->nparams++].value =
		    (hostd_buf){ value, (size_t)(p - value) };
	}
	set_rest(r, (size_t)(p - (const char *)r->view.path.p));
	return p == end || (rt->is_prefix && (p[-1] == '/' || *p == '/'));
}

static int
search_prefixes(struct search *s, const struct vhost *vh)
{
	const char *p = s->req->view.path.p;
	size_t i, n = s->req->view.path.n;
	struct http_route *rt;

	/* Before and behind each slash: "/x" and "/x/". */
	for (i = n; i > 0; i--) {
		if (i < n && p[i] != '/' && p[i - 1] != '/')
			continue;
		if ((rt = map_get(&vh->prefix, p, i)) == NULL)
			continue;
		set_rest(s->req, i);
		if (search_pattern(s, rt))
			return 1;
	}
	return 0;
}

static int
search_vhost(struct search *s, const struct vhost *vh)
{
	struct http_route *rt;
	hostd_buf path = s->req->view.path;
	size_t i;

	s->req->nparams = 0;
	rt = map_get(&vh->exact, path.p, path.n);
	if (rt != NULL) {
		set_rest(s->req, path.n);
		if (search_pattern(s, rt))
			return 1;
	}
	for (i = 0; i < vh->params.n; i++)
		if (match_params(vh->params.v[i], s->req) &&
		    search_pattern(s, vh->params.v[i]))
			return 1;
	s->req->nparams = 0;
	return vh->prefix.n > 0 && search_prefixes(s, vh);
}

static int
search_hosts(struct search *s, const struct router *ro)
{
	const struct vhost *vh;
	hostd_buf host = s->req->view.host;
	const char *p = host.p;
	size_t i;

	if (ro->hosts.n > 0 && host.n > 0 &&
	    (vh = map_get(&ro->hosts, p, host.n)) != NULL &&
	    search_vhost(s, vh))
		return 1;
	for (i = 1; ro->suffixes.n > 0 && i < host.n; i++)
		if (p[i] == '.' && (vh = map_get(&ro->suffixes, p + i,
		    host.n - i)) != NULL && search_vhost(s, vh))
			return 1;
	return search_vhost(s, &ro->any);
}

int
router_find(const struct router *ro, struct http_req *r, unsigned skip,
    struct http_route **out, struct buf *allow)
{
	struct search s = { .req = r, .skip = skip, .allow = allow };

	allow->len = 0;
	if (search_hosts(&s, ro) && s.found != NULL) {
		*out = s.found;
		return 0;
	}
	return allow->len > 0 ? 405 : 404;
}
