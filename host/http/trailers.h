/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields behind a chunked body (RFC 9110 section 6.5).  Zeroed memory is an
 * empty set; memory is taken only when there are some.
 */
#ifndef HTTP_TRAILERS_H
#define HTTP_TRAILERS_H

#include <stdint.h>
#include <hostd/abi.h>
#include "base/buf.h"

struct trailers {
	struct buf raw;		/* lines as chunked_feed has read them */
	hostd_hdr *v;		/* into raw */
	uint32_t n;
};

/* The lines are complete: find the fields.  Those that may not come behind a
 * body are left out. */
void	trailers_split(struct trailers *);
void	trailers_free(struct trailers *);

/* May a field of that name come behind a body?  Not one that frames, routes,
 * authenticates, or says how to read what has been read by then. */
int	is_trailer(hostd_buf name);

#endif
