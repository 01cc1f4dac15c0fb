/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl logs, flush */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/names.h"
#include "ctl/tail.h"
#include "ctl/whose.h"
#include "ctl/words.h"

#define LINES 20
#define LINES_MAX 100000

struct logs;

/* One file. */
struct log {
	struct logs *logs;
	struct tail *tail;
	const char *path, *name; /* whole, and its last part */
	const char *log;	 /* "error_log" or "access_log" */
};

struct logs {
	const struct ctl *ctl;
	const char *of; /* NULL: all */
	int is_known; /* of is somebody, or has been */
	int errors_only;
	int follow;
	int64_t lines;
	struct log *v;
	size_t n, width;
};

/* ---- lines ---- */

static int
log_counts(void *arg, const char *line, size_t n)
{
	const struct log *l = arg;

	return l->logs->of == NULL || whose_line(line, n, l->logs->of);
}

static void
log_line_json(const struct log *l, const char *line, size_t n)
{
	json_t *o = json_pack("{s:s,s:s}", "log", l->log, "path", l->path);
	char *copy = xstrndup(line, n), *p;
	json_t *s = json_string(copy);

	for (p = copy; s == NULL && *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	(void)json_object_set_new(o, "line", s != NULL ? s : json_string(copy));
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(o);
	free(copy);
}

static void
log_line(void *arg, const char *line, size_t n)
{
	const struct log *l = arg;

	l->logs->is_known = 1;
	if (l->logs->ctl->json) {
		log_line_json(l, line, n);
		return;
	}
	if (l->logs->n > 1)
		(void)printf("%-*s | ", (int)l->logs->width, l->name);
	(void)printf("%.*s\n", (int)n, line);
}

/* ---- files ---- */

/* A log that is no file is with whoever stands at its other end. */
static void
log_elsewhere(const json_t *o)
{
	const char *kind = text_of(o, "kind", "");

	if (strcmp(kind, "terminal") == 0)
		(void)fprintf(stderr,
		    "hostctl: %s goes to stderr, the terminal %s\n",
		    text_of(o, "log", ""), text_of(o, "path", ""));
	else if (json_is_true(json_object_get(o, "stderr")))
		(void)fprintf(stderr,
		    "hostctl: %s goes to stderr, a %s: whoever has started "
		    "hostd has it (systemd: journalctl -u hostd)\n",
		    text_of(o, "log", ""), kind);
	else
		(void)fprintf(stderr, "hostctl: %s is %s, a %s\n",
		    text_of(o, "log", ""), text_of(o, "path", ""), kind);
}

/* Does each of its lines say which worker has written it? */
static int
log_tells_worker(const json_t *o)
{
	const char *format = text_of(o, "format", "");

	return strcmp(text_of(o, "log", ""), "error_log") == 0 ||
	    strcmp(format, "json") == 0 || strstr(format, "$worker") != NULL ||
	    strstr(format, "${worker}") != NULL;
}

static int
logs_has(const struct logs *all, const char *path)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (strcmp(all->v[i].path, path) == 0)
			return 1;
	return 0;
}

static void
logs_add(struct logs *all, const json_t *o)
{
	const char *path = text_of(o, "path", ""), *slash = strrchr(path, '/');
	struct log l = {
	    .logs = all, .path = path, .log = text_of(o, "log", "")};
	size_t n;

	if (all->errors_only && strcmp(l.log, "error_log") != 0)
		return;
	if (strcmp(text_of(o, "kind", ""), "file") != 0) {
		log_elsewhere(o);
		return;
	}
	if (all->of != NULL && !log_tells_worker(o)) {
		(void)fprintf(stderr,
		    "hostctl: %s is left out: its format has no $worker\n",
		    path);
		return;
	}
	if (logs_has(all, path))
		return;
	l.name = slash != NULL ? slash + 1 : path;
	n = strlen(l.name);
	if (n > all->width)
		all->width = n;
	all->v = xrealloc(all->v, (all->n + 1) * sizeof(all->v[0]));
	all->v[all->n++] = l;
}

