/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl reload, rollback */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "ctl/ctl.h"

/* In the order of both tables; those of rollback are the first ones, but for
 * --wait, which takes no value that could be wrong. */
enum { OPT_PARALLEL = 1, OPT_CANARY, OPT_FOR, OPT_FACTOR, OPT_WAIT };

static const struct option reload_options[] = {
    {"parallel", required_argument, NULL, OPT_PARALLEL},
    {"canary", required_argument, NULL, OPT_CANARY},
    {"for", required_argument, NULL, OPT_FOR},
    {"factor", required_argument, NULL, OPT_FACTOR},
    {"wait", no_argument, NULL, OPT_WAIT},
    {NULL, 0, NULL, 0},
};

static const struct option rollback_options[] = {
    {"parallel", required_argument, NULL, OPT_PARALLEL},
    {"wait", no_argument, NULL, OPT_WAIT},
    {NULL, 0, NULL, 0},
};

/* ---- options ---- */

static int
set_number(json_t *request, const char *name, const char *text)
{
	int64_t n;

	if (int_parse(text, &n) == -1 || n < 1)
		return -1;
	return json_object_set_new(request, name, json_integer(n));
}

static int
set_duration(json_t *request, const char *name, const char *text)
{
	int64_t ms;

	if (duration_parse(text, &ms) == -1 || ms < 1)
		return -1;
	return json_object_set_new(request, name, json_integer(ms));
}

/* "2", "1.5" */
static int
set_factor(json_t *request, const char *text)
{
	char *end;
	double x;

	if (text[strspn(text, "0123456789.")] != '\0')
		return -1;
	x = strtod(text, &end);
	if (end == text || *end != '\0' || x < 1)
		return -1;
	return json_object_set_new(request, "factor", json_real(x));
}

static int
set_option(json_t *request, int option, const char *text)
{
	switch (option) {
	case OPT_PARALLEL:
		return set_number(request, "parallel", text);
	case OPT_CANARY:
		return set_number(request, "canary", text);
	case OPT_FOR:
		return set_duration(request, "for_ms", text);
	case OPT_FACTOR:
		return set_factor(request, text);
	case OPT_WAIT:
		return json_object_set_new(request, "wait", json_true());
	default:
		return -1;
	}
}

/* What --for and --factor are about must be there. */
static int
is_complete(const json_t *request)
{
	return json_object_get(request, "canary") != NULL ||
	    (json_object_get(request, "for_ms") == NULL &&
		json_object_get(request, "factor") == NULL);
}

/* 0, or -1 and a word about what is wrong. */
static int
take_options(const struct option *options, json_t *request, int argc,
    char **argv)
{
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return -1;
		if (set_option(request, c, optarg) == -1) {
			(void)fprintf(stderr,
			    "hostctl: \"%s\" is not a value for --%s\n",
			    optarg, options[c - 1].name);
			return -1;
		}
	}
	if (is_complete(request))
		return 0;
	(void)fputs("hostctl: --for and --factor are about a --canary\n",
	    stderr);
	return -1;
}

/* ---- asking ---- */

/* A last line that says what came of it. */
static int
say_outcome(const struct ctl *ctl, json_t *request, const char *done,
    const char *not_done)
{
	const char *outcome;
	json_t *answer = NULL;
	long long n;
	int rc;

	rc = ctl_ask(ctl, request, &answer);
	n = json_integer_value(json_object_get(answer, "generation"));
	outcome = json_string_value(json_object_get(answer, "outcome"));
	if (rc == CTL_FAILED && outcome != NULL &&
	    strcmp(outcome, "rolled back") == 0) {
		rc = CTL_ROLLED_BACK;
		not_done = "rolled back";
	}
	if (!ctl->json && rc == CTL_OK)
		(void)printf("%s, generation %lld is served\n", done, n);
	else if (!ctl->json && n > 0)
		(void)fprintf(stderr, "hostctl: %s; generation %lld goes on "
				      "serving\n", not_done, n);
	json_decref(answer);
	return rc;
}

int
cmd_reload(const struct ctl *ctl, int argc, char **argv)
{
	json_t *request = json_pack("{s:s}", "cmd", "reload");

	if (take_options(reload_options, request, argc, argv) == -1 ||
	    optind != argc) {
		json_decref(request);
		return ctl_usage(argv[0]);
	}
	return say_outcome(ctl, request, "reloaded", "not reloaded");
}

int
cmd_rollback(const struct ctl *ctl, int argc, char **argv)
{
	json_t *request = json_pack("{s:s}", "cmd", "rollback");

	if (take_options(rollback_options, request, argc, argv) == -1 ||
	    argc - optind > 1 || (optind < argc &&
	    set_number(request, "generation", argv[optind]) == -1)) {
		json_decref(request);
		return ctl_usage(argv[0]);
	}
	return say_outcome(ctl, request, "rolled back", "not rolled back");
}
