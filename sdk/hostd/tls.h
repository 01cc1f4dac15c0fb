/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.tls/1: how a request's connection is secured, and whose certificate its
 * client has shown.
 *
 * Whether clients are asked for one, and whether others are let in, the
 * operator says (client_certificates of a tls block).  A WebSocket has what its
 * upgrade has: keep what on_upgrade is told.  This is of the connection to this
 * host; what a proxy before it says in headers is not looked at.
 */
#ifndef HOSTD_TLS_H
#define HOSTD_TLS_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_TLS "hostd.tls/1"

/* Flags of hostd_tls. */
#define HOSTD_TLS_RESUMED	0x1u	/* the session of a handshake before */
#define HOSTD_TLS_CLIENT	0x2u	/* the client has shown a certificate */
#define HOSTD_TLS_VERIFIED	0x4u	/* which an authority has signed that
					   the operator trusts.  Without it,
					   what is said below anybody can
					   claim */

/* Texts are [request]. */
struct hostd_tls {
	uint32_t struct_size;		/* the caller's sizeof */
	uint32_t flags;			/* HOSTD_TLS_* */
	hostd_buf protocol;		/* "TLSv1.2", "TLSv1.3" */
	hostd_buf cipher;		/* "TLS_AES_128_GCM_SHA256" */
	hostd_buf server_name;		/* that the client has asked for; n 0:
					   none */
	hostd_buf alpn;			/* "http/1.1"; n 0: none was agreed
					   on */
	hostd_buf verify;		/* "NONE", "SUCCESS", "FAILED:reason" */
	hostd_buf subject;		/* of the certificate (RFC 2253); n 0:
					   there is none, here and below */
	hostd_buf issuer;		/* likewise */
	hostd_buf serial;		/* hex */
	hostd_buf fingerprint;		/* its SHA-256, 64 bytes of lower-case
					   hex */
};

/* The host's table.  All [loop]. */
struct hostd_tls_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Since 1.4.  Fill as much of out as its struct_size says.
	 * Errors: E_INVAL (out is NULL, or too small for verify), E_GONE (a
	 * stale handle), E_NOTSUP (the request has not come by TLS), E_THREAD.
	 */
	int32_t (*get)(const struct hostd_host *, hostd_req,
	    struct hostd_tls *out);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_TLS_H */
