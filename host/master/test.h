/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd -t: everything a reload would check, next to a running hostd. */
#ifndef MASTER_TEST_H
#define MASTER_TEST_H

/* Prints what is wrong, or that nothing is; json: {"ok": bool, "conf_file":
 * ..., "errors": [...]}.  Returns the exit status. */
int	test_run(const char *conf_file, const char *exe, int json);

#endif
