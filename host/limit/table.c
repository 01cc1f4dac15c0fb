/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/board.h"
#include "base/hash.h"
#include "base/shared.h"
#include "limit/table.h"

#define LIMIT_MAGIC 0x7374696d696c7368ull
/* Whoever adds a field need not think of LIMIT_VERSION. */
#define LIMIT_SIZES ((uint32_t)(sizeof(struct limit_head) * 1000003 + \
	sizeof(struct limit_rates) * 1009 + sizeof(struct limit_places) * 31 + \
	sizeof(struct limit_count) + LIMIT_SETS))
#define COUNTS (sizeof(struct limit_count) * LIMIT_ZONES)
#define ROW (sizeof(uint16_t) * LIMIT_ENTRIES)
#define TRIES 64	/* others that were faster, in a row */

/* -- the memory -- */

/* Where each part starts, on a page of its own. */
struct limit_layout {
	size_t rates, places, retired, counts, rows, size;
};

static struct limit_layout
limit_layout(void)
{
	struct limit_layout l;

	l.rates = shared_round(sizeof(struct limit_head));
	l.places = shared_round(l.rates +
	    sizeof(struct limit_rates) * LIMIT_SETS);
	l.retired = shared_round(l.places +
	    sizeof(struct limit_places) * LIMIT_SETS);
	l.counts = shared_round(l.retired + COUNTS);
	l.rows = shared_round(l.counts + COUNTS * BOARD_CELLS);
	l.size = shared_round(l.rows + ROW * BOARD_CELLS);
	return l;
}

static int
limit_table_map(struct limit_table *t, int fd)
{
	struct limit_layout l = limit_layout();
	char *p = shared_map(fd, l.size);

	memset(t, 0, sizeof(*t));
	t->fd = -1;
	if (p == NULL)
		return -1;
	t->head = (void *)p;
	t->rates = (void *)(p + l.rates);
	t->places = (void *)(p + l.places);
	t->retired = (void *)(p + l.retired);
	t->counts = (void *)(p + l.counts);
	t->rows = (void *)(p + l.rows);
	t->size = l.size;
	t->fd = fd;
	return 0;
}

int
limit_table_create(struct limit_table *t)
{
	int fd = shared_create("hostd limits", limit_layout().size), saved;
	uint64_t seed[2];

	if (fd == -1 || limit_table_map(t, fd) == -1)
		return -1;
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		saved = errno;
		limit_table_close(t);
		errno = saved;
		return -1;
	}
	t->head->seed[0] = seed[0] | 1;
	t->head->seed[1] = seed[1] | 1;
	t->head->magic = LIMIT_MAGIC;
	t->head->version = LIMIT_VERSION;
	t->head->layout = LIMIT_SIZES;
	return 0;
}

int
limit_table_attach(struct limit_table *t, int fd)
{
	if (limit_table_map(t, fd) == -1)
		return -1;
	if (t->head->magic == LIMIT_MAGIC &&
	    t->head->version == LIMIT_VERSION &&
	    t->head->layout == LIMIT_SIZES)
		return 0;
	limit_table_close(t);
	errno = EPROTO;
	return -1;
}

void
limit_table_close(struct limit_table *t)
{
	if (t->head == NULL)
		return;
	(void)munmap(t->head, t->size);
	(void)close(t->fd);
	memset(t, 0, sizeof(*t));
	t->fd = -1;
}

/* -- rows -- */

static _Atomic uint16_t *
row_of(const struct limit_table *t, unsigned cell)
{
	return t->rows + (size_t)cell * LIMIT_ENTRIES;
}

static uint32_t
ncells(const struct limit_table *t)
{
	uint32_t n = atomic_load_explicit(&t->head->ncells,
	    memory_order_relaxed);

	return n < BOARD_CELLS ? n : BOARD_CELLS;
}

void
limit_table_join(struct limit_table *t, unsigned cell)
{
	if (cell >= ncells(t))
		atomic_store(&t->head->ncells, cell + 1);
}

static void
count_fold(struct limit_count *to, const struct limit_count *from)
{
	_Atomic uint64_t *t = &to->passed;
	const _Atomic uint64_t *f = &from->passed;
	size_t i;

	for (i = 0; i < offsetof(struct limit_count, uncounted) /
	    sizeof(uint64_t) + 1; i++)
		board_add(&t[i], atomic_load_explicit(&f[i],
		    memory_order_relaxed));
}

