/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that values are in: certificates, keys and the like. */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "config/builder.h"
#include "config/files.h"

static void
note_file(struct builder *b, const char *key, const char *path)
{
	struct conf_file *f;

	TAILQ_FOREACH(f, &b->conf->files, entry)
		if (strcmp(f->path, path) == 0)
			return;
	f = xcalloc(1, sizeof(*f));
	f->pos = *pos_of(b, key);
	f->path = xstrdup(path);
	TAILQ_INSERT_TAIL(&b->conf->files, f, entry);
}

int
take_text(struct builder *b, const char *key, const char *file, size_t max,
    struct conf_text *t)
{
	const char *copy;

	t->path = conf_path(b->main_file, file);
	copy = copy_of(b, t->path);
	t->p = conf_read_file(copy != NULL ? copy : t->path, max, &t->n);
	if (t->p != NULL) {
		note_file(b, key, t->path);
		return 0;
	}
	conf_error(b->errs, pos_of(b, key), "%s %s: %s", key, t->path,
	    errno == EFBIG ? "it is too large for what it should be" :
	    strerror(errno));
	return -1;
}

int
take_key_text(struct builder *b, const char *key, size_t max,
    struct conf_text *t)
{
	const char *file = text_of(b, key);

	return file == NULL ? 0 : take_text(b, key, file, max, t);
}

void
free_text(struct conf_text *t)
{
	free(t->path);
	free(t->p);
	memset(t, 0, sizeof(*t));
}

void
free_secret_text(struct conf_text *t)
{
	if (t->p != NULL)
		explicit_bzero(t->p, t->n);
	free_text(t);
}

/* Debian has a group for programs that need keys. */
static int
is_key_group(gid_t gid)
{
	const struct group *g = gid == 0 ? NULL : getgrgid(gid);

	return gid == 0 || (g != NULL && strcmp(g->gr_name, "ssl-cert") == 0);
}

int
check_private(struct builder *b, const char *key, const struct conf_text *t)
{
	const char *copy = copy_of(b, t->path), *who = NULL;
	struct stat st;

	if (stat(copy != NULL ? copy : t->path, &st) == -1)
		return 0;	/* that was told when it was read */
	if ((st.st_mode & S_IRWXO) != 0)
		who = "everybody";
	else if ((st.st_mode & S_IWGRP) != 0 ||
	    ((st.st_mode & S_IRGRP) != 0 && !is_key_group(st.st_gid)))
		who = "its group";
	if (who == NULL)
		return 0;
	conf_error(b->errs, pos_of(b, key), "%s %s: %s can read or write it; "
	    "chmod 600 %s", key, t->path, who, t->path);
	return -1;
}
