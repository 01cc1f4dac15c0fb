/* SPDX-License-Identifier: BSD-2-Clause */
/* The block pool: how many workers, and what each of them is given. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"

#define WORKERS_MAX	256

static int
cores(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n < WORKERS_MAX ? n : WORKERS_MAX;
}

/* -1: all cores but one, though never none. */
static int
workers_of(const struct builder *b)
{
	const char *text = text_of(b, "workers");
	int64_t n;

	if (strcmp(text, "auto") == 0)
		return cores();
	if (int_parse(text, &n) == 0 && n == -1)
		return cores() > 1 ? cores() - 1 : 1;
	if (int_parse(text, &n) == 0 && n >= 1 && n <= WORKERS_MAX)
		return (int)n;
	conf_error(b->errs, pos_of(b, "workers"), "\"workers\" must be "
	    "\"auto\", -1 (all cores but one), or from 1 to %d", WORKERS_MAX);
	return 1;
}

static void
take_restart_at(const struct builder *b, struct conf_pool *p)
{
	const char *text = text_of(b, "restart_at");
	char why[256];

	if (text == NULL || *text == '\0')
		return;
	if (cron_parse(text, &p->restart_at, why, sizeof(why)) == -1)
		conf_error(b->errs, pos_of(b, "restart_at"), "restart_at "
		    "\"%s\": %s", text, why);
	else
		p->restarts = 1;
}

/* A name that a shell could set; the loader's and ours are taken as given. */
static int
is_assignment(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && s[n] == '=' && (*s < '0' || *s > '9');
}

static void
take_env(const struct builder *b, struct conf_pool *p)
{
	size_t i;

	p->env = copy_list(b, "env", &p->nenv);
	for (i = 0; i < p->nenv; i++)
		if (!is_assignment(p->env[i]))
			conf_error(b->errs, pos_of(b, "env"), "\"env\" takes "
			    "\"NAME=value\", not \"%s\"", p->env[i]);
}

static int
cpu_number(const char **p)
{
	char *end;
	long n;

	if (**p < '0' || **p > '9')
		return -1;
	n = strtol(*p, &end, 10);
	*p = end;
	return n < CPU_SETSIZE ? (int)n : -1;
}

/* "0-3,5": 0 or -1. */
static int
cpus_parse(const char *p, cpu_set_t *set)
{
	int from, to;

	CPU_ZERO(set);
	for (;;) {
		if ((from = to = cpu_number(&p)) == -1)
			return -1;
		if (*p == '-') {
			p++;
			if ((to = cpu_number(&p)) < from)
				return -1;
		}
		for (; from <= to; from++)
			CPU_SET(from, set);
		if (*p == '\0')
			return 0;
		if (*p++ != ',')
			return -1;
	}
}

/* Whether there are such is not for a worker to say, which has been given some
 * already: see master/process.c. */
static void
take_affinity(const struct builder *b, struct conf_pool *p)
{
	const char *text = text_of(b, "affinity");

	if (text == NULL || *text == '\0')
		return;
	if (strcmp(text, "auto") == 0)
		p->affinity = CONF_AFFINITY_AUTO;
	else if (cpus_parse(text, &p->cpus) == 0)
		p->affinity = CONF_AFFINITY_LIST;
	else
		conf_error(b->errs, pos_of(b, "affinity"), "\"affinity\" must "
		    "be \"auto\" or cpus as \"0-3,5\", not \"%s\"", text);
}

void
build_pool(struct builder *b, const struct conf_node *n)
{
	struct conf_pool *p = xcalloc(1, sizeof(*p));

	p->pos = n->pos;
	p->name = xstrdup(n->title);
	p->workers = workers_of(b);
	p->max_restarts = (int)num_of(b, "max_restarts");
	p->min_uptime = num_of(b, "min_uptime");
	p->max_memory = num_of(b, "max_memory");
	p->watchdog = num_of(b, "watchdog");
	p->balance = (int)num_of(b, "balance");
	p->queue_timeout = num_of(b, "queue_timeout");
	p->has_nice = is_set(b, "nice");
	p->nice = (int)num_of(b, "nice");
	p->nice_pos = *pos_of(b, "nice");
	p->affinity_pos = *pos_of(b, "affinity");
	take_restart_at(b, p);
	take_env(b, p);
	take_affinity(b, p);
	TAILQ_INSERT_TAIL(&b->conf->pools, p, entry);
}

struct conf_pool *
find_pool(struct builder *b, const char *name, const struct conf_pos *pos)
{
	const char *names[65];
	struct conf_pool *p;
	size_t i = 0;

	TAILQ_FOREACH(p, &b->conf->pools, entry) {
		if (name == NULL || strcmp(p->name, name) == 0)
			return p;
		if (i < 64)
			names[i++] = p->name;
	}
	names[i] = NULL;
	no_such(b, pos, "pool", name, names);
	return TAILQ_FIRST(&b->conf->pools);
}
