/* SPDX-License-Identifier: BSD-2-Clause */
/* Where servers send clients, as clients have to see it. */
#ifndef HTTP_PROXY_REDIRECT_H
#define HTTP_PROXY_REDIRECT_H

#include <hostd/fetch.h>
#include "settings.h"

/* The value of a Location, in the head's memory if it changes.  host: what the
 * server was asked for, n 0: the group's name. */
hostd_buf redirect_location(const struct settings *, hostd_buf value,
	    const struct facts *, hostd_buf host, struct head *);
/* The same for a Refresh, "5; url=/there". */
hostd_buf redirect_refresh(const struct settings *, hostd_buf value,
	    const struct facts *, hostd_buf host, struct head *);

#endif
