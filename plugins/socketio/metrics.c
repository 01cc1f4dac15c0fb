/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "metrics.h"

#define NAME_MAX_KEPT	32	/* bytes of a label's value */
#define REASONS		(HOSTD_SIO_SHUTTING_DOWN + 1)
#define NONE		UINT32_MAX	/* no such series */

struct counted {
	size_t len;
	char name[NAME_MAX_KEPT];
	uint32_t sockets;
	uint32_t counters[METRICS_COUNTERS];
	uint32_t reasons[REASONS];
};

struct sio_metrics {
	/* What was defined. */
	uint32_t sockets, counters[METRICS_COUNTERS], reasons, sessions;
	/* Series. */
	uint32_t polling, websocket, upgrades, polls, invalid;
	struct counted spaces[METRICS_SPACES];
	uint32_t nspaces;
};

static const char *const by_namespace[] = { "namespace", NULL };
static const char *const by_reason[] = { "namespace", "reason", NULL };
static const char *const by_transport[] = { "transport", NULL };

#define METRIC(type, name, help, labels)				\
	{ sizeof(struct hostd_metric), HOSTD_METRIC_##type, name, help,	\
	    labels, NULL, 0, 0 }

static const struct hostd_metric sockets = METRIC(GAUGE, "sockets",
    "Sockets that are connected.", by_namespace);
static const struct hostd_metric counters[METRICS_COUNTERS] = {
	[METRICS_CONNECTED] = METRIC(COUNTER, "connections_total",
	    "Sockets that were let in.", by_namespace),
	[METRICS_REFUSED] = METRIC(COUNTER, "refused_total",
	    "Sockets that were not.", by_namespace),
	[METRICS_RECEIVED] = METRIC(COUNTER, "events_received_total",
	    "Events of clients.", by_namespace),
	[METRICS_SENT] = METRIC(COUNTER, "events_sent_total",
	    "Events to clients, one for each socket.", by_namespace),
	[METRICS_BROADCASTS] = METRIC(COUNTER, "broadcasts_total",
	    "Events to rooms or to all.", by_namespace),
	[METRICS_LATE_ACKS] = METRIC(COUNTER, "acks_timed_out_total",
	    "Acknowledgements that did not come in time.", by_namespace)
};
static const struct hostd_metric reasons = METRIC(COUNTER,
    "disconnects_total", "Sockets that have left, by why.", by_reason);
static const struct hostd_metric sessions = METRIC(GAUGE, "sessions",
    "Sessions of the engine, by what they use now.", by_transport);
static const struct hostd_metric upgrades = METRIC(COUNTER, "upgrades_total",
    "Sessions that went from polling to WebSocket.", NULL);
static const struct hostd_metric polls = METRIC(COUNTER, "polls_total",
    "Requests of polling clients.", NULL);
static const struct hostd_metric invalid = METRIC(COUNTER,
    "invalid_packets_total", "Packets of clients that could not be read.",
    NULL);

static uint32_t
define(struct hostd_inst *in, const struct hostd_metric *m)
{
	uint32_t id;

	return in->metrics->define(in->easy.host, m, &id) == HOSTD_OK ? id :
	    NONE;
}

static uint32_t
series(struct hostd_inst *in, uint32_t metric, const hostd_buf *values,
    uint32_t n)
{
	uint32_t id;

	return metric != NONE && in->metrics->series(in->easy.host, metric,
	    values, n, &id) == HOSTD_OK ? id : NONE;
}

static void
add(struct hostd_inst *in, uint32_t id, int64_t n)
{
	if (id != NONE)
		in->metrics->add(in->easy.host, id, n);
}

int32_t
metrics_create(struct hostd_inst *in, struct hostd_err *err)
{
	const hostd_buf polling = hostd_str("polling");
	const hostd_buf websocket = hostd_str("websocket");
	struct sio_metrics *c;
	size_t i;

	if (in->metrics == NULL)
		return HOSTD_OK;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	in->counted = c;
	c->sockets = define(in, &sockets);
	for (i = 0; i < METRICS_COUNTERS; i++)
		c->counters[i] = define(in, &counters[i]);
	c->reasons = define(in, &reasons);
	c->sessions = define(in, &sessions);
	c->polling = series(in, c->sessions, &polling, 1);
	c->websocket = series(in, c->sessions, &websocket, 1);
	c->upgrades = define(in, &upgrades);
	c->polls = define(in, &polls);
	c->invalid = define(in, &invalid);
	return HOSTD_OK;
}

