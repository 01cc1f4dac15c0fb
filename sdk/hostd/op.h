/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.op/1: one answer that a plugin owes to the host.
 *
 * A callback that is given a hostd_op answers it in one of three ways:
 *
 *   returns HOSTD_OK     done; what it has put is the result
 *   returns a negative   failed; what it has put is dropped
 *   returns HOSTD_DEFER  the answer is what `complete` says, which is called
 *                        once: in that callback, or at any later time
 *
 * What a callback returns that has called `complete` does not matter.  An op
 * that is not answered within its time limit is answered HOSTD_E_TIMEOUT by the
 * host, and HOSTD_E_GONE when its instance ends; its handle is stale from then
 * on, so a late `complete` does no harm.
 */
#ifndef HOSTD_OP_H
#define HOSTD_OP_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_OP "hostd.op/1"

/*
 * All [loop]; E_THREAD elsewhere.  E_GONE: answered before, too late, or not
 * this instance's.  Since ABI 1.3.
 */
struct hostd_op_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Append bytes to the result; they are copied.  For results that come
	 * in parts.
	 * Errors: E_GONE, E_INVAL (p NULL with n above 0), E_FULL (over the
	 * op's result limit: nothing of the part is taken, the op lives on).
	 */
	int32_t (*put)(const struct hostd_host *, hostd_op, hostd_buf part);

	/*
	 * Answer.  status is HOSTD_OK or a negative code.  With HOSTD_OK the
	 * result is what was put and, behind it, this; p NULL is no result,
	 * if nothing was put.  With a negative status what was put is dropped,
	 * and this is a text for people, of which 4096 bytes are kept; p NULL:
	 * no text.  What a result means is said by the callback that was given
	 * the op.
	 * Errors: E_GONE, E_INVAL (status above 0, p NULL with n above 0; the
	 * op lives on), E_FULL (over the limit; the op is answered E_FULL).
	 */
	int32_t (*complete)(const struct hostd_host *, hostd_op,
	    int32_t status, hostd_buf result);

	/* Milliseconds until the op times out.  Errors: E_GONE, E_INVAL. */
	int32_t (*left_ms)(const struct hostd_host *, hostd_op, uint64_t *out);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_OP_H */
