/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/fake_memory.h"

#define GUARDS 512 /* kept, so that a fault can be explained */

struct guard {
	char *base; /* its last page is a fence */
	size_t len;
	char *mem;
	int in_arena, retired;
	char what[80];
};

static struct guard guards[GUARDS];
static unsigned next_guard;

/* A page and its fence for each guard: most pieces need no mapping of their
 * own. */
static char *arena;

/* The oldest retired one makes room. */
static struct guard *
guard_slot(void)
{
	struct guard *g;
	unsigned i;

	for (i = 0; i < GUARDS; i++) {
		g = &guards[next_guard++ % GUARDS];
		if (g->base != NULL && !g->retired)
			continue;
		if (g->base != NULL && !g->in_arena)
			(void)munmap(g->base, g->len);
		return g;
	}
	fatalx("more than %d pieces of guarded memory in use", GUARDS);
}

static char *
map(size_t n, int prot)
{
	char *p = mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fatal("mmap");
	return p;
}

void *
guard_alloc(size_t n, const char *what)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room;
	struct guard *g = guard_slot();

	room = (n + 15) & ~(size_t)15;
	g->len = (room + page - 1) / page * page + page;
	if ((g->in_arena = g->len <= 2 * page)) {
		if (arena == NULL)
			arena = map(GUARDS * 2 * page, PROT_NONE);
		g->len = 2 * page;
		g->base = arena + (size_t)(g - guards) * g->len;
	} else
		g->base = map(g->len, PROT_NONE);
	if (mprotect(g->base, g->len - page, PROT_READ | PROT_WRITE) == -1)
		fatal("mprotect");
	g->mem = g->base + g->len - page - room;
	memset(g->mem, 0, room);
	g->retired = 0;
	(void)snprintf(g->what, sizeof(g->what), "%s", what);
	return g->mem;
}

void
guard_retire(void *p)
{
	unsigned i;

	if (p == NULL)
		return;
	for (i = 0; i < GUARDS; i++)
		if (guards[i].mem == p && !guards[i].retired) {
			guards[i].retired = 1;
			(void)mprotect(
			    guards[i].base, guards[i].len, PROT_NONE);
			return;
		}
}

void *
hidden_alloc(size_t n)
{
	return map(n, PROT_READ | PROT_WRITE);
}

void
hidden_free(void *p, size_t n)
{
	(void)munmap(p, n);
}

int
guard_explain(const void *addr, char *text, size_t size)
{
	uintptr_t a = (uintptr_t)addr;
	const struct guard *g;
	unsigned i;

	for (i = 0; i < GUARDS; i++) {
		g = &guards[i];
		if (g->base == NULL || a < (uintptr_t)g->base ||
		    a >= (uintptr_t)g->base + g->len)
			continue;
		(void)snprintf(text, size, "it touched %s %s", g->what,
		    g->retired ? "after its time" : "beyond its end");
		return 0;
	}
	return -1;
}
