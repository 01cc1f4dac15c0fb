/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.ready/1: hold back "this worker is ready" until something slow is
 * done, such as a first connection to a database.
 *
 * A worker that is held back takes no traffic; during a reload the one that it
 * is to replace goes on serving, and the next one is not begun.  A plugin that
 * can do without just asks for this table and finds NULL.
 */
#ifndef HOSTD_READY_H
#define HOSTD_READY_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_READY "hostd.ready/1"

struct hostd_ready_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] Until start has returned.  The worker is not ready before
	 * each hold is released.  reason, NUL-ended and [call], is shown to
	 * whoever waits; at most 127 bytes of it.  The loop runs meanwhile:
	 * timers fire, connections are made, work is done.  A worker that is
	 * not ready within ready_timeout is ended, and the reason told.  When
	 * plugins are only tried, as hostd -t does, nobody waits.
	 * Errors: E_INVAL (no reason), E_STATE (start has returned),
	 * E_THREAD.
	 */
	int32_t (*hold)(const struct hostd_host *, const char *reason);

	/*
	 * [loop] Release one hold.  status HOSTD_OK: go on.  Negative: this
	 * worker will not do, and a reload is refused; text says why, and may
	 * be empty.
	 * Errors: E_INVAL (status above 0, text.p NULL with text.n above 0),
	 * E_STATE (nothing is held), E_THREAD.
	 */
	int32_t (*release)(const struct hostd_host *, int32_t status,
	    hostd_buf text);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_READY_H */
