/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals as people write them, those for real time included. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#define SIGNAL_NAME_MAX 24

/* "TERM", "SIGTERM", "15", "RTMIN+3", "RTMAX-1"; -1: none that can be sent. */
int	signal_parse(const char *);
/* Is it one that can be sent?  The C library keeps some to itself. */
int	signal_is_usable(long long);
/* "SIGTERM", "SIGRTMIN+3"; "signal 32" of those without a name. */
const char *signal_name(int, char buf[SIGNAL_NAME_MAX]);

#endif
