/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.ready/1: plugins that hold back their worker. */
#include <stdio.h>
#include <string.h>
#include <hostd/ready.h>
#include "plugin/instance.h"
#include "plugin/plugins.h"

static int32_t
ready_hold(const struct hostd_host *host, const char *reason)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, "hold of " HOSTD_EXT_READY);

	if (rc != 0)
		return rc;
	if (reason == NULL || reason[0] == '\0')
		return HOSTD_E_INVAL;
	if (in->started)
		return HOSTD_E_STATE;
	in->holds++;
	(void)snprintf(in->hold_reason, sizeof(in->hold_reason), "%s", reason);
	return HOSTD_OK;
}

/* Its worker comes to nothing: what else is held does not matter. */
static void
ready_refuse(struct instance *in, int32_t status, hostd_buf text)
{
	in->holds = 0;
	if (text.n == 0)
		conf_error(in->all->errs, &in->conf->pos, "plugin \"%s\" (%s): "
		    "it is not ready: code %d, and no reason (it was waiting "
		    "for: %s)", in->conf->name, in->module->display, status,
		    in->hold_reason);
	else
		conf_error(in->all->errs, &in->conf->pos, "plugin \"%s\" (%s): "
		    "it is not ready: %.*s", in->conf->name,
		    in->module->display, text.n > 500 ? 500 : (int)text.n,
		    (const char *)text.p);
}

static int32_t
ready_release(const struct hostd_host *host, int32_t status, hostd_buf text)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, "release of " HOSTD_EXT_READY);

	if (rc != 0)
		return rc;
	if (status > HOSTD_OK || (text.p == NULL && text.n > 0))
		return HOSTD_E_INVAL;
	if (in->holds == 0)
		return HOSTD_E_STATE;
	in->holds--;
	if (status < HOSTD_OK)
		ready_refuse(in, status, text);
	return HOSTD_OK;
}

const struct hostd_ready_api *
ready_service(void)
{
	static const struct hostd_ready_api api = {
		.struct_size = sizeof(api),
		.hold = ready_hold,
		.release = ready_release,
	};

	return &api;
}

int
plugins_held(const struct plugins *all, char *why, size_t size)
{
	const struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		if (in->holds > 0) {
			(void)snprintf(why, size, "plugin %s: %s",
			    in->conf->name, in->hold_reason);
			return 1;
		}
	return 0;
}
