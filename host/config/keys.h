/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

/* Names of the blocks at the top level; NULL-ended. */
extern const char *const conf_block_names[];

#endif
