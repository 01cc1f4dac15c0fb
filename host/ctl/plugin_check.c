/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check.h"
#include "ctl/check_dir.h"
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

enum {
	OPT_JSON = 1,
	OPT_STRICT,
	OPT_VERBOSE,
	OPT_SET,
	OPT_PATH,
	OPT_MESSAGE,
	OPT_SUBPROTOCOLS
};

struct parsed {
	struct check *c;
	struct fake_set *sets;
	const char **words;
	size_t nsets, nwords;
};

static int
parse_option(struct parsed *p, int option, char *value)
{
	switch (option) {
	case OPT_JSON:
		if (p->c->results == NULL)
			p->c->results = json_array();
		return 0;
	case OPT_STRICT:
		p->c->strict = 1;
		return 0;
	case OPT_VERBOSE:
		p->c->verbose = 1;
		return 0;
	case OPT_SET:
		return add_set(&p->sets, &p->nsets, value);
	case OPT_PATH:
		p->c->target = value;
		return 0;
	case OPT_MESSAGE:
		if (p->nwords == MAX_WORDS)
			return -1;
		p->words[p->nwords++] = value;
		return 0;
	case OPT_SUBPROTOCOLS:
		p->c->protocols = value;
		return 0;
	default:
		return -1;
	}
}

static int
parse(struct parsed *p, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, OPT_JSON},
	    {"strict", no_argument, NULL, OPT_STRICT},
	    {"verbose", no_argument, NULL, OPT_VERBOSE},
	    {"set", required_argument, NULL, OPT_SET},
	    {"path", required_argument, NULL, OPT_PATH},
	    {"message", required_argument, NULL, OPT_MESSAGE},
	    {"subprotocols", required_argument, NULL, OPT_SUBPROTOCOLS},
	    {NULL, 0, NULL, 0},
	};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (parse_option(p, option, optarg) == -1)
			return -1;
	if (argc - optind != 1)
		return -1;
	p->c->sets = p->sets;
	p->c->path = argv[optind];
	return 0;
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
	struct parsed p = {.c = &c,
	    .sets = xcalloc(1, sizeof(*p.sets)),
	    .words = words};
	int rc = PLUGIN_USAGE;

	if (parse(&p, argc, argv) == -1) {
		(void)usage();
		goto out;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	check_dir_make();
	check_life(&c);
	if (c.failed == 0 && !c.lacks) {
		check_requests(&c);
		check_faults(&c);
		check_sockets(&c);
		check_closes(&c);
		check_channels(&c);
		check_backend(&c);
		check_balancer(&c);
		check_store(&c);
		check_sio(&c);
		check_sessions(&c);
		check_state(&c);
		check_moves(&c);
		check_commands(&c);
		check_tables(&c);
	}
	check_dir_remove();
	summary(&c);
	rc = c.failed == 0 ? PLUGIN_OK : PLUGIN_FAILED;
out:
	json_decref(c.results);
	free(p.sets);
	return rc;
}
