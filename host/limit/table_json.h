/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of limits as JSON, for hostctl and status pages. */
#ifndef LIMIT_TABLE_JSON_H
#define LIMIT_TABLE_JSON_H

#include <jansson.h>
#include "limit/table.h"

/* One of "zones" below. */
json_t	*limit_zone_json(const struct limit_table *, unsigned zone);

/*
 * { "zones": [ { "kind": "limit_req", "name", "passed", "delayed", "refused",
 *     "dry_delayed", "dry_refused", "evicted", "uncounted" } ... ],
 *   "shed": { "connections", "memory", "memory_bytes", "turned_away" } }
 *
 * A new reference.
 */
json_t	*limit_table_json(const struct limit_table *);

#endif
