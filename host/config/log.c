/* SPDX-License-Identifier: BSD-2-Clause */
/* Where logs go, and what access logs have lines for. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "config/builder.h"
#include "config/keys.h"
#include "config/syslog.h"

const char *const conf_modes[] = { "http", "stream", NULL };

static const struct hostd_key access_log_keys[] = {
	KEY_REQ("path", STRING, "File to append to, \"stdout\", \"stderr\", "
	    "\"off\", or a syslog daemon: \"syslog:server=unix:/dev/log\", "
	    "\"syslog:server=192.0.2.1:514,facility=local7,severity=info,"
	    "tag=hostd,rfc=5424,nohostname\"."),
	KEY_ENUM("kind", "http", conf_modes, "What there is a line for: "
	    "requests, or connections of listen blocks with mode = stream."),
	KEY("format", STRING, "combined", "\"combined\", \"json\", or a text "
	    "with nginx's variables."),
	KEY("statuses", LIST, NULL, "There is a line for these alone: \"404\", "
	    "\"400-499\", \"5xx\"; default: for any.  Of this key and those "
	    "below all have to hold."),
	KEY_RANGE("slower_than", DURATION, "0", 0, DAY, "For what has taken as "
	    "long as this, or longer."),
	KEY("sample", STRING, "1", "For this share, chosen at random: from 0 "
	    "to 1, as 0.01."),
	KEY("if", STRING, NULL, "If this, as \"$http_x_debug\", is neither "
	    "empty nor \"0\"."),
};

const struct conf_rows access_log_rows = CONF_ROWS(access_log_keys);

static void
check_syslog(struct builder *b, const char *key, const char *path,
    struct syslog *form)
{
	char why[256];

	if (syslog_parse(path, form, why, sizeof(why)) == -1)
		conf_error(b->errs, pos_of(b, key), "\"%s\": %s", key, why);
}

static int
is_stream(const char *path)
{
	return strcmp(path, "stderr") == 0 || strcmp(path, "stdout") == 0;
}

char *
build_error_log(struct builder *b)
{
	const char *path = text_of(b, "error_log");
	struct syslog form;

	if (syslog_is(path))
		check_syslog(b, "error_log", path, &form);
	return is_stream(path) || syslog_is(path) ? xstrdup(path) :
	    path_of(b, "error_log");
}

static void
build_path(struct builder *b, struct conf_access_log *a)
{
	const char *path = text_of(b, "path");

	if (path == NULL)
		return;
	if (syslog_is(path)) {
		a->syslog = xmalloc(sizeof(*a->syslog));
		check_syslog(b, "path", path, a->syslog);
	}
	a->path = a->syslog != NULL || is_stream(path) ||
	    strcmp(path, "off") == 0 ? xstrdup(path) : path_of(b, "path");
}

static void
build_statuses(struct builder *b, struct access_when *w)
{
	struct access_span *span;
	size_t i, n;
	char **list = copy_list(b, "statuses", &n);

	w->statuses = xcalloc(n + 1, sizeof(*w->statuses));
	for (i = 0; i < n; i++) {
		span = &w->statuses[w->nstatuses];
		if (span_parse(list[i], &span->from, &span->to) == 0)
			w->nstatuses++;
		else
			conf_error(b->errs, pos_of(b, "statuses"), "status "
			    "\"%s\" is neither one from 100 to 599 nor "
			    "several, as \"400-499\" or \"4xx\"", list[i]);
		free(list[i]);
	}
	free(list);
}

void
build_access_log(struct builder *b, const struct conf_node *n)
{
	struct conf_access_log *a = xcalloc(1, sizeof(*a));

	a->pos = n->pos;
	a->kind = (int)num_of(b, "kind");
	a->format = copy_text(b, "format");
	build_path(b, a);
	build_statuses(b, &a->when);
	a->when.slower_ms = num_of(b, "slower_than");
	a->when.sample = ratio_of(b, "sample");
	a->when.var = copy_text(b, "if");
	TAILQ_INSERT_TAIL(&b->conf->access_logs, a, entry);
}

void
free_access_log(struct conf_access_log *a)
{
	free(a->path);
	free(a->syslog);
	free(a->format);
	free(a->when.statuses);
	free(a->when.var);
	free(a);
}
