/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake host's side of session_store/1: an op for each call, to be answered
 * within the time that a session block has by default.
 */
#ifndef CTL_FAKE_STORE_H
#define CTL_FAKE_STORE_H

#include <hostd/session_store.h>

#include "ctl/fake_op.h"

#define FAKE_STORE_MS 2000u
#define FAKE_STORE_MAX 1048576u /* bytes of a value */

/* NULL: it has no such table. */
const struct hostd_session_store_ops *fake_store_ops(const struct fake *);

/* Calls; to be freed, or ended by fake_store_end.  key and value are lent. */
struct fake_op *fake_store_get(struct fake *, hostd_buf key);
struct fake_op *fake_store_set(struct fake *, hostd_buf key, hostd_buf value,
	    uint64_t ttl_ms, const hostd_buf *expect);
struct fake_op *fake_store_touch(struct fake *, hostd_buf key,
	    uint64_t ttl_ms);
struct fake_op *fake_store_del(struct fake *, hostd_buf key);

/* Its answer, which must be one that it may give: HOSTD_OK, E_IO, E_FULL,
 * E_TIMEOUT, or E_STATE where something was expected. */
int32_t	fake_store_wait(struct fake_op *, const char *callback, int expects);

#endif
