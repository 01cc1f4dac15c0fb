/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short ways through <hostd/socketio.h>, all inline, as <hostd/easy.h> is for
 * the rest.  A whole application:
 *
 *	#include <hostd/socketio_easy.h>
 *
 *	static int32_t
 *	say(struct hostd_inst *in, hostd_sio s, void *d,
 *	    const struct hostd_sio_event *ev)
 *	{
 *		(void)d;
 *		(void)hostd_sio_ackf(in, ev, "s", "heard");
 *		return hostd_sio_all_but(in, s, "said", "a", ev, 0);
 *	}
 *
 *	static const struct hostd_sio_event_fn events[] = {
 *		{ "say", say },
 *		{ NULL, NULL }
 *	};
 *	HOSTD_SIO_EASY("say", "1.0", events)
 *
 * Arguments that are sent are given as by printf, with one letter for each:
 *
 *	s	const char *	a text, NUL-ended; NULL: null
 *	b	hostd_buf	a text
 *	i	int
 *	I	int64_t
 *	d	double
 *	t	int		true or false
 *	n	nothing		null
 *	j	hostd_buf	JSON, one value; of 0 bytes: null
 *	B	hostd_buf	binary data
 *	a	event, int	that argument of an event, from 0 on, with the
 *				binary data in it; null: it has none
 *
 * at most HOSTD_SIO_EASY_ARGS of them; B not beside an a with binary data, nor
 * those of two events.  These functions return what the one of the table does,
 * and E_INVAL or E_NOMEM when the arguments can't be made.
 */
#ifndef HOSTD_SOCKETIO_EASY_H
#define HOSTD_SOCKETIO_EASY_H

#include <hostd/easy.h>
#include <hostd/json.h>
#include <hostd/json_write.h>
#include <hostd/socketio.h>

#define HOSTD_SIO_EASY_ARGS	16

/* What an instance starts with; then hostd_easy_of works too. */
#define HOSTD_SIO_EASY_HEAD						\
	HOSTD_EASY_HEAD;						\
	const struct hostd_sio_api *sio

struct hostd_sio_easy {
	struct hostd_easy easy;
	const struct hostd_sio_api *sio;
};

static inline const struct hostd_sio_api *
hostd_sio_api_of(const struct hostd_inst *in)
{
	return ((const struct hostd_sio_easy *)(const void *)in)->sio;
}

/* NULL for a stale handle. */
static inline const struct hostd_sio_info *
hostd_sio_info_of(struct hostd_inst *in, hostd_sio s)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);

	return api->info(api, s);
}

/* Has the event this name? */
static inline int
hostd_sio_is(const struct hostd_sio_event *ev, const char *name)
{
	return ev->name.n == strlen(name) &&
	    (ev->name.n == 0 || memcmp(ev->name.p, name, ev->name.n) == 0);
}

/* Argument i as JSON; p NULL: there is none. */
static inline hostd_buf
hostd_sio_arg(const struct hostd_sio_event *ev, uint32_t i)
{
	return i < ev->args->n ? ev->args->v[i] :
	    hostd_json_slice(NULL, NULL);
}

/* A text, with a NUL behind it: its length; -1: it is none, or longer than
 * size - 1, or has a NUL in it. */
static inline int64_t
hostd_sio_arg_text(const struct hostd_sio_event *ev, uint32_t i, char *room,
    size_t size)
{
	int64_t n = hostd_json_text(hostd_sio_arg(ev, i), room, size);

	return n >= 0 && strlen(room) == (size_t)n ? n : -1;
}

/* A whole number: 1, or 0: it is none. */
static inline int
hostd_sio_arg_int(const struct hostd_sio_event *ev, uint32_t i, int64_t *out)
{
	return hostd_json_int(hostd_sio_arg(ev, i), out);
}

/* Is it true? */
static inline int
hostd_sio_arg_true(const struct hostd_sio_event *ev, uint32_t i)
{
	return hostd_json_is(hostd_sio_arg(ev, i), "true");
}

