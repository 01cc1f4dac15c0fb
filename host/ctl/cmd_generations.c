/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl generations */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define CHANGES_SHOWN	4
#define HASH_SHOWN	8

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "?";
}

static long long
number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void
cell_time(struct table *t, long long ms)
{
	time_t at = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	if (ms == 0 || localtime_r(&at, &tm) == NULL ||
	    strftime(text, sizeof(text), "%F %T", &tm) == 0)
		table_cell(t, "-");
	else
		table_cell(t, "%s", text);
}

/* "life.so, +new.conf, -old.conf" */
static void
cell_changes(struct table *t, const json_t *changes)
{
	size_t i, n = json_array_size(changes);
	struct buf b = {0};
	const char *file, *what, *base, *mark;

	for (i = 0; i < n && i < CHANGES_SHOWN; i++) {
		file = text_of(json_array_get(changes, i), "file");
		what = text_of(json_array_get(changes, i), "change");
		base = strrchr(file, '/');
		mark = strcmp(what, "added") == 0 ? "+" :
		    strcmp(what, "removed") == 0 ? "-" : "";
		buf_printf(&b, "%s%s%s", i > 0 ? ", " : "", mark,
		    base != NULL ? base + 1 : file);
	}
	if (n > CHANGES_SHOWN)
		buf_printf(&b, " and %zu more", n - CHANGES_SHOWN);
	if (n == 0)
		buf_printf(&b, "%s", json_is_array(changes) ? "nothing" : "-");
	table_cell(t, "%.*s", (int)b.len, b.p);
	buf_free(&b);
}

/* "chat 5f2c11d0, static 03ab77e1" */
static void
cell_plugins(struct table *t, const json_t *plugins)
{
	struct buf b = {0};
	size_t i;

	for (i = 0; i < json_array_size(plugins); i++)
		buf_printf(&b, "%s%s %.*s", i > 0 ? ", " : "",
		    text_of(json_array_get(plugins, i), "name"), HASH_SHOWN,
		    text_of(json_array_get(plugins, i), "hash"));
	if (i == 0)
		buf_printf(&b, "-");
	table_cell(t, "%.*s", (int)b.len, b.p);
	buf_free(&b);
}

static void
generations_print(const json_t *list)
{
	static const char *const head[] = {"GEN", "STATE", "MADE", "SERVED",
	    "WORKERS", "CHANGED", "PLUGINS", NULL};
	const json_t *g;
	struct table t;
	size_t i;

	table_begin(&t, head);
	json_array_foreach(list, i, g) {
		table_cell(&t, "%lld", number_of(g, "generation"));
		table_cell(&t, "%s", text_of(g, "state"));
		cell_time(&t, number_of(g, "made_ms"));
		cell_time(&t, number_of(g, "served_ms"));
		table_cell(&t, "%lld", number_of(g, "workers"));
		cell_changes(&t, json_object_get(g, "changes"));
		cell_plugins(&t, json_object_get(g, "plugins"));
	}
	table_print(&t);
	table_free(&t);
	json_array_foreach(list, i, g)
		if (json_object_get(g, "failed") != NULL)
			(void)printf("generation %lld failed: %s\n",
			    number_of(g, "generation"), text_of(g, "failed"));
}

/* With json, the list itself rather than the answer around it. */
int
cmd_generations(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl quiet = *ctl;
	json_t *answer = NULL, *list;
	int rc;

	if (words_take(argc, argv, NULL, NULL) != 0)
		return ctl_usage(argv[0]);
	quiet.json = 0;
	rc = ctl_ask(&quiet, json_pack("{s:s}", "cmd", "generations"),
	    &answer);
	list = json_object_get(answer, "generations");
	if (list != NULL && ctl->json) {
		(void)json_dumpf(list, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	} else if (list != NULL) {
		generations_print(list);
	}
	json_decref(answer);
	return rc;
}
