/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "limit/use.h"

static uint64_t
look(const _Atomic uint64_t *p)
{
	return atomic_load_explicit(p, memory_order_relaxed);
}

static void
rates_use(const struct limit_rates *s, uint64_t now_us, struct limit_use *uses)
{
	int i, zone;

	for (i = 0; i < LIMIT_WAYS; i++) {
		zone = limit_key_zone(look(&s->key[i]));
		if (zone != -1 && look(&s->until[i]) > now_us)
			uses[zone].keys++;
	}
}

static void
places_use(const struct limit_table *t, size_t set, struct limit_use *uses)
{
	uint32_t n;
	int i, zone;

	for (i = 0; i < LIMIT_WAYS; i++) {
		zone = limit_key_zone(look(&t->places[set].key[i]));
		if (zone == -1)
			continue;
		n = limit_places_taken(t, set * LIMIT_WAYS + (size_t)i);
		uses[zone].keys += n > 0;
		uses[zone].taken += n;
	}
}

void
limit_uses(const struct limit_table *t, uint64_t now_us,
    struct limit_use uses[LIMIT_ZONES])
{
	size_t i;

	memset(uses, 0, sizeof(*uses) * LIMIT_ZONES);
	for (i = 0; i < LIMIT_SETS; i++) {
		rates_use(&t->rates[i], now_us, uses);
		places_use(t, i, uses);
	}
}

/* Somebody may take it for another key meanwhile, which is let in then, too. */
static uint64_t
forget(struct limit_rates *s, int i, uint64_t now_us)
{
	return atomic_exchange(&s->until[i], 0) > now_us;
}

uint64_t
limit_rates_forget(struct limit_table *t, unsigned zone, uint64_t now_us)
{
	uint64_t n = 0;
	size_t set;
	int i;

	for (set = 0; set < LIMIT_SETS; set++)
		for (i = 0; i < LIMIT_WAYS; i++)
			if (limit_key_zone(look(&t->rates[set].key[i])) ==
			    (int)zone)
				n += forget(&t->rates[set], i, now_us);
	return n;
}

uint64_t
limit_rate_forget(struct limit_table *t, uint64_t key, uint64_t now_us)
{
	struct limit_rates *s = &t->rates[key % LIMIT_SETS];
	uint64_t n = 0;
	int i;

	for (i = 0; i < LIMIT_WAYS; i++)
		if (look(&s->key[i]) == key)
			n += forget(s, i, now_us);
	return n;
}
