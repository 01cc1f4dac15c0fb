/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.balancer/1, and the plugin's balancer/1 table as a group's balancer. */
#include <stddef.h>
#include <string.h>
#include <hostd/balancer.h>
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "upstream/group.h"

/* -- the host calls the plugin -- */

static struct instance *
instance_of(struct up_balancer *b)
{
	return (struct instance *)(void *)((char *)b -
	    offsetof(struct instance, balancer));
}

static int32_t
balancer_update(struct up_balancer *b, void *data,
    const struct hostd_peer *const *peers)
{
	struct instance *in = instance_of(b);
	struct instance_outer outer;
	int32_t rc;

	instance_enter_within(in, BOARD_CB_SERVERS, &outer);
	rc = in->picks->update(in->inst, data, peers);
	instance_leave_within(in, &outer);
	return rc;
}

static void
balancer_close(struct up_balancer *b, void *data)
{
	struct instance *in = instance_of(b);
	struct instance_outer outer;

	instance_enter_within(in, BOARD_CB_CLOSE, &outer);
	in->picks->close(in->inst, data);
	instance_leave_within(in, &outer);
}

static int32_t
balancer_key(struct up_balancer *b, void *data, const struct hostd_request *rq,
    char *room, hostd_buf *out)
{
	struct instance *in = instance_of(b);
	struct instance_outer outer;
	int32_t rc;

	instance_enter_within(in, BOARD_CB_KEY, &outer);
	rc = in->picks->key(in->inst, data, rq, room, out);
	instance_leave_within(in, &outer);
	return rc;
}

static int32_t
balancer_pick(struct up_balancer *b, void *data, const struct hostd_pick *k,
    uint32_t *id)
{
	struct instance *in = instance_of(b);
	struct instance_outer outer;
	int32_t rc;

	instance_enter_within(in, BOARD_CB_PICK, &outer);
	rc = in->picks->pick(in->inst, data, k, id);
	instance_leave_within(in, &outer);
	return rc;
}

static void
balancer_report(struct up_balancer *b, void *data, uint32_t id,
    const struct hostd_report *r)
{
	struct instance *in = instance_of(b);
	struct instance_outer outer;

	instance_enter_within(in, BOARD_CB_REPORT, &outer);
	in->picks->report(in->inst, data, id, r);
	instance_leave_within(in, &outer);
}

static int32_t
balancer_cookie(struct up_balancer *b, void *data, uint32_t id,
    const struct hostd_pick *k, char *room, size_t size, hostd_buf *out)
{
	struct instance *in = instance_of(b);
	struct instance_outer outer;
	int32_t rc;

	instance_enter_within(in, BOARD_CB_COOKIE, &outer);
	rc = in->picks->cookie(in->inst, data, id, k, room, size, out);
	instance_leave_within(in, &outer);
	return rc;
}

static void
balancer_answered(struct up_balancer *b, void *data, uint32_t id,
    const struct hostd_pick *k, int32_t status, const hostd_hdr *hdrs,
    uint32_t nhdrs)
{
	struct instance *in = instance_of(b);
	struct instance_outer outer;

	instance_enter_within(in, BOARD_CB_ANSWERED, &outer);
	in->picks->answered(in->inst, data, id, k, status, hdrs, nhdrs);
	instance_leave_within(in, &outer);
}

void
balancer_binding_init(struct instance *in)
{
	const struct hostd_balancer_ops *o = in->picks;
	struct up_balancer *b = &in->balancer;

	if (o == NULL)
		return;
	b->name = in->conf->name;
	b->data_size = o->data_size;
	b->update = balancer_update;
	b->pick = balancer_pick;
	b->close = o->close == NULL ? NULL : balancer_close;
	b->key = o->key == NULL ? NULL : balancer_key;
	b->report = o->report == NULL ? NULL : balancer_report;
	b->cookie = o->cookie == NULL ? NULL : balancer_cookie;
	b->answered = o->answered == NULL ? NULL : balancer_answered;
}

/* -- the plugin calls the host -- */

static void
peer_load(const struct up_group *g, const struct up_peer *p,
    hostd_peer_load *out)
{
	const struct up_health *h = peer_health(p);

	out->inflight = up_inflight(g->all->table, p->index);
	if (h == NULL)
		return;
	out->fails = atomic_load_explicit(&h->fails, memory_order_relaxed);
	out->latency_us = atomic_load_explicit(&h->latency_us,
	    memory_order_relaxed);
}

static int32_t
api_load(const struct hostd_host *host, const void *group, const uint32_t *ids,
    uint32_t n, hostd_peer_load *out)
{
	struct instance *in = host->ctx;
	int32_t rc = instance_check_thread(in, "load");
	const struct up_peer *p;
	struct up_group *g;
	uint32_t i;

	if (rc != HOSTD_OK)
		return rc;
	g = group_of_data(&in->all->upstreams, &in->balancer, group);
	if (g == NULL || (n > 0 && (ids == NULL || out == NULL)))
		return HOSTD_E_INVAL;
	memset(out, 0, n * sizeof(*out));
	for (i = 0; i < n; i++)
		if ((p = group_peer(g, ids[i])) != NULL)
			peer_load(g, p, &out[i]);
	return HOSTD_OK;
}

static const struct hostd_balancer_api balancer_api = {
	.struct_size = sizeof(struct hostd_balancer_api),
	.load = api_load,
};

const struct hostd_balancer_api *
balancer_service(void)
{
	return &balancer_api;
}
