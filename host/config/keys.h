/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stddef.h>
#include <hostd/abi.h>

/* Names of the blocks at the top level, and of those that are only within
 * others; NULL-ended. */
extern const char *const conf_block_names[];
extern const char *const conf_inner_names[];

/* -- for rows -- */

#define KEY(n, t, d, h) { sizeof(struct hostd_key), HOSTD_KEY_##t, 0, n, d, h, \
	0, 0, NULL }
#define KEY_REQ(n, t, h) { sizeof(struct hostd_key), HOSTD_KEY_##t, \
	HOSTD_KEY_REQUIRED, n, NULL, h, 0, 0, NULL }
#define KEY_RANGE(n, t, d, lo, hi, h) { sizeof(struct hostd_key), \
	HOSTD_KEY_##t, 0, n, d, h, lo, hi, NULL }
#define KEY_ENUM(n, d, c, h) { sizeof(struct hostd_key), HOSTD_KEY_ENUM, 0, n, \
	d, h, 0, 0, c }

#define MS(s)	((int64_t)(s) * 1000)
#define DAY	MS(86400)

extern const char *const conf_log_levels[];	/* as enum log_level */
extern const char *const conf_modes[];		/* "http", "stream" */

/* All of a block; those that are not here are keys.c's. */
struct conf_rows {
	const struct hostd_key *keys;
	size_t n;
};
#define CONF_ROWS(keys) { keys, sizeof(keys) / sizeof((keys)[0]) }

extern const struct conf_rows access_log_rows, auth_rows, budget_rows,
	certificate_rows, limit_conn_rows, limit_req_rows, session_rows,
	tls_rows;

#endif
