/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of http_proxy, and how its parts fit together. */
#ifndef HTTP_PROXY_PROXY_H
#define HTTP_PROXY_PROXY_H

#include <hostd/auth.h>
#include <hostd/easy.h>
#include <hostd/fetch.h>
#include <hostd/tls.h>
#include <hostd/trace.h>
#include "cache.h"
#include "gzip.h"
#include "head.h"
#include "request_id.h"
#include "settings.h"

#define PROXY_PIECE	65536	/* of a file at a time */

struct exchange;

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_auth_api *auth;	/* NULL: an older host */
	const struct hostd_fetch_api *fetch;
	const struct hostd_tls_api *tls;	/* likewise */
	const struct hostd_trace_api *trace;	/* NULL: an older host */
	struct cache *cache;		/* NULL: off */
	struct settings settings;
	struct request_ids ids;
	struct exchange *unused;	/* ready for the next request */
	struct gzip *gzips;		/* likewise */
	uint64_t told_ms;		/* when a failure was logged, */
	unsigned told, untold;		/* how many within that second */
	struct head head;
	char piece[PROXY_PIECE];
};

#endif
