/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch = on: reload when a file that the configuration is made of changes.
 *
 * Directories are watched rather than files, so that it does not matter
 * whether a file is written, replaced by another one or missing for a while.
 * What is watched is read from the configuration as it lies on the disk, before
 * each reload: also what a broken one names, so that putting it right is
 * noticed.
 */
#ifndef MASTER_WATCH_H
#define MASTER_WATCH_H

struct master;
struct watch;

/* Watch, or no longer, as the configuration says. */
void	watch_follow(struct master *, int on);
/* No longer; handles close in the loop's next turn. */
void	watch_stop(struct master *);

#endif
