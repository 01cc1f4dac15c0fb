/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "config/snapshot.h"

/* NULL when a path is not UTF-8, here and below. */
static json_t *
map_to_json(const struct map *m)
{
	json_t *o = json_object();
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(m, &it)) != NULL)
		if (json_object_set_new(o, e->key, json_string(e->value)) ==
		    -1) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static json_t *
sources_to_json(const struct conf_sources *s)
{
	json_t *list = json_array(), *item;
	size_t i;

	for (i = 0; i < s->n; i++) {
		item = json_pack("{s:s,s:s,s:b}", "name", s->v[i].name, "path",
		    s->v[i].path, "module", s->v[i].is_module);
		if (item == NULL) {
			json_decref(list);
			return NULL;
		}
		(void)json_array_append_new(list, item);
	}
	return list;
}

static json_t *
snapshot_to_json(const struct snapshot *s)
{
	json_t *list = sources_to_json(&s->sources);
	json_t *modules = map_to_json(&s->modules);
	json_t *files = map_to_json(&s->files), *root = NULL;

	if (list != NULL && modules != NULL && files != NULL)
		root = json_pack("{s:I,s:O,s:O,s:O}", "generation",
		    (json_int_t)s->generation, "sources", list, "modules",
		    modules, "files", files);
	json_decref(list);
	json_decref(modules);
	json_decref(files);
	return root;
}

static int
write_text(const char *path, const char *text)
{
	size_t n = strlen(text), done = 0;
	ssize_t w = 0;
	int fd, saved;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	while (done < n && (w = write(fd, text + done, n - done)) > 0)
		done += (size_t)w;
	saved = done < n && w == 0 ? EIO : errno;
	if (close(fd) == -1 || done < n) {
		errno = saved;
		return -1;
	}
	return 0;
}

int
snapshot_write(const struct snapshot *s, const char *path, char *why,
    size_t size)
{
	json_t *root = snapshot_to_json(s);
	char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1));
	char *tmp = xasprintf("%s.new", path);
	int rc = -1;

	if (text == NULL) {
		(void)snprintf(why, size, "a file name is not UTF-8");
	} else if (write_text(tmp, text) == -1 || rename(tmp, path) == -1) {
		(void)snprintf(why, size, "writing %s: %s", path,
		    strerror(errno));
		(void)unlink(tmp);
	} else
		rc = 0;
	free(tmp);
	free(text);
	json_decref(root);
	return rc;
}

static int
map_from_json(struct map *m, const json_t *o)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o))
		return -1;
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		if (!json_is_string(v))
			return -1;
		free(map_put(m, key, strlen(key),
		    xstrdup(json_string_value(v))));
	}
	return 0;
}

static int
snapshot_from_json(struct snapshot *s, json_t *root)
{
	json_t *sources, *modules, *files, *item;
	const char *name, *path;
	json_int_t n;
	size_t i;
	int module;

	if (json_unpack(root, "{s:I,s:o,s:o,s:o}", "generation", &n,
	    "sources", &sources, "modules", &modules, "files", &files) == -1 ||
	    !json_is_array(sources))
		return -1;
	s->generation = (uint32_t)n;
	json_array_foreach(sources, i, item) {
		if (json_unpack(item, "{s:s,s:s,s:b}", "name", &name, "path",
		    &path, "module", &module) == -1)
			return -1;
		conf_sources_add(&s->sources, name, path, module);
	}
	return map_from_json(&s->modules, modules) == -1 ? -1 :
	    map_from_json(&s->files, files);
}

int
snapshot_read(struct snapshot *s, const char *path, char *why, size_t size)
{
	json_error_t err;
	json_t *root = json_load_file(path, 0, &err);
	int rc;

	memset(s, 0, sizeof(*s));
	if (root == NULL) {
		(void)snprintf(why, size, "%s: %s", path, err.text);
		return -1;
	}
	if ((rc = snapshot_from_json(s, root)) == -1) {
		(void)snprintf(why, size, "%s is not a snapshot of this "
		    "version", path);
		snapshot_free(s);
	}
	json_decref(root);
	return rc;
}

static void
map_free_texts(struct map *m)
{
	struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(m, &it)) != NULL)
		free(e->value);
	map_free(m);
}

void
snapshot_free(struct snapshot *s)
{
	conf_sources_free(&s->sources);
	map_free_texts(&s->modules);
	map_free_texts(&s->files);
}
