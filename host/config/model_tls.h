/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed configuration: certificates, and how TLS is spoken. */
#ifndef CONFIG_MODEL_TLS_H
#define CONFIG_MODEL_TLS_H

#include <stdint.h>
#include <sys/queue.h>
#include "config/tree.h"

/* What was read from a file.  p is NUL-ended; NULL: there is nothing. */
struct conf_text {
	char *path;
	char *p;
	size_t n;
};

/* A server's certificate, which was looked at: it can be read, and the key is
 * its own.  Times are seconds of unix time. */
struct conf_certificate {
	TAILQ_ENTRY(conf_certificate) entry;
	struct conf_pos pos;
	char *name;		/* of the block */
	struct conf_text chain;	/* PEM, the certificate itself comes first */
	struct conf_text key;	/* PEM */
	struct conf_text password;	/* of the key, without line end */
	struct conf_text ocsp;	/* DER, to be stapled */
	int64_t ocsp_until;	/* nobody is to get it any more; 0: no end */
	char **names;		/* lower case, or "*.example.com" */
	size_t nnames;
	int64_t not_before, not_after;
	int allow_expired;
};

enum conf_client_certificates { CONF_CLIENT_OFF, CONF_CLIENT_OPTIONAL,
	CONF_CLIENT_REQUIRED, CONF_CLIENT_OPTIONAL_NO_CA };

#define CONF_TICKET_KEY_MAX	80	/* bytes: name, HMAC, AES */

/* Keys of tickets that several machines share, as nginx has them. */
struct conf_ticket_key {
	char p[CONF_TICKET_KEY_MAX];
	size_t n;		/* 48: AES-128, 80: AES-256 */
};

/* How TLS is spoken at some addresses.  ms. */
struct conf_tls {
	TAILQ_ENTRY(conf_tls) entry;
	struct conf_pos pos;
	char *name;
	struct conf_certificate **certificates;	/* the first is the default */
	size_t ncertificates;
	int strict_sni;
	int min_version, max_version;	/* 0x0303, 0x0304 */
	char *ciphers;		/* of TLS 1.2, as OpenSSL writes them; NULL:
				   defaults, here and below */
	char *suites;		/* of TLS 1.3 */
	char *groups;
	int client_certificates;	/* enum conf_client_certificates */
	struct conf_text client_ca;	/* PEM */
	struct conf_text client_crl;	/* likewise; p NULL: none */
	int client_verify_depth;
	int64_t session_timeout;
	int tickets;
	int64_t ticket_rotation;
	struct conf_ticket_key *ticket_keys;	/* the first encrypts */
	size_t nticket_keys;		/* 0: hostd makes them */
	int64_t handshake_timeout;
	int http2;		/* enum conf_http2 */
};

/* Is HTTP/2 offered?  AUTO is ON. */
enum conf_http2 { CONF_HTTP2_AUTO, CONF_HTTP2_ON, CONF_HTTP2_OFF };

/* How often keys of tickets may change within the time that they are good
 * for. */
#define CONF_TICKET_ROTATIONS	28

/* TLS to the servers of an upstream. */
struct conf_upstream_tls {
	int on;
	int verify;
	int session_reuse;
	char *name;		/* NULL: that of the server */
	struct conf_text ca;	/* p NULL: the system's */
	struct conf_text chain, key;	/* ours; p NULL: none */
	int min_version, max_version;	/* 0x0303, 0x0304 */
};

#endif
