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
free_blocks(struct conf *c)
{
	struct conf_certificate *x;
	struct conf_error_page *e;
	struct conf_access_log *a;
	struct conf_upstream *u;
	struct conf_session *s;
	struct conf_plugin *p;
	struct conf_listen *l;
	struct conf_route *r;
	struct conf_limit *m;
	struct conf_auth *t;
	struct conf_file *f;
	struct conf_pool *o;
	struct conf_tls *k;

	while ((r = TAILQ_FIRST(&c->routes)) != NULL) {
		TAILQ_REMOVE(&c->routes, r, entry);
		free_list(r->hosts, r->nhosts);
		free_list(r->methods, r->nmethods);
		free(r->access.v);
		free(r->limit_reqs.v);
		free(r->limit_conns.v);
		free_websocket(c, r->websocket);
		free(r->path);
		free(r);
	}
	while ((p = TAILQ_FIRST(&c->plugins)) != NULL) {
		TAILQ_REMOVE(&c->plugins, p, entry);
		free(p->name);
		free(p->file);
		free(p);
	}
	while ((l = TAILQ_FIRST(&c->listens)) != NULL) {
		TAILQ_REMOVE(&c->listens, l, entry);
		free_listen(l);
	}
	while ((k = TAILQ_FIRST(&c->tls)) != NULL) {
		TAILQ_REMOVE(&c->tls, k, entry);
		free_tls(k);
	}
	while ((x = TAILQ_FIRST(&c->certificates)) != NULL) {
		TAILQ_REMOVE(&c->certificates, x, entry);
		free_certificate(x);
	}
	while ((f = TAILQ_FIRST(&c->files)) != NULL) {
		TAILQ_REMOVE(&c->files, f, entry);
		free(f->path);
		free(f);
	}
	while ((u = TAILQ_FIRST(&c->upstreams)) != NULL) {
		TAILQ_REMOVE(&c->upstreams, u, entry);
		free_upstream(u);
	}
	while ((t = TAILQ_FIRST(&c->auths)) != NULL) {
		TAILQ_REMOVE(&c->auths, t, entry);
		free_auth(t);
	}
	while ((m = TAILQ_FIRST(&c->limits)) != NULL) {
		TAILQ_REMOVE(&c->limits, m, entry);
		free_limit(m);
	}
	while ((s = TAILQ_FIRST(&c->sessions)) != NULL) {
		TAILQ_REMOVE(&c->sessions, s, entry);
		free_session(s);
	}
	while ((o = TAILQ_FIRST(&c->pools)) != NULL) {
		TAILQ_REMOVE(&c->pools, o, entry);
		free_list(o->env, o->nenv);
		free(o->name);
		free(o);
	}
	while ((e = TAILQ_FIRST(&c->error_pages)) != NULL) {
		TAILQ_REMOVE(&c->error_pages, e, entry);
		free(e->file);
		free(e->type);
		free(e->body);
		free(e);
	}
	while ((a = TAILQ_FIRST(&c->access_logs)) != NULL) {
		TAILQ_REMOVE(&c->access_logs, a, entry);
		free_access_log(a);
	}
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
