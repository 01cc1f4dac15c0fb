/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "app.h"
#include "cluster.h"
#include "metrics.h"

int32_t
spaces_create(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	(void)conf;
	in->spaces = calloc(1, sizeof(*in->spaces));
	return in->spaces == NULL ? hostd_fail(err, HOSTD_E_NOMEM,
	    "out of memory") : HOSTD_OK;
}

static void
space_free(struct space *sp)
{
	table_free(&sp->rooms);
	table_free(&sp->ids);
	free(sp->sockets);
	free(sp->apps);
	free(sp);
}

void
spaces_destroy(struct hostd_inst *in)
{
	struct spaces *all = in->spaces;
	struct table_entry *e, *next;

	if (all == NULL)
		return;
	for (e = table_next(&all->all, NULL); e != NULL; e = next) {
		next = table_next(&all->all, e);
		table_remove(&all->all, e);
		space_free(TABLE_OF(e, struct space, entry));
	}
	table_free(&all->all);
	free(all->handles);
	free(all->chosen);
	free(all->sessions);
	free(all);
	in->spaces = NULL;
}

/* Its handlers, now.  -1: no memory for more of them. */
static int
set_apps(struct space *sp)
{
	struct app *apps[SPACE_APPS_MAX], **copy;
	int by_pattern;
	uint32_t n;

	n = apps_of(sp->in, space_name(sp), apps, SPACE_APPS_MAX, &by_pattern);
	if (n > SPACE_APPS_MAX)
		n = SPACE_APPS_MAX;
	if (n > sp->napps) {
		copy = realloc(sp->apps, n * sizeof(struct app *));
		if (copy == NULL)
			return -1;
		sp->apps = copy;
	}
	if (n > 0)
		memcpy(sp->apps, apps, n * sizeof(struct app *));
	sp->napps = n;
	return 0;
}

static struct space *
space_new(struct hostd_inst *in, hostd_buf name, int is_child)
{
	struct space *sp = calloc(1, sizeof(*sp) + name.n + 1);

	if (sp == NULL)
		return NULL;
	memcpy(sp->name, name.p, name.n);
	sp->entry.name.p = sp->name;
	sp->entry.name.n = name.n;
	sp->in = in;
	sp->is_child = is_child;
	sp->metrics = metrics_space(in, is_child ? apps_pattern(in, name) :
	    name);
	if (set_apps(sp) == -1 || table_add(&in->spaces->all, &sp->entry) ==
	    -1) {
		space_free(sp);
		return NULL;
	}
	cluster_open(in, space_name(sp));
	return sp;
}

static void
space_end(struct space *sp)
{
	cluster_close(sp->in, space_name(sp));
	table_remove(&sp->in->spaces->all, &sp->entry);
	space_free(sp);
}

struct space *
space_find(const struct hostd_inst *in, hostd_buf name)
{
	struct table_entry *e = table_find(&in->spaces->all, name);

	return e == NULL ? NULL : TABLE_OF(e, struct space, entry);
}

struct space *
space_get(struct hostd_inst *in, hostd_buf name)
{
	struct space *sp = space_find(in, name);
	struct app *first;
	int by_pattern;

	if (sp != NULL || name.n == 0 || name.n > SPACE_NAME_MAX)
		return sp;
	if (apps_of(in, name, &first, 1, &by_pattern) == 0)
		return NULL;
	return space_new(in, name, by_pattern);
}

struct space *
space_next(const struct hostd_inst *in, const struct space *sp)
{
	struct table_entry *e = table_next(&in->spaces->all,
	    sp == NULL ? NULL : &sp->entry);

	return e == NULL ? NULL : TABLE_OF(e, struct space, entry);
}

static void
open_those_of(struct app *a)
{
	const char *const *nsp = a->ops.namespaces;
	static const char *const main_space[] = { "/", NULL };

	for (nsp = nsp == NULL ? main_space : nsp; *nsp != NULL; nsp++)
		if (strchr(*nsp, '*') == NULL)
			(void)space_get(a->in, hostd_str(*nsp));
}

void
spaces_apps_changed(struct hostd_inst *in)
{
	struct space *sp, *next;
	struct app *a;

	for (sp = space_next(in, NULL); sp != NULL; sp = next) {
		next = space_next(in, sp);
		if (set_apps(sp) == 0 && sp->napps == 0 && sp->refs == 0)
			space_end(sp);
	}
	STAILQ_FOREACH(a, &in->apps->all, link)
		open_those_of(a);
}

void
space_settle(struct space *sp)
{
	if (sp->refs == 0 && (sp->is_child || sp->napps == 0))
		space_end(sp);
}

void
space_release(struct space *sp)
{
	sp->refs--;
	space_settle(sp);
}
