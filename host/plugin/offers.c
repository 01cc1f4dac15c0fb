/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <hostd/offer.h>
#include "base/log.h"
#include "base/mem.h"
#include "plugin/offers.h"
#include "plugin/plugins.h"

/* One instance's use of one offer. */
struct offer_use {
	LIST_ENTRY(offer_use) link;	/* of what the instance uses */
	uint64_t id;			/* hostd_user */
	struct instance *in, *by;
	const struct hostd_offer *offer;
	const void *table;
	struct instance_outer outer;	/* while one of its functions runs */
};

/* -- who offers what -- */

static const struct hostd_offer *
find_offer(const struct module *m, const char *kind)
{
	size_t i;

	for (i = 0; i < m->noffers; i++)
		if (strcmp(m->offers[i].kind, kind) == 0)
			return &m->offers[i];
	return NULL;
}

/* The one that cp's block names, or the only one; *n is how many there are. */
static const struct plugin_loaded *
find_offerer(const struct plugins *all, const struct conf_plugin *cp,
    const char *kind, unsigned *n)
{
	const struct plugin_loaded *l, *found = NULL;
	size_t i;

	*n = 0;
	for (i = 0; i < all->nloaded; i++) {
		l = &all->loaded[i];
		if (l->conf == cp || find_offer(l->module, kind) == NULL ||
		    (cp->offered_by != NULL &&
		    strcmp(cp->offered_by, l->conf->name) != 0))
			continue;
		found = l;
		++*n;
	}
	return found;
}

/* A kind of a later host's, perhaps, of a plugin that has others. */
static int
serves_something(const struct module *m)
{
	size_t i;

	for (i = 0; i < m->nprovides; i++)
		if (module_is_served(&m->provides[i]))
			return 1;
	return 0;
}

static enum offers_found
nobody_offers(const struct conf_plugin *cp, const struct module *m,
    const char *kind, struct conf_errors *errs)
{
	if (cp->offered_by != NULL)
		conf_error(errs, &cp->offered_by_pos, "plugin \"%s\" provides "
		    "%s, which no plugin \"%s\" offers", cp->name, kind,
		    cp->offered_by);
	else if (!serves_something(m))
		conf_error(errs, &cp->pos, "plugin \"%s\" provides %s, which "
		    "this host does not serve, and no other plugin here "
		    "offers", cp->name, kind);
	else {
		log_warnx("plugin %s: provides %s, which this host does not "
		    "serve, and no other plugin here offers", cp->name, kind);
		return OFFERS_READY;
	}
	return OFFERS_NOWHERE;
}

static enum offers_found
look_for_kind(struct plugins *all, const struct conf_plugin *cp,
    const struct module *m, const char *kind, struct conf_errors *errs)
{
	const struct plugin_loaded *l;
	unsigned n;

	l = find_offerer(all, cp, kind, &n);
	if (n == 0)
		return nobody_offers(cp, m, kind, errs);
	if (n == 1)
		return l->in != NULL ? OFFERS_READY : l->done ?
		    OFFERS_ELSEWHERE : OFFERS_WAIT;
	conf_error(errs, &cp->pos, "plugin \"%s\" provides %s, which %u "
	    "plugins offer; choose one: offered_by = \"%s\"", cp->name, kind,
	    n, l->conf->name);
	return OFFERS_NOWHERE;
}

/* Where what it uses is not, what else it provides may still be wanted. */
enum offers_found
offers_look(struct plugins *all, const struct conf_plugin *cp,
    const struct module *m, struct conf_errors *errs)
{
	enum offers_found found, worst = OFFERS_READY;
	size_t i;

	for (i = 0; i < m->nprovides; i++) {
		if (module_is_served(&m->provides[i]))
			continue;
		found = look_for_kind(all, cp, m, m->provides[i].info.kind,
		    errs);
		if (found == OFFERS_ELSEWHERE && serves_something(m))
			found = OFFERS_READY;
		if (found > worst)
			worst = found;
	}
	return worst;
}

/* -- users -- */

