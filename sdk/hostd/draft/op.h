/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * hostd.op/1: one answer that a plugin owes to the host.
 *
 * A callback that is given a hostd_op either returns HOSTD_DEFER and calls
 * `complete` once, from that callback or at any later time; or it returns a
 * negative code, which is the answer, and must not complete.  An op that is
 * not answered within its time limit is answered HOSTD_E_TIMEOUT by the host;
 * its handle is stale from then on, so a late `complete` does no harm.
 */
#ifndef HOSTD_DRAFT_OP_H
#define HOSTD_DRAFT_OP_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_OP "hostd.op/1"

struct hostd_op_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] Append bytes to the result; they are copied.  For results that
	 * come in parts.
	 * Errors: E_GONE, E_FULL (the op's result limit; the op lives on),
	 * E_THREAD.
	 */
	int32_t (*put)(const struct hostd_host *, hostd_op, hostd_buf part);

	/*
	 * [loop] Answer.  status is HOSTD_OK or a negative code; result is
	 * copied and goes behind what was put.  With a negative status the
	 * result is a text for people, and what was put is dropped.  What a
	 * result means is said by the callback that was given the op.
	 * Errors: E_GONE (answered before, or too late), E_INVAL (status above
	 * 0), E_FULL (the result is over the limit; the op is answered E_FULL),
	 * E_THREAD.
	 */
	int32_t (*complete)(const struct hostd_host *, hostd_op, int32_t status,
	    hostd_buf result);

	/* [loop] Milliseconds until the op times out.  Errors: E_GONE,
	 * E_THREAD. */
	int32_t (*left_ms)(const struct hostd_host *, hostd_op, uint64_t *out);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_OP_H */
