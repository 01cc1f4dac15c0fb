/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl upstream: servers behind hostd. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "config/schema.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "ctl/words.h"

/* Behind GROUP and SERVER: whether a number, or options, come. */
static const struct action {
	const char *name, *args;
	int number, options;
} actions[] = {
	{ "add", "GROUP SERVER [weight=N] [max_conns=N] [backup] [--persist]",
	    0, 1 },
	{ "remove", "GROUP SERVER [--persist]", 0, 0 },
	{ "drain", "GROUP SERVER [--persist]", 0, 0 },
	{ "enable", "GROUP SERVER [--persist]", 0, 0 },
	{ "down", "GROUP SERVER [--persist]", 0, 0 },
	{ "weight", "GROUP SERVER N [--persist]", 1, 0 },
};

#define NACTIONS (sizeof(actions) / sizeof(actions[0]))

static int
usage(void)
{
	size_t i;

	(void)fprintf(stderr, "usage: hostctl upstream list [--names] "
	    "[GROUP]\n");
	for (i = 0; i < NACTIONS; i++)
		(void)fprintf(stderr, "       hostctl upstream %s %s\n",
		    actions[i].name, actions[i].args);
	return CTL_USAGE;
}

/* ---- list ---- */

static void
cell_server(struct table *t, const json_t *s)
{
	const char *name = text_of(s, "server", "?");
	const char *at = text_of(s, "address", "");

	if (*at == '\0' || strcmp(name, at) == 0)
		table_cell(t, "%s", name);
	else
		table_cell(t, "%s %s", name, at);
}

static void
cell_weight(struct table *t, const json_t *s)
{
	if (num_of(s, "share") < 100)
		table_cell(t, "%lldx%lld%%", (long long)num_of(s, "weight"),
		    (long long)num_of(s, "share"));
	else
		table_cell(t, "%lld", (long long)num_of(s, "weight"));
}

static void
cell_latency(struct table *t, const json_t *s)
{
	int64_t us = num_of(s, "latency_us");
	char text[TEXT_MAX];

	if (us == 0)
		table_cell(t, "-");
	else if (us < 1000)
		table_cell(t, "%lldus", (long long)us);
	else
		table_cell(t, "%s", text_ms(text, us / 1000));
}

