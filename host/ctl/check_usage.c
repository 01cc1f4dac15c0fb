/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <malloc.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>

#include "ctl/check.h"
#include "ctl/check_usage.h"

#define WARM 4
#define WINDOWS 3
#define ROUNDS 6	 /* in a window */
#define THREAD_POLLS 200 /* of 5 ms: threads end in their own time */
#define MIN_LEAK 8	 /* bytes a round */
#define CACHE_SIZE 1040	 /* of what malloc keeps aside; and how many */
#define CACHE_PIECES 32

/* A sanitizer replaces malloc, and with it malloc's own counts. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

struct usage {
	int fds, threads;
	size_t heap;
};

static int
count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/*
 * malloc keeps a few freed pieces of each small size aside and counts them as
 * in use.  With as many as it keeps of each there they do not matter.
 */
static void
fill_cache(void)
{
	static void *volatile pieces[CACHE_PIECES];
	size_t size;
	int i;

	for (size = 8; size <= CACHE_SIZE; size += 16) {
		for (i = 0; i < CACHE_PIECES; i++)
			pieces[i] = malloc(size);
		for (i = 0; i < CACHE_PIECES; i++)
			free(pieces[i]);
	}
}

static void
usage_now(struct usage *u)
{
	struct mallinfo2 mi;

	u->fds = count_entries("/proc/self/fd");
	u->threads = count_entries("/proc/self/task");
	if (__sanitizer_get_current_allocated_bytes != NULL) {
		u->heap = __sanitizer_get_current_allocated_bytes();
		return;
	}
	fill_cache();
	mi = mallinfo2();
	u->heap = mi.uordblks + mi.hblkhd;
}

static void
judge_threads(const struct usage *before, const char *what)
{
	int i, n = 0;

	for (i = 0; i < THREAD_POLLS; i++) {
		n = count_entries("/proc/self/task");
		if (n <= before->threads)
			return;
		(void)poll(NULL, 0, 5);
	}
	check_fail("%s leaves %d threads running", what, n - before->threads);
}

void
check_rounds(void (*fn)(void *), void *arg, const char *what)
{
	struct usage before, after, start;
	size_t least = (size_t)-1, grown;
	int i, w;

	for (i = 0; i < WARM; i++)
		fn(arg);
	usage_now(&before);
	start = before;
	for (w = 0; w < WINDOWS; w++) {
		usage_now(&before);
		for (i = 0; i < ROUNDS; i++)
			fn(arg);
		usage_now(&after);
		grown = after.heap > before.heap ? after.heap - before.heap : 0;
		least = grown < least ? grown : least;
	}
	if (after.fds > start.fds)
		check_fail("%s leaves descriptors open: %d after %d rounds",
		    what, after.fds - start.fds, WINDOWS * ROUNDS);
	judge_threads(&start, what);
	/* A cache that fills up does not grow in every window. */
	if (least >= ROUNDS * MIN_LEAK)
		check_fail(
		    "%s leaks about %zu bytes of memory", what, least / ROUNDS);
}
