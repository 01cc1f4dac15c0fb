/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.http/1, and the plugin's http_route/1 table as an http_handler. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/conn.h"
#include "http/response.h"
#include "http/server.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

/* -- the host calls the plugin -- */

static struct instance *
instance_of(struct http_handler *h)
{
	return (struct instance *)(void *)((char *)h -
	    offsetof(struct instance, http));
}

static int32_t
route_headers(struct http_handler *h, struct http_req *r)
{
	struct instance *in = instance_of(h);
	hostd_req id = { r->id };
	struct request_call call;
	int32_t rc;

	if (ws_is_upgrade(in, r))
		return ws_upgrade_headers(in, r);
	request_enter(in, r, BOARD_CB_HEADERS, &call);
	rc = in->route->on_headers(in->inst, id, r->data);
	request_leave(in, &call);
	return rc;
}

static int32_t
route_body(struct http_handler *h, struct http_req *r, hostd_buf part, int fin)
{
	struct instance *in = instance_of(h);
	hostd_req id = { r->id };
	struct request_call call;
	int32_t rc;

	if (ws_is_upgrade(in, r))
		return HOSTD_DEFER;
	request_enter(in, r, BOARD_CB_BODY, &call);
	rc = in->route->on_body(in->inst, id, r->data, part, fin);
	request_leave(in, &call);
	return rc;
}

static void
route_writable(struct http_handler *h, struct http_req *r)
{
	struct instance *in = instance_of(h);
	hostd_req id = { r->id };
	struct request_call call;

	if (ws_is_upgrade(in, r) || in->route->on_writable == NULL)
		return;
	request_enter(in, r, BOARD_CB_WRITABLE, &call);
	in->route->on_writable(in->inst, id, r->data);
	request_leave(in, &call);
}

static void
route_end(struct http_handler *h, struct http_req *r, int why)
{
	struct instance *in = instance_of(h);
	hostd_req id = { r->id };
	struct request_call call;

	if (ws_is_upgrade(in, r)) {
		ws_upgrade_end(in, r, why);
		return;
	}
	if (in->route->on_end == NULL)
		return;
	request_enter(in, r, BOARD_CB_END, &call);
	in->route->on_end(in->inst, id, r->data, why);
	request_leave(in, &call);
}

void
http_binding_init(struct instance *in)
{
	const struct hostd_http_ops *ops = in->route;

	in->http.name = in->conf->name;
	/* An upgrade keeps its candidate there. */
	in->http.data_size = sizeof(void *);
	if (ops != NULL) {
		if (ops->data_size > in->http.data_size)
			in->http.data_size = ops->data_size;
		in->http.buffer_body =
		    (ops->flags & HOSTD_HTTP_BUFFER_BODY) != 0;
		in->http.wants_body = ops->on_body != NULL;
	}
	in->http.headers = route_headers;
	in->http.body = route_body;
	in->http.writable = route_writable;
	in->http.end = route_end;
}

/* -- the plugin calls the host -- */

/* The request behind id, if it is this instance's. */
int32_t
http_look(const struct hostd_host *host, hostd_req id, const char *function,
    struct http_req **out)
{
	struct instance *in = host->ctx;
	struct http_req *r;
	int32_t rc;

	if ((rc = instance_check_thread(in, function)) != 0)
		return rc;
	if (in->all->server == NULL)
		return HOSTD_E_GONE;
	r = handle_get(&in->all->server->handles, id.id);
	if (r == NULL || r->handler != &in->http) {
		board_add(&in->all->cell->counters.stale_handles, 1);
		return HOSTD_E_GONE;
	}
	*out = r;
	return HOSTD_OK;
}

/* The same, and it is still the plugin's to answer. */
int32_t
http_find(const struct hostd_host *host, hostd_req id, const char *function,
    struct http_req **out)
{
	int32_t rc = http_look(host, id, function, out);

	if (rc == HOSTD_OK && (!(*out)->in_handler ||
	    (*out)->conn->stream.error != 0))
		return HOSTD_E_GONE;
	/* It was given to another worker. */
	if (rc == HOSTD_OK && (*out)->give != 0)
		return HOSTD_E_STATE;
	return rc;
}

static const struct hostd_request *
api_request(const struct hostd_host *host, hostd_req id)
{
	struct http_req *r;

	if (http_look(host, id, "request", &r) != HOSTD_OK)
		return NULL;
	return &r->view;
}

static int32_t
api_header(const struct hostd_host *host, hostd_req id, const char *name,
    hostd_buf *out)
{
	const hostd_hdr *h;
	struct http_req *r;
	int32_t rc;

	if ((rc = http_look(host, id, "header", &r)) != HOSTD_OK)
		return rc;
	if (name == NULL || out == NULL ||
	    (h = request_header(r, name, strlen(name))) == NULL)
		return HOSTD_E_INVAL;
	*out = h->value;
	return HOSTD_OK;
}

static int32_t
api_param(const struct hostd_host *host, hostd_req id, const char *name,
    hostd_buf *out)
{
	struct http_req *r;
	size_t n;
	unsigned i;
	int32_t rc;

	if ((rc = http_look(host, id, "param", &r)) != HOSTD_OK)
		return rc;
	if (name == NULL || out == NULL)
		return HOSTD_E_INVAL;
	n = strlen(name);
	for (i = 0; i < r->nparams; i++)
		if (r->params[i].name.n == n &&
		    memcmp(r->params[i].name.p, name, n) == 0) {
			*out = r->params[i].value;
			return HOSTD_OK;
		}
	return HOSTD_E_INVAL;
}

