/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl events */
#include <getopt.h>
#include <stdio.h>

#include "base/units.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/names.h"
#include "ctl/whose.h"

#define ALL	1024	/* that a master remembers, or more */

struct events {
	const struct ctl *ctl;
	const char *of;		/* NULL: all */
	json_t *past;		/* of these; NULL: they are told as they come */
	int64_t seen;		/* the last one's number, of any */
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

static void
event_tell(const struct events *w, const json_t *e)
{
	if (w->ctl->json) {
		(void)json_dumpf(e, stdout, JSON_COMPACT);
		(void)putchar('\n');
	} else {
		event_print(e);
	}
	(void)fflush(stdout);
}

/* The last line says nothing that the exit status does not. */
static int
event_take(void *arg, const json_t *line)
{
	struct events *w = arg;
	json_t *e = json_object_get(line, "event");

	if (e == NULL)
		return json_is_true(json_object_get(line, "ok"));
	w->seen = json_integer_value(json_object_get(e, "n"));
	if (w->of != NULL && !whose_event(e, w->of))
		return 1;
	if (w->past != NULL)
		(void)json_array_append(w->past, e);
	else
		event_tell(w, e);
	return 1;
}

/* What has happened: the last ones of those that are asked for. */
static int
events_past(struct events *w, int64_t last)
{
	struct ctl_lines lines = {event_take, w};
	size_t i, n, from;
	int rc;

	w->past = json_array();
	rc = ctl_ask_lines(w->ctl, json_pack("{s:s,s:i}", "cmd", "events",
	    "last", ALL), &lines, NULL);
	n = json_array_size(w->past);
	from = (uint64_t)last < n ? n - (size_t)last : 0;
	for (i = from; i < n && rc == CTL_OK; i++)
		event_tell(w, json_array_get(w->past, i));
	json_decref(w->past);
	w->past = NULL;
	return rc;
}

static int
events_follow(struct events *w)
{
	struct ctl_lines lines = {event_take, w};

	return ctl_ask_lines(w->ctl, json_pack("{s:s,s:b,s:I}", "cmd",
	    "events", "follow", 1, "after", (json_int_t)w->seen), &lines,
	    NULL);
}

int
cmd_events(const struct ctl *ctl, int argc, char **argv)
{
	struct events w = {.ctl = ctl};
	int64_t last = ALL;
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
	if ((rc = events_past(&w, last)) != CTL_OK || !follow)
		return rc;
	return events_follow(&w);
}
