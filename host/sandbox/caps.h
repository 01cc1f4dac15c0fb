/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities: root's rights, one by one. */
#ifndef SANDBOX_CAPS_H
#define SANDBOX_CAPS_H

/*
 * For good, for this process and all that it will make or execute: keep what a
 * master needs.  0, or -1 with errno; nothing to do for who is not root.
 */
int	caps_keep_master(void);
/* None may be had by what is executed; before root's user changes. */
int	caps_bound_none(void);
/* Keep none. */
int	caps_drop_all(void);

#endif
