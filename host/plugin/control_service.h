/* SPDX-License-Identifier: BSD-2-Clause */
/* What instances have asked the master for: what the worker hears of it. */
#ifndef PLUGIN_CONTROL_SERVICE_H
#define PLUGIN_CONTROL_SERVICE_H

#include <stddef.h>
#include "net/chan.h"

struct plugins;

/* A CHAN_TOLD. */
void	control_service_told(struct plugins *, const struct chan_msg *);
/* The master will answer nothing any more. */
void	control_service_orphaned(struct plugins *);

#endif
