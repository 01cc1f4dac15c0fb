/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/shared.h"
#include "upstream/resolve.h"
#include "upstream/table.h"

#define UP_MAGIC 0x656c626174647368ull
/* Whoever adds a field need not think of UP_VERSION. */
#define UP_SIZES ((uint32_t)(sizeof(struct up_head) * 1000003 + \
	sizeof(struct up_entry) * 1009 + sizeof(struct up_health) * 31 + \
	sizeof(struct up_live) * 257 + sizeof(struct up_count)))
#define ROW (sizeof(struct up_count) * UP_ENTRIES)
#define AT_ONCE_MS 1000 /* servers that came within that, came together */
/* How often to look again while the master is at it. */
#define TRIES 100

/* -- the memory -- */

/* Where each part of the two pieces starts, on a page of its own. */
struct up_layout {
	size_t entries, retired, size;
	size_t health, counts, live_size;
};

static struct up_layout
up_layout(void)
{
	struct up_layout l;

	l.entries = shared_round(sizeof(struct up_head));
	l.retired = shared_round(l.entries +
	    sizeof(struct up_entry) * UP_ENTRIES);
	l.size = shared_round(l.retired + ROW);
	l.health = shared_round(sizeof(struct up_live));
	l.counts = shared_round(l.health +
	    sizeof(struct up_health) * UP_ENTRIES);
	l.live_size = shared_round(l.counts + ROW * BOARD_CELLS);
	return l;
}

static int
map_own(struct up_table *t, int fd, int write)
{
	struct up_layout l = up_layout();
	char *p = write ? shared_map(fd, l.size) : shared_map_read(fd, l.size);

	if (p == NULL)
		return -1;
	t->head = (void *)p;
	t->entries = (void *)(p + l.entries);
	t->retired = (void *)(p + l.retired);
	t->size = l.size;
	t->fd = fd;
	return 0;
}

static int
map_live(struct up_table *t, int fd)
{
	struct up_layout l = up_layout();
	char *p = shared_map(fd, l.live_size);

	if (p == NULL)
		return -1;
	t->live = (void *)p;
	t->health = (void *)(p + l.health);
	t->counts = (void *)(p + l.counts);
	t->live_size = l.live_size;
	t->live_fd = fd;
	return 0;
}

