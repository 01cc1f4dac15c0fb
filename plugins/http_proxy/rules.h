/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers that the operator sets, adds or takes away. */
#ifndef HTTP_PROXY_RULES_H
#define HTTP_PROXY_RULES_H

#include "template.h"

struct rule {
	hostd_buf name;			/* [instance] */
	struct template value;
};

struct rules {
	struct rule *v;
	uint32_t n;
};

/* Items of a list: "Name: value", or names alone.  HOSTD_OK, or a negative code
 * with err filled. */
int32_t	rules_read(struct rules *, const struct hostd_conf *, const char *key,
	    int with_value, struct hostd_err *);
void	rules_free(struct rules *);
/* Is it set to something that is not the same for all requests? */
int	rules_vary(const struct rules *, hostd_buf name);
int	rules_have(const struct rules *, hostd_buf name);
/* All of them, with their values; those that are empty only name. */
void	rules_add(const struct rules *, const struct facts *, struct head *);

/* Is a header of that name the host's own to set? */
int	rules_is_owned(hostd_buf name);
/* If not, and it is a name at all, the plugin may. */
int	rules_may_set(hostd_buf name);

#endif