/* Binary data, as an argument by itself: 1, or 0: it is none. */
static inline int
hostd_sio_arg_bytes(const struct hostd_sio_event *ev, uint32_t i,
    hostd_buf *out)
{
	hostd_buf v = hostd_sio_arg(ev, i);
	int64_t num;

	if (!hostd_json_is(hostd_json_get(v, "_placeholder"), "true") ||
	    !hostd_json_int(hostd_json_get(v, "num"), &num) || num < 0 ||
	    num >= (int64_t)ev->args->nbins)
		return 0;
	*out = ev->args->bins[num];
	return 1;
}

struct hostd_sio_made {
	struct hostd_sio_args args;
	hostd_buf v[HOSTD_SIO_EASY_ARGS], bins[HOSTD_SIO_EASY_ARGS];
	size_t from[HOSTD_SIO_EASY_ARGS];
	struct hostd_json json;
};

static inline void
hostd_sio_make_json(struct hostd_json *j, hostd_buf value)
{
	hostd_json_raw(j, value.n > 0 ? value : hostd_str("null"));
}

static inline int
hostd_sio_make_bytes(struct hostd_sio_made *m, hostd_buf bytes)
{
	if (m->args.nbins > 0 && m->args.bins != m->bins)
		return 0;
	m->args.bins = m->bins;
	m->bins[m->args.nbins] = bytes;
	hostd_json_placeholder(&m->json, m->args.nbins++);
	return 1;
}

static inline int
hostd_sio_make_arg(struct hostd_sio_made *m, const struct hostd_sio_event *ev,
    int i)
{
	const struct hostd_sio_args *from = ev->args;

	hostd_sio_make_json(&m->json, i < 0 ? hostd_str(NULL) :
	    hostd_sio_arg(ev, (uint32_t)i));
	if (from->nbins == 0)
		return 1;
	if (m->args.nbins > 0 && m->args.bins != from->bins)
		return 0;
	m->args.bins = from->bins;
	m->args.nbins = from->nbins;
	return 1;
}

/* The value that a letter stands for; 0: there is no such letter. */
static inline int
hostd_sio_make_one(struct hostd_sio_made *m, char letter, va_list *ap)
{
	const struct hostd_sio_event *ev;
	struct hostd_json *j = &m->json;

	switch (letter) {
	case 's':
		hostd_json_str(j, va_arg(*ap, const char *));
		return 1;
	case 'b':
		hostd_json_strn(j, va_arg(*ap, hostd_buf));
		return 1;
	case 'i':
		hostd_json_int64(j, va_arg(*ap, int));
		return 1;
	case 'I':
		hostd_json_int64(j, va_arg(*ap, int64_t));
		return 1;
	case 'd':
		hostd_json_double(j, va_arg(*ap, double));
		return 1;
	case 't':
		hostd_json_raw(j, hostd_str(va_arg(*ap, int) ? "true" :
		    "false"));
		return 1;
	case 'n':
		hostd_json_str(j, NULL);
		return 1;
	case 'j':
		hostd_sio_make_json(j, va_arg(*ap, hostd_buf));
		return 1;
	case 'B':
		return hostd_sio_make_bytes(m, va_arg(*ap, hostd_buf));
	case 'a':
		ev = va_arg(*ap, const struct hostd_sio_event *);
		return hostd_sio_make_arg(m, ev, va_arg(*ap, int));
	default:
		return 0;
	}
}

/* Good until hostd_sio_unmake, which is to follow in any case. */
static inline int32_t
hostd_sio_make(struct hostd_sio_made *m, const char *fmt, va_list *ap)
{
	struct hostd_json *j = &m->json;
	uint32_t i, n = 0;

	memset(m, 0, sizeof(*m));
	hostd_json_begin(j, '[');
	for (; fmt[n] != '\0'; n++) {
		if (n == HOSTD_SIO_EASY_ARGS)
			return HOSTD_E_INVAL;
		m->from[n] = j->n;
		if (!hostd_sio_make_one(m, fmt[n], ap))
			return HOSTD_E_INVAL;
	}
	if (j->failed)
		return HOSTD_E_NOMEM;
	for (i = 0; i < n; i++)
		m->v[i] = hostd_json_slice(j->p + m->from[i] + (i > 0),
		    j->p + (i + 1 < n ? m->from[i + 1] : j->n));
	m->args.struct_size = (uint32_t)sizeof(m->args);
	m->args.n = n;
	m->args.v = m->v;
	return HOSTD_OK;
}

