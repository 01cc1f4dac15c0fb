/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board as JSON, for status pages and hostctl:
 *
 *	{ "ready", "node", "version", "pid", "generation", "started_ms",
 *	  "uptime_ms",
 *	  "connections": { "active", "idle", "accepted", "refused", "closed" },
 *	  "requests": { "total", "bad", "status": { "1xx" ... "5xx", "none" },
 *	      "bytes_in", "bytes_out", "latency_ms" as of workers },
 *	  "plugin_errors", "stale_handles", "log_dropped", "slow_callbacks",
 *	  "plugins": [ name ... ],
 *	  "pools": [ { "name", "workers": [ { "slot", "pid", "generation",
 *	      "state", "started_ms", "uptime_ms", "restarts", "active",
 *	      "idle", "accepted", "requests", "latency_ms": { "p50", "p99",
 *	      "buckets": { bound: n } }, "plugins": [ { "name", "module" } ... ]
 *	      } ... ] } ... ] }
 *
 * Pools, and workers in them, are in the order of name, slot and age.
 */
#ifndef BASE_BOARD_JSON_H
#define BASE_BOARD_JSON_H

#include <jansson.h>
#include "base/board.h"

/* A new reference; NULL when memory is short. */
json_t	*board_json(const struct board *);

#endif
