/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/board.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/schema.h"
#include "master/certificates.h"
#include "master/changes.h"
#include "master/copy.h"
#include "master/dir.h"
#include "master/generation.h"
#include "master/plugin_state.h"
#include "master/store.h"
#include "net/chan.h"
#include "net/loop.h"
#include "session/secrets.h"

#define NAMES_MAX 256

static struct generation *
generation_new(const char *run_dir, uint32_t n)
{
	struct generation *g = xcalloc(1, sizeof(*g));

	g->n = n;
	g->snapshot.generation = n;
	g->dir = xasprintf("%s/gen/%u", run_dir, n);
	g->snapshot_path = xasprintf("%s/snapshot.json", g->dir);
	return g;
}

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	logs_close(&g->logs);
	if (g->conf != NULL)
		conf_free(g->conf);
	snapshot_free(&g->snapshot);
	json_decref(g->changes);
	free(g->failed);
	free(g->snapshot_path);
	free(g->dir);
	free(g);
}

void
generation_remove(struct generation *g)
{
	dir_remove(g->dir);
}

static int
generation_make_dir(struct generation *g, struct conf_errors *errors)
{
	char why[512];

	if (strlen(g->snapshot_path) >=
	    sizeof(((struct chan_init *)0)->snapshot)) {
		conf_error(errors, NULL, "%s: run_dir is too long a name",
		    g->snapshot_path);
		return -1;
	}
	dir_remove(g->dir); /* of an earlier master */
	if (dir_make(g->dir, 0700, why, sizeof(why)) == -1) {
		conf_error(errors, NULL, "%s", why);
		return -1;
	}
	return 0;
}

/* A module among the sources is copied with the other plugins. */
static void
generation_copy_sources(struct generation *g, const struct conf_sources *from,
    struct conf_errors *errors)
{
	const struct conf_source *s;
	char why[512], *to;
	size_t i;

	for (i = 0; i < from->n; i++) {
		s = &from->v[i];
		if (s->is_module) {
			conf_sources_add(
			    &g->snapshot.sources, s->name, s->path, 1);
			continue;
		}
		to = xasprintf("%s/%zu.conf", g->dir, i);
		if (copy_file(s->path, to, 0600, why, sizeof(why)) == 0)
			conf_sources_add(&g->snapshot.sources, s->name, to, 0);
		else
			conf_error(errors, NULL, "%s: %s", s->name, why);
		free(to);
	}
}

/* A page that can't be read is conf_load's to complain about. */
static void
generation_copy_pages(
    struct generation *g, const struct conf *conf, struct conf_errors *errors)
{
	const struct conf_error_page *p;
	char why[512], *to, *before;

	TAILQ_FOREACH(p, &conf->error_pages, entry)
	{
		if (p->file == NULL || p->body == NULL)
			continue;
		to = xasprintf("%s/%d.page", g->dir, p->status);
		if (copy_file(p->file, to, 0600, why, sizeof(why)) == -1) {
			conf_error(errors, &p->pos, "error_page %d: %s: %s",
			    p->status, p->file, why);
			free(to);
			continue;
		}
		before =
		    map_put(&g->snapshot.files, p->file, strlen(p->file), to);
		free(before);
	}
}

/* Certificates, keys ...  What can't be read is conf_load's, again. */
static void
generation_copy_files(struct generation *g, const struct conf *conf,
    struct conf_errors *errors)
{
	const struct conf_file *f;
	char why[512], *to;
	unsigned n = 0;

	TAILQ_FOREACH (f, &conf->files, entry) {
		to = xasprintf("%s/%u.file", g->dir, n++);
		if (copy_file(f->path, to, 0600, why, sizeof(why)) == -1) {
			conf_error(errors, &f->pos, "%s: %s", f->path, why);
			free(to);
			continue;
		}
		free(map_put(&g->snapshot.files, f->path, strlen(f->path),
		    to));
	}
}

/* Those that are to be renewed by now. */
static void
generation_warn_certificates(const struct conf *conf)
{
	const struct conf_certificate *c;
	int64_t now = (int64_t)time(NULL);
	char text[64];

	TAILQ_FOREACH (c, &conf->certificates, entry) {
		if (certificate_ends(c, now, text, sizeof(text)))
			log_warnx("certificate \"%s\" (%s) %s; renew it",
			    c->name, c->chain.path, text);
		if (c->ocsp_until != 0 && c->ocsp_until <= now)
			log_warnx("certificate \"%s\": ocsp %s has ended; it "
			    "is not stapled", c->name, c->ocsp.path);
	}
}

/* The upstream that p, a module without a block, is the balancer of, or
 * NULL. */
static const struct conf_upstream *
balances(const struct conf *c, const struct conf_plugin *p)
{
	const struct conf_upstream *u;

	TAILQ_FOREACH (u, &c->upstreams, entry)
		if (p->bare && u->balancer == p)
			return u;
	return NULL;
}

struct names {
	char *v[NAMES_MAX + 1];		/* NULL-ended */
	size_t n;
};