static inline void
hostd_sio_unmake(struct hostd_sio_made *m)
{
	hostd_json_free(&m->json);
}

/* To one socket. */
static inline int32_t
hostd_sio_emitf(struct hostd_inst *in, hostd_sio s, const char *name,
    const char *fmt, ...)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);
	struct hostd_sio_made m;
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_make(&m, fmt, &ap);
	va_end(ap);
	if (rc == HOSTD_OK)
		rc = api->emit(api, s, 0, hostd_str(name), &m.args);
	hostd_sio_unmake(&m);
	return rc;
}

static inline int32_t
hostd_sio_vack(struct hostd_inst *in, hostd_sio_ack ack, const char *fmt,
    va_list *ap)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);
	struct hostd_sio_made m;
	int32_t rc;

	if (ack.id == 0)
		return HOSTD_OK;
	rc = hostd_sio_make(&m, fmt, ap);
	if (rc == HOSTD_OK)
		rc = api->ack(api, ack, &m.args);
	hostd_sio_unmake(&m);
	return rc;
}

/* Acknowledge an event; HOSTD_OK also if nobody waits for that. */
static inline int32_t
hostd_sio_ackf(struct hostd_inst *in, const struct hostd_sio_event *ev,
    const char *fmt, ...)
{
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_vack(in, ev->ack, fmt, &ap);
	va_end(ap);
	return rc;
}

/* The same when on_event has returned: ev->ack was kept. */
static inline int32_t
hostd_sio_ack_laterf(struct hostd_inst *in, hostd_sio_ack ack,
    const char *fmt, ...)
{
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_vack(in, ack, fmt, &ap);
	va_end(ap);
	return rc;
}

/* Ask one socket; answer as of `ask`. */
static inline int32_t
hostd_sio_askf(struct hostd_inst *in, hostd_sio s, uint32_t timeout_ms,
    void (*answer)(struct hostd_inst *, void *arg, int32_t status,
    const struct hostd_sio_args *), void *arg, const char *name,
    const char *fmt, ...)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);
	struct hostd_sio_made m;
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_make(&m, fmt, &ap);
	va_end(ap);
	if (rc == HOSTD_OK)
		rc = api->ask(api, s, 0, hostd_str(name), &m.args,
		    timeout_ms, answer, arg);
	hostd_sio_unmake(&m);
	return rc;
}

static inline int32_t
hostd_sio_vtell(struct hostd_inst *in, const struct hostd_sio_to *to,
    const char *name, const char *fmt, va_list *ap)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);
	struct hostd_sio_made m;
	int32_t rc = hostd_sio_make(&m, fmt, ap);

	if (rc == HOSTD_OK)
		rc = api->broadcast(api, to, hostd_str(name), &m.args);
	hostd_sio_unmake(&m);
	return rc;
}

/*
 * To all that `to` says, where the short ways below do not:
 *
 *	struct hostd_sio_to to = {
 *		.struct_size = sizeof(to), .flags = HOSTD_SIO_VOLATILE,
 *		.nsp = info->nsp, .rooms = rooms, .nrooms = 2, .but = s
 *	};
 */
static inline int32_t
hostd_sio_broadcastf(struct hostd_inst *in, const struct hostd_sio_to *to,
    const char *name, const char *fmt, ...)
{
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_vtell(in, to, name, fmt, &ap);
	va_end(ap);
	return rc;
}

/* Ask all of them; each and done as of `ask_all`.  One socket anywhere is who
 * is in the room of its id. */
