/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "plugin/health_service.h"
#include "plugin/plugins.h"
#include "plugin/scrape.h"

/* -- what they depend on -- */

/* With the name that the field knows for a Redis. */
static void
put_redis(const struct dependency *all, size_t n, struct exposition *x)
{
	size_t i;

	exposition_family(x, "redis_connection_status", EXPOSITION_GAUGE,
	    "Whether the plugin's Redis is there for all workers.");
	for (i = 0; i < n; i++)
		if (strcmp(all[i].name, "redis") == 0)
			exposition_value(x, all[i].state == DEPENDENCY_UP, 1,
			    "plugin", all[i].plugin, NULL);
}

static void
put_dependencies(const struct plugins *p, struct exposition *x)
{
	struct dependency *all = xcalloc(DEPENDENCIES_MAX, sizeof(*all));
	size_t i, n = dependencies_look(p, all);

	exposition_family(x, "hostd_dependency_up", EXPOSITION_GAUGE,
	    "Whether that is there, which a plugin or an upstream, the owner, "
	    "depends on.");
	for (i = 0; i < n; i++)
		exposition_value(x, all[i].state == DEPENDENCY_UP, 1,
		    "dependency", all[i].name, "owner", all[i].plugin, NULL);
	put_redis(all, n, x);
	free(all);
}

/* -- their callbacks -- */

static void
put_uses(const struct board *b, struct exposition *x)
{
	struct board_used *all = xcalloc(BOARD_USED, sizeof(*all));
	size_t i, n = board_uses_sum(b, all);

	exposition_family(x, "hostd_plugin_callbacks", EXPOSITION_COUNTER,
	    "Calls into the code of plugins, by instance.");
	for (i = 0; i < n; i++)
		exposition_value(x, (int64_t)all[i].use.calls, 1, "plugin",
		    all[i].name, NULL);
	exposition_family(x, "hostd_plugin_callback_seconds",
	    EXPOSITION_COUNTER, "Time that these took, by a coarse clock "
	    "that is right on average.");
	for (i = 0; i < n; i++)
		exposition_value(x, (int64_t)all[i].use.ms, 1000, "plugin",
		    all[i].name, NULL);
	free(all);
}

/* -- their own metrics -- */

/* What a family is called here: in seconds, as all others are; the unit that
 * plugins count in is the name's end. */
struct family {
	char name[256];
	size_t len;		/* of the name that the plugin has given */
	unsigned scale;
};

static int
cut(char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	if (n <= m || strcmp(name + n - m, end) != 0)
		return 0;
	name[n - m] = '\0';
	return 1;
}

static void
family_of(const struct board_metric *m, struct family *f)
{
	f->len = strcspn(m->name, "{");
	(void)snprintf(f->name, sizeof(f->name), "%.*s", (int)f->len,
	    m->name);
	f->scale = 1;
	if (m->type == BOARD_METRIC_COUNTER)
		(void)cut(f->name, "_total");
	if (cut(f->name, "_milliseconds"))
		f->scale = 1000;
	else if (cut(f->name, "_microseconds"))
		f->scale = 1000000;
	if (f->scale > 1)
		(void)strcat(f->name, "_seconds");
}

static int
is_of_family(const struct board_metric *m, const struct board_metric *first)
{
	size_t n = strcspn(first->name, "{");

	return m->type == first->type && strncmp(m->name, first->name, n) ==
	    0 && strcspn(m->name, "{") == n;
}

static void
put_series(const struct board_metric *m, const struct family *f,
    struct exposition *x)
{
	struct exposition_bucket b[BOARD_BUCKETS];
	char labels[sizeof(m->name)];
	uint32_t i;
	char *end;

	/* What is between the braces was made by metrics_service.c; values
	 * may have some, too. */
	(void)snprintf(labels, sizeof(labels), "%s", m->name + f->len +
	    (m->name[f->len] == '{'));
	if ((end = strrchr(labels, '}')) != NULL)
		*end = '\0';
	if (m->type != BOARD_METRIC_HISTOGRAM) {
		exposition_value_of(x, m->value, f->scale, labels);
		return;
	}
	for (i = 0; i < m->nbounds; i++)
		b[i] = (struct exposition_bucket){ m->bounds[i],
			m->buckets[i] };
	exposition_histogram(x, b, m->nbounds, m->buckets[m->nbounds],
	    m->value, f->scale, labels);
}

/* All series of a family are told where its first one is. */
static int
is_first(const struct board_metric *all, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (strncmp(all[j].name, all[i].name, strcspn(all[i].name,
		    "{") + 1) == 0)
			return 0;
	return 1;
}

static int
has_same_labels(const struct board_metric *all, size_t from, size_t i)
{
	size_t j;

	/* Of another generation, with other bounds. */
	for (j = from; j < i; j++)
		if (strcmp(all[j].name, all[i].name) == 0)
			return 1;
	return 0;
}

static void
put_metrics(const struct board *b, struct exposition *x)
{
	static const enum exposition_type types[] = {
		[BOARD_METRIC_COUNTER] = EXPOSITION_COUNTER,
		[BOARD_METRIC_GAUGE] = EXPOSITION_GAUGE,
		[BOARD_METRIC_HISTOGRAM] = EXPOSITION_HISTOGRAM
	};
	struct board_metric *all = xcalloc(BOARD_METRICS, sizeof(*all));
	size_t i, j, n = board_metrics_sum(b, all);
	struct family f;

	for (i = 0; i < n; i++) {
		if (!is_first(all, i))
			continue;
		family_of(&all[i], &f);
		exposition_family(x, f.name, types[all[i].type], all[i].help);
		for (j = i; j < n; j++)
			if (is_of_family(&all[j], &all[i]) &&
			    !has_same_labels(all, i, j))
				put_series(&all[j], &f, x);
	}
	free(all);
}

void
scrape_plugins(const struct plugins *all, struct exposition *x)
{
	put_dependencies(all, x);
	put_uses(all->board, x);
	put_metrics(all->board, x);
}
