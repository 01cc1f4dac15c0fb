/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PLUGIN_METRICS_SERVICE_H
#define PLUGIN_METRICS_SERVICE_H

struct plugins;

/* Forget the definitions; values stay on the board. */
void	metrics_service_close(struct plugins *);

#endif
