/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

/* Names of the blocks at the top level, and of those that are only within
 * others; NULL-ended. */
extern const char *const conf_block_names[];
extern const char *const conf_inner_names[];

#endif
