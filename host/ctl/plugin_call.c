/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl plugin call, plugin commands: what plugins do for operators. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "config/schema.h"
#include "ctl/answer.h"
#include "ctl/plugin.h"
#include "ctl/table.h"

#define TIMEOUT_MAX	3600000

/* Answers, as the table or text of them is, are ours to print. */
static int
ask_quietly(const struct ctl *ctl, json_t *request, json_t **answer)
{
	struct ctl quiet = *ctl;

	quiet.json = 0;
	return ctl_ask(&quiet, request, answer);
}

static void
print_json(const json_t *o)
{
	(void)json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	(void)putchar('\n');
}

/* ---- call: what has come ---- */

/* A result that says that it is JSON, if that is so. */
static json_t *
result_value(const json_t *answer, const json_t *worker)
{
	json_t *text = json_object_get(worker, "result"), *v = NULL;

	if (text == NULL)
		return NULL;
	if (json_is_true(json_object_get(answer, "json")))
		v = json_loadb(json_string_value(text),
		    json_string_length(text), JSON_DECODE_ANY, NULL);
	return v != NULL ? v : json_incref(text);
}

static void
take_values(json_t *answer)
{
	json_t *w, *v;
	size_t i;

	json_array_foreach(json_object_get(answer, "workers"), i, w)
		if ((v = result_value(answer, w)) != NULL)
			(void)json_object_set_new(w, "result", v);
}

/* Nothing that a terminal would act on. */
static void
print_char(char c)
{
	(void)putchar(((unsigned char)c < ' ' && c != '\t') || c == 127 ? '?' :
	    c);
}

/* Lines of a text, each behind the worker's name if there is one. */
static void
print_lines(const char *worker, const char *text)
{
	while (*text != '\0') {
		(void)printf("%s%s", worker, *worker != '\0' ? ": " : "");
		for (; *text != '\n' && *text != '\0'; text++)
			print_char(*text);
		(void)putchar('\n');
		text += *text == '\n';
	}
}

static void
print_result(const char *worker, const json_t *value)
{
	char *text;

	if (json_is_string(value)) {
		print_lines(worker, json_string_value(value));
		return;
	}
	text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
	print_lines(worker, text != NULL ? text : "");
	free(text);
}

/* Do all that are well say the same? */
static int
is_one_answer(const json_t *workers)
{
	const json_t *w, *v, *first = NULL;
	size_t i;

	json_array_foreach(workers, i, w) {
		if ((v = json_object_get(w, "result")) == NULL)
			continue;
		if (first == NULL)
			first = v;
		else if (!json_equal(first, v))
			return 0;
	}
	return 1;
}

static void
print_results(const json_t *answer)
{
	const json_t *workers = json_object_get(answer, "workers"), *w, *v;
	int one = is_one_answer(workers), told = 0;
	size_t i;

	json_array_foreach(workers, i, w) {
		v = json_object_get(w, "result");
		if (v != NULL && !(one && told++))
			print_result(one ? "" : text_of(w, "worker", "?"), v);
	}
	plugin_say_errors(answer);
}

/* ---- call: asking ---- */

static int
call_usage(void)
{
	(void)fputs("usage: hostctl plugin call [--json] [--timeout TIME]\n"
	    "           INSTANCE COMMAND [ARGUMENT...]\n", stderr);
	return CTL_USAGE;
}

json_t *
plugin_request(int n, char **words, int64_t ms)
{
	json_t *args = json_array(), *request;
	int i;

	for (i = 2; i < n; i++)
		if (json_array_append_new(args, json_string(words[i])) == -1)
			break;
	if (i < n) {
		json_decref(args);
		return NULL;
	}
	request = json_pack("{s:s,s:s,s:s,s:o}", "cmd", "plugin", "instance",
	    words[0], "command", words[1], "args", args);
	if (request != NULL && ms > 0)
		(void)json_object_set_new(request, "timeout_ms",
		    json_integer(ms));
	return request;
}

int
plugin_ask(const struct ctl *ctl, json_t *request, json_t **answer)
{
	int rc = ask_quietly(ctl, request, answer);

	take_values(*answer);
	return strcmp(text_of(*answer, "outcome", ""), "usage") == 0 ?
	    CTL_USAGE : rc;
}

static int
call_ask(const struct ctl *ctl, json_t *request)
{
	json_t *answer = NULL;
	int rc = plugin_ask(ctl, request, &answer);

	if (ctl->json && answer != NULL)
		print_json(answer);
	else
		print_results(answer);
	json_decref(answer);
	return rc;
}

static int
take_timeout(const char *text, int64_t *ms)
{
	if (duration_parse(text, ms) == 0 && *ms >= 1 && *ms <= TIMEOUT_MAX)
		return 0;
	(void)fprintf(stderr, "hostctl: --timeout is a time of up to an hour, "
	    "such as 10s or 500ms, not \"%s\"\n", text);
	return -1;
}

/* What stands behind INSTANCE is the plugin's, options or not. */
int
plugin_call(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"timeout", required_argument, NULL, 't'},
	    {NULL, 0, NULL, 0},
	};
	struct ctl own = *ctl;
	json_t *request;
	int64_t ms = 0;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1)
		if (c == 'j')
			own.json = 1;
		else if (c != 't')
			return call_usage();
		else if (take_timeout(optarg, &ms) == -1)
			return CTL_USAGE;
	if (argc - optind < 2)
		return call_usage();
	request = plugin_request(argc - optind, argv + optind, ms);
	if (request != NULL)
		return call_ask(&own, request);
	(void)fputs("hostctl: names and arguments must be UTF-8\n", stderr);
	return CTL_USAGE;
}

