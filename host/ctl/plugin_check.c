/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check.h"
#include "ctl/plugin.h"

#define SECONDS 20

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: hostctl plugin check [--json] [--strict] "
	    "[--verbose] [--path PATH]\n           [--set key=value]... "
	    "FILE\n");
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
parse(struct check *c, struct fake_set **sets, int argc, char **argv)
{
	size_t n = 0;
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
	struct check c = {.seconds = SECONDS};
	struct fake_set *sets = xcalloc(1, sizeof(*sets));
	int rc = PLUGIN_USAGE;

	if (parse(&c, &sets, argc, argv) == -1) {
		(void)usage();
		goto out;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	check_life(&c);
	if (c.failed == 0) {
		check_requests(&c);
		check_faults(&c);
		check_sockets(&c);
		check_tables(&c);
	}
	summary(&c);
	rc = c.failed == 0 ? PLUGIN_OK : PLUGIN_FAILED;
out:
	json_decref(c.results);
	free(sets);
	return rc;
}
