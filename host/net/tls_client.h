/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What OpenSSL needs to speak TLS with servers: whom to trust, and who we are.
 */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include <stddef.h>
#include <openssl/types.h>

/* Texts are PEM; what is NULL or 0 is the default. */
struct tls_client_options {
	int unchecked;		/* whoever it is, is believed */
	int reuse;		/* sessions are kept (net/tls_sessions.h) */
	const char *ca;		/* whose word is trusted; default: the
				   system's authorities */
	size_t ca_len;
	const char *chain, *key;	/* ours, or none */
	size_t chain_len, key_len;
	const char *ca_file;	/* the same, as files */
	const char *pem_file;
	int min_version, max_version;
};

struct tls_client;

/* NULL: why says what OpenSSL does not like. */
struct tls_client *tls_client_new(const struct tls_client_options *,
	    char *why, size_t size);
void	tls_client_free(struct tls_client *);
/* A connection that is about to say hello to the server of that name, or
 * address, which its certificate has to be of; where it is, as text. */
SSL	*tls_client_connect(struct tls_client *, const char *name,
	    const char *where);

#endif
