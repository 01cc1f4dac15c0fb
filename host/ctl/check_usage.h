/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process holds: does a round of work give back what it took? */
#ifndef CTL_CHECK_USAGE_H
#define CTL_CHECK_USAGE_H

/*
 * Do round(arg) some times to get warm, then some more, and end the case when
 * descriptors or threads are left, or when the heap grows each time.  what
 * names a round in the message.
 */
void	check_rounds(void (*round)(void *), void *arg, const char *what);

#endif
