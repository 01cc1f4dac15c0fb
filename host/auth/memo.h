/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom has been let in of late: what is slow to check need not be checked with
 * each request.  Nothing that was said is kept, only its hash under a key that
 * is this process's own; there is a fixed number of places, and who was let in
 * longest ago loses his.
 */
#ifndef AUTH_MEMO_H
#define AUTH_MEMO_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>
#include "http/identity.h"

#define MEMO_MAC	32

struct memo_place {
	unsigned char mac[MEMO_MAC];
	uint64_t until;		/* 0: free */
	struct identity *who;
};

struct memo {
	EVP_MAC_CTX *hmac;	/* with the key */
	struct memo_place *places;	/* NULL: not used yet */
};

/* 0, or -1: there is no random key to be had. */
int	memo_init(struct memo *);
/* What was said, as what is kept of it. */
void	memo_mac(const struct memo *, hostd_buf, unsigned char mac[MEMO_MAC]);
/* Who that was; NULL: it is to be checked.  All times are of one clock. */
struct identity *memo_get(const struct memo *,
	    const unsigned char mac[MEMO_MAC], uint64_t now);
void	memo_put(struct memo *, const unsigned char mac[MEMO_MAC],
	    struct identity *, uint64_t until);
void	memo_forget(struct memo *);
/* The key, too. */
void	memo_close(struct memo *);

#endif
