/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.pubsub/1, and the plugin's pubsub_backend/1 table as the hub's
 * backend. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <hostd/pubsub.h>
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "pubsub/hub.h"

/* -- the host calls the plugin -- */

static struct instance *
instance_of(struct hub_backend *b)
{
	return (struct instance *)(void *)((char *)b -
	    offsetof(struct instance, backend));
}

static int32_t
backend_publish(struct hub_backend *b, hostd_buf channel, hostd_buf envelope)
{
	struct instance *in = instance_of(b);
	uint64_t entered = instance_enter(in, BOARD_CB_PUBLISH);
	int32_t rc = in->pubsub->publish(in->inst, channel, envelope);

	instance_leave(in, entered);
	return rc;
}

static int32_t
backend_subscribe(struct hub_backend *b, hostd_buf channel, int on)
{
	struct instance *in = instance_of(b);
	uint64_t entered = instance_enter(in, BOARD_CB_SUBSCRIBE);
	int32_t rc = in->pubsub->subscribe(in->inst, channel, on);

	instance_leave(in, entered);
	return rc;
}

void
pubsub_binding_init(struct instance *in)
{
	if (in->pubsub == NULL)
		return;
	in->backend.name = in->conf->name;
	in->backend.max_envelope = in->pubsub->max_envelope;
	in->backend.publish = backend_publish;
	in->backend.subscribe = backend_subscribe;
}

/* -- the plugin calls the host -- */

/* Of several that could be the backend one is. */
static int32_t
backend_check(const struct hostd_host *host, const char *function)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, function);

	if (rc != HOSTD_OK)
		return rc;
	return in->all->hub.backend == &in->backend && !in->ending ? HOSTD_OK :
	    HOSTD_E_STATE;
}

static int32_t
api_deliver(const struct hostd_host *host, hostd_buf channel,
    hostd_buf envelope)
{
	struct instance *in = host->ctx;
	int32_t rc = backend_check(host, "deliver");

	return rc != HOSTD_OK ? rc : hub_deliver(&in->all->hub, channel,
	    envelope);
}

static int32_t
api_up(const struct hostd_host *host)
{
	struct instance *in = host->ctx;
	int32_t rc = backend_check(host, "up");

	return rc != HOSTD_OK ? rc : hub_up(&in->all->hub);
}

static int32_t
api_down(const struct hostd_host *host, hostd_buf reason)
{
	struct instance *in = host->ctx;
	int32_t rc = backend_check(host, "down");
	char text[240];

	if (rc != HOSTD_OK)
		return rc;
	(void)snprintf(text, sizeof(text), "%.*s", reason.p == NULL ? 0 :
	    (int)(reason.n < sizeof(text) ? reason.n : sizeof(text)),
	    reason.p == NULL ? "" : (const char *)reason.p);
	return hub_down(&in->all->hub, text);
}

static int32_t
api_gap(const struct hostd_host *host, hostd_buf channel)
{
	struct instance *in = host->ctx;
	int32_t rc = backend_check(host, "gap");

	if (rc == HOSTD_OK)
		hub_gap(&in->all->hub, channel.p == NULL ? NULL : &channel);
	return rc;
}

static int32_t
api_writable(const struct hostd_host *host)
{
	struct instance *in = host->ctx;
	int32_t rc = backend_check(host, "writable");

	if (rc == HOSTD_OK)
		hub_writable(&in->all->hub);
	return rc;
}

static int32_t
api_subscribed(const struct hostd_host *host, hostd_buf channel)
{
	struct instance *in = host->ctx;
	int32_t rc = backend_check(host, "subscribed");

	return rc != HOSTD_OK ? rc : hub_subscribed(&in->all->hub, channel);
}

static const struct hostd_pubsub_api pubsub_api = {
	.struct_size = sizeof(struct hostd_pubsub_api),
	.deliver = api_deliver,
	.up = api_up,
	.down = api_down,
	.gap = api_gap,
	.writable = api_writable,
	.subscribed = api_subscribed,
};

const struct hostd_pubsub_api *
pubsub_service(void)
{
	return &pubsub_api;
}
