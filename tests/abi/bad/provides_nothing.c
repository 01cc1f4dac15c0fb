/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: provides nothing */
#include "plugin.h"

static const struct hostd_provide *const nothing[] = { NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(nothing) };
