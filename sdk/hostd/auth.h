/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.auth/1: who a client is, by the auth block of the route.
 *
 * The host has checked the token or the password before a plugin sees the
 * request, or the upgrade that a WebSocket begins with; whoever could not show
 * one never comes here.  A WebSocket stays whose it was, wherever it moves, and
 * for as long as it is open, even when the token expires meanwhile.
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
 * Errors of all of them: E_INVAL (out or name is NULL, or unknown flags),
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
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_AUTH_H */
