/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl reload, stop, scale, logs: what changes a running hostd. */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "ctl/ctl.h"

/* A last line that says what came of it. */
static int
say_generation(const struct ctl *ctl, int rc, json_t *answer, const char *fine,
    const char *failed)
{
	long long n = json_integer_value(json_object_get(answer, "generation"));

	if (!ctl->json && answer != NULL && rc == CTL_OK)
		(void)printf("%s, generation %lld is served\n", fine, n);
	else if (!ctl->json && answer != NULL && n > 0)
		(void)fprintf(stderr,
		    "hostctl: %s; generation %lld goes on serving\n", failed,
		    n);
	json_decref(answer);
	return rc;
}

int
cmd_reload(const struct ctl *ctl, int argc, char **argv)
{
	json_t *answer = NULL;
	int rc;

	if (argc != 1)
		return ctl_usage(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "cmd", "reload"), &answer);
	return say_generation(ctl, rc, answer, "reloaded", "not reloaded");
}

int
cmd_scale(const struct ctl *ctl, int argc, char **argv)
{
	json_t *answer = NULL, *request;
	int64_t n;
	int rc;

	if (argc != 3 || int_parse(argv[2], &n) == -1)
		return ctl_usage(argv[0]);
	request = json_pack("{s:s,s:s,s:I}", "cmd", "scale", "pool", argv[1],
	    "workers", (json_int_t)n);
	if (request == NULL)
		return ctl_usage(argv[0]); /* not UTF-8 */
	rc = ctl_ask(ctl, request, &answer);
	return say_generation(ctl, rc, answer, "scaled", "not scaled");
}

int
cmd_stop(const struct ctl *ctl, int argc, char **argv)
{
	int now = argc == 2 && strcmp(argv[1], "--now") == 0;

	if (argc != 1 && !now)
		return ctl_usage(argv[0]);
	return ctl_ask(
	    ctl, json_pack("{s:s,s:b}", "cmd", "stop", "now", now), NULL);
}

int
cmd_logs(const struct ctl *ctl, int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "reopen") != 0)
		return ctl_usage(argv[0]);
	return ctl_ask(ctl, json_pack("{s:s}", "cmd", "logs-reopen"), NULL);
}
