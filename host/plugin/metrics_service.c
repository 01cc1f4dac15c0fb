/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.metrics/1: series live on the board, in this worker's cell. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/metrics.h>
#include "base/buf.h"
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/metrics_service.h"
#include "plugin/plugins.h"

#define DEFS_MAX	256
#define DEF_BASE	0x10000u	/* ids of metrics that have labels */
#define LABEL_VALUE_MAX	32

struct metric_def {
	struct instance *in;
	uint32_t type, nlabels, nbounds;
	char *name;		/* hostd_<id>_<name> */
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

static int
is_sound(const struct hostd_metric *m)
{
	uint32_t i, n = count_labels(m);

	if (!is_metric_name(m->name) || m->type < HOSTD_METRIC_COUNTER ||
	    m->type > HOSTD_METRIC_HISTOGRAM || n > HOSTD_METRIC_MAX_LABELS)
		return 0;
	for (i = 0; i < n; i++)
		if (!is_metric_name(m->labels[i]))
			return 0;
	if (m->type != HOSTD_METRIC_HISTOGRAM)
		return m->nbounds == 0;
	if (m->nbounds == 0 || m->nbounds > HOSTD_METRIC_MAX_BUCKETS ||
	    m->bounds == NULL)
		return 0;
	for (i = 1; i < m->nbounds; i++)
		if (m->bounds[i] <= m->bounds[i - 1])
			return 0;
	return 1;
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
	bm->nbounds = d->nbounds;
	memcpy(bm->bounds, d->bounds, d->nbounds * sizeof(d->bounds[0]));
	atomic_store(&bm->type, d->type);
	return HOSTD_OK;
}

static int32_t
metrics_define(const struct hostd_host *host, const struct hostd_metric *m,
    uint32_t *id)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	struct metric_def *d;
	uint32_t i;
	int32_t rc;

	if ((rc = instance_check_thread(in, "metrics define")) != 0)
		return rc;
	if (!in->creating)
		return HOSTD_E_STATE;
	if (m == NULL || id == NULL || m->struct_size < sizeof(*m) ||
	    !is_sound(m))
		return HOSTD_E_INVAL;
	if (all->ndefs == DEFS_MAX)
		return HOSTD_E_FULL;
	all->defs = xrealloc(all->defs, (all->ndefs + 1) * sizeof(*d));
	d = &all->defs[all->ndefs++];
	memset(d, 0, sizeof(*d));
	d->in = in;
	d->type = m->type;
	d->nlabels = count_labels(m);
	d->nbounds = m->nbounds;
	d->name = xasprintf("hostd_%s_%s", in->module->desc.id, m->name);
	for (i = 0; i < d->nlabels; i++)
		d->labels[i] = xstrdup(m->labels[i]);
	for (i = 0; i < d->nbounds; i++)
		d->bounds[i] = m->bounds[i];
	*id = DEF_BASE + all->ndefs;
	return d->nlabels > 0 ? HOSTD_OK : series_get(in, d, d->name, id);
}

/* Label values are somebody's bytes: keep them short and printable. */
static void
put_label_value(struct buf *b, hostd_buf v)
{
	const unsigned char *p = v.p;
	size_t i;

	for (i = 0; i < v.n && i < LABEL_VALUE_MAX; i++)
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\')
			buf_append(b, "_", 1);
		else
			buf_append(b, &p[i], 1);
}

static int32_t
metrics_series(const struct hostd_host *host, uint32_t metric,
    const hostd_buf *values, uint32_t nvalues, uint32_t *id)
{
	struct instance *in = host->ctx;
	struct plugins *all = in->all;
	const struct metric_def *d;
	struct buf name = { NULL, 0, 0 };
	uint32_t i = metric - DEF_BASE - 1;
	int32_t rc;

	if ((rc = instance_check_thread(in, "metrics series")) != 0)
		return rc;
	if (i >= all->ndefs || all->defs[i].in != in || values == NULL ||
	    id == NULL || all->defs[i].nlabels != nvalues)
		return HOSTD_E_INVAL;
	d = &all->defs[i];
	for (i = 0; i < nvalues; i++) {
		buf_printf(&name, "%s%s=\"", i == 0 ? "" : ",", d->labels[i]);
		put_label_value(&name, values[i]);
		buf_puts(&name, "\"");
	}
	buf_append(&name, "", 1);
	{
		char *full = xasprintf("%s{%s}", d->name, name.p);

		rc = series_get(in, d, full, id);
		free(full);
	}
	buf_free(&name);
	return rc;
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
	uint32_t i, k;

	for (i = 0; i < all->ndefs; i++) {
		free(all->defs[i].name);
		for (k = 0; k < all->defs[i].nlabels; k++)
			free(all->defs[i].labels[k]);
	}
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