static void
names_add_module(const char *file, void *arg)
{
	struct names *names = arg;
	size_t n = strlen(file);

	if (names->n < NAMES_MAX && n > 3 && strcmp(file + n - 3, ".so") == 0)
		names->v[names->n++] = xstrndup(file, n - 3);
}

/* What it could have been: a plugin block, or a module. */
static void
no_balancer(const struct conf *c, const struct conf_upstream *u,
    struct conf_errors *errors)
{
	struct names names = {0};
	const struct conf_plugin *p;
	const char *hint;

	TAILQ_FOREACH (p, &c->plugins, entry)
		if (!p->bare && names.n < NAMES_MAX)
			names.v[names.n++] = xstrdup(p->name);
	dir_each(c->plugin_dir, names_add_module, &names);
	hint = conf_nearest(u->balancer_name, (const char *const *)names.v);
	conf_error(errors, &u->balancer_pos, "upstream \"%s\": there is no "
	    "balancer \"%s\": neither a plugin block, nor a module %s%s%s%s",
	    u->name, u->balancer_name, u->balancer->file,
	    hint != NULL ? "; did you mean \"" : "", hint != NULL ? hint : "",
	    hint != NULL ? "\"?" : "");
	while (names.n > 0)
		free(names.v[--names.n]);
}

/* One that hostd makes itself. */
static int
generation_make_secret(const struct conf *conf, const char *file, char *why,
    size_t size)
{
	if (dir_make(conf->state_dir, 0755, why, size) == -1)
		return -1;
	return secrets_make(file, why, size);
}

/* Where a secret is a file of a container's, that is how it is. */
static void
generation_warn_secret(const struct conf_session *s)
{
	struct stat st;

	if (stat(s->secret_file, &st) == 0 && (st.st_mode & S_IROTH) != 0)
		log_warnx("session \"%s\": secret_file %s can be read by "
		    "everybody; chmod o-r %s", s->name, s->secret_file,
		    s->secret_file);
}

static int
generation_copy_secret(const struct conf *conf, const struct conf_session *s,
    const char *to, int to_serve, char *why, size_t size)
{
	char reason[384];

	/* Where nobody is served, there need not be one yet. */
	if (s->secret_is_made && !to_serve &&
	    access(s->secret_file, F_OK) == -1)
		return secrets_make(to, why, size);
	if (s->secret_is_made && generation_make_secret(conf, s->secret_file,
	    why, size) == -1)
		return -1;
	if (!s->secret_is_made)
		generation_warn_secret(s);
	if (copy_file(s->secret_file, to, 0600, reason, sizeof(reason)) == 0)
		return 0;
	(void)snprintf(why, size, "%s: %s", s->secret_file, reason);
	return -1;
}

/* All workers of a generation sign with the same ones, whenever they start. */
static void
generation_copy_secrets(struct generation *g, const struct conf *conf,
    int to_serve, struct conf_errors *errors)
{
	const struct conf_session *s;
	char why[512], *to;

	TAILQ_FOREACH (s, &conf->sessions, entry) {
		/* What can't be read is conf_load's to complain about. */
		if (s->secret_file == NULL ||
		    (!s->secret_is_made && s->secrets == NULL))
			continue;
		to = xasprintf("%s/%s.secret", g->dir, s->name);
		if (generation_copy_secret(conf, s, to, to_serve, why,
		    sizeof(why)) == -1) {
			conf_error(errors, &s->pos, "session \"%s\": %s",
			    s->name, why);
			free(to);
			continue;
		}
		free(map_put(&g->snapshot.files, s->secret_file,
		    strlen(s->secret_file), to));
	}
}

/* What is only tested leaves what is kept alone. */
static void
generation_make_state(struct generation *g, const struct conf *conf,
    const char *run_dir, int to_serve)
{
	char *path;

	if (to_serve) {
		plugin_state_make(conf, conf->plugin_state);
		return;
	}
	path = xasprintf("%s/state", run_dir);
	plugin_state_make(conf, path);
	free(map_put(&g->snapshot.files, conf->plugin_state,
	    strlen(conf->plugin_state), path));
}

static void
generation_copy_plugin(struct generation *g, const char *dir,
    const struct conf_plugin *p, struct conf_errors *errors)
{
	const struct conf_upstream *u = balances(g->conf, p);
	char why[512], name[COPY_NAME_MAX];

	if (p->file == NULL ||
	    map_get(&g->snapshot.modules, p->file, strlen(p->file)) != NULL)
		return;
	if (u != NULL && access(p->file, F_OK) == -1 && errno == ENOENT) {
		no_balancer(g->conf, u, errors);
		return;
	}
	if (conf_file_trusted(p->file, why, sizeof(why)) == -1) {
		/* It names the file. */
		conf_error(errors, &p->pos, "plugin \"%s\": %s", p->name, why);
		return;
	}
	if (copy_hashed(p->file, dir, ".so", name, why, sizeof(why)) == -1) {
		conf_error(errors, &p->pos, "plugin \"%s\": %s: %s", p->name,
		    p->file, why);
		return;
	}
	(void)map_put(&g->snapshot.modules, p->file, strlen(p->file),
	    xasprintf("%s/%s", dir, name));
}

