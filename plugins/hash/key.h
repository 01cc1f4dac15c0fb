/* SPDX-License-Identifier: BSD-2-Clause */
/* What a request is hashed by: text with variables, "$host$uri". */
#ifndef HASH_KEY_H
#define HASH_KEY_H

#include <hostd/easy.h>

#define KEY_PARTS	16

struct key_part {
	int what;		/* of a variable; 0: text */
	hostd_buf text;		/* or the name of $arg_, $http_, $cookie_ */
};

struct key {
	struct key_part v[KEY_PARTS];
	uint32_t n;
};

/* text is kept.  HOSTD_OK, or an error in err. */
int32_t	key_parse(struct key *, hostd_buf text, struct hostd_err *);
/* Of a request; 0 when nothing of it is there. */
int	key_hash(const struct key *, const struct hostd_request *,
	    uint64_t *hash);

#endif
