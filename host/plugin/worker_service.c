/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.worker/1: who we are, and requests for other workers of our pool. */
#include <hostd/worker.h>
#include "http/dispatch.h"
#include "http/server.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

static const struct hostd_worker_info *
api_self(const struct hostd_host *host)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	struct hostd_worker_info *info = &all->worker_info;

	if (instance_check_thread(in, "self of " HOSTD_EXT_WORKER) != 0)
		return NULL;
	info->struct_size = sizeof(*info);
	info->slot = all->pool != NULL ? all->cell->slot : 0;
	info->workers = all->server != NULL ? all->server->slots(all->server) :
	    all->pool != NULL ? (uint32_t)all->pool->workers : 1;
	if (info->workers <= info->slot)
		info->workers = info->slot + 1;
	info->pool = all->pool != NULL ? all->pool->name : "";
	info->node = all->hub.node;
	info->process = all->hub.process;
	return info;
}

static int32_t
api_give(const struct hostd_host *host, hostd_req id, uint32_t slot)
{
	struct http_req *r;
	int32_t rc = http_find(host, id, "give of " HOSTD_EXT_WORKER, &r);

	return rc == HOSTD_OK ? dispatch_give(r, slot) : rc;
}

void
instance_stay(struct instance *in, int on)
{
	struct plugins *all = in->all;

	if (in->stays == on)
		return;
	in->stays = on;
	all->nstays += on ? 1 : -1u;
	if (all->nstays == 0 && all->server != NULL)
		all->server->conn_ended(all->server);
}

static int32_t
api_stay(const struct hostd_host *host, int32_t on)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, "stay of " HOSTD_EXT_WORKER);

	if (rc == 0)
		instance_stay(in, on != 0);
	return rc;
}

const struct hostd_worker_api *
worker_service(void)
{
	static const struct hostd_worker_api api = {
		.struct_size = sizeof(api),
		.self = api_self,
		.give = api_give,
		.stay = api_stay,
	};

	return &api;
}
