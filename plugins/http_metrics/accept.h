/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the two formats a client takes (RFC 9110 section 12.5.1). */
#ifndef HTTP_METRICS_ACCEPT_H
#define HTTP_METRICS_ACCEPT_H

#include <hostd/abi.h>

/* Does it want OpenMetrics 1.0 rather than Prometheus' text?  p NULL: it has
 * not said anything. */
int	accept_openmetrics(hostd_buf accept);

#endif