/* ---- commands ---- */

/* What all workers say, each instance once. */
static json_t *
commands_merge(const json_t *answer)
{
	json_t *all = json_array(), *seen = json_object(), *w, *list, *o;
	const char *name;
	size_t i, k;

	json_array_foreach(json_object_get(answer, "workers"), i, w) {
		list = json_loads(text_of(w, "result", "[]"), 0, NULL);
		json_array_foreach(list, k, o) {
			name = text_of(o, "instance", NULL);
			if (name == NULL || json_object_get(seen, name) != NULL)
				continue;
			(void)json_object_set_new(seen, name, json_true());
			(void)json_array_append(all, o);
		}
		json_decref(list);
	}
	json_decref(seen);
	return all;
}

int
plugin_instances(const struct ctl *ctl, json_t **all)
{
	json_t *answer = NULL;
	int rc = ask_quietly(ctl, json_pack("{s:s}", "cmd",
	    "plugin-commands"), &answer);

	*all = NULL;
	if (json_object_get(answer, "workers") != NULL) {
		*all = commands_merge(answer);
		plugin_say_errors(answer);
	}
	json_decref(answer);
	return rc;
}

static const json_t *
find_instance(const json_t *all, const char *name)
{
	const json_t *o;
	size_t i;

	json_array_foreach(all, i, o)
		if (strcmp(text_of(o, "instance", ""), name) == 0)
			return o;
	return NULL;
}

static int
refuse_instance(const json_t *all, const char *name)
{
	const char **names = calloc(json_array_size(all) + 1, sizeof(*names));
	const char *near = NULL;
	const json_t *o;
	size_t i;

	if (names != NULL) {
		json_array_foreach(all, i, o)
			names[i] = text_of(o, "instance", "");
		near = conf_nearest(name, names);
	}
	(void)fprintf(stderr, "hostctl: no worker that is ready has a plugin "
	    "\"%s\"%s%s%s\n", name, near != NULL ? "; did you mean \"" : "",
	    near != NULL ? near : "", near != NULL ? "\"?" : "");
	free(names);
	return CTL_FAILED;
}

static void
rows_print(const json_t *all)
{
	static const char *const head[] = {"INSTANCE", "COMMAND", "RUNS IN",
	    "WHAT", NULL};
	const json_t *o, *c;
	struct table t;
	size_t i, k;

	table_begin(&t, head);
	json_array_foreach(all, i, o)
		json_array_foreach(json_object_get(o, "commands"), k, c) {
			table_cell(&t, "%s", text_of(o, "instance", "?"));
			table_cell(&t, "%s%s%s", text_of(c, "name", "?"),
			    text_of(c, "usage", "")[0] != '\0' ? " " : "",
			    text_of(c, "usage", ""));
			table_cell(&t, "%s", json_is_true(json_object_get(c,
			    "every")) ? "all workers" : "one worker");
			table_cell(&t, "%s", text_of(c, "help", ""));
		}
	table_print(&t);
	table_free(&t);
}

/* For completion: of instances that have commands, or of one's commands. */
static void
names_print(const json_t *all, const json_t *one)
{
	const json_t *o;
	size_t i;

	if (one == NULL) {
		json_array_foreach(all, i, o)
			if (json_array_size(json_object_get(o, "commands")) > 0)
				(void)puts(text_of(o, "instance", "?"));
	} else {
		json_array_foreach(json_object_get(one, "commands"), i, o)
			(void)puts(text_of(o, "name", "?"));
	}
}

void
plugin_say_errors(const json_t *answer)
{
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(answer, "workers"), i, w)
		if (json_object_get(w, "error") != NULL)
			(void)fprintf(stderr, "hostctl: %s: %s\n",
			    text_of(w, "worker", "?"),
			    text_of(w, "error", "?"));
}

static int
commands_show(const struct ctl *ctl, const json_t *all, const char *name,
    int names)
{
	const json_t *one = name != NULL ? find_instance(all, name) : NULL;
	json_t *list;

	if (name != NULL && one == NULL)
		return refuse_instance(all, name);
	if (names) {
		names_print(all, one);
		return CTL_OK;
	}
	list = one != NULL ? json_pack("[O]", one) :
	    json_incref((json_t *)(uintptr_t)all);
	if (ctl->json)
		print_json(list);
	else
		rows_print(list);
	json_decref(list);
	return CTL_OK;
}

int
plugin_commands(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"names", no_argument, NULL, 'n'},
	    {NULL, 0, NULL, 0},
	};
	struct ctl own = *ctl;
	json_t *all;
	int c, rc, shown, names = 0;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'j' && c != 'n')
			return ctl_usage("plugin");
		own.json |= c == 'j';
		names |= c == 'n';
	}
	if (argc - optind > 1)
		return ctl_usage("plugin");
	rc = plugin_instances(ctl, &all);
	if (all != NULL) {
		shown = commands_show(&own, all, argv[optind], names);
		rc = rc == CTL_OK ? shown : rc;
		json_decref(all);
	}
	return rc;
}
