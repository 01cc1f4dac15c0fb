/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl limits: how often and how many requests may come. */
#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "ctl/words.h"

static int
usage(void)
{
	(void)fputs("usage: hostctl limits [--names] [NAME]\n"
		    "       hostctl limits reset NAME [VALUE ...]\n",
	    stderr);
	return CTL_USAGE;
}

/* ---- what they are ---- */

/* "10/s burst=20 delay=5", "max=10" */
static void
cell_rule(struct table *t, const json_t *z)
{
	int64_t burst = num_of(z, "burst"), delay = num_of(z, "delay");
	const char *dry = json_is_true(json_object_get(z, "dry_run")) ?
	    " dry_run" : "";
	char text[64] = "";

	if (!json_is_true(json_object_get(z, "configured"))) {
		table_cell(t, "-");
		return;
	}
	if (json_object_get(z, "rate") == NULL) {
		table_cell(t, "max=%lld%s", (long long)num_of(z, "max"), dry);
		return;
	}
	if (burst > 0 && delay >= burst)
		(void)snprintf(text, sizeof(text), " burst=%lld nodelay",
		    (long long)burst);
	else if (burst > 0)
		(void)snprintf(text, sizeof(text), " burst=%lld delay=%lld",
		    (long long)burst, (long long)delay);
	table_cell(t, "%s%s%s", text_of(z, "rate", "?"), text, dry);
}

static void
cell_number(struct table *t, const json_t *z, const char *key)
{
	const json_t *n = json_object_get(z, key);

	if (n == NULL)
		table_cell(t, "-");
	else
		table_cell(t, "%lld", (long long)json_integer_value(n));
}

/* What there was, and what there would have been. */
static void
cell_sum(struct table *t, const json_t *z, const char *key, const char *dry)
{
	table_cell(t, "%lld",
	    (long long)(num_of(z, key) + num_of(z, dry)));
}

static void
row_limit(struct table *t, const json_t *z)
{
	table_cell(t, "%s", text_of(z, "name", "?"));
	table_cell(t, "%s", text_of(z, "kind", "?"));
	cell_rule(t, z);
	table_cell(t, "%s", text_of(z, "key", "-"));
	cell_number(t, z, "status");
	cell_number(t, z, "keys");
	cell_number(t, z, "taken");
	cell_number(t, z, "passed");
	cell_sum(t, z, "delayed", "dry_delayed");
	cell_sum(t, z, "refused", "dry_refused");
	cell_number(t, z, "evicted");
	cell_number(t, z, "uncounted");
}

static void
shed_print(const json_t *shed)
{
	int conns = json_is_true(json_object_get(shed, "connections"));
	int memory = json_is_true(json_object_get(shed, "memory"));

	if (!conns && !memory && num_of(shed, "turned_away") == 0)
		return;
	(void)printf("budget: %lld requests were turned away%s%s%s%s\n",
	    (long long)num_of(shed, "turned_away"),
	    conns || memory ? "; it is exceeded by " : "",
	    conns ? "connections" : "", conns && memory ? " and " : "",
	    memory ? "memory" : "");
}

static void
limits_print(const json_t *zones, const json_t *shed)
{
	static const char *const head[] = {"LIMIT", "KIND", "RULE", "KEY",
	    "STATUS", "KEYS", "TAKEN", "PASSED", "DELAYED", "REFUSED",
	    "EVICTED", "UNCOUNTED", NULL};
	struct table t;
	const json_t *z;
	size_t i;

	table_begin(&t, head);
	json_array_foreach(zones, i, z)
		row_limit(&t, z);
	table_print(&t);
	table_free(&t);
	shed_print(shed);
}

/* Of what can be reset: for completion. */
static void
names_print(const json_t *zones)
{
	const json_t *z;
	size_t i;

	json_array_foreach(zones, i, z)
		if (strcmp(text_of(z, "kind", ""), "limit_req") == 0)
			(void)puts(text_of(z, "name", "?"));
}

/* Leaves those that are called so; whether there are any. */
static int
keep_named(json_t *zones, const char *name)
{
	size_t i = 0;

	while (i < json_array_size(zones))
		if (strcmp(text_of(json_array_get(zones, i), "name", ""),
		    name) == 0)
			i++;
		else
			(void)json_array_remove(zones, i);
	return i > 0;
}

/* With json, the limits themselves rather than the answer around them. */
static int
limits_list(const struct ctl *ctl, const char *name, int names)
{
	struct ctl quiet = *ctl;
	json_t *answer = NULL, *all, *zones;
	int rc;

	quiet.json = 0;
	rc = ctl_ask(&quiet, json_pack("{s:s}", "cmd", "limits"), &answer);
	all = json_object_get(answer, "limits");
	zones = json_object_get(all, "zones");
	if (all != NULL && name != NULL && !keep_named(zones, name)) {
		(void)fprintf(stderr, "hostctl: there is no limit \"%s\"\n",
		    name);
		rc = CTL_FAILED;
	} else if (all != NULL && ctl->json) {
		(void)json_dumpf(all, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	} else if (all != NULL && names) {
		names_print(zones);
	} else if (all != NULL) {
		limits_print(zones, json_object_get(all, "shed"));
	}
	json_decref(answer);
	return rc;
}

/* ---- letting clients in again ---- */

static int
limits_reset(const struct ctl *ctl, const char *name, char **values)
{
	json_t *list = json_array(), *request, *answer = NULL;
	int rc;

	for (; *values != NULL; values++)
		if (json_array_append_new(list, json_string(*values)) == -1) {
			json_decref(list);	/* not UTF-8 */
			return usage();
		}
	request = json_pack("{s:s,s:s,s:o}", "cmd", "limits-reset", "name",
	    name, "values", list);
	if (request == NULL)
		return usage();
	rc = ctl_ask(ctl, request, &answer);
	if (rc == CTL_OK && !ctl->json)
		(void)printf("%lld keys of limit_req %s begin anew\n",
		    (long long)num_of(answer, "keys"), name);
	json_decref(answer);
	return rc;
}

int
cmd_limits(const struct ctl *ctl, int argc, char **argv)
{
	int names = 0, n = words_take(argc, argv, "--names", &names);

	if (n < 0)
		return usage();
	if (n > 0 && strcmp(argv[1], "reset") == 0)
		return n < 2 || names ? usage() :
		    limits_reset(ctl, argv[2], argv + 3);
	return n > 1 ? usage() : limits_list(ctl, argv[1], names);
}
