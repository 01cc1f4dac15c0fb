/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * hostd.ready/1: hold back "this worker is ready" until something slow is
 * done, such as a first connection to a database.
 */
#ifndef HOSTD_DRAFT_READY_H
#define HOSTD_DRAFT_READY_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_READY "hostd.ready/1"

struct hostd_ready_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] In create or start only.  The worker takes no traffic, and a
	 * reload does not go on, until every hold is released; reason is shown
	 * to the operator while it waits.  Bounded by ready_timeout.
	 * Errors: E_STATE (start has returned), E_THREAD.
	 */
	int32_t (*hold)(const struct hostd_host *, const char *reason);

	/*
	 * [loop] Release one hold.  status HOSTD_OK: go on.  Negative: this
	 * worker will not do; text says why.
	 * Errors: E_STATE (nothing is held), E_THREAD.
	 */
	int32_t (*release)(const struct hostd_host *, int32_t status,
	    hostd_buf text);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_READY_H */
