/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of a fake request, and the route that it matched. */
#include <stdio.h>
#include <string.h>

#include "ctl/fake_request.h"
#include "ctl/plugin.h"

#define MAX_HEADERS 64
#define PARAM_VALUE "check"

static const struct {
	const char *name;
	uint32_t method;
} methods[] = {
    {"GET", HOSTD_METHOD_GET},
    {"HEAD", HOSTD_METHOD_HEAD},
    {"POST", HOSTD_METHOD_POST},
    {"PUT", HOSTD_METHOD_PUT},
    {"DELETE", HOSTD_METHOD_DELETE},
    {"OPTIONS", HOSTD_METHOD_OPTIONS},
    {"PATCH", HOSTD_METHOD_PATCH},
};

static uint32_t
method_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return HOSTD_METHOD_OTHER;
}

static void
add_header(
    struct hostd_request *q, hostd_hdr *h, const char *name, const char *value)
{
	if (q->nheaders == MAX_HEADERS)
		return;
	h[q->nheaders].name = fake_lend_text(name);
	h[q->nheaders++].value = fake_lend_text(value);
}

static void
add_upgrade(struct hostd_request *q, hostd_hdr *h, const struct fake_spec *s)
{
	q->flags |= HOSTD_REQ_UPGRADE;
	add_header(q, h, "Connection", "Upgrade");
	add_header(q, h, "Upgrade", "websocket");
	add_header(q, h, "Origin", "http://check.example");
	add_header(q, h, "Sec-WebSocket-Version", "13");
	add_header(q, h, "Sec-WebSocket-Key", "aG9zdGN0bCBwbHVnaW4gIQ==");
	if (s->protocols != NULL)
		add_header(q, h, "Sec-WebSocket-Protocol", s->protocols);
}

static void
add_headers(struct hostd_request *q, const struct fake_spec *s)
{
	hostd_hdr *h = fake_lend(MAX_HEADERS * sizeof(*h));
	const char *const *extra;
	char number[32];

	q->headers = h;
	add_header(q, h, "host", "check.example");
	add_header(q, h, "User-Agent", "hostctl");
	add_header(q, h, "Accept", "*/*");
	if (s->chunked) {
		add_header(q, h, "Transfer-Encoding", "chunked");
	} else if (s->nbody > 0) {
		(void)snprintf(number, sizeof(number), "%zu", s->nbody);
		add_header(q, h, "Content-Length", number);
	}
	if (s->upgrade)
		add_upgrade(q, h, s);
	for (extra = s->headers; extra != NULL && *extra != NULL; extra += 2)
		add_header(q, h, extra[0], extra[1]);
}

const struct hostd_request *
fake_req_head(struct fake_req *r)
{
	const struct fake_spec *s = &r->spec;
	struct hostd_request *q;
	char target[8192];

	if (r->head != NULL && r->head_of == fake_callbacks())
		return r->head;
	q = fake_lend(sizeof(*q));
	q->struct_size = sizeof(*q);
	q->method = method_of(s->method);
	q->method_name = fake_lend_text(s->method);
	(void)snprintf(target, sizeof(target), "%s%s%s", r->path,
	    s->query == NULL ? "" : "?", s->query == NULL ? "" : s->query);
	q->target = fake_lend_text(target);
	q->host = fake_lend_text("check.example");
	q->path = fake_lend_text(r->path);
	q->rest = fake_lend_text(r->rest);
	if (s->query != NULL)
		q->query = fake_lend_text(s->query);
	q->peer = fake_lend_text("192.0.2.1");
	q->content_length = s->chunked ? -1 : (int64_t)s->nbody;
	add_headers(q, s);
	r->head = q;
	r->head_of = fake_callbacks();
	return q;
}

const struct module_provide *
fake_provide(const struct module *m, int upgrade)
{
	return module_provides(
	    m, upgrade ? HOSTD_KIND_WS_HANDLER : HOSTD_KIND_HTTP_ROUTE);
}

const char *
fake_pattern(const struct module *m, int upgrade)
{
	static char pattern[300];
	const char *route = fake_provide(m, upgrade)->info.route;

	if (route != NULL)
		return route;
	plugin_route(m->path, pattern, sizeof(pattern));
	return pattern;
}

static const char *chosen;

void
fake_route_choose(const char *path)
{
	chosen = path;
}

const char *
fake_route(const struct module *m, int upgrade)
{
	static char path[2048];
	const char *s = fake_pattern(m, upgrade);
	size_t n = 0;

	if (chosen != NULL)
		return chosen;
	while (*s != '\0' && n + sizeof(PARAM_VALUE) < sizeof(path)) {
		if (*s != ':') {
			path[n++] = *s++;
			continue;
		}
		memcpy(path + n, PARAM_VALUE, sizeof(PARAM_VALUE) - 1);
		n += sizeof(PARAM_VALUE) - 1;
		s += strcspn(s, "/");
	}
	path[n] = '\0';
	return path;
}

const char *
fake_route_param(const struct fake_req *r, const char *name)
{
	const char *s = fake_pattern(r->fake->m, r->spec.upgrade);
	size_t n = strlen(name);

	while ((s = strchr(s, ':')) != NULL) {
		s++;
		if (strcspn(s, "/") == n && strncmp(s, name, n) == 0)
			return PARAM_VALUE;
	}
	return NULL;
}
