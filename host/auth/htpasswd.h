/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Users and the hashes of their passwords: lines "name:hash", which may have
 * more behind another colon; "#" begins a comment.
 */
#ifndef AUTH_HTPASSWD_H
#define AUTH_HTPASSWD_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>
#include "base/map.h"

#define HTPASSWD_WHY	160

struct users {
	struct map hashes;	/* name -> char *, for crypt(3) */
	char **v;		/* the same */
	size_t n;
};

/* NULL and a reason, which names the line and never a hash: one that crypt(3)
 * does not know, or that is as good as none, is refused. */
struct users *users_parse(const char *, size_t n, char why[HTPASSWD_WHY]);
void	users_free(struct users *);

/* The hash of that name; NULL: there is none. */
const char *users_hash(const struct users *, hostd_buf name);
/* Somebody's, to have as much to do for a name that there is not; always the
 * same one's for the same number. */
const char *users_stand_in(const struct users *, uint32_t number);

/* Takes its time.  Any thread. */
int	password_fits(const char *password, const char *hash);

#endif
