/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include "worker/state.h"

/* From here on we reach what we need, and nothing else.  Privileges are gone,
 * no plugin is loaded, and there are no threads.  Errors are added. */
void	worker_confine(struct worker *);

#endif
