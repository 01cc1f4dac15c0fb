/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.metrics/1: series live on the board, in this worker's cell. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/metrics.h>
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/metrics_service.h"
#include "plugin/module_check.h"
#include "plugin/plugins.h"

#define DEFS_MAX	256
#define DEF_BASE	0x10000u	/* ids of metrics that have labels */
#define LABEL_VALUE_MAX	32
#define PLUGIN_NAME_MAX	63

struct metric_def {
	struct instance *in;
	uint32_t type, nlabels, nbounds;
	char *name;		/* hostd_<id>_<name> */
	char *help;
	char *labels[HOSTD_METRIC_MAX_LABELS];
	int64_t bounds[HOSTD_METRIC_MAX_BUCKETS];
};

static int
is_metric_name(const char *s)
{
	return s != NULL && *s != '\0' && strlen(s) < 64 &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static uint32_t
count_labels(const struct hostd_metric *m)
{
	uint32_t n = 0;

	while (m->labels != NULL && m->labels[n] != NULL)
		n++;
	return n;
}

static const char *
check_bounds(const struct hostd_metric *m)
{
	uint32_t i;

	if (m->type != HOSTD_METRIC_HISTOGRAM)
		return m->nbounds == 0 ? NULL : "only a histogram has bounds";
	if (m->nbounds == 0 || m->nbounds > HOSTD_METRIC_MAX_BUCKETS ||
	    m->bounds == NULL)
		return "a histogram has 1 to 12 bounds";
	for (i = 1; i < m->nbounds; i++)
		if (m->bounds[i] <= m->bounds[i - 1])
			return "its bounds do not ascend";
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *
check_metric(const struct hostd_metric *m)
{
	uint32_t i, n = count_labels(m);

	if (!is_metric_name(m->name))
		return "its name must be 1 to 63 of [a-z0-9_]";
	if (m->type < HOSTD_METRIC_COUNTER || m->type > HOSTD_METRIC_HISTOGRAM)
		return "its type is unknown";
	if (n > HOSTD_METRIC_MAX_LABELS)
		return "it has more than 4 labels";
	for (i = 0; i < n; i++)
		if (!is_metric_name(m->labels[i]) ||
		    strcmp(m->labels[i], "plugin") == 0)
			return "a label must be 1 to 63 of [a-z0-9_], and "
			    "not \"plugin\"";
	return check_bounds(m);
}

/* Label values are somebody's bytes: keep them short and printable. */
static void
put_label(struct buf *b, const char *name, hostd_buf v, size_t max)
{
	const unsigned char *p = v.p;
	size_t i;

	buf_printf(b, "%s%s=\"", b->len == 0 ? "" : ",", name);
	for (i = 0; i < v.n && i < max; i++)
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\')
			buf_append(b, "_", 1);
		else
			buf_append(b, &p[i], 1);
	buf_puts(b, "\"");
}

/* The series of that full name: found, or made.  0, or a code. */
static int32_t
series_get(struct instance *in, const struct metric_def *d, const char *name,
    uint32_t *id)
{
	struct plugins *all = in->all;
	struct board_metric *bm;
	uintptr_t known = (uintptr_t)map_get(&all->series, name, strlen(name));

	if (known != 0) {
		*id = (uint32_t)known;
		return all->metric_owner[known - 1] == in ? HOSTD_OK :
		    HOSTD_E_INVAL;
	}
	if (all->nseries == BOARD_METRICS || strlen(name) >= sizeof(bm->name))
		return HOSTD_E_FULL;
	bm = &all->metrics[all->nseries];
	all->metric_owner[all->nseries] = in;
	*id = ++all->nseries;
	map_put(&all->series, name, strlen(name), (void *)(uintptr_t)*id);
	memcpy(bm->name, name, strlen(name) + 1);
	(void)snprintf(bm->help, sizeof(bm->help), "%s", d->help);
	bm->nbounds = d->nbounds;
	memcpy(bm->bounds, d->bounds, d->nbounds * sizeof(d->bounds[0]));
	atomic_store(&bm->type, d->type);
	return HOSTD_OK;
}

/* The series of d with these label values.  0, or a code. */
static int32_t
series_of(struct instance *in, const struct metric_def *d,
    const hostd_buf *values, uint32_t *id)
{
	hostd_buf own = { in->conf->name, strlen(in->conf->name) };
	struct buf labels = { NULL, 0, 0 };
	char *full;
	uint32_t i;
	int32_t rc;

	put_label(&labels, "plugin", own, PLUGIN_NAME_MAX);
	for (i = 0; i < d->nlabels; i++)
		put_label(&labels, d->labels[i], values[i], LABEL_VALUE_MAX);
	full = xasprintf("%s{%.*s}", d->name, (int)labels.len, labels.p);
	rc = series_get(in, d, full, id);
	free(full);
	buf_free(&labels);
	return rc;
}

/* Blocks of one plugin have a metric each, but it is one metric to whoever
 * collects them. */
static int
is_other_type(const struct plugins *all, const struct metric_def *d)
{
	uint32_t i;

	for (i = 0; i < all->ndefs; i++)
		if (&all->defs[i] != d && all->defs[i].type != d->type &&
		    strcmp(all->defs[i].name, d->name) == 0)
			return 1;
	return 0;
}

static void
def_fill(struct metric_def *d, struct instance *in,
    const struct hostd_metric *m)
{
	uint32_t i;

	memset(d, 0, sizeof(*d));
	d->in = in;
	d->type = m->type;
	d->nlabels = count_labels(m);
	d->nbounds = m->nbounds;
	d->name = xasprintf("hostd_%s_%s", in->module->desc.id, m->name);
	d->help = xstrdup(m->help != NULL ? m->help : "");
	for (i = 0; i < d->nlabels; i++)
		d->labels[i] = xstrdup(m->labels[i]);
	for (i = 0; i < d->nbounds; i++)
		d->bounds[i] = m->bounds[i];
}

static void
def_free(struct metric_def *d)
{
	uint32_t k;

	free(d->name);
	free(d->help);
	for (k = 0; k < d->nlabels; k++)
		free(d->labels[k]);
}

static int32_t
define_refused(const struct instance *in, const char *name, const char *why)
{
	log_warnx("plugin %s: metric %s is refused: %s", in->conf->name, name,
	    why);
	return HOSTD_E_INVAL;
}

static int32_t
metrics_define(const struct hostd_host *host, const struct hostd_metric *given,
    uint32_t *id)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	struct hostd_metric m = { 0 };
	struct metric_def *d;
	const char *why;
	int32_t rc;

	if ((rc = instance_check_thread(in, "metrics define")) != 0)
		return rc;
	if (!in->creating)
		return HOSTD_E_STATE;
	if (given == NULL || id == NULL ||
	    given->struct_size < MODULE_MIN_METRIC)
		return HOSTD_E_INVAL;
	memcpy(&m, given, given->struct_size < sizeof(m) ? given->struct_size :
	    sizeof(m));
	if ((why = check_metric(&m)) != NULL)
		return define_refused(in, is_metric_name(m.name) ? m.name :
		    "?", why);
	if (all->ndefs == DEFS_MAX)
		return HOSTD_E_FULL;
	all->defs = xrealloc(all->defs, (all->ndefs + 1) * sizeof(*d));
	d = &all->defs[all->ndefs];
	def_fill(d, in, &m);
	if (is_other_type(all, d)) {
		def_free(d);
		return define_refused(in, m.name, "another block defines it "
		    "with another type");
	}
	*id = DEF_BASE + ++all->ndefs;
	return d->nlabels > 0 ? HOSTD_OK : series_of(in, d, NULL, id);
}

static int32_t
metrics_series(const struct hostd_host *host, uint32_t metric,
    const hostd_buf *values, uint32_t nvalues, uint32_t *id)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	uint32_t i = metric - DEF_BASE - 1;
	int32_t rc;

	if ((rc = instance_check_thread(in, "metrics series")) != 0)
		return rc;
	if (i >= all->ndefs || all->defs[i].in != in || values == NULL ||
	    id == NULL || all->defs[i].nlabels != nvalues)
		return HOSTD_E_INVAL;
	return series_of(in, &all->defs[i], values, id);
}

