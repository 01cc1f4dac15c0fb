/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "config/files.h"
#include "master/changes.h"

/* By name, as maps have no order.  Snapshots take only names that are UTF-8. */
static void
changes_add(json_t *list, const char *file, const char *change)
{
	const char *other;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		other = json_string_value(
		    json_object_get(json_array_get(list, i), "file"));
		if (other != NULL && strcmp(other, file) > 0)
			break;
	}
	(void)json_array_insert_new(list, i,
	    json_pack("{s:s,s:s}", "file", file, "change", change));
}

/* Copies are ours, so what can't be read has been lost, not changed. */
static int
is_same_text(const char *a, const char *b)
{
	size_t na = 0, nb = 0;
	char *ta = conf_read_file(a, CONF_FILE_MAX, &na);
	char *tb = conf_read_file(b, CONF_FILE_MAX, &nb);
	int same;

	same = ta == NULL || tb == NULL ||
	    (na == nb && memcmp(ta, tb, na) == 0);
	free(ta);
	free(tb);
	return same;
}

/* Of a plugin, the copy's name says what is in it. */
static int
is_same_name(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static const struct conf_source *
source_find(const struct conf_sources *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (!all->v[i].is_module && strcmp(all->v[i].name, name) == 0)
			return &all->v[i];
	return NULL;
}

static void
changes_sources(json_t *list, const struct conf_sources *before,
    const struct conf_sources *after)
{
	const struct conf_source *s, *o;
	size_t i;

	for (i = 0; i < after->n; i++) {
		s = &after->v[i];
		if (s->is_module)
			continue;
		o = source_find(before, s->name);
		if (o == NULL)
			changes_add(list, s->name, "added");
		else if (!is_same_text(o->path, s->path))
			changes_add(list, s->name, "changed");
	}
	for (i = 0; i < before->n; i++)
		if (!before->v[i].is_module &&
		    source_find(after, before->v[i].name) == NULL)
			changes_add(list, before->v[i].name, "removed");
}

static void
changes_copies(json_t *list, const struct map *before, const struct map *after,
    int (*is_same)(const char *, const char *))
{
	const struct map_entry *e;
	const char *copy;
	size_t it = 0;

	while ((e = map_next(after, &it)) != NULL) {
		copy = map_get(before, e->key, e->len);
		if (copy == NULL)
			changes_add(list, e->key, "added");
		else if (!is_same(copy, e->value))
			changes_add(list, e->key, "changed");
	}
	it = 0;
	while ((e = map_next(before, &it)) != NULL)
		if (map_get(after, e->key, e->len) == NULL)
			changes_add(list, e->key, "removed");
}

json_t *
changes_between(const struct snapshot *before, const struct snapshot *after)
{
	json_t *list = json_array();

	changes_sources(list, &before->sources, &after->sources);
	changes_copies(list, &before->modules, &after->modules, is_same_name);
	changes_copies(list, &before->files, &after->files, is_same_text);
	return list;
}
