/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ABI for people: short forms over the tables, all inline.
 *
 * A whole plugin:
 *
 *	#include <hostd/easy.h>
 *
 *	static int32_t
 *	hello(struct hostd_inst *in, hostd_req req, void *d)
 *	{
 *		(void)d;
 *		return hostd_respond(in, req, 200, "text/plain", "hello\n");
 *	}
 *
 *	HOSTD_EASY_ROUTE("hello", "1.0", "/hello", hello)
 *
 * A plugin with state of its own defines `struct hostd_inst` with
 * HOSTD_EASY_HEAD as its first member, and calls hostd_easy_init in create.
 */
#ifndef HOSTD_EASY_H
#define HOSTD_EASY_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hostd/abi.h>
#include <hostd/balancer.h>
#include <hostd/channel.h>
#include <hostd/cmd.h>
#include <hostd/http.h>
#include <hostd/op.h>
#include <hostd/session.h>
#include <hostd/state.h>
#include <hostd/ws.h>

/* Compilers that can check the arguments of the printf-like ones. */
#if defined(__GNUC__)
#define HOSTD_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define HOSTD_PRINTF(fmt, args)
#endif

/* Functions of a macro that not every plugin calls. */
#if defined(__GNUC__)
#define HOSTD_UNUSED __attribute__((unused))
#else
#define HOSTD_UNUSED
#endif

/* The tables an instance needs to answer requests, talk WebSocket and
 * publish. */
struct hostd_easy {
	const struct hostd_host *host;
	const struct hostd_http_api *http;
	const struct hostd_ws_api *ws;		/* NULL: not served */
	const struct hostd_channel_api *channel;	/* the same */
	const struct hostd_balancer_api *balancer;	/* the same */
	const struct hostd_op_api *op;		/* the same */
	const struct hostd_session_api *session;	/* the same */
};

#define HOSTD_EASY_HEAD struct hostd_easy easy

/* An instance starts with its struct hostd_easy, so this is the same place. */
static inline const struct hostd_easy *
hostd_easy_of(const struct hostd_inst *in)
{
	return (const struct hostd_easy *)(const void *)in;
}

/* Fill err for create.  Returns code, so: return hostd_fail(err, ...). */
static inline int32_t HOSTD_PRINTF(3, 4)
hostd_fail(struct hostd_err *err, int32_t code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return code;
}

/* Bind the tables; for create. */
static inline int32_t
hostd_easy_init(struct hostd_easy *e, const struct hostd_host *host,
    struct hostd_err *err)
{
	e->host = host;
	e->http = (const struct hostd_http_api *)host->get_ext(host,
	    HOSTD_EXT_HTTP);
	if (e->http == NULL || !HOSTD_HAS(e->http, respond))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_HTTP);
	e->ws = (const struct hostd_ws_api *)host->get_ext(host, HOSTD_EXT_WS);
	e->channel = (const struct hostd_channel_api *)host->get_ext(host,
	    HOSTD_EXT_CHANNEL);
	e->balancer = (const struct hostd_balancer_api *)host->get_ext(host,
	    HOSTD_EXT_BALANCER);
	e->op = (const struct hostd_op_api *)host->get_ext(host, HOSTD_EXT_OP);
	e->session = (const struct hostd_session_api *)host->get_ext(host,
	    HOSTD_EXT_SESSION);
	return HOSTD_OK;
}

static inline hostd_buf
hostd_str(const char *s)
{
	hostd_buf b;

	b.p = s;
	b.n = s == NULL ? 0 : strlen(s);
	return b;
}

static inline hostd_hdr
hostd_header(const char *name, const char *value)
{
	hostd_hdr h;

	h.name = hostd_str(name);
	h.value = hostd_str(value);
	return h;
}

/* Log a formatted line.  [any] */
static inline void HOSTD_PRINTF(3, 4)
hostd_logf(const struct hostd_host *host, int32_t level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = (int)sizeof(line) - 1;
	host->log(host, level, line, (size_t)n);
}

/* Answer with n bytes of any content. */
static inline int32_t
hostd_respond_bytes(struct hostd_inst *in, hostd_req req, int32_t status,
    const char *type, const void *body, size_t n)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	hostd_hdr h = hostd_header("Content-Type", type);
	hostd_buf b;

	b.p = body;
	b.n = n;
	return e->http->respond(e->host, req, status, &h, 1, b);
}

/* Answer with a NUL-ended text. */
static inline int32_t
hostd_respond(struct hostd_inst *in, hostd_req req, int32_t status,
    const char *type, const char *text)
{
	return hostd_respond_bytes(in, req, status, type, text, strlen(text));
}

