/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "ctl/fake.h"
#include "plugin/module_check.h"

#define LABEL_BYTES 32

static int
is_name(const char *s)
{
	size_t n;

	if (s == NULL)
		return 0;
	n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return n > 0 && s[n] == '\0';
}

static void
judge_bounds(const struct hostd_metric *m)
{
	uint32_t i;

	if (m->nbounds == 0 || m->nbounds > HOSTD_METRIC_MAX_BUCKETS ||
	    m->bounds == NULL)
		check_fail("metric %s: a histogram with %u bounds", m->name,
		    m->nbounds);
	for (i = 1; i < m->nbounds; i++)
		if (m->bounds[i] <= m->bounds[i - 1])
			check_fail("metric %s: bounds do not ascend", m->name);
}

static uint32_t
judge_metric(const struct fake *f, const struct hostd_metric *m)
{
	uint32_t i, n = 0;

	if (!f->creating)
		check_fail("defined a metric outside of create");
	if (!is_name(m->name))
		check_fail("defined a metric whose name is not [a-z0-9_]+");
	for (i = 0; i < f->nmetrics; i++)
		if (strcmp(f->metrics[i].name, m->name) == 0)
			check_fail("defined metric %s twice", m->name);
	if (m->type < HOSTD_METRIC_COUNTER || m->type > HOSTD_METRIC_HISTOGRAM)
		check_fail("metric %s: unknown type %u", m->name, m->type);
	if (m->help == NULL || m->help[0] == '\0')
		check_fail("metric %s: no help", m->name);
	if (m->type == HOSTD_METRIC_HISTOGRAM)
		judge_bounds(m);
	for (; m->labels != NULL && m->labels[n] != NULL; n++)
		if (n == HOSTD_METRIC_MAX_LABELS || !is_name(m->labels[n]) ||
		    strcmp(m->labels[n], "plugin") == 0)
			check_fail("metric %s: bad labels", m->name);
	return n;
}

static int32_t
metrics_define(const struct hostd_host *host, const struct hostd_metric *given,
    uint32_t *id)
{
	struct fake *f = fake_called(host, "define of hostd.metrics/1");
	struct hostd_metric m = {0};
	struct fake_metric *s;
	uint32_t nlabels;

	if (given == NULL || id == NULL)
		check_fail("called define of hostd.metrics/1 with NULL");
	if (given->struct_size < MODULE_MIN_METRIC)
		check_fail(
		    "defined a metric with struct_size %u", given->struct_size);
	memcpy(&m, given,
	    given->struct_size < sizeof(m) ? given->struct_size : sizeof(m));
	nlabels = judge_metric(f, &m);
	if (f->nmetrics == FAKE_METRICS)
		return HOSTD_E_FULL;
	s = &f->metrics[f->nmetrics];
	s->type = m.type;
	s->nlabels = nlabels;
	s->metric = f->nmetrics;
	(void)snprintf(s->name, sizeof(s->name), "%s", m.name);
	*id = f->nmetrics++;
	return HOSTD_OK;
}

static int32_t
metrics_series(const struct hostd_host *host, uint32_t metric,
    const hostd_buf *values, uint32_t nvalues, uint32_t *id)
{
	struct fake *f = fake_called(host, "series of hostd.metrics/1");
	char name[sizeof(f->metrics[0].name) - 1];
	struct fake_metric *s;
	uint32_t i;
	size_t len;

	if (metric >= f->nmetrics || f->metrics[metric].metric != metric)
		check_fail("asked for a series of metric %u, which there is "
			   "not",
		    metric);
	if (nvalues != f->metrics[metric].nlabels)
		check_fail("metric %s: %u values for %u labels",
		    f->metrics[metric].name, nvalues,
		    f->metrics[metric].nlabels);
	/* '{' keeps the name apart from those of metrics. */
	len = (size_t)snprintf(name, sizeof(name), "{%u", metric);
	for (i = 0; i < nvalues && len < sizeof(name); i++)
		len += (size_t)snprintf(name + len, sizeof(name) - len, ",%.*s",
		    (int)(values[i].n > LABEL_BYTES ? LABEL_BYTES
						    : values[i].n),
		    (const char *)values[i].p);
	for (i = 0; i < f->nmetrics; i++)
		if (strcmp(f->metrics[i].name, name) == 0) {
			*id = i;
			return HOSTD_OK;
		}
	if (f->nmetrics == FAKE_METRICS)
		return HOSTD_E_FULL;
	s = &f->metrics[f->nmetrics];
	s->type = f->metrics[metric].type;
	s->metric = metric;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	*id = f->nmetrics++;
	return HOSTD_OK;
}

