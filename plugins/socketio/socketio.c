/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket.IO: what the host sees of it. */
#include <stdlib.h>
#include <string.h>
#include <hostd/worker.h>
#include "ack.h"
#include "app.h"
#include "away.h"
#include "cluster.h"
#include "cmd.h"
#include "files.h"
#include "metrics.h"
#include "move.h"
#include "settings.h"
#include "user.h"

static void
destroy(struct hostd_inst *in)
{
	in->is_ending = 1;
	engine_destroy(in);
	cluster_destroy(in);
	clients_destroy(in);
	spaces_destroy(in);
	acks_destroy(in);
	apps_destroy(in);
	files_destroy(in);
	metrics_destroy(in);
	free(in);
}

/* What it can't do without, and what it can. */
static int32_t
bind_tables(struct hostd_inst *in, const struct hostd_host *host,
    struct hostd_err *err)
{
	int32_t rc = hostd_easy_init(&in->easy, host, err);

	if (rc != HOSTD_OK)
		return rc;
	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	in->offer = host->get_ext(host, HOSTD_EXT_OFFER);
	in->worker = host->get_ext(host, HOSTD_EXT_WORKER);
	in->fetch = host->get_ext(host, HOSTD_EXT_FETCH);
	in->metrics = host->get_ext(host, HOSTD_EXT_METRICS);
	/* Those of an older host are as none. */
	if (in->worker != NULL && !HOSTD_HAS(in->worker, give))
		in->worker = NULL;
	if (in->fetch != NULL && !HOSTD_HAS(in->fetch, cancel))
		in->fetch = NULL;
	if (in->metrics != NULL && !HOSTD_HAS(in->metrics, add))
		in->metrics = NULL;
	if (in->timer == NULL || !HOSTD_HAS(in->timer, stop) ||
	    in->offer == NULL || !HOSTD_HAS(in->offer, leave) ||
	    in->easy.ws == NULL || !HOSTD_HAS(in->easy.ws, send_many))
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_TIMER ", " HOSTD_EXT_OFFER " and "
		    HOSTD_EXT_WS);
	return HOSTD_OK;
}

/* In the order in which they need each other. */
static int32_t
make_parts(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int32_t rc;

	if (acks_create(in) != HOSTD_OK || apps_create(in) != HOSTD_OK ||
	    clients_create(in) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if ((rc = metrics_create(in, err)) != HOSTD_OK ||
	    (rc = user_create(in, err)) != HOSTD_OK ||
	    (rc = files_create(in, conf, err)) != HOSTD_OK ||
	    (rc = spaces_create(in, conf, err)) != HOSTD_OK ||
	    (rc = cluster_create(in, conf, err)) != HOSTD_OK)
		return rc;
	return engine_create(in, conf, err);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if ((rc = bind_tables(in, host, err)) != HOSTD_OK ||
	    (rc = settings_read(in, conf, err)) != HOSTD_OK ||
	    (rc = make_parts(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static void
drain(struct hostd_inst *in, uint32_t deadline_ms)
{
	in->draining = 1;
	engine_drain(in, deadline_ms);
	away_drain(in, deadline_ms);
}

static const void *
get_ext(const char *id)
{
	static const struct hostd_offer *const offers[] = { &app_offer,
	    &cluster_offer, NULL };
	static const struct hostd_p_offer offer = {
		.struct_size = sizeof(offer),
		.offers = offers,
	};

	if (strcmp(id, HOSTD_P_OFFER) == 0)
		return &offer;
	if (strcmp(id, HOSTD_P_STATE) == 0)
		return &move_state;
	if (strcmp(id, HOSTD_P_WS_STATE) == 0)
		return &move_ws_state;
	return NULL;
}

static const struct hostd_provide http = {
	sizeof(http), 0, HOSTD_KIND_HTTP_ROUTE, "engine", &eio_http_ops,
	"/socket.io/"
};
static const struct hostd_provide ws = {
	sizeof(ws), 0, HOSTD_KIND_WS_HANDLER, "engine", &eio_ws_ops,
	"/socket.io/"
};
static const struct hostd_provide *const provides[] = { &http, &ws, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(5), "socketio", HOSTD_SDK_VERSION, HOSTD_SDK_VERSION,
	provides, sio_keys, sio_cmds, create, cluster_start, drain, destroy,
	get_ext
};
