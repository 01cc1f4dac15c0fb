/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PLUGIN_NET_SERVICE_H
#define PLUGIN_NET_SERVICE_H

struct instance;
struct plugins;

/* For instance_stop: end the instance's connections; on_close of each is
 * called. */
void	net_service_stop(struct instance *);
/* After all instances have ended. */
void	net_service_close(struct plugins *);

#endif
