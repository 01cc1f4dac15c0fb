/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd --dev PLUGIN: one plugin, one worker, no configuration.  All that hostd
 * needs lies in a directory of its own, which goes when it ends.
 */
#ifndef MASTER_DEV_H
#define MASTER_DEV_H

/* Returns the exit status. */
int	dev_run(char **argv, const char *plugin, int port, const char *exe);
/* After an upgrade: if we are one of these, its directory still has to go. */
void	dev_resume(void);

#endif