/* Answer with JSON, formatted as by printf; at most 4095 bytes. */
static inline int32_t HOSTD_PRINTF(4, 5)
hostd_json(struct hostd_inst *in, hostd_req req, int32_t status,
    const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return HOSTD_E_FULL;
	return hostd_respond_bytes(in, req, status, "application/json", text,
	    (size_t)n);
}

/* The request's head; NULL when stale. */
static inline const struct hostd_request *
hostd_request_of(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	return e->http->request(e->host, req);
}

/* Answer one whose method is not served: 405, or 204 to OPTIONS, both with the
 * methods that are, as "GET, HEAD, OPTIONS". */
static inline int32_t
hostd_refuse_method(struct hostd_inst *in, hostd_req req, const char *allow)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_hdr h = hostd_header("Allow", allow);

	if (r == NULL)
		return HOSTD_E_GONE;
	return e->http->respond(e->host, req,
	    r->method == HOSTD_METHOD_OPTIONS ? 204 : 405, &h, 1,
	    hostd_str(NULL));
}

/*
 * Go on with the request's session: then is called with it, here if it is there
 * already, or later.  For the end of a callback: return
 * hostd_session_then(...).  Errors: of open of hostd.session/1; then has not
 * been called.
 */
static inline int32_t
hostd_session_then(struct hostd_inst *in, hostd_req req,
    void (*then)(struct hostd_inst *, void *arg, hostd_session,
    int32_t status), void *arg)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	hostd_session s;
	int32_t rc;

	if (e->session == NULL || !HOSTD_HAS(e->session, save))
		return HOSTD_E_NOTSUP;
	rc = e->session->open(e->host, req, &s, then, arg);
	if (rc == HOSTD_OK)
		then(in, arg, s, rc);
	return rc;
}

/* Send a NUL-ended text to one socket. */
static inline int32_t
hostd_ws_text(struct hostd_inst *in, hostd_ws ws, const char *text)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	if (e->ws == NULL)
		return HOSTD_E_NOTSUP;
	return e->ws->send(e->host, ws, hostd_str(text), HOSTD_WS_TEXT);
}

/* Rooms are channels.  Leaving is not needed before the end. */
static inline int32_t
hostd_room_join(struct hostd_inst *in, hostd_ws ws, const char *room)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	if (e->ws == NULL)
		return HOSTD_E_NOTSUP;
	return e->ws->subscribe(e->host, ws, hostd_str(room));
}

static inline int32_t
hostd_room_leave(struct hostd_inst *in, hostd_ws ws, const char *room)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	if (e->ws == NULL)
		return HOSTD_E_NOTSUP;
	return e->ws->unsubscribe(e->host, ws, hostd_str(room));
}

/* To everybody in the room but one; flags HOSTD_WS_TEXT or HOSTD_WS_BINARY. */
static inline int32_t
hostd_room_send(struct hostd_inst *in, const char *room, hostd_buf msg,
    uint32_t flags, hostd_ws except)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	if (e->channel == NULL)
		return HOSTD_E_NOTSUP;
	return e->channel->publish(e->host, hostd_str(room), msg,
	    flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY), except);
}

/* The load of n servers of the group of d, of all workers; zero when it is not
 * known. */
static inline void
hostd_peer_loads(struct hostd_inst *in, const void *d, const uint32_t *ids,
    uint32_t n, hostd_peer_load *out)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	if (e->balancer == NULL || !HOSTD_HAS(e->balancer, load) ||
	    e->balancer->load(e->host, d, ids, n, out) != HOSTD_OK)
		memset(out, 0, n * sizeof(*out));
}

/* Was that server tried for this request, or is it full? */
static inline int
hostd_is_tried(const struct hostd_pick *k, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < k->ntried; i++)
		if (k->tried[i] == id)
			return 1;
	return 0;
}

/* Text to everybody in the room, formatted as by printf; at most 4095 bytes. */
static inline int32_t HOSTD_PRINTF(3, 4)
hostd_room_printf(struct hostd_inst *in, const char *room, const char *fmt,
    ...)
{
	hostd_ws nobody = { 0 };
	char text[4096];
	hostd_buf b;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return HOSTD_E_FULL;
	b.p = text;
	b.n = (size_t)n;
	return hostd_room_send(in, room, b, HOSTD_WS_TEXT, nobody);
}

