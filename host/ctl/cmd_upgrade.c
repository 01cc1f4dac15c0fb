/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl upgrade */
#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/words.h"

/* A last line that says who is there now. */
static void
say_upgraded(const json_t *answer, int rc, int keep)
{
	long long n = json_integer_value(json_object_get(answer, "generation"));
	const char *to = json_string_value(json_object_get(answer, "to"));
	const char *from = json_string_value(json_object_get(answer, "from"));

	if (to == NULL || from == NULL)
		return; /* refused at once */
	if (!json_is_true(json_object_get(answer, "upgraded")))
		(void)fprintf(stderr,
		    "hostctl: not upgraded; hostd %s goes on\n", from);
	else if (rc != CTL_OK)
		(void)fprintf(stderr,
		    "hostctl: hostd %s runs, but its workers were not "
		    "replaced; those of generation %lld go on serving\n",
		    to, n);
	else if (keep)
		(void)printf("upgraded, hostd %s runs; workers are kept\n", to);
	else
		(void)printf(
		    "upgraded, hostd %s runs, generation %lld is served\n", to,
		    n);
}

int
cmd_upgrade(const struct ctl *ctl, int argc, char **argv)
{
	int keep = 0, rc;
	json_t *answer = NULL;

	if (words_take(argc, argv, "--keep-workers", &keep) != 0)
		return ctl_usage(argv[0]);
	rc = ctl_ask(ctl,
	    json_pack("{s:s,s:b}", "cmd", "upgrade", "keep_workers", keep),
	    &answer);
	if (!ctl->json && answer != NULL)
		say_upgraded(answer, rc, keep);
	json_decref(answer);
	return rc;
}
