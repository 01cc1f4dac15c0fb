/* SPDX-License-Identifier: BSD-2-Clause */
/* Durations, sizes and counts as people write them.  0, or -1 when wrong. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

/* "250ms", "30s", "5m", "1h", "1d", a bare number is seconds -> ms. */
int	duration_parse(const char *, int64_t *ms);
/* "512", "16k", "1m", "2g" (powers of 1024) -> bytes. */
int	size_parse(const char *, int64_t *bytes);
/* Decimal, with sign. */
int	int_parse(const char *, int64_t *);
/* "0.01", "1", from 0 to 1 -> parts of RATIO_ONE. */
#define RATIO_ONE 1000000000
int	ratio_parse(const char *, int64_t *);
/* "on", "off", "true", "false", "yes", "no" -> 1, 0. */
int	bool_parse(const char *, int *);

#endif