static int
use_attach(struct offer_use *u, const struct module_provide *p,
    struct conf_errors *errs)
{
	struct hostd_err err = { .struct_size = sizeof(err) };
	struct hostd_user_info info = { .struct_size = sizeof(info) };
	struct instance *in = u->in, *by = u->by;
	uint64_t entered;
	int32_t rc;

	info.name = in->conf->name;
	info.provide = p->info.name;
	info.ops = p->info.ops;
	entered = instance_enter(by, BOARD_CB_ATTACH);
	rc = u->offer->attach(by->inst, (hostd_user){ u->id }, &info,
	    &u->table, &err);
	instance_leave(by, entered);
	if (rc >= 0)
		return 0;
	err.msg[sizeof(err.msg) - 1] = '\0';
	conf_error(errs, &in->conf->pos, "plugin \"%s\" (%s): plugin \"%s\" "
	    "refuses its %s: %s", in->conf->name, in->module->display,
	    by->conf->name, p->info.kind, err.msg[0] != '\0' ? err.msg :
	    "it gave no reason");
	return -1;
}

static void
use_free(struct offer_use *u)
{
	LIST_REMOVE(u, link);
	handle_free(&u->in->all->users, u->id);
	free(u);
}

static int
attach_one(struct instance *in, const struct module_provide *p,
    struct conf_errors *errs)
{
	const struct plugin_loaded *l;
	struct offer_use *u;
	unsigned n;

	l = find_offerer(in->all, in->conf, p->info.kind, &n);
	if (n != 1 || l->in == NULL)
		return 0;	/* which has been said, or it is elsewhere */
	u = xcalloc(1, sizeof(*u));
	u->in = in;
	u->by = l->in;
	u->offer = find_offer(l->module, p->info.kind);
	u->id = handle_new(&in->all->users, u);
	LIST_INSERT_HEAD(&in->uses, u, link);
	if (use_attach(u, p, errs) == 0)
		return 0;
	use_free(u);
	return -1;
}

int
offers_attach(struct instance *in, struct conf_errors *errs)
{
	const struct module *m = in->module;
	size_t i;

	for (i = 0; i < m->nprovides; i++)
		if (!module_is_served(&m->provides[i]) &&
		    attach_one(in, &m->provides[i], errs) == -1)
			return -1;
	return 0;
}

void
offers_detach(struct instance *in)
{
	struct offer_use *u;
	uint64_t entered;

	while ((u = LIST_FIRST(&in->uses)) != NULL) {
		entered = instance_enter(u->by, BOARD_CB_ATTACH);
		u->offer->detach(u->by->inst, (hostd_user){ u->id });
		instance_leave(u->by, entered);
		use_free(u);
	}
}

const void *
offers_ext(const struct instance *in, const char *id)
{
	const struct offer_use *u;

	LIST_FOREACH(u, &in->uses, link)
		if (u->offer->ext != NULL && strcmp(u->offer->ext, id) == 0)
			return u->table;
	return NULL;
}

/* -- hostd.offer/1 -- */

static struct offer_use *
find_use(const struct hostd_host *host, hostd_user user, const char *function)
{
	struct instance *by = host->ctx;
	struct offer_use *u;

	if (instance_check_thread(by, function) != 0)
		return NULL;
	u = handle_get(&by->all->users, user.id);
	return u != NULL && u->by == by ? u : NULL;
}

static struct hostd_inst *
offer_enter(const struct hostd_host *host, hostd_user user)
{
	struct offer_use *u = find_use(host, user, "enter of " HOSTD_EXT_OFFER);

	if (u == NULL || !u->in->started || u->in->ending)
		return NULL;
	instance_enter_within(u->in, BOARD_CB_OFFERED, &u->outer);
	return u->in->inst;
}

static void
offer_leave(const struct hostd_host *host, hostd_user user)
{
	struct offer_use *u = find_use(host, user, "leave of " HOSTD_EXT_OFFER);

	if (u != NULL)
		instance_leave_within(u->in, &u->outer);
}

const struct hostd_offer_api *
offer_service(void)
{
	static const struct hostd_offer_api api = {
		.struct_size = sizeof(api),
		.enter = offer_enter,
		.leave = offer_leave,
	};

	return &api;
}
