/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a peer can serve: what the operator has said, checks have found, and
 * requests have met.  The last is shared by all workers of the machine: whoever
 * makes a change of it in the table is the one who says so in the log.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "upstream/group.h"

#define STEPS		64	/* of a slow start */
#define STEP_MIN_MS	50
#define WEIGH		8	/* a new latency against the average */
#define WEIGH_MS	10000	/* what is so old is forgotten for it */

static uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void
put(_Atomic uint64_t *v, uint64_t n)
{
	atomic_store_explicit(v, n, memory_order_relaxed);
}

static const char *
for_people(int64_t ms, char *buf, size_t size)
{
	if (ms % 1000 == 0)
		(void)snprintf(buf, size, "%" PRId64 "s", ms / 1000);
	else
		(void)snprintf(buf, size, "%" PRId64 "ms", ms);
	return buf;
}

struct up_health *
peer_health(const struct up_peer *p)
{
	struct up_health *h;

	if (p->group->all->table == NULL)
		return NULL;
	h = &p->group->all->table->health[p->index];
	return atomic_load_explicit(&h->id, memory_order_relaxed) == p->id ?
	    h : NULL;
}

/* Of nginx: there is no use in leaving the only one alone. */
static int
is_single(const struct up_peer *p)
{
	return p->group->npeers <= 1;
}

uint64_t
peer_down_until(const struct up_peer *p)
{
	const struct up_health *h = peer_health(p);

	if (h == NULL || p->conf->max_fails == 0 || is_single(p))
		return 0;
	return get(&h->down_until_ms);
}

static int
is_checked_down(const struct up_peer *p, const struct up_health *h)
{
	return p->group->conf->health.type != CONF_CHECK_NONE &&
	    atomic_load_explicit(&h->checked, memory_order_relaxed) ==
	    UP_CHECKED_DOWN;
}

int
peer_is_up(const struct up_peer *p, uint64_t now)
{
	const struct up_health *h = peer_health(p);

	if ((p->is.flags & (UP_DOWN | UP_GONE)) != 0 ||
	    p->is.addr.len == 0)
		return 0;
	if (h == NULL)
		return 1;
	return !is_checked_down(p, h) && peer_down_until(p) <= now;
}

/* -- slow start -- */

uint32_t
peer_share(const struct up_peer *p, uint64_t oldest, uint64_t now,
    uint64_t *look)
{
	const struct up_health *h = peer_health(p);
	uint64_t whole = (uint64_t)p->conf->slow_start, step = whole / STEPS;
	uint32_t share = UP_FULL_SHARE;

	if (!is_single(p))
		share = up_share(&p->is, h == NULL ? 0 : get(&h->up_ms), whole,
		    oldest, now);
	*look = share == UP_FULL_SHARE ? 0 :
	    now + (step < STEP_MIN_MS ? STEP_MIN_MS : step);
	return share;
}

/* -- what requests meet -- */

int
peer_try(struct up_peer *p, uint64_t now)
{
	uint64_t until = peer_down_until(p);

	if (until == 0)
		return 0;
	if (until > now || !atomic_compare_exchange_strong(
	    &peer_health(p)->down_until_ms, &until,
	    now + (uint64_t)p->conf->fail_timeout))
		return -1;
	up_changed(p->group->all->table);
	return 0;
}

static void
note_failure(struct up_health *h, uint32_t why, uint32_t what)
{
	atomic_store_explicit(&h->why, why, memory_order_relaxed);
	atomic_store_explicit(&h->what, what, memory_order_relaxed);
	put(&h->why_ms, board_clock_ms());
}

/* How many there were in the present fail_timeout, this one included. */
static uint32_t
count_failure(struct up_peer *p, struct up_health *h, uint64_t now)
{
	uint64_t since = get(&h->fails_ms);

	if (now - since > (uint64_t)p->conf->fail_timeout &&
	    atomic_compare_exchange_strong(&h->fails_ms, &since, now))
		atomic_store(&h->fails, 0);
	return atomic_fetch_add(&h->fails, 1) + 1;
}

static void
say_down(struct up_peer *p, uint32_t fails, uint32_t why, uint32_t what)
{
	char text[128], time[32];

	log_warnx("upstream %s: %s is down: %s, %u failure%s in %s; left alone "
	    "for %s", p->group->conf->name, p->text, up_why_text(why, what,
	    text, sizeof(text)), fails, fails == 1 ? "" : "s",
	    for_people(p->conf->fail_timeout, time, sizeof(time)), time);
}

static void
say_up(const struct up_peer *p)
{
	log_info("upstream %s: %s is up again", p->group->conf->name, p->text);
}

