/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "master/proc.h"

/* ---- what it is given ---- */

static void
pool_env(const struct conf_pool *p)
{
	size_t i;

	for (i = 0; i < p->nenv; i++)
		(void)putenv(p->env[i]);
}

void
proc_env(const struct conf *conf, const char *pool)
{
	const struct conf_pool *p;

	/* Backwards: the first has the last word. */
	TAILQ_FOREACH_REVERSE (p, &conf->pools, conf_pools, entry)
		if (*pool == '\0' || strcmp(p->name, pool) == 0)
			pool_env(p);
}

static int __attribute__((format(printf, 4, 5)))
proc_refuse(char *why, size_t size, const struct conf_pos *pos,
    const char *fmt, ...)
{
	size_t n;
	va_list ap;

	n = (size_t)snprintf(why, size, "%s:%d: ", pos->file, pos->line);
	va_start(ap, fmt);
	if (n < size)
		(void)vsnprintf(why + n, size - n, fmt, ap);
	va_end(ap);
	return -1;
}

static int
proc_set_nice(pid_t pid, const struct conf_pool *p, char *why, size_t size)
{
	if (!p->has_nice || setpriority(PRIO_PROCESS, (id_t)pid, p->nice) == 0)
		return 0;
	if (errno == ESRCH)
		return 0;	/* its end tells more */
	return proc_refuse(why, size, &p->nice_pos,
	    "nice = %d: %s%s", p->nice, strerror(errno),
	    errno == EACCES || errno == EPERM ?
		"; only root, or a limit RLIMIT_NICE, lets it be that low" :
		"");
}

/* The nth of a set, counted round. */
static void
cpus_choose(cpu_set_t *set, uint32_t n)
{
	cpu_set_t one;
	int cpu = -1;

	CPU_ZERO(&one);
	for (n %= (uint32_t)CPU_COUNT(set); n != UINT32_MAX; n--)
		while (!CPU_ISSET(++cpu, set))
			;
	CPU_SET(cpu, &one);
	*set = one;
}

static int
cpus_missing(const cpu_set_t *wanted, const cpu_set_t *have)
{
	int i;

	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, wanted) && !CPU_ISSET(i, have))
			return i;
	return -1;
}

static int
proc_set_cpus(pid_t pid, const struct conf_pool *p, uint32_t slot, char *why,
    size_t size)
{
	cpu_set_t have, set;
	int missing;

	if (p->affinity == CONF_AFFINITY_ANY)
		return 0;
	if (sched_getaffinity(0, sizeof(have), &have) == -1)
		return proc_refuse(why, size, &p->affinity_pos,
		    "affinity: %s", strerror(errno));
	set = p->affinity == CONF_AFFINITY_LIST ? p->cpus : have;
	missing = cpus_missing(&set, &have);
	if (missing != -1)
		return proc_refuse(why, size, &p->affinity_pos, "affinity: "
		    "there is no cpu %d for us, of %d", missing,
		    CPU_COUNT(&have));
	if (p->affinity == CONF_AFFINITY_AUTO)
		cpus_choose(&set, slot);
	if (sched_setaffinity(pid, sizeof(set), &set) == 0 || errno == ESRCH)
		return 0;
	return proc_refuse(why, size, &p->affinity_pos, "affinity: %s",
	    strerror(errno));
}

int
proc_place(pid_t pid, const struct conf_pool *p, uint32_t slot, char *why,
    size_t size)
{
	if (proc_set_nice(pid, p, why, size) == -1)
		return -1;
	return proc_set_cpus(pid, p, slot, why, size);
}

/* ---- what is known of it ---- */

/* One line of a file of /proc; 0 or -1. */
static int
proc_read(pid_t pid, const char *name, char *line, int size)
{
	char path[64], *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((f = fopen(path, "re")) == NULL)
		return -1;
	p = fgets(line, size, f);
	(void)fclose(f);
	return p == NULL ? -1 : 0;
}

int64_t
proc_rss(pid_t pid)
{
	char line[256];
	long long pages;

	if (proc_read(pid, "statm", line, sizeof(line)) == -1 ||
	    sscanf(line, "%*d %lld", &pages) != 1)
		return -1;
	return pages * sysconf(_SC_PAGESIZE);
}

/* The second field of stat is in parentheses and may contain anything. */
int
proc_is_stopped(pid_t pid)
{
	char line[512];
	const char *p;

	return proc_read(pid, "stat", line, sizeof(line)) == 0 &&
	    (p = strrchr(line, ')')) != NULL && p[1] == ' ' &&
	    (p[2] == 'T' || p[2] == 't');
}
