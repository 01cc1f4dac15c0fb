/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONFIG_ROUTES_H
#define CONFIG_ROUTES_H

/* NULL, or what is wrong with a route's path, to follow its name. */
const char *route_pattern_check(const char *path);

#endif
