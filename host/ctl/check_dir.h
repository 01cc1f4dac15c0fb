/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the instances of a check keep what outlives them: "$state/" of their
 * keys. */
#ifndef CTL_CHECK_DIR_H
#define CTL_CHECK_DIR_H

/* Parent: a directory for all of them; gone with all that is in it. */
void	check_dir_make(void);
void	check_dir_remove(void);

/* Child: rest below the directory of its instance of that number, which is
 * made. */
char	*check_dir_path(unsigned number, const char *rest);

#endif
