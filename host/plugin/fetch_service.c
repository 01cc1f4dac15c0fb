/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.fetch/1. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/router.h"
#include "http/server.h"
#include "plugin/fetch.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

#define FETCHES_MAX	65536		/* of an instance */
#define BUFFER_MAX	(16u << 20)	/* HOSTD_FETCH_BUFFER, when it says
					   nothing else */
#define FLAGS	(HOSTD_FETCH_BUFFER | HOSTD_FETCH_UPGRADE |		\
	HOSTD_FETCH_DETACHED | HOSTD_FETCH_ROUTE |			\
	HOSTD_FETCH_OUTLIVES | HOSTD_FETCH_UNTRACED)

/* -- the host calls the plugin -- */

static struct fetch *
fetch_of(struct up_exchange *x)
{
	return (struct fetch *)(void *)x;
}

/* From now on it is the plugin that its request waits for. */
static void
fetch_owed(struct fetch *f)
{
	if (f->req != NULL)
		f->req->owed_ms = f->in->all->loop->now_ms;
}

/* What the plugin answers to the client leaves in one piece. */
static void
fetch_enter(struct up_exchange *x)
{
	struct fetch *f = fetch_of(x);

	if (f->req == NULL || f->detached ||
	    f->req->conn->stream.sio->corked != NULL)
		return;
	f->corked = f->req->conn;
	stream_cork(&f->corked->stream);
}

static void
fetch_leave(struct up_exchange *x)
{
	struct fetch *f = fetch_of(x);
	struct http_conn *c = f->corked;

	if (c == NULL)
		return;
	f->corked = NULL;
	stream_uncork(&c->stream);
	/* Its failure is for the connection to see. */
	if (c->stream.error != 0)
		conn_wake(c);
}

static void
fetch_info(struct up_exchange *x, const struct hostd_fetch_response *r)
{
	struct fetch *f = fetch_of(x);
	hostd_fetch id = { f->id };
	struct request_call call;

	if (f->ops.on_info == NULL)
		return;
	request_enter(f->in, f->req, BOARD_CB_FETCH, &call);
	f->ops.on_info(f->in->inst, id, f->arg, r);
	request_leave(f->in, &call);
}

static void
fetch_head(struct up_exchange *x, const struct hostd_fetch_response *r)
{
	struct fetch *f = fetch_of(x);
	hostd_fetch id = { f->id };
	struct request_call call;

	if (r->protocol.p != NULL)
		f->protocol = xstrndup(r->protocol.p, r->protocol.n);
	fetch_owed(f);
	if (f->ops.on_response == NULL)
		return;
	request_enter(f->in, f->req, BOARD_CB_FETCH, &call);
	f->ops.on_response(f->in->inst, id, f->arg, r);
	request_leave(f->in, &call);
}

static void
fetch_body(struct up_exchange *x, hostd_buf part, int fin)
{
	struct fetch *f = fetch_of(x);
	hostd_fetch id = { f->id };
	struct request_call call;

	if (f->buffer) {
		buf_append(&f->whole, part.p, part.n);
		if (!fin)
			return;
		part = (hostd_buf){ f->whole.p, f->whole.len };
	}
	if (f->ops.on_body == NULL)
		return;
	f->in_fin = fin != 0;
	request_enter(f->in, f->req, BOARD_CB_FETCH, &call);
	f->ops.on_body(f->in->inst, id, f->arg, part, fin);
	request_leave(f->in, &call);
	f->in_fin = 0;
}

static void
fetch_writable(struct up_exchange *x)
{
	struct fetch *f = fetch_of(x);
	hostd_fetch id = { f->id };
	struct request_call call;

	if (f->ops.on_writable == NULL)
		return;
	request_enter(f->in, f->req, BOARD_CB_FETCH, &call);
	f->ops.on_writable(f->in->inst, id, f->arg);
	request_leave(f->in, &call);
}

static void
fetch_rewind(struct up_exchange *x)
{
	struct fetch *f = fetch_of(x);
	hostd_fetch id = { f->id };
	struct request_call call;

	request_enter(f->in, f->req, BOARD_CB_FETCH, &call);
	f->ops.on_rewind(f->in->inst, id, f->arg);
	request_leave(f->in, &call);
}

static int
fetch_is_timed(const struct http_errand *e)
{
	const struct fetch *f = (const void *)((const char *)e -
	    offsetof(struct fetch, errand));

	return !f->detached && exchange_is_timed(&f->x);
}

