/* SPDX-License-Identifier: BSD-2-Clause */
/* Who there is to be meant: pools, workers and plugins. */
#ifndef CTL_NAMES_H
#define CTL_NAMES_H

#include "ctl/ctl.h"

/*
 * Has somebody that name, or had it in one of the events that are kept?
 * Returns the exit status of asking.
 */
int	names_know(const struct ctl *, const char *name, int *known);
/* Says that nobody has it, and who there is; CTL_FAILED. */
int	names_refuse(const struct ctl *, const char *name);

#endif
