/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions with servers, by which a handshake with one of them is shorter the
 * next time.  They are an SSL_CTX's, so that one goes on only with whom it was
 * begun by the same certificates; the newest of each server is kept.
 */
#ifndef NET_TLS_SESSIONS_H
#define NET_TLS_SESSIONS_H

#include <openssl/types.h>

/* Keep them from now on: 0, or -1: OpenSSL has no room for that. */
int	tls_sessions_keep(SSL_CTX *);
/* A connection that is about to begin, to the server of that name at that
 * address: it goes on with what there is, and what it is given is kept. */
void	tls_sessions_offer(SSL *, const char *name, const char *address);
/* May its server still send some, behind the handshake? */
int	tls_sessions_expects(const SSL *);
/* Its handshake has failed: the next one begins from the beginning. */
void	tls_sessions_forget(const SSL *);

#endif