static void
generation_copy_plugins(
    struct generation *g, const char *run_dir, struct conf_errors *errors)
{
	const struct conf_plugin *p;
	char *dir = xasprintf("%s/plugins", run_dir);

	TAILQ_FOREACH(p, &g->conf->plugins, entry)
	generation_copy_plugin(g, dir, p, errors);
	free(dir);
}

struct generation *
generation_build(const char *run_dir, const char *conf_file, uint32_t n,
    const struct generation *serving, int to_serve, struct conf_errors *errors)
{
	struct generation *g = generation_new(run_dir, n);
	struct conf_sources from = {0};
	struct conf_errors again;
	struct conf *conf;
	char why[512];

	if (store_make_dirs(run_dir, why, sizeof(why)) == -1) {
		conf_error(errors, NULL, "run_dir: %s", why);
		goto fail;
	}
	if (generation_make_dir(g, errors) == -1)
		goto fail;
	conf_sources_find(&from, conf_file, errors);
	generation_copy_sources(g, &from, errors);
	conf_sources_free(&from);
	if (g->snapshot.sources.n == 0)
		goto fail;
	/* Once from where the files are, to learn which there are, and then
	 * as the workers will. */
	conf = conf_load(&g->snapshot.sources, NULL, errors);
	generation_copy_pages(g, conf, errors);
	generation_copy_files(g, conf, errors);
	generation_warn_certificates(conf);
	generation_copy_secrets(g, conf, to_serve, errors);
	if (!TAILQ_EMPTY(&conf->plugins))
		generation_make_state(g, conf, run_dir, to_serve);
	conf_free(conf);
	conf_errors_init(&again);
	g->conf = conf_load(&g->snapshot.sources, &g->snapshot.files, &again);
	conf_errors_free(&again);
	generation_copy_plugins(g, run_dir, errors);
	if (snapshot_write(&g->snapshot, g->snapshot_path, why, sizeof(why)) ==
	    -1) {
		conf_error(errors, NULL, "%s: %s", g->snapshot_path, why);
		goto fail;
	}
	g->made_ms = board_clock_ms();
	if (serving != NULL) {
		g->before = serving->n;
		g->changes = changes_between(&serving->snapshot, &g->snapshot);
	}
	return g;
fail:
	generation_remove(g);
	generation_free(g);
	return NULL;
}

struct conf_pool *
generation_pool(const struct generation *g, const char *name)
{
	struct conf_pool *p;

	TAILQ_FOREACH (p, &g->conf->pools, entry)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

/* ---- for a master's successor ---- */

json_t *
generation_save(const struct generation *g, struct record *r)
{
	json_t *o = json_pack("{s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:o}", "number",
	    (json_int_t)g->n, "before", (json_int_t)g->before, "made_ms",
	    (json_int_t)g->made_ms, "served_ms", (json_int_t)g->served_ms,
	    "since_ms", (json_int_t)g->since_ms, "tried", g->tried, "proved",
	    g->proved, "access_logs", logs_save(&g->logs, r));

	if (g->changes != NULL)
		(void)json_object_set(o, "changes", g->changes);
	if (g->failed != NULL)
		(void)json_object_set_new(o, "failed",
		    record_bytes(g->failed, strlen(g->failed)));
	return o;
}

static int
generation_read(struct generation *g, char *why, size_t size)
{
	struct conf_errors errors;
	int rc = 0;

	if (snapshot_read(&g->snapshot, g->snapshot_path, why, size) == -1)
		return -1;
	conf_errors_init(&errors);
	g->conf =
	    conf_load(&g->snapshot.sources, &g->snapshot.files, &errors);
	if (!TAILQ_EMPTY(&errors)) {
		(void)snprintf(why, size, "%s", TAILQ_FIRST(&errors)->text);
		rc = -1;
	}
	conf_errors_free(&errors);
	return rc;
}

struct generation *
generation_restore(const char *run_dir, const json_t *j, struct record *r,
    char *why, size_t size)
{
	struct generation *g;

	g = generation_new(run_dir, (uint32_t)record_int(j, "number", 0));
	g->before = (uint32_t)record_int(j, "before", 0);
	g->made_ms = (uint64_t)record_int(j, "made_ms", 0);
	g->served_ms = (uint64_t)record_int(j, "served_ms", 0);
	g->since_ms = (uint64_t)record_int(j, "since_ms",
	    (json_int_t)loop_clock_ms());
	g->tried = record_flag(j, "tried");
	g->proved = record_flag(j, "proved");
	g->changes = json_incref(json_object_get(j, "changes"));
	g->failed = record_get_text(j, "failed");
	if (generation_read(g, why, size) == -1) {
		generation_free(g);
		return NULL;
	}
	logs_restore(
	    &g->logs, g->conf, json_object_get(j, "access_logs"), r);
	return g;
}
