/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * session_store/1: a plugin that keeps sessions.
 *
 * The host does the cookie, its signature and the session's content; a store
 * keeps bytes under a key for a time.  Every call is answered through its op
 * (<hostd/op.h>), bounded by the host's time limit.  A store that is not
 * reachable answers E_IO at once, so that the host can decide.
 */
#ifndef HOSTD_DRAFT_SESSION_STORE_H
#define HOSTD_DRAFT_SESSION_STORE_H

#include <hostd/abi.h>
#include <hostd/op.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_KIND_SESSION_STORE "session_store/1"

/* Flags of hostd_session_store_ops. */
#define HOSTD_STORE_CAS		0x1u	/* set honours expect */
#define HOSTD_STORE_STATELESS	0x2u	/* all is in the key: set makes it, get
					   opens it, nothing is kept */
#define HOSTD_STORE_LOCAL	0x4u	/* not shared with other machines */

/*
 * The plugin's table for "session_store/1".  All [loop].  Keys and values are
 * [call]; keys are 1 to 255 printable ASCII bytes (stateless: up to 4096).
 */
struct hostd_session_store_ops {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_STORE_* */
	uint32_t max_value;	/* bytes; 0: the host's limit */
	uint32_t reserved;

	/*
	 * The value.  Completed OK with the value; OK with p NULL: there is
	 * none, or it has expired.
	 */
	int32_t (*get)(struct hostd_inst *, hostd_buf key, hostd_op op);

	/*
	 * Store value for ttl_ms milliseconds from now (0 is not used).
	 * expect NULL: whatever was there.  Else, for stores with
	 * HOSTD_STORE_CAS, only when the present value is *expect, byte for
	 * byte, or when there is none and expect->p is NULL; otherwise
	 * completed E_STATE, and nothing is changed.
	 * Stateless: key is empty, and the result is the new key.
	 * E_FULL: the store's size limit.
	 */
	int32_t (*set)(struct hostd_inst *, hostd_buf key, hostd_buf value,
	    uint64_t ttl_ms, const hostd_buf *expect, hostd_op op);

	/* Let it live ttl_ms from now.  No such key: completed OK. */
	int32_t (*touch)(struct hostd_inst *, hostd_buf key, uint64_t ttl_ms,
	    hostd_op op);

	/* Remove it.  No such key: completed OK. */
	int32_t (*del)(struct hostd_inst *, hostd_buf key, hostd_op op);

	/* Optional.  How many there are: completed OK with a decimal number. */
	int32_t (*count)(struct hostd_inst *, hostd_op op);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_SESSION_STORE_H */
