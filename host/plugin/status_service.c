/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.status/1: the board as JSON, with the plugins' own metrics and the
 * servers of upstreams, and what of it is measured for Prometheus. */
#include <stdlib.h>
#include <string.h>
#include <hostd/status.h>
#include "base/board_json.h"
#include "limit/table_json.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/scrape.h"
#include "upstream/table_json.h"

static int32_t
status_json(const struct hostd_host *host, hostd_buf *out)
{
	struct instance *in = host->ctx;
	struct buf *b = &in->all->status_json;
	json_t *root;
	char *text;
	int32_t rc;

	if ((rc = instance_check_thread(in, "status json")) != 0)
		return rc;
	if (out == NULL)
		return HOSTD_E_INVAL;
	if ((root = board_json(in->all->board)) == NULL)
		return HOSTD_E_NOMEM;
	/* A probe has no table. */
	if (in->all->upstreams.table != NULL)
		(void)json_object_set_new(root, "upstreams", up_table_json(
		    in->all->upstreams.table, in->all->conf, NULL));
	if (in->all->limits.table != NULL)
		(void)json_object_set_new(root, "limits", limit_table_json(
		    in->all->limits.table));
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text == NULL)
		return HOSTD_E_NOMEM;
	b->len = 0;
	buf_append(b, text, strlen(text) + 1);
	free(text);
	out->p = b->p;
	out->n = b->len - 1;
	return HOSTD_OK;
}

static int32_t
status_exposition(const struct hostd_host *host, uint32_t format,
    hostd_buf *out)
{
	struct instance *in = host->ctx;
	struct buf *b = &in->all->exposition;
	struct exposition x = { .out = b,
		.openmetrics = format == HOSTD_EXPOSITION_OPENMETRICS };
	int32_t rc;

	if ((rc = instance_check_thread(in, "status exposition")) != 0)
		return rc;
	if (out == NULL || format > HOSTD_EXPOSITION_OPENMETRICS)
		return HOSTD_E_INVAL;
	b->len = 0;
	scrape(in->all, &x);
	exposition_free(&x);
	buf_append(b, "", 1);
	out->p = b->p;
	out->n = b->len - 1;
	return HOSTD_OK;
}

const struct hostd_status_api *
status_service(void)
{
	static const struct hostd_status_api api = {
		.struct_size = sizeof(struct hostd_status_api),
		.json = status_json,
		.exposition = status_exposition,
	};

	return &api;
}