static struct board_metric *
series_find(const struct hostd_host *host, uint32_t id, uint32_t type)
{
	struct instance *in = host->ctx;
	struct board_metric *bm;

	if (id == 0 || id > BOARD_METRICS ||
	    in->all->metric_owner[id - 1] != in)
		return NULL;
	bm = &in->all->metrics[id - 1];
	return type == 0 || atomic_load_explicit(&bm->type,
	    memory_order_relaxed) == type ? bm : NULL;
}

static void
metrics_add(const struct hostd_host *host, uint32_t id, int64_t delta)
{
	struct board_metric *bm = series_find(host, id, 0);

	if (bm == NULL || bm->type == HOSTD_METRIC_HISTOGRAM ||
	    (bm->type == HOSTD_METRIC_COUNTER && delta < 0))
		return;
	atomic_fetch_add_explicit(&bm->value, delta, memory_order_relaxed);
}

static void
metrics_set(const struct hostd_host *host, uint32_t id, int64_t value)
{
	struct board_metric *bm = series_find(host, id, HOSTD_METRIC_GAUGE);

	if (bm != NULL)
		atomic_store_explicit(&bm->value, value, memory_order_relaxed);
}

static void
metrics_observe(const struct hostd_host *host, uint32_t id, int64_t value)
{
	struct board_metric *bm = series_find(host, id,
	    HOSTD_METRIC_HISTOGRAM);
	uint32_t i;

	if (bm == NULL)
		return;
	for (i = 0; i < bm->nbounds && value > bm->bounds[i]; i++)
		;
	atomic_fetch_add_explicit(&bm->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&bm->value, value, memory_order_relaxed);
}

void
metrics_service_close(struct plugins *all)
{
	uint32_t i;

	for (i = 0; i < all->ndefs; i++)
		def_free(&all->defs[i]);
	free(all->defs);
	map_free(&all->series);
}

const struct hostd_metrics_api *
metrics_service(void)
{
	static const struct hostd_metrics_api api = {
		.struct_size = sizeof(struct hostd_metrics_api),
		.define = metrics_define,
		.series = metrics_series,
		.add = metrics_add,
		.set = metrics_set,
		.observe = metrics_observe,
	};

	return &api;
}
