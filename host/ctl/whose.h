/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pool, worker or plugin somebody means by "web", "web.0", "4711" or
 * "chat". */
#ifndef CTL_WHOSE_H
#define CTL_WHOSE_H

#include <jansson.h>
#include <stddef.h>

/* Is worker ("web.0", of that pid) what is meant, or of the pool that is? */
int	whose_is(const char *worker, long long pid, const char *meant);
/* Does a line of a log name it? */
int	whose_line(const char *line, size_t n, const char *meant);
/* Is an event one of its own, or does it name it? */
int	whose_event(const json_t *event, const char *meant);

#endif
