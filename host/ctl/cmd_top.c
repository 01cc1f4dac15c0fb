/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl top */
#include <getopt.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "ctl/table.h"
#include "ctl/top.h"

static json_t *
row_json(const struct top_row *r)
{
	return json_pack("{s:s,s:s,s:I,s:f,s:I,s:I,s:I,s:f,s:I,s:I}", "worker",
	    r->worker, "state", r->state, "pid", (json_int_t)r->pid,
	    "cpu_percent", r->cpu, "rss", (json_int_t)r->rss, "connections",
	    (json_int_t)r->connections, "websockets",
	    (json_int_t)r->websockets, "requests_per_s", r->rate, "p99_ms",
	    (json_int_t)r->p99, "restarts", (json_int_t)r->restarts);
}

static void
top_print_json(const struct top *t)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < t->n; i++)
		(void)json_array_append_new(list, row_json(&t->rows[i]));
	o = json_pack("{s:I,s:o,s:O,s:O}", "interval_ms",
	    (json_int_t)t->interval_ms, "workers", list, "state",
	    json_object_get(t->status, "state"), "generation",
	    json_object_get(t->status, "generation"));
	(void)json_dumpf(o, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(o);
}

static void
top_print(const struct top *t)
{
	const char *head[TOP_COLUMNS + 1] = {NULL};
	char buf[TOP_CELL];
	struct table table;
	size_t i;
	int c;

	for (c = 0; c < TOP_COLUMNS; c++)
		head[c] = top_heads[c].name;
	table_begin(&table, head);
	for (i = 0; i < t->n; i++)
		for (c = 0; c < TOP_COLUMNS; c++)
			table_cell(&table, "%s",
			    top_cell(&t->rows[i], (enum top_column)c, buf));
	table_print(&table);
	table_free(&table);
}

/* Rates need a second look. */
static int
top_snapshot(struct top *t, const struct ctl *ctl, int64_t ms)
{
	const struct timespec pause = {
	    .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	int rc;

	(void)nanosleep(&pause, NULL);
	rc = top_look(t, ctl);
	if (rc != CTL_OK)
		return rc;
	top_sort(t, TOP_WORKER);
	if (ctl->json)
		top_print_json(t);
	else
		top_print(t);
	return CTL_OK;
}

int
cmd_top(const struct ctl *ctl, int argc, char **argv)
{
	struct top t = {0};
	int64_t interval = 1000;
	int c, rc;

	optind = 0;
	while ((c = getopt(argc, argv, "d:")) != -1)
		if (c != 'd' || duration_parse(optarg, &interval) == -1 ||
		    interval < 100 || interval > 3600 * 1000)
			return ctl_usage(argv[0]);
	if (argc != optind)
		return ctl_usage(argv[0]);
	rc = top_look(&t, ctl);
	if (rc != CTL_OK)
		return rc;
	if (ctl->json || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		rc = top_snapshot(&t, ctl, interval);
	else
		rc = top_screen(&t, ctl, interval);
	top_free(&t);
	return rc;
}
