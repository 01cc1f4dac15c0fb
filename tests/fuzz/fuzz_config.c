/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration text through the reader and the model, beside a bare module,
 * as the master and a worker read it; and the keys of its plugins, as the
 * plugin room checks them.
 *
 * What must hold: every mistake has its place or a file's name, and can be
 * shown on a terminal; without a mistake the model is whole, and the routes
 * it has can be put into a router.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "config/model.h"
#include "config/schema.h"
#include "http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const choices[] = {"one", "two", NULL};
static const struct hostd_key keys[] = {
    {sizeof(keys[0]), HOSTD_KEY_STRING, HOSTD_KEY_REQUIRED, "root", NULL, "", 0,
	0, NULL},
    {sizeof(keys[0]), HOSTD_KEY_LIST, 0, "index", "a,b", "", 0, 4, NULL},
    {sizeof(keys[0]), HOSTD_KEY_SIZE, 0, "room", "4k", "", 1, 1 << 20, NULL},
    {sizeof(keys[0]), HOSTD_KEY_ENUM, 0, "kind", "two", "", 0, 0, choices},
    {sizeof(keys[0]), HOSTD_KEY_DURATION, 0, "wait", NULL, "", 0, 0, NULL},
    {sizeof(keys[0]), HOSTD_KEY_SECRET, 0, "secret", NULL, "", 8, 64, NULL},
};
static const struct hostd_key *const within[] = {&keys[1], &keys[2], NULL};
static const struct hostd_key_block rule = {
    {sizeof(rule), HOSTD_KEY_BLOCK, 0, "rule", NULL, "", 1, 255, NULL}, within};
static const struct hostd_key *const rows[] = {&keys[0], &keys[1], &keys[2],
    &keys[3], &keys[4], &keys[5], &rule.key, NULL};
static const char *const also[] = {"module", "pool", NULL};

static struct conf_sources sources;
static int text_fd;

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
set_up(void)
{
	char path[64];

	text_fd = memfd_create("conf", MFD_CLOEXEC);
	must(text_fd != -1);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", text_fd);
	conf_sources_add(&sources, "/fuzz/hostd.conf", path, 0);
	conf_sources_add(&sources, "/fuzz/bare.so", "/fuzz/bare.so", 1);
	(void)setenv("SET", "value", 1);
}

static void
check_errors(const struct conf_errors *errs)
{
	const struct conf_error *e;
	const char *p;

	TAILQ_FOREACH (e, errs, entry) {
		must(e->text[0] != '\0');
		for (p = e->text; *p != '\0'; p++)
			must((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

/* Where a byte behind the text would be seen to be read. */
static void
read_in_place(const char *text, size_t size)
{
	struct conf_node *root = conf_root_new();
	struct conf_errors errs;

	conf_errors_init(&errs);
	conf_parse(root, "/fuzz/hostd.conf", text, size, &errs);
	conf_errors_free(&errs);
	conf_node_free(root);
}

/* Rows of plugins: no mistake without a word, no plugin without its keys. */
static void
check_plugins(const struct conf *c, int clean)
{
	const struct conf_plugin *p;
	const struct conf_error *e;
	struct conf_values vals;
	struct conf_errors errs;
	int n, said = 0;

	TAILQ_FOREACH (p, &c->plugins, entry) {
		conf_errors_init(&errs);
		n = conf_check(p->node, rows, also, &vals, &errs);
		must(vals.n == 7 && conf_val(&vals, "kind")->text != NULL);
		must(n > 0 || conf_val(&vals, "root")->text != NULL);
		TAILQ_FOREACH (e, &errs, entry)
			said++;
		must(clean ? said == n : said <= n);
		said = 0;
		check_errors(&errs);
		conf_values_free(&vals);
		conf_errors_free(&errs);
	}
}

static void
check_model(const struct conf *c)
{
	const struct conf_listen *l;
	const struct conf_pool *p;
	const struct conf_route *r;
	struct router *ro = router_new();

	must(c->run_dir != NULL && c->control != NULL && c->user != NULL);
	must(!TAILQ_EMPTY(&c->pools) && !TAILQ_EMPTY(&c->listens));
	TAILQ_FOREACH (p, &c->pools, entry)
		must(p->workers >= 1);
	TAILQ_FOREACH (l, &c->listens, entry)
		must(l->pool != NULL && l->addr.len > 0);
	TAILQ_FOREACH (r, &c->routes, entry) {
		must(r->plugin != NULL && r->path[0] == '/');
		router_add(ro,
		    route_new(r->path, r->match == CONF_MATCH_PREFIX,
			r->methods, r->nmethods),
		    r->hosts, r->nhosts);
	}
	router_free(ro);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errs;
	struct conf *c;

	if (sources.n == 0)
		set_up();
	/* Error pages are read from where they are; leave devices alone. */
	if (memmem(data, size, "/dev", 4) != NULL ||
	    memmem(data, size, "/proc", 5) != NULL)
		return 0;
	if (size > 0)
		read_in_place((const char *)data, size);
	must(ftruncate(text_fd, 0) == 0);
	must(pwrite(text_fd, data, size, 0) == (ssize_t)size);
	conf_errors_init(&errs);
	c = conf_load(&sources, NULL, &errs);
	(void)conf_routes_conflict(c, &errs);
	check_errors(&errs);
	check_plugins(c, TAILQ_EMPTY(&errs));
	if (TAILQ_EMPTY(&errs))
		check_model(c);
	conf_free(c);
	conf_errors_free(&errs);
	return 0;
}