/* For the next one that is started. */
static void
fetch_free(struct fetch *f)
{
	struct instance *in = f->in;

	fetch_owed(f);
	if (f->req != NULL)
		LIST_REMOVE(&f->errand, link);
	f->req = NULL;
	if (f->tunnel != NULL)
		tunnel_close(f->tunnel);
	f->tunnel = NULL;
	free(f->protocol);
	f->protocol = NULL;
	buf_free(&f->whole);
	LIST_REMOVE(f, link);
	LIST_INSERT_HEAD(&in->all->free_fetches, f, link);
}

/* To the plugin it is over. */
static void
fetch_tell_end(struct fetch *f, int32_t status, const char *text)
{
	struct instance *in = f->in;
	hostd_buf b = { text, strlen(text) };
	hostd_fetch id = { f->id };
	struct request_call call;

	if (f->told)
		return;
	f->told = 1;
	/* A create that failed has left no instance to tell. */
	if (in->created) {
		request_enter(in, f->req, BOARD_CB_FETCH, &call);
		f->ops.on_end(in->inst, id, f->arg, status, b);
		request_leave(in, &call);
	}
	handle_free(&in->all->fetches, f->id);
	in->nfetches--;
}

void
fetch_end(struct fetch *f, int32_t status, const char *text)
{
	fetch_tell_end(f, status, text);
	fetch_leave(&f->x);
	fetch_free(f);
}

static void
fetch_over(struct up_exchange *x, int32_t status, const char *text)
{
	struct fetch *f = fetch_of(x);

	if (f->corked == NULL)
		fetch_enter(x);
	fetch_end(f, status, text);
}

static const struct up_exchange_ops exchange_ops = {
	.info = fetch_info,
	.head = fetch_head,
	.body = fetch_body,
	.writable = fetch_writable,
	.rewind = fetch_rewind,
	.end = fetch_over,
	.enter = fetch_enter,
	.leave = fetch_leave,
};

/* The request that it is for has ended. */
static void
fetch_forsaken(struct http_errand *e)
{
	struct fetch *f = (struct fetch *)(void *)((char *)e -
	    offsetof(struct fetch, errand));

	f->req = NULL;
	if (f->detached || f->outlives || f->tunnel != NULL) {
		exchange_forget(&f->x);
		/* The tunnel itself is the host's to look after. */
		if (f->tunnel != NULL)
			fetch_tell_end(f, HOSTD_OK, "");
		return;
	}
	exchange_stop(&f->x);
	fetch_end(f, HOSTD_E_GONE, "the request has ended");
}

/* -- the plugin calls the host -- */

#define HAS(p, type, member)						\
	((p)->struct_size >= offsetof(struct type, member) +		\
	sizeof((p)->member))

/* A table of the plugin's, which may be shorter or longer than ours. */
static void
copy_table(void *to, size_t size, const void *from, uint32_t have)
{
	memset(to, 0, size);
	memcpy(to, from, have < size ? have : size);
}

static struct fetch *
fetch_new(struct instance *in)
{
	struct plugins *all = in->all;
	struct fetch *f = LIST_FIRST(&all->free_fetches);
	uint64_t id;

	if (f != NULL)
		LIST_REMOVE(f, link);
	else
		f = xcalloc(1, sizeof(*f));
	if ((id = handle_new(&all->fetches, f)) == 0) {
		LIST_INSERT_HEAD(&all->free_fetches, f, link);
		return NULL;
	}
	f->in = in;
	f->id = id;
	f->buffer = f->detached = f->in_fin = f->told = 0;
	f->errand.ended = fetch_forsaken;
	f->errand.is_timed = fetch_is_timed;
	f->x.ops = &exchange_ops;
	f->x.view = NULL;
	f->x.log = NULL;
	f->x.trace = NULL;
	LIST_INSERT_HEAD(&in->fetches, f, link);
	in->nfetches++;
	return f;
}

/* It was not begun: nobody is told. */
static void
fetch_undo(struct fetch *f)
{
	handle_free(&f->in->all->fetches, f->id);
	f->in->nfetches--;
	fetch_free(f);
}

static void
fetch_attach(struct fetch *f, struct http_req *r)
{
	f->req = r;
	LIST_INSERT_HEAD(&r->errands, &f->errand, link);
	f->x.view = &r->view;
	if (!f->detached)
		f->x.log = &r->tries;
}

static struct up_group *
group_for(struct instance *in, const struct hostd_fetch_request *r,
    const struct http_req *req)
{
	if (req != NULL && req->route != NULL && req->route->upstream != NULL &&
	    (r->upstream == NULL || (r->flags & HOSTD_FETCH_ROUTE)))
		return req->route->upstream;
	if (r->upstream != NULL)
		return upstreams_find(&in->all->upstreams, r->upstream,
		    strlen(r->upstream));
	return NULL;
}

