/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "plugin/scout.h"
#include "sandbox/caps.h"
#include "worker/sandbox.h"

/* The directory of a file that there is. */
static void
allow_dir_of(struct sandbox *s, const char *path)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');

	if (slash != NULL && slash != dir) {
		*slash = '\0';
		sandbox_allow(s, dir, SANDBOX_READ);
	}
	free(dir);
}

/* The copies that plugins are loaded from. */
static void
allow_generation(const struct worker *w, struct sandbox *s)
{
	const struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(&w->snap.modules, &it)) != NULL)
		sandbox_allow(s, e->value, SANDBOX_READ);
	allow_dir_of(s, w->init.snapshot);
}

static void
allow_if_set(struct sandbox *s, const char *path)
{
	if (path != NULL)
		sandbox_allow_named(s, path, SANDBOX_READ);
}

/* What the host reads by itself, now or when it has changed. */
static void
allow_own_files(const struct conf *conf, struct sandbox *s)
{
	const struct conf_auth *a;
	const struct conf_session *cs;

	TAILQ_FOREACH(a, &conf->auths, entry) {
		allow_if_set(s, a->secret_file);
		allow_if_set(s, a->key_file);
		allow_if_set(s, a->jwks_file);
		allow_if_set(s, a->users_file);
	}
	TAILQ_FOREACH(cs, &conf->sessions, entry)
		if (cs->secret_file != NULL)
			sandbox_allow(s, cs->secret_file, SANDBOX_READ);
}

static void
allow_granted(struct worker *w, struct sandbox *s)
{
	const struct conf_sandbox *c = &w->conf->sandbox;
	size_t i;

	for (i = 0; i < c->ngrants; i++)
		sandbox_allow(s, c->grants[i].path, c->grants[i].access);
	for (i = 0; i < c->ncalls; i++)
		if (sandbox_allow_call(s, c->calls[i]) == -1)
			conf_error(&w->errs, &c->calls_pos,
			    "\"sandbox_calls\": there is no system call "
			    "\"%s\"", c->calls[i]);
}

/* It is looked into for as long as we live. */
static struct sandbox allowed;

static void
enter(struct worker *w)
{
	enum sandbox_mode mode = (enum sandbox_mode)w->conf->sandbox.mode;
	struct sandbox narrow = { 0 };
	char why[512];

	sandbox_allow_system(&narrow);
	allow_generation(w, &narrow);
	sandbox_allow_system(&allowed);
	allow_generation(w, &allowed);
	allow_own_files(w->conf, &allowed);
	allow_granted(w, &allowed);
	scout_plugins(w->conf, &w->snap, w->cell, &narrow, &allowed);
	sandbox_free(&narrow);
	if (allowed.exec)
		sandbox_allow_programs(&allowed);
	if (mode == SANDBOX_ON && caps_drop_all() == -1)
		conf_error(&w->errs, NULL, "dropping capabilities: %s",
		    strerror(errno));
	if (sandbox_enter(&allowed, mode, w->cell, why, sizeof(why)) == -1)
		conf_error(&w->errs, NULL, "%s", why);
}

void
worker_confine(struct worker *w)
{
	int mode = w->conf->sandbox.mode;

	if (mode != SANDBOX_OFF)
		enter(w);
	atomic_store(&w->cell->sandbox, (uint32_t)mode + 1);
}