/*
 * Answer an op with a text, formatted as by printf; at most 4095 bytes.  For
 * the end of a callback that was given it: return hostd_reply(...).
 */
static inline int32_t HOSTD_PRINTF(4, 5)
hostd_reply(struct hostd_inst *in, hostd_op op, int32_t status,
    const char *fmt, ...)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char text[4096];
	hostd_buf b;
	va_list ap;
	int n;

	if (e->op == NULL || !HOSTD_HAS(e->op, complete))
		return HOSTD_E_NOTSUP;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return HOSTD_E_FULL;
	b.p = text;
	b.n = (size_t)n;
	(void)e->op->complete(e->host, op, status, b);
	return HOSTD_DEFER;
}

/* create and destroy for instances that are nothing but a struct hostd_easy
 * and zeroed bytes behind it. */
static inline int32_t
hostd_easy_create(size_t size, const struct hostd_host *host,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_easy *e = (struct hostd_easy *)calloc(1, size);
	int32_t rc;

	if (e == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if ((rc = hostd_easy_init(e, host, err)) != HOSTD_OK) {
		free(e);
		return rc;
	}
	*out = (struct hostd_inst *)(void *)e;
	return HOSTD_OK;
}

/* The same for one that may be of no use without hostd.ws/1. */
static inline int32_t
hostd_easy_create_kind(const char *kind, size_t size,
    const struct hostd_host *host, struct hostd_inst **out,
    struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(size, host, out, err);

	if (rc != HOSTD_OK || hostd_easy_of(*out)->ws != NULL ||
	    strcmp(kind, HOSTD_KIND_WS_HANDLER) != 0)
		return rc;
	free(*out);
	*out = NULL;
	return hostd_fail(err, HOSTD_E_NOTSUP,
	    "this host does not serve " HOSTD_EXT_WS);
}

/*
 * hostd.p.state/1 for what is plain data: the bytes of one member of struct
 * hostd_inst, a number or a struct of them, go to the successor as they are.
 * version is a number to change with their meaning; another version's are not
 * taken.  Behind it,
 *
 *	.get_ext = hostd_state_plain_get_ext
 *
 * in the entry, or a get_ext of your own that returns &hostd_state_plain.
 */
#define HOSTD_STATE_PLAIN(version, member)				\
static int32_t								\
hostd_state_plain_save(struct hostd_inst *in,				\
    int32_t (*put)(void *arg, hostd_buf part), void *arg)		\
{									\
	hostd_buf b;							\
									\
	b.p = &in->member;						\
	b.n = sizeof(in->member);					\
	return put(arg, b);						\
}									\
static int32_t								\
hostd_state_plain_load(struct hostd_inst *in, uint32_t from_version,	\
    hostd_buf state)							\
{									\
	if (from_version != (version) || state.n != sizeof(in->member))	\
		return HOSTD_E_NOTSUP;					\
	memcpy(&in->member, state.p, state.n);				\
	return HOSTD_OK;						\
}									\
static const struct hostd_p_state hostd_state_plain = {			\
	(uint32_t)sizeof(struct hostd_p_state), version,		\
	hostd_state_plain_save, hostd_state_plain_load			\
};									\
static HOSTD_UNUSED const void *					\
hostd_state_plain_get_ext(const char *id)				\
{									\
	return strcmp(id, HOSTD_P_STATE) == 0 ?				\
	    (const void *)&hostd_state_plain : NULL;			\
}

/*
 * hostd.p.ws_state/1 for a d that is plain data: its bytes are taken along as
 * they are.  table is the plugin's hostd_ws_ops, version a number to change
 * with the meaning of d; between versions nothing is moved.  Behind it,
 *
 *	.get_ext = hostd_ws_plain_get_ext
 *
 * in the entry, or a get_ext of your own that returns &hostd_ws_plain.
 */
#define HOSTD_WS_STATE_PLAIN(version, table)				\
static int32_t								\
hostd_ws_plain_save(struct hostd_inst *in, hostd_ws ws, void *d,	\
    int32_t (*put)(void *arg, hostd_buf part), void *arg)		\
{									\
	hostd_buf b;							\
									\
	(void)in;							\
	(void)ws;							\
	b.p = d;							\
	b.n = (table).data_size;					\
	return put(arg, b);						\
}									\
static int32_t								\
hostd_ws_plain_load(struct hostd_inst *in, hostd_ws ws, void *d,	\
    uint32_t from_version, hostd_buf state)				\
{									\
	(void)in;							\
	(void)ws;							\
	if (from_version != (version) || state.n != (table).data_size)	\
		return HOSTD_E_NOTSUP;					\
	if (state.n > 0)						\
		memcpy(d, state.p, state.n);				\
	return HOSTD_OK;						\
}									\
static const struct hostd_p_ws_state hostd_ws_plain = {			\
	(uint32_t)sizeof(struct hostd_p_ws_state), version,		\
	hostd_ws_plain_save, hostd_ws_plain_load, NULL			\
};									\
static HOSTD_UNUSED const void *					\
hostd_ws_plain_get_ext(const char *id)					\
{									\
	return strcmp(id, HOSTD_P_WS_STATE) == 0 ?			\
	    (const void *)&hostd_ws_plain : NULL;			\
}

/*
 * The rest of a plugin that keeps nothing of its own per instance: kind, its
 * table, and a default route.
 */
#define HOSTD_EASY_PLUGIN(id, version, kind, table, route)		\
	HOSTD_EASY_PLUGIN_EXT(id, version, kind, table, route, NULL)

/* The same with a get_ext. */
#define HOSTD_EASY_PLUGIN_EXT(id, version, kind, table, route, ext)	\
struct hostd_inst {							\
	HOSTD_EASY_HEAD;						\
};									\
static int32_t								\
hostd_easy_plugin_create(const struct hostd_host *host,			\
    const struct hostd_conf *conf, struct hostd_inst **out,		\
    struct hostd_err *err)						\
{									\
	(void)conf;							\
	return hostd_easy_create_kind(kind, sizeof(struct hostd_inst),	\
	    host, out, err);						\
}									\
static void								\
hostd_easy_plugin_destroy(struct hostd_inst *in)			\
{									\
	free(in);							\
}									\
static const struct hostd_provide hostd_easy_plugin_provide = {		\
	(uint32_t)sizeof(struct hostd_provide), 0, kind, NULL, table, route \
};									\
static const struct hostd_provide *const hostd_easy_plugin_provides[] = { \
	&hostd_easy_plugin_provide, NULL				\
};									\
HOSTD_PLUGIN_ENTRY = {							\
	HOSTD_PREFIX(0), id, version, HOSTD_SDK_VERSION,		\
	hostd_easy_plugin_provides, NULL, NULL,				\
	hostd_easy_plugin_create, NULL, NULL, hostd_easy_plugin_destroy, \
	ext								\
};

/* A plugin that is one function of the type of on_headers. */
#define HOSTD_EASY_ROUTE(id, version, route, fn)			\
HOSTD_EASY_ROUTE_DATA(id, version, route, fn, 0)

/* The same with size zeroed bytes for each request, which fn is given. */
#define HOSTD_EASY_ROUTE_DATA(id, version, route, fn, size)		\
static const struct hostd_http_ops hostd_easy_route_ops = {		\
	(uint32_t)sizeof(struct hostd_http_ops), 0,			\
	(uint32_t)(size), 0, fn, NULL, NULL, NULL			\
};									\
HOSTD_EASY_PLUGIN(id, version, HOSTD_KIND_HTTP_ROUTE,			\
    &hostd_easy_route_ops, route)

/*
 * A plugin that is three functions of a hostd_ws_ops; NULL where it needs none.
 * It keeps nothing of a socket, so that stays open over a reload.
 */
#define HOSTD_EASY_WS(id, version, route, open, message, close)		\
static const struct hostd_ws_ops hostd_easy_ws_ops = {			\
	(uint32_t)sizeof(struct hostd_ws_ops), 0, 0, 0, NULL, NULL,	\
	open, message, NULL, close					\
};									\
HOSTD_WS_STATE_PLAIN(1, hostd_easy_ws_ops)				\
HOSTD_EASY_PLUGIN_EXT(id, version, HOSTD_KIND_WS_HANDLER,		\
    &hostd_easy_ws_ops, route, hostd_ws_plain_get_ext)

/*
 * A balancer that is three functions of a hostd_balancer_ops; close may be
 * NULL.  size is that of d, what it keeps for each group.
 */
#define HOSTD_EASY_BALANCER(id, version, size, update, close, pick)	\
static const struct hostd_balancer_ops hostd_easy_balancer_ops = {	\
	(uint32_t)sizeof(struct hostd_balancer_ops), 0, size, 0,	\
	update, close, NULL, pick, NULL, NULL, NULL			\
};									\
HOSTD_EASY_PLUGIN(id, version, HOSTD_KIND_BALANCER,			\
    &hostd_easy_balancer_ops, NULL)

#endif /* HOSTD_EASY_H */
