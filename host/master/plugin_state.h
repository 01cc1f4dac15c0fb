/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory that plugins keep things in, which outlive us. */
#ifndef MASTER_PLUGIN_STATE_H
#define MASTER_PLUGIN_STATE_H

#include "config/model.h"

/*
 * Make it, for the workers' user alone, if it is not there.  Nobody is told
 * when it can't be made: a worker whose plugin needs it will say so.
 */
void	plugin_state_make(const struct conf *, const char *path);

#endif
