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

/* Content types: text/plain; version=0.0.4, and
 * application/openmetrics-text; version=1.0.0 */
#define HOSTD_EXPOSITION_TEXT		0u
#define HOSTD_EXPOSITION_OPENMETRICS	1u

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

	/*
	 * [loop] Since minor 4.  All that the node and its plugins measure, as
	 * Prometheus reads it, summed over all workers, those included that
	 * have ended: what is counted never goes down.  format:
	 * HOSTD_EXPOSITION_*.  Metrics of hostd.metrics/1 whose name ends in
	 * _milliseconds or _microseconds are told in seconds, and counters end
	 * in _total.  *out is NUL-ended and good until the next call of any
	 * instance.
	 * Errors: E_INVAL (another format), E_THREAD.
	 */
	int32_t (*exposition)(const struct hostd_host *, uint32_t format,
	    hostd_buf *out);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_STATUS_H */
