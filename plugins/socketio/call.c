/* SPDX-License-Identifier: BSD-2-Clause */
/* What handlers are told of a socket. */
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "ack.h"
#include "app.h"

#define LOOKS 4		/* at what is deferred, within connect_timeout */
#include "metrics.h"

static hostd_sio
handle_of(const struct sio_socket *s)
{
	hostd_sio h = { s->handle };

	return h;
}

/* -- connecting -- */

/* To those who were asked. */
static void
tell_refused(struct sio_socket *s)
{
	const struct app_data *d;
	struct hostd_inst *user;
	uint32_t i;

	for (i = 0; i < s->nasked; i++) {
		d = &s->apps[i];
		if (d->app == NULL || d->app->ops.on_refused == NULL ||
		    (user = app_enter(d->app)) == NULL)
			continue;
		d->app->ops.on_refused(user, handle_of(s), d->d);
		app_leave(d->app);
	}
	s->nasked = 0;
	s->napps = 0;
}

static void
refuse(struct sio_socket *s)
{
	static const hostd_buf none = { NULL, 0 };

	tell_refused(s);
	if (s->refusal != NULL)
		client_refused(s, s->refusal->message, s->refusal->data);
	else
		client_refused(s, hostd_str("Internal error"), none);
}

/* The one whose turn it is.  What it says is in s->verdict. */
static void
ask(struct sio_socket *s)
{
	const struct app_data *d = &s->apps[s->deciding];
	struct hostd_inst *user;
	int32_t rc;

	s->verdict = SOCKET_UNDECIDED;
	s->nasked = (uint8_t)(s->deciding + 1);
	if (d->app == NULL || d->app->ops.on_connecting == NULL) {
		s->verdict = SOCKET_ACCEPTED;
		return;
	}
	if ((user = app_enter(d->app)) == NULL) {
		s->verdict = SOCKET_REFUSED;
		return;
	}
	rc = d->app->ops.on_connecting(user, handle_of(s), d->d);
	app_leave(d->app);
	if (rc < 0)
		s->verdict = SOCKET_REFUSED;
	else if (s->verdict == SOCKET_UNDECIDED && rc == HOSTD_DEFER)
		s->is_deferred = 1;
	else if (s->verdict == SOCKET_UNDECIDED)
		s->verdict = SOCKET_ACCEPTED;
}

static void	sweep(struct hostd_inst *);

static void
decide(struct sio_socket *s)
{
	for (; s->deciding < s->napps; s->deciding++) {
		if (s->verdict == SOCKET_UNDECIDED)
			ask(s);
		if (s->is_deferred) {
			sweep(s->space->in);
			return;
		}
		if (s->verdict == SOCKET_REFUSED) {
			refuse(s);
			return;
		}
		s->verdict = SOCKET_UNDECIDED;
	}
	s->verdict = SOCKET_ACCEPTED;
	client_accepted(s);
}

/* Those that nobody has decided on for too long. */
static void
on_sweep(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	struct sio_socket *s;
	uint32_t at = 0, left = 0;

	(void)timer;
	(void)arg;
	in->apps->is_sweeping = 0;
	while ((s = socket_next(in, &at)) != NULL) {
		if (s->state != SOCKET_CONNECTING || !s->is_deferred ||
		    s->verdict != SOCKET_UNDECIDED)
			continue;
		if (s->is_deferred++ < LOOKS) {
			left++;
			continue;
		}
		s->is_deferred = 0;
		refuse(s);
	}
	if (left > 0)
		sweep(in);
}

static void
sweep(struct hostd_inst *in)
{
	hostd_timer timer;

	if (!in->apps->is_sweeping)
		in->apps->is_sweeping = in->timer->start(in->easy.host,
		    in->opt.connect_timeout / LOOKS + 1, 0, on_sweep, NULL,
		    &timer) == HOSTD_OK;
}

void
apps_connect(struct sio_socket *s)
{
	s->deciding = 0;
	s->verdict = SOCKET_UNDECIDED;
	/* Its handlers have gone: the worker ends. */
	if (s->napps == 0)
		refuse(s);
	else
		decide(s);
}

static void
on_decided(struct hostd_inst *in, void *arg)
{
	struct sio_socket *s = socket_of(in, (uint64_t)(uintptr_t)arg);

	if (s == NULL || s->state != SOCKET_CONNECTING || !s->is_deferred)
		return;
	s->is_deferred = 0;
	decide(s);
}

int32_t
app_decided(struct sio_socket *s, const struct app *a,
    enum socket_verdict verdict, struct refusal *refusal)
{
	const struct hostd_host *h = a->in->easy.host;

	if (s->state != SOCKET_CONNECTING || s->verdict != SOCKET_UNDECIDED ||
	    s->deciding >= s->napps || s->apps[s->deciding].app != a)
		return HOSTD_E_STATE;
	if (s->is_deferred && h->post(h, on_decided,
	    (void *)(uintptr_t)s->handle) != HOSTD_OK)
		return HOSTD_E_NOMEM;
	s->verdict = (uint8_t)verdict;
	s->refusal = refusal;
	return HOSTD_OK;
}

