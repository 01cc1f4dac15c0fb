/* SPDX-License-Identifier: BSD-2-Clause */
/* Instances of other plugins that provide sio_adapter/1. */
#include <inttypes.h>
#include <stdio.h>
#include "app.h"
#include "cluster_inside.h"

#define ADDRESS_MS	30000	/* how long an address is good there */

struct adapter {
	LIST_ENTRY(adapter) link;
	struct cluster *c;
	hostd_user user;
	struct hostd_sio_adapter_ops ops;	/* as far as it has them */
	struct hostd_sio_adapter_api api;	/* what it was given; ctx:
						   this */
	int is_up;
	int is_opened;			/* it knows our namespaces */
	int is_told;			/* handlers know that it is up */
};

static struct hostd_inst *
adapter_enter(const struct adapter *a)
{
	return a->c->in->offer->enter(a->c->in->easy.host, a->user);
}

static void
adapter_leave(const struct adapter *a)
{
	a->c->in->offer->leave(a->c->in->easy.host, a->user);
}

struct adapter *
adapter_up(const struct cluster *c)
{
	struct adapter *a;

	LIST_FOREACH(a, &c->adapters, link)
		if (a->is_up)
			return a;
	return NULL;
}

/* -- what it is told of us -- */

static void
tell_open(struct adapter *a, hostd_buf nsp, int on)
{
	struct hostd_inst *it = adapter_enter(a);

	if (it == NULL)
		return;
	if (on)
		a->ops.open(it, nsp);
	else
		a->ops.close(it, nsp);
	adapter_leave(a);
}

static void
tell_room(struct adapter *a, hostd_buf nsp, hostd_buf room, int on)
{
	struct hostd_inst *it;

	if (a->ops.room == NULL || (it = adapter_enter(a)) == NULL)
		return;
	a->ops.room(it, nsp, room, on);
	adapter_leave(a);
}

void
adapters_open(struct cluster *c, hostd_buf nsp, int on)
{
	struct adapter *a;

	LIST_FOREACH(a, &c->adapters, link)
		if (a->is_opened)
			tell_open(a, nsp, on);
}

void
adapters_room(struct cluster *c, hostd_buf nsp, hostd_buf room, int on)
{
	struct adapter *a;

	LIST_FOREACH(a, &c->adapters, link)
		if (a->is_opened)
			tell_room(a, nsp, room, on);
}

void
cluster_open(struct hostd_inst *in, hostd_buf nsp)
{
	static const hostd_buf none = { NULL, 0 };

	if (in->cluster == NULL)
		return;
	coming_tell(in->cluster, nsp, none);
	if (!coming_has(in->cluster, nsp, none))
		adapters_open(in->cluster, nsp, 1);
}

void
cluster_close(struct hostd_inst *in, hostd_buf nsp)
{
	static const hostd_buf none = { NULL, 0 };

	if (in->cluster != NULL && !coming_has(in->cluster, nsp, none))
		adapters_open(in->cluster, nsp, 0);
}

void
cluster_room(struct hostd_inst *in, hostd_buf nsp, hostd_buf room, int on)
{
	if (in->cluster == NULL)
		return;
	if (on)
		coming_tell(in->cluster, nsp, room);
	if (!coming_has(in->cluster, nsp, room))
		adapters_room(in->cluster, nsp, room, on);
}

int
cluster_is_apart(const struct cluster *c, hostd_buf nsp, hostd_buf room)
{
	struct hostd_inst *it;
	struct adapter *a;
	int is = 0;

	LIST_FOREACH(a, &c->adapters, link) {
		if (a->ops.is_apart == NULL || (it = adapter_enter(a)) == NULL)
			continue;
		is = a->ops.is_apart(it, nsp, room) != 0;
		adapter_leave(a);
	}
	return is;
}

static void
tell_coming(struct cluster *c, hostd_buf nsp, hostd_buf room)
{
	if (room.n > 0)
		adapters_room(c, nsp, room, 1);
	else
		adapters_open(c, nsp, 1);
}

/* All that there is already: there is one adapter. */
static void
tell_all(struct adapter *a)
{
	static const hostd_buf none = { NULL, 0 };
	struct cluster *c = a->c;
	struct space *sp;
	struct room *r;

	a->is_opened = 1;
	coming_each(c, tell_coming);
	for (sp = space_next(c->in, NULL); sp != NULL;
	    sp = space_next(c->in, sp)) {
		if (!coming_has(c, space_name(sp), none))
			tell_open(a, space_name(sp), 1);
		for (r = room_next(sp, NULL); r != NULL; r = room_next(sp, r))
			if (!coming_has(c, space_name(sp), r->entry.name))
				tell_room(a, space_name(sp), r->entry.name, 1);
	}
}

