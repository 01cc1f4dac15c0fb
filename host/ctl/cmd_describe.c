/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl describe */
#include <stdarg.h>
#include <stdio.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "ctl/usage.h"
#include "ctl/words.h"

static void __attribute__((format(printf, 2, 3)))
row(const char *name, const char *fmt, ...)
{
	va_list ap;

	(void)printf("%-15s  ", name);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

static void
describe_life(const json_t *w)
{
	char buf[TEXT_MAX];

	row("worker", "%s.%lld", text_of(w, "pool", "-"),
	    (long long)num_of(w, "slot"));
	row("role", "%s", text_of(w, "role", "-"));
	row("restarts", "%lld, %lld crashes in a row",
	    (long long)num_of(w, "restarts"),
	    (long long)num_of(w, "crashes_in_a_row"));
	row("last crash", "%s", text_of(w, "last_crash", "-"));
	if (num_of(w, "pid") == 0)
		return;
	row("pid", "%lld", (long long)num_of(w, "pid"));
	row("state", "%s", text_of(w, "state", "-"));
	if (json_object_get(w, "stuck_in") != NULL)
		row("stuck in", "%s, for %s", text_of(w, "stuck_in", "-"),
		    text_ms(buf, num_of(w, "stuck_ms")));
	row("generation", "%lld", (long long)num_of(w, "generation"));
	row("sandbox", "%s", text_of(w, "sandbox", "-"));
	row("uptime", "%s", text_ms(buf, num_of(w, "uptime_ms")));
}

static void
describe_process(const json_t *w)
{
	char cpu[TEXT_MAX], rss[TEXT_MAX], pss[TEXT_MAX];

	if (json_object_get(w, "cpu_ms") == NULL)
		return;
	row("cpu", "%s, %lld threads, nice %lld",
	    text_ms(cpu, num_of(w, "cpu_ms")), (long long)num_of(w, "threads"),
	    (long long)num_of(w, "nice"));
	row("memory", "%s resident, %s its share",
	    text_bytes(rss, num_of(w, "rss")),
	    num_of(w, "pss") < 0 ? "?" : text_bytes(pss, num_of(w, "pss")));
	row("descriptors", "%lld of %lld", (long long)num_of(w, "fds"),
	    (long long)num_of(w, "max_fds"));
}

static void
describe_traffic(const json_t *w)
{
	const json_t *l = json_object_get(w, "latency_ms");

	if (l == NULL)
		return;
	row("connections",
	    "%lld open (%lld idle, %lld WebSockets), "
	    "%lld accepted",
	    (long long)num_of(w, "active"), (long long)num_of(w, "idle"),
	    (long long)num_of(w, "websockets"),
	    (long long)num_of(w, "accepted"));
	if (num_of(w, "requests") == 0)
		row("requests", "0");
	else
		row("requests", "%lld, p50 below %lld ms, p99 below %lld ms",
		    (long long)num_of(w, "requests"),
		    (long long)num_of(l, "p50"), (long long)num_of(l, "p99"));
}

static void
describe_lists(const json_t *w)
{
	const json_t *list = json_object_get(w, "plugins"), *o;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		o = json_array_get(list, i);
		row(i == 0 ? "plugins" : "", "%s%s%s", text_of(o, "name", "-"),
		    text_of(o, "module", "-")[0] != '\0' ? ": " : "",
		    text_of(o, "module", "-"));
	}
	list = json_object_get(w, "sockets");
	for (i = 0; i < json_array_size(list); i++) {
		o = json_array_get(list, i);
		row(i == 0 ? "sockets" : "", "%s%s", text_of(o, "address", "-"),
		    json_is_true(json_object_get(o, "listening"))
			? ""
			: ", not listening");
	}
}

static void
describe_limit(const json_t *l, const char *key, const char *name, int is_ms)
{
	char buf[TEXT_MAX];
	int64_t n = num_of(l, key);

	if (json_object_get(l, key) == NULL)
		return;
	if (n == 0)
		row(name, "none");
	else
		row(name, "%s", is_ms ? text_ms(buf, n) : text_bytes(buf, n));
}

static void
describe_limits(const json_t *w)
{
	const json_t *l = json_object_get(w, "limits");

	if (l == NULL)
		return;
	row("max_connections", "%lld", (long long)num_of(l, "max_connections"));
	row("max_restarts", "%lld", (long long)num_of(l, "max_restarts"));
	describe_limit(l, "min_uptime_ms", "min_uptime", 1);
	describe_limit(l, "max_memory", "max_memory", 0);
	describe_limit(l, "watchdog_ms", "watchdog", 1);
	describe_limit(l, "ready_timeout_ms", "ready_timeout", 1);
	describe_limit(l, "drain_timeout_ms", "drain_timeout", 1);
	describe_limit(l, "callback_budget_ms", "callback_budget", 1);
}

static void
describe_usage(json_t *w)
{
	int64_t pid = num_of(w, "pid");
	struct usage u;

	if (pid == 0 || usage_read(&u, pid) == -1)
		return;
	(void)json_object_set_new(w, "cpu_ms", json_integer(u.cpu_ms));
	(void)json_object_set_new(w, "rss", json_integer(u.rss));
	(void)json_object_set_new(w, "threads", json_integer(u.threads));
	(void)json_object_set_new(w, "nice", json_integer(u.nice));
	(void)json_object_set_new(w, "pss", json_integer(usage_pss(pid)));
	(void)json_object_set_new(w, "fds", json_integer(usage_fds(pid)));
	(void)json_object_set_new(
	    w, "max_fds", json_integer(usage_max_fds(pid)));
}

int
cmd_describe(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl quiet = *ctl;
	json_t *request, *answer = NULL, *w;
	int rc;

	if (words_take(argc, argv, NULL, NULL) != 1)
		return ctl_usage(argv[0]);
	request = json_pack("{s:s,s:s}", "cmd", "describe", "name", argv[1]);
	if (request == NULL)
		return ctl_usage(argv[0]);
	quiet.json = 0;
	rc = ctl_ask(&quiet, request, &answer);
	w = json_object_get(answer, "worker");
	if (w != NULL) {
		describe_usage(w);
		if (ctl->json) {
			(void)json_dumpf(w, stdout, JSON_INDENT(2));
			(void)putchar('\n');
		} else {
			describe_life(w);
			describe_process(w);
			describe_traffic(w);
			describe_lists(w);
			describe_limits(w);
		}
	}
	json_decref(answer);
	return rc;
}