void
apps_connected(struct sio_socket *s, int recovered)
{
	const struct app_data *d;
	struct hostd_inst *user;
	uint32_t i;

	s->was_connected = 1;
	for (i = 0; i < s->napps; i++) {
		d = &s->apps[i];
		if (d->app == NULL || d->app->ops.on_connect == NULL ||
		    (user = app_enter(d->app)) == NULL)
			continue;
		d->app->ops.on_connect(user, handle_of(s), d->d, recovered);
		app_leave(d->app);
	}
}

/* -- events -- */

static void
log_failed(const struct app *a, const char *what, hostd_buf name, int32_t rc)
{
	hostd_logf(a->in->easy.host, HOSTD_LOG_WARN, "plugin \"%s\": its %s "
	    "has failed with %d, of event \"%.*s\"", a->name, what, (int)rc,
	    (int)(name.n < 80 ? name.n : 80), (const char *)name.p);
}

/* The name as it is meant; p NULL: no memory. */
static hostd_buf
name_of(struct hostd_inst *in, hostd_buf raw)
{
	struct hostd_json *text = &in->apps->text;
	hostd_buf name;
	char *room;
	int64_t n;

	if (!hostd_json_is_string(raw))
		return raw;
	if (hostd_json_plain(raw, &name))
		return name;
	hostd_json_reset(text);
	name.p = NULL;
	name.n = 0;
	if ((room = hostd_json_room(text, raw.n)) == NULL ||
	    (n = hostd_json_text(raw, room, raw.n)) < 0)
		return name;
	name.p = room;
	name.n = (size_t)n;
	return name;
}

static int32_t
tell_event(struct sio_socket *s, const struct app_data *d,
    const struct hostd_sio_event *ev)
{
	struct hostd_inst *user;
	int32_t rc;

	if (d->app == NULL || d->app->ops.on_event == NULL ||
	    (user = app_enter(d->app)) == NULL)
		return HOSTD_PASS;
	rc = d->app->ops.on_event(user, handle_of(s), d->d, ev);
	app_leave(d->app);
	if (rc < 0)
		log_failed(d->app, "on_event", ev->name, rc);
	return rc;
}

void
apps_event(struct sio_socket *s, hostd_buf name_raw,
    const struct hostd_sio_args *args, hostd_sio_ack ack)
{
	struct hostd_inst *in = s->space->in;
	struct hostd_sio_event ev = {
		.struct_size = sizeof(ev),
		.name = name_of(in, name_raw),
		.args = args,
		.ack = ack,
	};
	uint32_t i;

	metrics_count(in, s->space->metrics, METRICS_RECEIVED, 1);
	for (i = 0; i < s->napps && ev.name.p != NULL; i++)
		if (tell_event(s, &s->apps[i], &ev) != HOSTD_PASS)
			return;
	ack_cancel(in, ack);
}

void
apps_server_event(struct hostd_inst *in, hostd_buf nsp, hostd_buf name,
    const struct hostd_sio_args *args, hostd_sio_ack ack)
{
	struct space *sp = space_find(in, nsp);
	struct hostd_sio_event ev = {
		.struct_size = sizeof(ev),
		.name = name,
		.args = args,
		.ack = ack,
	};
	struct hostd_inst *user;
	const struct app *a;
	int32_t rc;
	uint32_t i;

	for (i = 0; sp != NULL && i < sp->napps; i++) {
		a = sp->apps[i];
		if (a->ops.on_server_event == NULL ||
		    (user = app_enter(a)) == NULL)
			continue;
		rc = a->ops.on_server_event(user, nsp, &ev);
		app_leave(a);
		if (rc < 0)
			log_failed(a, "on_server_event", name, rc);
		if (rc != HOSTD_PASS)
			return;
	}
}

void
apps_cluster(struct hostd_inst *in, int on)
{
	struct hostd_inst *user;
	const struct app *a;

	STAILQ_FOREACH(a, &in->apps->all, link) {
		if (a->ops.on_cluster == NULL || (user = app_enter(a)) == NULL)
			continue;
		a->ops.on_cluster(user, on);
		app_leave(a);
	}
}

/* -- going -- */

static void
tell_gone(struct sio_socket *s, int32_t reason, int disconnecting)
{
	void (*fn)(struct hostd_inst *, hostd_sio, void *, int32_t);
	const struct app_data *d;
	struct hostd_inst *user;
	uint32_t i;

	for (i = 0; i < s->napps; i++) {
		d = &s->apps[i];
		if (d->app == NULL)
			continue;
		fn = disconnecting ? d->app->ops.on_disconnecting :
		    d->app->ops.on_disconnect;
		if (fn == NULL || (user = app_enter(d->app)) == NULL)
			continue;
		fn(user, handle_of(s), d->d, reason);
		app_leave(d->app);
	}
}

void
apps_disconnecting(struct sio_socket *s, int32_t reason)
{
	if (s->was_connected)
		tell_gone(s, reason, 1);
}

void
apps_disconnected(struct sio_socket *s, int32_t reason)
{
	if (s->was_connected)
		tell_gone(s, reason, 0);
	else
		tell_refused(s);
}
