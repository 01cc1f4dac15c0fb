/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/control.h"
#include "master/dir.h"
#include "master/probe.h"
#include "master/test.h"

struct test {
	uv_loop_t loop;
	struct board board;
	struct up_table servers;
	struct limit_table limits;
	struct children children;
	struct conf_errors errors;
	uv_signal_t signals[2];
	char dir[256];
};

static void
test_probed(struct probe *p)
{
	struct test *t = p->arg;

	uv_stop(&t->loop);
}

/* The directory has to go even then. */
static void
test_interrupted(uv_signal_t *h, int sig)
{
	struct test *t = h->data;

	conf_error(&t->errors, NULL, "interrupted");
	uv_stop(&t->loop);
	(void)sig;
}

static int
test_make_dirs(struct test *t)
{
	const char *tmp = getenv("TMPDIR");
	char why[512], path[300];

	if (tmp == NULL || tmp[0] != '/' || strlen(tmp) > 150)
		tmp = "/tmp";
	(void)snprintf(t->dir, sizeof(t->dir), "%s/hostd-test.XXXXXX", tmp);
	/* Workers' user must be able to reach the plugins. */
	if (mkdtemp(t->dir) == NULL || chmod(t->dir, 0755) == -1) {
		conf_error(&t->errors, NULL, "%s: %s", t->dir, strerror(errno));
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/plugins", t->dir);
	if (dir_make(path, 0755, why, sizeof(why)) == -1) {
		conf_error(&t->errors, NULL, "%s", why);
		return -1;
	}
	return 0;
}

static void
test_watch(struct test *t)
{
	static const int numbers[2] = {SIGINT, SIGTERM};
	int i;

	for (i = 0; i < 2; i++) {
		(void)uv_signal_init(&t->loop, &t->signals[i]);
		t->signals[i].data = t;
		(void)uv_signal_start(
		    &t->signals[i], test_interrupted, numbers[i]);
	}
}

static void
test_probe(struct test *t, const char *conf_file, const char *exe)
{
	struct generation *g;
	struct probe probe = {
	    .errors = &t->errors, .done = test_probed, .arg = t};

	children_init(&t->children, &t->loop, &t->board, &t->servers,
	    &t->limits);
	t->children.exe = exe;
	t->children.error_log = STDERR_FILENO;
	test_watch(t);
	g = generation_build(t->dir, conf_file, 1, NULL, 0, &t->errors);
	if (g != NULL) {
		probe.gen = g;
		probe_start(&probe, &t->children);
		(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	}
	probe.done = NULL;
	children_close(&t->children);
	uv_close((uv_handle_t *)&t->signals[0], NULL);
	uv_close((uv_handle_t *)&t->signals[1], NULL);
	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	generation_free(g);
}

/* ---- what came of it ---- */

/* Behind "file" of "file:line: what"; NULL: it is not of a line.  Reports of
 * the probe are texts, too. */
static const char *
error_line(const char *text)
{
	const char *p = text, *digits;

	while (text[0] == '/' && (p = strchr(p, ':')) != NULL) {
		digits = ++p;
		p += strspn(p, "0123456789");
		if (p > digits && p[0] == ':' && p[1] == ' ')
			return digits - 1;
	}
	return NULL;
}

/* {"file": "/etc/hostd/hostd.conf", "line": 3, "text": "unknown key ..."} */
static json_t *
error_json(const char *text)
{
	const char *at = error_line(text);
	json_t *o = json_object();
	char *file;

	if (at != NULL) {
		file = xstrndup(text, (size_t)(at - text));
		(void)json_object_set_new(o, "file", control_text(file));
		(void)json_object_set_new(
		    o, "line", json_integer(strtol(at + 1, NULL, 10)));
		free(file);
		text = strstr(at, ": ") + 2;
	}
	(void)json_object_set_new(o, "text", control_text(text));
	return o;
}

static void
test_tell_json(const struct test *t, const char *conf_file)
{
	json_t *errors = json_array(), *o;
	const struct conf_error *e;

	TAILQ_FOREACH (e, &t->errors, entry)
		(void)json_array_append_new(errors, error_json(e->text));
	o = json_pack("{s:b,s:o,s:o}", "ok", TAILQ_EMPTY(&t->errors),
	    "conf_file", control_text(conf_file), "errors", errors);
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(o);
}

static void
test_tell(const struct test *t, const char *conf_file)
{
	const struct conf_error *e;
	int ok = TAILQ_EMPTY(&t->errors);

	TAILQ_FOREACH (e, &t->errors, entry)
		(void)fprintf(stderr, "hostd: %s\n", e->text);
	(void)fprintf(ok ? stdout : stderr, "hostd: %s: %s\n", conf_file,
	    ok ? "configuration ok" : "test failed");
}

int
test_run(const char *conf_file, const char *exe, int json)
{
	struct test t = {0};
	int status;

	log_set_level(LOG_LVL_WARN);
	log_set_context("test");
	conf_errors_init(&t.errors);
	(void)uv_loop_init(&t.loop);
	if (test_make_dirs(&t) == 0) {
		if (board_create(&t.board) == -1 ||
		    up_table_create(&t.servers) == -1 ||
		    limit_table_create(&t.limits) == -1)
			conf_error(&t.errors, NULL, "shared memory: %s",
			    strerror(errno));
		else
			test_probe(&t, conf_file, exe);
		limit_table_close(&t.limits);
		up_table_close(&t.servers);
		board_close(&t.board);
		dir_remove(t.dir);
	}
	(void)uv_loop_close(&t.loop);
	if (json)
		test_tell_json(&t, conf_file);
	else
		test_tell(&t, conf_file);
	status = TAILQ_EMPTY(&t.errors) ? 0 : 1;
	conf_errors_free(&t.errors);
	return status;
}