static inline int32_t
hostd_sio_ask_allf(struct hostd_inst *in, const struct hostd_sio_to *to,
    uint32_t timeout_ms, void (*each)(struct hostd_inst *, void *arg,
    const struct hostd_sio_args *), void (*done)(struct hostd_inst *,
    void *arg, int32_t status, uint32_t asked, uint32_t answered), void *arg,
    const char *name, const char *fmt, ...)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);
	struct hostd_sio_made m;
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_make(&m, fmt, &ap);
	va_end(ap);
	if (rc == HOSTD_OK)
		rc = api->ask_all(api, to, hostd_str(name), &m.args,
		    timeout_ms, each, done, arg);
	hostd_sio_unmake(&m);
	return rc;
}

/* To whom the others below say.  room NULL: the whole namespace. */
static inline int32_t
hostd_sio_tell(struct hostd_inst *in, hostd_buf nsp, const char *room,
    hostd_sio but, const char *name, const char *fmt, va_list *ap)
{
	hostd_buf rooms = hostd_str(room);
	struct hostd_sio_to to;

	memset(&to, 0, sizeof(to));
	to.struct_size = (uint32_t)sizeof(to);
	to.nsp = nsp;
	to.rooms = &rooms;
	to.nrooms = room != NULL;
	to.but = but;
	return hostd_sio_vtell(in, &to, name, fmt, ap);
}

/* To who is in a room of a namespace. */
static inline int32_t
hostd_sio_in_room(struct hostd_inst *in, const char *nsp, const char *room,
    const char *name, const char *fmt, ...)
{
	hostd_sio nobody = { 0 };
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_tell(in, hostd_str(nsp), room, nobody, name, fmt, &ap);
	va_end(ap);
	return rc;
}

/* To all of a namespace. */
static inline int32_t
hostd_sio_all(struct hostd_inst *in, const char *nsp, const char *name,
    const char *fmt, ...)
{
	hostd_sio nobody = { 0 };
	va_list ap;
	int32_t rc;

	va_start(ap, fmt);
	rc = hostd_sio_tell(in, hostd_str(nsp), NULL, nobody, name, fmt, &ap);
	va_end(ap);
	return rc;
}

/* From a socket, to the others in a room of its namespace. */
static inline int32_t
hostd_sio_to_room(struct hostd_inst *in, hostd_sio s, const char *room,
    const char *name, const char *fmt, ...)
{
	const struct hostd_sio_info *info = hostd_sio_info_of(in, s);
	va_list ap;
	int32_t rc;

	if (info == NULL)
		return HOSTD_E_GONE;
	va_start(ap, fmt);
	rc = hostd_sio_tell(in, info->nsp, room, s, name, fmt, &ap);
	va_end(ap);
	return rc;
}

/* From a socket, to all others of its namespace. */
static inline int32_t
hostd_sio_all_but(struct hostd_inst *in, hostd_sio s, const char *name,
    const char *fmt, ...)
{
	const struct hostd_sio_info *info = hostd_sio_info_of(in, s);
	va_list ap;
	int32_t rc;

	if (info == NULL)
		return HOSTD_E_GONE;
	va_start(ap, fmt);
	rc = hostd_sio_tell(in, info->nsp, NULL, s, name, fmt, &ap);
	va_end(ap);
	return rc;
}

static inline int32_t
hostd_sio_join(struct hostd_inst *in, hostd_sio s, const char *room)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);

	return api->join(api, s, hostd_str(room));
}

static inline int32_t
hostd_sio_leave(struct hostd_inst *in, hostd_sio s, const char *room)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);

	return api->leave(api, s, hostd_str(room));
}

/* close 1: its whole connection, with its other namespaces. */
static inline int32_t
hostd_sio_disconnect(struct hostd_inst *in, hostd_sio s, int close)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);

	return api->disconnect(api, s, close);
}

