/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STICKY_H
#define STICKY_H

#include <hostd/easy.h>
#include <balance/servers.h>

#define TOKEN_BYTES	16u	/* of the signature */
#define TOKEN_MAX	24u	/* in base64url, NUL included */
#define ATTRIBUTES_MAX	512u

/* A cookie of the application's, and where its session is. */
struct seen {
	uint64_t cookie, server;	/* hashes; cookie 0: free */
	uint32_t used, told;		/* seconds: when the cookie came last,
					   and when others were told */
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	int learns;
	hostd_buf name;			/* of the cookie */
	char attributes[ATTRIBUTES_MAX];
	unsigned char *secret;
	size_t secret_len;
	char channel[128];		/* where workers tell what they learn */
	struct seen *seen;		/* nbuckets of SEEN_WAYS */
	uint32_t nbuckets;
	uint32_t learn_ttl;		/* seconds */
};

/* One group. */
struct group {
	struct servers servers;
	char (*tokens)[TOKEN_MAX];	/* in their order */
};

/* config.c */
extern const struct hostd_key *const sticky_keys[];
int32_t	sticky_configure(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
/* token.c: what stands for a server, and only we can make. */
int32_t	tokens_make(const struct hostd_inst *, struct group *,
	    const struct hostd_peer *const *);
/* Its index; the number of servers when it is none's. */
uint32_t tokens_find(const struct group *, hostd_buf token);

/* learn.c */
int32_t	learn_open(struct hostd_inst *, uint32_t max, struct hostd_err *);
/* Hear what the others learn, and have learned. */
int32_t	learn_start(struct hostd_inst *);
void	learn_answer(struct hostd_inst *, const struct server *,
	    const hostd_hdr *, uint32_t nhdrs);
/* The hash of the server of a cookie's session; 0: not known. */
uint64_t learn_find(struct hostd_inst *, hostd_buf value);
extern const struct hostd_p_state learn_state;

#endif
