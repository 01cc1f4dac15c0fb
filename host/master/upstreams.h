/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of servers, as the master writes it: which entries there are is
 * said by the generations in use, by what names lead to, and by hand.
 *
 * Entries of a generation that comes are made before its first worker starts;
 * those that are there stay as they are, so that what is known of a server, and
 * its id, outlive reloads.  When the generation serves, weights and flags are
 * set to what its configuration says: what hands have changed since the reload
 * before is undone, unless the configuration says so by now.  What no
 * generation in use has is freed when nobody has anything there any more.
 */
#ifndef MASTER_UPSTREAMS_H
#define MASTER_UPSTREAMS_H

#include <stdint.h>
#include "upstream/table_json.h"

struct child;
struct children;
struct conf;
struct conf_errors;
struct conf_server;
struct conf_upstream;
struct chan_resolved;
struct generation;
struct master;

/* Entries that no generation in use has, as of the last change. */
struct upstreams_upkeep {
	uint8_t spare[UP_ENTRIES];	/* 0: it is wanted, or free; else 1, and
					   how often in a row nobody was
					   there */
	uint32_t nspare;
	uint32_t sequence;		/* of the table */
	uint32_t nusers;		/* generations in use */
};

/* Entries for all servers that it has; an error when there is no room. */
void	upstreams_stage(struct master *, const struct conf *,
	    struct conf_errors *);
/* g is about to serve.  Returns how many servers are not any more as hands have
 * left them. */
int	upstreams_commit(struct master *, const struct generation *g);
/* Now and then: free what is nobody's. */
void	upstreams_look(struct master *);
/* The worker that looks after servers knows where a name leads. */
void	upstreams_resolved(struct children *, const struct chan_resolved *);

/* -- entries, for those that change them -- */

/* Of conf; NULL: there is none. */
const struct conf_upstream *upstreams_group(const struct conf *,
	    const char *name);
/* Its name is server's. */
int	entry_is_called(const struct up_entry *, const struct conf_server *);
/* Or server is an address, and its own, whatever it is called. */
int	entry_has_address(const struct up_entry *, const struct conf_server *);
/* As the configuration has it. */
void	entry_set(struct up_entry *, const struct conf_server *);
/* The next one of that server behind e, NULL being before all. */
struct up_entry *entry_next(const struct up_table *, const struct up_entry *e,
	    const char *group, const char *server);
/* NULL: the table is full. */
struct up_entry *entry_make(struct up_table *, const char *group,
	    const char *server);
int	same_addr(const struct addr *, const struct addr *);

#endif
