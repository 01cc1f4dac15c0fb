/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.auth/1: who a client is, by the auth block of the route.
 *
 * The host has checked the token or the password before a plugin sees the
 * request, or the upgrade that a WebSocket begins with; whoever could not show
 * one never comes here.  A WebSocket stays whose it was, wherever it moves, and
 * for as long as it is open, even when the token expires meanwhile.
 *
 * A plugin that asks for names and passwords itself, by a form, say, may have
 * them checked against the users of any auth block.
 */
#ifndef HOSTD_AUTH_H
#define HOSTD_AUTH_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_AUTH "hostd.auth/1"

/* For claim: a string is told as what it says, without quotes and escapes. */
#define HOSTD_CLAIM_TEXT 0x1u

/*
 * What is told is good as long as the request or the WebSocket is, unless it
 * says otherwise.  Any byte may be in it: it is what the token, or the client,
 * has said.  All [loop].
 *
 * Errors of those that tell: E_INVAL (out or name is NULL, or unknown flags),
 * E_GONE (a stale handle), E_NOTSUP (the route has no auth block), E_THREAD.
 */
struct hostd_auth_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Since 1.3.  The user's name: of a token the claim that the auth
	 * block has chosen ("sub", unless it says otherwise), n 0 when the
	 * token does not have it.
	 */
	int32_t (*user)(const struct hostd_host *, hostd_req, hostd_buf *out);
	/*
	 * Since 1.3.  All claims of the token: a JSON object, byte for
	 * byte as it was signed.  Of members of one name the last is the one
	 * that counts.  n 0: there is no token, the client has shown a
	 * password.
	 */
	int32_t (*claims)(const struct hostd_host *, hostd_req,
	    hostd_buf *out);
	/*
	 * Since 1.3.  One claim, as JSON or with HOSTD_CLAIM_TEXT; then
	 * good until the next call.  name is NUL-ended.  No such claim is
	 * HOSTD_OK, and out->p is NULL.
	 */
	int32_t (*claim)(const struct hostd_host *, hostd_req,
	    const char *name, uint32_t flags, hostd_buf *out);

	/* Since 1.3.  The same of a WebSocket, from its upgrade on. */
	int32_t (*ws_user)(const struct hostd_host *, hostd_ws,
	    hostd_buf *out);
	int32_t (*ws_claims)(const struct hostd_host *, hostd_ws,
	    hostd_buf *out);
	int32_t (*ws_claim)(const struct hostd_host *, hostd_ws,
	    const char *name, uint32_t flags, hostd_buf *out);

	/*
	 * Since 1.3.  Is there an auth block of that name that has users and
	 * passwords (type = basic)?  It need not be of any route.  NUL-ended.
	 * Errors: E_NOTSUP (there is none), E_INVAL (NULL), E_THREAD.
	 */
	int32_t (*has_users)(const struct hostd_host *, const char *auth);
	/*
	 * Since 1.3.  Is that the password of that user of an auth block, as
	 * somebody says by this request?  Both are copied.  It is found out on
	 * a thread, and takes as long if there is no such user.
	 *
	 * HOSTD_OK: it is, which is remembered from before; done is not called.
	 * HOSTD_DEFER: done(inst, arg, status) is called later, once, unless
	 * the request ends before; status is HOSTD_OK (it is) or E_INVAL (it
	 * is not, or there is no such user).
	 *
	 * Errors: E_INVAL (done or auth is NULL; or it can't be: there is a NUL
	 * in it, or more than 766 bytes of both); E_NOTSUP (no such auth
	 * block); E_FULL (too many want to know: try again in a second);
	 * E_GONE; E_THREAD.
	 */
	int32_t (*check_password)(const struct hostd_host *, hostd_req,
	    const char *auth, hostd_buf user, hostd_buf password,
	    void (*done)(struct hostd_inst *, void *arg, int32_t status),
	    void *arg);

	/*
	 * Since 1.5.  Is there an auth block of that name that checks tokens
	 * (type = jwt)?  As has_users.
	 */
	int32_t (*has_tokens)(const struct hostd_host *, const char *auth);
	/*
	 * Since 1.5.  A token that has come in another way than by a request,
	 * in a message, say.  HOSTD_OK: the auth block lets it in; *user and
	 * *claims, which may be NULL, are as above, and good until the next
	 * call.
	 * Errors: E_INVAL (it is not let in; auth or user is NULL), E_NOTSUP
	 * (no such auth block), E_THREAD.
	 */
	int32_t (*check_token)(const struct hostd_host *, const char *auth,
	    hostd_buf token, hostd_buf *user, hostd_buf *claims);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_AUTH_H */
