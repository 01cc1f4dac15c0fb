/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the fake host that is taken away when the plugin's right to it
 * ends, so that using it afterwards, or beyond its end, is a fault with a name.
 */
#ifndef CTL_FAKE_MEMORY_H
#define CTL_FAKE_MEMORY_H

#include <stddef.h>

/* n zeroed bytes, aligned to 16, with nothing accessible behind them.  what is
 * for messages and copied. */
void	*guard_alloc(size_t n, const char *what);
/* Its time is over: any access faults from now on.  NULL is ignored. */
void	 guard_retire(void *);

/* n zeroed bytes that no look at the heap sees: what they hold is not the
 * plugin's. */
void	*hidden_alloc(size_t n);
void	 hidden_free(void *, size_t n);

/* Is addr guarded memory?  0 and a text, or -1.  For a signal handler. */
int	 guard_explain(const void *addr, char *text, size_t size);

#endif
