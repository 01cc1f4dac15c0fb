/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a URL is a secret: the arguments in which auth blocks look for
 * tokens.  Logs say "***" there, of any route, as a Referer has the URL of
 * another one.
 */
#ifndef HTTP_VEIL_H
#define HTTP_VEIL_H

#include <stddef.h>
#include <hostd/abi.h>
#include "config/model.h"

struct veil {
	size_t n;
	const char **names;	/* the configuration's */
};

void	veil_init(struct veil *, const struct conf *);
void	veil_free(struct veil *);
/* Where in a URL, or a query alone, the next value begins that may not be
 * seen, from a byte on that is no part of one, and where it ends; its length:
 * there is none. */
size_t	veil_next(const struct veil *, hostd_buf url, size_t from,
	    size_t *end);

#endif
