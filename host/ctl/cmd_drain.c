/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl drain, undrain */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "ctl/ctl.h"
#include "ctl/words.h"

#define LOOK_MS 100 /* between two looks at the connections */

static int64_t
clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Connections there are; -1: hostd has gone, and they with it. */
static int64_t
connections(const struct ctl *ctl)
{
	struct ctl quiet = *ctl;
	json_t *answer = NULL;
	int64_t n = -1;

	quiet.json = 0;
	if (ctl_ask(&quiet, json_pack("{s:s}", "cmd", "status"), &answer) ==
	    CTL_OK)
		n = json_integer_value(json_object_get(
		    json_object_get(json_object_get(answer, "status"),
			"connections"),
		    "active"));
	json_decref(answer);
	return n;
}

static int
wait_for_them(const struct ctl *ctl, int64_t ms)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
	int64_t until = clock_ms() + ms, n;

	while ((n = connections(ctl)) > 0 && clock_ms() < until)
		(void)nanosleep(&pause, NULL);
	if (n > 0) {
		(void)fprintf(stderr,
		    "hostctl: %lld connections are still open\n",
		    (long long)n);
		return CTL_FAILED;
	}
	if (!ctl->json)
		(void)puts("no connection is open");
	return CTL_OK;
}

static json_t *
drain_request(const char *cmd, const char *name, int64_t over)
{
	json_t *o = json_pack("{s:s}", "cmd", cmd);

	if (over >= 0)
		(void)json_object_set_new(o, "window_ms", json_integer(over));
	if (name != NULL && json_object_set_new(o, "name",
	    json_string(name)) == -1) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static void
say_drained(const char *name)
{
	int64_t pid;

	if (name == NULL)
		(void)puts("not ready any more; clients are leaving");
	else if (int_parse(name, &pid) == 0)
		(void)puts("drained; hostctl undrain brings it back, by its "
			   "name, such as web.0");
	else
		(void)printf(
		    "drained; hostctl undrain %s brings it back\n", name);
}

int
cmd_drain(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"over", required_argument, NULL, 'o'},
	    {"wait", required_argument, NULL, 'w'},
	    {NULL, 0, NULL, 0},
	};
	int64_t over = -1, wait = -1;
	json_t *request;
	int c, rc;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if ((c != 'o' && c != 'w') ||
		    duration_parse(optarg, c == 'o' ? &over : &wait) == -1)
			return ctl_usage(argv[0]);
	if (argc - optind > 1 ||
	    (argc - optind == 1 && (over >= 0 || wait >= 0)))
		return ctl_usage(argv[0]);
	request = drain_request(argv[0], argv[optind], over);
	if (request == NULL)
		return ctl_usage(argv[0]);
	rc = ctl_ask(ctl, request, NULL);
	if (rc != CTL_OK)
		return rc;
	if (!ctl->json)
		say_drained(argv[optind]);
	return wait >= 0 ? wait_for_them(ctl, wait) : CTL_OK;
}

int
cmd_undrain(const struct ctl *ctl, int argc, char **argv)
{
	json_t *request;
	int n, rc;

	if ((n = words_take(argc, argv, NULL, NULL)) < 0 || n > 1 ||
	    (request = drain_request(argv[0], argv[1], -1)) == NULL)
		return ctl_usage(argv[0]);
	rc = ctl_ask(ctl, request, NULL);
	if (rc == CTL_OK && !ctl->json)
		(void)puts(argv[1] != NULL ? "it serves again" : "ready again");
	return rc;
}
