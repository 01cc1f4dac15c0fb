/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Balancers as they are installed, without a host around them: one instance of
 * a .so, a group of servers, and loads as the test wants them.  Several cases
 * are several workers, which hear of each other over channels.
 */
#ifndef BALANCER_CASE_H
#define BALANCER_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hostd/balancer.h>
#include <hostd/channel.h>
#include "base/units.h"
#include "plugin/module.h"

#define CASE_SERVERS	104
#define CASE_SETS	8

struct balancer_case {
	struct module *m;
	struct hostd_host host;
	struct hostd_conf conf;
	const char *const *sets;	/* "key", "value", ..., NULL */
	struct hostd_inst *inst;
	const struct hostd_balancer_ops *ops;
	void *data;
	struct hostd_peer peers[CASE_SERVERS];
	char names[CASE_SERVERS][32];
	uint32_t n;
	hostd_peer_load load[CASE_SERVERS];	/* of the servers, in order */
	uint64_t random, now_ms;
	char room[HOSTD_BALANCER_ROOM];
	char error[240];
	/* Its subscription, and what comes by it. */
	void (*heard)(struct hostd_inst *, hostd_sub, void *,
	    const struct hostd_channel_event *);
	void *heard_arg;
	struct balancer_case *next;
};

static struct balancer_case *all_cases;

/* -- the host -- */

static int32_t
case_load(const struct hostd_host *h, const void *group, const uint32_t *ids,
    uint32_t n, hostd_peer_load *out)
{
	struct balancer_case *c = h->ctx;
	uint32_t i;

	assert_ptr_equal(group, c->data);
	for (i = 0; i < n; i++)
		out[i] = c->load[ids[i] - 1];
	return HOSTD_OK;
}

static int32_t
case_respond(const struct hostd_host *h, hostd_req rq, int32_t status,
    const hostd_hdr *hdrs, uint32_t n, hostd_buf body)
{
	(void)h, (void)rq, (void)status, (void)hdrs, (void)n, (void)body;
	return HOSTD_E_GONE;
}

static int32_t
case_publish(const struct hostd_host *h, hostd_buf channel, hostd_buf msg,
    uint32_t flags, hostd_ws except)
{
	struct hostd_channel_event ev = { .struct_size = sizeof(ev),
	    .type = HOSTD_CHANNEL_MESSAGE, .channel = channel, .msg = msg };
	struct balancer_case *c;
	hostd_sub sub = { 1 };

	(void)h, (void)flags, (void)except;
	for (c = all_cases; c != NULL; c = c->next)
		if (c->heard != NULL)
			c->heard(c->inst, sub, c->heard_arg, &ev);
	return HOSTD_OK;
}

static int32_t
case_subscribe(const struct hostd_host *h, hostd_buf channel,
    void (*fn)(struct hostd_inst *, hostd_sub, void *,
    const struct hostd_channel_event *), void *arg, hostd_sub *out)
{
	struct balancer_case *c = h->ctx;

	(void)channel;
	c->heard = fn;
	c->heard_arg = arg;
	out->id = 1;
	return HOSTD_OK;
}

static int32_t
case_keep(const struct hostd_host *h, hostd_buf channel, uint32_t max,
    uint32_t ms)
{
	(void)h, (void)channel, (void)max, (void)ms;
	return HOSTD_OK;
}

static int32_t
case_replay(const struct hostd_host *h, hostd_buf channel, uint64_t node,
    uint64_t seq, void (*fn)(struct hostd_inst *, void *, int32_t,
    const struct hostd_channel_event *), void *arg)
{
	struct balancer_case *c = h->ctx;

	(void)channel, (void)node, (void)seq;
	fn(c->inst, arg, HOSTD_OK, NULL);
	return HOSTD_OK;
}

static const void *
case_ext(const struct hostd_host *h, const char *id)
{
	static const struct hostd_balancer_api balancer = {
		.struct_size = sizeof(balancer), .load = case_load,
	};
	static const struct hostd_http_api http = {
		.struct_size = sizeof(http), .respond = case_respond,
	};
	static const struct hostd_channel_api channel = {
		.struct_size = sizeof(channel), .publish = case_publish,
		.subscribe = case_subscribe, .keep = case_keep,
		.replay = case_replay,
	};

	(void)h;
	if (strcmp(id, HOSTD_EXT_BALANCER) == 0)
		return &balancer;
	if (strcmp(id, HOSTD_EXT_HTTP) == 0)
		return &http;
	return strcmp(id, HOSTD_EXT_CHANNEL) == 0 ? &channel : NULL;
}

static uint64_t
case_now(const struct hostd_host *h)
{
	const struct balancer_case *c = h->ctx;

	return c->now_ms;
}

/* -- configuration -- */

static const struct hostd_key *
case_key(const struct balancer_case *c, const char *name, const char **value)
{
	const struct hostd_key *const *k;
	const char *const *s;

	for (k = c->m->keys; *k != NULL && strcmp((*k)->name, name) != 0; k++)
		;
	assert_non_null(*k);
	*value = (*k)->dflt;
	for (s = c->sets; s != NULL && *s != NULL; s += 2)
		if (strcmp(s[0], name) == 0)
			*value = s[1];
	return *k;
}