static void
judge_use(const struct hostd_host *host, uint32_t series, uint32_t type,
    const char *function)
{
	struct fake *f = fake_called_any(host, function);
	const struct fake_metric *s;

	if (series >= f->nmetrics)
		check_fail("called %s of hostd.metrics/1 with series %u, "
			   "which there is not",
		    function, series);
	s = &f->metrics[series];
	if (s->nlabels > 0)
		check_fail("called %s on metric %s without choosing a series",
		    function, s->name);
	if (s->type != type &&
	    !(type == HOSTD_METRIC_COUNTER && s->type == HOSTD_METRIC_GAUGE))
		check_fail("called %s on metric %s, which is of another type",
		    function, f->metrics[s->metric].name);
}

static void
metrics_add(const struct hostd_host *host, uint32_t series, int64_t delta)
{
	struct fake *f = fake_called_any(host, "add");

	judge_use(host, series, HOSTD_METRIC_COUNTER, "add");
	if (delta < 0 && f->metrics[series].type == HOSTD_METRIC_COUNTER)
		check_fail("made a counter go down");
}

static void
metrics_set(const struct hostd_host *host, uint32_t series, int64_t value)
{
	(void)value;
	judge_use(host, series, HOSTD_METRIC_GAUGE, "set");
}

static void
metrics_observe(const struct hostd_host *host, uint32_t series, int64_t value)
{
	(void)value;
	judge_use(host, series, HOSTD_METRIC_HISTOGRAM, "observe");
}

const struct hostd_metrics_api fake_metrics_api = {
    .struct_size = sizeof(struct hostd_metrics_api),
    .define = metrics_define,
    .series = metrics_series,
    .add = metrics_add,
    .set = metrics_set,
    .observe = metrics_observe,
};

static int32_t
status_json(const struct hostd_host *host, hostd_buf *out)
{
	static const char text[] =
	    "{\"node\":\"fake\",\"version\":\"0.1.0\","
	    "\"generation\":1,\"uptime\":5,\"pools\":[],\"plugins\":[],"
	    "\"connections\":{\"active\":1},\"requests\":1}";
	char *p;

	(void)fake_called(host, "json of hostd.status/1");
	if (out == NULL)
		check_fail("called json of hostd.status/1 without room");
	p = fake_lend(sizeof(text));
	memcpy(p, text, sizeof(text));
	out->p = p;
	out->n = sizeof(text) - 1;
	return HOSTD_OK;
}

static int32_t
status_exposition(
    const struct hostd_host *host, uint32_t format, hostd_buf *out)
{
	static const char text[] = "# HELP up 1.\n# TYPE up gauge\nup 1\n"
				   "# EOF\n";
	size_t n = sizeof(text) - 1;
	char *p;

	(void)fake_called(host, "exposition of hostd.status/1");
	if (out == NULL || format > HOSTD_EXPOSITION_OPENMETRICS)
		check_fail("called exposition of hostd.status/1 %s",
		    out == NULL ? "without room" : "for an unknown format");
	if (format == HOSTD_EXPOSITION_TEXT)
		n -= strlen("# EOF\n");
	p = fake_lend(n + 1);
	memcpy(p, text, n);
	p[n] = '\0';
	out->p = p;
	out->n = n;
	return HOSTD_OK;
}

const struct hostd_status_api fake_status_api = {
    .struct_size = sizeof(struct hostd_status_api),
    .json = status_json,
    .exposition = status_exposition,
};
