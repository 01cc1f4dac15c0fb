/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl scale, restart, start, stop, delete, signal. */
#include <stdio.h>

#include "base/signals.h"
#include "base/units.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/words.h"

/* A last line that says what came of it. */
static int
say_done(const struct ctl *ctl, json_t *request, const char *done,
    const char *not_done)
{
	json_t *answer = NULL;
	long long n;
	int rc;

	rc = ctl_ask(ctl, request, &answer);
	n = json_integer_value(json_object_get(answer, "generation"));
	if (!ctl->json && answer != NULL && rc == CTL_OK)
		(void)printf("%s, generation %lld is served\n", done, n);
	else if (!ctl->json && answer != NULL && n > 0)
		(void)fprintf(stderr,
		    "hostctl: %s; generation %lld goes on serving\n", not_done,
		    n);
	json_decref(answer);
	return rc;
}

/* NULL when the name is not UTF-8: there is none of that name. */
static json_t *
request_for(const char *cmd, const char *name)
{
	return name != NULL ? json_pack("{s:s,s:s}", "cmd", cmd, "name", name) :
	    json_pack("{s:s}", "cmd", cmd);
}

/* "3", "+2", "-1" */
int
cmd_scale(const struct ctl *ctl, int argc, char **argv)
{
	json_t *request;
	const char *key, *p;
	int64_t n;

	if (words_take(argc, argv, NULL, NULL) != 2)
		return ctl_usage(argv[0]);
	key = argv[2][0] == '+' || argv[2][0] == '-' ? "more" : "workers";
	p = argv[2][0] == '+' ? argv[2] + 1 : argv[2];
	if (p[0] == '+' || int_parse(p, &n) == -1)
		return ctl_usage(argv[0]);
	request = json_pack("{s:s,s:s,s:I}", "cmd", "scale", "pool", argv[1],
	    key, (json_int_t)n);
	if (request == NULL)
		return ctl_usage(argv[0]);
	return say_done(ctl, request, "scaled", "not scaled");
}

int
cmd_restart(const struct ctl *ctl, int argc, char **argv)
{
	int n = words_take(argc, argv, NULL, NULL);
	json_t *request;

	if (n < 0 || n > 1)
		return ctl_usage(argv[0]);
	request = request_for("restart", argv[1]);
	if (request == NULL)
		return ctl_usage(argv[0]);
	return say_done(ctl, request, "restarted", "not restarted");
}

int
cmd_start(const struct ctl *ctl, int argc, char **argv)
{
	json_t *request;

	if (words_take(argc, argv, NULL, NULL) != 1 ||
	    (request = request_for("start-pool", argv[1])) == NULL)
		return ctl_usage(argv[0]);
	return say_done(ctl, request, "started", "not started");
}

int
cmd_delete(const struct ctl *ctl, int argc, char **argv)
{
	json_t *request;

	if (words_take(argc, argv, NULL, NULL) != 1 ||
	    (request = request_for("delete", argv[1])) == NULL)
		return ctl_usage(argv[0]);
	return say_done(ctl, request, "deleted", "not deleted");
}

/* A pool, or all of hostd. */
int
cmd_stop(const struct ctl *ctl, int argc, char **argv)
{
	int now = 0, n = words_take(argc, argv, "--now", &now);
	json_t *request;

	if (n < 0 || n + now > 1)
		return ctl_usage(argv[0]);
	if (n == 0)
		return ctl_ask(ctl,
		    json_pack("{s:s,s:b}", "cmd", "stop", "now", now), NULL);
	if ((request = request_for("stop-pool", argv[1])) == NULL)
		return ctl_usage(argv[0]);
	return say_done(ctl, request, "stopped", "not stopped");
}

int
cmd_signal(const struct ctl *ctl, int argc, char **argv)
{
	json_t *request, *answer = NULL;
	char name[SIGNAL_NAME_MAX];
	int sig, rc;

	if (words_take(argc, argv, NULL, NULL) != 2)
		return ctl_usage(argv[0]);
	sig = signal_parse(argv[1]);
	if (sig == -1) {
		(void)fprintf(stderr,
		    "hostctl: \"%s\" is not a signal that can be sent, such "
		    "as TERM, 15 or RTMIN+3; see kill -l\n",
		    argv[1]);
		return CTL_USAGE;
	}
	request = json_pack("{s:s,s:s,s:i}", "cmd", "signal", "name", argv[2],
	    "signal", sig);
	if (request == NULL)
		return ctl_usage(argv[0]);
	rc = ctl_ask(ctl, request, &answer);
	if (rc == CTL_OK && !ctl->json)
		(void)printf("%s sent to %lld process%s\n",
		    signal_name(sig, name),
		    (long long)num_of(answer, "signalled"),
		    num_of(answer, "signalled") == 1 ? "" : "es");
	json_decref(answer);
	return rc;
}
