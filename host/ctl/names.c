/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ctl/answer.h"
#include "ctl/names.h"
#include "ctl/whose.h"

/* fn for the name of each worker, and its pid, until one returns 1. */
static int
each_worker(const json_t *status,
    int (*fn)(void *arg, const char *name, long long pid), void *arg)
{
	const json_t *pools = json_object_get(status, "pools"), *p;
	const json_t *workers, *w;
	char name[160];
	size_t i, j;

	json_array_foreach(pools, i, p) {
		workers = json_object_get(p, "workers");
		json_array_foreach(workers, j, w) {
			(void)snprintf(name, sizeof(name), "%.120s.%lld",
			    text_of(p, "name", "?"),
			    (long long)num_of(w, "slot"));
			if (fn(arg, name, (long long)num_of(w, "pid")))
				return 1;
		}
	}
	return 0;
}

static int
is_meant(void *arg, const char *name, long long pid)
{
	return whose_is(name, pid, arg);
}

static int
has_name(const json_t *status, const char *name)
{
	const json_t *o;
	char copy[160];
	size_t i;

	json_array_foreach(json_object_get(status, "pools"), i, o)
		if (strcmp(text_of(o, "name", ""), name) == 0)
			return 1;
	json_array_foreach(json_object_get(status, "plugins"), i, o)
		if (json_string_value(o) != NULL &&
		    strcmp(json_string_value(o), name) == 0)
			return 1;
	(void)snprintf(copy, sizeof(copy), "%s", name);
	return each_worker(status, is_meant, copy);
}

static json_t *
names_ask(const struct ctl *ctl, int *rc)
{
	struct ctl quiet = *ctl;
	json_t *answer = NULL, *status;

	quiet.json = 0;
	*rc = ctl_ask(&quiet, json_pack("{s:s}", "cmd", "status"), &answer);
	status = json_incref(json_object_get(answer, "status"));
	json_decref(answer);
	return status;
}

/* ---- those there were ---- */

struct sought {
	const char *name;
	int found;
};

static int
event_seen(void *arg, const json_t *line)
{
	struct sought *s = arg;
	const json_t *e = json_object_get(line, "event");

	if (e != NULL && whose_event(e, s->name))
		s->found = 1;
	return e != NULL || json_is_true(json_object_get(line, "ok"));
}

int
names_know(const struct ctl *ctl, const char *name, int *known)
{
	struct sought s = {name, 0};
	struct ctl_lines lines = {event_seen, &s};
	json_t *status;
	int rc;

	status = names_ask(ctl, &rc);
	s.found = has_name(status, name);
	json_decref(status);
	if (rc == CTL_OK && !s.found)
		rc = ctl_ask_lines(
		    ctl, json_pack("{s:s}", "cmd", "events"), &lines, NULL);
	*known = s.found;
	return rc;
}

/* ---- saying who there is ---- */

static void
put_name(struct buf *b, const char *name)
{
	buf_printf(b, "%s%s", b->len > 0 ? ", " : "", name);
}

static int
put_worker(void *arg, const char *name, long long pid)
{
	(void)pid;
	put_name(arg, name);
	return 0;
}

static void
put_kind(struct buf *all, const char *kind, const struct buf *names)
{
	if (names->len > 0)
		buf_printf(all, "; %s: %.*s", kind, (int)names->len, names->p);
}

static void
put_all(struct buf *all, const json_t *status)
{
	struct buf pools = {0}, workers = {0}, plugins = {0};
	const json_t *o;
	size_t i;

	json_array_foreach(json_object_get(status, "pools"), i, o)
		put_name(&pools, text_of(o, "name", "?"));
	(void)each_worker(status, put_worker, &workers);
	json_array_foreach(json_object_get(status, "plugins"), i, o)
		put_name(&plugins, json_string_value(o));
	put_kind(all, "pools", &pools);
	put_kind(all, "workers", &workers);
	put_kind(all, "plugins", &plugins);
	buf_free(&pools);
	buf_free(&workers);
	buf_free(&plugins);
}

int
names_refuse(const struct ctl *ctl, const char *name)
{
	struct buf text = {0};
	json_t *status, *o;
	int rc;

	status = names_ask(ctl, &rc);
	if (rc != CTL_OK)
		return rc;
	/* What is not UTF-8 is nobody's, and not to be said in JSON. */
	o = json_string(name);
	buf_printf(&text, "nobody is called \"%s\"", o != NULL ? name : "?");
	json_decref(o);
	put_all(&text, status);
	json_decref(status);
	if (ctl->json) {
		o = json_pack("{s:b,s:s%}", "ok", 0, "error", text.p, text.len);
		(void)json_dumpf(o, stdout, JSON_COMPACT);
		(void)putchar('\n');
		json_decref(o);
	} else {
		(void)fprintf(stderr, "hostctl: %.*s\n", (int)text.len, text.p);
	}
	buf_free(&text);
	return CTL_FAILED;
}
