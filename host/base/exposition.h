/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0.
 *
 *	struct exposition x = { .out = &b, .openmetrics = 1 };
 *
 *	exposition_family(&x, "http_requests", EXPOSITION_COUNTER, "All.");
 *	exposition_value(&x, n, 1, "method", "GET", NULL);
 *	exposition_end(&x);
 *	exposition_free(&x);
 *
 * A counter's name is given without _total.  All samples of a family come right
 * behind its head, each set of labels once.
 */
#ifndef BASE_EXPOSITION_H
#define BASE_EXPOSITION_H

#include <stdint.h>
#include "base/buf.h"

enum exposition_type {
	EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM
};

struct exposition {
	struct buf *out;
	int openmetrics;
	enum exposition_type type;	/* of the family */
	struct buf name;		/* its name, NUL-ended */
	struct buf labels;		/* of the sample */
};

struct exposition_bucket {
	int64_t bound;
	uint64_t n;		/* not of those below */
};

/* Both texts are copied; the name has n bytes. */
void	exposition_family_n(struct exposition *, const char *name, size_t n,
	    enum exposition_type, const char *help);
void	exposition_family(struct exposition *, const char *name,
	    enum exposition_type, const char *help);

/*
 * A sample of value / scale, which is 1, 1000 or 1000000, with labels: names
 * and values in turn, and NULL.  Values may be any bytes.
 */
void	exposition_value(struct exposition *, int64_t value, unsigned scale,
	    ...) __attribute__((sentinel));
/* The same with labels that have been written already: a="b",c="d". */
void	exposition_value_of(struct exposition *, int64_t value, unsigned scale,
	    const char *labels);
/* A histogram's; rest is what is above all bounds. */
void	exposition_histogram(struct exposition *,
	    const struct exposition_bucket *, unsigned n, uint64_t rest,
	    int64_t sum, unsigned scale, const char *labels);
/* Labels for these two, until the next call. */
const char *exposition_labels(struct exposition *, ...)
	    __attribute__((sentinel));

void	exposition_end(struct exposition *);
/* Its own memory; out is the caller's. */
void	exposition_free(struct exposition *);

#endif
