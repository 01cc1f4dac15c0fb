/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A place where sessions are kept, as the session room sees it: the plugin
 * room's side of a session_store plugin, or a fake in tests.
 *
 * Every call is answered through the struct store_call that it was given, once:
 * before the call returns or later from the loop, within timeout_ms, which the
 * store sees to (E_TIMEOUT); unless store_cancel came first.  The call is the
 * caller's memory and has to stay until then.  key, value and expect are the
 * caller's and need to be good only until the call returns.
 *
 * Statuses: HOSTD_OK; E_IO: can't be reached; E_TIMEOUT: does not answer;
 * E_FULL: has no room; E_STATE: see set; others: it is broken.
 */
#ifndef SESSION_STORE_H
#define SESSION_STORE_H

#include <stdint.h>
#include <hostd/session_store.h>

struct session_store;

struct store_call {
	/*
	 * value: for get what is there, p NULL: nothing, or no more; for set
	 * of a stateless store the new key; for others nothing.  Good until
	 * done returns.  done may start another call with the same store_call.
	 */
	void (*done)(struct store_call *, int32_t status, hostd_buf value);
	int64_t timeout_ms;
	struct session_store *store;	/* of the call under way; NULL: none */
	uint64_t token;			/* the store's: which one it is */
};

struct session_store {
	const char *name;	/* for the log: "sessions" */
	unsigned flags;		/* HOSTD_STORE_* */
	size_t max_value;	/* bytes; 0: any */
	size_t max_key;		/* SESSION_KEY_MAX or SESSION_TOKEN_MAX */

	void (*get)(struct session_store *, struct store_call *,
	    hostd_buf key);
	/*
	 * Keep value for ttl_ms, above 0.  expect NULL: whatever is there.
	 * Else, with HOSTD_STORE_CAS, only if that is there, byte for byte, or,
	 * if its p is NULL, nothing is; otherwise E_STATE, and nothing is
	 * changed.
	 */
	void (*set)(struct session_store *, struct store_call *,
	    hostd_buf key, hostd_buf value, int64_t ttl_ms,
	    const hostd_buf *expect);
	/* Keep it for ttl_ms from now.  No such key: OK. */
	void (*touch)(struct session_store *, struct store_call *,
	    hostd_buf key, int64_t ttl_ms);
	/* No such key: OK. */
	void (*del)(struct session_store *, struct store_call *,
	    hostd_buf key);
	/* done is not called any more.  Whether it has been done nobody
	 * knows. */
	void (*cancel)(struct session_store *, struct store_call *);
};

static inline int
store_is_busy(const struct store_call *c)
{
	return c->store != NULL;
}

static inline void
store_cancel(struct store_call *c)
{
	if (c->store != NULL)
		c->store->cancel(c->store, c);
	c->store = NULL;
}

/* For stores: the call is answered. */
static inline void
store_answer(struct store_call *c, int32_t status, hostd_buf value)
{
	c->store = NULL;
	c->done(c, status, value);
}

#endif