static int32_t
case_get_int(const struct hostd_conf *conf, const char *name, int64_t *out)
{
	const char *value;
	const struct hostd_key *k = case_key(conf->ctx, name, &value);
	int on;

	switch (k->type) {
	case HOSTD_KEY_BOOL:
		assert_int_equal(bool_parse(value, &on), 0);
		*out = on;
		return HOSTD_OK;
	case HOSTD_KEY_ENUM:
		for (*out = 0; strcmp(k->choices[*out], value) != 0; ++*out)
			;
		return HOSTD_OK;
	case HOSTD_KEY_DURATION:
		return duration_parse(value, out);
	default:
		return int_parse(value, out);
	}
}

static int32_t
case_get_str(const struct hostd_conf *conf, const char *name, hostd_buf *out)
{
	const char *value;

	(void)case_key(conf->ctx, name, &value);
	out->p = value;
	out->n = value == NULL ? 0 : strlen(value);
	return HOSTD_OK;
}

/* -- life -- */

/* HOSTD_OK, or what create said, with its reason in error. */
static int32_t
case_create(struct balancer_case *c, const char *so, const char *const *sets)
{
	struct hostd_err err = { .struct_size = sizeof(err) };
	char why[512];
	int32_t rc;

	memset(c, 0, sizeof(*c));
	c->m = module_open(so, so, why, sizeof(why));
	if (c->m == NULL)
		fail_msg("%s", why);
	c->sets = sets;
	c->random = 1;
	c->now_ms = 5000000;
	c->host.struct_size = sizeof(c->host);
	c->host.ctx = c;
	c->host.get_ext = case_ext;
	c->host.now_ms = case_now;
	c->conf.struct_size = sizeof(c->conf);
	c->conf.ctx = c;
	c->conf.get_int = case_get_int;
	c->conf.get_str = case_get_str;
	rc = c->m->desc.create(&c->host, &c->conf, &c->inst, &err);
	(void)snprintf(c->error, sizeof(c->error), "%s", err.msg);
	if (rc != HOSTD_OK) {
		module_free(c->m);
		return rc;
	}
	c->ops = module_provides(c->m, HOSTD_KIND_BALANCER)->balancer;
	c->data = calloc(1, c->ops->data_size);
	c->next = all_cases;
	all_cases = c;
	return HOSTD_OK;
}

static void
case_update(struct balancer_case *c)
{
	const struct hostd_peer *list[CASE_SERVERS + 1];
	uint32_t i, n = 0;

	/* weight 0: it has left */
	for (i = 0; i < c->n; i++)
		if (c->peers[i].weight != 0)
			list[n++] = &c->peers[i];
	list[n] = NULL;
	assert_int_equal(c->ops->update(c->inst, c->data, list), HOSTD_OK);
}

static void
case_open(struct balancer_case *c, const char *so, const char *const *sets,
    const uint32_t *weights)
{
	struct hostd_peer *p;

	if (case_create(c, so, sets) != HOSTD_OK)
		fail_msg("%s: %s", so, c->error);
	for (; weights[c->n] != 0; c->n++) {
		p = &c->peers[c->n];
		p->struct_size = sizeof(*p);
		p->id = c->n + 1;
		p->weight = weights[c->n];
		p->share = 256;
		(void)snprintf(c->names[c->n], sizeof(c->names[0]),
		    "10.0.0.%u:3000", c->n + 1);
		p->name.p = p->addr.p = c->names[c->n];
		p->name.n = p->addr.n = strlen(c->names[c->n]);
	}
	if (c->m->desc.start != NULL)
		assert_int_equal(c->m->desc.start(c->inst), HOSTD_OK);
	case_update(c);
}

static void
case_close(struct balancer_case *c)
{
	struct balancer_case **at = &all_cases;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (c->ops->close != NULL)
		c->ops->close(c->inst, c->data);
	free(c->data);
	c->m->desc.destroy(c->inst);
	module_free(c->m);
}

/* -- picks -- */

static void
case_pick_init(struct balancer_case *c, struct hostd_pick *k)
{
	memset(k, 0, sizeof(*k));
	k->struct_size = sizeof(*k);
	c->random = c->random * 6364136223846793005u + 1442695040888963407u;
	k->random = c->random ^ c->random >> 29;
}

/* The index of the server; -1: E_FULL. */
static int
case_ask(struct balancer_case *c, const struct hostd_pick *k)
{
	uint32_t id = 0, i;

	if (c->ops->pick(c->inst, c->data, k, &id) != HOSTD_OK)
		return -1;
	assert_in_range(id, 1, c->n);
	assert_int_equal(c->peers[id - 1].flags & HOSTD_PEER_DOWN, 0);
	for (i = 0; i < k->ntried; i++)
		assert_int_not_equal(k->tried[i], id);
	return (int)id - 1;
}

#endif
