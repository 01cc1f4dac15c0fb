/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl status, hostctl list */
#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "ctl/usage.h"
#include "ctl/words.h"

/* ---- list ---- */

static void
list_worker(struct table *t, const char *pool, const json_t *w)
{
	const char *state = text_of(w, "state", "?");
	char buf[TEXT_MAX];

	table_cell(t, "%s.%lld", pool, (long long)num_of(w, "slot"));
	if (num_of(w, "pid") == 0)
		table_cell(t, "-");
	else
		table_cell(t, "%lld", (long long)num_of(w, "pid"));
	table_cell(t, "%lld", (long long)num_of(w, "generation"));
	if (json_object_get(w, "stuck_in") != NULL)
		table_cell(t, "in %s %s", text_of(w, "stuck_in", "?"),
		    text_ms(buf, num_of(w, "stuck_ms")));
	else if (strcmp(state, "waiting") == 0)
		table_cell(
		    t, "waiting %s", text_ms(buf, num_of(w, "retry_in_ms")));
	else if (json_is_true(json_object_get(w, "out_of_descriptors")))
		table_cell(t, "out of descriptors");
	else if (json_object_get(w, "silent_ms") != NULL)
		table_cell(
		    t, "silent %s", text_ms(buf, num_of(w, "silent_ms")));
	else
		table_cell(t, "%s", state);
	table_cell(t, "%s", text_ms(buf, num_of(w, "uptime_ms")));
	table_cell(t, "%lld", (long long)num_of(w, "restarts"));
	table_cell(t, "%lld", (long long)num_of(w, "active"));
	table_cell(t, "%lld", (long long)num_of(w, "requests"));
	if (json_object_get(w, "rss") == NULL) {
		table_cell(t, "-");
		table_cell(t, "-");
		return;
	}
	table_cell(t, "%s", text_ms(buf, num_of(w, "cpu_ms")));
	table_cell(t, "%s", text_bytes(buf, num_of(w, "rss")));
}

/* A pool without a process. */
static void
list_stopped(struct table *t, const char *pool)
{
	int i;

	table_cell(t, "%s", pool);
	table_cell(t, "-");
	table_cell(t, "-");
	table_cell(t, "stopped");
	for (i = 0; i < 6; i++)
		table_cell(t, "-");
}

static void
list_print(const json_t *status)
{
	static const char *const head[] = {"WORKER", "PID", "GEN", "STATE",
	    "UPTIME", "RESTARTS", "CONNS", "REQS", "CPU", "MEM", NULL};
	const json_t *pools = json_object_get(status, "pools"), *p, *workers;
	struct table t;
	size_t i, j;

	table_begin(&t, head);
	for (i = 0; i < json_array_size(pools); i++) {
		p = json_array_get(pools, i);
		workers = json_object_get(p, "workers");
		if (json_is_true(json_object_get(p, "stopped")) &&
		    json_array_size(workers) == 0)
			list_stopped(&t, text_of(p, "name", "?"));
		for (j = 0; j < json_array_size(workers); j++)
			list_worker(&t, text_of(p, "name", "?"),
			    json_array_get(workers, j));
	}
	table_print(&t);
	table_free(&t);
}

/* ---- status ---- */

static void
status_traffic(const json_t *s)
{
	const json_t *c = json_object_get(s, "connections");
	const json_t *r = json_object_get(s, "requests");
	const json_t *by = json_object_get(r, "status");
	const json_t *ws = json_object_get(s, "websockets");
	char in[TEXT_MAX], out[TEXT_MAX];

	(void)printf("connections  %lld open (%lld idle), %lld accepted, "
		     "%lld refused\n",
	    (long long)num_of(c, "active"), (long long)num_of(c, "idle"),
	    (long long)num_of(c, "accepted"), (long long)num_of(c, "refused"));
	(void)printf("requests     %lld: %lld 2xx, %lld 3xx, %lld 4xx, "
		     "%lld 5xx; %lld malformed\n",
	    (long long)num_of(r, "total"), (long long)num_of(by, "2xx"),
	    (long long)num_of(by, "3xx"), (long long)num_of(by, "4xx"),
	    (long long)num_of(by, "5xx"), (long long)num_of(r, "bad"));
	(void)printf("bytes        %s in, %s out\n",
	    text_bytes(in, num_of(r, "bytes_in")),
	    text_bytes(out, num_of(r, "bytes_out")));
	if (num_of(ws, "opened") > 0)
		(void)printf("websockets   %lld open; messages: %lld in, %lld "
			     "out, %lld dropped\n",
		    (long long)num_of(ws, "active"),
		    (long long)num_of(ws, "messages_in"),
		    (long long)num_of(ws, "messages_out"),
		    (long long)num_of(ws, "messages_dropped"));
}

