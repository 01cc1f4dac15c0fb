/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One tls block in one worker: what OpenSSL needs to speak TLS by it.
 * Certificates are chosen by the name of the server that the client asks for;
 * those of the same name and of different kinds of key stand side by side.
 */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include "config/model.h"

struct tls_context;
struct tls_tickets;

/*
 * The block must outlive it, and so must the keys of tickets, NULL of which
 * means that none are made but with keys of the block's own.  NULL: errors
 * were added, where the keys of the block are.
 */
struct tls_context *tls_context_new(const struct conf_tls *,
	    struct tls_tickets *, struct conf_errors *);
void	tls_context_free(struct tls_context *);
/* From now on HTTP/2 is offered, too (ALPN). */
void	tls_context_offer_http2(struct tls_context *);
const struct conf_tls *tls_context_conf(const struct tls_context *);

/* For what every connection has in common: it may be called more than once for
 * the same block, of which there is one for each set of certificates. */
void	tls_context_each(struct tls_context *, void (*fn)(SSL_CTX *, void *),
	    void *arg);
/* Has it come through its handshake only to be told in an answer that its
 * certificate was not accepted? */
int	tls_context_refuses(const SSL *);
/* A connection that waits for a client's hello, but for its BIO. */
SSL	*tls_context_accept(struct tls_context *);

#endif
