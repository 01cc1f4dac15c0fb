/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_store/1: a plugin that keeps sessions.
 *
 * The host does the cookie, its signature and what is in a session; a store
 * keeps bytes under a key for a time.  Every call owes an answer through its op
 * (<hostd/op.h>), within the time limit of the session block.  A store that
 * can't be reached says so at once, with E_IO, so that the host can decide; it
 * never waits for a connection to come back.
 *
 * A store may be asked by all workers of a machine, and, unless it says
 * HOSTD_STORE_LOCAL, of all machines.  What set has answered HOSTD_OK is what
 * every get that is called afterwards, in any of them, answers.
 */
#ifndef HOSTD_SESSION_STORE_H
#define HOSTD_SESSION_STORE_H

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
#define HOSTD_STORE_LOCAL	0x4u	/* other machines don't have it */

/* Longest keys: of a store that keeps something, and of a stateless one. */
#define HOSTD_STORE_KEY_MAX	255
#define HOSTD_STORE_TOKEN_MAX	4096

/*
 * The plugin's table for "session_store/1".  All [loop].  Keys and values are
 * [call].  A key has only printable ASCII, 0x21 to 0x7e; it may be one that a
 * client made up.
 *
 * Results that any op may be answered with, beside what is said below: E_IO
 * (can't be reached, or what it keeps is damaged), E_FULL (no room is left).
 */
struct hostd_session_store_ops {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_STORE_* */
	uint32_t max_value;	/* bytes; 0: the host's limit */
	uint32_t reserved;

	/*
	 * The value: answered HOSTD_OK with it as the result, or without a
	 * result: there is none, or its time is over.
	 */
	int32_t (*get)(struct hostd_inst *, hostd_buf key, hostd_op op);

	/*
	 * Keep value for ttl_ms milliseconds from now, which is above 0.
	 *
	 * expect NULL: whatever was there.  Else, only if what is there is
	 * *expect, byte for byte, or, if expect->p is NULL, if there is
	 * nothing; otherwise answered E_STATE, and nothing is changed.
	 * expect is always NULL for stores without HOSTD_STORE_CAS.
	 *
	 * Stateless: key is empty, and the result is the new key, at most
	 * HOSTD_STORE_TOKEN_MAX bytes; it has to be answered in this call,
	 * E_FULL if that is not enough.
	 */
	int32_t (*set)(struct hostd_inst *, hostd_buf key, hostd_buf value,
	    uint64_t ttl_ms, const hostd_buf *expect, hostd_op op);

	/*
	 * Let what is there live ttl_ms from now, even if that is shorter.  No
	 * such key is HOSTD_OK.  It may come a little late, or be left out if
	 * it would make little difference: a hundredth of ttl_ms.  Stateless
	 * stores need none.
	 */
	int32_t (*touch)(struct hostd_inst *, hostd_buf key, uint64_t ttl_ms,
	    hostd_op op);

	/* Remove it.  No such key is HOSTD_OK.  Stateless stores need none. */
	int32_t (*del)(struct hostd_inst *, hostd_buf key, hostd_op op);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_SESSION_STORE_H */
