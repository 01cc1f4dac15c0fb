/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "master/control.h"
#include "master/generations.h"
#include "master/rollout.h"
#include "master/store.h"
#include "net/loop.h"

struct generation *
generations_find(const struct master *m, uint32_t n)
{
	struct generation *g;

	TAILQ_FOREACH (g, &m->generations, link)
		if (g->n == n)
			return g;
	return NULL;
}

/* Has it served, and was it not taken back? */
static int
generation_is_good(const struct generation *g)
{
	return g->served_ms != 0 && g->failed == NULL;
}

/* Numbers grow, but who has gone back has left the later ones for a reason. */
struct generation *
generations_before(const struct master *m, const struct generation *g)
{
	struct generation *o, *best = NULL;

	TAILQ_FOREACH (o, &m->generations, link)
		if (o->n <= g->before && generation_is_good(o) &&
		    (best == NULL || o->n > best->n))
			best = o;
	return best;
}

void
generations_serve(struct master *m, struct generation *g)
{
	m->gen = g;
	/* With all pools stopped it had no worker; its probe has to do. */
	g->tried = 1;
	g->served_ms = board_clock_ms();
	g->since_ms = loop_clock_ms();
	free(g->failed);
	g->failed = NULL;
	atomic_store(&m->board.node->generation, g->n);
	atomic_store(&m->board.node->coming, g->n);
}

void
generation_fail(struct generation *g, const char *why)
{
	free(g->failed);
	g->failed = xstrdup(why);
}

/* ---- pruning ---- */

/* Is it one of the latest that are kept?  The way back always is. */
static int
generation_is_kept(const struct master *m, const struct generation *g)
{
	const struct generation *before, *o;
	int later = 0;

	if (g == m->gen)
		return 1;
	if (m->gen == NULL || !g->tried)
		return 0;
	before = generations_before(m, m->gen);
	if (g == before)
		return 1;
	TAILQ_FOREACH (o, &m->generations, link)
		if (o != m->gen && o != before && o->tried && o->n > g->n)
			later++;
	return later + (before != NULL) < m->gen->conf->generations_kept;
}

void
generations_prune(struct master *m)
{
	struct generation *g, *next;
	int n = 0;

	for (g = TAILQ_FIRST(&m->generations); g != NULL; g = next) {
		next = TAILQ_NEXT(g, link);
		if (g->users > 0 || (m->rollout != NULL &&
		    g == rollout_generation(m->rollout)))
			continue;
		/* Nobody writes to its logs. */
		if (g != m->gen)
			logs_close(&g->logs);
		if (generation_is_kept(m, g))
			continue;
		TAILQ_REMOVE(&m->generations, g, link);
		generation_remove(g);
		generation_free(g);
		n++;
	}
	if (n > 0 && m->rollout == NULL)
		store_clean(m->run_dir, &m->generations);
}

/* ---- telling ---- */

static const char *
generation_state(const struct master *m, const struct generation *g)
{
	if (g == m->gen)
		return "serving";
	if (m->rollout != NULL && g == rollout_generation(m->rollout))
		return "coming";
	if (g->failed != NULL)
		return "failed";
	if (m->gen != NULL && g == generations_before(m, m->gen))
		return "previous";
	return generation_is_kept(m, g) ? "kept" : "ending";
}

/* The copy is named after what is in it. */
static json_t *
plugin_hash(const struct generation *g, const struct conf_plugin *p)
{
	const char *copy = map_get(&g->snapshot.modules, p->file,
	    strlen(p->file));
	const char *base = copy != NULL ? strrchr(copy, '/') : NULL;

	if (base == NULL)
		return json_null();
	base++;
	return json_stringn(base, strcspn(base, "."));
}

static json_t *
generation_plugins(const struct generation *g)
{
	const struct conf_plugin *p;
	json_t *list = json_array();

	TAILQ_FOREACH (p, &g->conf->plugins, entry)
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:o,s:o}", "name", p->name, "file",
			control_text(p->file), "hash", plugin_hash(g, p)));
	return list;
}

static json_t *
generation_json(const struct master *m, const struct generation *g)
{
	json_t *o = json_pack("{s:I,s:s,s:I,s:I,s:i,s:o}", "generation",
	    (json_int_t)g->n, "state", generation_state(m, g), "made_ms",
	    (json_int_t)g->made_ms, "served_ms", (json_int_t)g->served_ms,
	    "workers", g->users, "plugins", generation_plugins(g));

	(void)json_object_set(o, "changes",
	    g->changes != NULL ? g->changes : json_null());
	if (g->before != 0)
		(void)json_object_set_new(o, "before",
		    json_integer((json_int_t)g->before));
	if (g->failed != NULL)
		(void)json_object_set_new(o, "failed", control_text(g->failed));
	return o;
}

json_t *
generations_json(const struct master *m)
{
	json_t *list = json_array();
	const struct generation *g;
	size_t i;

	TAILQ_FOREACH (g, &m->generations, link) {
		for (i = 0; i < json_array_size(list); i++)
			if (json_integer_value(json_object_get(json_array_get(
				list, i), "generation")) < (json_int_t)g->n)
				break;
		(void)json_array_insert_new(list, i, generation_json(m, g));
	}
	return list;
}
