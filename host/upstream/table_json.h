/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of servers beside a configuration: whose is what, and all of it as
 * JSON, for hostctl and status pages. */
#ifndef UPSTREAM_TABLE_JSON_H
#define UPSTREAM_TABLE_JSON_H

#include <jansson.h>
#include "config/model.h"
#include "upstream/table.h"

/* By its name as configured; NULL: the group, which may be NULL, has none. */
const struct conf_server *up_server_find(const struct conf_upstream *,
	    const char *name);
/* Is the entry of that group, and not going? */
int	up_entry_is_of(const struct up_entry *, const struct conf_upstream *);

/*
 * [ { "name", "balancer", "servers": [ { "server", "address", "id", "state",
 *     "reason", "for_ms", "weight", "share" (percent), "max_conns", "backup",
 *     "added", "inflight", "upgraded", "idle", "requests", "failures",
 *     "bytes_in", "bytes_out", "latency_us", "header_us", "fails", "check",
 *     "checked_ms", "last_failure", "last_failure_ms" } ... ] } ... ]
 *
 * in the order of the configuration; only: of one group, NULL: of all.  A new
 * reference.
 */
json_t	*up_table_json(const struct up_table *, const struct conf *,
	    const char *only);

#endif
