/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl sio: the commands of the plugin socketio, what its workers answer put
 * together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <getopt.h>

#include "ctl/answer.h"
#include "ctl/plugin.h"
#include "ctl/table.h"

static int	print_spaces(const json_t *rows);
static int	print_rooms(const json_t *rows);
static int	print_sockets(const json_t *rows);

/* rows: where a worker's answer has them; by: what makes two of them the same
 * one; NULL: they never are. */
static const struct command {
	const char *name, *args;
	int least, most;
	const char *rows, *by;
	int (*print)(const json_t *rows);
} commands[] = {
	{ "list", "[NSP]", 0, 1, "namespaces", "nsp", print_spaces },
	{ "rooms", "NSP [PREFIX]", 1, 2, "rooms", "room", print_rooms },
	{ "sockets", "NSP [ROOM]", 1, 2, "sockets", NULL, print_sockets },
	{ "disconnect", "NSP SOCKET|room:ROOM ...", 2, 30, NULL, NULL, NULL },
	{ "emit", "NSP ROOM|'*' EVENT [JSON ...]", 3, 30, NULL, NULL, NULL },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
usage(void)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		(void)fprintf(stderr, "%s hostctl sio %s [--plugin NAME] %s\n",
		    i == 0 ? "usage:" : "      ", commands[i].name,
		    commands[i].args);
	return CTL_USAGE;
}

/* ---- which of the plugins ---- */

static int
is_socketio(const json_t *o)
{
	return strcmp(text_of(o, "plugin", ""), "socketio") == 0;
}

static void
say_which(const json_t *all)
{
	const json_t *o;
	size_t i;

	(void)fputs("hostctl: there are several; say --plugin and one of",
	    stderr);
	json_array_foreach(all, i, o)
		if (is_socketio(o))
			(void)fprintf(stderr, " %s",
			    text_of(o, "instance", "?"));
	(void)fputc('\n', stderr);
}

/* The only one, to be freed; NULL: it has been told why there is none. */
static char *
instance_find(const struct ctl *ctl, int *rc)
{
	const char *name = NULL;
	const json_t *o;
	json_t *all;
	char *found;
	size_t i, n = 0;

	if ((*rc = plugin_instances(ctl, &all)) != CTL_OK && all == NULL)
		return NULL;
	json_array_foreach(all, i, o)
		if (is_socketio(o)) {
			name = text_of(o, "instance", "?");
			n++;
		}
	*rc = CTL_FAILED;
	if (n == 0)
		(void)fputs("hostctl: no worker that is ready has a plugin of "
		    "socketio.so\n", stderr);
	else if (n > 1)
		say_which(all);
	found = n == 1 ? strdup(name) : NULL;
	json_decref(all);
	return found;
}

/* ---- what all workers say, as one ---- */

static json_t *
row_find(const json_t *rows, const char *by, const json_t *row)
{
	json_t *o;
	size_t i;

	if (by != NULL)
		json_array_foreach(rows, i, o)
			if (json_equal(json_object_get(o, by),
			    json_object_get(row, by)))
				return o;
	return NULL;
}

static void
row_merge(json_t *rows, const struct command *c, const json_t *row,
    const json_t *worker)
{
	const json_t *name = json_object_get(worker, "worker");
	json_t *one = row_find(rows, c->by, row);

	if (one == NULL) {
		one = json_copy((json_t *)(uintptr_t)row);
		(void)json_object_set_new(one, c->by == NULL ? "worker" :
		    "workers", c->by == NULL ? json_incref((json_t *)
		    (uintptr_t)name) : json_pack("{s:O}", json_string_value(
		    name), json_object_get(row, "sockets")));
		/* One room may be in several workers. */
		if (c->by != NULL)
			(void)json_object_del(one, "rooms");
		(void)json_array_append_new(rows, one);
		return;
	}
	(void)json_object_set_new(one, "sockets", json_integer(num_of(one,
	    "sockets") + num_of(row, "sockets")));
	(void)json_object_set(json_object_get(one, "workers"),
	    json_string_value(name), json_object_get(row, "sockets"));
}

static json_t *
rows_merge(const json_t *answer, const struct command *c)
{
	json_t *rows = json_array(), *w, *result, *row;
	int64_t left_out = 0;
	size_t i, k;

	json_array_foreach(json_object_get(answer, "workers"), i, w) {
		result = json_object_get(w, "result");
		left_out += num_of(result, "left_out");
		json_array_foreach(json_object_get(result, c->rows), k, row)
			row_merge(rows, c, row, w);
	}
	return json_pack("{s:o,s:I}", c->rows, rows, "left_out",
	    (json_int_t)left_out);
}

/* ---- showing it ---- */

static int
compare_rows(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	int64_t n = num_of(*x, "sockets"), m = num_of(*y, "sockets");

	return n < m ? 1 : n > m ? -1 : 0;
}

/* The largest first.  To be freed. */
static const json_t **
rows_sort(const json_t *rows)
{
	const json_t **v = calloc(json_array_size(rows) + 1, sizeof(*v));
	size_t i;

	if (v == NULL)
		return NULL;
	for (i = 0; i < json_array_size(rows); i++)
		v[i] = json_array_get(rows, i);
	qsort(v, i, sizeof(json_t *), compare_rows);
	return v;
}

