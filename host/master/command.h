/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hostctl can ask for, by family.  Each of these calls control_end, now or
 * later.
 */
#ifndef MASTER_COMMAND_H
#define MASTER_COMMAND_H

#include <jansson.h>

struct control_client;

/* ---- cmd_events.c ---- */

void	command_events(struct control_client *, const json_t *request);

#endif
