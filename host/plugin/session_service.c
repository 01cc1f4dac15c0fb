/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.session/1: the session of a request, or of a WebSocket. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include <hostd/json_write.h>
#include <hostd/session.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "http/router.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "session/socket.h"
#include "session/visit.h"

#define HANDLES_MAX	65536	/* of a worker */
#define AGE_MAX		(3650ll * 24 * 3600 * 1000)	/* ms */

/* -- the plugin waits -- */

struct plugin_wait {
	struct session_wait wait;
	struct instance *in;
	void (*ready)(struct hostd_inst *, void *, hostd_session, int32_t);
	void (*done)(struct hostd_inst *, void *, int32_t);
	void *arg;
};

static hostd_session
handle_of(struct plugins *all, struct session *s)
{
	hostd_session h = { session_handle(s) };

	all->session_handles.max = HANDLES_MAX;
	if (h.id == 0) {
		h.id = handle_new(&all->session_handles, s);
		session_set_handle(s, h.id);
	}
	return h;
}

/* Another instance may have it by now, to which the plugin has passed it. */
static int
is_of(const struct instance *in, const struct session *s)
{
	const struct http_req *r = session_request(s);
	const struct ws_conn *c = session_socket(s);

	return r != NULL ? r->in_handler && r->handler == &in->http :
	    c != NULL && c->handler == &in->ws_handler;
}

static void
wait_told(struct session_wait *sw, struct session *s, int32_t status)
{
	struct plugin_wait *w = (struct plugin_wait *)(void *)sw;
	struct plugin_wait told = *w;
	hostd_session h = { 0 };
	uint64_t entered;

	free(w);
	if (s == NULL || !is_of(told.in, s))
		return;
	if (told.ready != NULL && status == HOSTD_OK)
		h = handle_of(told.in->all, s);
	if (told.ready != NULL && status == HOSTD_OK && h.id == 0)
		status = HOSTD_E_FULL;
	entered = instance_enter(told.in, BOARD_CB_SESSION);
	if (told.ready != NULL)
		told.ready(told.in->inst, told.arg, h, status);
	else if (told.done != NULL)
		told.done(told.in->inst, told.arg, status);
	instance_leave(told.in, entered);
}

static struct plugin_wait *
wait_new(struct instance *in, void *arg)
{
	struct plugin_wait *w = xcalloc(1, sizeof(*w));

	w->wait.ready = wait_told;
	w->in = in;
	w->arg = arg;
	return w;
}

/* -- opening -- */

/* What open has come to. */
static int32_t
opened(struct plugin_wait *w, int32_t rc, struct session *s,
    hostd_session *out)
{
	struct plugins *all = w->in->all;

	if (rc == HOSTD_DEFER)
		return rc;
	free(w);
	if (rc != HOSTD_OK)
		return rc;
	*out = handle_of(all, s);
	return out->id != 0 ? HOSTD_OK : HOSTD_E_FULL;
}

static int32_t
api_open(const struct hostd_host *host, hostd_req id, hostd_session *out,
    void (*ready)(struct hostd_inst *, void *, hostd_session, int32_t),
    void *arg)
{
	struct plugin_wait *w;
	struct session *s;
	struct http_req *r;
	int32_t rc;

	if ((rc = http_find(host, id, "open of " HOSTD_EXT_SESSION, &r)) !=
	    HOSTD_OK)
		return rc;
	if (out == NULL || ready == NULL)
		return HOSTD_E_INVAL;
	out->id = 0;
	if (r->route->sessions == NULL)
		return HOSTD_E_NOTSUP;
	w = wait_new(host->ctx, arg);
	w->ready = ready;
	rc = session_open(r->route->sessions, r, &w->wait, &s);
	return opened(w, rc, s, out);
}

