/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"
#include "master/rollout.h"
#include "master/watch.h"

#define QUIET_MS 200	/* since the last file was complete */
#define UNTIDY_MS 1000	/* since one went, or while one is being written */

#define COMPLETE (IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB)
#define UNTIDY (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | \
	IN_MOVE_SELF)

/* A directory; it is watched for those names, or for all of conf_dir's. */
struct watch_dir {
	LIST_ENTRY(watch_dir) link;
	char *path;
	int wd;
	int sources;
	char **names;
	size_t n;
};

LIST_HEAD(watch_dirs, watch_dir);

struct watch {
	struct master *m;
	int fd;
	uv_poll_t poll;
	uv_timer_t quiet;
	int handles;		/* not yet closed */
	struct watch_dirs dirs;
	char changed[PATH_MAX];	/* the file that is told of */
};

/* ---- what is watched ---- */

static void
dirs_free(struct watch_dirs *dirs)
{
	struct watch_dir *d;

	while ((d = LIST_FIRST(dirs)) != NULL) {
		LIST_REMOVE(d, link);
		while (d->n > 0)
			free(d->names[--d->n]);
		free(d->names);
		free(d->path);
		free(d);
	}
}

static struct watch_dir *
dirs_find(struct watch_dirs *dirs, int wd)
{
	struct watch_dir *d;

	LIST_FOREACH(d, dirs, link)
		if (d->wd == wd)
			return d;
	return NULL;
}

/* NULL: it is not there, or can't be watched. */
static struct watch_dir *
watch_dir(struct watch *w, const char *path)
{
	struct watch_dir *d;
	int wd;

	wd = inotify_add_watch(w->fd, path, COMPLETE | UNTIDY | IN_MODIFY |
	    IN_ONLYDIR);
	if (wd == -1) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_warn("watching %s", path);
		return NULL;
	}
	if ((d = dirs_find(&w->dirs, wd)) != NULL)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->wd = wd;
	d->path = xstrdup(path);
	LIST_INSERT_HEAD(&w->dirs, d, link);
	return d;
}

/* One name, or, where that is still missing, the first directory of its path
 * that is. */
