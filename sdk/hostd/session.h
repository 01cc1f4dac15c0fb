/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.session/1: the session of a request or a WebSocket, which a cookie
 * names.
 *
 * A session is a JSON object; the value of a key is one JSON value.  It is
 * loaded when it is first asked for.  Of a request, it is stored when the
 * answer begins, if it was changed, and the client sees nothing of the answer
 * before the store has it; one that was only read lives longer.  Where the host
 * answers instead, because the plugin has failed, nothing of it is stored.  Of
 * a WebSocket, it is stored by save.
 *
 * Two requests that change one session at the same time do not lose each
 * other's keys if the store can compare and set (HOSTD_STORE_CAS in
 * <hostd/session_store.h>): the changes of both are in it, and of a key that
 * both have set, the later.  With other stores the later answer's session is
 * the one that stays, as a whole.
 *
 * Node's express-session reads and writes the same cookie and the same JSON.
 * The key "cookie" is the host's: plugins may read, but not set it.
 */
#ifndef HOSTD_SESSION_H
#define HOSTD_SESSION_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_SESSION "hostd.session/1"

/* A session in use.  Stale when its request or WebSocket has ended. */
typedef struct {
	uint64_t id;
} hostd_session;

/* For get and set: the value is what a string says, in UTF-8, without quotes
 * and escapes, instead of JSON. */
#define HOSTD_SESSION_TEXT 0x1u

/*
 * All [loop].  Errors of all of them: E_THREAD; E_GONE (a stale handle, or not
 * this instance's); E_INVAL (out or key is NULL, unknown flags).
 */
struct hostd_session_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Since 1.3.  The session of a request, a new one if it has none.
	 *
	 * HOSTD_OK: *out is it, and ready is not called.  HOSTD_DEFER:
	 * ready(inst, arg, session, status) is called later, once, unless the
	 * request ends before; status is HOSTD_OK or an error as below.
	 * Asking again gives the same session.
	 *
	 * Errors: E_NOTSUP (the route has no sessions, or the cookie's path
	 * is not the request's), E_STATE (the answer has begun), E_IO and
	 * E_TIMEOUT (the store can't be asked, or does not answer; with
	 * on_error = anonymous there is an empty session instead, of which
	 * nothing is stored).
	 */
	int32_t (*open)(const struct hostd_host *, hostd_req,
	    hostd_session *out, void (*ready)(struct hostd_inst *, void *arg,
	    hostd_session, int32_t status), void *arg);

	/*
	 * Since 1.3.  The session of a WebSocket, as the store has it now:
	 * that of the upgrade's request.  Like open, but each call loads it
	 * again, and what was not saved is lost; the handle stays the same.
	 * A client that had no session when it came has an empty one, which
	 * can't be saved.
	 * Errors: E_NOTSUP, E_IO, E_TIMEOUT; E_STATE (it is being loaded or
	 * saved).
	 */
	int32_t (*open_ws)(const struct hostd_host *, hostd_ws,
	    hostd_session *out, void (*ready)(struct hostd_inst *, void *arg,
	    hostd_session, int32_t status), void *arg);

	/*
	 * Since 1.3.  The value of a key, good until the session is changed,
	 * and not beyond the callback; with HOSTD_SESSION_TEXT not beyond the
	 * next call.  No such key is HOSTD_OK, and out->p is NULL.
	 * Errors: E_STATE (not loaded, destroyed, or the answer has begun);
	 * E_INVAL (HOSTD_SESSION_TEXT, and the value is no string).
	 */
	int32_t (*get)(const struct hostd_host *, hostd_session,
	    const char *key, uint32_t flags, hostd_buf *out);
	/*
	 * Since 1.3.  key is UTF-8, 1 to 255 bytes; value is copied.
	 * Errors: E_INVAL (the value is no JSON, or no UTF-8; key is none that
	 * may be set), E_FULL (the session would be larger than max_size),
	 * E_STATE.  Nothing is changed then.
	 */
	int32_t (*set)(const struct hostd_host *, hostd_session,
	    const char *key, uint32_t flags, hostd_buf value);
	/* Since 1.3.  No such key is HOSTD_OK.  Errors: E_STATE. */
	int32_t (*del)(const struct hostd_host *, hostd_session,
	    const char *key);
	/* Since 1.3.  All keys but "cookie": a JSON array of strings, good
	 * until the next call.  Errors: E_STATE. */
	int32_t (*keys)(const struct hostd_host *, hostd_session,
	    hostd_buf *out);

	/*
	 * Since 1.3.  The id that the cookie and the store have, good as long
	 * as the session is; n 0: none yet, or the store is stateless.
	 * Whoever knows it and the secret has the session: don't log it.
	 */
	int32_t (*id)(const struct hostd_host *, hostd_session,
	    hostd_buf *out);
	/* Since 1.3.  1: the store does not have it; 0: it does.
	 * Errors: E_STATE. */
	int32_t (*is_new)(const struct hostd_host *, hostd_session);

	/*
	 * Since 1.3.  How long this session lives after it was used last, in
	 * ms, and its cookie with it; 0: until the browser ends, and in the
	 * store for the session block's ttl.  Of a new one that is max_age of
	 * the session block.
	 * Errors: E_STATE; E_INVAL (below 0, or beyond ten years).
	 */
	int32_t (*set_max_age)(const struct hostd_host *, hostd_session,
	    int64_t ms);

	/*
	 * Since 1.3.  A new id for the same content, the old one being of no
	 * use any more; how long it lives is as of any new one.  For whenever
	 * somebody gains rights, above all at a login: an id that others knew
	 * before does not come to have them (session fixation).
	 * Errors: E_STATE (also while it is being saved); E_NOTSUP (a
	 * WebSocket, which can't be given a cookie).
	 */
	int32_t (*regenerate)(const struct hostd_host *, hostd_session);
	/* Since 1.3.  End it: a logout.  Of a WebSocket, with the next save.
	 * Errors: E_STATE. */
	int32_t (*destroy)(const struct hostd_host *, hostd_session);

	/*
	 * Since 1.3.  Store it now, or let it live longer if nothing was
	 * changed.  HOSTD_OK: that is done, and done is not called.
	 * HOSTD_DEFER: done(inst, arg, status), which may be NULL, is called
	 * later, once, unless the request or the WebSocket ends before, whose
	 * session is stored all the same.  What is changed meanwhile is left
	 * for the next save, or for the answer.
	 *
	 * Of a request's session this is rarely needed, and the cookie goes
	 * with the answer all the same.
	 * Errors, here or as status: E_IO, E_TIMEOUT; E_FULL (the store has no
	 * room); E_STATE (somebody else has destroyed it meanwhile, or the
	 * answer has begun); E_NOTSUP (a WebSocket's new session, or the store
	 * is stateless).
	 */
	int32_t (*save)(const struct hostd_host *, hostd_session,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status),
	    void *arg);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_SESSION_H */