static int32_t
api_body_pause(const struct hostd_host *host, hostd_req id, int32_t on)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "body_pause", &r)) != HOSTD_OK)
		return rc;
	if (r->body_done)
		return HOSTD_E_STATE;
	r->paused = on != 0;
	conn_wake(r->conn);
	return HOSTD_OK;
}

static int
has_type(const hostd_hdr *h, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (h[i].name.n == 12 && h[i].name.p != NULL &&
		    strncasecmp(h[i].name.p, "Content-Type", 12) == 0)
			return 1;
	return 0;
}

static int32_t
api_respond(const struct hostd_host *host, hostd_req id, int32_t status,
    const hostd_hdr *h, uint32_t n, hostd_buf body)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "respond", &r)) != HOSTD_OK)
		return rc;
	if (status >= 400 && body.n == 0 && n <= RESPONSE_PAGE_HEADERS &&
	    !has_type(h, n))
		return response_page(r, status, h, n);
	return response_whole(r, status, h, n, body);
}

static int32_t
api_begin(const struct hostd_host *host, hostd_req id, int32_t status,
    const hostd_hdr *h, uint32_t n, int64_t length)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "begin", &r)) != HOSTD_OK)
		return rc;
	return response_begin(r, status, h, n, length);
}

static int32_t
api_write(const struct hostd_host *host, hostd_req id, hostd_buf b)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "write", &r)) != HOSTD_OK)
		return rc;
	return response_write(r, b);
}

/* A plugin's release callback, on its way through the stream. */
struct release {
	void (*fn)(struct hostd_inst *, void *);
	void *arg;
};

static void
release_run(void *owner, void *arg)
{
	struct instance *in = owner;
	struct release *rel = arg;
	uint64_t entered = instance_enter(in, BOARD_CB_RELEASE);

	rel->fn(in->inst, rel->arg);
	instance_leave(in, entered);
	free(rel);
}

static struct release *
release_new(void (*fn)(struct hostd_inst *, void *), void *arg)
{
	struct release *rel = xmalloc(sizeof(*rel));

	rel->fn = fn;
	rel->arg = arg;
	return rel;
}

static int32_t
api_write_ref(const struct hostd_host *host, hostd_req id, hostd_buf b,
    void (*fn)(struct hostd_inst *, void *), void *arg)
{
	struct release *rel;
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "write_ref", &r)) != HOSTD_OK)
		return rc;
	if (fn == NULL)
		return HOSTD_E_INVAL;
	rel = release_new(fn, arg);
	rc = response_write_ref(r, b, release_run, host->ctx, rel);
	if (rc < 0)
		free(rel);
	return rc;
}

static int32_t
api_write_file(const struct hostd_host *host, hostd_req id, int32_t fd,
    uint64_t off, uint64_t len, void (*fn)(struct hostd_inst *, void *),
    void *arg)
{
	struct release *rel;
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "write_file", &r)) != HOSTD_OK)
		return rc;
	if (fn == NULL)
		return HOSTD_E_INVAL;
	rel = release_new(fn, arg);
	rc = response_write_file(r, fd, off, len, release_run, host->ctx, rel);
	if (rc < 0)
		free(rel);
	return rc;
}

static int32_t
api_finish(const struct hostd_host *host, hostd_req id)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "finish", &r)) != HOSTD_OK)
		return rc;
	return response_finish(r);
}

static int32_t
api_abort(const struct hostd_host *host, hostd_req id)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "abort", &r)) != HOSTD_OK)
		return rc;
	r->cut = 1;
	conn_wake(r->conn);
	return HOSTD_OK;
}

static int32_t
api_inform(const struct hostd_host *host, hostd_req id, int32_t status,
    const hostd_hdr *h, uint32_t n)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "inform", &r)) != HOSTD_OK)
		return rc;
	return response_inform(r, status, h, n);
}

static int32_t
api_finish_trailers(const struct hostd_host *host, hostd_req id,
    const hostd_hdr *h, uint32_t n)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "finish_trailers", &r)) != HOSTD_OK)
		return rc;
	return response_finish_trailers(r, h, n);
}

static int32_t
api_trailers(const struct hostd_host *host, hostd_req id,
    const hostd_hdr **out, uint32_t *n)
{
	struct http_req *r;
	int32_t rc;

	if ((rc = http_look(host, id, "trailers", &r)) != HOSTD_OK)
		return rc;
	if (out == NULL || n == NULL)
		return HOSTD_E_INVAL;
	if (!r->body_done)
		return HOSTD_E_STATE;
	*out = r->trailers.v;
	*n = r->trailers.n;
	return HOSTD_OK;
}

static const struct hostd_http_api http_api = {
	.struct_size = sizeof(struct hostd_http_api),
	.request = api_request,
	.header = api_header,
	.param = api_param,
	.body_pause = api_body_pause,
	.respond = api_respond,
	.begin = api_begin,
	.write = api_write,
	.write_ref = api_write_ref,
	.write_file = api_write_file,
	.finish = api_finish,
	.abort = api_abort,
	.inform = api_inform,
	.finish_trailers = api_finish_trailers,
	.trailers = api_trailers,
};

const struct hostd_http_api *
http_service(void)
{
	return &http_api;
}
