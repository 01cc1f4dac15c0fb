/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers that are for the next hop only (RFC 9110 section 7.6.1). */
#ifndef HTTP_PROXY_HOP_H
#define HTTP_PROXY_HOP_H

#include <hostd/abi.h>

/* What the Connection lines of a message name. */
struct hop {
	const hostd_hdr *headers;
	uint32_t n;
	int names;		/* something that is a header */
};

void	hop_read(struct hop *, const hostd_hdr *, uint32_t n);
/* Must a header of that name not go on? */
int	hop_has(const struct hop *, hostd_buf name);
/* Is there one among them that only a Connection line keeps from going on? */
int	hop_hides(const struct hop *);

#endif