void
peer_failed(struct up_peer *p, uint32_t why, uint32_t what, uint64_t now)
{
	uint64_t next = now + (uint64_t)p->conf->fail_timeout, was = 0;
	struct up_health *h = peer_health(p);
	uint32_t fails;

	if (h == NULL)
		return;
	note_failure(h, why, what);
	fails = count_failure(p, h, now);
	if (p->conf->max_fails == 0 || is_single(p))
		return;
	if (get(&h->down_until_ms) != 0) {
		put(&h->down_until_ms, next);
		return;
	}
	if (fails < (uint32_t)p->conf->max_fails ||
	    !atomic_compare_exchange_strong(&h->down_until_ms, &was, next))
		return;
	put(&h->since_ms, now);
	say_down(p, fails, why, what);
	up_changed(p->group->all->table);
}

/* Requests that were under way when it failed say nothing of it now. */
static int
is_news(const struct up_health *h, uint64_t began)
{
	return get(&h->down_until_ms) != 0 && began >= get(&h->since_ms);
}

static void
come_back(struct up_peer *p, struct up_health *h, uint64_t now)
{
	uint64_t until = get(&h->down_until_ms);

	if (until == 0 || !atomic_compare_exchange_strong(&h->down_until_ms,
	    &until, 0))
		return;
	atomic_store(&h->fails, 0);
	put(&h->up_ms, now);
	put(&h->since_ms, now);
	say_up(p);
	up_changed(p->group->all->table);
}

void
peer_served(struct up_peer *p, uint64_t began, uint64_t now)
{
	struct up_health *h = peer_health(p);

	if (h != NULL && is_news(h, began))
		come_back(p, h, now);
}

void
peer_untried(struct up_peer *p, uint64_t began, uint64_t now)
{
	struct up_health *h = peer_health(p);
	uint64_t until;

	if (h == NULL || !is_news(h, began))
		return;
	until = get(&h->down_until_ms);
	if (until > now && atomic_compare_exchange_strong(&h->down_until_ms,
	    &until, now))
		up_changed(p->group->all->table);
}

/* How much of the average a latency is to be, in WEIGHths: who is asked seldom,
 * because it was slow once, shall not be slow for ever. */
static uint64_t
weigh(uint64_t since_ms, uint64_t now_ms)
{
	uint64_t age = now_ms > since_ms ? now_ms - since_ms : 0;

	return age >= WEIGH_MS ? WEIGH : 1 + age * (WEIGH - 1) / WEIGH_MS;
}

/* Of all workers; that one of two at the same time is lost does no harm. */
void
peer_latency(struct up_peer *p, uint64_t us)
{
	struct up_health *h = peer_health(p);
	uint64_t was, n, now = p->group->all->loop->now_ms;

	if (h == NULL || us == 0)
		return;
	was = get(&h->latency_us);
	n = weigh(get(&h->latency_ms), now);
	if (was != 0)
		us = (was * (WEIGH - n) + us * n) / WEIGH;
	put(&h->latency_us, us == 0 ? 1 : us);
	put(&h->latency_ms, now);
}

/* -- checks -- */

static void
check_turns(struct up_peer *p, struct up_health *h, uint32_t to)
{
	uint64_t now = p->group->all->loop->now_ms;
	uint32_t was = atomic_exchange(&h->checked, to);
	char text[128];

	atomic_store(&h->streak, 0);
	if (was != UP_UNCHECKED || to == UP_CHECKED_DOWN)
		put(&h->since_ms, now);
	if (to == UP_CHECKED_DOWN)
		log_warnx("upstream %s: %s is down: %s, %d check%s in a row",
		    p->group->conf->name, p->text, up_why_text(
		    atomic_load(&h->why), atomic_load(&h->what), text,
		    sizeof(text)), p->group->conf->health.fall,
		    p->group->conf->health.fall == 1 ? "" : "s");
	else if (was == UP_CHECKED_DOWN) {
		put(&h->down_until_ms, 0);
		atomic_store(&h->fails, 0);
		put(&h->up_ms, now);
		say_up(p);
	}
	up_changed(p->group->all->table);
}

/* The first check that goes well is believed at once. */
void
peer_checked(struct up_peer *p, int ok, uint32_t why, uint32_t what)
{
	const struct conf_health *conf = &p->group->conf->health;
	struct up_health *h = peer_health(p);
	uint32_t is, streak;

	if (h == NULL)
		return;
	put(&h->checked_ms, board_clock_ms());
	atomic_store(&h->check_why, ok ? UP_WHY_NONE : why);
	atomic_store(&h->check_what, what);
	if (!ok)
		note_failure(h, why, what);
	is = atomic_load(&h->checked);
	if (is == UP_UNCHECKED && ok) {
		check_turns(p, h, UP_CHECKED_UP);
		return;
	}
	if (ok == (is != UP_CHECKED_DOWN)) {
		atomic_store(&h->streak, 0);
		return;
	}
	streak = atomic_fetch_add(&h->streak, 1) + 1;
	if (streak >= (uint32_t)(ok ? conf->rise : conf->fall))
		check_turns(p, h, ok ? UP_CHECKED_UP : UP_CHECKED_DOWN);
}
