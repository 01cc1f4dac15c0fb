/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.status/1: the live state of the node, for status pages.
 */
#ifndef HOSTD_STATUS_H
#define HOSTD_STATUS_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_STATUS "hostd.status/1"

struct hostd_status_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] The node as one JSON object: node, version, generation,
	 * uptime, pools with their workers, plugins, their metrics,
	 * connections, requests, upstreams with their servers - of all
	 * workers, whichever one is asked.  *out is NUL-ended and good until
	 * the next call of any instance.
	 * Errors: E_THREAD, E_NOMEM.
	 */
	int32_t (*json)(const struct hostd_host *, hostd_buf *out);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_STATUS_H */
