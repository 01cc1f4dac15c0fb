/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that the node measures, in the words of Prometheus: what lies behind
 * exposition of hostd.status/1.  Each file knows what one part of it is called.
 */
#ifndef PLUGIN_SCRAPE_H
#define PLUGIN_SCRAPE_H

#include "base/exposition.h"

struct plugins;

/* All of it, the end included. */
void	scrape(const struct plugins *, struct exposition *);

/* Requests, connections, WebSockets. */
void	scrape_traffic(const struct plugins *, struct exposition *);
/* Generations, workers and their processes. */
void	scrape_workers(const struct plugins *, struct exposition *);
/* What plugins depend on, how long they take, and what they count. */
void	scrape_plugins(const struct plugins *, struct exposition *);
void	scrape_upstreams(const struct plugins *, struct exposition *);
void	scrape_limits(const struct plugins *, struct exposition *);

/* A family of one sample without labels. */
void	scrape_one(struct exposition *, const char *name,
	    enum exposition_type, uint64_t value, const char *help);

#endif
