/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP dates (RFC 9110 section 5.6.7). */
#ifndef WEB_DATE_H
#define WEB_DATE_H

#include <stddef.h>
#include <time.h>

#define DATE_SIZE 40

void	date_format(time_t, char out[DATE_SIZE]);
/* All three forms.  0, or -1. */
int	date_parse(const char *p, size_t n, time_t *);

#endif
