/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that keys are in.  Errors as in keys.h. */
#ifndef SESSION_TOKEN_FILE_H
#define SESSION_TOKEN_FILE_H

#include "keys.h"

/* A file that nobody has but who may change hostd's configuration, and whoever
 * is of its group. */
struct keys *keys_read(const char *path, char *why, size_t size);

/* A file with one key, made by whoever comes first: of all that start at once
 * each reads the same. */
struct keys *keys_make(const char *path, char *why, size_t size);

#endif
