/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a handshake has come to, for whoever wants to know: one piece of memory
 * with all its texts, which goes with the connection.
 */
#ifndef NET_TLS_INFO_H
#define NET_TLS_INFO_H

#include <stdint.h>
#include <openssl/types.h>

struct buf;
struct unpack;

/* A certificate that the client has shown, whether it was accepted or not. */
struct tls_peer {
	const char *verify;		/* "SUCCESS", "FAILED:reason" */
	const char *subject;		/* RFC 2253 */
	const char *issuer;
	const char *serial;		/* hexadecimal */
	const char *fingerprint;	/* SHA-256, hexadecimal, lower case */
};

struct tls_info {
	uint16_t version;		/* TLS_1_2, TLS_1_3 */
	uint16_t suite;			/* IANA's number */
	uint8_t resumed;
	uint8_t has_peer;
	uint8_t is_refused;		/* its certificate was not accepted,
					   which an answer is to say; it does
					   not move */
	const char *protocol;		/* "TLSv1.3" */
	const char *cipher;		/* OpenSSL's name of it */
	const char *alpn;		/* "": none was agreed on */
	const char *server_name;	/* SNI; "": none */
	struct tls_peer peer;		/* if has_peer */
};

/* Of a handshake that has ended well; to be freed by free(). */
struct tls_info *tls_info_new(SSL *);
/* The same for another process, and of it; NULL: it does not fit together. */
void	tls_info_pack(const struct tls_info *, struct buf *);
struct tls_info *tls_info_unpack(struct unpack *);

#endif
