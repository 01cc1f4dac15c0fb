/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "ctl/words.h"

/* "-1" is one worker less. */
static int
is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' &&
	    (word[1] < '0' || word[1] > '9');
}

static int
is_flag(const char *word, const char *flag)
{
	size_t n = strlen(word);

	return flag != NULL && n > 2 && strncmp(word, flag, n) == 0;
}

int
words_take(int argc, char **argv, const char *flag, int *is_set)
{
	int i, n = 0;

	for (i = 1; i < argc; i++) {
		if (!is_option(argv[i])) {
			argv[++n] = argv[i];
		} else if (is_flag(argv[i], flag)) {
			*is_set = 1;
		} else {
			(void)fprintf(stderr,
			    "%s: unrecognized option '%s'\n", argv[0], argv[i]);
			return -1;
		}
	}
	argv[n + 1] = NULL;
	return n;
}
