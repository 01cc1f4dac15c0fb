/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted. */
#include "store.h"

static const char *const command_label[] = { "command", NULL };
static const int64_t bounds[] = { 0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000,
	2000 };

static int32_t
define(struct hostd_inst *in, const struct hostd_metric *m, uint32_t *id,
    struct hostd_err *err)
{
	int32_t rc = in->metrics.api->define(in->host, m, id);

	return rc == HOSTD_OK ? HOSTD_OK : hostd_fail(err, rc,
	    "the metric %s can't be defined: code %d", m->name, (int)rc);
}

/* One series for each kind of call. */
static int32_t
define_calls(struct hostd_inst *in, const char *name, const char *help,
    uint32_t *ids, struct hostd_err *err)
{
	static const char *const words[CALL_KINDS] = { "get", "set", "touch",
		"delete" };
	const struct hostd_metric m = { .struct_size = sizeof(m),
		.type = HOSTD_METRIC_COUNTER, .name = name, .help = help,
		.labels = command_label };
	hostd_buf word;
	uint32_t metric;
	int32_t rc;
	int i;

	if ((rc = define(in, &m, &metric, err)) != HOSTD_OK)
		return rc;
	for (i = 0; i < CALL_KINDS; i++) {
		word = hostd_str(words[i]);
		if ((rc = in->metrics.api->series(in->host, metric, &word, 1,
		    &ids[i])) != HOSTD_OK)
			return hostd_fail(err, rc, "the metric %s has no room "
			    "for \"%s\": code %d", name, words[i], (int)rc);
	}
	return HOSTD_OK;
}

int32_t
metrics_define(struct hostd_inst *in, struct hostd_err *err)
{
	static const struct hostd_metric up = { .struct_size = sizeof(up),
		.type = HOSTD_METRIC_GAUGE, .name = "connections",
		.help = "Connections to Redis that are up." };
	static const struct hostd_metric took = { .struct_size = sizeof(took),
		.type = HOSTD_METRIC_HISTOGRAM, .name = "answer_milliseconds",
		.help = "How long calls took that Redis has answered.",
		.bounds = bounds,
		.nbounds = sizeof(bounds) / sizeof(bounds[0]) };
	struct metrics *m = &in->metrics;
	int32_t rc;

	m->api = in->host->get_ext(in->host, HOSTD_EXT_METRICS);
	if (m->api == NULL)
		return HOSTD_OK;
	if ((rc = define_calls(in, "calls_total", "Calls of the host.",
	    m->calls, err)) != HOSTD_OK ||
	    (rc = define_calls(in, "errors_total", "Calls that have failed.",
	    m->errors, err)) != HOSTD_OK ||
	    (rc = define(in, &up, &m->connections, err)) != HOSTD_OK)
		return rc;
	return define(in, &took, &m->latency, err);
}

void
metrics_connections(const struct hostd_inst *in, int64_t delta)
{
	if (in->metrics.api != NULL && delta != 0)
		in->metrics.api->add(in->host, in->metrics.connections, delta);
}

/* Sessions that somebody else has changed or removed are no errors. */
void
metrics_called(const struct hostd_inst *in, const struct call *k,
    int32_t status)
{
	const struct metrics *m = &in->metrics;

	if (m->api == NULL)
		return;
	m->api->add(in->host, m->calls[k->kind], 1);
	if (status != HOSTD_OK && status != HOSTD_E_STATE)
		m->api->add(in->host, m->errors[k->kind], 1);
	else
		m->api->observe(in->host, m->latency, (int64_t)
		    (in->host->now_ms(in->host) - k->began_ms));
}
