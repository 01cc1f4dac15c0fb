/* SPDX-License-Identifier: BSD-2-Clause */
/* The words behind a command that takes one flag, or none. */
#ifndef CTL_WORDS_H
#define CTL_WORDS_H

/*
 * Leaves those that are no options in argv[1] and so on, NULL behind them, and
 * returns how many they are.  -1: it has been said which option there is not.
 * flag, "--now", may be NULL; its beginning will do, as for getopt_long.
 */
int	words_take(int argc, char **argv, const char *flag, int *is_set);

#endif