/* Only what is not as it should be. */
static void
status_trouble(const json_t *s)
{
	static const struct {
		const char *key, *what;
	} rows[] = {
	    {"plugin_errors", "errors of plugins"},
	    {"stale_handles", "uses of stale handles by plugins"},
	    {"slow_callbacks", "callbacks over the budget"},
	    {"log_dropped", "log lines lost"},
	};
	const json_t *bus = json_object_get(s, "bus");
	const json_t *backend = json_object_get(s, "backend");
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (num_of(s, rows[i].key) > 0)
			(void)printf("trouble      %lld %s\n",
			    (long long)num_of(s, rows[i].key), rows[i].what);
	if (num_of(bus, "dropped") > 0)
		(void)printf("trouble      %lld messages for workers that do "
			     "not read\n",
		    (long long)num_of(bus, "dropped"));
	if (num_of(backend, "dropped") + num_of(backend, "bad") > 0)
		(void)printf("trouble      %lld messages not taken by the "
			     "backend, %lld that it garbled\n",
		    (long long)num_of(backend, "dropped"),
		    (long long)num_of(backend, "bad"));
}

static void
status_plugins(const json_t *s)
{
	const json_t *list = json_object_get(s, "plugins");
	size_t i;

	if (json_array_size(list) == 0)
		return;
	(void)printf("plugins     ");
	for (i = 0; i < json_array_size(list); i++)
		(void)printf(" %s", json_string_value(json_array_get(list, i)));
	(void)putchar('\n');
}

static void
status_certificates(const json_t *s)
{
	const json_t *list = json_object_get(s, "certificates"), *c;
	size_t i;

	json_array_foreach(list, i, c)
		if (json_is_true(json_object_get(c, "ends_soon")))
			(void)printf("RENEW        certificate %s %s\n",
			    text_of(c, "name", "?"), text_of(c, "ends", "?"));
}

static void
status_rolled_back(const json_t *s)
{
	const json_t *o = json_object_get(s, "rolled_back");

	if (o != NULL)
		(void)printf("ROLLED BACK  from generation %lld to %lld: %s\n",
		    (long long)num_of(o, "from"), (long long)num_of(o, "to"),
		    text_of(o, "why", "?"));
}

static void
status_print(const json_t *s)
{
	char up[TEXT_MAX];

	(void)printf("hostd %s on %s, pid %lld, up %s\n",
	    text_of(s, "version", "?"), text_of(s, "node", "?"),
	    (long long)num_of(s, "pid"), text_ms(up, num_of(s, "uptime_ms")));
	(void)printf("state        %s, generation %lld\n",
	    text_of(s, "state", "?"), (long long)num_of(s, "generation"));
	status_rolled_back(s);
	(void)printf("conf         %s\n", text_of(s, "conf_file", "?"));
	status_plugins(s);
	status_traffic(s);
	status_certificates(s);
	status_trouble(s);
	(void)putchar('\n');
	list_print(s);
}

/* With json, the status itself rather than the answer around it. */
static int
status_ask(const struct ctl *ctl, void (*print)(const json_t *))
{
	struct ctl quiet = *ctl;
	json_t *answer = NULL, *s;
	int rc;

	quiet.json = 0;
	rc = ctl_ask(&quiet, json_pack("{s:s}", "cmd", "status"), &answer);
	s = json_object_get(answer, "status");
	usage_add(s);
	if (s != NULL && ctl->json) {
		(void)json_dumpf(s, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	} else if (s != NULL) {
		print(s);
	}
	json_decref(answer);
	return rc;
}

int
cmd_status(const struct ctl *ctl, int argc, char **argv)
{
	if (words_take(argc, argv, NULL, NULL) != 0)
		return ctl_usage(argv[0]);
	return status_ask(ctl, status_print);
}

/* For completion: pools, then workers, each on a line. */
static void
list_names(const json_t *status)
{
	const json_t *pools = json_object_get(status, "pools"), *p, *workers;
	size_t i, j;

	for (i = 0; i < json_array_size(pools); i++)
		(void)printf(
		    "%s\n", text_of(json_array_get(pools, i), "name", "?"));
	for (i = 0; i < json_array_size(pools); i++) {
		p = json_array_get(pools, i);
		workers = json_object_get(p, "workers");
		for (j = 0; j < json_array_size(workers); j++)
			(void)printf("%s.%lld\n", text_of(p, "name", "?"),
			    (long long)num_of(
				json_array_get(workers, j), "slot"));
	}
}

int
cmd_list(const struct ctl *ctl, int argc, char **argv)
{
	int names = 0;

	if (words_take(argc, argv, "--names", &names) != 0)
		return ctl_usage(argv[0]);
	return status_ask(ctl, names ? list_names : list_print);
}