static void
say_address(struct adapter *a)
{
	struct cluster *c = a->c;
	struct hostd_inst *it;
	char name[24];

	if (!a->is_up || a->ops.set == NULL || *c->address == '\0' ||
	    (it = adapter_enter(a)) == NULL)
		return;
	(void)snprintf(name, sizeof(name), "%" PRIx32,
	    cluster_short_node(c->node));
	(void)a->ops.set(it, hostd_str(name), hostd_str(c->address),
	    ADDRESS_MS);
	adapter_leave(a);
}

void
adapters_beat(struct cluster *c)
{
	struct adapter *a;

	LIST_FOREACH(a, &c->adapters, link)
		say_address(a);
}

/* Namespaces and rooms that were there before it was, and that it is up. */
static void
adapters_settle(struct hostd_inst *in, void *arg)
{
	struct cluster *c = arg;
	struct adapter *a;

	LIST_FOREACH(a, &c->adapters, link) {
		if (!a->is_opened && adapter_enter(a) != NULL) {
			adapter_leave(a);
			tell_all(a);
		}
		if (a->is_told != a->is_up) {
			a->is_told = a->is_up;
			say_address(a);
			apps_cluster(in, a->is_up);
			if (a->is_up)
				sync_begin(c);
		}
	}
}

static void
settle_later(struct cluster *c)
{
	(void)c->in->easy.host->post(c->in->easy.host, adapters_settle, c);
}

void
adapters_start(struct cluster *c)
{
	settle_later(c);
}

/* -- orders and questions -- */

int32_t
adapter_tell(struct adapter *a, const struct hostd_sio_order *o)
{
	struct hostd_inst *it = adapter_enter(a);
	int32_t rc;

	if (it == NULL)
		return HOSTD_E_GONE;
	rc = a->ops.tell(it, o);
	adapter_leave(a);
	return rc;
}

int32_t
adapter_ask(struct adapter *a, const struct hostd_sio_question *q, uint64_t id)
{
	struct hostd_inst *it = adapter_enter(a);
	int32_t rc;

	if (it == NULL)
		return HOSTD_E_GONE;
	rc = a->ops.ask(it, q, id);
	adapter_leave(a);
	return rc;
}

void
adapter_cancel(struct adapter *a, uint64_t id)
{
	struct hostd_inst *it = adapter_enter(a);

	if (it == NULL)
		return;
	a->ops.cancel(it, id);
	adapter_leave(a);
}

int
adapters_sync(struct cluster *c)
{
	struct adapter *a = adapter_up(c);
	struct hostd_inst *it;

	if (a == NULL || a->ops.sync == NULL || (it = adapter_enter(a)) == NULL)
		return 0;
	a->ops.sync(it);
	adapter_leave(a);
	return 1;
}

void
adapters_settled(struct cluster *c)
{
	struct hostd_inst *it;
	struct adapter *a;

	LIST_FOREACH(a, &c->adapters, link) {
		if (a->ops.settled == NULL || (it = adapter_enter(a)) == NULL)
			continue;
		a->ops.settled(it);
		adapter_leave(a);
	}
}

/* -- what it says -- */

static struct adapter *
adapter_of(const struct hostd_sio_adapter_api *api)
{
	return api->ctx;
}

static void
api_up(const struct hostd_sio_adapter_api *api, int32_t on)
{
	struct adapter *a = adapter_of(api);

	if (on && !a->is_up)
		lines_up(a->c);
	a->is_up = on != 0;
	settle_later(a->c);
}

static void
api_told(const struct hostd_sio_adapter_api *api,
    const struct hostd_sio_order *o)
{
	cluster_do(adapter_of(api)->c->in, o);
}

/* One that it asked, and that is still being answered. */
struct adapter_asked {
	struct cluster *c;
	hostd_user user;
	uint64_t ref;
};

static void
on_answer(struct hostd_inst *in, void *arg, const struct hostd_sio_reply *r)
{
	struct adapter_asked *q = arg;
	struct hostd_inst *it;
	struct adapter *a;

	LIST_FOREACH(a, &q->c->adapters, link)
		if (a->user.id == q->user.id)
			break;
	if (a != NULL && (it = adapter_enter(a)) != NULL) {
		a->ops.answer(it, q->ref, r);
		adapter_leave(a);
	}
	(void)in;
	if ((r->flags & HOSTD_SIO_LAST) != 0)
		free(q);
}

