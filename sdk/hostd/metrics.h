/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.metrics/1: counters, gauges and histograms of a plugin.
 *
 * Names follow Prometheus' rules (https://prometheus.io/docs/practices/naming/)
 * and are prefixed by the host with "hostd_<plugin id>_"; a first label,
 * plugin="<name of the block>", tells the instances of one plugin apart.
 * Values live in memory shared by all workers, so any of them can report the
 * sums: hostd.status/1, http_metrics and `hostctl status --json` do.  Counters
 * and histograms outlive the worker that counted.  Values are whole numbers;
 * give times in milliseconds or microseconds, with that as the end of the name:
 * Prometheus is told seconds.
 */
#ifndef HOSTD_METRICS_H
#define HOSTD_METRICS_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_METRICS "hostd.metrics/1"

enum {
	HOSTD_METRIC_COUNTER = 1,	/* only grows */
	HOSTD_METRIC_GAUGE = 2,
	HOSTD_METRIC_HISTOGRAM = 3
};

#define HOSTD_METRIC_MAX_LABELS 4u
#define HOSTD_METRIC_MAX_BUCKETS 12u

struct hostd_metric {
	uint32_t struct_size;
	uint32_t type;		/* HOSTD_METRIC_* */
	const char *name;	/* [a-z0-9_]+, without the prefix */
	const char *help;	/* one sentence; 127 bytes are kept */
	const char *const *labels;	/* names as above, but not "plugin";
					   NULL-ended, at most 4; NULL: none */
	const int64_t *bounds;	/* HISTOGRAM: upper bounds, ascending */
	uint32_t nbounds;	/* at most 12 */
	uint32_t reserved;
};

struct hostd_metrics_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] In create only.  *id names the metric; without labels it is
	 * also its one series.
	 * Errors: E_INVAL (the log says what is wrong), E_STATE (not in
	 * create), E_FULL, E_THREAD.
	 */
	int32_t (*define)(const struct hostd_host *,
	    const struct hostd_metric *, uint32_t *id);

	/*
	 * [loop] The series of one set of label values (one text per label, at
	 * most 32 bytes each are kept).  Asking again gives the same id; keep
	 * it, this is a lookup.
	 * Errors: E_INVAL, E_FULL (the host's bound on series), E_THREAD.
	 */
	int32_t (*series)(const struct hostd_host *, uint32_t metric,
	    const hostd_buf *values, uint32_t nvalues, uint32_t *id);

	/* [any] COUNTER: delta >= 0.  GAUGE: any delta.  A bad id or type is
	 * ignored. */
	void (*add)(const struct hostd_host *, uint32_t series, int64_t delta);
	/* [any] GAUGE. */
	void (*set)(const struct hostd_host *, uint32_t series, int64_t value);
	/* [any] HISTOGRAM. */
	void (*observe)(const struct hostd_host *, uint32_t series,
	    int64_t value);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_METRICS_H */
