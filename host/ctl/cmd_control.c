/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl reload */
#include <stdio.h>

#include "ctl/ctl.h"

int
cmd_reload(const struct ctl *ctl, int argc, char **argv)
{
	json_t *answer = NULL;
	long long n;
	int rc;

	if (argc != 1)
		return ctl_usage(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "cmd", "reload"), &answer);
	n = json_integer_value(json_object_get(answer, "generation"));
	if (!ctl->json && answer != NULL && rc == CTL_OK)
		(void)printf("reloaded, generation %lld is served\n", n);
	else if (!ctl->json && answer != NULL && n > 0)
		(void)fprintf(stderr, "hostctl: not reloaded; generation %lld "
				      "goes on serving\n", n);
	json_decref(answer);
	return rc;
}