static int32_t
api_open_ws(const struct hostd_host *host, hostd_ws id, hostd_session *out,
    void (*ready)(struct hostd_inst *, void *, hostd_session, int32_t),
    void *arg)
{
	struct instance *in = host->ctx;
	struct session_block *block = NULL;
	struct plugin_wait *w;
	struct ws_conn *c;
	struct session *s;
	int32_t rc;

	if ((rc = ws_find(host, id, "open_ws of " HOSTD_EXT_SESSION, &c)) !=
	    HOSTD_OK)
		return rc;
	if (out == NULL || ready == NULL)
		return HOSTD_E_INVAL;
	out->id = 0;
	/* It may come from a worker that had it. */
	if (session_socket_block(c) != NULL)
		block = sessions_find(&in->all->sessions,
		    session_socket_block(c));
	if (block == NULL)
		return HOSTD_E_NOTSUP;
	w = wait_new(in, arg);
	w->ready = ready;
	rc = session_socket_open(&block->kind, c, &w->wait, &s);
	return opened(w, rc, s, out);
}

/* -- what is in it -- */

static int32_t
find(const struct hostd_host *host, hostd_session h, const char *function,
    struct session **out)
{
	struct instance *in = host->ctx;
	int32_t rc;

	if ((rc = instance_check_thread(in, function)) != HOSTD_OK)
		return rc;
	*out = handle_get(&in->all->session_handles, h.id);
	if (*out != NULL && is_of(in, *out))
		return HOSTD_OK;
	board_add(&in->all->cell->counters.stale_handles, 1);
	return HOSTD_E_GONE;
}

/* Empty, a text is there all the same. */
static hostd_buf
text_of(struct buf *b)
{
	(void)buf_reserve(b, 1);
	return (hostd_buf){ b->p, b->len };
}

/* What a string says, in memory of ours; E_INVAL: it is none. */
static int32_t
unquote(struct plugins *all, hostd_buf *value)
{
	struct buf *b = &all->session_text;

	if (*(const char *)value->p != '"')
		return HOSTD_E_INVAL;
	b->len = 0;
	b->len = (size_t)hostd_json_text(*value, buf_reserve(b, value->n),
	    value->n);
	*value = text_of(b);
	return HOSTD_OK;
}

static int32_t
api_get(const struct hostd_host *host, hostd_session h, const char *key,
    uint32_t flags, hostd_buf *out)
{
	struct instance *in = host->ctx;
	struct session *s;
	hostd_buf name = { key, 0 };
	int32_t rc;

	if ((rc = find(host, h, "get of " HOSTD_EXT_SESSION, &s)) != HOSTD_OK)
		return rc;
	if (key == NULL || out == NULL || (flags & ~HOSTD_SESSION_TEXT) != 0)
		return HOSTD_E_INVAL;
	name.n = strlen(key);
	rc = session_get(s, name, out);
	if (rc == HOSTD_E_INVAL) {
		*out = (hostd_buf){ NULL, 0 };
		return HOSTD_OK;
	}
	if (rc == HOSTD_OK && (flags & HOSTD_SESSION_TEXT))
		rc = unquote(in->all, out);
	return rc;
}

static int32_t
api_set(const struct hostd_host *host, hostd_session h, const char *key,
    uint32_t flags, hostd_buf value)
{
	struct instance *in = host->ctx;
	struct buf *b = &in->all->session_text;
	struct session *s;
	int32_t rc;

	if ((rc = find(host, h, "set of " HOSTD_EXT_SESSION, &s)) != HOSTD_OK)
		return rc;
	if (key == NULL || (value.p == NULL && value.n > 0) ||
	    (flags & ~HOSTD_SESSION_TEXT) != 0)
		return HOSTD_E_INVAL;
	if (flags & HOSTD_SESSION_TEXT) {
		if (!utf8_is_valid(value.p, value.n))
			return HOSTD_E_INVAL;
		b->len = 0;
		b->len = hostd_json_quote(buf_reserve(b,
		    hostd_json_quoted(value)), value);
		value = text_of(b);
	}
	return session_set(s, (hostd_buf){ key, strlen(key) }, value);
}

static int32_t
api_del(const struct hostd_host *host, hostd_session h, const char *key)
{
	struct session *s;
	int32_t rc;

	if ((rc = find(host, h, "del of " HOSTD_EXT_SESSION, &s)) != HOSTD_OK)
		return rc;
	if (key == NULL)
		return HOSTD_E_INVAL;
	return session_del(s, (hostd_buf){ key, strlen(key) });
}

