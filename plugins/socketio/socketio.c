/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket.IO: what the host sees of it. */
#include <stdlib.h>
#include "app.h"
#include "cluster.h"
#include "files.h"
#include "metrics.h"
#include "settings.h"

static void
destroy(struct hostd_inst *in)
{
	engine_destroy(in);
	files_destroy(in);
	metrics_destroy(in);
	free(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	rc = hostd_easy_init(&in->easy, host, err);
	if (rc == HOSTD_OK)
		rc = settings_read(in, conf, err);
	in->metrics = host->get_ext(host, HOSTD_EXT_METRICS);
	if (rc == HOSTD_OK)
		rc = metrics_create(in, err);
	if (rc == HOSTD_OK)
		rc = files_create(in, conf, err);
	if (rc == HOSTD_OK)
		rc = engine_create(in, conf, err);
	if (rc != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
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
	provides, sio_keys, NULL, create, NULL, NULL, destroy, NULL
};