/* "web.0 12, web.1 3" */
static void
cell_workers(struct table *t, const json_t *workers)
{
	char text[200] = "";
	const char *name;
	const json_t *n;
	size_t len = 0;

	json_object_foreach((json_t *)(uintptr_t)workers, name, n)
		if (len < sizeof(text) && json_integer_value(n) > 0)
			len += (size_t)snprintf(text + len,
			    sizeof(text) - len, "%s%s %lld",
			    len > 0 ? ", " : "", name,
			    (long long)json_integer_value(n));
	table_cell(t, "%s", text);
}

static int
print_counts(const json_t *rows, const char *const *head, const char *by)
{
	const json_t **v = rows_sort(rows);
	struct table t;
	size_t i;

	if (v == NULL)
		return CTL_FAILED;
	table_begin(&t, head);
	for (i = 0; v[i] != NULL; i++) {
		table_cell(&t, "%s", text_of(v[i], by, "?"));
		table_cell(&t, "%lld", (long long)num_of(v[i], "sockets"));
		cell_workers(&t, json_object_get(v[i], "workers"));
	}
	table_print(&t);
	table_free(&t);
	free(v);
	return CTL_OK;
}

static int
print_spaces(const json_t *rows)
{
	static const char *const head[] = { "NAMESPACE", "SOCKETS", "WORKERS",
	    NULL };

	return print_counts(rows, head, "nsp");
}

static int
print_rooms(const json_t *rows)
{
	static const char *const head[] = { "ROOM", "SOCKETS", "WORKERS",
	    NULL };

	return print_counts(rows, head, "room");
}

static int
print_sockets(const json_t *rows)
{
	static const char *const head[] = { "SOCKET", "PEER", "TRANSPORT",
	    "USER", "ROOMS", "WORKER", NULL };
	const json_t *o;
	struct table t;
	size_t i;

	table_begin(&t, head);
	json_array_foreach(rows, i, o) {
		table_cell(&t, "%s", text_of(o, "id", "?"));
		table_cell(&t, "%s", text_of(o, "peer", "?"));
		table_cell(&t, "%s", text_of(o, "transport", "?"));
		table_cell(&t, "%s", text_of(o, "user", "-"));
		table_cell(&t, "%lld", (long long)num_of(o, "rooms"));
		table_cell(&t, "%s", text_of(o, "worker", "?"));
	}
	table_print(&t);
	table_free(&t);
	return CTL_OK;
}

static int
show(const struct ctl *ctl, const struct command *c, json_t *all)
{
	int64_t left_out = num_of(all, "left_out");

	if (ctl->json) {
		(void)json_dumpf(all, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		return CTL_OK;
	}
	if (left_out > 0)
		(void)fprintf(stderr, "hostctl: %lld more are not shown\n",
		    (long long)left_out);
	return c->print(json_object_get(all, c->rows));
}

static int
show_done(const struct ctl *ctl, const json_t *answer)
{
	int64_t n = 0;
	json_t *w;
	size_t i;

	json_array_foreach(json_object_get(answer, "workers"), i, w)
		n += num_of(json_object_get(w, "result"), "disconnected");
	if (ctl->json)
		(void)printf("{\n  \"disconnected\": %lld\n}\n", (long long)n);
	else
		(void)printf("%lld socket%s put out\n", (long long)n,
		    n == 1 ? " was" : "s were");
	return CTL_OK;
}

static int
call(const struct ctl *ctl, const struct command *c, json_t *request)
{
	json_t *answer = NULL, *all;
	int rc = plugin_ask(ctl, request, &answer), shown = CTL_OK;

	if (c->rows != NULL && json_object_get(answer, "workers") != NULL) {
		all = rows_merge(answer, c);
		shown = show(ctl, c, all);
		json_decref(all);
	} else if (rc == CTL_OK && strcmp(c->name, "disconnect") == 0) {
		shown = show_done(ctl, answer);
	} else if (rc == CTL_OK && ctl->json) {
		(void)puts("{\n  \"emitted\": true\n}");
	}
	plugin_say_errors(answer);
	json_decref(answer);
	return rc == CTL_OK ? shown : rc;
}

static const struct command *
command_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
call_words(const struct ctl *ctl, const struct command *c, const char *name,
    int n, char **words)
{
	char *all[40] = { NULL }, *own;
	json_t *request;
	int i, rc = CTL_OK;

	own = name != NULL ? strdup(name) : instance_find(ctl, &rc);
	if (own == NULL)
		return rc == CTL_OK ? CTL_FAILED : rc;
	all[0] = own;
	for (i = 0; i < n; i++)
		all[i + 1] = words[i];
	request = plugin_request(n + 1, all, 0);
	if (request != NULL)
		rc = call(ctl, c, request);
	else {
		(void)fputs("hostctl: names and arguments must be UTF-8\n",
		    stderr);
		rc = CTL_USAGE;
	}
	free(own);
	return rc;
}

/* What stands behind a namespace is no option: a socket's id may begin with
 * "-". */
int
cmd_sio(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"plugin", required_argument, NULL, 'p'},
	    {NULL, 0, NULL, 0},
	};
	const struct command *c = command_find(argv[1]);
	const char *name = NULL;
	int opt, n;

	if (c == NULL)
		return usage();
	argc--;
	argv++;
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (opt != 'p')
			return usage();
		name = optarg;
	}
	n = argc - optind;
	if (n < c->least || n > c->most)
		return usage();
	argv[--optind] = (char *)(uintptr_t)c->name;
	return call_words(ctl, c, name, n + 1, argv + optind);
}