static int32_t
api_keys(const struct hostd_host *host, hostd_session h, hostd_buf *out)
{
	struct instance *in = host->ctx;
	struct buf *b = &in->all->session_text;
	struct session *s;
	int32_t rc;

	if ((rc = find(host, h, "keys of " HOSTD_EXT_SESSION, &s)) !=
	    HOSTD_OK)
		return rc;
	if (out == NULL)
		return HOSTD_E_INVAL;
	b->len = 0;
	if ((rc = session_keys(s, b)) == HOSTD_OK)
		*out = text_of(b);
	return rc;
}

static int32_t
api_id(const struct hostd_host *host, hostd_session h, hostd_buf *out)
{
	struct session *s;
	int32_t rc;

	if ((rc = find(host, h, "id of " HOSTD_EXT_SESSION, &s)) != HOSTD_OK)
		return rc;
	if (out == NULL)
		return HOSTD_E_INVAL;
	*out = (hostd_buf){ NULL, 0 };
	if (!(session_kind_of(s)->store->flags & HOSTD_STORE_STATELESS))
		*out = session_id(s);
	return HOSTD_OK;
}

static int32_t
api_is_new(const struct hostd_host *host, hostd_session h)
{
	struct session *s;
	int32_t rc = find(host, h, "is_new of " HOSTD_EXT_SESSION, &s);

	return rc == HOSTD_OK ? session_is_new(s) : rc;
}

/* -- what becomes of it -- */

static int32_t
api_set_max_age(const struct hostd_host *host, hostd_session h, int64_t ms)
{
	struct session *s;
	int32_t rc;

	if ((rc = find(host, h, "set_max_age of " HOSTD_EXT_SESSION, &s)) !=
	    HOSTD_OK)
		return rc;
	if (ms < 0 || ms > AGE_MAX)
		return HOSTD_E_INVAL;
	return session_set_max_age(s, ms);
}

static int32_t
api_regenerate(const struct hostd_host *host, hostd_session h)
{
	struct session *s;
	int32_t rc = find(host, h, "regenerate of " HOSTD_EXT_SESSION, &s);

	return rc == HOSTD_OK ? session_regenerate(s) : rc;
}

static int32_t
api_destroy(const struct hostd_host *host, hostd_session h)
{
	struct session *s;
	int32_t rc = find(host, h, "destroy of " HOSTD_EXT_SESSION, &s);

	return rc == HOSTD_OK ? session_destroy(s) : rc;
}

static int32_t
api_save(const struct hostd_host *host, hostd_session h,
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	struct plugin_wait *w;
	struct session *s;
	int32_t rc;

	if ((rc = find(host, h, "save of " HOSTD_EXT_SESSION, &s)) != HOSTD_OK)
		return rc;
	w = wait_new(host->ctx, arg);
	w->done = done;
	rc = session_save(s, &w->wait);
	if (rc != HOSTD_DEFER)
		free(w);
	return rc;
}

const struct hostd_session_api *
session_service(void)
{
	static const struct hostd_session_api api = {
		.struct_size = sizeof(struct hostd_session_api),
		.open = api_open,
		.open_ws = api_open_ws,
		.get = api_get,
		.set = api_set,
		.del = api_del,
		.keys = api_keys,
		.id = api_id,
		.is_new = api_is_new,
		.set_max_age = api_set_max_age,
		.regenerate = api_regenerate,
		.destroy = api_destroy,
		.save = api_save,
	};

	return &api;
}

/* -- session blocks -- */

static void
forget(struct session_kind *k, uint64_t handle)
{
	struct plugins *all = k->arg;

	handle_free(&all->session_handles, handle);
}

void
session_service_init(struct plugins *all, struct conf_errors *errs)
{
	struct session_block *b;

	sessions_open(&all->sessions, all->loop, all->conf, errs);
	TAILQ_FOREACH(b, &all->sessions.all, entry) {
		b->kind.forget = forget;
		b->kind.arg = all;
	}
}

void
session_service_close(struct plugins *all)
{
	sessions_close(&all->sessions);
	handle_table_free(&all->session_handles);
}
