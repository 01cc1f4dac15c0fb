/* SPDX-License-Identifier: BSD-2-Clause */
/* What is different between two generations, by the names that the operator
 * knows. */
#ifndef MASTER_CHANGES_H
#define MASTER_CHANGES_H

#include <jansson.h>
#include "config/snapshot.h"

/*
 * [{"file": "/etc/hostd/conf.d/chat.so", "change": "changed"}, ...]; a change
 * is "added", "removed" or "changed".
 */
json_t	*changes_between(const struct snapshot *before,
	    const struct snapshot *after);

#endif
