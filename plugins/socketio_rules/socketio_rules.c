/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"

/* -- sockets -- */

static int32_t
on_connecting(struct hostd_inst *in, hostd_sio s, void *d)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	const hostd_buf none = { NULL, 0 };

	(void)d;
	if (!in->require_user || (info != NULL && info->user.p != NULL))
		return HOSTD_OK;
	return in->sio->refuse(in->sio, s, hostd_str("not authorized"), none);
}

static void
on_connect(struct hostd_inst *in, hostd_sio s, void *d, int32_t recovered)
{
	struct occasion o;

	(void)d;
	/* It has its rooms, and nobody was told that it had gone. */
	if (!recovered && occasion_of(in, s, &o) == 0)
		(void)rules_do(in, &in->connects, &o);
}

static int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	struct occasion o;

	(void)d;
	if (occasion_of(in, s, &o) == -1)
		return HOSTD_OK;
	o.values.event = ev->name;
	o.values.args = ev->args->v;
	o.values.nargs = ev->args->n;
	o.bins = ev->args->bins;
	o.nbins = ev->args->nbins;
	o.ack = ev->ack;
	return rules_do(in, &in->events, &o);
}

static void
on_disconnecting(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	struct occasion o;

	(void)d;
	(void)reason;
	if (occasion_of(in, s, &o) == 0)
		(void)rules_do(in, &in->disconnects, &o);
}

/* -- life -- */

static const struct hostd_metric done = {
	sizeof(done), HOSTD_METRIC_COUNTER, "done_total",
	"Rules that were followed.", NULL, NULL, 0, 0
};
static const struct hostd_metric failed = {
	sizeof(failed), HOSTD_METRIC_COUNTER, "failed_total",
	"Rules that could not be followed, mostly for what a client has sent.",
	NULL, NULL, 0, 0
};

static void
destroy(struct hostd_inst *in)
{
	rules_free(in);
	rooms_free(in);
	hostd_json_free(&in->text);
	free(in);
}

static int32_t
bind(struct hostd_inst *in, const struct hostd_host *host,
    struct hostd_err *err)
{
	in->sio = host->get_ext(host, HOSTD_EXT_SOCKETIO);
	in->metrics = host->get_ext(host, HOSTD_EXT_METRICS);
	if (in->sio == NULL || !HOSTD_HAS(in->sio, serve))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "socketio is of an earlier version, or not there");
	if (in->easy.channel == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_CHANNEL);
	if (in->metrics != NULL && (in->metrics->define(host, &done,
	    &in->done) != HOSTD_OK || in->metrics->define(host, &failed,
	    &in->failed) != HOSTD_OK))
		in->metrics = NULL;
	return HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if ((rc = hostd_easy_init(&in->easy, host, err)) == HOSTD_OK &&
	    (rc = bind(in, host, err)) == HOSTD_OK &&
	    (rc = rules_read(in, conf, err)) == HOSTD_OK)
		rc = in->sio->serve(in->sio, in->namespaces);
	if (rc != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_sio_ops ops = {
	.struct_size = sizeof(ops),
	.on_connecting = on_connecting,
	.on_connect = on_connect,
	.on_event = on_event,
	.on_disconnecting = on_disconnecting,
};
static const struct hostd_provide provide = {
	sizeof(provide), 0, HOSTD_KIND_SIO_HANDLER, NULL, &ops, NULL
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(5), "socketio_rules", HOSTD_SDK_VERSION,
	HOSTD_SDK_VERSION, provides, rules_keys, NULL, create, relays_start,
	NULL, destroy, NULL
};
