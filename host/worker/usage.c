/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "worker/usage.h"

#define USAGE_MS	1000
#define LIST_MS		10000	/* each is an entry to be read */

void
usage_open(struct usage *u)
{
	u->memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	u->fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u->list = NULL;
	u->next_ms = u->next_list_ms = 0;
}

void
usage_close(struct usage *u)
{
	if (u->memory != -1)
		(void)close(u->memory);
	if (u->list != NULL)
		(void)closedir(u->list);
	else if (u->fds != -1)
		(void)close(u->fds);
	u->memory = u->fds = -1;
	u->list = NULL;
}

static void
note_time(struct board_cell *cell)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0)
		atomic_store_explicit(&cell->counters.cpu_us,
		    (uint64_t)ts.tv_sec * 1000000 +
		    (uint64_t)ts.tv_nsec / 1000, memory_order_relaxed);
}

/* The second number of the file is what is resident, in pages. */
static void
note_memory(const struct usage *u, struct board_cell *cell)
{
	char text[128], *end;
	ssize_t n;

	if (u->memory == -1 ||
	    (n = pread(u->memory, text, sizeof(text) - 1, 0)) <= 0)
		return;
	text[n] = '\0';
	(void)strtoull(text, &end, 10);
	atomic_store_explicit(&cell->resident, strtoull(end, NULL, 10) *
	    (uint64_t)sysconf(_SC_PAGESIZE), memory_order_relaxed);
}

static uint64_t
count_entries(DIR *d)
{
	const struct dirent *e;
	uint64_t n = 0;

	rewinddir(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	return n;
}

/* Since Linux 6.2 the directory's size says it. */
static void
note_descriptors(struct usage *u, struct board_cell *cell, uint64_t now_ms)
{
	struct rlimit rl;
	struct stat st;
	uint64_t n;

	if (u->fds == -1 || fstat(u->fds, &st) == -1)
		return;
	n = (uint64_t)st.st_size;
	if (n == 0) {
		if (now_ms < u->next_list_ms)
			return;
		u->next_list_ms = now_ms + LIST_MS;
		if (u->list == NULL && (u->list = fdopendir(u->fds)) == NULL)
			return;
		n = count_entries(u->list);
	}
	atomic_store_explicit(&cell->descriptors, n, memory_order_relaxed);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0)
		atomic_store_explicit(&cell->max_descriptors, rl.rlim_cur,
		    memory_order_relaxed);
}

void
usage_turn(struct usage *u, struct board_cell *cell, uint64_t now_ms)
{
	if (now_ms < u->next_ms)
		return;
	u->next_ms = now_ms + USAGE_MS;
	note_time(cell);
	note_memory(u, cell);
	note_descriptors(u, cell, now_ms);
}

void
usage_last(struct usage *u, struct board_cell *cell)
{
	note_time(cell);
	usage_close(u);
}
