/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cases about states share. */
#ifndef CTL_CHECK_STATE_H
#define CTL_CHECK_STATE_H

#include "ctl/fake_state.h"

/* The i-th wrong one made of a good one: cut short, changed, made longer,
 * noise, of other versions.  0, or -1: there are no more. */
int	state_break(const struct fake_state *good, unsigned i,
	    struct fake_state *bad);
/* The i-th way in which put may refuse a state of n bytes; the same. */
int	state_refuse(size_t n, unsigned i, struct fake_put *);

#endif
