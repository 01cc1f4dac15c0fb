/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include "base/dependency.h"

#define READ_TRIES	100

struct board_dependency *
dependency_declare(struct board_cell *c, const char *name, const char *plugin,
    int is_required)
{
	struct board_dependency *d = c->dependencies;
	const struct board_dependency *end = d + BOARD_DEPENDENCIES;

	while (d < end && d->flags != 0)
		d++;
	if (d == end)
		return NULL;
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	(void)snprintf(d->plugin, sizeof(d->plugin), "%s", plugin);
	atomic_store(&d->flags, BOARD_DEPENDENCY_USED | (is_required ?
	    BOARD_DEPENDENCY_REQUIRED : 0));
	return d;
}

void
dependency_set(struct board_dependency *d, uint32_t state, const char *detail,
    size_t n)
{
	atomic_fetch_add(&d->sequence, 1);
	(void)snprintf(d->detail, sizeof(d->detail), "%.*s", n <
	    sizeof(d->detail) ? (int)n : (int)sizeof(d->detail) - 1,
	    n > 0 ? detail : "");
	if (d->state != state)
		atomic_store(&d->since_ms, board_clock_ms());
	atomic_store(&d->state, state);
	atomic_fetch_add(&d->sequence, 1);
}

static void
text_copy(char *to, const char *from, size_t size)
{
	memcpy(to, from, size - 1);
	to[size - 1] = '\0';
}

/* A copy that belongs together, unless its writer has ended in the middle. */
static void
dependency_read(const struct board_dependency *d, struct dependency *h)
{
	uint32_t before;
	int tries;

	memset(h, 0, sizeof(*h));
	for (tries = 0; tries < READ_TRIES; tries++) {
		before = atomic_load(&d->sequence);
		h->flags = atomic_load(&d->flags);
		h->state = atomic_load(&d->state);
		h->since_ms = atomic_load(&d->since_ms);
		text_copy(h->name, d->name, sizeof(h->name));
		text_copy(h->plugin, d->plugin, sizeof(h->plugin));
		text_copy(h->detail, d->detail, sizeof(h->detail));
		if (before % 2 == 0 && before == atomic_load(&d->sequence))
			break;
	}
	if (h->state > DEPENDENCY_UNUSED)
		h->state = DEPENDENCY_UNKNOWN;
}

/* Of two that are the same thing: the worse, and of equal ones the older. */
static int
says_more(const struct dependency *h, const struct dependency *than)
{
	static const int rank[] = { [DEPENDENCY_UNKNOWN] = 0,
		[DEPENDENCY_UP] = 1, [DEPENDENCY_DOWN] = 2 };

	if (h->state != than->state)
		return rank[h->state] > rank[than->state];
	return h->since_ms < than->since_ms;
}

static size_t
dependency_add(struct dependency *out, size_t n, const struct dependency *h)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(out[i].name, h->name) == 0 &&
		    strcmp(out[i].plugin, h->plugin) == 0)
			break;
	if (i == DEPENDENCIES_MAX)
		return n;
	if (i == n || says_more(h, &out[i]))
		out[i] = *h;
	return i == n ? n + 1 : n;
}

/* Of the workers that are ready, or of the others. */
static size_t
sum_of(const struct board *b, struct dependency *out, int ready)
{
	const struct board_cell *c;
	struct dependency h;
	size_t n = 0;
	uint32_t state;
	int i, j;

	for (i = 0; i < BOARD_CELLS; i++) {
		c = &b->cells[i];
		state = atomic_load(&c->state);
		if (state == CELL_FREE || state == CELL_DEAD ||
		    c->pool[0] == '\0' || (state == CELL_READY) != ready)
			continue;
		for (j = 0; j < BOARD_DEPENDENCIES; j++) {
			if (atomic_load(&c->dependencies[j].flags) == 0)
				break;
			dependency_read(&c->dependencies[j], &h);
			if (h.state != DEPENDENCY_UNUSED)
				n = dependency_add(out, n, &h);
		}
	}
	return n;
}

size_t
dependencies_sum(const struct board *b,
    struct dependency out[DEPENDENCIES_MAX])
{
	int is_alive;

	return sum_of(b, out, board_serving(b, &is_alive) > 0);
}

/* Does another worker of its pool that is ready turn, or this one? */
static int
pool_turns(const struct board *b, const struct board_cell *of)
{
	const struct board_cell *c;
	int i;

	for (i = 0; i < BOARD_CELLS; i++) {
		c = &b->cells[i];
		if (atomic_load(&c->state) == CELL_READY && strncmp(c->pool,
		    of->pool, sizeof(c->pool)) == 0 &&
		    board_silent_ms(c) < BOARD_STILL_MS)
			return 1;
	}
	return 0;
}

unsigned
board_serving(const struct board *b, int *is_alive)
{
	const struct board_cell *c;
	unsigned n = 0;
	int i;

	*is_alive = 1;
	for (i = 0; i < BOARD_CELLS; i++) {
		c = &b->cells[i];
		if (atomic_load(&c->state) != CELL_READY ||
		    c->pool[0] == '\0')
			continue;
		n++;
		if (board_silent_ms(c) >= BOARD_STILL_MS && !pool_turns(b, c))
			*is_alive = 0;
	}
	return n;
}
