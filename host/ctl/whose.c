/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>

#include "base/units.h"
#include "ctl/whose.h"

int
whose_is(const char *worker, long long pid, const char *meant)
{
	const char *dot = strrchr(worker, '.');
	size_t n = strlen(meant);
	int64_t number;

	if (strcmp(worker, meant) == 0)
		return 1;
	if (dot != NULL && (size_t)(dot - worker) == n &&
	    strncmp(worker, meant, n) == 0)
		return 1;
	return int_parse(meant, &number) == 0 && number == pid;
}