void
limit_table_retire(struct limit_table *t, unsigned cell)
{
	unsigned z;

	atomic_fetch_add(&t->head->folding, 1);
	for (z = 0; z < LIMIT_ZONES; z++)
		if (t->head->zones[z].kind != 0)
			count_fold(&t->retired[z], limit_count_of(t, cell, z));
	shared_zero(t->fd, t->head, limit_count_of(t, cell, 0), COUNTS);
	atomic_fetch_add(&t->head->folding, 1);
	shared_zero(t->fd, t->head, row_of(t, cell), ROW);
}

/* -- zones -- */

int
limit_zone_find(const struct limit_table *t, enum limit_kind kind,
    const char *name)
{
	const struct limit_zone *z = t->head->zones;
	int i;

	for (i = 0; i < LIMIT_ZONES; i++)
		if (z[i].kind == (uint32_t)kind &&
		    strncmp(z[i].name, name, LIMIT_NAME_MAX - 1) == 0)
			return i;
	return -1;
}

int
limit_zone_add(struct limit_table *t, enum limit_kind kind, const char *name)
{
	struct limit_zone *z = t->head->zones;
	int i;

	for (i = 0; i < LIMIT_ZONES; i++)
		if (z[i].kind == 0)
			break;
	if (i == LIMIT_ZONES)
		return -1;
	(void)snprintf(z[i].name, sizeof(z[i].name), "%s", name);
	z[i].kind = (uint32_t)kind;
	return i;
}

void
limit_zone_free(struct limit_table *t, unsigned zone)
{
	uint32_t c, n = ncells(t);

	for (c = 0; c < n; c++)
		memset(limit_count_of(t, c, zone), 0,
		    sizeof(struct limit_count));
	memset(&t->retired[zone], 0, sizeof(struct limit_count));
	memset(&t->head->zones[zone], 0, sizeof(struct limit_zone));
}

void
limit_sum(const struct limit_table *t, unsigned zone, struct limit_count *sum)
{
	uint32_t c, before, n = ncells(t);
	int tries = 0;

	do {
		before = atomic_load(&t->head->folding);
		memset(sum, 0, sizeof(*sum));
		count_fold(sum, &t->retired[zone]);
		for (c = 0; c < n; c++)
			count_fold(sum, limit_count_of(t, c, zone));
	} while (shared_is_torn(&t->head->folding, before, &tries));
}

/* -- keys -- */

uint64_t
limit_hash(const struct limit_table *t, uint64_t salt, const void *p, size_t n)
{
	uint64_t seed[2] = { t->head->seed[0] ^ salt, t->head->seed[1] };
	uint64_t h;

	if (seed[0] == 0)
		seed[0] = salt;
	h = hash_bytes(seed, p, n);
	return h != 0 ? h : 1;
}

/* -- rates -- */

/* The way that may go: a free one, else that which drains first. */
static int
rate_victim(struct limit_rates *s)
{
	uint64_t until, least = UINT64_MAX;
	int i, found = 0;

	for (i = 0; i < LIMIT_WAYS; i++) {
		if (atomic_load_explicit(&s->key[i],
		    memory_order_relaxed) == 0)
			return i;
		until = atomic_load_explicit(&s->until[i],
		    memory_order_relaxed);
		if (until < least) {
			least = until;
			found = i;
		}
	}
	return found;
}

static _Atomic uint64_t *
rate_find(struct limit_rates *s, uint64_t key)
{
	int i;

	for (i = 0; i < LIMIT_WAYS; i++)
		if (atomic_load_explicit(&s->key[i],
		    memory_order_relaxed) == key)
			return &s->until[i];
	return NULL;
}

/* Its time, of an entry that is made when there is none. */
static _Atomic uint64_t *
rate_of(struct limit_table *t, struct limit_count *n, uint64_t key,
    uint64_t now_us)
{
	struct limit_rates *s = &t->rates[key % LIMIT_SETS];
	_Atomic uint64_t *until = rate_find(s, key);
	uint64_t was, late;
	int i, tries;

	for (tries = 0; until == NULL && tries < TRIES; tries++) {
		i = rate_victim(s);
		was = atomic_load(&s->key[i]);
		late = atomic_load(&s->until[i]);
		if (!atomic_compare_exchange_strong(&s->key[i], &was, key)) {
			until = rate_find(s, key);
			continue;
		}
		/* What has drained is as good as new. */
		if (was != 0 && late > now_us) {
			board_add(&n->evicted, 1);
			(void)atomic_compare_exchange_strong(&s->until[i],
			    &late, now_us);
		}
		until = &s->until[i];
	}
	return until;
}

