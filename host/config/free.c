/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "config/builder.h"

static void
free_list(char **list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void
free_websocket(const struct conf *c, struct conf_websocket *w)
{
	if (w == &c->websocket)
		return;
	if (w->origins != c->websocket.origins)
		free_list(w->origins, w->norigins);
	free(w);
}

static void
free_upstream(struct conf_upstream *u)
{
	struct conf_server *s;

	TAILQ_CONCAT(&u->servers, &u->removed, entry);
	while ((s = TAILQ_FIRST(&u->servers)) != NULL) {
		TAILQ_REMOVE(&u->servers, s, entry);
		conf_server_free(s);
		free(s);
	}
	free_list(u->resolvers, u->nresolvers);
	free(u->health.method);
	free(u->health.path);
	free(u->health.host);
	free(u->health.statuses);
	free(u->health.body);
	free_upstream_tls(&u->tls);
	free(u->balancer_name);
	free(u->name);
	free(u);
}

static void
free_sandbox(struct conf_sandbox *s)
{
	while (s->ngrants > 0)
		free(s->grants[--s->ngrants].path);
	free(s->grants);
	free_list(s->calls, s->ncalls);
	free(s->chroot);
}

static void
free_session(struct conf_session *s)
{
	if (s->secrets != NULL)
		explicit_bzero(s->secrets, strlen(s->secrets));
	free(s->secrets);
	free(s->secret_file);
	free(s->store_name);
	free(s->cookie);
	free(s->path);
	free(s->domain);
	free(s->login);
	free(s->required_key);
	free(s->name);
	free(s);
}

static void
free_listen(struct conf_listen *l)
{
	struct conf_sni *s;

	while ((s = TAILQ_FIRST(&l->snis)) != NULL) {
		TAILQ_REMOVE(&l->snis, s, entry);
		free(s->name);
		free(s);
	}
	free(l->name);
	free(l->address);
	free(l->redirect_https);
	free(l->access.v);
	free(l);
}

static void
free_route(struct conf *c, struct conf_route *r)
{
	free_list(r->hosts, r->nhosts);
	free_list(r->methods, r->nmethods);
	free(r->access.v);
	free(r->limit_reqs.v);
	free(r->limit_conns.v);
	free_websocket(c, r->websocket);
	free(r->path);
	free(r);
}

static void
free_plugin(struct conf_plugin *p)
{
	free(p->name);
	free(p->file);
	free(p->offered_by);
	free(p);
}

static void
free_file(struct conf_file *f)
{
	free(f->path);
	free(f);
}

static void
free_pool(struct conf_pool *p)
{
	free_list(p->env, p->nenv);
	free(p->name);
	free(p);
}

static void
free_error_page(struct conf_error_page *e)
{
	free(e->file);
	free(e->type);
	free(e->body);
	free(e);
}

/* Every block of a list, by a function that frees one. */
#define FREE_ALL(list, type, free_one) do { \
	struct type *one; \
	while ((one = TAILQ_FIRST(list)) != NULL) { \
		TAILQ_REMOVE(list, one, entry); \
		free_one(one); \
	} \
} while (0)

static void
free_blocks(struct conf *c)
{
	struct conf_route *r;

	while ((r = TAILQ_FIRST(&c->routes)) != NULL) {
		TAILQ_REMOVE(&c->routes, r, entry);
		free_route(c, r);
	}
	FREE_ALL(&c->plugins, conf_plugin, free_plugin);
	FREE_ALL(&c->listens, conf_listen, free_listen);
	FREE_ALL(&c->tls, conf_tls, free_tls);
	FREE_ALL(&c->certificates, conf_certificate, free_certificate);
	FREE_ALL(&c->files, conf_file, free_file);
	FREE_ALL(&c->upstreams, conf_upstream, free_upstream);
	FREE_ALL(&c->auths, conf_auth, free_auth);
	FREE_ALL(&c->limits, conf_limit, free_limit);
	FREE_ALL(&c->sessions, conf_session, free_session);
	FREE_ALL(&c->pools, conf_pool, free_pool);
	FREE_ALL(&c->error_pages, conf_error_page, free_error_page);
	FREE_ALL(&c->access_logs, conf_access_log, free_access_log);
}

void
conf_free(struct conf *c)
{
	free_blocks(c);
	free_sandbox(&c->sandbox);
	free(c->user);
	free(c->group);
	free(c->conf_dir);
	free(c->plugin_dir);
	free(c->run_dir);
	free(c->state_dir);
	free(c->plugin_state);
	free(c->pid_file);
	free(c->control);
	free_list(c->controllers, c->ncontrollers);
	free(c->error_log);
	free(c->http.hsts);
	free(c->http.server);
	free(c->http.real_ip_from.v);
	free(c->http.trace_trust.v);
	free(c->http.real_ip_header);
	free(c->http.per_address_exempt.v);
	free(c->http.access.v);
	free(c->http.limit_reqs.v);
	free(c->http.limit_conns.v);
	free_list(c->websocket.origins, c->websocket.norigins);
	free(c->pubsub.backend);
	conf_node_free(c->tree);
	free(c);
}