static void
api_asked(const struct hostd_sio_adapter_api *api, uint64_t ref,
    const struct hostd_sio_question *question)
{
	struct adapter *a = adapter_of(api);
	struct adapter_asked *q = malloc(sizeof(*q));

	if (q == NULL)
		return;
	q->c = a->c;
	q->user = a->user;
	q->ref = ref;
	cluster_answer_here(a->c->in, question, on_answer, q);
}

static void
api_reply(const struct hostd_sio_adapter_api *api, uint64_t id,
    const struct hostd_sio_reply *r)
{
	ask_reply(adapter_of(api)->c, id, r);
}

static void
api_done(const struct hostd_sio_adapter_api *api, uint64_t id, int32_t status)
{
	ask_ended(adapter_of(api)->c, id, status);
}

static void
api_synced(const struct hostd_sio_adapter_api *api)
{
	sync_done(adapter_of(api)->c);
}

/* -- life -- */

static int32_t
check(const struct cluster *c, const struct hostd_sio_adapter_ops *ops,
    struct hostd_err *err)
{
	if (!LIST_EMPTY(&c->adapters))
		return hostd_fail(err, HOSTD_E_INVAL, "another plugin is the "
		    "adapter already; there can be one, so leave one of them "
		    "out");
	return ops->open != NULL && ops->close != NULL && ops->tell != NULL &&
	    ops->ask != NULL && ops->cancel != NULL && ops->answer != NULL ?
	    HOSTD_OK : hostd_fail(err, HOSTD_E_INVAL, "its table lacks one "
	    "of open, close, tell, ask, cancel and answer");
}

static int32_t
attach(struct hostd_inst *in, hostd_user user,
    const struct hostd_user_info *info, const void **table,
    struct hostd_err *err)
{
	const struct hostd_sio_adapter_ops *ops = info->ops;
	struct adapter *a = calloc(1, sizeof(*a));
	int32_t rc;

	if (a == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	memcpy(&a->ops, ops, ops->struct_size < sizeof(a->ops) ?
	    ops->struct_size : sizeof(a->ops));
	if ((rc = check(in->cluster, &a->ops, err)) != HOSTD_OK) {
		free(a);
		return rc;
	}
	a->c = in->cluster;
	a->user = user;
	a->api = (struct hostd_sio_adapter_api){ .struct_size =
	    sizeof(a->api), .ctx = a, .up = api_up, .told = api_told, .asked =
	    api_asked, .reply = api_reply, .done = api_done,
	    .synced = api_synced };
	LIST_INSERT_HEAD(&a->c->adapters, a, link);
	*table = &a->api;
	return HOSTD_OK;
}

static void
adapter_free(struct adapter *a)
{
	LIST_REMOVE(a, link);
	free(a);
}

static void
detach(struct hostd_inst *in, hostd_user user)
{
	struct adapter *a, *next;

	for (a = LIST_FIRST(&in->cluster->adapters); a != NULL; a = next) {
		next = LIST_NEXT(a, link);
		if (a->user.id == user.id)
			adapter_free(a);
	}
}

const struct hostd_offer cluster_offer = {
	.struct_size = sizeof(cluster_offer), .kind = HOSTD_KIND_SIO_ADAPTER,
	.ext = HOSTD_EXT_SIO_ADAPTER, .attach = attach, .detach = detach
};

void
adapters_destroy(struct cluster *c)
{
	struct adapter *a;

	while ((a = LIST_FIRST(&c->adapters)) != NULL)
		adapter_free(a);
}

/* -- addresses of other machines -- */

int32_t
cluster_node_address(struct hostd_inst *in, uint32_t node,
    void (*done)(void *arg, int32_t status, hostd_buf address), void *arg)
{
	struct cluster *c = in->cluster;
	struct adapter *a = adapter_up(c);
	struct hostd_inst *it;
	struct peer *p;
	char name[24];
	int32_t rc;

	LIST_FOREACH(p, &c->peers, link)
		if (cluster_short_node(p->node) == node &&
		    *p->address != '\0') {
			done(arg, HOSTD_OK, hostd_str(p->address));
			return HOSTD_OK;
		}
	if (a == NULL || a->ops.get == NULL || (it = adapter_enter(a)) == NULL)
		return HOSTD_E_GONE;
	(void)snprintf(name, sizeof(name), "%" PRIx32, node);
	rc = a->ops.get(it, hostd_str(name), done, arg);
	adapter_leave(a);
	return rc;
}