int64_t
limit_rate_take(struct limit_table *t, struct limit_count *n, uint64_t key,
    uint64_t cost_us, uint64_t room_us, uint64_t now_us)
{
	uint64_t max = now_us + room_us + cost_us, was, from;
	_Atomic uint64_t *until = rate_of(t, n, key, now_us);

	if (until == NULL) {
		board_add(&n->uncounted, 1);
		return 0;
	}
	was = atomic_load_explicit(until, memory_order_relaxed);
	do {
		from = was > max ? max : was < now_us ? now_us : was;
		if (from - now_us > room_us)
			return -(int64_t)(from - now_us - room_us);
	} while (!atomic_compare_exchange_weak_explicit(until, &was,
	    from + cost_us, memory_order_relaxed, memory_order_relaxed));
	return (int64_t)(from - now_us);
}

void
limit_rate_give(struct limit_table *t, uint64_t key, uint64_t cost_us)
{
	_Atomic uint64_t *until = rate_find(&t->rates[key % LIMIT_SETS], key);
	uint64_t was;

	if (until == NULL)
		return;
	was = atomic_load_explicit(until, memory_order_relaxed);
	while (was >= cost_us && !atomic_compare_exchange_weak_explicit(until,
	    &was, was - cost_us, memory_order_relaxed, memory_order_relaxed))
		;
}

/* -- places -- */

uint32_t
limit_places_taken(const struct limit_table *t, size_t place)
{
	uint32_t c, n = ncells(t), sum = 0;

	for (c = 0; c < n; c++)
		sum += atomic_load(&row_of(t, c)[place]);
	return sum;
}

static int
place_find(struct limit_places *s, uint64_t key)
{
	int i;

	for (i = 0; i < LIMIT_WAYS; i++)
		if (atomic_load(&s->key[i]) == key)
			return i;
	return -1;
}

/* A way where nobody is, for key; -1: there is none. */
static int
place_make(struct limit_table *t, size_t set, uint64_t key)
{
	struct limit_places *s = &t->places[set];
	uint64_t was;
	int i, found;

	for (i = 0; i < LIMIT_WAYS; i++) {
		was = atomic_load(&s->key[i]);
		if (was != 0 && limit_places_taken(t, set * LIMIT_WAYS +
		    (size_t)i) != 0)
			continue;
		if (atomic_compare_exchange_strong(&s->key[i], &was, key))
			return i;
		found = place_find(s, key);
		if (found != -1)
			return found;
	}
	return -1;
}

int32_t
limit_place_take(struct limit_table *t, struct limit_count *n, unsigned cell,
    uint64_t key, uint32_t max)
{
	size_t set = key % LIMIT_SETS, place;
	_Atomic uint16_t *mine;
	int i, tries;

	for (tries = 0; tries < TRIES; tries++) {
		i = place_find(&t->places[set], key);
		if (i == -1)
			i = place_make(t, set, key);
		if (i == -1)
			break;
		place = set * LIMIT_WAYS + (size_t)i;
		mine = &row_of(t, cell)[place];
		if (atomic_load(mine) >= LIMIT_PLACES)
			return LIMIT_FULL;
		atomic_fetch_add(mine, 1);
		/* Somebody may have had the entry meanwhile, or have made
		 * another one of this key in front of it. */
		if (place_find(&t->places[set], key) != i) {
			atomic_fetch_sub(mine, 1);
			continue;
		}
		if (limit_places_taken(t, place) <= max)
			return (int32_t)place;
		atomic_fetch_sub(mine, 1);
		return LIMIT_FULL;
	}
	board_add(&n->uncounted, 1);
	return LIMIT_UNCOUNTED;
}

void
limit_place_give(struct limit_table *t, unsigned cell, int32_t place)
{
	if (place >= 0)
		atomic_fetch_sub(&row_of(t, cell)[place], 1);
}
