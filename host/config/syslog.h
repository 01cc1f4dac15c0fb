/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs that go to syslog, in nginx's words: "syslog:server=ADDRESS" and, each
 * after a comma, facility=, severity=, tag=, rfc=3164 or 5424, nohostname.
 */
#ifndef CONFIG_SYSLOG_H
#define CONFIG_SYSLOG_H

#include <stddef.h>
#include "base/syslog.h"

/* Is that a log of this sort? */
int	syslog_is(const char *path);
/* 0, or -1 with a reason in why. */
int	syslog_parse(const char *path, struct syslog *, char *why,
	    size_t size);
/* The same for lines of the error log: 1, or 0: it is nothing of this sort. */
int	syslog_of_errors(const char *path, struct syslog *);

#endif
