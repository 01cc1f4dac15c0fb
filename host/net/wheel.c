/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include "net/wheel.h"

void
wheel_init(struct wheel *w, uint64_t now_ms)
{
	int i;

	for (i = 0; i < WHEEL_SLOTS; i++)
		TAILQ_INIT(&w->slots[i]);
	w->tick = now_ms / WHEEL_TICK_MS;
	w->next = UINT64_MAX;
}

void
wheel_remove(struct wheel *w, struct wheel_timer *t)
{
	if (t->tick != 0)
		TAILQ_REMOVE(&w->slots[t->tick % WHEEL_SLOTS], t, link);
	t->tick = 0;
	t->deadline = 0;
}

void
wheel_place(struct wheel *w, struct wheel_timer *t)
{
	uint64_t tick = t->deadline / WHEEL_TICK_MS + 1;

	if (t->tick != 0)
		TAILQ_REMOVE(&w->slots[t->tick % WHEEL_SLOTS], t, link);
	if (tick <= w->tick)
		tick = w->tick + 1;
	/* Beyond one turn of the wheel: look again at its end. */
	if (tick > w->tick + WHEEL_SLOTS - 1)
		tick = w->tick + WHEEL_SLOTS - 1;
	t->tick = tick;
	TAILQ_INSERT_TAIL(&w->slots[tick % WHEEL_SLOTS], t, link);
	if (tick < w->next)
		w->next = tick;
}

static void
wheel_visit(struct wheel *w, uint64_t tick, uint64_t now_ms)
{
	struct wheel_slot *slot = &w->slots[tick % WHEEL_SLOTS];
	struct wheel_timer *t;

	while ((t = TAILQ_FIRST(slot)) != NULL) {
		TAILQ_REMOVE(slot, t, link);
		t->tick = 0;
		if (t->deadline == 0)
			continue;
		if (t->deadline > now_ms) {
			wheel_place(w, t);
			continue;
		}
		t->deadline = 0;
		t->fire(t);
	}
}

static uint64_t
wheel_find_next(const struct wheel *w)
{
	uint64_t i;

	for (i = 1; i < WHEEL_SLOTS; i++)
		if (!TAILQ_EMPTY(&w->slots[(w->tick + i) % WHEEL_SLOTS]))
			return w->tick + i;
	return UINT64_MAX;
}

void
wheel_advance(struct wheel *w, uint64_t now_ms)
{
	uint64_t target = now_ms / WHEEL_TICK_MS;

	if (target < w->next) {
		if (target > w->tick)
			w->tick = target;
		return;
	}
	/* After a long stop every slot is visited at most once. */
	if (target > w->tick + WHEEL_SLOTS)
		w->tick = target - WHEEL_SLOTS;
	while (w->tick < target) {
		w->tick++;
		wheel_visit(w, w->tick, now_ms);
	}
	w->next = wheel_find_next(w);
}

int
wheel_timeout(const struct wheel *w, uint64_t now_ms)
{
	uint64_t at;

	if (w->next == UINT64_MAX)
		return -1;
	at = w->next * WHEEL_TICK_MS;
	return at <= now_ms ? 0 : (int)(at - now_ms);
}
