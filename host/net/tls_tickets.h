/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of session tickets, which all workers share: the master makes them
 * and writes them to a page, which workers can only read.  The newest one
 * encrypts, those before it decrypt as long as tickets are good for.
 */
#ifndef NET_TLS_TICKETS_H
#define NET_TLS_TICKETS_H

#include <stdint.h>
#include <openssl/ssl.h>
#include "config/model.h"

#define TICKET_KEYS	(CONF_TICKET_ROTATIONS + 4)

struct tls_ticket_key {
	uint8_t name[16];
	uint8_t hmac[32];
	uint8_t aes[32];
	uint32_t hmac_len, aes_len;	/* 16 or 32 */
	uint64_t made_ms;		/* since the machine's boot */
};

struct tls_ticket_page;

struct tls_tickets {
	struct tls_ticket_page *page;
	int fd;				/* the master's own; -1 in workers */
	int reader;			/* for workers */
};

/* The master's, with a first key: 0, or -1 with errno. */
int	tls_tickets_create(struct tls_tickets *);
/* As another master has left it; fd is taken.  EPROTO: it is another
 * version's. */
int	tls_tickets_restore(struct tls_tickets *, int fd);
/* A worker's: the reader that it was given, which is taken. */
int	tls_tickets_attach(struct tls_tickets *, int reader);
void	tls_tickets_close(struct tls_tickets *);

/*
 * The master's: make a new key when there is none that is younger than
 * rotation, and forget those that nothing is good for any more.  ms until it is
 * to be called again.
 */
uint64_t tls_tickets_turn(struct tls_tickets *, uint64_t now_ms,
	    uint64_t rotation_ms, uint64_t lifetime_ms);
uint64_t tls_tickets_clock(void);

/* The keys that there are now, newest first: how many. */
unsigned tls_tickets_read(const struct tls_tickets *,
	    struct tls_ticket_key [TICKET_KEYS]);
/* A key of configuration. */
void	tls_ticket_key_set(struct tls_ticket_key *,
	    const struct conf_ticket_key *);

/* One ticket, by those keys: as SSL_CTX_set_tlsext_ticket_key_evp_cb wants
 * it. */
int	tls_ticket_handle(SSL *, const struct tls_ticket_key *, unsigned n,
	    unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *,
	    EVP_MAC_CTX *, int enc);

#endif
