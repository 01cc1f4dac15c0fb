/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "config/files.h"
#include "config/model.h"

/* -- trust -- */

static int
stat_trusted(const char *path, const struct stat *st, char *why, size_t size)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		(void)snprintf(why, size, "%s belongs to user %u, who could "
		    "change it; chown it to root", path,
		    (unsigned)st->st_uid);
		return -1;
	}
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    !(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))) {
		(void)snprintf(why, size, "%s may be written by others; "
		    "chmod go-w %s", path, path);
		return -1;
	}
	return 0;
}

int
conf_file_trusted(const char *path, char *why, size_t size)
{
	struct stat st;
	char *dir, *slash;
	int rc;

	if (stat(path, &st) == -1) {
		(void)snprintf(why, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)snprintf(why, size, "%s is not a regular file", path);
		return -1;
	}
	if (stat_trusted(path, &st, why, size) == -1)
		return -1;
	dir = xstrdup(path);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		(void)snprintf(dir, strlen(dir) + 1, ".");
	else
		slash[slash == dir] = '\0';
	rc = stat(dir, &st) == -1 ? 0 : stat_trusted(dir, &st, why, size);
	free(dir);
	return rc;
}

/* -- sources -- */

void
conf_sources_add(struct conf_sources *s, const char *name, const char *path,
    int is_module)
{
	s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
	s->v[s->n].name = xstrdup(name);
	s->v[s->n].path = xstrdup(path);
	s->v[s->n++].is_module = is_module;
}

void
conf_sources_free(struct conf_sources *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].path);
	}
	free(s->v);
	memset(s, 0, sizeof(*s));
}

/* The conf_dir key of the main file, with where it stands.  Other mistakes in
 * the file are found by conf_load. */
static char *
find_conf_dir(const char *main_file, struct conf_pos *pos)
{
	struct conf_errors ignore;
	struct conf_node *root = conf_root_new(), *n;
	char *dir = NULL;

	conf_errors_init(&ignore);
	(void)conf_parse_file(root, main_file, main_file, &ignore);
	pos->file = NULL;
	TAILQ_FOREACH(n, &root->children, entry)
		if (strcmp(n->name, "conf_dir") == 0 && n->nvalues == 1) {
			*pos = n->pos;
			free(dir);
			dir = xstrdup(n->values[0].text);
		}
	conf_node_free(root);
	conf_errors_free(&ignore);
	return dir != NULL ? dir : xstrdup("conf.d");
}

int
conf_is_source(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' &&
	    ((n > 5 && strcmp(name + n - 5, ".conf") == 0) ||
	    (n > 3 && strcmp(name + n - 3, ".so") == 0));
}

static int
is_source(const struct dirent *d)
{
	return conf_is_source(d->d_name);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
add_file(struct conf_sources *s, const char *path, struct conf_errors *errs)
{
	size_t n = strlen(path);
	char why[512];

	if (conf_file_trusted(path, why, sizeof(why)) == -1) {
		conf_error(errs, NULL, "%s", why);
		return;
	}
	conf_sources_add(s, path, path, strcmp(path + n - 3, ".so") == 0);
}

void
conf_sources_find(struct conf_sources *s, const char *main_file,
    struct conf_errors *errs)
{
	struct conf_pos pos;
	struct dirent **list;
	char *dir, *key, *path;
	int i, n;

	memset(s, 0, sizeof(*s));
	add_file(s, main_file, errs);
	if (s->n == 0)
		return;
	key = find_conf_dir(main_file, &pos);
	dir = conf_path(main_file, key);
	n = scandir(dir, &list, is_source, by_name);
	if (n == -1 && (pos.file != NULL || errno != ENOENT))
		conf_error(errs, &pos, "conf_dir %s: %s", dir,
		    strerror(errno));
	for (i = 0; i < n; i++) {
		path = xasprintf("%s/%s", dir, list[i]->d_name);
		add_file(s, path, errs);
		free(path);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	free(dir);
	free(key);
}