static int
logs_open(struct logs *all)
{
	struct log *l;
	size_t i;

	for (i = 0; i < all->n; i++) {
		l = &all->v[i];
		l->tail = tail_open(l->path, log_counts, log_line, l);
		if (l->tail == NULL) {
			(void)fprintf(stderr, "hostctl: %s: %s\n", l->path,
			    strerror(errno));
			return -1;
		}
	}
	return 0;
}

static void
logs_follow(const struct logs *all)
{
	struct tail **tails = xcalloc(all->n, sizeof(*tails));
	size_t i;

	for (i = 0; i < all->n; i++)
		tails[i] = all->v[i].tail;
	(void)tail_follow(tails, all->n);
	free(tails);
}

/* Lines that are older than all events name those who are forgotten. */
static int
logs_tell(struct logs *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		tail_last(all->v[i].tail, (size_t)all->lines);
	(void)fflush(stdout);
	if (!all->is_known)
		return names_refuse(all->ctl, all->of);
	if (all->follow)
		logs_follow(all);
	return CTL_OK;
}

/* Nothing to show is no success. */
static int
logs_show(struct logs *all, const json_t *list)
{
	int rc = CTL_FAILED;
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		logs_add(all, json_array_get(list, i));
	if (all->n > 0 && logs_open(all) == 0)
		rc = logs_tell(all);
	for (i = 0; i < all->n; i++)
		if (all->v[i].tail != NULL)
			tail_close(all->v[i].tail);
	free(all->v);
	return rc;
}

/* ---- commands ---- */

static int
logs_options(struct logs *all, int argc, char **argv)
{
	int c;

	optind = 0;
	while ((c = getopt(argc, argv, "efn:")) != -1) {
		if (c == 'e')
			all->errors_only = 1;
		else if (c == 'f')
			all->follow = 1;
		else if (c != 'n' || int_parse(optarg, &all->lines) == -1 ||
		    all->lines < 0 || all->lines > LINES_MAX)
			return -1;
	}
	if (argc - optind > 1)
		return -1;
	all->of = argv[optind];
	return 0;
}

int
cmd_logs(const struct ctl *ctl, int argc, char **argv)
{
	struct logs all = {.ctl = ctl, .lines = LINES};
	struct ctl quiet = *ctl;
	json_t *answer = NULL;
	int rc;

	if (argc == 2 && strcmp(argv[1], "reopen") == 0)
		return ctl_ask(
		    ctl, json_pack("{s:s}", "cmd", "logs-reopen"), NULL);
	if (logs_options(&all, argc, argv) == -1)
		return ctl_usage(argv[0]);
	quiet.json = 0;
	rc = ctl_ask(&quiet, json_pack("{s:s}", "cmd", "logs"), &answer);
	all.is_known = all.of == NULL;
	if (rc == CTL_OK && all.of != NULL)
		rc = names_know(ctl, all.of, &all.is_known);
	if (rc == CTL_OK)
		rc = logs_show(&all, json_object_get(answer, "logs"));
	json_decref(answer);
	return rc;
}

int
cmd_flush(const struct ctl *ctl, int argc, char **argv)
{
	const json_t *list, *o;
	json_t *answer = NULL;
	size_t i;
	int rc;

	if (words_take(argc, argv, NULL, NULL) != 0)
		return ctl_usage(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "cmd", "flush"), &answer);
	list = json_object_get(answer, "emptied");
	for (i = 0; !ctl->json && i < json_array_size(list); i++) {
		o = json_array_get(list, i);
		(void)printf("%s: %lld bytes\n", text_of(o, "path", ""),
		    (long long)json_integer_value(json_object_get(o, "bytes")));
	}
	if (!ctl->json && rc == CTL_OK && json_array_size(list) == 0)
		(void)puts("there are no log files, only stderr");
	json_decref(answer);
	return rc;
}