/* 0, or -1 with errno: both are closed. */
static int
up_table_map(struct up_table *t, int fd, int live, int write)
{
	int saved;

	memset(t, 0, sizeof(*t));
	t->fd = t->live_fd = t->reader = -1;
	if (map_live(t, live) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	if (map_own(t, fd, write) == 0)
		return 0;
	saved = errno;
	up_table_close(t);
	errno = saved;
	return -1;
}

static int
close_with(struct up_table *t, int error)
{
	up_table_close(t);
	errno = error;
	return -1;
}

int
up_table_create(struct up_table *t)
{
	int fd = shared_create("hostd upstreams", up_layout().size), live;

	if (fd == -1)
		return -1;
	live = shared_create("hostd upstreams' state", up_layout().live_size);
	if (live == -1) {
		(void)close(fd);
		return -1;
	}
	if (up_table_map(t, fd, live, 1) == -1)
		return -1;
	t->head->magic = UP_MAGIC;
	t->head->version = UP_VERSION;
	t->head->layout = UP_SIZES;
	t->reader = shared_reader(fd);
	return t->reader == -1 ? close_with(t, errno) : 0;
}

static int
is_ours(const struct up_table *t)
{
	return t->head->magic == UP_MAGIC && t->head->version == UP_VERSION &&
	    t->head->layout == UP_SIZES;
}

int
up_table_attach(struct up_table *t, int fd, int live)
{
	if (up_table_map(t, fd, live, 0) == -1)
		return -1;
	return is_ours(t) ? 0 : close_with(t, EPROTO);
}

int
up_table_restore(struct up_table *t, int fd, int live)
{
	if (up_table_map(t, fd, live, 1) == -1)
		return -1;
	if (!is_ours(t))
		return close_with(t, EPROTO);
	t->reader = shared_reader(fd);
	return t->reader == -1 ? close_with(t, errno) : 0;
}

void
up_table_close(struct up_table *t)
{
	if (t->live == NULL)
		return;
	if (t->head != NULL) {
		(void)munmap(t->head, t->size);
		(void)close(t->fd);
	}
	if (t->reader != -1)
		(void)close(t->reader);
	(void)munmap(t->live, t->live_size);
	(void)close(t->live_fd);
	memset(t, 0, sizeof(*t));
	t->fd = t->live_fd = t->reader = -1;
}

/* -- entries -- */

void
up_changed(struct up_table *t)
{
	atomic_fetch_add_explicit(&t->live->changes, 1, memory_order_release);
}

static void
writing(struct up_table *t)
{
	atomic_fetch_add(&t->head->sequence, 1);
	atomic_thread_fence(memory_order_release);
}

static void
written(struct up_table *t)
{
	atomic_fetch_add(&t->head->sequence, 1);
}

void
up_table_begin(struct up_table *t)
{
	writing(t);
}

void
up_table_end(struct up_table *t)
{
	written(t);
	up_changed(t);
}

/* Has nothing been written since *begun was read?  Else read it again. */
static int
is_whole(const struct up_table *t, uint32_t begun)
{
	atomic_thread_fence(memory_order_acquire);
	return begun % 2 == 0 && atomic_load(&t->head->sequence) == begun;
}

static unsigned
up_rows(const struct up_table *t)
{
	uint32_t n = atomic_load_explicit(&t->head->ncells,
	    memory_order_acquire);

	return n < BOARD_CELLS ? n : BOARD_CELLS;
}

struct up_entry *
up_entry_new(struct up_table *t)
{
	struct up_entry *e;
	unsigned i, cell;

	for (i = 0; i < UP_ENTRIES && t->entries[i].id != 0; i++)
		;
	if (i == UP_ENTRIES)
		return NULL;
	e = &t->entries[i];
	memset(e, 0, sizeof(*e));
	memset(&t->health[i], 0, sizeof(t->health[i]));
	memset(&t->retired[i], 0, sizeof(t->retired[i]));
	for (cell = 0; cell < up_rows(t); cell++)
		memset(up_count_of(t, cell, i), 0, sizeof(struct up_count));
	if (++t->head->ids == 0)
		t->head->ids = 1;
	e->id = t->head->ids;
	e->weight = 1;
	e->added_ms = board_clock_ms();
	atomic_store(&t->health[i].id, e->id);
	if (i >= up_entries(t))
		atomic_store(&t->head->nentries, i + 1);
	return e;
}

void
up_entry_free(struct up_table *t, struct up_entry *e)
{
	uint32_t n = up_entries(t);

	atomic_store(&t->health[e - t->entries].id, 0);
	memset(e, 0, sizeof(*e));
	while (n > 0 && t->entries[n - 1].id == 0)
		n--;
	atomic_store(&t->head->nentries, n);
}

int
up_entry_read(const struct up_table *t, unsigned i, struct up_entry *e)
{
	uint32_t begun;
	int tries;

	for (tries = 0; i < UP_ENTRIES && tries < TRIES; tries++) {
		begun = atomic_load(&t->head->sequence);
		if (begun % 2 == 0)
			memcpy(e, &t->entries[i], sizeof(*e));
		if (is_whole(t, begun)) {
			e->group[sizeof(e->group) - 1] = '\0';
			e->server[sizeof(e->server) - 1] = '\0';
			return e->id == 0 ? -1 : 0;
		}
		(void)sched_yield();
	}
	return -1;
}

/* -- counts -- */

void
up_table_join(struct up_table *t, unsigned cell)
{
	if (cell < BOARD_CELLS && cell >= t->head->ncells)
		atomic_store(&t->head->ncells, cell + 1);
}

static void
count_add(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	board_add(to, atomic_load_explicit(from, memory_order_relaxed));
}

void
up_table_retire(struct up_table *t, unsigned cell)
{
	struct up_count *row = up_count_of(t, cell, 0);
	uint32_t i, n = up_entries(t);

	writing(t);
	for (i = 0; i < n; i++) {
		count_add(&t->retired[i].requests, &row[i].requests);
		count_add(&t->retired[i].failures, &row[i].failures);
		count_add(&t->retired[i].bytes_in, &row[i].bytes_in);
		count_add(&t->retired[i].bytes_out, &row[i].bytes_out);
		count_add(&t->retired[i].header_us, &row[i].header_us);
	}
	shared_zero(t->live_fd, t->live, row, ROW);
	written(t);
	up_lead_end(t, cell);
}

uint32_t
up_inflight(const struct up_table *t, unsigned i)
{
	unsigned cell, n = up_rows(t);
	uint32_t sum = 0;

	for (cell = 0; cell < n; cell++)
		sum += atomic_load_explicit(&up_count_of(t, cell, i)->inflight,
		    memory_order_relaxed);
	return sum;
}

static void
sum_count(struct up_sums *s, const struct up_count *c)
{
	s->inflight += atomic_load_explicit(&c->inflight, memory_order_relaxed);
	s->upgraded += atomic_load_explicit(&c->upgraded, memory_order_relaxed);
	s->idle += atomic_load_explicit(&c->idle, memory_order_relaxed);
	s->requests += atomic_load_explicit(&c->requests, memory_order_relaxed);
	s->failures += atomic_load_explicit(&c->failures, memory_order_relaxed);
	s->bytes_in += atomic_load_explicit(&c->bytes_in, memory_order_relaxed);
	s->bytes_out += atomic_load_explicit(&c->bytes_out,
	    memory_order_relaxed);
	s->header_us += atomic_load_explicit(&c->header_us,
	    memory_order_relaxed);
}

/* While a row is folded its counts are in two places. */
void
up_sum(const struct up_table *t, unsigned i, struct up_sums *s)
{
	unsigned cell, n = up_rows(t);
	uint32_t begun;
	int tries = 0;

	do {
		begun = atomic_load(&t->head->sequence);
		memset(s, 0, sizeof(*s));
		sum_count(s, &t->retired[i]);
		for (cell = 0; cell < n; cell++)
			sum_count(s, up_count_of(t, cell, i));
	} while (shared_is_torn(&t->head->sequence, begun, &tries));
}

/* -- a place among as many as there may be -- */

/* Whose number is below ours goes first. */
enum { NOBODY, BEHIND, BEFORE };

static int
others_taking(const struct up_table *t, unsigned cell, unsigned i)
{
	unsigned k, n = up_rows(t);
	int who = NOBODY;

	for (k = 0; k < n && who != BEFORE; k++)
		if (k != cell && atomic_load(&up_count_of(t, k, i)->taking))
			who = k < cell ? BEFORE : BEHIND;
	return who;
}

/* Of two that step in at once, each sees the other. */
static void
step_in(struct up_count *c)
{
	atomic_store(&c->taking, 1);
	atomic_fetch_add(&c->inflight, 1);
	atomic_thread_fence(memory_order_seq_cst);
}

static void
step_back(struct up_count *c)
{
	atomic_fetch_sub(&c->inflight, 1);
	atomic_store(&c->taking, 0);
}

/* Are there too many, and not only because others look just now?  *who: else
 * that may be, and of whom it depends. */
static int
is_too_full(const struct up_table *t, unsigned cell, unsigned i, uint32_t max,
    int *who)
{
	int first;

	*who = NOBODY;
	if (up_inflight(t, i) <= max)
		return 0;
	first = others_taking(t, cell, i);
	if (up_inflight(t, i) <= max)
		return 0;
	*who = others_taking(t, cell, i);
	if (*who == NOBODY)
		*who = first;
	return *who == NOBODY;
}

/*
 * Whoever comes is counted first, and looks then; so there are never too many.
 * When there are, and another one is looking just now as well, the one with the
 * lowest number stays until the others have stepped back, or turn out to have
 * been there before; these come again behind it.  One that has stopped in the
 * middle of this is not waited for.
 */
int
up_take(struct up_table *t, unsigned cell, unsigned i, uint32_t max)
{
	struct up_count *c = up_count_of(t, cell, i);
	int tries, who, full = 0;

	step_in(c);
	for (tries = 0; tries < TRIES && !full; tries++) {
		full = is_too_full(t, cell, i, max, &who);
		if (!full && who == NOBODY) {
			atomic_store(&c->taking, 0);
			return 0;
		}
		if (who == BEFORE) {
			step_back(c);
			while (++tries < TRIES &&
			    others_taking(t, cell, i) == BEFORE)
				(void)sched_yield();
			step_in(c);
		} else if (!full)
			(void)sched_yield();
	}
	step_back(c);
	return -1;
}

/* -- the lease -- */

static uint64_t
lead_of(unsigned cell, uint32_t generation)
{
	return (uint64_t)generation << 32 | (cell + 1);
}

/*
 * The time is written before the name: who sees the new name sees that it has
 * just begun.  One that has stopped for long may believe in its lease until it
 * asks again; then two do the same work for once.
 */
int
up_lead(struct up_table *t, unsigned cell, uint32_t generation,
    uint32_t coming, uint64_t now_ms)
{
	uint64_t me = lead_of(cell, generation), now = now_ms + UP_LEASE_MS;
	uint64_t cur = atomic_load(&t->live->leader);
	int better = generation == coming && cur >> 32 != coming;

	if (cur != me && cur != 0 && !better &&
	    atomic_load(&t->live->leader_until_ms) > now_ms)
		return 0;
	atomic_store(&t->live->leader_until_ms, now);
	return cur == me ||
	    atomic_compare_exchange_strong(&t->live->leader, &cur, me);
}

void
up_lead_end(struct up_table *t, unsigned cell)
{
	uint64_t cur = atomic_load(&t->live->leader);

	if ((cur & UINT32_MAX) == cell + 1)
		(void)atomic_compare_exchange_strong(&t->live->leader, &cur, 0);
}

/* -- slow start -- */

/* Since when it serves again, or for the first time; 0: as long as others. */
static uint64_t
started_ms(const struct up_entry *e, uint64_t up, uint64_t oldest,
    uint64_t now)
{
	uint64_t clock, age;

	if (e->added_ms <= oldest + AT_ONCE_MS)
		return up;
	/* It has joined those that were there. */
	clock = board_clock_ms();
	age = clock > e->added_ms ? clock - e->added_ms : 0;
	return now > age && now - age > up ? now - age : up;
}

uint32_t
up_share(const struct up_entry *e, uint64_t up, uint64_t slow_start,
    uint64_t oldest, uint64_t now)
{
	uint64_t since;

	if (slow_start == 0)
		return UP_FULL_SHARE;
	since = started_ms(e, up, oldest, now);
	if (since == 0 || now >= since + slow_start)
		return UP_FULL_SHARE;
	if (now <= since)
		return 1;
	return 1 + (uint32_t)((UP_FULL_SHARE - 1) * (now - since) / slow_start);
}

/* -- words -- */

const char *
up_why_text(uint32_t why, uint32_t what, char *buf, size_t size)
{
	switch (why) {
	case UP_WHY_NONE:
		(void)snprintf(buf, size, "%s", "");
		break;
	case UP_WHY_CONNECT:
		(void)snprintf(buf, size, "connecting: %s",
		    strerror((int)what));
		break;
	case UP_WHY_IO:
		(void)snprintf(buf, size, "%s", what == 0 ?
		    "closed early" : strerror((int)what));
		break;
	case UP_WHY_TIMEOUT:
		(void)snprintf(buf, size, "no answer within %u ms", what);
		break;
	case UP_WHY_NOT_HTTP:
		(void)snprintf(buf, size, "not an HTTP answer");
		break;
	case UP_WHY_STATUS:
		(void)snprintf(buf, size, "status %u", what);
		break;
	case UP_WHY_BODY:
		(void)snprintf(buf, size, "not the body that is expected");
		break;
	case UP_WHY_NAME:
		(void)snprintf(buf, size, "its name can't be resolved: %s",
		    resolve_text((int)what));
		break;
	default:
		(void)snprintf(buf, size, "reason %u", why);
	}
	return buf;
}
