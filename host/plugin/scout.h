/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What plugins need of a sandbox is in their descriptors, and to read these is
 * to run their code.  So a process of its own loads them first, in the
 * narrowest sandbox, and tells; this one loads them when it has its own.
 */
#ifndef PLUGIN_SCOUT_H
#define PLUGIN_SCOUT_H

#include "base/board.h"
#include "config/model.h"
#include "config/snapshot.h"
#include "sandbox/sandbox.h"

/* Add to wide what the plugins of conf declare, as far as they could be loaded
 * in narrow.  Directories that they are to write in are made. */
void	scout_plugins(const struct conf *, const struct snapshot *,
	    struct board_cell *, const struct sandbox *narrow,
	    struct sandbox *wide);

#endif