static void
watch_name(struct watch *w, const char *path)
{
	char *dir = xstrdup(path), *slash;
	struct watch_dir *d = NULL;

	while (d == NULL && (slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		d = watch_dir(w, slash == dir ? "/" : dir);
		if (d == NULL)
			continue;
		d->names = xrealloc(d->names, (d->n + 1) * sizeof(*d->names));
		d->names[d->n++] = xstrdup(slash + 1);
	}
	free(dir);
}

/* Also where a symbolic link leads. */
static void
watch_file(struct watch *w, const char *path)
{
	char *real;

	if (path == NULL)
		return;
	watch_name(w, path);
	real = realpath(path, NULL);
	if (real != NULL && strcmp(real, path) != 0)
		watch_name(w, real);
	free(real);
}

static void
watch_conf(struct watch *w, const struct conf *c)
{
	const struct conf_error_page *e;
	const struct conf_session *s;
	const struct conf_plugin *p;
	const struct conf_file *f;
	struct watch_dir *d;

	if ((d = watch_dir(w, c->conf_dir)) != NULL)
		d->sources = 1;
	else
		watch_name(w, c->conf_dir);
	TAILQ_FOREACH (p, &c->plugins, entry)
		watch_file(w, p->file);
	TAILQ_FOREACH (e, &c->error_pages, entry)
		watch_file(w, e->file);
	TAILQ_FOREACH (s, &c->sessions, entry)
		watch_file(w, s->secret_file);
	TAILQ_FOREACH (f, &c->files, entry)
		watch_file(w, f->path);
}

/* What it finds wrong is for the reload to say. */
static void
watch_read(struct watch *w)
{
	struct conf_sources s = {0};
	struct conf_errors ignored;
	struct conf *c;
	size_t i;

	conf_errors_init(&ignored);
	conf_sources_find(&s, w->m->conf_file, &ignored);
	watch_file(w, w->m->conf_file);
	for (i = 0; i < s.n; i++)
		watch_file(w, s.v[i].name);
	if (s.n == 0)
		conf_sources_add(&s, w->m->conf_file, "/dev/null", 0);
	c = conf_load(&s, NULL, &ignored);
	watch_conf(w, c);
	conf_free(c);
	conf_sources_free(&s);
	conf_errors_free(&ignored);
}

/* Anew; what happens meanwhile where both look is not lost. */
static void
watch_look(struct watch *w)
{
	struct watch_dirs before;
	struct watch_dir *d;

	before = w->dirs;
	if (!LIST_EMPTY(&before))
		LIST_FIRST(&before)->link.le_prev = &before.lh_first;
	LIST_INIT(&w->dirs);
	watch_read(w);
	LIST_FOREACH(d, &before, link)
		if (dirs_find(&w->dirs, d->wd) == NULL)
			(void)inotify_rm_watch(w->fd, d->wd);
	dirs_free(&before);
}

/* ---- what happens ---- */

static void
watch_reloaded(void *arg, enum rollout_outcome how,
    const struct conf_errors *errors)
{
	(void)arg;
	(void)how;
	if (!TAILQ_EMPTY(errors))
		log_warnx("watch: waiting for the next change");
}

static void
watch_due(uv_timer_t *t)
{
	struct watch *w = t->data;
	const struct rollout_opts opts = {.parallel = 1};
	const struct watcher told = {.done = watch_reloaded, .arg = w};

	if (w->m->stopping)
		return;
	if (master_busy(w->m) != NULL || w->m->gen == NULL) {
		(void)uv_timer_start(t, watch_due, QUIET_MS, 0);
		return;
	}
	log_info("watch: %s has changed", w->changed);
	watch_look(w);
	(void)rollout_reload(w->m, &opts, &told);
}

static int
dir_has(const struct watch_dir *d, const char *name)
{
	size_t i;

	if (d->sources && conf_is_source(name))
		return 1;
	for (i = 0; i < d->n; i++)
		if (strcmp(d->names[i], name) == 0)
			return 1;
	return 0;
}

static void
watch_changed(struct watch *w, const struct inotify_event *e)
{
	const struct watch_dir *d = dirs_find(&w->dirs, e->wd);
	const char *name = e->len > 0 ? e->name : "";
	int pending = uv_is_active((uv_handle_t *)&w->quiet);

	if ((e->mask & IN_Q_OVERFLOW) != 0) {
		(void)snprintf(w->changed, sizeof(w->changed), "something");
	} else {
		/* A directory that goes has no name here. */
		if (d == NULL || (e->mask & IN_IGNORED) != 0 ||
		    (*name != '\0' && !dir_has(d, name)) ||
		    ((e->mask & IN_MODIFY) != 0 && !pending))
			return;
		(void)snprintf(w->changed, sizeof(w->changed), "%s%s%s",
		    d->path, *name != '\0' ? "/" : "", name);
	}
	(void)uv_timer_start(&w->quiet, watch_due,
	    (e->mask & COMPLETE) != 0 ? QUIET_MS : UNTIDY_MS, 0);
}

static void
watch_readable(uv_poll_t *p, int status, int events)
{
	_Alignas(struct inotify_event) char buf[8192];
	struct watch *w = p->data;
	const struct inotify_event *e;
	ssize_t n;
	char *at;

	(void)status;
	(void)events;
	while ((n = read(w->fd, buf, sizeof(buf))) > 0)
		for (at = buf; at < buf + n; at += sizeof(*e) + e->len) {
			e = (const void *)at;
			watch_changed(w, e);
		}
}

/* ---- life ---- */

static void
watch_start(struct master *m)
{
	struct watch *w;
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd == -1) {
		log_warn("watch: files can't be watched");
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->m = m;
	w->fd = fd;
	w->handles = 2;
	LIST_INIT(&w->dirs);
	(void)uv_poll_init(&m->loop, &w->poll, fd);
	(void)uv_timer_init(&m->loop, &w->quiet);
	w->poll.data = w->quiet.data = w;
	(void)uv_poll_start(&w->poll, UV_READABLE, watch_readable);
	m->watch = w;
	watch_look(w);
	log_info("watch: reloading when a file changes");
}

static void
watch_closed(uv_handle_t *h)
{
	struct watch *w = h->data;

	if (--w->handles > 0)
		return;
	(void)close(w->fd);
	dirs_free(&w->dirs);
	free(w);
}

void
watch_stop(struct master *m)
{
	struct watch *w = m->watch;

	if (w == NULL)
		return;
	m->watch = NULL;
	rollout_unwatch(m, w);
	uv_close((uv_handle_t *)&w->poll, watch_closed);
	uv_close((uv_handle_t *)&w->quiet, watch_closed);
}

void
watch_follow(struct master *m, int on)
{
	if (on && m->watch == NULL)
		watch_start(m);
	else if (!on)
		watch_stop(m);
}