void
metrics_destroy(struct hostd_inst *in)
{
	free(in->counted);
	in->counted = NULL;
}

static uint32_t
space_new(struct hostd_inst *in, hostd_buf name)
{
	struct sio_metrics *c = in->counted;
	struct counted *s = &c->spaces[c->nspaces];
	size_t i;

	s->len = name.n < sizeof(s->name) ? name.n : sizeof(s->name);
	memcpy(s->name, name.p, s->len);
	s->sockets = series(in, c->sockets, &name, 1);
	for (i = 0; i < METRICS_COUNTERS; i++)
		s->counters[i] = series(in, c->counters[i], &name, 1);
	memset(s->reasons, 0xff, sizeof(s->reasons));
	return c->nspaces++;
}

uint32_t
metrics_space(struct hostd_inst *in, hostd_buf name)
{
	const struct sio_metrics *c = in->counted;
	const struct counted *s;
	uint32_t i;

	if (c == NULL)
		return 0;
	if (name.n > NAME_MAX_KEPT)
		name.n = NAME_MAX_KEPT;
	for (i = 0; i < c->nspaces; i++) {
		s = &c->spaces[i];
		if (s->len == name.n && memcmp(s->name, name.p, name.n) == 0)
			return i;
	}
	if (c->nspaces + 1 < METRICS_SPACES)
		return space_new(in, name);
	return c->nspaces == METRICS_SPACES ? METRICS_SPACES - 1 :
	    space_new(in, hostd_str("other"));
}

void
metrics_count(struct hostd_inst *in, uint32_t space, enum metrics_what what,
    uint32_t n)
{
	if (in->counted != NULL)
		add(in, in->counted->spaces[space].counters[what], n);
}

void
metrics_sockets(struct hostd_inst *in, uint32_t space, int change)
{
	if (in->counted != NULL)
		add(in, in->counted->spaces[space].sockets, change);
}

static const char *
reason_name(int32_t reason)
{
	static const char *const names[REASONS] = {
		[HOSTD_SIO_CLIENT_DISCONNECT] = "client namespace disconnect",
		[HOSTD_SIO_SERVER_DISCONNECT] = "server namespace disconnect",
		[HOSTD_SIO_TRANSPORT_CLOSE] = "transport close",
		[HOSTD_SIO_TRANSPORT_ERROR] = "transport error",
		[HOSTD_SIO_PING_TIMEOUT] = "ping timeout",
		[HOSTD_SIO_PARSE_ERROR] = "parse error",
		[HOSTD_SIO_FORCED_CLOSE] = "forced close",
		[HOSTD_SIO_SHUTTING_DOWN] = "server shutting down"
	};

	return names[reason];
}

void
metrics_disconnected(struct hostd_inst *in, uint32_t space, int32_t reason)
{
	struct counted *s;
	hostd_buf values[2];

	if (in->counted == NULL || reason <= 0 || reason >= REASONS)
		return;
	s = &in->counted->spaces[space];
	if (s->reasons[reason] == NONE) {
		values[0].p = s->name;
		values[0].n = s->len;
		values[1] = hostd_str(reason_name(reason));
		s->reasons[reason] = series(in, in->counted->reasons, values,
		    2);
	}
	add(in, s->reasons[reason], 1);
}

void
metrics_sessions(struct hostd_inst *in, uint32_t transport, int change)
{
	if (in->counted != NULL)
		add(in, transport == HOSTD_SIO_POLLING ? in->counted->polling :
		    in->counted->websocket, change);
}

void
metrics_upgraded(struct hostd_inst *in)
{
	if (in->counted != NULL)
		add(in, in->counted->upgrades, 1);
}

void
metrics_polled(struct hostd_inst *in)
{
	if (in->counted != NULL)
		add(in, in->counted->polls, 1);
}

void
metrics_invalid(struct hostd_inst *in)
{
	if (in->counted != NULL)
		add(in, in->counted->invalid, 1);
}
