/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that a configuration lists, in which "*" stands for any text. */
#ifndef PATTERN_PATTERN_H
#define PATTERN_PATTERN_H

#include <hostd/abi.h>

/* Does any of n patterns match? */
int	pattern_match(const hostd_buf *patterns, uint32_t n, hostd_buf);

#endif
