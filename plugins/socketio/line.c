/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "line.h"

#define STEPS	64	/* so many of one id are told apart */

static struct line_entry *
at(const struct line *l, uint64_t i)
{
	return &l->v[i & (l->size - 1)];
}

static uint64_t *
head_of(const struct line *l, uint64_t id)
{
	return &l->heads[(id ^ id >> 32) & (l->size - 1)];
}

static int
line_begin(struct line *l)
{
	l->v = calloc(l->size, sizeof(*l->v));
	l->heads = calloc(l->size, sizeof(*l->heads));
	if (l->v == NULL || l->heads == NULL) {
		line_free(l);
		return -1;
	}
	l->first = l->end = l->open = 1;
	return 0;
}

static void
drop_first(struct line *l)
{
	l->first++;
	if (l->open < l->first)
		l->open = l->first;
}

int
line_add(struct line *l, uint64_t seq, uint64_t id, uint64_t now_ms)
{
	struct line_entry *e;
	uint64_t *head;

	if (l->v == NULL && line_begin(l) == -1)
		return -1;
	if (l->end - l->first == l->size)
		drop_first(l);
	head = head_of(l, id);
	e = at(l, l->end);
	*e = (struct line_entry){ .seq = seq, .id = id, .ms = now_ms,
		.before = *head };
	*head = l->end++;
	return 0;
}

/* The oldest of an id with that number of ours. */
static struct line_entry *
find(const struct line *l, uint64_t id, uint64_t ours)
{
	struct line_entry *e, *found = NULL;
	uint64_t i;
	int n;

	if (l->v == NULL)
		return NULL;
	i = *head_of(l, id);
	for (n = 0; i >= l->first && i != 0 && n < STEPS; n++) {
		e = at(l, i);
		if (e->id == id && e->ours == ours)
			found = e;
		i = e->before;
	}
	return found;
}

static void
take(struct line *l, struct line_entry *e, uint64_t ours)
{
	e->ours = ours;
	while (l->open < l->end && at(l, l->open)->ours != 0)
		l->open++;
}

int
line_match(struct line *l, uint64_t id, uint64_t ours)
{
	struct line_entry *e = find(l, id, 0);

	if (e == NULL)
		return 0;
	take(l, e, ours);
	return 1;
}

void
line_match_last(struct line *l, const struct line *ours, uint64_t id)
{
	struct line_entry *e, *found = NULL;
	uint64_t i;
	int n;

	if (ours->v == NULL)
		return;
	i = *head_of(ours, id);
	for (n = 0; i >= ours->first && i != 0 && n < STEPS; n++) {
		e = at(ours, i);
		if (e->id == id && find(l, id, e->seq) == NULL)
			found = e;
		i = e->before;
	}
	if (found != NULL)
		(void)line_match(l, id, found->seq);
}

/* Numbers rise. */
static const struct line_entry *
by_seq(const struct line *l, uint64_t seq)
{
	uint64_t low = l->first, high = l->end, i;

	while (low < high) {
		i = low + (high - low) / 2;
		if (at(l, i)->seq < seq)
			low = i + 1;
		else
			high = i;
	}
	return low < l->end && at(l, low)->seq == seq ? at(l, low) : NULL;
}

int
line_has(const struct line *l, uint64_t seq)
{
	return by_seq(l, seq) != NULL;
}

uint64_t
line_seq(const struct line *l, const struct line *ours, uint64_t seq)
{
	const struct line_entry *mine = by_seq(ours, seq), *e;

	if (mine == NULL || (e = find(l, mine->id, seq)) == NULL)
		return 0;
	return e->seq;
}

uint64_t
line_open(const struct line *l)
{
	return l->open < l->end ? at(l, l->open)->seq : UINT64_MAX;
}

uint64_t
line_began(const struct line *l)
{
	return l->first < l->end ? at(l, l->first)->ms : UINT64_MAX;
}

void
line_trim(struct line *l, uint64_t before_ms)
{
	while (l->first < l->end && at(l, l->first)->ms < before_ms)
		drop_first(l);
	while (l->open < l->end && at(l, l->open)->ours != 0)
		l->open++;
}

void
line_free(struct line *l)
{
	free(l->v);
	free(l->heads);
	l->v = NULL;
	l->heads = NULL;
	l->first = l->end = l->open = 0;
}
