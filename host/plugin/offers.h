/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kinds that plugins offer to each other (hostd.p.offer/1): who offers what,
 * who uses it, and hostd.offer/1.
 */
#ifndef PLUGIN_OFFERS_H
#define PLUGIN_OFFERS_H

#include "config/tree.h"
#include "plugin/instance.h"
#include "plugin/module.h"

struct conf_plugin;
struct plugins;

/* May an instance be made now, as far as it uses what others offer? */
enum offers_found {
	OFFERS_READY,
	OFFERS_WAIT,		/* one that it uses is still to be created */
	OFFERS_ELSEWHERE,	/* it is of use only in workers of other
				   pools */
	OFFERS_NOWHERE		/* an error was added */
};

enum offers_found offers_look(struct plugins *, const struct conf_plugin *,
	    const struct module *, struct conf_errors *);

/* Before create: tell those who offer what it provides.  -1: one has refused,
 * an error was added. */
int	offers_attach(struct instance *, struct conf_errors *);
/* Behind destroy. */
void	offers_detach(struct instance *);
/* What those who offer give to it, by id; NULL: nothing. */
const void *offers_ext(const struct instance *, const char *id);

#endif
