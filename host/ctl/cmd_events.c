/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl events */
#include <getopt.h>
#include <stdio.h>

#include "base/units.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/names.h"
#include "ctl/whose.h"

struct events {
	const struct ctl *ctl;
	const char *of; /* NULL: all */
};

static void
event_print(const json_t *e)
{
	const char *worker = text_of(e, "worker", "");

	(void)printf("%5lld  %s  %-18s  ",
	    (long long)json_integer_value(json_object_get(e, "n")),
	    text_of(e, "time", ""), text_of(e, "event", ""));
	if (worker[0] != '\0')
		(void)printf("%s (pid %lld) ", worker,
		    (long long)json_integer_value(json_object_get(e, "pid")));
	(void)printf("%s\n", text_of(e, "text", ""));
}

/* The last line says nothing that the exit status does not. */
static int
event_take(void *arg, const json_t *line)
{
	struct events *w = arg;
	const json_t *e = json_object_get(line, "event");

	if (e == NULL)
		return json_is_true(json_object_get(line, "ok"));
	if (w->of != NULL && !whose_event(e, w->of))
		return 1;
	if (w->ctl->json) {
		(void)json_dumpf(e, stdout, JSON_COMPACT);
		(void)putchar('\n');
	} else {
		event_print(e);
	}
	(void)fflush(stdout);
	return 1;
}

int
cmd_events(const struct ctl *ctl, int argc, char **argv)
{
	struct events w = {.ctl = ctl};
	struct ctl_lines lines = {event_take, &w};
	int64_t last = 1024;
	int c, rc, known = 1, follow = 0;

	optind = 0;
	while ((c = getopt(argc, argv, "fn:")) != -1) {
		if (c == 'f')
			follow = 1;
		else if (c != 'n' || int_parse(optarg, &last) == -1 || last < 0)
			return ctl_usage(argv[0]);
	}
	if (argc - optind > 1)
		return ctl_usage(argv[0]);
	w.of = argv[optind];
	if (w.of != NULL && (rc = names_know(ctl, w.of, &known)) != CTL_OK)
		return rc;
	if (!known)
		return names_refuse(ctl, w.of);
	return ctl_ask_lines(ctl,
	    json_pack("{s:s,s:b,s:I}", "cmd", "events", "follow", follow,
		"last", (json_int_t)last),
	    &lines, NULL);
}
