/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "plugin/plugins.h"
#include "plugin/scrape.h"
#include "upstream/table_json.h"

/* A number that up_table_json has of each server. */
struct figure {
	const char *key, *name, *help;
	enum exposition_type type;
	unsigned scale;
};

static const struct figure figures[] = {
	{ "requests", "hostd_upstream_requests", "Requests and connections "
	    "that were given to the server.", EXPOSITION_COUNTER, 1 },
	{ "failures", "hostd_upstream_failures", "Of these, the ones that "
	    "the server has failed.", EXPOSITION_COUNTER, 1 },
	{ "bytes_in", "hostd_upstream_received_bytes", "Bytes from the "
	    "server.", EXPOSITION_COUNTER, 1 },
	{ "bytes_out", "hostd_upstream_sent_bytes", "Bytes to the server.",
	    EXPOSITION_COUNTER, 1 },
	{ "header_us", "hostd_upstream_header_seconds", "Time that all "
	    "requests together have waited for the head of their answer.",
	    EXPOSITION_COUNTER, 1000000 },
	{ "latency_us", "hostd_upstream_latency_seconds", "The same of one "
	    "request, as a moving average; 0: not known.", EXPOSITION_GAUGE,
	    1000000 },
	{ "inflight", "hostd_upstream_active", "Requests and connections "
	    "that the server has now.", EXPOSITION_GAUGE, 1 },
	{ "upgraded", "hostd_upstream_upgraded", "Of these, tunnels and "
	    "streams.", EXPOSITION_GAUGE, 1 },
	{ "idle", "hostd_upstream_idle_connections", "Connections to it that "
	    "are kept open.", EXPOSITION_GAUGE, 1 },
};

static const struct figure up = { "state", "hostd_upstream_up",
	"Whether the server gets new requests.", EXPOSITION_GAUGE, 1 };
static const struct figure state = { "state", "hostd_upstream_state",
	"1, and how the server is.", EXPOSITION_GAUGE, 1 };

static const char *
text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "";
}

static const char *
labels_of(const json_t *group, const json_t *server, struct exposition *x)
{
	return exposition_labels(x, "upstream", text_of(group, "name"),
	    "server", text_of(server, "server"), "address",
	    text_of(server, "address"), NULL);
}

static void
put_state(const json_t *group, const json_t *server, const struct figure *f,
    struct exposition *x)
{
	exposition_value(x, 1, f->scale, "upstream", text_of(group, "name"),
	    "server", text_of(server, "server"), "address",
	    text_of(server, "address"), "state", text_of(server, f->key),
	    NULL);
}

static void
put_up(const json_t *group, const json_t *server, const struct figure *f,
    struct exposition *x)
{
	const char *now = text_of(server, f->key);

	exposition_value_of(x, strcmp(now, "up") == 0 ||
	    strcmp(now, "slow-starting") == 0, f->scale, labels_of(group,
	    server, x));
}

static void
put_figure(const json_t *group, const json_t *server, const struct figure *f,
    struct exposition *x)
{
	exposition_value_of(x, json_integer_value(json_object_get(server,
	    f->key)), f->scale, labels_of(group, server, x));
}

/* One that leaves may be there a second time. */
static void
each_server(const json_t *groups, void (*put)(const json_t *, const json_t *,
    const struct figure *, struct exposition *), const struct figure *f,
    struct exposition *x)
{
	json_t *group, *server;
	size_t i, j;

	exposition_family(x, f->name, f->type, f->help);
	json_array_foreach(groups, i, group)
		json_array_foreach(json_object_get(group, "servers"), j,
		    server)
			if (strcmp(text_of(server, "state"), "leaving") != 0)
				put(group, server, f, x);
}

void
scrape_upstreams(const struct plugins *all, struct exposition *x)
{
	json_t *groups;
	size_t i;

	/* A probe has no table. */
	if (all->upstreams.table == NULL || TAILQ_EMPTY(&all->conf->upstreams))
		return;
	groups = up_table_json(all->upstreams.table, all->conf, NULL);
	each_server(groups, put_up, &up, x);
	each_server(groups, put_state, &state, x);
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		each_server(groups, put_figure, &figures[i], x);
	json_decref(groups);
}
