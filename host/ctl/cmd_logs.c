/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl logs */
#include <string.h>

#include "ctl/ctl.h"

int
cmd_logs(const struct ctl *ctl, int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "reopen") != 0)
		return ctl_usage(argv[0]);
	return ctl_ask(ctl, json_pack("{s:s}", "cmd", "logs-reopen"), NULL);
}
