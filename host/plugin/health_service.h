/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PLUGIN_HEALTH_SERVICE_H
#define PLUGIN_HEALTH_SERVICE_H

#include <hostd/health.h>
#include "base/dependency.h"

struct plugins;

/* What was shown last. */
struct health_view {
	struct hostd_node_health node;
	size_t n;
	struct dependency all[DEPENDENCIES_MAX];
	struct hostd_dependency_state one[DEPENDENCIES_MAX];
};

/* All that the node depends on, upstreams included. */
size_t	dependencies_look(const struct plugins *,
	    struct dependency out[DEPENDENCIES_MAX]);

#endif