/* For on_connecting: return hostd_sio_refuse(in, s, "not authorized"). */
static inline int32_t
hostd_sio_refuse(struct hostd_inst *in, hostd_sio s, const char *message)
{
	const struct hostd_sio_api *api = hostd_sio_api_of(in);

	return api->refuse(api, s, hostd_str(message), hostd_str(NULL));
}

/* One row of a table of events. */
struct hostd_sio_event_fn {
	const char *name;	/* NULL: the end */
	int32_t (*fn)(struct hostd_inst *, hostd_sio, void *d,
	    const struct hostd_sio_event *);
};

/* For on_event: what the table has for it. */
static inline int32_t
hostd_sio_dispatch(const struct hostd_sio_event_fn *table,
    struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	for (; table->name != NULL; table++)
		if (hostd_sio_is(ev, table->name))
			return table->fn(in, s, d, ev);
	return HOSTD_PASS;
}

/* create for instances that start with HOSTD_SIO_EASY_HEAD; the rest of size
 * bytes is zeroed. */
static inline int32_t
hostd_sio_easy_create(size_t size, const struct hostd_host *host,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_sio_easy *e;
	int32_t rc = hostd_easy_create(size, host, out, err);

	if (rc != HOSTD_OK)
		return rc;
	e = (struct hostd_sio_easy *)(void *)*out;
	e->sio = (const struct hostd_sio_api *)host->get_ext(host,
	    HOSTD_EXT_SOCKETIO);
	if (e->sio != NULL && HOSTD_HAS(e->sio, server_ask))
		return HOSTD_OK;
	free(e);
	*out = NULL;
	return hostd_fail(err, HOSTD_E_NOTSUP, HOSTD_EXT_SOCKETIO
	    " is not served: a plugin with socketio.so is needed");
}

/* A plugin that is a table of events, and keeps nothing of its own. */
#define HOSTD_SIO_EASY(id, version, events)				\
static int32_t								\
hostd_sio_easy_event(struct hostd_inst *in, hostd_sio s, void *d,	\
    const struct hostd_sio_event *ev)					\
{									\
	return hostd_sio_dispatch(events, in, s, d, ev);		\
}									\
static const struct hostd_sio_ops hostd_sio_easy_ops = {		\
	(uint32_t)sizeof(struct hostd_sio_ops), 0, 0, 0, NULL, NULL,	\
	NULL, NULL, hostd_sio_easy_event, NULL, NULL, NULL, NULL, 0, 0,	\
	NULL, NULL							\
};									\
HOSTD_SIO_EASY_OPS(id, version, &hostd_sio_easy_ops)

/* The same of a whole hostd_sio_ops. */
#define HOSTD_SIO_EASY_OPS(id, version, ops)				\
struct hostd_inst {							\
	HOSTD_SIO_EASY_HEAD;						\
};									\
static int32_t								\
hostd_sio_easy_plugin_create(const struct hostd_host *host,		\
    const struct hostd_conf *conf, struct hostd_inst **out,		\
    struct hostd_err *err)						\
{									\
	(void)conf;							\
	return hostd_sio_easy_create(sizeof(struct hostd_inst), host,	\
	    out, err);							\
}									\
static void								\
hostd_sio_easy_plugin_destroy(struct hostd_inst *in)			\
{									\
	free(in);							\
}									\
static const struct hostd_provide hostd_sio_easy_provide = {		\
	(uint32_t)sizeof(struct hostd_provide), 0,			\
	HOSTD_KIND_SIO_HANDLER, NULL, ops, NULL				\
};									\
static const struct hostd_provide *const hostd_sio_easy_provides[] = {	\
	&hostd_sio_easy_provide, NULL					\
};									\
HOSTD_PLUGIN_ENTRY = {							\
	HOSTD_PREFIX(5), id, version, HOSTD_SDK_VERSION,		\
	hostd_sio_easy_provides, NULL, NULL,				\
	hostd_sio_easy_plugin_create, NULL, NULL,			\
	hostd_sio_easy_plugin_destroy, NULL				\
};

#endif /* HOSTD_SOCKETIO_EASY_H */
