/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a client wants something (RFC 9110 section 12.4.2). */
#ifndef WEB_WEIGHT_H
#define WEB_WEIGHT_H

#include <hostd/abi.h>

/* "0.5" is 500; 0: it is malformed, or not wanted. */
int	weight_parse(hostd_buf);

#endif