/* What the last check said, and when. */
static void
cell_check(struct table *t, const json_t *s)
{
	int64_t at = num_of(s, "checked_ms"), now;
	struct timespec ts;
	char text[TEXT_MAX];

	if (at == 0) {
		table_cell(t, "-");
		return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	table_cell(t, "%s %s ago", text_of(s, "last_check", "?"),
	    text_ms(text, now > at ? now - at : 0));
}

static void
row_server(struct table *t, const char *group, const json_t *s)
{
	int backup = json_is_true(json_object_get(s, "backup"));
	const char *reason = text_of(s, "reason", "");
	char text[TEXT_MAX];

	table_cell(t, "%s", group);
	cell_server(t, s);
	table_cell(t, "%s%s", text_of(s, "state", "?"),
	    backup ? " backup" : "");
	table_cell(t, "%s", text_ms(text, num_of(s, "for_ms")));
	cell_weight(t, s);
	table_cell(t, "%lld", (long long)num_of(s, "inflight"));
	table_cell(t, "%lld", (long long)num_of(s, "idle"));
	table_cell(t, "%lld", (long long)num_of(s, "requests"));
	table_cell(t, "%lld", (long long)num_of(s, "failures"));
	cell_latency(t, s);
	cell_check(t, s);
	table_cell(t, "%s", *reason != '\0' ? reason : "-");
}

static void
list_print(const json_t *list)
{
	static const char *const head[] = {"UPSTREAM", "SERVER", "STATE",
	    "FOR", "WEIGHT", "ACTIVE", "IDLE", "REQS", "FAILS", "LATENCY",
	    "CHECK", "REASON", NULL};
	const json_t *u, *s, *servers;
	struct table t;
	size_t i, k;

	table_begin(&t, head);
	json_array_foreach(list, i, u) {
		servers = json_object_get(u, "servers");
		json_array_foreach(servers, k, s)
			row_server(&t, text_of(u, "name", "?"), s);
	}
	table_print(&t);
	table_free(&t);
}

/* Of the upstreams, or of the servers of the one that was asked for: for
 * completion. */
static void
names_print(const json_t *list, int servers)
{
	const json_t *u, *s;
	size_t i, k;

	json_array_foreach(list, i, u) {
		if (!servers)
			(void)puts(text_of(u, "name", "?"));
		else
			json_array_foreach(json_object_get(u, "servers"), k, s)
				(void)puts(text_of(s, "server", "?"));
	}
}

/* With json, the list itself rather than the answer around it. */
static int
upstream_list(const struct ctl *ctl, const char *group, int names)
{
	json_t *request = json_pack("{s:s}", "cmd", "upstreams"), *list;
	struct ctl quiet = *ctl;
	json_t *answer = NULL;
	int rc;

	if (group != NULL && json_object_set_new(request, "group",
	    json_string(group)) == -1) {
		json_decref(request);
		return usage();
	}
	quiet.json = 0;
	rc = ctl_ask(&quiet, request, &answer);
	list = json_object_get(answer, "upstreams");
	if (list != NULL && ctl->json) {
		(void)json_dumpf(list, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	} else if (list != NULL && names) {
		names_print(list, group != NULL);
	} else if (list != NULL) {
		list_print(list);
	}
	json_decref(answer);
	return rc;
}

/* ---- changes ---- */

static int
take_number(json_t *request, const char *key, const char *text)
{
	int64_t n;

	if (int_parse(text, &n) == -1 || n < 1) {
		(void)fprintf(stderr, "hostctl: %s is a number from 1 on, not "
		    "\"%s\"\n", key, text);
		return -1;
	}
	return json_object_set_new(request, key, json_integer(n));
}

/* "weight=3", "max_conns=100", "backup" */
static int
take_option(json_t *request, const char *word)
{
	if (strncmp(word, "weight=", 7) == 0)
		return take_number(request, "weight", word + 7);
	if (strncmp(word, "max_conns=", 10) == 0)
		return take_number(request, "max_conns", word + 10);
	if (strcmp(word, "backup") == 0)
		return json_object_set_new(request, "backup", json_true());
	(void)fprintf(stderr, "hostctl: \"%s\" is none of weight=N, "
	    "max_conns=N and backup\n", word);
	return -1;
}

static int
say_changed(const struct ctl *ctl, json_t *request)
{
	json_t *answer = NULL;
	int rc = ctl_ask(ctl, request, &answer);

	if (rc == CTL_OK && !ctl->json)
		(void)printf("%s of %s %s%s\n", text_of(answer, "server", "?"),
		    text_of(answer, "group", "?"), text_of(answer, "done", ""),
		    json_is_true(json_object_get(answer, "persisted")) ? "" :
		    ", until the next reload (--persist: for good)");
	json_decref(answer);
	return rc;
}

/* words: GROUP SERVER ... */
static int
upstream_change(const struct ctl *ctl, const struct action *a, int n,
    char **words, int persist)
{
	json_t *request;
	int i;

	if (n < 2 || (a->number && n != 3) || (!a->number && !a->options &&
	    n != 2))
		return usage();
	request = json_pack("{s:s,s:s,s:s,s:s,s:b}", "cmd", "upstream", "do",
	    a->name, "group", words[0], "server", words[1], "persist",
	    persist);
	if (request == NULL)	/* not UTF-8 */
		return usage();
	for (i = 2; i < n; i++)
		if ((a->number ? take_number(request, "weight", words[i]) :
		    take_option(request, words[i])) == -1) {
			json_decref(request);
			return CTL_USAGE;
		}
	return say_changed(ctl, request);
}

static int
unknown_action(const char *name)
{
	const char *names[NACTIONS + 2], *hint;
	size_t i;

	for (i = 0; i < NACTIONS; i++)
		names[i] = actions[i].name;
	names[i++] = "list";
	names[i] = NULL;
	hint = conf_nearest(name, names);
	(void)fprintf(stderr, "hostctl: upstream has no \"%s\"%s%s%s\n", name,
	    hint != NULL ? "; did you mean \"" : "", hint != NULL ? hint : "",
	    hint != NULL ? "\"?" : "");
	return usage();
}

/* Is it the first one? */
static int
has_word(char **argv, const char *word)
{
	for (argv++; *argv != NULL && **argv == '-'; argv++)
		;
	return *argv != NULL && strcmp(*argv, word) == 0;
}

int
cmd_upstream(const struct ctl *ctl, int argc, char **argv)
{
	const int list = has_word(argv, "list");
	int flag = 0, n = words_take(argc, argv, list ? "--names" : "--persist",
	    &flag);
	size_t i;

	if (n < 1)
		return usage();
	if (strcmp(argv[1], "list") == 0)
		return n > 2 ? usage() : upstream_list(ctl, argv[2], flag);
	for (i = 0; i < NACTIONS; i++)
		if (strcmp(argv[1], actions[i].name) == 0)
			return upstream_change(ctl, &actions[i], n - 1,
			    argv + 2, flag);
	return unknown_action(argv[1]);
}
