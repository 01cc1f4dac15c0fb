/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>
#include "static.h"
#include "types.h"

static const char *const suffixes[CODING_N] = { "", ".br", ".gz" };

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* "word rest": does word equal ext?  Returns rest. */
static const char *
entry_value(const char *entry, const char *word, size_t n)
{
	const char *p;

	if (strncasecmp(entry, word, n) != 0 ||
	    (entry[n] != ' ' && entry[n] != '\t'))
		return NULL;
	for (p = entry + n; *p == ' ' || *p == '\t'; p++)
		;
	return p;
}

static const char *
content_type(const struct hostd_inst *in, const char *path)
{
	const char *dot = strrchr(base_name(path), '.'), *type;
	uint32_t i;

	for (i = 0; dot != NULL && i < in->ntypes; i++)
		if ((type = entry_value(in->types[i].p, dot + 1,
		    strlen(dot + 1))) != NULL)
			return type;
	return type_of(path);
}

/* The value of the first "pattern value" whose pattern matches the path, or
 * the name alone when the pattern has no slash. */
static const char *
cache_control(const struct hostd_inst *in, const char *path)
{
	char pattern[PAIR_WORD_MAX + 1];
	const char *entry;
	size_t n;
	uint32_t i;

	for (i = 0; i < in->ncache_control; i++) {
		entry = in->cache_control[i].p;
		n = strcspn(entry, " \t");
		memcpy(pattern, entry, n);
		pattern[n] = '\0';
		/* Paths are below the root: "/x" means "x" there. */
		if (fnmatch(pattern + (pattern[0] == '/'),
		    strchr(pattern, '/') != NULL ? path : base_name(path),
		    0) == 0)
			return entry + n + strspn(entry + n, " \t");
	}
	return NULL;
}

static int
is_gzip_type(const struct hostd_inst *in, const char *type)
{
	size_t n = strcspn(type, ";");
	uint32_t i;

	for (i = 0; i < in->ngzip_types; i++)
		if (in->gzip_types[i].n == n &&
		    strncasecmp(in->gzip_types[i].p, type, n) == 0)
			return 1;
	return 0;
}

static int
may_gzip(const struct hostd_inst *in, const struct file *f)
{
	return in->gzip && f->size >= in->gzip_min &&
	    f->size <= in->gzip_max && is_gzip_type(in, f->type);
}

/* The fallback is there for those who accept pages only. */
static const char *
vary_of(const struct hostd_inst *in, const char *path, int by_coding)
{
	if (in->fallback == NULL || strcmp(path, in->fallback) != 0)
		return by_coding ? "Accept-Encoding" : NULL;
	return by_coding ? "Accept, Accept-Encoding" : "Accept";
}

static void
load_siblings(struct hostd_inst *in, const char *path, struct file *f)
{
	char name[PATH_MAX_LEN + 4];
	enum file_kind kind;
	int c;

	for (c = CODING_BR; c < CODING_N; c++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[c]);
		f->coded[c] = file_load(in->root, name, in->in_memory, &kind);
		if (f->coded[c] != NULL)
			file_make_headers(f->coded[c], f->type,
			    f->cache_control, c, vary_of(in, path, 1));
	}
}

static struct file *
load(struct hostd_inst *in, const char *path, enum file_kind *kind)
{
	struct file *f = file_load(in->root, path, in->in_memory, kind);
	const char *type, *cc;

	if (f == NULL)
		return NULL;
	type = content_type(in, path);
	cc = cache_control(in, path);
	f->type = type;
	if (cc != NULL)
		f->cache_control = strdup(cc);
	if (in->precompressed)
		load_siblings(in, path, f);
	file_make_headers(f, type, cc, CODING_NONE, vary_of(in, path,
	    f->coded[CODING_BR] != NULL || f->coded[CODING_GZIP] != NULL ||
	    may_gzip(in, f)));
	return f;
}

static int
sibling_is_fresh(struct hostd_inst *in, const char *path,
    const struct file *coded, int coding)
{
	char name[PATH_MAX_LEN + 4];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[coding]);
	if (file_look(in->root, name, &st) != FILE_REGULAR)
		return coded == NULL || coded->made;
	return coded != NULL && !coded->made && same_version(&st, &coded->st);
}

/* Is what the cache holds still what is on disk? */
static int
is_fresh(struct hostd_inst *in, struct cache_entry *e, uint64_t now)
{
	struct stat st;
	int c;

	if (!file_is_intact(e->file))
		return 0;
	if (now - e->checked_ms < in->valid_ms)
		return 1;
	e->checked_ms = now;
	if (file_look(in->root, e->path, &st) != FILE_REGULAR ||
	    !same_version(&st, &e->file->st))
		return 0;
	for (c = CODING_BR; in->precompressed && c < CODING_N; c++)
		if (!sibling_is_fresh(in, e->path, e->file->coded[c], c))
			return 0;
	return 1;
}

struct file *
lookup_file(struct hostd_inst *in, const char *path, size_t len,
    enum file_kind *kind)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);
	struct cache_entry *e = cache_get(&in->cache, path, len + 1);
	struct file *f;

	if (e != NULL && is_fresh(in, e, now)) {
		*kind = FILE_REGULAR;
		return file_ref(e->file);
	}
	if (e != NULL)
		cache_drop(&in->cache, e);
	if ((f = load(in, path, kind)) != NULL)
		(void)cache_put(&in->cache, path, len + 1, f, now);
	return f;
}

/* -- compressing -- */

struct job {
	struct file *file;	/* a reference */
	char *result;
	size_t size;
	char *path;
	size_t len;
};

/* [work] The file is not touched by the loop but for its counter of
 * references, which this does not look at. */
static void
job_run(void *arg)
{
	struct job *j = arg;
	size_t n = (size_t)j->file->size;
	const char *bytes = j->file->content;
	char *copy = NULL;

	if (bytes == NULL && (bytes = copy = file_bytes(j->file->fd,
	    &j->file->st)) == NULL)
		return;
	j->result = encoding_gzip(bytes, n, &j->size);
	free(copy);
}

static void
job_free(struct job *j)
{
	file_unref(j->file);
	free(j->result);
	free(j->path);
	free(j);
}

static void
job_done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct job *j = arg;
	struct cache_entry *e;

	if (status == HOSTD_OK && j->result != NULL) {
		j->file->coded[CODING_GZIP] = file_coded(j->file, j->result,
		    j->size, CODING_GZIP);
		j->result = NULL;
		e = cache_get(&in->cache, j->path, j->len + 1);
		if (e != NULL && e->file == j->file)
			cache_recount(&in->cache, e);
	}
	job_free(j);
}

void
lookup_compress(struct hostd_inst *in, const char *path, size_t len,
    struct file *f)
{
	struct cache_entry *e;
	struct job *j;

	if (f->compressing || f->coded[CODING_GZIP] != NULL ||
	    !may_gzip(in, f))
		return;
	/* For one that is not kept it would be done at every request. */
	e = cache_get(&in->cache, path, len + 1);
	if (e == NULL || e->file != f)
		return;
	f->compressing = 1;
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return;
	j->file = file_ref(f);
	j->len = len;
	if ((j->path = strdup(path)) == NULL ||
	    in->work->submit(in->easy.host, job_run, job_done, j) != HOSTD_OK)
		job_free(j);
}
