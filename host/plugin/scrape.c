/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted for the whole node, and the order of all. */
#include "plugin/plugins.h"
#include "plugin/scrape.h"

void
scrape_one(struct exposition *x, const char *name, enum exposition_type type,
    uint64_t value, const char *help)
{
	exposition_family(x, name, type, help);
	exposition_value(x, (int64_t)value, 1, NULL);
}

static void
count(struct exposition *x, const char *name, uint64_t value,
    const char *help)
{
	scrape_one(x, name, EXPOSITION_COUNTER, value, help);
}

/* 0 when one worker that serves has lost it. */
static void
scrape_backend(const struct board *b, struct exposition *x)
{
	uint32_t backend;
	int i, any = 0, up = 1;

	for (i = 0; i < BOARD_CELLS; i++) {
		backend = b->cells[i].backend;
		if (b->cells[i].state != CELL_READY ||
		    backend == BOARD_BACKEND_NONE)
			continue;
		any = 1;
		up &= backend == BOARD_BACKEND_UP;
	}
	if (any)
		scrape_one(x, "hostd_pubsub_backend_up", EXPOSITION_GAUGE,
		    (uint64_t)up, "Whether all workers reach other nodes.");
}

static void
scrape_channels(const struct board_counters *n, struct exposition *x)
{
	count(x, "hostd_pubsub_published", n->published,
	    "Messages published on channels by clients and plugins here.");
	count(x, "hostd_pubsub_delivered", n->delivered,
	    "Deliveries of messages to subscribers here.");
	exposition_family(x, "hostd_pubsub_bus_messages", EXPOSITION_COUNTER,
	    "Messages between the workers of this node.");
	exposition_value(x, (int64_t)n->bus_out, 1, "direction", "out", NULL);
	exposition_value(x, (int64_t)n->bus_in, 1, "direction", "in", NULL);
	count(x, "hostd_pubsub_bus_dropped", n->bus_dropped,
	    "Messages for workers that did not read them in time.");
	exposition_family(x, "hostd_pubsub_backend_messages",
	    EXPOSITION_COUNTER, "Messages to and from other nodes.");
	exposition_value(x, (int64_t)n->backend_out, 1, "direction", "out",
	    NULL);
	exposition_value(x, (int64_t)n->backend_in, 1, "direction", "in",
	    NULL);
	count(x, "hostd_pubsub_backend_dropped", n->backend_dropped,
	    "Messages that the backend did not take.");
	count(x, "hostd_pubsub_backend_invalid", n->backend_bad,
	    "What came from the backend and was no message of a node.");
}

static void
scrape_sessions(const struct board_counters *n, struct exposition *x)
{
	static const char *const ops[BOARD_STORE_OPS] = { "load", "save",
		"touch", "delete" };
	unsigned i;

	exposition_family(x, "hostd_session_store_calls", EXPOSITION_COUNTER,
	    "Calls of session stores that were answered.");
	for (i = 0; i < BOARD_STORE_OPS; i++)
		exposition_value(x, (int64_t)n->store_calls[i], 1,
		    "operation", ops[i], NULL);
	exposition_family(x, "hostd_session_store_failures",
	    EXPOSITION_COUNTER, "Of these, the ones that failed.");
	for (i = 0; i < BOARD_STORE_OPS; i++)
		exposition_value(x, (int64_t)n->store_failures[i], 1,
		    "operation", ops[i], NULL);
}

static void
scrape_certificates(const struct conf *conf, struct exposition *x)
{
	const struct conf_certificate *c;

	exposition_family(x, "hostd_certificate_not_after_seconds",
	    EXPOSITION_GAUGE, "When a certificate ends, in unix time.");
	TAILQ_FOREACH(c, &conf->certificates, entry)
		exposition_value(x, c->not_after, 1, "certificate", c->name,
		    NULL);
}

static void
scrape_trouble(const struct board_counters *n, struct exposition *x)
{
	count(x, "hostd_log_lines_dropped", n->log_dropped,
	    "Lines of logs that could not be written.");
	count(x, "hostd_plugin_errors", n->plugin_errors,
	    "Requests that plugins have failed.");
	count(x, "hostd_plugin_stale_handles", n->stale_handles,
	    "Calls of plugins about what was not there any more.");
	count(x, "hostd_plugin_slow_callbacks", n->slow_callbacks,
	    "Callbacks of plugins that took longer than callback_budget.");
}

void
scrape(const struct plugins *all, struct exposition *x)
{
	struct board_sums sums;

	board_sum(all->board, &sums);
	scrape_traffic(all, x);
	scrape_backend(all->board, x);
	scrape_channels(&sums.n, x);
	scrape_sessions(&sums.n, x);
	scrape_upstreams(all, x);
	scrape_limits(all, x);
	scrape_plugins(all, x);
	scrape_certificates(all->conf, x);
	scrape_trouble(&sums.n, x);
	scrape_workers(all, x);
	exposition_end(x);
}