static int32_t
refuse(struct instance *in, const struct hostd_fetch_request *r, int32_t rc,
    const char *why)
{
	log_warnx("plugin %s: an exchange with upstream \"%.64s\" is refused: "
	    "%s", in->conf->name, r->upstream != NULL ? r->upstream :
	    "(of the route)", why);
	return rc;
}

static int32_t
fetch_start(struct instance *in, struct hostd_fetch_request *r,
    const struct hostd_fetch_ops *ops, void *arg, struct http_req *req,
    hostd_fetch *out)
{
	struct up_group *g = group_for(in, r, req);
	const char *why = "there is no such group";
	struct fetch *f;
	int32_t rc;

	if (g == NULL)
		return refuse(in, r, HOSTD_E_INVAL, why);
	/* It is the operator who says where plugins may connect to. */
	if (r->server.n > 0 && !g->conf->any_server)
		return refuse(in, r, HOSTD_E_NOTSUP, "it names a server, which "
		    "any_server = on allows");
	if (in->nfetches == FETCHES_MAX || (f = fetch_new(in)) == NULL)
		return HOSTD_E_FULL;
	f->ops = *ops;
	f->arg = arg;
	f->buffer = (r->flags & HOSTD_FETCH_BUFFER) != 0;
	f->detached = (r->flags & HOSTD_FETCH_DETACHED) != 0;
	f->outlives = (r->flags & HOSTD_FETCH_OUTLIVES) != 0;
	if (f->buffer && r->max_body == 0)
		r->max_body = BUFFER_MAX;
	f->x.group = g;
	f->x.rewinds = f->ops.on_rewind != NULL;
	if (req != NULL)
		fetch_attach(f, req);
	if (req != NULL && !(r->flags & HOSTD_FETCH_UNTRACED))
		f->x.trace = request_trace(req);
	if ((rc = exchange_start(&f->x, r, &why)) != HOSTD_OK) {
		fetch_undo(f);
		return refuse(in, r, rc, why);
	}
	if (req != NULL)
		fetch_note_client(f);
	if (g->conf->proxy_protocol != 0)
		fetch_note_connection(f, g->conf->proxy_protocol);
	out->id = f->id;
	return HOSTD_OK;
}

static int32_t
api_start(const struct hostd_host *host, const struct hostd_fetch_request *r,
    const struct hostd_fetch_ops *ops, void *arg, hostd_fetch *out)
{
	struct instance *in = host->ctx;
	struct hostd_fetch_request full;
	struct hostd_fetch_ops full_ops;
	struct http_req *req = NULL;
	int32_t rc;

	if ((rc = instance_check_thread(in, "fetch start")) != 0)
		return rc;
	if (r == NULL || ops == NULL || out == NULL ||
	    !HAS(r, hostd_fetch_request, on_behalf) ||
	    !HAS(ops, hostd_fetch_ops, on_end))
		return HOSTD_E_INVAL;
	copy_table(&full, sizeof(full), r, r->struct_size);
	copy_table(&full_ops, sizeof(full_ops), ops, ops->struct_size);
	if (full_ops.on_end == NULL || full_ops.reserved != 0 ||
	    (full.flags & ~FLAGS) != 0)
		return HOSTD_E_INVAL;
	if (in->ending)
		return HOSTD_E_STATE;
	if (full.on_behalf.id != 0 && (rc = http_find(host, full.on_behalf,
	    "fetch start", &req)) != HOSTD_OK)
		return rc;
	return fetch_start(in, &full, &full_ops, arg, req, out);
}

static int32_t
routes_ask(const struct instance *in, struct hostd_err *err)
{
	const struct conf_route *cr;

	TAILQ_FOREACH(cr, &in->all->conf->routes, entry)
		if (cr->plugin == in->conf && cr->upstream == NULL) {
			(void)snprintf(err->msg, sizeof(err->msg),
			    "route \"%.100s\" (%.60s:%d) has no upstream",
			    cr->path, cr->pos.file, cr->pos.line);
			return err->code = HOSTD_E_INVAL;
		}
	return HOSTD_OK;
}

static int32_t
api_check(const struct hostd_host *host, const char *upstream,
    struct hostd_err *err)
{
	struct instance *in = host->ctx;
	int32_t rc;

	if ((rc = instance_check_thread(in, "fetch check")) != 0)
		return rc;
	if (err == NULL)
		return HOSTD_E_INVAL;
	if (upstream == NULL)
		return routes_ask(in, err);
	if (upstreams_find(&in->all->upstreams, upstream,
	    strlen(upstream)) != NULL)
		return HOSTD_OK;
	(void)snprintf(err->msg, sizeof(err->msg),
	    "there is no upstream \"%.64s\"", upstream);
	return err->code = HOSTD_E_INVAL;
}

