/* SPDX-License-Identifier: BSD-2-Clause */
/* struct hostd_host: what every instance is given. */
#include <stdlib.h>
#include <string.h>
#include <hostd/auth.h>
#include <hostd/balancer.h>
#include <hostd/channel.h>
#include <hostd/control.h>
#include <hostd/fetch.h>
#include <hostd/health.h>
#include <hostd/pubsub.h>
#include <hostd/metrics.h>
#include <hostd/net.h>
#include <hostd/offer.h>
#include <hostd/op.h>
#include <hostd/ready.h>
#include <hostd/session.h>
#include <hostd/status.h>
#include <hostd/timer.h>
#include <hostd/tls.h>
#include <hostd/trace.h>
#include <hostd/work.h>
#include <hostd/worker.h>
#include "base/log.h"
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/offers.h"
#include "plugin/plugins.h"
#include "plugin/post.h"

#define LOG_TEXT_MAX 2048

static const void *
core_get_ext(const struct hostd_host *host, const char *id)
{
	if (id == NULL || instance_check_thread(host->ctx, "get_ext") != 0)
		return NULL;
	if (strcmp(id, HOSTD_EXT_HTTP) == 0)
		return http_service();
	if (strcmp(id, HOSTD_EXT_TIMER) == 0)
		return timer_service();
	if (strcmp(id, HOSTD_EXT_READY) == 0)
		return ready_service();
	if (strcmp(id, HOSTD_EXT_WORK) == 0)
		return work_service();
	if (strcmp(id, HOSTD_EXT_METRICS) == 0)
		return metrics_service();
	if (strcmp(id, HOSTD_EXT_STATUS) == 0)
		return status_service();
	if (strcmp(id, HOSTD_EXT_NET) == 0)
		return net_service();
	if (strcmp(id, HOSTD_EXT_WS) == 0)
		return ws_service();
	if (strcmp(id, HOSTD_EXT_CHANNEL) == 0)
		return channel_service();
	if (strcmp(id, HOSTD_EXT_PUBSUB) == 0)
		return pubsub_service();
	if (strcmp(id, HOSTD_EXT_FETCH) == 0)
		return fetch_service();
	if (strcmp(id, HOSTD_EXT_BALANCER) == 0)
		return balancer_service();
	if (strcmp(id, HOSTD_EXT_OP) == 0)
		return op_service();
	if (strcmp(id, HOSTD_EXT_AUTH) == 0)
		return auth_service();
	if (strcmp(id, HOSTD_EXT_HEALTH) == 0)
		return health_service();
	if (strcmp(id, HOSTD_EXT_SESSION) == 0)
		return session_service();
	if (strcmp(id, HOSTD_EXT_TRACE) == 0)
		return trace_service();
	if (strcmp(id, HOSTD_EXT_TLS) == 0)
		return tls_service();
	if (strcmp(id, HOSTD_EXT_CONTROL) == 0)
		return control_service();
	if (strcmp(id, HOSTD_EXT_WORKER) == 0)
		return worker_service();
	if (strcmp(id, HOSTD_EXT_OFFER) == 0)
		return offer_service();
	return offers_ext(host->ctx, id);
}

static void
core_log(const struct hostd_host *host, int32_t level, const char *text,
    size_t n)
{
	const struct instance *in = host->ctx;
	enum log_level lvl = LOG_LVL_ERROR;

	if (text == NULL)
		return;
	if (level >= HOSTD_LOG_DEBUG && level <= HOSTD_LOG_ERROR)
		lvl = (enum log_level)(level - HOSTD_LOG_DEBUG);
	else if (level == HOSTD_LOG_HOST_BUG)
		log_errorx("plugin %s says the host broke a promise of the "
		    "SDK:", in->conf->name);
	log_text(lvl, in->conf->name, text, n < LOG_TEXT_MAX ? n :
	    LOG_TEXT_MAX);
}

static uint64_t
core_now_ms(const struct hostd_host *host)
{
	const struct instance *in = host->ctx;

	return loop_is_here() ? in->all->loop->now_ms : loop_clock_ms();
}

static int32_t
core_post(const struct hostd_host *host,
    void (*fn)(struct hostd_inst *, void *), void *arg)
{
	return fn == NULL ? HOSTD_E_INVAL : post_add(host->ctx, fn, arg);
}

void
core_service_bind(struct instance *in)
{
	in->host.struct_size = sizeof(in->host);
	in->host.abi_minor = module_host_minor();
	in->host.ctx = in;
	in->host.get_ext = core_get_ext;
	in->host.log = core_log;
	in->host.now_ms = core_now_ms;
	in->host.post = core_post;
}
