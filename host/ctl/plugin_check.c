/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check.h"
#include "ctl/plugin.h"

#define SECONDS 20
#define MAX_WORDS 64
#define PROTOCOLS "check, chat"

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: hostctl plugin check [--json] [--strict] "
	    "[--verbose] [--path PATH]\n           [--set key=value]... "
	    "[--message TEXT]... [--subprotocols LIST]\n"
	    "           FILE\n");
	return PLUGIN_USAGE;
}

/* Splits "key=value" in place. */
static int
add_set(struct fake_set **sets, size_t *n, char *arg)
{
	char *eq = arg == NULL ? NULL : strchr(arg, '=');

	if (eq == NULL || eq == arg)
		return -1;
	*eq = '\0';
	*sets = xrealloc(*sets, (*n + 2) * sizeof(**sets));
	(*sets)[*n].key = arg;
	(*sets)[(*n)++].value = eq + 1;
	(*sets)[*n].key = NULL;
	return 0;
}

static int
parse(struct check *c, struct fake_set **sets, const char **words, int argc,
    char **argv)
{
	size_t n = 0, nwords = 0;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			c->results = json_array();
		else if (strcmp(argv[i], "--strict") == 0)
			c->strict = 1;
		else if (strcmp(argv[i], "--verbose") == 0)
			c->verbose = 1;
		else if (strcmp(argv[i], "--set") == 0 && i + 1 < argc) {
			if (add_set(sets, &n, argv[++i]) == -1)
				return -1;
		} else if (strcmp(argv[i], "--path") == 0 && i + 1 < argc)
			c->target = argv[++i];
		else if (strcmp(argv[i], "--message") == 0 && i + 1 < argc &&
		    nwords < MAX_WORDS)
			words[nwords++] = argv[++i];
		else if (strcmp(argv[i], "--subprotocols") == 0 &&
		    i + 1 < argc)
			c->protocols = argv[++i];
		else if (argv[i][0] == '-' || c->path != NULL)
			return -1;
		else
			c->path = argv[i];
	}
	c->sets = *sets;
	return c->path == NULL ? -1 : 0;
}

static void
summary(const struct check *c)
{
	if (c->results == NULL) {
		(void)printf("%s: %u passed, %u failed, %u skipped\n",
		    plugin_display(c->path), c->passed, c->failed, c->skipped);
		return;
	}
	json_t *all = json_pack("{s:s, s:i, s:i, s:i, s:O}", "file", c->path,
	    "passed", c->passed, "failed", c->failed, "skipped", c->skipped,
	    "tests", c->results);
	(void)json_dumpf(all, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(all);
}

int
plugin_check(int argc, char **argv)
{
	const char *words[MAX_WORDS + 1] = {NULL};
	struct check c = {.seconds = SECONDS,
	    .words = words,
	    .protocols = PROTOCOLS};
	struct fake_set *sets = xcalloc(1, sizeof(*sets));
	int rc = PLUGIN_USAGE;

	if (parse(&c, &sets, words, argc, argv) == -1) {
		(void)usage();
		goto out;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	check_life(&c);
	if (c.failed == 0) {
		check_requests(&c);
		check_faults(&c);
		check_sockets(&c);
		check_closes(&c);
		check_channels(&c);
		check_backend(&c);
		check_state(&c);
		check_moves(&c);
		check_tables(&c);
	}
	summary(&c);
	rc = c.failed == 0 ? PLUGIN_OK : PLUGIN_FAILED;
out:
	json_decref(c.results);
	free(sets);
	return rc;
}
