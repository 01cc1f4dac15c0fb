/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/usage.h"

int
usage_read(struct usage *u, int64_t pid)
{
	unsigned long long user, system;
	long long pages;
	char path[64], line[1024], *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return -1;
	p = fgets(line, sizeof(line), f);
	(void)fclose(f);
	/* The second field is in parentheses and may contain anything. */
	if (p == NULL || (p = strrchr(line, ')')) == NULL ||
	    sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
		" %llu %llu %*d %*d %*d %d %d %*d %*u %*u %lld",
		&user, &system, &u->nice, &u->threads, &pages) != 5)
		return -1;
	u->cpu_ms = (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
	u->rss = pages * sysconf(_SC_PAGESIZE);
	return 0;
}

/* The number behind a word at the beginning of a line of a file. */
static int64_t
proc_number(int64_t pid, const char *file, const char *word)
{
	char path[64], line[256];
	long long n = -1;
	FILE *f;

	(void)snprintf(
	    path, sizeof(path), "/proc/%lld/%s", (long long)pid, file);
	f = fopen(path, "re");
	if (f == NULL)
		return -1;
	while (n == -1 && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, word, strlen(word)) == 0)
			(void)sscanf(line + strlen(word), "%lld", &n);
	(void)fclose(f);
	return n;
}

int64_t
usage_pss(int64_t pid)
{
	int64_t kb = proc_number(pid, "smaps_rollup", "Pss:");

	return kb == -1 ? -1 : kb * 1024;
}

int64_t
usage_max_fds(int64_t pid)
{
	return proc_number(pid, "limits", "Max open files");
}

int64_t
usage_fds(int64_t pid)
{
	char path[64];
	int64_t n = 0;
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%lld/fd", (long long)pid);
	d = opendir(path);
	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

void
usage_add(json_t *status)
{
	const json_t *pools = json_object_get(status, "pools"), *workers;
	struct usage u;
	json_t *w;
	size_t i, j;

	for (i = 0; i < json_array_size(pools); i++) {
		workers = json_object_get(json_array_get(pools, i), "workers");
		for (j = 0; j < json_array_size(workers); j++) {
			w = json_array_get(workers, j);
			if (usage_read(&u, json_integer_value(
				json_object_get(w, "pid"))) == -1)
				continue;
			(void)json_object_set_new(
			    w, "cpu_ms", json_integer(u.cpu_ms));
			(void)json_object_set_new(
			    w, "rss", json_integer(u.rss));
		}
	}
}
