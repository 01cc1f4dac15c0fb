/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.worker/1: one of three workers, the next of which takes what it is
 * given, every other time; the last one's is not there. */
#include <stddef.h>

#include "ctl/fake_request.h"

#define SLOTS 3u

static const struct hostd_worker_info *
worker_self(const struct hostd_host *host)
{
	struct fake *f = fake_called(host, "self of " HOSTD_EXT_WORKER);
	struct hostd_worker_info *info = fake_lend(sizeof(*info));

	(void)f;
	info->struct_size = sizeof(*info);
	info->slot = 0;
	info->workers = SLOTS;
	info->reserved = 0;
	info->pool = fake_lend_copy("web", sizeof("web")).p;
	info->node = 0x9e3779b97f4a7c15u;
	info->process = 7;
	return info;
}

static int32_t
worker_give(const struct hostd_host *host, hostd_req id, uint32_t slot)
{
	struct fake *f = fake_called(host, "give of " HOSTD_EXT_WORKER);
	struct fake_req *r = fake_req_find(f, id, "give of " HOSTD_EXT_WORKER);

	if (r == NULL)
		return HOSTD_E_GONE;
	if (slot >= SLOTS)
		return HOSTD_E_INVAL;
	if (slot == 0 || !r->asking || r->begun || r->ending || r->aborted)
		return HOSTD_E_STATE;
	if (slot == SLOTS - 1 || (id.id >> 32) % 2 == 0)
		return HOSTD_E_GONE;
	/* It is not to be answered here. */
	r->given = r->ending = 1;
	return HOSTD_OK;
}

static int32_t
worker_stay(const struct hostd_host *host, int32_t on)
{
	(void)fake_called(host, "stay of " HOSTD_EXT_WORKER);
	(void)on;
	return HOSTD_OK;
}

const struct hostd_worker_api fake_worker_api = {
    .struct_size = sizeof(struct hostd_worker_api),
    .self = worker_self,
    .give = worker_give,
    .stay = worker_stay,
};