/* The exchange behind id, if it is this instance's. */
static int32_t
fetch_find(const struct hostd_host *host, hostd_fetch id,
    const char *function, struct fetch **out)
{
	struct instance *in = host->ctx;
	struct fetch *f;
	int32_t rc;

	if ((rc = instance_check_thread(in, function)) != 0)
		return rc;
	f = handle_get(&in->all->fetches, id.id);
	if (f == NULL || f->in != in) {
		board_add(&in->all->cell->counters.stale_handles, 1);
		return HOSTD_E_GONE;
	}
	*out = f;
	return HOSTD_OK;
}

static int32_t
api_write(const struct hostd_host *host, hostd_fetch id, hostd_buf b)
{
	struct fetch *f;
	int32_t rc;

	if ((rc = fetch_find(host, id, "fetch write", &f)) != HOSTD_OK)
		return rc;
	return exchange_write(&f->x, b);
}

static int32_t
api_finish(const struct hostd_host *host, hostd_fetch id,
    const hostd_hdr *trailers, uint32_t n)
{
	struct fetch *f;
	int32_t rc;

	if ((rc = fetch_find(host, id, "fetch finish", &f)) != HOSTD_OK)
		return rc;
	if (n > 0 && trailers == NULL)
		return HOSTD_E_INVAL;
	return exchange_finish(&f->x, trailers, n);
}

static int32_t
api_body_pause(const struct hostd_host *host, hostd_fetch id, int32_t on)
{
	struct fetch *f;
	int32_t rc;

	if ((rc = fetch_find(host, id, "fetch body_pause", &f)) != HOSTD_OK)
		return rc;
	if (on)
		fetch_owed(f);
	exchange_pause(&f->x, on);
	return HOSTD_OK;
}

static int32_t
api_trailers(const struct hostd_host *host, hostd_fetch id,
    const hostd_hdr **out, uint32_t *n)
{
	struct fetch *f;
	int32_t rc;

	if ((rc = fetch_find(host, id, "fetch trailers", &f)) != HOSTD_OK)
		return rc;
	if (out == NULL || n == NULL)
		return HOSTD_E_INVAL;
	if (!f->in_fin)
		return HOSTD_E_STATE;
	*out = f->x.trailers.v;
	*n = f->x.trailers.n;
	return HOSTD_OK;
}

static int32_t
api_tunnel(const struct hostd_host *host, hostd_fetch id, const hostd_hdr *h,
    uint32_t n, uint32_t idle_ms)
{
	struct fetch *f;
	int32_t rc;

	if ((rc = fetch_find(host, id, "fetch tunnel", &f)) != HOSTD_OK)
		return rc;
	if (n > 0 && h == NULL)
		return HOSTD_E_INVAL;
	return tunnel_open(f, h, n, idle_ms);
}

static int32_t
api_cancel(const struct hostd_host *host, hostd_fetch id)
{
	struct fetch *f;
	int32_t rc;

	if ((rc = fetch_find(host, id, "fetch cancel", &f)) == HOSTD_OK)
		exchange_cancel(&f->x);
	return rc;
}

static const struct hostd_fetch_api fetch_api = {
	.struct_size = sizeof(struct hostd_fetch_api),
	.check = api_check,
	.start = api_start,
	.write = api_write,
	.finish = api_finish,
	.body_pause = api_body_pause,
	.trailers = api_trailers,
	.tunnel = api_tunnel,
	.cancel = api_cancel,
};

const struct hostd_fetch_api *
fetch_service(void)
{
	return &fetch_api;
}

/* -- life -- */

void
fetch_service_init(struct plugins *all)
{
	LIST_INIT(&all->free_fetches);
	all->reap_tunnels.run = tunnels_reap;
	links_init(&all->upstreams);
}

void
fetch_service_stop(struct instance *in)
{
	struct fetch *f;
	size_t tunnels = 0;

	LIST_FOREACH(f, &in->fetches, link)
		tunnels += f->tunnel != NULL && tunnel_is_open(f->tunnel);
	if (tunnels > 0)
		log_warnx("plugin %s: %zu upgraded connections are cut",
		    in->conf->name, tunnels);
	while ((f = LIST_FIRST(&in->fetches)) != NULL) {
		exchange_stop(&f->x);
		fetch_end(f, HOSTD_E_GONE, "the instance ends");
	}
}

void
fetch_service_close(struct plugins *all)
{
	struct fetch *f;

	loop_undefer(all->loop, &all->reap_tunnels);
	tunnels_reap(&all->reap_tunnels);
	while ((f = LIST_FIRST(&all->free_fetches)) != NULL) {
		LIST_REMOVE(f, link);
		exchange_free(&f->x);
		free(f);
	}
	handle_table_free(&all->fetches);
	links_free(&all->upstreams);
}
