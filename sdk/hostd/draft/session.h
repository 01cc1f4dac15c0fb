/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * hostd.session/1: the session of a request or WebSocket.
 *
 * A session is a JSON object; a key's value is one JSON value as text.  It is
 * loaded when first asked for, and written when the answer begins, only when
 * changed; otherwise its life is extended.  Changes of two requests of one
 * session at the same time are merged key by key where the store can compare
 * and set; with other stores the last one wins.
 */
#ifndef HOSTD_DRAFT_SESSION_H
#define HOSTD_DRAFT_SESSION_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_SESSION "hostd.session/1"

/* One session in use.  Stale when its request or WebSocket has ended. */
typedef struct {
	uint64_t id;
} hostd_session;

/*
 * The host's table.  All [loop].
 *
 * Every function answers E_GONE for a stale handle, E_THREAD off the loop,
 * E_STATE before the session is loaded.
 */
struct hostd_session_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Load the session of a request, or start a new one:
	 * ready(inst, arg, session, status) is called exactly once, later,
	 * unless this call returned a negative code.  status E_IO or E_TIMEOUT:
	 * the store can't be reached.
	 * Errors: E_NOTSUP (the route has no sessions), E_STATE (asked before).
	 */
	int32_t (*open)(const struct hostd_host *, hostd_req,
	    void (*ready)(struct hostd_inst *, void *arg, hostd_session,
	    int32_t status), void *arg);
	/* The same for a WebSocket; its session is the upgrade request's. */
	int32_t (*open_ws)(const struct hostd_host *, hostd_ws,
	    void (*ready)(struct hostd_inst *, void *arg, hostd_session,
	    int32_t status), void *arg);

	/* Value of a key, [call].  Errors: E_INVAL (no such key). */
	int32_t (*get)(const struct hostd_host *, hostd_session,
	    const char *key, hostd_buf *json);
	/* Errors: E_INVAL (not JSON, or a bad key), E_FULL (the session is over
	 * its limit), E_STATE (the answer has begun). */
	int32_t (*set)(const struct hostd_host *, hostd_session,
	    const char *key, hostd_buf json);
	/* Errors: E_STATE.  No such key: OK. */
	int32_t (*del)(const struct hostd_host *, hostd_session,
	    const char *key);

	/* A new id for the same content: call it when a user logs in (session
	 * fixation).  Errors: E_STATE (the answer has begun). */
	int32_t (*regenerate)(const struct hostd_host *, hostd_session);
	/* End it: content, store and cookie.  Errors: E_STATE. */
	int32_t (*destroy)(const struct hostd_host *, hostd_session);

	/*
	 * Write now, and call done(inst, arg, status) exactly once, later,
	 * unless this call returned a negative code.  done may be NULL.  For
	 * WebSockets, whose sessions are not written otherwise.
	 */
	int32_t (*save)(const struct hostd_host *, hostd_session,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status),
	    void *arg);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_SESSION_H */
